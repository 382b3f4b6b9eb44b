"""Pictures with alt text, surfaces that are what they say, and a scene that redraws only what moved."""

import io
import math
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from marks import unmarked
from PIL import Image

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.lessons.l03_maml import figures as lesson_03
from mlcourse.lessons.l05_meta_sgd import figures as lesson_05
from mlcourse.plots import Picture, bars_with_intervals, learning_curve, show_episode, static
from mlcourse.plots.style import about, plural, short
from mlcourse.plots.surface import COLOURS, HIGH, LOW, colour_table, line_spacing, stretch, surface_picture


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def domain(classes=6, each=8):
    images = torch.randint(0, 256, (classes * each, 1, 28, 28), dtype=torch.uint8,
                           generator=torch.Generator().manual_seed(0))
    labels = torch.arange(classes).repeat_interleave(each)
    return Domain("noise", images, labels, tuple(f"S/class {i}" for i in range(classes)), ("S",) * classes)


@pytest.mark.parametrize("value, said", [
    (3.14159, "3.14"), (0.4, "0.4"), (0.04321, "0.043"), (12.345, "12.3"), (123.4, "123"), (0, "0"), (1e6, "10⁶"),
    (-2.4e7, "-2·10⁷"), (3e-5, "3·10⁻⁵"), (float("nan"), "infinite"), (float("inf"), "infinite"), (100.0, "100"),
    (20.0, "20"),
])
def test_numbers_are_written_as_people_say_them(value, said):
    assert short(value) == said


@pytest.mark.parametrize("value, said", [(3.14159, "≈3.14"), (0, "≈0"), (1e6, "≈1e6"), (-2.4e7, "≈-2e7"),
                                         (3e-5, "≈3e-5"), (float("inf"), "infinite")])
def test_live_numbers_are_marked_one_by_one(value, said):
    assert about(value) == said


def test_plural():
    assert plural(1, "step") == "1 step" and plural(2, "step") == "2 steps"


@pytest.mark.parametrize("shot, names", [(1, False), (5, True)])
def test_an_episode_of_pictures(shot, names):
    source = domain(each=12)
    episode = EpisodeSampler(source, 5, shot, 3).sample(1, torch.Generator().manual_seed(0)).task(0)
    picture = show_episode(episode, source.classes if names else None)
    assert f"5-way {shot}-shot" in picture.alt and "15 query pictures" in picture.alt
    assert ("Class" in picture.alt) == names
    shape = pixels(picture).shape
    assert shape[1] == 1500 and picture.width == 1000 and pixels(picture).std() > 10


def test_an_episode_of_regression_and_a_batch_of_episodes():
    batch = SinusoidSampler(shot=5, query=7).sample(2, torch.Generator().manual_seed(0))
    picture = show_episode(batch.task(0))
    assert "5 support points" in picture.alt and "7 query points" in picture.alt
    with pytest.raises(ValueError, match=r"got a batch of 2; pass episode.task\(0\)"):
        show_episode(batch)


def test_a_picture_carries_its_alt_text_and_a_short_repr():
    picture = Picture(b"png", "Two dots.", 300)
    data, metadata = picture._repr_mimebundle_()
    assert metadata == {"image/png": {"alt": "Two dots.", "width": 300}} and data["text/plain"] == "Picture: Two dots."
    assert picture._repr_png_() == ("cG5n", metadata["image/png"])


def test_a_learning_curve_states_what_it_shows():
    run = [{"phase": "meta-train", "step": i, "loss": 4.0 if i < 50 else 1.0} for i in range(100)]
    assert learning_curve(run).alt == "Outer loss over 100 steps, ≈4 → ≈1."
    assert "MAML: ≈4 → ≈1; again: ≈4 → ≈1" in learning_curve({"MAML": run, "again": run}, "A title").alt
    with pytest.raises(ValueError, match="at least one record of MAML"):
        learning_curve({"MAML": []})


def test_bars_state_their_intervals():
    result = SimpleNamespace(method="MAML", mean=0.9, ci95=0.01, metric="accuracy", episodes=600)
    picture = bars_with_intervals([result], "MAML is good", reference=0.2)
    assert picture.alt == "MAML is good. MAML ≈90 ± 1 (%)."
    with pytest.raises(ValueError, match="at least one result"):
        bars_with_intervals([], "nothing")


RUN = [{"loss": 2.5 * 0.97**i} for i in range(80)]
RESULTS = [SimpleNamespace(method="MAML", mean=0.8125, ci95=0.0125, metric="accuracy", episodes=600),
           SimpleNamespace(method="ANIL", mean=0.6175, ci95=0.0225, metric="accuracy", episodes=600)]
ERRORS = {name: [torch.linspace(0.1, 7.7, 40) * rank] * 2 for rank, name in enumerate(("MAML", "pretrained", "0"), 1)}
RATES = {"all six": [3.25, 0.5, 2.5], "W₁": [2.75, 0.5, 1.5], "b₁": [0.625, 0.5, 1.5]}


@pytest.mark.parametrize("draw, known", [
    (lambda: learning_curve(RUN), {80, 25}), (lambda: learning_curve({"A": RUN, "B": RUN}), {80}),
    (lambda: bars_with_intervals(RESULTS, "A finding", reference=0.2), {0, 20, 40, 60, 80, 100, 95, 600}),
    (lambda: lesson_03.gradient_test([0.1, 0.01], {"second order": [2e-3, 1e-9], "first order": [0.4, 0.4]}), {10, 64}),
    (lambda: lesson_03.gradient_test([0.1, 0.01], {"second order": [0.3, 0.2], "first order": [0.4, 0.4]}), {64}),
    (lambda: lesson_03.leaving_the_family([1.0, 2.5], ERRORS), {0, 1, 2.5, 10}),
    (lambda: lesson_05.rate_sweep([0.001, 0.01, 0.1], RATES, 0.01), {0.01})])
def test_what_was_trained_or_measured_is_marked_in_title_labels_and_alt_text(draw, known, monkeypatch):
    for module in (static, lesson_03, lesson_05):
        monkeypatch.setattr(module, "picture", lambda figure, alt: (figure, alt))
    figure, alt = draw()
    drawn = [text for axes in figure.axes for text in (axes.get_title("left"), *(t.get_text() for t in axes.texts))]
    assert "≈" in alt and [unmarked(text, known) for text in (alt, *drawn)] == [[]] * (1 + len(drawn))


@pytest.mark.parametrize("draw", [
    lambda: learning_curve([{"loss": x} for x in (1.0, math.inf, math.nan, 2.0)], smooth=1),
    lambda: bars_with_intervals([SimpleNamespace(**{**vars(RESULTS[0]), "metric": "mse", "mean": mean, "ci95": half})
                                 for mean, half in ((2.0, 0.5), (math.inf, math.nan))], "One diverges"),
    lambda: lesson_03.leaving_the_family([1.0, 2.0], {**ERRORS, "MAML": [torch.tensor([1.0, 2.0, math.inf])] * 2}),
    lambda: lesson_05.rate_sweep([0.001, 0.01, 0.1], {**RATES, "W₁": [2.75, math.inf, math.nan]}, 0.01)])
def test_what_diverged_is_drawn_and_warns_of_nothing(draw, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pixels(draw()).std() > 10
    assert caplog.text == ""


def test_the_same_figure_has_the_same_bytes():
    run = [{"loss": 1.0 / (i + 1)} for i in range(30)]
    assert learning_curve(run).png == learning_curve(run).png


def test_stretch_keeps_the_ends_and_reproduces_a_line():
    matrix = stretch(5, 41)
    line = matrix @ torch.arange(5.0)
    assert matrix.shape == (41, 5) and line[0] == 0 and line[-1] == 4
    torch.testing.assert_close(matrix.sum(1), torch.ones(41))
    assert torch.all(line[10:31].diff() > 0)


def test_a_surface_has_the_colour_of_its_loss_with_b_upwards():
    losses = np.full((5, 5), 10.0)
    losses[0] = 0.011                                            # the lowest b: the bottom of the picture
    losses[:, 4] = np.nan                                        # not a number counts as the highest
    colours = colour_table("Blues")
    picture = surface_picture(losses, stretch(5, 50), stretch(5, 60), colours, 1 / 3)
    assert picture.shape == (50, 60, 4)
    expected = colours[int((1 - LOW) / (HIGH - LOW) * COLOURS)].astype(int)
    assert np.abs(picture[2, 2].astype(int) - expected).max() <= 6
    assert picture[-1, 2, 0] > picture[2, 2, 0]                  # pale is low
    assert tuple(picture[10, -1]) == tuple(colours[COLOURS - 1])


def test_contour_lines_are_where_the_loss_crosses_them():
    losses = np.tile(10 ** np.linspace(-0.95, 0.98, 9), (9, 1))  # nearly two decades from left to right
    colours = colour_table("Oranges")
    spacing = line_spacing(losses)
    assert spacing == 1 / 6                                      # about 12 lines; 24 would be too many
    picture = surface_picture(losses, stretch(9, 40), stretch(9, 401), colours, spacing)
    dark = {tuple(colour) for colour in colours[COLOURS:]}
    at = [column for column in range(401) if tuple(picture[20, column]) in dark]
    expected = [(k / 6 + 0.95) / 1.93 * 400 for k in range(-5, 6)]
    assert at == pytest.approx(expected, abs=6)
    assert line_spacing(losses, 10 ** np.linspace(-2, 3, 81).reshape(9, 9)) == 1 / 3


def test_a_label_looks_like_the_text_that_matplotlib_draws():
    from mlcourse.plots.scene import Scene

    class Words(Scene):
        def __init__(self, cached):
            self.cached = cached
            super().__init__(4, 2)

        def build(self):
            axes = self.figure.add_axes((0, 0, 1, 0.7))
            axes.axis("off")
            if self.cached:
                self.label(axes, 0.1, 0.5, 10).set_text("12.5 → 3·10⁶")
            else:
                axes.text(0.1, 0.5, "12.5 → 3·10⁶", fontsize=10)

    ink = [255.0 - Words(cached).pixels()[..., 0] for cached in (True, False)]
    rows, columns = ([np.flatnonzero(each.sum(axis)) for each in ink] for axis in (1, 0))
    assert abs(rows[0][0] - rows[1][0]) <= 1 and abs(rows[0][-1] - rows[1][-1]) <= 1
    assert abs(columns[0][0] - columns[1][0]) <= 1 and abs(columns[0][-1] - columns[1][-1]) <= 3
    assert ink[0].sum() == pytest.approx(ink[1].sum(), rel=0.1)
