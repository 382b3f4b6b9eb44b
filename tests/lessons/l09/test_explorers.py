"""The explorers of lesson 09 against the library's machine and nearest neighbour, and what their text says to try."""

import re

import numpy as np
import pytest
import torch
from marks import check_marked

from mlcourse.lessons.l09_memory import neighbour_stream, shipped, tape
from mlcourse.lessons.l09_memory.explorers import EpisodeStream, MemoryTape, episode_stream, memory_tape
from mlcourse.memory import Stream, by_presentation, copies, elimination_bound, nearest
from mlcourse.memory import tape as machine_tape
from mlcourse.widgets import sweep


def test_a_run_that_nobody_touches_is_the_machines_own():
    x, y = copies(5, 1, 8, torch.Generator().manual_seed(tape.SEED))
    found = tape.run(5, 32)
    np.testing.assert_allclose(found.logits, shipped.ntm()(x)[-5:, 0].detach().numpy(), atol=1e-4)
    assert np.array_equal(found.wanted, y[:, 0].numpy()) and found.damaged is None


def test_what_to_try_with_the_tape_comes_true():
    wrong = lambda *how, **others: int(tape.run(*how, **others).wrong.sum())
    assert wrong(10, 32) <= 1 and wrong(10, 32, content=False) <= 1
    assert wrong(10, 32, shift=False) > 15 and wrong(10, 32, sharpen=False) > 5
    assert wrong(40, 32) > 40 and wrong(40, 128) < wrong(40, 32) / 2
    rows = tape.run(10, 32).w_write[:10].argmax(1)
    assert len(set(rows.tolist())) == 10
    assert len(set(tape.run(40, 32).w_write[:40].argmax(1).tolist())) <= 32


def test_what_goes_wrong_with_forty_items_is_what_the_text_says():
    """The last eight items replace the first eight; those between are lost to what it writes while it reads."""
    ntm, length = shipped.ntm(), 40
    x, y = copies(length, 50, 8, torch.Generator().manual_seed(0))
    still = lambda t, controls, memory: (
        controls if t <= length else controls._replace(erase=0 * controls.erase, add=0 * controls.add), memory)
    wrong = lambda change: ((machine_tape(ntm, x, change).logits[-length:] > 0) != (y > 0.5)).float().sum(2).mean(1)
    untouched, frozen = wrong(None), wrong(still)
    assert untouched.min() > 1.5 and frozen[:8].min() > 1.5 and frozen[9:32].max() < 1
    assert untouched.sum() > 2 * frozen.sum()


def test_a_damaged_item_is_said_wrong_and_the_others_are_not():
    for item in (2, 6):
        found = tape.run(10, 32, item=item)
        assert found.damaged == int(tape.run(10, 32).w_write[item - 1].argmax())
        assert found.wrong[item - 1].sum() >= 1 and found.wrong.sum() - found.wrong[item - 1].sum() <= 1
        before = tape.run(10, 32).memory
        assert np.array_equal(found.memory[10], before[10]) and not np.allclose(found.memory[11], before[11])


def test_held_parts_are_held():
    found = tape.run(5, 32, shift=False)
    assert (found.w_read.argmax(1) == found.w_read[0].argmax()).all()
    assert tape.run(5, 32, sharpen=False).w_write[-1].max() < tape.run(5, 32).w_write[4].max()


def test_the_simplest_memory_is_the_librarys_nearest_neighbour():
    found, streams = neighbour_stream.answers(1, True, True), neighbour_stream.drawn()
    z = neighbour_stream.characters()[1].flatten(0, 1)[streams.pictures[:, neighbour_stream.STEPS:]]
    labels = streams.bindings[:, 1].gather(1, streams.classes[:, neighbour_stream.STEPS:])
    stream = Stream(z.transpose(0, 1), labels.T)
    wanted = nearest(stream)
    assert np.array_equal(found.said, wanted[:, 0].numpy()) and np.array_equal(found.labels, labels[0].numpy())
    np.testing.assert_allclose(found.accuracy, by_presentation(wanted, stream).numpy())


def test_what_to_try_with_the_stream_comes_true():
    first = lambda *how: float(neighbour_stream.answers(*how).accuracy[0])
    second = lambda *how: float(neighbour_stream.answers(*how).accuracy[1])
    assert first(1, True, True) < elimination_bound(5) and second(1, True, True) > 0.9
    assert first(0, True, True) == second(0, True, True) == 1.0
    assert second(1, False, True) < 0.5 and first(1, False, False) > 0.9
    for step, source in enumerate(neighbour_stream.answers(1, True, True).source):
        assert (source is None and step == 0) or 0 <= source < step
    assert neighbour_stream.answers(0, True, True).source == tuple(range(neighbour_stream.STEPS))
    assert min(source for source in neighbour_stream.answers(1, False, True).source) < 0


@pytest.mark.parametrize("build, known", [(memory_tape, {*range(82), 160, 320}),
                                          (episode_stream, {*range(1, 31)})])
def test_every_control_can_be_swept_and_what_was_computed_is_marked(build, known):
    check_marked(build, known)
    explorer, pictures = build(), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert isinstance(explorer, MemoryTape | EpisodeStream)
    assert all(len(seen) > 1 for name, seen in pictures.items() if name != "anew")


def test_no_slider_of_the_tape_goes_beyond_its_copy():
    explorer = memory_tape()
    for length in (10, 2, 40, 5):
        explorer.set(length=length)
        reach = {name: explorer.controls[name].max for name in ("step", "damage")}
        assert reach == {"step": explorer.record.steps, "damage": min(length, 10)} and explorer.error is None
        assert explorer.record.at == explorer.controls["step"].value - 1 < explorer.record.steps
        explorer.set(**reach)
        assert (explorer.record.at + 1, explorer.record.item) == (reach["step"], reach["damage"])
    assert MemoryTape(length=2).controls["step"].value == 5


def test_the_title_of_the_tape_says_whether_the_copy_holds():
    explorer, verdicts = memory_tape(), set()
    for _ in sweep(explorer):
        record, title = explorer.record, explorer.headline(explorer.record)
        verdict, wrong = re.search(r": the copy (.+), ≈(\d+) of \d+ bits are wrong$", title).groups()
        share = float((((record.run.logits > 0) != (record.run.wanted > 0.5)).mean()))
        assert int(wrong) == round(share * record.run.wanted.size)
        assert (verdict == "holds") == (share <= 0.02) and (verdict == "fails") == (share >= 0.35), title
        assert ("40 items for 32 rows" in title) == (record.length == 40)
        verdicts.add(verdict)
    explorer.set(length=10, content=False, shift=False, sharpen=True, damage=3)
    assert explorer.alt.startswith("10 items, no search by content, no step to the next row, item 3 damaged: the copy")
    assert "holds" in verdicts and len(verdicts) > 1
