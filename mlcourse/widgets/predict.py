"""Predict, then run: a question before a result, and the learner's answer beside the outcome."""

from __future__ import annotations

import html

import ipywidgets

from mlcourse.exercises import prediction, predictions, record_prediction

NOTHING = "nothing yet"


class Predict(ipywidgets.VBox):
    """A question with options; the choice is kept in the learner's progress file, and `outcome` shows it again.

    id: such as "03.p1", of a prediction in the lesson's folder; question and options are given where it has none there.
    On a page without a kernel the question and its options are shown as text.
    Raises ValueError where there is no such prediction.
    """

    def __init__(self, id: str, question: str = "", options: list[str] = ()):
        self.id = id
        kept = None if question else predictions.named(id)
        self.question, self.options = question or kept.question, list(options or kept.options)
        before = prediction(id)
        self.choice = ipywidgets.RadioButtons(options=self.options, value=before if before in self.options else None,
                                              layout={"width": "auto"})
        self.choice.observe(lambda change: record_prediction(self.id, change["new"]), "value")
        super().__init__([ipywidgets.HTML(f"<b>Predict, then run.</b> {html.escape(self.question)}"), self.choice])

    def __repr__(self) -> str:
        return f"Predict({self.id})"

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs) or {}
        data["text/plain"] = repr(self)
        items = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
        data["text/html"] = f"<p><b>Predict, then run.</b> {html.escape(self.question)}</p><ul>{items}</ul>"
        return data


def outcome(id: str, text: str = "") -> None:
    """Print the learner's prediction of question `id` and, below it, what happened: `text`, or what the lesson's folder
    says of the values that `claim` took down."""
    what = text or predictions.happened(id)
    if what is None:
        print(f'Nothing is measured yet: run the cell with claim("{id}", …) first.')
        return
    print(f"You predicted: {prediction(id) or NOTHING}")
    print(f"What happened: {what}")
