"""What lesson 09's exercises rest on: the library's own addressing, its bounds, and a run of an episode that leaks."""

import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.exercises import exercise
from mlcourse.lessons.l09_memory import live
from mlcourse.lessons.l09_memory.broken import EPISODE_BROKEN
from mlcourse.lessons.l09_memory.checks_episode import ROWS, WAY, truths
from mlcourse.memory import (MANN, NTM, KeyValue, StreamLSTM, Streams, content, copies, elimination_bound, erase_add,
                             interpolate, largest_weight, sharpen, shift)
from mlcourse.memory.mann import used


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_addressing_is_the_librarys():
    memory, key, strength = draw(3, 6, 4), draw(3, 4, seed=1), draw(3, 1, seed=2).exp()
    near = content(memory, key, strength)
    torch.testing.assert_close(exercise("09.1").reference()(memory, key, strength), near)
    before, gate, moves, gamma = (draw(3, 6, seed=3).softmax(-1), draw(3, 1, seed=4).sigmoid(),
                                  draw(3, 3, seed=5).softmax(-1), 1 + draw(3, 1, seed=6).exp())
    wanted = sharpen(shift(interpolate(near, before, gate), moves), gamma)
    torch.testing.assert_close(exercise("09.2").reference()(near, before, gate, moves, gamma), wanted)
    erase, add = draw(3, 4, seed=7).sigmoid(), draw(3, 4, seed=8)
    torch.testing.assert_close(exercise("09.3").reference()(memory, wanted, erase, add),
                               erase_add(memory, wanted, erase, add))


def test_the_notebooks_machine_says_what_the_librarys_says():
    cell = next(cell.source for cell in notebooks.read(notebooks.find("09")).cells if "class Yours" in cell.source)
    names = {"NTM": NTM, "answer": lambda id: exercise(id).reference()}
    exec(cell.partition("\nmachine = ")[0], names)
    sizes = {"bits": 3, "slots": 5, "width": 4, "hidden": 6}
    x, _ = copies(4, 2, 3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(names["Yours"](**sizes)(x), NTM(**sizes)(x))


def test_the_bounds_are_the_librarys_and_elimination_reaches_its_own():
    right = truths()
    assert right["largest"] == pytest.approx(largest_weight(ROWS))
    assert largest_weight(ROWS, right["strength"], least=0.0) == pytest.approx(0.5)
    assert (f"{100 * largest_weight(32):.0f} %, {100 * largest_weight(128):.1f} %") == "19 %, 5.5 %"
    assert right["first"] == pytest.approx(elimination_bound(WAY)) == pytest.approx(0.457, abs=5e-4)
    generator, hits = torch.Generator().manual_seed(0), []
    for _ in range(2000):
        labels = torch.randperm(WAY, generator=generator)
        for i in range(WAY):
            left = sorted(labels[i:].tolist())
            hits.append(left[int(torch.randint(len(left), (), generator=generator))] == int(labels[i]))
    assert sum(hits) / len(hits) == pytest.approx(right["first"], abs=0.015)


def broken():
    space = {"torch": torch}
    exec(EPISODE_BROKEN, space)
    return space["episode_broken"]


@torch.no_grad()
def test_the_broken_run_shows_each_label_with_its_picture_and_keeps_its_memory():
    model = StreamLSTM(4, hidden=6)
    z, y = Streams(draw(7, 8, 4), times=2).sample(live.BATCH, torch.Generator().manual_seed(1))
    other = y.clone()
    other[-1] = (y[-1] + 1) % 5
    run = lambda episode, labels: episode(live.Machine(model), z, labels)[-1]
    mended = exercise("09.5").reference()
    assert torch.equal(run(mended, y), run(mended, other))
    assert not torch.allclose(run(broken(), y), run(broken(), other))
    machine = live.Machine(model)
    assert torch.equal(mended(machine, z, y), mended(machine, z, y))
    assert not torch.allclose(broken()(machine, z, y), broken()(machine, z, y))


@pytest.mark.parametrize("build", [StreamLSTM, MANN, KeyValue])
def test_an_episode_run_step_by_step_is_the_models_own(build):
    model = build(4, hidden=6) if build is StreamLSTM else build(4, slots=5, width=3, hidden=6)
    stream = Streams(draw(7, 8, 4), times=2).sample(3, torch.Generator().manual_seed(1))
    got = exercise("09.5").reference()(live.Machine(model), *stream)
    torch.testing.assert_close(got, model(stream.x, stream.shown(5)))


@torch.no_grad()
def test_the_notebooks_key_value_memory_is_the_librarys():
    cell = next(cell.source for cell in notebooks.read(notebooks.find("09")).cells if "KeyValueMemory(K" in cell.source)
    names = {"torch": torch, "KeyValue": KeyValue, "used": used, "find": exercise("09.1").reference()}
    exec(cell.partition("\nlive.trained(")[0], names)
    stream = Streams(draw(7, 8, 4), times=2).sample(3, torch.Generator().manual_seed(1))
    sizes = {"slots": 5, "width": 3, "hidden": 6}
    one, other = (build(4, **sizes)(stream.x, stream.shown(5)) for build in (names["KeyValueMemory"], KeyValue))
    torch.testing.assert_close(one, other)
