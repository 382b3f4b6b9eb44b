"""No picture stands both with the sources and with the target, whatever it is called and however it was shifted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import patterns

from mlcourse.datasets import DataError, Form, load
from mlcourse.domains import shift_domain
from mlcourse.episode.across import pooled
from mlcourse.lessons.l14_daml.study_daml import parts, prepare
from mlcourse.rows import read
from mlcourse.studies.pairs import file_name
from mlcourse.studies.transfer import arms, study
from mlcourse.studies.transfer.seed import Budget
from mlcourse.studies.transfer.setting import apart, setting

KS = (0, 1)


def source():
    return patterns(0, classes=3, per_class=24)


def renamed(domain):
    return replace(domain, name="other", classes=("x", "y", "z"), groups=("x", "y", "z"))


def mixed(domain):
    return domain.take(torch.randperm(len(domain.images), generator=torch.Generator().manual_seed(1)))


TARGETS = {
    "itself": lambda d: d,
    "another name": lambda d: replace(d, name="other"),
    "other class names": renamed,
    "another order": mixed,
    "a shift": lambda d: shift_domain(d, "rotation", 0.5),
    "two shifts": lambda d: shift_domain(shift_domain(d, "inversion", 1.0), "noise", 0.3),
    "a part of it": lambda d: d.take(torch.arange(0, 72, 2)),
    "two classes of it": lambda d: d.subset([2, 0]),
    "it and more": lambda d: pooled([d, patterns(5, classes=3, per_class=24)]),
}


def known(*domains):
    return set(torch.cat([domain.digests for domain in domains]).tolist())


@pytest.mark.parametrize("how", TARGETS)
@pytest.mark.parametrize("others", [0, 1, 2])
def test_no_picture_is_on_both_sides(how, others):
    target = TARGETS[how](source())
    more = [patterns(7, classes=3, per_class=24), shift_domain(source(), "blur", 1.0)][:others]
    s = setting([*more, source()], target, KS)
    on_both_sides = known(source()) & known(target)
    sources, theirs = known(*s.sources), known(s.train, s.test)
    assert sources and theirs and not sources & theirs
    assert known(s.train).isdisjoint(known(s.test))
    assert s.note == (f"{len(on_both_sides):,} pictures stand both in {' + '.join(d.name for d in s.sources)} and in "
                      f"{target.name}: half of them are left to either side")
    said = study.protocol(s, arms.ARMS)
    assert f"{len(on_both_sides):,} pictures stand both in" in said
    dealt = [len(on_both_sides & side) for side in (sources, theirs)]
    assert dealt[0] == len(on_both_sides) // 2 and dealt[1] <= len(on_both_sides) - dealt[0]


def test_what_shares_nothing_is_left_as_it_is_and_nothing_is_said():
    one, other = source(), patterns(1, classes=3, per_class=24)
    kept, target, note = apart([one], other)
    assert (kept[0] is one, target is other, note) == (True, True, "")
    assert "on both" not in study.protocol(setting([one], other, KS), arms.ARMS)


def test_pictures_of_one_colour_are_on_no_side():
    one, other = source(), patterns(1, classes=3, per_class=24)
    for domain in (one, other):
        domain.images[0] = 0
    assert apart([one], other)[2] == ""


def test_the_cut_is_always_the_same():
    first, second = (setting([source()], shift_domain(source(), "noise", 0.5), KS) for _ in range(2))
    assert first.fingerprint() == second.fingerprint()


def test_too_few_pictures_after_the_cut_are_refused_and_the_cut_is_said():
    small = patterns(0, classes=3, per_class=4)
    said = r" \(12 pictures stand both in patterns 0 and in patterns 0: half of them are left to either side\)"
    with pytest.raises(ValueError, match="a source needs at least 2 of every class" + said):
        setting([small], small, (0,))
    with pytest.raises(ValueError, match="k = 9 labels per class .* lower k, or add images" + said.replace("12", "72")):
        setting([source()], source(), (9,))


@pytest.mark.parametrize(("names", "target", "data"), [
    (["glyphs-digits@unframed"], "digits@unframed", 3789404368), (["mnist"], "digits@unframed", 1401160989)])
def test_the_stored_rows_are_of_these_pictures(names, target, data, request):
    if "mnist" in names:
        request.getfixturevalue("mnist_is_here")
    s = setting([load(name) for name in names], load(target))
    assert s.note == "" and s.fingerprint() == data
    rows = [row for row in read("transfer") if row["source"] == names[0] and row["target"] == target]
    assert rows and {row["data"] for row in rows} == {data}


@pytest.fixture
def mnist_is_here():
    try:
        load("mnist")
    except DataError as error:
        pytest.skip(f"needs mnist: {error}")


@pytest.mark.parametrize("target", sorted({row["target"] for row in read("daml")}))
def test_the_stored_rows_of_daml_are_of_these_pictures(target):
    whole = prepare([load("glyphs-digits", form=Form(16))], load(target, form=Form(16)), (0, 1, 5))
    assert ("stand both" in whole.note) == ("@stroke" in target)
    assert {row["data"] for row in read("daml") if row["target"] == target} == {whole.fingerprint()}


def test_daml_keeps_pictures_apart_with_several_sources_too():
    target = shift_domain(patterns(0, 3, 80), "rotation", 0.5)
    split, dev = parts(prepare([patterns(0, 3, 80), patterns(4, 3, 80)], target, (0, 1)), 0)
    theirs = known(split.train, split.test, dev)
    assert theirs and not known(*split.sources) & theirs


def test_the_command_says_what_was_cut(mlcourse, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "STUDY", replace(study.STUDY, budget=Budget(width=4, source=2)))
    domain = patterns(0, classes=3, per_class=40, side=28)
    images, labels = domain.images[:, 0].numpy(), domain.labels.numpy()
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    np.savez(tmp_path / "b.npz", images=255 - images, labels=labels)           # loaded, they are the same pictures
    status, out, _ = mlcourse("study", "transfer", "--source", f"array:{tmp_path / 'a.npz'}", "--target",
                              f"array:{tmp_path / 'b.npz'}@rotation=0.2", "--arm", "no adaptation", "--k", "0",
                              "--seed", "0", "--out", tmp_path / "rows.json")
    assert status == 0 and ("120 pictures stand both in array:a and in array:b@rotation=0.2: half of them are left to "
                            "either side.") in out


def test_pairs_that_differ_have_files_that_differ():
    assert file_name("transfer", ["glyphs-digits"], "digits") == "transfer-glyphs-digits-to-digits"
    names = {file_name("transfer", [f"folder:{path}"], "digits") for path in ("a b", "a-b", "a/b", "a_b", "a.b")}
    assert len(names) == 5 and all("/" not in name and " " not in name for name in names)
