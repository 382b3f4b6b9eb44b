"""What lesson 09's exercises rest on: the library's own addressing, its bounds, and a run of an episode that leaks."""

import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l09_memory import live
from mlcourse.lessons.l09_memory.broken import EPISODE_BROKEN
from mlcourse.lessons.l09_memory.checks_episode import ROWS, WAY, truths
from mlcourse.lessons.l09_memory.exercises_episode import solved
from mlcourse.memory import (MANN, NTM, KeyValue, StreamLSTM, Streams, content, copies, elimination_bound, erase_add,
                             interpolate, largest_weight, sharpen, shift)
from mlcourse.memory.mann import used

HEADS = {id: exercise(id).solution_source.partition(":\n")[0] + ":\n    F = torch.nn.functional\n    "
         for id in ("09.1", "09.2", "09.3", "09.5")}
MIXED = "mixed = gate * content + (1 - gate) * before\n    "
MOVED = "moved = shift[:, 2:] * mixed.roll(1, 1) + shift[:, :1] * mixed.roll(-1, 1) + shift[:, 1:2] * mixed\n    "
RIGHT = (
    ("09.1", "return (strength * F.cosine_similarity(memory, key[:, None], dim=-1)).softmax(-1)"),
    ("09.1", "near = F.normalize(memory, dim=-1) @ F.normalize(key, dim=-1)[..., None]\n"
             "    return (strength * near[..., 0]).softmax(1)"),
    ("09.1", "a = torch.einsum('bnw,bw->bn', memory, key)\n"
             "    a = a / (memory.norm(dim=2) * key.norm(dim=1, keepdim=True) + 1e-9)\n"
             "    e = torch.exp(strength * a)\n    return e / e.sum(1, keepdim=True)"),
    ("09.1", "m, k, b = memory.float(), key.float(), strength.float()\n"
             "    a = (m * k[:, None]).sum(-1)\n    a /= (m.norm(dim=-1) * k.norm(dim=-1)[:, None]).clamp(min=1e-4)\n"
             "    return F.softmax(b * a, dim=-1)"),
    ("09.2", MIXED + MOVED + "return (sharpness * (moved + 1e-8).log()).softmax(-1)"),
    ("09.2", MIXED + MOVED + "return F.softmax(sharpness * torch.log(moved.clamp(min=1e-10)), 1)"),
    ("09.2", MIXED + MOVED + "p = (moved / moved.amax(1, keepdim=True)) ** sharpness\n"
             "    return p / p.sum(1, keepdim=True)"),
    ("09.2", "mixed = torch.lerp(before, content, gate)\n"
             "    wide = torch.cat([mixed[:, -1:], mixed, mixed[:, :1]], 1)\n"
             "    moved = (wide.unfold(1, 3, 1) * shift.flip(1)[:, None]).sum(-1)\n"
             "    return torch.softmax(sharpness * torch.log(moved + 1e-8), 1)"),
    ("09.3", "outer = lambda v: torch.einsum('bn,bw->bnw', focus, v)\n"
             "    return memory - outer(erase) * memory + outer(add)"),
    ("09.3", "new = memory.clone()\n    new *= 1 - focus.unsqueeze(2) * erase.unsqueeze(1)\n"
             "    new += focus.unsqueeze(2) * add.unsqueeze(1)\n    return new"),
    ("09.3", "return torch.stack([m * (1 - f[:, None] * e) + f[:, None] * a\n"
             "                        for m, f, e, a in zip(memory, focus, erase, add)])"),
    ("09.5", "late = F.one_hot(y, 5).to(z).roll(1, 0)\n    late[0] = 0\n    x, out = torch.cat([z, late], 2), []\n"
             "    state = machine.start(y.shape[1])\n    for one in x:\n        said, state = machine(one, state)\n"
             "        out += [said]\n    return torch.stack(out)"),
    ("09.5", "machine.memory, out = machine.start(z.size(1)), torch.zeros(*y.shape, 5, dtype=z.dtype)\n"
             "    label = torch.zeros(z.size(1), 5, dtype=z.dtype)\n    for t in range(len(y)):\n"
             "        out[t], machine.memory = machine(torch.cat((z[t], label), 1), machine.memory)\n"
             "        label = torch.eye(5, dtype=z.dtype)[y[t]]\n    return out"),
)


def judged(id, source):
    space = {"torch": torch}
    exec(source, space)
    return judge(exercise(id), space[exercise(id).answer])


@pytest.mark.parametrize("id, body", RIGHT)
def test_other_ways_to_write_it_pass(id, body):
    assert judged(id, HEADS[id] + body).passed


def test_who_hands_a_state_of_one_size_on_is_told_even_where_the_numbers_are_right():
    """A batch as large as the machine's own hides that nobody asks for a start."""
    source = exercise("09.5").solution_source.replace("machine.start(z.shape[1])", "machine.memory")
    assert judged("09.5", source).status == "not yet"


def test_of_two_wrong_bounds_both_are_spoken_of_whether_named_or_not():
    said = lambda **wrong: judged("09.4", solved(**wrong))
    both = said(largest="1 / (1 + 3 / 2.718)", strength="2")
    assert both.misconception == "the others unrelated, not opposite" and "strength is not 2" in both.message
    neither = said(strength="2", first="0.4")
    assert neither.misconception is None
    assert "strength is not 2" in neither.message and "first is not 0.4" in neither.message


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
