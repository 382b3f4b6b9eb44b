"""Predict, then run: a question before a result, and the learner's answer beside the outcome."""

from __future__ import annotations

import html

import ipywidgets

from mlcourse.exercises import prediction, record_prediction

NOTHING = "nothing yet"


class Predict(ipywidgets.VBox):
    """A question with options; the choice is kept in the learner's progress file, and `outcome` shows it again.

    id: such as "03.p1". On a page without a kernel the question and its options are shown as text.
    """

    def __init__(self, id: str, question: str, options: list[str]):
        self.id, self.question, self.options = id, question, list(options)
        before = prediction(id)
        self.choice = ipywidgets.RadioButtons(options=self.options, value=before if before in self.options else None,
                                              layout={"width": "auto"})
        self.choice.observe(lambda change: record_prediction(self.id, change["new"]), "value")
        super().__init__([ipywidgets.HTML(f"<b>Predict, then run.</b> {html.escape(question)}"), self.choice])

    def __repr__(self) -> str:
        return f"Predict({self.id})"

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs) or {}
        data["text/plain"] = repr(self)
        items = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
        data["text/html"] = f"<p><b>Predict, then run.</b> {html.escape(self.question)}</p><ul>{items}</ul>"
        return data


def outcome(id: str, text: str) -> None:
    """Print the learner's prediction of question `id` and, below it, what happened."""
    print(f"You predicted: {prediction(id) or NOTHING}")
    print(f"What happened: {text}")
