"""The temperature explorer of lesson 15: soft targets, their entropy, the gradient that a student gets from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor

from mlcourse.lessons.l15_distillation.scene_temperature import LEAST, MOST, TemperatureScene
from mlcourse.losses.distillation import entropy, soft_targets
from mlcourse.plots.style import about, short
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

TEMPERATURES = np.geomspace(LEAST, MOST, 25)


class TemperatureRecord(NamedTuple):
    """What one setting of the explorer computes, for N classes.

    temperature, picture, student, squared: the settings; label: the picture's class. p, q (N,): softmax of the logits
    of teacher and student for the picture, divided by τ. entropy: of the teacher's soft targets, the mean over all
    pictures, in nats; own: that of this picture. temperatures (25,): of the curves entropies, own_entropies and
    gradients. gradient: the mean over the pictures of the length of the gradient of the loss of one picture in its
    logits, |q - p|/τ, times τ² where `squared`; gradients: without τ². teacher_errors, student_errors (N,): pictures of
    each class that are named wrong.
    """

    temperature: float
    picture: int
    student: str
    squared: bool
    label: int
    p: np.ndarray
    q: np.ndarray
    entropy: float
    own: float
    temperatures: np.ndarray
    entropies: np.ndarray
    own_entropies: np.ndarray
    gradients: np.ndarray
    gradient: float
    teacher_errors: np.ndarray
    student_errors: np.ndarray


def gradient_size(student: Tensor, teacher: Tensor, temperature: float) -> float:
    """The mean over pictures of |q - p|/τ: the length of the gradient in z of the cross-entropy of softmax(z/τ) with
    soft targets p, without τ². student, teacher: logits (M, N)."""
    apart = soft_targets(student, temperature) - soft_targets(teacher, temperature)
    return float(apart.norm(dim=1).mean() / temperature)


def errors(logits: Tensor, labels: Tensor) -> np.ndarray:
    """How many pictures of each class logits (M, N) name wrong: (N,)."""
    return torch.bincount(labels[logits.argmax(1) != labels], minlength=logits.shape[1]).double().numpy()


class TemperatureExplorer(Explorer):
    """Move the temperature, and watch the teacher's soft targets, their entropy and the gradient that a student gets.

    teacher: logits (M, N). students: name → logits (M, N) of the same pictures; the names become a selector. pictures
    (M, 1, S, S) in [0, 1]. labels (M,). classes: names. show: which pictures can be chosen, by index.
    Raises ValueError without students, or for logits that are not of the same pictures and classes.
    """

    def __init__(self, teacher: Tensor, students: Mapping[str, Tensor], pictures: Tensor, labels: Tensor,
                 classes: tuple[str, ...], show: list[int], *, temperature: float = 4.0):
        if not students:
            raise ValueError("give at least one student, such as {'untrained': logits}")
        for name, logits in students.items():
            if logits.shape != teacher.shape:
                raise ValueError(f"the logits of {name!r} have shape {tuple(logits.shape)}, those of the teacher "
                                 f"{tuple(teacher.shape)}; score the same pictures with both")
        self.teacher, self.students = teacher.double(), {name: z.double() for name, z in students.items()}
        self.labels, self.classes, self.chosen = labels, classes, list(show)
        self.entropies = np.array([float(entropy(soft_targets(self.teacher, t)).mean()) for t in TEMPERATURES])
        self.gradients = {name: np.array([gradient_size(z, self.teacher, t) for t in TEMPERATURES])
                          for name, z in self.students.items()}
        self.errors = {name: errors(z, labels) for name, z in {"": self.teacher, **self.students}.items()}
        controls = {
            "student": ipywidgets.ToggleButtons(options=list(students), value=list(students)[-1],
                                                tooltips=[f"student: {name}" for name in students],
                                                style={"button_width": "11em"}),
            "temperature": ipywidgets.FloatLogSlider(value=temperature, base=2, min=math.log2(LEAST),
                                                     max=math.log2(MOST), step=0.05, description="temperature τ",
                                                     readout_format=".2f", **CONTROL),
            "picture": ipywidgets.IntSlider(value=0, min=0, max=len(self.chosen) - 1, description="picture", **CONTROL),
            "squared": ipywidgets.Checkbox(value=True, description="multiply the loss by τ²", **CONTROL),
        }
        first, *rest = controls.values()
        scene = TemperatureScene(pictures[:, 0].numpy(), classes, max(each.max() for each in self.errors.values()))
        super().__init__(scene, controls, ipywidgets.VBox([labelled("student", first), columns(rest)]))

    def compute(self, *, student: str, temperature: float, picture: int, squared: bool) -> TemperatureRecord:
        which, z = self.chosen[picture], self.students[student]
        p, q = (soft_targets(logits[which], temperature) for logits in (self.teacher, z))
        own = np.array([float(entropy(soft_targets(self.teacher[which], t))) for t in TEMPERATURES])
        size = gradient_size(z, self.teacher, temperature) * (temperature**2 if squared else 1)
        return TemperatureRecord(temperature, which, student, squared, int(self.labels[which]), p.numpy(), q.numpy(),
                                 float(entropy(soft_targets(self.teacher, temperature)).mean()), float(entropy(p)),
                                 TEMPERATURES, self.entropies, own, self.gradients[student], size, self.errors[""],
                                 self.errors[student])

    def headline(self, record: TemperatureRecord) -> str:
        times = "with τ²" if record.squared else "without τ²"
        return (f"τ = {record.temperature:.3g}: soft targets of {about(record.entropy)} nats on average (even: "
                f"{short(math.log(len(record.p)))}); gradient {about(record.gradient)} {times}")

    def describe(self, record: TemperatureRecord) -> str:
        others = lambda shares: np.delete(shares, record.label).max()
        return (f"A picture of {self.classes[record.label]}: the teacher gives its class ≈{record.p[record.label]:.2f} "
                f"and the likeliest other class ≈{others(record.p):.2f}, the student ({record.student}) "
                f"≈{record.q[record.label]:.2f} and ≈{others(record.q):.2f}. Entropy of this target "
                f"{about(record.own)} nats. Wrong at τ = 1: ≈{record.student_errors.sum():.0f} of {len(self.labels)} "
                f"pictures by the student, ≈{record.teacher_errors.sum():.0f} by the teacher.")
