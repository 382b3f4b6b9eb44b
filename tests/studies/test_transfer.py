"""The transfer study: what it matches and refuses, what it measures, that it resumes, and what it advises."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import patterns
from transfer_pair import KS, QUICK, pair

from mlcourse.episode import across as domain_episodes
from mlcourse.episode.across import pixels
from mlcourse.learners import TranslationSampler
from mlcourse.learners.translator import among
from mlcourse.nets import Conv4
from mlcourse.rows import by_seed, read
from mlcourse.small import shrunk
from mlcourse.studies import study as record
from mlcourse.studies.transfer import advice, arms, study, transfer
from mlcourse.studies.transfer import source as source_network
from mlcourse.studies.transfer.seed import Seed
from mlcourse.studies.transfer.setting import setting
from mlcourse.system.machine import one_core
from mlcourse.train import Interrupted


def named(domain, names, name="other"):
    """The domain under another name, with these class names."""
    return replace(domain, name=name, classes=tuple(names), groups=tuple(names))


@pytest.fixture
def quick(monkeypatch):
    """The command with networks of a few steps."""
    monkeypatch.setattr(study, "STUDY", replace(study.STUDY, budget=QUICK))


def measure(s, names=(), seeds=(0,), kept=()):
    """The rows of these arms, all if none is named."""
    work = study.Work(s, arms.named(names or [arm.name for arm in arms.ARMS]), seeds, "transfer", "mlcourse study transfer")
    return list(study.STUDY.measure(work, kept, QUICK))


# ----------------------------------------------------------- what is compared


def test_classes_match_by_name_whatever_their_order():
    source = patterns(0, classes=4)
    target = named(patterns(1, classes=3), ["class 2", "class 9", "class 0"])
    s = setting([source], target, KS)
    assert s.shared and s.train.classes == s.test.classes == s.source.classes == ("class 2", "class 0")
    assert torch.equal(s.source.images[s.source.labels == 0], source.images[source.labels == 2])


def test_classes_typed_otherwise_match_and_those_left_out_are_named():
    s = setting([patterns(0, classes=4)], named(patterns(1, classes=3), ["Class 2", "class_0 ", "owl"]), KS)
    assert s.train.classes == s.source.classes == ("Class 2", "class_0 ")
    assert ("2 classes are shared. Left out, for they are not in all: 'owl' of other; 'class 1' and 'class 3' of patterns 0. "
            "Taken for the same class: 'Class 2' with 'class 2'") in study.protocol(s, arms.ARMS)
    with pytest.raises(ValueError, match=r"left with 1 class .* \(left out, .*'owl' of other; 'class 1' and 'class 2'"):
        setting([patterns(0, classes=3)], named(patterns(1, classes=2), ["class 0", "owl"]), KS)


def test_the_halves_share_no_picture_and_do_not_depend_on_k():
    s, other = pair((0, 1)), pair((0, 5))
    a, b = ({bytes(image.numpy().tobytes()) for image in half.images} for half in (s.train, s.test))
    assert a and b and not a & b
    assert torch.equal(s.test.images, other.test.images)


def test_k_labels_of_each_class_come_from_the_training_half_and_are_repeated_for_every_arm():
    s = pair()
    x, y = s.labelled(2, 0, 0)
    assert torch.bincount(y).tolist() == [2, 2, 2]
    train = {bytes(image.numpy().tobytes()) for image in pixels(s.train.images)}
    assert all(bytes(image.numpy().tobytes()) in train for image in x)
    assert torch.equal(x, s.labelled(2, 0, 0)[0]) and not torch.equal(x, s.labelled(2, 0, 1)[0])


def test_where_no_class_is_shared_only_what_learns_a_new_head_from_labels_is_defined():
    s = setting([patterns(0, classes=3)], named(patterns(1, classes=4), "wxyz"), KS)
    assert not s.shared and len(s.train.classes) == 4
    at = {arm.name: [k for k in KS if study.defined(s, arm, k)] for arm in arms.ARMS}
    assert {name for name, ks in at.items() if ks} == {"from scratch", "linear probe", "fine-tuning", "L2-SP"}
    assert all(ks in ([], [1, 2]) for ks in at.values())
    said = study.protocol(s, arms.ARMS)
    assert ("No class of the source is a class of the target ('class 0', 'class 1' and 'class 2'; 'w', 'x', 'y' and 1 more)"
            in said and "Left out" not in said)


@pytest.mark.parametrize(("make", "says"), [
    (lambda: pair((0, 20)), r"k = 20 labels per class .* has 12 images of class 'class 0'; lower k"),
    (lambda: pair((-1,)), r"must be 0 or more"),
    (lambda: pair(()), r"must be 0 or more"),
    (lambda: setting([patterns(0, classes=2)], named(patterns(1, classes=2), ["class 0", "b"]), KS), "needs at least 2"),
    (lambda: setting([patterns(0, per_class=1)], patterns(1), KS), "a source needs at least 2 of every class"),
    (lambda: setting([patterns(0)], patterns(1, per_class=1), (0,)), "a training and a test half need at least 2"),
    (lambda: study.check(setting([patterns(0)], named(patterns(1), "stuvwxyz"), KS), arms.named(["CORAL"]), True),
     "CORAL is not defined here: no class of the source is a class of the target"),
    (lambda: study.check(pair((0,)), arms.named(["fine-tuning"]), True), "needs labels of the target"),
    (lambda: arms.named(["magic"]), "unknown arm 'magic'; the arms are no adaptation"),
])
def test_what_cannot_be_done_is_one_sentence_before_anything_runs(make, says):
    with pytest.raises(ValueError, match=says) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_source_too_small_to_be_split_still_runs_the_other_arms():
    small = pair(per_class=8)
    with pytest.raises(ValueError, match=r"cannot be split .* or run only the arms that need no second domain"):
        study.check(small, arms.ARMS, False)
    study.check(small, [arm for arm in arms.ARMS if not arm.several], True)


def test_episodes_of_many_classes_hold_some_of_them_under_their_own_labels(monkeypatch):
    monkeypatch.setattr(domain_episodes, "MOST_CLASSES", 3)
    source = patterns(0, classes=8)
    episode = domain_episodes.DomainSampler([source], 2, 1, unlabeled=1).sample(4, torch.Generator().manual_seed(0))
    assert episode.way == 8 and episode.support_x.shape[1] == 6
    assert len(episode.support_y.unique()) > 3 and all(len(labels.unique()) == 3 for labels in episode.support_y)
    for x, y in zip(episode.support_x.flatten(0, 1), episode.support_y.flatten(), strict=True):
        assert any(torch.equal(x, other) for other in pixels(source.images[source.labels == y]))


# ------------------------------------------------------------------- measuring


def test_every_arm_is_measured_at_every_k_at_which_it_is_defined():
    s = pair((0, 2))
    found = measure(s, seeds=[0, 1])
    work = study.Work(s, arms.ARMS, [0, 1], "", "")
    assert [study.STUDY.key_of(row) for row in found] == study.plan(work, QUICK) and all(map(study.line, found))
    choices = [row for row in found if row["arm"].startswith(transfer.CHOICE)]
    assert {row["arm"]: row["weight"] in arms.WEIGHTS[row["arm"].removeprefix(transfer.CHOICE)] for row in choices} == {
        "choice of CORAL": True, "choice of DANN": True}
    for arm in arms.ARMS:
        for seed in (0, 1):
            mine = [row for row in found if row["arm"] == arm.name and row["seed"] == seed]
            assert [row["k"] for row in mine] == [k for k in (0, 2) if arm.zero or k]
            assert all(0 <= row["accuracy"] <= 100 for row in mine)
            assert all(("pad" in row) == (row["k"] == 0) for row in mine)
    assert measure(s, seeds=[0, 1], kept=found) == []


def test_a_study_that_was_interrupted_goes_on_with_the_same_numbers():
    s, chosen = pair((0, 1)), ["no adaptation", "CORAL", "adapter"]
    clean = lambda found: [{key: v for key, v in row.items() if key not in ("commit",)} for row in found]
    whole = measure(s, chosen, [0, 1])
    for stopped in (whole[:1], whole[:4]):
        assert clean(stopped + measure(s, chosen, [0, 1], stopped)) == clean(whole)


def test_seeds_side_by_side_give_the_rows_of_one_after_another(quick, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    clean = lambda found: sorted(str({k: v for k, v in row.items() if k not in ("commit", "threads")}) for row in found)
    chosen = ["no adaptation", "CORAL"]
    work = study.Work(pair((0, 1)), arms.named(chosen), [0, 1], "transfer", "mlcourse study transfer")
    with one_core():
        found = list(study.STUDY.measure_side_by_side(work))
        assert clean(found) == clean(measure(pair((0, 1)), chosen, [0, 1]))
    assert found[0]["arm"] == "choice of CORAL", "the weight comes first, since every seed needs it"
    assert list(study.STUDY.measure_side_by_side(work, found)) == []


def test_arms_that_share_no_training_are_measured_apart_and_the_longer_ones_first(quick, monkeypatch):
    begun = []
    monkeypatch.setattr(record, "side_by_side", lambda work, items: begun.extend(items) or ())
    chosen = ["no adaptation", "AdaBN", "fine-tuning", "SHOT"]
    list(study.STUDY.measure_side_by_side(study.Work(pair((0, 1)), arms.named(chosen), [0, 1], "transfer", "")))
    assert [sorted({(arm, seed) for _, _, arm, _, seed in item}) for item in begun] == [
        [("AdaBN", 0), ("SHOT", 0)], [("AdaBN", 1), ("SHOT", 1)],
        [("fine-tuning", 0), ("no adaptation", 0)], [("fine-tuning", 1), ("no adaptation", 1)]]


def test_an_interrupt_keeps_what_was_measured_and_says_how_to_go_on(quick, monkeypatch, mlcourse, tmp_path):
    def stop(s, arm, ks):
        if arm.name == "AdaBN":
            raise Interrupted("interrupted after step 1 of 3")
        yield from transfer.measure(s, arm, ks)

    monkeypatch.setattr(study, "measure", stop)
    words = ["study", "transfer", "--source", "glyphs-digits/STIX", "--target", "glyphs-digits/STIX Bold", "--out",
             tmp_path / "rows.json", "--arm", "TENT", "--arm", "AdaBN", "--k", "0"]
    status, _, said = mlcourse(*words)
    assert status == 130 and "what was measured is in" in said and "the same command goes on" in said
    assert [row["arm"] for row in read(tmp_path / "rows.json")] == ["TENT"]


def test_rows_of_other_pictures_under_the_same_names_are_refused():
    kept, other = measure(pair((0,)), ["AdaBN"]), pair((0,))
    changed = replace(other, train=replace(other.train, images=other.train.images.flip(3)))
    for seed in (0, 1):                         # whether anything is left to measure or not
        with pytest.raises(ValueError, match="made with other pictures or labels"):
            measure(changed, ["AdaBN"], [seed], kept)


def test_with_few_pictures_the_accuracies_are_measured_and_the_distances_left_out():
    s = setting([patterns(0, classes=3, per_class=24)], patterns(1, classes=3, per_class=8), (0, 1))
    assert len(s.train.images) < 20
    found = measure(s, ["no adaptation", "AdaBN"], [0, 1])
    assert len(found) == 8 and not any("pad" in row for row in found)
    work = study.Work(s, arms.named(["no adaptation", "AdaBN"]), [0, 1], "", "")
    assert "not measured: it needs 10 pictures of the source and 20 of the target's half" in study.report(work, found)
    assert study.pictures(work, found)[""].png


def test_without_shared_classes_a_new_head_is_learned():
    s = setting([patterns(0, classes=3, per_class=24)], named(patterns(0, classes=3, per_class=24), "xyz"), KS)
    found = measure(s)
    assert {row["arm"] for row in found} == {"from scratch", "linear probe", "fine-tuning", "L2-SP"}
    assert all(row["k"] > 0 for row in found)


def test_the_random_start_is_that_of_the_seed():
    torch.manual_seed(5)
    one, other = (arms.as_it_is(Seed(pair(), seed, {}, QUICK).random) for seed in (3, 4))
    again = arms.as_it_is(Seed(pair(), 3, {}, QUICK).random)
    assert all(torch.equal(one.params[name], again.params[name]) for name in one.params)
    assert not torch.equal(one.params["head.weight"], other.params["head.weight"])


def test_labels_of_the_target_do_not_reach_what_adapts_without_them():
    """Target labels dealt anew change the accuracies at k = 0, and neither the networks nor the choice of a weight."""
    s = pair((0,))
    order = torch.randperm(len(s.train.labels), generator=torch.Generator().manual_seed(0))
    wrong = replace(s, train=replace(s.train, labels=s.train.labels[order]))
    for arm in arms.named(["in the target's ink", "AdaBN", "TENT", "CORAL", "DANN", "self-training", "SHOT", "MLDG", "adapter", "distillation",
                           "contrastive", "DAML"]):
        one, other = (arm.ready(Seed(which, 0, {"CORAL": 10.0, "DANN": 0.1}, QUICK)) for which in (s, wrong))
        assert all(torch.equal(one.params[name], other.params[name]) for name in one.params)
        assert all(torch.equal(a, b) for pair_ in zip(one.stats, other.stats) for a, b in zip(*pair_))


def test_tent_moves_gains_and_shifts_alone_and_shot_keeps_the_head_and_looks_at_no_source_picture():
    s = Seed(pair((0,)), 0, {}, QUICK)
    source, surer, moved = arms.adabn(s), arms.surer(s), arms.transferred(s)
    for name, p in source.params.items():
        assert torch.equal(surer.params[name], p) == (not name.startswith("norms.")), name
        assert torch.equal(moved.params[name], p) == name.startswith("head."), name
    blank = Seed(replace(s.setting, sources=tuple(replace(d, images=0 * d.images) for d in s.setting.sources)), 0, {},
                      QUICK)
    vars(blank)["base"] = s.base
    again = arms.transferred(blank)
    assert all(torch.equal(again.params[name], p) for name, p in moved.params.items())


def test_the_students_teacher_is_the_adapted_source_network_and_stays_as_it_is(monkeypatch):
    teachers = []

    class Watched(arms.Distillation):
        def __init__(self, net, teacher, temperature):
            teachers.append(teacher)
            super().__init__(net, teacher, temperature)

    monkeypatch.setattr(arms, "Distillation", Watched)
    s = Seed(pair((0,)), 0, {}, QUICK)
    state, source = arms.distilled(s), arms.adabn(s)
    assert all(torch.equal(p, source.params[name][0]) for name, p in teachers[0].net.named_parameters())
    assert all(torch.equal(a, b[0]) for ours, theirs in zip(teachers[0].stats, source.stats) for a, b in zip(ours, theirs))
    assert not torch.equal(state.params["head.weight"], source.params["head.weight"])


def test_contrastive_pre_training_sees_both_domains_each_by_itself_and_its_body_is_kept(monkeypatch):
    s = pair((0,))
    episode = arms.BothDomains(s).sample(2, torch.Generator().manual_seed(0))
    for x, domain in zip(episode.support_x, (s.source, s.train), strict=True):
        own = {image.numpy().tobytes() for image in pixels(domain.images)}
        assert all(image.numpy().tobytes() in own for image in x)
    monkeypatch.setattr(source_network, "RATE", 1e-12)          # so that the labels change nothing
    kept = []

    class Watched(arms.SimCLR):
        def __init__(self, net, **settings):
            kept.append(net)
            super().__init__(net, **settings)

    monkeypatch.setattr(arms, "SimCLR", Watched)
    state = arms.contrasted(Seed(s, 0, {}, QUICK))
    torch.testing.assert_close(state.params["convs.0.weight"][0], kept[0].convs[0].weight, rtol=0, atol=1e-6)
    start = Seed(s, 0, {}, QUICK).network(3)
    assert not torch.allclose(state.params["convs.0.weight"][0], start.convs[0].weight, rtol=0, atol=1e-4)


def test_daml_redraws_the_queries_and_its_generator_sees_no_test_picture(monkeypatch):
    s, seen, batches = pair((0,)), [], []

    class Watched(TranslationSampler):
        def __init__(self, images, labels, target, batch):
            seen.append(target)
            super().__init__(images, labels, target, batch)

    class Asked(arms.DAML):
        stacks = True

        def loss(self, episode, weight=None):
            batches.append(episode)
            return super().loss(episode, weight)

    monkeypatch.setattr("mlcourse.studies.transfer.seed.TranslationSampler", Watched)
    monkeypatch.setattr(arms, "DAML", Asked)
    stacked = lambda way, width, norm, side, channels, seed: Conv4(way, width, "max", norm, side, seed)
    monkeypatch.setattr("mlcourse.studies.transfer.seed.LeNet", stacked)                 # vmap shows no values
    state = arms.generated(Seed(s, 0, {}, QUICK))
    train = {image.numpy().tobytes() for image in shrunk(s.train).images}
    assert len(seen) == 1 and all(image.numpy().tobytes() in train for image in seen[0])
    assert all(b.unlabeled_x.shape == b.query_x.shape and not torch.equal(b.unlabeled_x, b.query_x) for b in batches)
    assert sum(b.tasks for b in batches) == 2 * QUICK.meta and state.stats
    copied = replace(s, train=replace(s.train, images=torch.cat([s.train.images[:-1], s.test.images[:1]])))
    arms.generated(Seed(copied, 0, {}, QUICK))                    # a target that holds a picture twice is no error
    assert len(seen[1]) == len(s.train.images) - 1
    assert not among(seen[1], shrunk(s.test).images).any()


# ----------------------------------------------------------------- conclusions


def made(values):
    """Rows from arm → k → accuracies by seed."""
    return [{"arm": arm, "k": k, "seed": seed, "accuracy": value, "source": "a", "target": "b"}
            for arm, by_k in values.items() for k, each in by_k.items() for seed, value in enumerate(each)]


def test_the_advice_follows_from_the_numbers():
    rows = made({"no adaptation": {0: (20, 22, 24), 5: (20, 22, 24)}, "AdaBN": {0: (60, 61, 62), 5: (80, 81, 82)},
                 "DANN": {0: (10, 11, 12), 5: (70, 71, 72)}, "fine-tuning": {5: (60, 61, 62)},
                 "from scratch": {5: (30, 31, 32)}})
    text = advice.advice(rows)
    assert "take AdaBN: 61.0 %, a gain of 39.0 ± 2.5 points." in text and "It hurts to use DANN" in text
    assert "With 5 labels per class take AdaBN: 81.0 ± 2.5 %; the source is worth 50.0 ± 0.0 points" in text
    assert advice.table(rows)["AdaBN"][0].mean == 61


def test_a_lead_that_may_be_chance_does_not_make_the_advice():
    rows = made({"no adaptation": {0: (20, 21, 22)}, "AdaBN": {0: (60, 61, 62)}, "DANN": {0: (59, 75, 61)},
                 "CORAL": {0: (63, 64, 65)}})
    assert advice.unbeaten(rows, 0) == ["CORAL", "DANN"]
    assert "take CORAL: 64.0 %, a gain of 43.0 ± 0.0 points (DANN has 65.0 %, but 1.0 ± " in advice.advice(rows)


def test_where_nothing_beats_no_adaptation_the_advice_says_so():
    rows = made({"no adaptation": {0: (50, 60, 70)}, "AdaBN": {0: (70, 50, 66)}})
    assert "no arm beats it by more than the interval" in advice.advice(rows)
    assert advice.advice(made({"AdaBN": {0: (70,)}})) == "One seed gives no interval, and so no advice; run at least two."


def test_where_no_arm_beats_training_from_scratch_the_advice_says_so():
    rows = made({"fine-tuning": {1: (20, 30, 25)}, "from scratch": {1: (90, 91, 92)}})
    text = advice.advice(rows)
    assert "nothing is defined" in text and "take from scratch: 91.0" in text
    assert "no arm that uses the source beats training from scratch for certain" in text


# ----------------------------------------------------------------- the command


def test_the_command_writes_rows_and_a_picture_and_resumes(quick, mlcourse, tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        domain = patterns(seed, classes=3, per_class=24, side=28)
        np.savez(tmp_path / f"{name}.npz", images=domain.images[:, 0].numpy(), labels=domain.labels.numpy())
    words = ["study", "transfer", "--source", f"array:{tmp_path}/a.npz", "--target", f"array:{tmp_path}/b.npz", "--seed",
             "0", "--seed", "1", "--k", "0", "--k", "1", "--out", str(tmp_path / "rows.json"), "--plot",
             str(tmp_path / "plot.png")]
    status, said, _ = mlcourse(*words, "--arm", "AdaBN", "--arm", "fine-tuning")
    assert status == 0 and "3 classes are shared" in said and "needs labels" in said and "label" in said
    first = read(tmp_path / "rows.json")
    assert {row["arm"] for row in first} == {"AdaBN", "fine-tuning"} and (tmp_path / "plot.png").stat().st_size > 10_000
    assert mlcourse(*words, "--arm", "AdaBN", "--arm", "fine-tuning", "--arm", "no adaptation")[0] == 0
    rows = read(tmp_path / "rows.json")
    assert [row for row in rows if row["arm"] != "no adaptation"] == first and len(rows) == len(first) + 4


# ------------------------------------------------------------- the stored rows


@pytest.mark.parametrize("source", ["glyphs-digits", "mnist"])
def test_the_stored_rows_hold_the_usual_arms_at_every_k_over_five_seeds(source):
    rows = [row for row in read("transfer") if (row["source"], row["target"]) == (source, "digits")]
    for arm in arms.named(arms.USUAL):
        for k in (0, 1, 5, 10):
            seeds = set(by_seed(rows, arm.name, k))
            assert seeds == (set(range(5)) if arm.zero or k else set()), (arm.name, k)
    assert all(row["command"].startswith(f"mlcourse study transfer --source {source}") and row["commit"] for row in rows)
