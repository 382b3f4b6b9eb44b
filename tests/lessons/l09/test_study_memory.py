"""The study of memories at a tiny size, and the machine that the course ships."""

import pytest
import torch

from mlcourse import checkpoint
from mlcourse.lessons.l09_memory import shipped
from mlcourse.lessons.l09_memory import study_memory as study
from mlcourse.lessons.l09_memory.study_memory import ARMS, STREAM, STUDY, Budget
from mlcourse.memory import NTM, copies, tape, wrong_bits
from mlcourse.system import paths

TINY = Budget(ntm=2, copy_lstm=2, lstm=2, mann=2, repair=2, sequences=4, streams=6)


@pytest.fixture
def few_samples(monkeypatch):
    """Embeddings of ten classes that mean nothing."""
    by_split = {split: torch.randn(10, 8, 6, generator=torch.Generator().manual_seed(i))
                for i, split in enumerate(("train", "val", "test"))}
    monkeypatch.setattr(study, "embedded", by_split.get)


def test_every_arm_gives_its_row_and_none_twice(few_samples):
    work = STUDY.work([3])
    found = list(STUDY.measure(work, [], TINY))
    assert [STUDY.key_of(row) for row in found] == STUDY.plan(work, TINY)
    assert {(row["part"], row["arm"]) for row in found} == {(part, arm) for part in ARMS for arm in ARMS[part]}
    for row in found:
        assert row["arm"] in STUDY.line(row) and row["command"] == "mlcourse study memory --seed 3"
        if row["part"] == STREAM:
            assert len(row["accuracy"]) == study.TIMES and all(0 <= share <= 1 for share in row["accuracy"])
        else:
            assert set(row["wrong"]) == {"5", "10", "20", "40"} and all(0 <= w <= 8 * 40 for w in row["wrong"].values())
    ntm = next(row for row in found if row["arm"] == study.BY_NTM)
    assert set(ntm["without"]) == {"content", "shift", "sharpening"} and set(ntm["wrong_128"]) == set(ntm["wrong"])
    again, = STUDY.measure(work, [row for row in found if row is not ntm], TINY)
    assert {**again, "train_seconds": 0} == {**ntm, "train_seconds": 0}
    alt = STUDY.pictures(work, found)[""].alt
    assert all(arm in alt for arms in ARMS.values() for arm in arms)
    with pytest.raises(ValueError, match="rows of both parts, copies and streams"):
        STUDY.pictures(work, [])
    assert STUDY.work().seeds == [5, 6, 7, 8, 9]


def test_t10_what_is_judged_are_streams_of_the_split_and_what_trains_is_the_training_split(few_samples, monkeypatch):
    asked = []
    embedded = study.embedded
    monkeypatch.setattr(study, "embedded", lambda split: asked.append(split) or embedded(split))
    study.bound(study.BY_LSTM, "test", 3, TINY)
    assert "train" in asked and "test" in asked and "val" not in asked


def test_an_arm_without_a_part_of_its_addressing_lacks_that_part():
    ntm, (x, _) = NTM(slots=6, seed=1), copies(3, 2, 8, torch.Generator().manual_seed(0))
    for part, change in study.PARTS.items():
        run = tape(ntm, x, lambda t, controls, memory, change=change: (change(controls), memory))
        torch.testing.assert_close(study.without(ntm, x, part), run.logits)
        for head in run.controls[:2]:
            assert (part == "content") == (not head.gate.any())
            assert (part == "shift") == bool((head.moves[..., 1] == 1).all())
            assert (part == "sharpening") == bool((head.gamma == 1).all())


def test_training_stops_when_it_copies_well_enough(monkeypatch):
    seen = []
    monkeypatch.setattr(study, "EVERY", 2)
    monkeypatch.setattr(study, "wrong_bits", lambda *given, seed: seen.append(seed) or (1.0 if len(seen) < 3 else 0.04))
    updates, seconds = study.until_it_copies(NTM(slots=4, width=4, hidden=4), 20, 1e-3, 0)
    assert updates == 6 and len(set(seen)) == 3 and seconds >= 0


def test_the_shipped_machine_copies_as_its_card_says_and_longer_ones_with_more_rows():
    card, ntm = checkpoint.card_of(shipped.path()), shipped.ntm()
    assert card["command"] == shipped.COMMAND and card["training"]["seed"] == shipped.SEED
    assert shipped.SEED not in STUDY.work().seeds and shipped.path().stat().st_size < 200_000
    wrong = {length: wrong_bits(ntm, length, 8, 300, seed=77) for length in (10, 20)}
    assert wrong[10] < 0.1 and wrong[20] < 1
    assert wrong_bits(ntm, 40, 8, 50) > 50 and wrong_bits(lambda x: ntm(x, 128), 40, 8, 50) < 5


def test_t4_in_32_rows_the_shipped_machine_loses_8_of_40_items_and_the_others_only_as_it_writes_on_while_it_reads():
    ntm, (x, y) = shipped.ntm(), copies(40, 100, 8, torch.Generator().manual_seed(5))

    def held(t, controls, memory):
        still = {"erase": torch.zeros_like(controls.erase), "add": torch.zeros_like(controls.add)}
        return controls._replace(**still) if t > 40 else controls, memory

    by_item = lambda run: ((run.logits[-40:] > 0) != (y > 0.5)).float().sum(2).mean(1)
    as_trained, kept = by_item(tape(ntm, x)), by_item(tape(ntm, x, held))
    assert as_trained.min() > 2.5 and kept[:8].min() > 2.5 and kept[8:32].max() < 0.1 and kept[32:].mean() < 1.2
    page = (paths.RESULTS.parent / "memory.md").read_text(encoding="utf-8")
    assert f"{kept.sum():.0f} of 320 bits are wrong in place of {as_trained.sum():.0f}" in page


def test_the_command_stores_what_it_trained(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shipped, "path", lambda: tmp_path / "tiny.safetensors")
    for name in ("REFINING", "JUDGED"):
        monkeypatch.setattr(shipped, name, 2)
    shipped.store(TINY)
    fresh = NTM(seed=shipped.SEED)
    assert not torch.equal(shipped.ntm().heads.weight, fresh.heads.weight)
    assert "wrong bits of a sequence" in capsys.readouterr().out
