"""The DAML study on a small scale: its arms, its marks, what it keeps apart, and the command."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlcourse import cli
from mlcourse.course import notebooks
from mlcourse.domains import shift_domain, two_sample
from mlcourse.episode.across import pixels
from mlcourse.learners.translator import check_unseen
from mlcourse.lessons.l14_daml import (figures as lesson_14, figures_study as plots, study_daml as study,
                                       study_daml_arms as daml_arms, study_daml_failures as failures,
                                       study_daml_marks as marks)
from mlcourse.rows import read
from mlcourse.statistics import cell, paired_difference, t_interval
from mlcourse.system import paths
from tiny import patterns

KS = (0, 2)


TINY = daml_arms.Budget(width=4, source=12, more=4, generator=3, task=3, batch=16, translated=16, shot=1, judged=20,
                        draws=2)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A discriminator of a few steps."""
    monkeypatch.setattr(two_sample, "STEPS", 3)


def pair():
    """A source and a target of the same three classes, the target inverted."""
    source = patterns(0, 3, 40)
    return study.parts(study.prepare([source], shift_domain(source, "inversion", 1.0), KS), 0)


def cut(sources, target, ks):
    return study.parts(study.prepare(sources, target, ks), 0)


def of_seed(seed=0, **choice):
    return daml_arms.DamlSeed(*pair(), seed, daml_arms.Choice(**choice), TINY)


def test_a_shift_of_the_source_shares_no_picture_with_it():
    split, dev = pair()
    back = lambda domain: {(255 - x).numpy().tobytes() for x in domain.images}
    source = {x.numpy().tobytes() for x in split.source.images}
    theirs = [back(domain) for domain in (split.train, dev, split.test)]
    assert len(source) == 60 and sum(map(len, theirs)) == 60 and not source & set.union(*theirs)
    assert not theirs[0] & theirs[1] and not theirs[0] & theirs[2] and not theirs[1] & theirs[2]
    other = patterns(1, 3, 40)
    assert len(study.prepare([patterns(0, 3, 40)], other, KS).source.images) == 120


def test_dev_is_a_third_of_every_class_of_the_training_half():
    split, dev = cut([patterns(0, 3, 40)], patterns(1, 3, 36), KS)
    assert torch.bincount(split.train.labels).tolist() == [12] * 3 and torch.bincount(dev.labels).tolist() == [6] * 3


def test_the_discriminator_gets_no_copy_of_a_dev_or_test_picture():
    target = patterns(1, 3, 36)
    target.images[1::2] = target.images[::2]                    # every picture twice
    split, dev = cut([patterns(0, 3, 40)], target, (0,))
    assert 0 < len(split.train.images) < len(dev.images)
    check_unseen(split.train.images, torch.cat([dev.images, split.test.images]))


def test_bad_input_is_named():
    other = patterns(1, 3, 40)
    renamed = type(other)(other.name, other.images, other.labels, ("x", "y", "z"), ("x", "y", "z"))
    with pytest.raises(ValueError, match="so that no generated picture would have a label; name the classes alike"):
        study.prepare([patterns(0, 3, 40)], renamed, KS)
    with pytest.raises(ValueError, match="k = 13 labels per class .* but of one class there are 12 pictures"):
        study.prepare([patterns(0, 3, 40)], patterns(1, 3, 36), (13,))
    with pytest.raises(ValueError, match="a generator is judged on 10 pictures or more .* there are 120 and 6; add "
                                         "images"):
        study.prepare([patterns(0, 3, 40)], patterns(1, 3, 12), (0,))


def test_every_seed_cuts_the_target_in_its_own_way():
    whole = study.prepare([patterns(0, 3, 40)], patterns(1, 3, 40), KS)
    (one, _), (two, dev) = (study.parts(whole, seed) for seed in (0, 1))
    assert not torch.equal(one.test.images, two.test.images)
    check_unseen(two.train.images, torch.cat([dev.images, two.test.images]))


def test_arms_differ_in_what_half_of_a_batch_is():
    w = of_seed()
    nothing = w.more(lambda x, generator: x)
    assert all(torch.equal(a, b) for a, b in zip(nothing.parameters(), w.more(None).parameters(), strict=True))
    seen = []
    w.more(lambda x, generator: seen.append(len(x)) or 1 - x)
    assert seen == [8] * 4
    assert not torch.equal(w.more(None, permuted=True).head.weight, nothing.head.weight)


def test_hand_made_views_blank_no_square_and_are_new_each_time():
    x, generator = torch.ones(200, 1, 16, 16), torch.Generator().manual_seed(0)
    made = daml_arms.by_hand(0.1)(x, generator)
    assert bool((made[:, :, 4:12, 4:12] > 0.5).all())
    assert not torch.equal(made, daml_arms.by_hand(0.1)(x, generator))


def test_relabelled_episodes_contradict_each_other_and_not_themselves():
    plain = of_seed().domains()
    batch = daml_arms.Relabelled(plain).sample(6, torch.Generator().manual_seed(0))
    truth = plain.sample(6, torch.Generator().manual_seed(0))
    calls = set()
    for task in range(6):
        order = {int(a): int(b) for a, b in zip(truth.support_y[task], batch.support_y[task], strict=True)}
        assert sorted(order) == sorted(order.values()) == [0, 1, 2]
        assert [order[int(y)] for y in truth.query_y[task]] == batch.query_y[task].tolist()
        calls.add(tuple(order[i] for i in range(3)))
    assert len(calls) > 1
    assert torch.equal(daml_arms.own_labels(of_seed(), 1), daml_arms.own_labels(of_seed(), 1))


def test_the_leak_shows_as_many_pictures_of_the_test_half():
    w = of_seed()
    assert len(w.leaked.images) == len(w.setting.train.images)
    assert bool(study.among(w.leaked.images, w.setting.test.images).all())
    assert not torch.equal(w.leaky.averaged.out.weight, w.translator.averaged.out.weight)


def test_every_arm_has_a_row_that_the_library_confirms_and_none_is_measured_twice():
    source = patterns(0, 3, 40)
    whole = study.prepare([source], shift_domain(source, "inversion", 1.0), KS)
    arms, measure = list(study.ARMS), lambda kept: list(study.STUDY.measure(work, kept, TINY))
    work = study.Work(whole, arms, [1], "daml", "mlcourse study daml")
    found = measure([])
    assert [(row["arm"], row["k"]) for row in found] == [
        (name, 0) for name in ("choice", "choice for labels", "generator", "generator, leak")] + [
        (arm, k) for arm in arms for k in KS if study.defined(arm, k)]
    chosen = study.chosen({row["arm"]: row for row in found[:2]})
    assert found[0]["by_strength"][f"{chosen.strength:g}"] == max(found[0]["by_strength"].values())
    by_weights = found[0]["by_weights"]
    assert by_weights[f"label {chosen.label:g}, match {chosen.match:g}"] == max(by_weights.values())
    assert set(chosen.rates) == {arm for arm in arms if study.ARMS[arm].task}
    assert not measure(found) and all(map(study.line, found))
    again = measure(found[:7])
    pick = lambda row: (row["arm"], row["k"], row["accuracy"])
    assert list(map(pick, again)) == list(map(pick, found[7:]))                    # resumed, the same numbers
    w = daml_arms.DamlSeed(*study.parts(whole, 1), 1, chosen, TINY)
    test = w.setting.test
    right = (w.with_generated(pixels(test.images)).argmax(1) == test.labels).float().mean()
    row = next(row for row in found if row["arm"] == "source + generated" and row["k"] == 0)
    assert row["accuracy"] == pytest.approx(100 * float(right), abs=1e-3)
    with pytest.raises(ValueError, match="made with other pictures or labels under these names"):
        measure([{**found[0], "data": 1}])


def test_the_fine_tuning_of_an_arm_against_a_loop():
    w = of_seed()
    ready, (x, y) = daml_arms.tuned(w.start), w.setting.labelled(2, 0, 0)
    net = daml_arms.copy.deepcopy(w.start)
    for _ in range(daml_arms.TUNE_STEPS):
        loss = torch.nn.functional.cross_entropy(net(x), y)
        for p, g in zip(net.parameters(), torch.autograd.grad(loss, list(net.parameters())), strict=True):
            p.data -= daml_arms.TUNE_RATE * g
    torch.testing.assert_close(ready.says(w.dev.images, ready.adapt(x, y)), net(pixels(w.dev.images)).detach(),
                               rtol=1e-3, atol=1e-3)


def test_the_meta_learner_takes_as_many_steps_as_it_is_told():
    w = of_seed()
    x, y = w.setting.labelled(2, 0, 0)
    phi = daml_arms.adapted(w.daml, 1).adapt(x, y)
    loss = torch.nn.functional.cross_entropy(w.daml.net(x), y)
    slow = dict(zip(phi, torch.autograd.grad(loss, list(w.daml.net.parameters())), strict=True))
    for name, p in w.daml.net.named_parameters():
        torch.testing.assert_close(phi[name], p - w.daml.rates()[name] * slow[name], rtol=1e-3, atol=1e-5)


def test_the_test_half_trains_nothing_and_a_leak_is_refused():
    split, dev = pair()
    of_split = lambda: daml_arms.DamlSeed(split, dev, 0, budget=TINY).translator
    one = of_split()
    split.test.labels.copy_(split.test.labels.flip(0))
    two = of_split()
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    split.train.images[0] = split.test.images[0]
    with pytest.raises(ValueError, match="1 of the 19 pictures .* are test pictures"):
        of_split()


def test_memorisation_is_seen():
    w = of_seed()
    seen = w.setting.train.images
    assert marks.nearest(seen, seen) == pytest.approx(0, abs=5e-3)                 # a generator that copies
    slow = np.mean([min(float((pixels(x) - pixels(t)).norm()) for t in seen) for x in w.dev.images])
    assert marks.nearest(w.dev.images, seen) == pytest.approx(slow, abs=1e-3)


def test_differences_are_paired_by_seed_and_the_title_follows_from_them():
    made = lambda arm, k, values: [{"arm": arm, "k": k, "seed": s, "accuracy": v, "source": "a", "target": "b"}
                                   for s, v in enumerate(values)]
    one, other = plots.GENERATED, plots.HAND_MADE
    rows = (made(one, 0, [50, 60, 70]) + made(other, 0, [45, 54, 66])
            + made(one, 1, [70, 80, 75]) + made(other, 1, [75, 79, 73]))
    assert plots.gap(rows, one, other, 0) == t_interval([5, 6, 4])
    assert plots.verdict(rows, (0, 1)) == "Ahead: generated at k = 0"
    assert plots.verdict(rows, (1,)).endswith("told apart at no k")
    assert "Ahead: generated at k = 0" in plots.accuracies(rows, [one, other], (0, 1)).alt


def test_failures_change_one_thing_each():
    budget = replace(TINY, judged=40)
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
    again, theirs = (learner.state_dict().values() for learner in (w.translated(w.setting.train), w.translator))
    assert all(map(torch.equal, again, theirs))
    failures.of_seed.cache_clear()


def test_the_generator_that_fails_nowhere_is_that_of_the_study():
    """Up to what another processor rounds otherwise; its marks come from the same pictures."""
    as_it_is = {row["seed"]: row for row in read("daml_failures") if row["variant"] == "as it is"}
    theirs = {row["seed"]: row for row in read("daml") if row["arm"] == "generator"}
    for seed, row in as_it_is.items():
        assert abs(row["fidelity"] - theirs[seed]["label_fidelity"]) < 6
        assert abs(row["pad_logistic"] - theirs[seed]["pad_generated_logistic"]) < 0.3


SHOWN = (("fidelity", 1), ("f_on_target", 1), ("frequent", 1), ("diversity", 3), ("pad_logistic", 2), ("pad_cnn", 2))


def test_the_page_of_failures_and_lesson_14_say_what_the_rows_say():
    rows = read("daml_failures")
    plan = failures.STUDY.plan(SimpleNamespace(seeds=range(5)), failures.STUDY.budget)
    assert sorted(map(failures.STUDY.key_of, rows)) == sorted(plan)
    page = (paths.RESULTS.parent / "daml-failures.md").read_text(encoding="utf-8")
    of = lambda name, mark: {row["seed"]: row[mark] for row in rows if row["variant"] == name}
    less = lambda name, mark, digits: paired_difference(of(name, mark), of("as it is", mark)).text(digits, sign=True)
    for name in failures.VARIANTS:
        assert f"| {name} | {' | '.join(cell(of(name, mark).values(), digits) for mark, digits in SHOWN)} |" in page
        if name != "as it is":
            assert f"| {name} | {' | '.join(less(name, *mark) for mark in SHOWN)} |" in page
    text = "".join(c.source for c in notebooks.read(notebooks.find("14")).cells)
    lost, warned = (less("no label term", mark, digits) for mark, digits in (("fidelity", 1), ("pad_logistic", 2)))
    assert f"labels found fall by {lost.removeprefix('-')} points, and PAD does not warn ({warned})." in text


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
