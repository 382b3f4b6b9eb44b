"""The DAML study on a small scale: its arms, its marks, what it keeps apart, and the command."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mlcourse import cli
from mlcourse.domains import shift_domain, two_sample
from mlcourse.episode.across import pixels
from mlcourse.learners.translator import check_unseen
from mlcourse.lessons.l14_daml import (figures as lesson_14, figures_study as plots, study_daml as study,
                                       study_daml_arms as daml_arms, study_daml_failures as failures,
                                       study_daml_marks as marks)
from mlcourse.rows import read
from mlcourse.statistics import t_interval
from tiny import patterns

KS = (0, 2)


TINY = daml_arms.Budget(source_steps=12, generator_steps=4, meta_steps=2, batch=16, shot=1, width=8, generated=40, draws=2)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A discriminator of a few steps."""
    monkeypatch.setattr(two_sample, "STEPS", 3)


def pair():
    """A source and a target of the same three classes, the target inverted."""
    source = patterns(0, 3, 40)
    return study.prepare([source], shift_domain(source, "inversion", 1.0), KS)


def of_seed(seed=0):
    return daml_arms.DamlSeed(*pair(), seed, TINY)


def test_a_shift_of_the_source_shares_no_picture_with_it():
    split, dev = pair()
    back = lambda domain: {(255 - x).numpy().tobytes() for x in domain.images}
    source = {x.numpy().tobytes() for x in split.source.images}
    theirs = [back(domain) for domain in (split.train, dev, split.test)]
    assert len(source) == 60 and sum(map(len, theirs)) == 60 and not source & set.union(*theirs)
    assert not theirs[0] & theirs[1] and not theirs[0] & theirs[2] and not theirs[1] & theirs[2]
    other = patterns(1, 3, 40)
    assert len(study.prepare([patterns(0, 3, 40)], other, KS)[0].source.images) == 120


def test_dev_is_a_third_of_every_class_of_the_training_half():
    split, dev = study.prepare([patterns(0, 3, 40)], patterns(1, 3, 36), KS)
    assert torch.bincount(split.train.labels).tolist() == [12] * 3 and torch.bincount(dev.labels).tolist() == [6] * 3


def test_the_discriminator_gets_no_copy_of_a_dev_or_test_picture():
    target = patterns(1, 3, 36)
    target.images[1::2] = target.images[::2]                    # every picture twice
    split, dev = study.prepare([patterns(0, 3, 40)], target, (0,))
    assert 0 < len(split.train.images) < len(dev.images)
    check_unseen(split.train.images, torch.cat([dev.images, split.test.images]))


def test_bad_input_is_named():
    other = patterns(1, 3, 40)
    renamed = type(other)(other.name, other.images, other.labels, ("x", "y", "z"), ("x", "y", "z"))
    with pytest.raises(ValueError, match="so that no generated picture would have a label; name the classes alike"):
        study.prepare([patterns(0, 3, 40)], renamed, KS)
    with pytest.raises(ValueError, match="k = 13 labels per class .* but of one class there are 12 pictures"):
        study.prepare([patterns(0, 3, 40)], patterns(1, 3, 36), (13,))
    with pytest.raises(ValueError, match="a generator is judged on 10 pictures or more .* there are 120 and 6; add images"):
        study.prepare([patterns(0, 3, 40)], patterns(1, 3, 12), (0,))


def test_arms_share_one_generator_and_one_count_of_pictures():
    w = of_seed()
    assert len(w.kept.images) == len(w.hand_made.images) == len(w.shuffled.images) <= 40
    assert torch.equal(w.shuffled.images, w.kept.images)
    counts = lambda domain: torch.bincount(domain.labels, minlength=3).tolist()
    assert counts(w.shuffled) == counts(w.kept)
    drawn, accepted = w.generated
    said = w.translator.net(pixels(drawn.images)).argmax(1)
    assert torch.equal(accepted, said == drawn.labels) and torch.equal(w.kept.labels, drawn.labels[accepted])


def test_every_arm_has_a_row_that_the_library_confirms_and_none_is_measured_twice():
    split, dev = pair()
    arms, measure = list(study.ARMS), lambda kept: list(study.STUDY.measure(work, kept, TINY))
    work = study.Work(split, dev, arms, [1], "daml", "mlcourse study daml")
    found = measure([])
    assert [(row["arm"], row["k"]) for row in found] == [("choice", 0), ("generator", 0)] + [
        (arm, k) for arm in arms for k in KS]
    chosen = found[0]
    assert chosen["rate"] == max(daml_arms.RATES, key=lambda rate: chosen["by_rate"][f"{rate:g}"])
    assert not measure(found) and all(map(study.line, found))
    again = measure(found[:5])
    pick = lambda row: (row["arm"], row["k"], row["accuracy"])
    assert list(map(pick, again)) == list(map(pick, found[5:]))                    # resumed, the same numbers
    w = daml_arms.DamlSeed(split, dev, 1, TINY)
    right = (w.source_only(pixels(split.test.images)).argmax(1) == split.test.labels).float().mean()
    row = next(row for row in found if row["arm"] == "source only" and row["k"] == 0)
    assert row["accuracy"] == pytest.approx(100 * float(right), abs=1e-3)
    with pytest.raises(ValueError, match="made with other pictures or labels under these names"):
        measure([{**found[0], "data": 1}])


def test_the_fine_tuning_of_an_arm_against_a_loop():
    w = of_seed()
    ready, (x, y) = daml_arms.tuned(w.source_only, 0.003), w.setting.labelled(2, 0, 0)
    net = daml_arms.copy.deepcopy(w.source_only)
    optimiser = torch.optim.Adam(net.parameters(), 0.003)
    for _ in range(10):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    torch.testing.assert_close(ready.says(w.dev.images, ready.adapt(x, y)), net(pixels(w.dev.images)).detach(),
                               rtol=1e-3, atol=1e-4)


def test_the_meta_learner_takes_as_many_steps_as_it_is_told():
    w = of_seed()
    learner = w.joint(w.source_only, lambda x, generator: x, 0.0)
    x, y = w.setting.labelled(2, 0, 0)
    phi = daml_arms.adapted(learner, 1).adapt(x, y)
    loss = torch.nn.functional.cross_entropy(learner.net(x), y)
    slow = dict(zip(phi, torch.autograd.grad(loss, list(learner.net.parameters())), strict=True))
    for name, p in learner.net.named_parameters():
        torch.testing.assert_close(phi[name], p - learner.rates()[name] * slow[name], rtol=1e-3, atol=1e-5)


def test_the_test_half_trains_nothing_and_a_leak_is_refused():
    split, dev = pair()
    one = daml_arms.DamlSeed(split, dev, 0, TINY).translator
    split.test.labels.copy_(split.test.labels.flip(0))
    two = daml_arms.DamlSeed(split, dev, 0, TINY).translator
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    split.train.images[0] = split.test.images[0]
    with pytest.raises(ValueError, match="1 of the 19 pictures .* are test pictures"):
        _ = daml_arms.DamlSeed(split, dev, 0, TINY).translator


def test_memorisation_is_seen():
    w = of_seed()
    seen = w.setting.train.images
    assert marks.nearest(seen, seen) == pytest.approx(0, abs=5e-3)                 # a generator that copies
    slow = np.mean([min(float((pixels(x) - pixels(t)).norm()) for t in seen) for x in w.dev.images])
    assert marks.nearest(w.dev.images, seen) == pytest.approx(slow, abs=1e-3)


def test_shuffled_pictures_lose_their_labels():
    x = torch.arange(6.0).view(6, 1, 1, 1)
    mixed = daml_arms.by_chance(lambda pictures, generator: pictures)(x, torch.Generator().manual_seed(0))
    assert sorted(mixed.flatten().tolist()) == x.flatten().tolist() and not torch.equal(mixed, x)


def test_differences_are_paired_by_seed_and_the_title_follows_from_them():
    made = lambda arm, k, values: [{"arm": arm, "k": k, "seed": s, "accuracy": v, "source": "a", "target": "b"}
                                   for s, v in enumerate(values)]
    rows = (made("DAML, tuned", 0, [50, 60, 70]) + made(plots.TWIN, 0, [45, 54, 66])
            + made("DAML, tuned", 1, [70, 80, 75]) + made(plots.TWIN, 1, [75, 79, 73]))
    assert plots.gap(rows, "DAML, tuned", plots.TWIN, 0) == t_interval([5, 6, 4])
    assert plots.verdict(rows, (0, 1)) == "Ahead: generated at k = 0"
    assert plots.verdict(rows, (1,)).endswith("told apart at no k")
    assert "Ahead: generated at k = 0" in plots.accuracies(rows, ["DAML, tuned", plots.TWIN], (0, 1)).alt


def test_failures_change_one_thing_each():
    budget = failures.Budget(TINY, steps=3, judged=40, pictures=72)
    failed = failures.STUDY
    w = failures.of_seed(0, budget)
    assert len(failures.target(w, few=True).images) == 40
    shifted = failures.target(w, shift=True)
    assert float((shifted.labels < 3).float().mean()) == pytest.approx(0.8, abs=0.03)
    found = list(failed.measure(failed.work([0]), [], budget))
    assert [row["variant"] for row in found] == list(failures.VARIANTS)
    assert all(0 <= row[mark] <= 100 for row in found for mark in ("fidelity", "frequent", "f_on_target"))
    assert not list(failed.measure(failed.work([0]), found, budget))
    assert "nearest" in failures.line(found[0]) and failures.line(found[0]).startswith("as it is")
    drawn = lesson_14.failures(found + [{**row, "seed": 1} for row in found])
    assert drawn.png.startswith(b"\x89PNG") and "Label fidelity suffers most with" in drawn.alt
    assert lesson_14.by_variant(found, "as it is", "fidelity").shape == (1,)
    with pytest.raises(ValueError, match="no row of 'blur'; run mlcourse study daml-failures"):
        lesson_14.by_variant(found, "blur", "fidelity")
    failures.of_seed.cache_clear()


def test_the_command_measures_draws_and_goes_on(tmp_path, capsys, monkeypatch):
    source, target = patterns(0, 3, 40), patterns(1, 3, 40)
    for domain, name in ((source, "a"), (target, "b")):
        np.savez(tmp_path / f"{name}.npz", images=domain.images.numpy(), labels=domain.labels.numpy())
    words = ["mlcourse", "study", "daml", "--source", f"array:{tmp_path}/a.npz", "--target", f"array:{tmp_path}/b.npz",
             "--out", str(tmp_path / "rows.json"), "--k", "0", "--k", "2", "--seed", "0", "--seed", "1"]
    monkeypatch.setattr(study, "STUDY", replace(study.STUDY, budget=TINY))
    for extra in (["--arm", "source only", "--arm", "DAML"], ["--arm", "source only", "--arm", "DAML"]):
        monkeypatch.setattr("sys.argv", words + extra)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code in (0, None)
    text = capsys.readouterr().out
    assert "PAD generated-target" in text and "label fidelity" in text and "±" in text
    assert len(read(tmp_path / "rows.json")) == 1 + 2 + 2 * 2 * 2
    for name in ("rows.png", "rows-samples.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr("sys.argv", words + ["--arm", "GAN"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "unknown arm 'GAN'" in capsys.readouterr().err
