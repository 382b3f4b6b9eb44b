"""The contrast study: its plan, its rows at a tiny size, and what the stored rows say."""

import re

import numpy as np
import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.lessons.l16_contrast import study_contrast as study
from mlcourse.lessons.l16_contrast.checks import CLAIMS
from mlcourse.rows import read
from mlcourse.statistics import paired_difference, t_interval

STORED = read("contrast")


def stored(part, arm, field, setting=0):
    """The numbers of an arm by seed."""
    mine = [row for row in STORED if (row["part"], row["arm"], row["setting"]) == (part, arm, setting)]
    found = {row["seed"]: row[field] for row in mine}
    return np.array([found[seed] for seed in sorted(found)])


def text_of_16():
    """The Markdown of lesson 16."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("16")).cells if cell.cell_type == "markdown")


def printed_by_16():
    """What the cells of lesson 16 printed when it was stored."""
    return "\n".join(output.text for cell in notebooks.read(notebooks.find("16")).cells
                     for output in cell.get("outputs", ()) if output.output_type == "stream")


def plan(**asked):
    return study.plan(study.STUDY.work(**asked), study.Budget())


def test_the_plan_names_every_row_once_and_parts_that_do_not_exist():
    keys = plan()
    assert len(keys) == len(set(keys))
    assert {key[0] for key in keys} == set(study.PARTS)
    assert {key[3] for key in keys if key[:2] == ("features", "SimCLR")} == set(range(5))
    assert plan(part=["strokes"], seeds=[7])[0] == ("strokes", "two encoders", 0, 7)
    with pytest.raises(ValueError, match="there is no part 'pens'; the parts are features, temperature"):
        plan(part=["pens"])


def test_one_small_row_of_each_part():
    wanted = [("features", "two encoders", 0, 0), ("features", "pixels, chalk inverted", 0, 0),
              ("temperature", "SimCLR", 0.3, 0), ("negatives", "SimCLR", 8, 0), ("strokes", "two encoders", 0, 0)]
    rows = list(study.rows(None, study.Budget(steps=2, stroke_steps=2, episodes=20), wanted, []))
    assert [study.STUDY.key_of(row) for row in rows] == wanted and {*wanted} <= {*plan(seeds=[0])}
    for row in rows:
        numbers = [value for name, value in row.items() if name in ("val", "test", "across", "to_stroke", "to_image")]
        assert numbers and all(0 <= value <= 1 for value in numbers)
        assert f"--part {row['part']} --seed 0" in row["command"] and study.line(row)


def test_groups_share_a_step_and_only_the_negatives_differ():
    for group in (2, 16, 64):
        learner = study.SimCLR(study.network(0))
        sampler = study.PictureSampler(study.data().train, group)
        phase, = learner.phases(sampler, 1, tasks=64 // group, lr=1e-3)
        batch = phase.sample(torch.Generator().manual_seed(0))
        assert batch.support_x.flatten(0, 1).shape[0] + batch.query_x.flatten(0, 1).shape[0] == study.PICTURES


def test_pairs_within_a_rendering_are_both_on_paper_or_both_in_chalk():
    generator, pairs = torch.Generator().manual_seed(0), study.PairsWithin()
    dark = lambda x: float((x > 0.3).float().mean()) > 0.5
    seen = set()
    for _ in range(8):
        batch = pairs.sample(1, generator)
        assert dark(batch.support_x) == dark(batch.query_x)
        seen.add(dark(batch.support_x))
    assert seen == {False, True}


def test_what_ends_in_inverted_sees_the_chalk_with_ink_and_ground_exchanged():
    plain, fixed = (study.features_row(arm, 0, 1, 20) for arm in ("pixels", "pixels" + study.INVERTED))
    assert fixed["across"] > plain["across"] + 0.1 and fixed["test"] == plain["test"]
    assert torch.equal(study.inverting(lambda x: x)(torch.tensor([0.25, 1.0])), torch.tensor([0.75, 0.0]))


def test_chalk_is_light_on_dark_and_keeps_the_place():
    images = study.data().val.images[:50]
    chalk = study.chalk(images)
    ink = images > 200
    assert chalk[ink].float().mean() < 30 < 120 < chalk[~ink].float().mean()


def test_strokes_and_pictures_of_a_split_belong_to_each_other():
    images, paths_, labels = study.stroke_data("test")
    assert torch.equal(images, study.data().test.images) and torch.equal(labels, study.data().test.labels)
    assert len(paths_) == len(images)


# ------------------------------------------------------------ the stored rows

def test_every_planned_row_is_stored():
    have = {tuple(row[field] for field in study.KEY) for row in STORED}
    assert have == set(plan())


def test_contrastive_features_beat_random_ones_and_close_half_the_gap_to_supervised_ones():
    random, simclr, best = (stored("features", arm, "test") for arm in ("random", "SimCLR", "ProtoNet"))
    assert paired_difference(simclr, random).low > 0
    assert t_interval((simclr - random) / (best - random)).low > 0.5


def test_retrieval_between_pictures_and_strokes_is_20_times_chance_both_ways():
    for way in ("to_stroke", "to_image"):
        assert t_interval(stored("strokes", "two encoders", way)).low > 0.2
        assert np.abs(stored("strokes", "random", way)).max() < 0.05


def test_the_verdicts_of_the_exercise_are_those_of_the_paired_intervals():
    for claim in CLAIMS.values():
        apart = t_interval(stored("features", claim.one, claim.field) - stored("features", claim.other, claim.field))
        says = "yes" if apart.low > 0 else "no" if apart.high < 0 else "open"
        assert says == claim.verdict, claim
    assert sorted(claim.verdict for claim in CLAIMS.values()) == ["no", "no", "open", "open", "yes"]


def test_what_the_lesson_says_about_what_carries_across():
    share = lambda arm: stored("features", arm, "across")
    for arm in ("SimCLR", "SupCon", "ProtoNet", "ProtoNet, same pairs"):
        assert 0.15 < share(arm).mean() < 0.25
    assert share("one encoder, no pairs across").max() < 0.05
    null = stored("features", "ProtoNet, same pairs", "test"), stored("features", "random", "test")
    assert paired_difference(*null).mean < 0.1
    more = t_interval(100 * (null[0] - null[1])).text()
    assert f"hardly learned: across at chance, on paper {more} points above an untrained network" in text_of_16()
    remedy = stored("features", "pixels, chalk inverted", "across")[0]
    assert 0.4 < remedy < 0.5 and stored("features", "ProtoNet, chalk inverted", "across").max() < remedy
    above = t_interval(share("two encoders") - remedy)
    assert above.low > 0.3 and f"{above.times(100).text()} points above pixels with chalk inverted" in text_of_16()
    assert t_interval(share("two encoders") - share("ProtoNet, same pairs")).low > 0.6


def test_what_the_lesson_says_about_temperature_and_negatives():
    for field in ("val", "test"):
        best = stored("features", "SimCLR", field)[:3].mean()
        others = [stored("temperature", "SimCLR", field, tau).mean() for tau in study.TEMPERATURES]
        assert best - max(others) > 0.03
        few, some = (stored("negatives", "SimCLR", field, group).mean() for group in study.GROUPS)
        assert few < some < best and some - few > best - some
    assert stored("temperature", "SimCLR", "test", 1.0).max() < stored("features", "pixels", "test")[0]


def test_what_the_lesson_says_about_features_out_of_their_domain():
    mean = lambda arm, field: stored("features", arm, field).mean()
    pixels = {field: mean("pixels", field) for field in ("test", "digits", "digits_probe", "chalk", "across")}
    assert abs(mean("SimCLR", "digits") - pixels["digits"]) < 0.02
    assert max(mean(arm, "digits") for arm in study.ARMS) < pixels["digits"] + 0.05
    assert pixels["digits_probe"] + 0.1 < mean("random", "digits_probe") < mean("SimCLR", "digits_probe") - 0.05
    for arm in ("random", "classifier", "SimCLR", "SupCon", "ProtoNet"):
        assert mean(arm, "chalk") < pixels["chalk"] and mean(arm, "across") < 0.25
    assert mean("classifier", "test") < pixels["test"] < mean("SimCLR", "test") < mean("SupCon", "test") < mean(
        "ProtoNet", "test")
    two, one = (stored("features", arm, "across") for arm in ("two encoders", "one encoder, same pairs"))
    assert np.ptp(two) < 0.03 and np.ptp(one) > 0.3 and one.max() < two.min()
    apart = paired_difference(two, one)
    assert apart.mean > 0 > apart.low


def test_pairs_of_one_drawing_find_the_drawing_and_not_the_character():
    exact, hands = (stored("strokes", arm, "to_stroke") for arm in ("pairs of one drawing", "two encoders"))
    assert exact.max() < hands.min()
    at_home, away = (stored("strokes", arm, "own_stroke") for arm in ("pairs of one drawing", "two encoders"))
    assert at_home.min() > away.max()
    assert hands.min() > stored("strokes", "redrawn, pixels", "to_stroke")[0] + 0.05


def test_the_lesson_sets_the_stored_numbers_beside_its_own():
    text, ways = text_of_16(), ("to_stroke", "to_image")
    pixels, trained = ([100 * stored("strokes", arm, way).mean() for way in ways]
                       for arm in ("redrawn, pixels", "two encoders"))
    after = re.search(r"\n  200 steps +≈ ?([\d.]+) % +≈ ?([\d.]+) %", printed_by_16())
    assert all(float(found) < share for found, share in zip(after.groups(), pixels, strict=True))
    assert (f"redrawing the stroke and comparing blurred pixels has {np.mean(pixels):.0f} %: our network is below that "
            f"after 200 steps, and after 800 at {np.mean(trained):.0f} %") in text
    assert (f"{trained[0]:.0f} times in 100. Comparing blurred drawings finds it {pixels[0]:.0f} times, chance "
            "once") in text


def test_what_the_lesson_says_about_simclr_and_pixels():
    pixels = stored("features", "pixels", "test")[0]
    simclr = {field: t_interval(100 * stored("features", "SimCLR", field)) for field in ("test", "digits")}
    digits = 100 * stored("features", "pixels", "digits")[0]
    assert simclr["test"].low > 100 * pixels + 10 and simclr["digits"].low < digits < simclr["digits"].high
    assert f"on UCI digits they do not (study: {simclr['digits'].text()} % against {digits:.1f})" in text_of_16()
