"""The freeze study on a small scale: its arms against the learners of their names, its cut of the target, its rows."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import patterns

from mlcourse import cli
from mlcourse.episode import Episode
from mlcourse.episode.across import pixels
from mlcourse.learners import L2SP, LPFT, FineTune, Freeze, LinearProbe, LoRA
from mlcourse.lessons.l02_transfer import study_freeze as study
from mlcourse.lessons.l02_transfer import study_freeze_arms as arms
from mlcourse.lessons.l02_transfer.sources import NONE, SOURCES, network
from mlcourse.nets import Conv4, call, features, params_of
from mlcourse.rows import read, save

TINY = study.Budget(ks=(2, 10), draws=(2, 1), source_steps=3, stops=(2, 3), probe_stops=(3, 5), long_stops=(4,),
                    rates=(0.1, 0.3), probe_rates=(0.3, 1.0), penalties=(0.1, 1.0), anchors=(0.1, 1.0), episodes=20)
STUDY = study.STUDY
SOME = ["head on 0", "head on 4", "L2-SP", "LP-FT", "5-way 1-shot"]
WAYS, STEPS = 5, 4
RATES = torch.tensor([0.05, 0.2])


def two_tasks(shot=3, source=False):
    """Two tasks of two bodies with labelled patterns, in float64."""
    domain = patterns(0, WAYS, 12)
    of_class = [torch.nonzero(domain.labels == c)[:, 0] for c in range(WAYS)]
    rows = [torch.cat([mine[first:first + shot] for mine in of_class]) for first in (0, 5)]
    x, y = pixels(domain.images).double()[torch.stack(rows)], domain.labels[torch.stack(rows)]
    nets = [network(0, seed).double() for seed in (0, 1)]
    bodies = {name: torch.stack([params_of(net)[name].detach() for net in nets]) for name in params_of(nets[0])}
    tasks = arms.Tasks(network(WAYS, 0).double(), bodies, x, y, seed=3)
    if source:
        tasks = replace(tasks, source_x=x.flip(1).repeat(1, 4, 1, 1, 1), source_y=(y.flip(1) % 2).repeat(1, 4),
                        source_classes=2)
    return tasks, nets


def episode(tasks, i):
    none = tasks.x[i, :0]
    return Episode(tasks.x[i], tasks.y[i], none, tasks.y[i, :0], none, torch.arange(WAYS), torch.tensor(0))


def headed(net):
    whole = network(WAYS, 0).double()
    whole.load_state_dict({**whole.state_dict(), **net.state_dict()})
    return whole


LEARNERS = {
    arms.FINE: lambda net, i: FineTune(net, lr=float(RATES[i]), steps=STEPS),
    "frozen 1": lambda net, i: Freeze(net, depth=1, lr=float(RATES[i]), steps=STEPS),
    "frozen 3": lambda net, i: Freeze(net, depth=3, lr=float(RATES[i]), steps=STEPS),
    "frozen 4": lambda net, i: Freeze(net, depth=4, lr=float(RATES[i]), steps=STEPS),
    arms.LPFT: lambda net, i: LPFT(net, lr=float(RATES[i]), steps=STEPS, probe_lr=(0.5, 1.0)[i], probe_steps=(3, 6)[i]),
    arms.L2SP: lambda net, i: L2SP(headed(net), lr=float(RATES[i]), steps=STEPS, anchor=(0.2, 2.0)[i],
                                   shrink=arms.SHRINK),
    arms.LOW: lambda net, i: LoRA(net, rank=arms.RANK, scale=float(arms.RANK), lr=float(RATES[i]), steps=STEPS,
                                  seed=3).double(),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_an_arm_is_the_learner_of_its_name_for_every_task(name):
    tasks, nets = two_tasks()
    extra = {"rate": torch.tensor([0.5, 1.0]), "steps": torch.tensor([3, 6]),
             "anchor": torch.tensor([0.2, 2.0]).double()}
    arm = arms.prepared(tasks, name, extra)
    phi = arm.merged(arms.descended(tasks, arm, arm.start, range(STEPS), RATES.double()))
    x = tasks.x.flip(0)
    logits = call(tasks.net, phi, x)
    for i, net in enumerate(nets):
        learner = LEARNERS[name](net, i)
        wanted = learner.predict(learner.adapt(episode(tasks, i)), x[i])
        torch.testing.assert_close(logits[i], wanted, rtol=0, atol=1e-9)


def test_a_random_head_is_where_that_arm_starts():
    tasks, nets = two_tasks()
    arm = arms.prepared(tasks, arms.RANDOM, {})
    head = arm.start["head.weight"]
    assert torch.equal(head[0], head[1]) and head.std() > 0.1
    phi = arms.descended(tasks, arm, arm.start, range(STEPS), RATES.double())
    learner, e = FineTune(nets[0], lr=0.05), episode(tasks, 0)
    start = {**learner.start(e), "new.weight": head[0]}
    torch.testing.assert_close(phi["convs.0.weight"][0], learner.tuned(start, e, STEPS).params["convs.0.weight"])


def test_joint_training_descends_the_sum_of_both_losses():
    tasks, nets = two_tasks(source=True)
    arm = arms.prepared(tasks, arms.JOINT, {})
    start = {name: p + 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(4)).double()
             for name, p in arm.start.items()}
    got = arm.loss(start, tasks.x, tasks.y)
    rows = torch.randint(tasks.source_x.shape[1], (arms.BATCH,), generator=torch.Generator().manual_seed(3))
    for i, net in enumerate(nets):
        own = {name: p[i] for name, p in start.items()}
        body = {name: own[name] for name in params_of(net)}
        z, source_z = (features(net, body, x) for x in (tasks.x[i], tasks.source_x[i, rows]))
        target = F.cross_entropy(F.linear(z, own["head.weight"], own["head.bias"]), tasks.y[i])
        theirs = F.linear(source_z, own["source.weight"], own["source.bias"])
        torch.testing.assert_close(got[i], target + F.cross_entropy(theirs, tasks.source_y[i, rows]))


def test_more_pictures_than_a_batch_are_seen_in_turn():
    seen = torch.cat([arms.places(120, step, 7) for step in range(2)])
    assert len(seen) == len(set(seen.tolist())) == 2 * arms.BATCH
    assert torch.equal(seen[:arms.BATCH], arms.places(120, 0, 7))
    assert not torch.equal(arms.places(120, 2, 7), arms.places(120, 0, 7))
    assert not torch.equal(arms.places(120, 0, 8), arms.places(120, 0, 7))


def test_a_ridge_head_is_that_of_the_linear_probe():
    """T4: at full depth the ladder of ridge heads is LinearProbe."""
    tasks, nets = two_tasks()
    e, test_x, test_y = episode(tasks, 0), tasks.x[1], tasks.y[1]
    z, test_z = (study.at_depth(nets[0], x, 4).detach() for x in (e.support_x, test_x))
    found = arms.ridge_accuracies(z, e.support_y, test_z, test_y, (0.01, 0.1, 1.0))
    for penalty, value in zip((0.01, 0.1, 1.0), found, strict=True):
        probe = LinearProbe(nets[0], penalty=penalty)
        right = probe.predict(probe.adapt(e), test_x).argmax(1) == test_y
        assert float(value) == pytest.approx(100 * float(right.double().mean()), abs=1e-4)


# ------------------------------------------------------------------ the target


def test_what_chooses_is_in_no_half_and_the_halves_share_nothing():
    aside = set(map(bytes, study.target(study.CHOOSING)[0].images.numpy()))
    for seed in (0, 1):
        train, test = (set(map(bytes, half.images.numpy())) for half in study.target(seed))
        assert not (aside & train or aside & test or train & test)
    assert not torch.equal(study.target(0)[0].labels[:50], study.target(1)[0].labels[:50]) or (
        not torch.equal(study.target(0)[0].images, study.target(1)[0].images))


def test_labels_are_k_of_each_class_nested_and_drawn_anew():
    train = study.target(0)[0]
    few, more, other = (study.labelled(train, k, 0, draw) for k, draw in ((2, 0), (10, 0), (2, 1)))
    assert torch.bincount(train.labels[few]).tolist() == [2] * 10 and set(few.tolist()) <= set(more.tolist())
    assert set(few.tolist()) != set(other.tolist())


def test_choosing_is_judged_on_what_was_not_labelled():
    s = study.Seed(study.CHOOSING, TINY)
    (x, _), (judged, y) = s.labels(10, 2), s.judged(10, 2)
    for mine, others in zip(x, judged, strict=True):
        assert not set(map(bytes, mine.numpy())) & set(map(bytes, others.numpy()))
    assert judged.shape[1] + x.shape[1] == len(s.halves[0].images) and y.shape == judged.shape[:2]


# ------------------------------------------------------------------ rows


@pytest.fixture(scope="module")
def measured():
    """The rows of one seed for a few arms."""
    return list(STUDY.measure(STUDY.work([1], arm=SOME), [], TINY))


def test_every_arm_has_a_row_from_every_source_and_none_is_measured_twice(measured):
    work = STUDY.work([1], arm=SOME)
    assert sorted(map(str, map(STUDY.key_of, measured))) == sorted(map(str, study.plan(work, TINY)))
    assert {"fine-tuned", "frozen 4"} <= {row["arm"] for row in measured}          # what L2-SP and LP-FT rest on
    assert [row["source"] for row in measured if row["arm"] == "head on 0" and row["seed"] == 1] == [NONE] * 2
    assert {row["source"] for row in measured if row["arm"] == "5-way 1-shot"} == {"pixels", NONE, *SOURCES}
    assert not list(STUDY.measure(work, measured, TINY))


def test_a_seed_takes_the_settings_that_were_chosen_aside(measured):
    chosen = {(row["source"], row["arm"], row["k"]): row for row in measured if row["seed"] == study.CHOOSING}
    for row in measured:
        if row["seed"] == 1 and row["arm"] != "5-way 1-shot":
            like = chosen[row["source"], row["arm"], study.regime(row["k"])]
            assert all(row[name] == like[name] for name in ("rate", "steps", "penalty", "anchor") if name in like)
    for row in chosen.values():
        tried = row["tried"] if row["arm"].startswith("head") else sum(row["tried"], [])
        assert row["accuracy"] == pytest.approx(max(tried), abs=0.01)


def test_a_row_is_what_its_learner_gets_on_the_test_half(measured):
    """Fine-tuning from typeset digits at k = 10, by the learner, on the one draw of that k."""
    row = next(r for r in measured if (r["source"], r["arm"], r["k"], r["seed"]) == ("typeset", "fine-tuned", 10, 1))
    s = study.Seed(1, TINY)
    x, y = (t[0] for t in s.labels(10, 1))
    net = Conv4(0, **{k: v for k, v in s.net("typeset").config.items() if k not in ("net", "way")})
    net.load_state_dict({n: t for n, t in s.net("typeset").state_dict().items() if not n.startswith("head.")})
    learner, phi = FineTune(net, lr=row["rate"]), None
    for step in range(row["steps"]):
        rows = arms.places(len(x), step, 1)
        part = Episode(x[rows], y[rows], x[:0], y[:0], x[:0], torch.arange(10), torch.tensor(0))
        phi = learner.tuned(learner.start(part) if phi is None else phi.params, part, 1)
    test = s.halves[1]
    right = learner.predict(phi, pixels(test.images)).argmax(1) == test.labels
    assert row["accuracy"] == pytest.approx(100 * float(right.float().mean()), abs=0.31)


def test_the_test_half_and_its_labels_train_nothing(measured, monkeypatch):
    """T3: the reported accuracy is of the target's test pictures alone, and nothing else depends on them."""
    kept = [row for row in measured if row["seed"] == study.CHOOSING]
    train, test = study.target(1)
    monkeypatch.setattr(study, "target", lambda seed: (train, replace(test, labels=test.labels.flip(0))))
    row, = (r for r in study.rows(STUDY.work([1], arm=["head on 0"]), TINY, [(NONE, "head on 0", 10, 1)], kept))
    before = next(r for r in measured if STUDY.key_of(r) == (NONE, "head on 0", 10, 1))
    assert row["penalty"] == before["penalty"] and row["accuracy"] < before["accuracy"]


def test_what_is_asked_for_and_is_not_there_is_told():
    with pytest.raises(ValueError, match="there is no arm 'frozen 9'; the arms are head on 0, head on 1"):
        STUDY.work([0], arm=["frozen 9"])
    with pytest.raises(ValueError, match="seeds lie in 0..99 here, as 1000 and the networks of seed 100 choose; got"):
        STUDY.work([1000])


def test_the_command_measures_what_is_missing(measured, tmp_path, capsys, monkeypatch):
    out = tmp_path / "rows.json"
    monkeypatch.setattr(study, "STUDY", replace(STUDY, budget=TINY, pictures=None))
    save(out, [row for row in measured if STUDY.key_of(row) != (NONE, "head on 0", 10, 1)], study.KEY)
    words = ["mlcourse", "study", "freeze", "--seed", "1", "--arm", "head on 0", "--out", str(out)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().out
    assert end.value.code in (0, None) and len(read(out)) == len(measured)
    assert said.count("none      head on 0         k = 10   seed    1") == 1
