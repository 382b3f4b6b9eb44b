"""The widget of lesson 00: classify an episode yourself, and meet the machines on the same questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.learner import Learner
from mlcourse.learners import NearestNeighbour
from mlcourse.lessons.l00_start.scene_you_against_machine import QuizScene
from mlcourse.plots.style import plural
from mlcourse.statistics import wilson
from mlcourse.widgets.base import CONTROL, Explorer

YOU = "You"


class Score(NamedTuple):
    """A player's right answers, and the 95 % Wilson interval of the accuracy behind them."""

    name: str
    correct: int
    questions: int
    low: float
    high: float


class QuizRecord(NamedTuple):
    """The state of a quiz.

    support (N, 28, 28): the labelled picture of each class, label 0 first. queries (Q, 28, 28): the questions.
    answers: the labels given so far; truth (Q,). scores: everybody's result once all is answered, you first; else
    empty. chance: the accuracy of guessing.
    """

    support: np.ndarray
    queries: np.ndarray
    answers: tuple[int, ...]
    truth: np.ndarray
    scores: tuple[Score, ...]
    chance: float

    @property
    def finished(self) -> bool:
        return len(self.answers) == len(self.truth)


def deal(domain: Domain, way: int, questions: int, seed: int) -> Episode:
    """The quiz of a seed: one 1-shot episode with `questions` queries, support in the order of its labels.

    The queries are drawn from all classes at random, not the same number from each, so counting does not help.
    """
    sampler = EpisodeSampler(domain, way, 1, questions)
    episode = sampler.sample(1, torch.Generator().manual_seed(seed)).task(0)
    order = episode.support_y.argsort()
    return episode._replace(support_x=episode.support_x[order], support_y=episode.support_y[order],
                            query_x=episode.query_x[:questions], query_y=episode.query_y[:questions])


def labels_of(machine: Learner | Callable[[Episode], object], episode: Episode) -> np.ndarray:
    """A machine's labels (Q,) for the queries: a learner adapts and predicts, a function answers itself."""
    with torch.no_grad():
        if isinstance(machine, Learner):
            return machine.predict(machine.adapt(episode), episode.query_x).argmax(-1).numpy()
        said = np.asarray(machine(episode))
    if said.shape != (len(episode.query_y),):
        raise ValueError(f"a machine must answer {len(episode.query_y)} labels, got an array of shape {said.shape}")
    return said


def keep_score(key: str, value: float) -> str:
    """Keep the accuracy for a later lesson; returns a sentence about it."""
    try:
        from mlcourse.exercises import record_score
        record_score(key, value)
    except (ImportError, OSError, ValueError) as error:
        return f"Your score could not be kept: {error}."
    return "Your score is kept for lesson 18."


class YouAgainstMachine(Explorer):
    """One labelled picture of each of five characters, ten questions, and everybody's score at the end.

    domain: where the episodes come from. machines: name → learner, or function episode → labels; the nearest
    neighbour on pixels always takes part. Answer with the buttons, or type 1 to 5 into the field. The same episode
    number asks the same questions. The score is kept under `key`, last and best; None keeps nothing.

        YouAgainstMachine(load("glyphs").test, {"ProtoNet": protonet})
    """

    def __init__(self, domain: Domain, machines: dict[str, Learner | Callable] | None = None, *, way: int = 5,
                 questions: int = 10, episode: int = 0, key: str | None = "00.you"):
        if not 2 <= way <= 5:
            raise ValueError(f"the quiz shows 2 to 5 classes, got a way of {way}")
        if not 1 <= questions <= 12:
            raise ValueError(f"the quiz asks 1 to 12 questions, got {questions}")
        self.domain, self.way, self.questions, self.key = domain, way, questions, key
        self.machines = {"nearest neighbour": NearestNeighbour(), **(machines or {})}
        self.answers: list[int] = []
        self._dealt, self._kept = None, ""
        number = ipywidgets.BoundedIntText(value=episode, min=0, max=9999, description="episode",
                                           style=CONTROL["style"], layout={"width": "16em"})
        super().__init__(QuizScene(way, questions), {"episode": number}, self._arrange(number))

    def _arrange(self, number: ipywidgets.Widget) -> ipywidgets.Widget:
        self.buttons = [ipywidgets.Button(description=str(label + 1), tooltip=f"it is character {label + 1}",
                                          button_style="primary", layout={"width": "4.5em", "height": "2.4em"})
                        for label in range(self.way)]
        for label, button in enumerate(self.buttons):
            button.on_click(lambda _, label=label: self.answer(label))
        self.typed = ipywidgets.Text(placeholder=f"or type 1 to {self.way} here", layout={"width": "12em"})
        self.typed.observe(self._type, "value")
        fresh = ipywidgets.Button(description="new episode", tooltip="other characters, other questions")
        fresh.on_click(lambda _: self.set(episode=(number.value + 1) % 10000))
        return ipywidgets.VBox([
            ipywidgets.HBox([ipywidgets.HTML("<b>It is character&nbsp;</b>"), *self.buttons, self.typed],
                            layout={"flex_flow": "row wrap", "margin": "2px 6px", "align_items": "center"}),
            ipywidgets.HBox([number, fresh], layout={"flex_flow": "row wrap"})])

    def answer(self, label: int) -> None:
        """Answer the question with a label in 0..way-1, and go on to the next. After the last, nothing happens."""
        if not 0 <= label < self.way:
            raise ValueError(f"a label must lie in 0..{self.way - 1}, got {label}")
        with self.turn:
            if len(self.answers) == self.questions:
                return
            self.answers.append(label)
            if len(self.answers) == self.questions and self.key is not None:
                right = int((np.array(self.answers) == self.episode.query_y.numpy()).sum())
                self._kept = keep_score(self.key, right / self.questions)
            self.refresh()

    def compute(self, *, episode: int) -> QuizRecord:
        if self._dealt != episode:
            self.episode = deal(self.domain, self.way, self.questions, episode)
            self._dealt, self._kept = episode, ""
            self.answers.clear()
        truth = self.episode.query_y.numpy()
        scores: list[Score] = []
        if len(self.answers) == self.questions:
            given = {YOU: np.array(self.answers)}
            given.update((name, labels_of(machine, self.episode)) for name, machine in self.machines.items())
            for name, labels in given.items():
                right = int((labels == truth).sum())
                scores.append(Score(name, right, self.questions, *wilson(right, self.questions)))
        return QuizRecord(self.episode.support_x[:, 0].numpy(), self.episode.query_x[:, 0].numpy(), tuple(self.answers),
                          truth, tuple(scores), 1 / self.way)

    def refresh(self) -> None:
        super().refresh()
        if self.record is not None:
            for button in self.buttons:
                button.disabled = self.record.finished

    def headline(self, record: QuizRecord) -> str:
        if not record.finished:
            asked = len(record.answers) + 1
            return f"Question {asked} of {len(record.truth)}: which of the {self.way} characters is it?"
        you, *machines = record.scores
        best = max(machines, key=lambda score: score.correct)
        verdict = ("you beat" if you.correct > best.correct else "you are level with" if you.correct == best.correct
                   else "you are behind")
        whom = best.name if len(machines) == 1 else f"the best machine, {best.name},"
        return f"{you.correct} of {you.questions} right: {verdict} {whom} with ≈{best.correct}"

    def describe(self, record: QuizRecord) -> str:
        if not record.finished:
            return "You see one labelled drawing of each character. No answer is marked before the last."
        you = record.scores[0]
        others = ", ".join(f"{score.name} ≈{score.correct}" for score in record.scores[1:])
        return (f"Right answers: you {you.correct}, {others}; guessing gives {record.chance * you.questions:g} on "
                f"average. {plural(you.questions, 'question').capitalize()} say little: the 95 % interval of your "
                f"accuracy runs from {100 * you.low:.0f} to {100 * you.high:.0f} %. {self._kept}").strip()

    def _type(self, change) -> None:
        text = change["new"].strip()
        if not text:
            return
        self.typed.value = ""
        if text[-1] in "123456789"[:self.way]:
            self.answer(int(text[-1]) - 1)
