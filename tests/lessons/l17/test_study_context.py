"""The study of lesson 17 at a tiny size: every arm gives its rows, none twice; arms against what is known of them."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from tiny import patterns

from mlcourse.context import LinearTasks, Prompt, by_prefix, errors, logistic_tables, ridge
from mlcourse.lessons.l17_context import maml, shipped
from mlcourse.lessons.l17_context import study_context_glyphs as glyphs
from mlcourse.lessons.l17_context import study_context_regression as prompts
from mlcourse.lessons.l17_context import study_context_tables as tables
from mlcourse.lessons.l17_context import study_context_words as words
from mlcourse.lessons.l17_context.study_context import CHOOSING, STUDY, Budget, arms
from mlcourse.lessons.l17_context.study_context_results import GLYPHS, PARTS, REGRESSION, TABLES, WORDS
from mlcourse.lessons.l17_context.training import LONG

TINY = Budget(share=1e-4, prompts=20, episodes=2, tables=6, flips=8, words=2, words_to_choose=2)


@pytest.fixture
def small(monkeypatch):
    """A few classes of easy pictures in the place of the glyphs, and their pixels in that of features; few words."""
    made = {}

    def data(split):
        if split not in made:
            domain = patterns(len(made), 8, 20, 28)
            made[split] = domain, domain.images.float().flatten(1)[:, ::49] / 255
        return made[split]

    monkeypatch.setattr(glyphs, "data", data)
    monkeypatch.setattr(words, "QUERY", 2)
    return data


def test_every_arm_gives_its_rows_and_none_twice(small):
    work = STUDY.work([0])
    found = list(STUDY.measure(work, [], TINY))
    assert list(map(STUDY.key_of, found)) == STUDY.plan(work, TINY)
    assert [(row["part"], row["arm"]) for row in found] == [(part, arm) for part in PARTS for arm in arms(part)]
    assert list(STUDY.measure(work, found, TINY)) == []
    for row in found:
        assert row["arm"] in STUDY.line(row)
        assert row["command"] == f"mlcourse study context --part {row['part']} --seed 0"


def test_a_row_that_is_missing_is_measured_again_alike(small):
    work = STUDY.work([3], part=[GLYPHS])
    found = list(STUDY.measure(work, [], TINY))
    one, = STUDY.measure(work, found[:1] + found[2:], TINY)
    assert {**one, "core_seconds": 0} == {**found[1], "core_seconds": 0}


@pytest.mark.parametrize("part", [GLYPHS, WORDS])
def test_rates_are_measured_on_what_is_for_validation_before_the_seeds(small, part):
    keys = STUDY.plan(STUDY.work([0], choose=True, part=[part]), TINY)
    assert [key[-1] == CHOOSING for key in keys] == sorted((key[-1] == CHOOSING for key in keys), reverse=True)
    assert all((key[-1] == CHOOSING) == (key[-2] == "val") for key in keys)
    row = next(STUDY.measure(STUDY.work([0], choose=True, part=[part]), [], TINY))
    assert (row["split"], row["seed"], row["command"]) == ("val", CHOOSING,
                                                           f"mlcourse study context --part {part} --choose")


def test_what_cannot_be_asked_for():
    with pytest.raises(ValueError, match="there is no part 'sounds'; the parts are regression, diversity"):
        STUDY.work(part=["sounds"])
    with pytest.raises(ValueError, match="seed 100 is the one that rates are chosen with"):
        STUDY.work([100])


@pytest.mark.parametrize("name", prompts.SITUATIONS)
def test_ridge_that_is_told_the_situation_is_the_best(name):
    tasks, penalty = prompts.situation(name)
    prompt = tasks.sample(3000, torch.Generator().manual_seed(5))
    late = lambda penalty: float(errors(by_prefix(ridge(penalty), prompt.x, prompt.y), prompt.clean)[:, 5:].mean())
    assert late(penalty) <= min(late(penalty * factor) for factor in (0.3, 3.0))


def test_what_ridge_is_judged_by_itself():
    row = prompts.judged(prompts.RIDGE, None, 100)
    assert row["to_ridge"] == [[1.0, 0.0]] * 4 and row["less_ridge"] == [[0.0, 0.0]] * 4
    assert all(len(errors) == LONG.points for errors in row["errors"])


def test_a_small_pool_begins_a_larger_one_and_only_its_tasks_are_shown():
    pool = prompts.pool_of(16, 3)
    assert torch.equal(pool, prompts.pool_of(64, 3)[:16]) and not torch.equal(pool, prompts.pool_of(16, 4))
    drawn = LONG.tasks(pool).sample(200, torch.Generator().manual_seed(0)).w
    assert (drawn[:, None] == pool).all(-1).any(-1).all()


def test_maml_predicts_each_from_the_pairs_before_it():
    learner = maml.trained(LinearTasks(2, 4, 0.5), 0, 2)
    prompt = LinearTasks(2, 4, 0.5).sample(3, torch.Generator().manual_seed(1))
    said = maml.by_pairs(learner, prompt.x, prompt.y)
    changed = prompt.y.clone()
    changed[:, 2:] += 5
    other = maml.by_pairs(learner, prompt.x, changed)
    assert torch.equal(said[:, :3], other[:, :3]) and not torch.allclose(said[:, 3], other[:, 3])


def test_the_fits_of_a_table_are_those_of_scikit_learn():
    table = logistic_tables(3, 30, 4, torch.Generator().manual_seed(0))
    x, y, new = table.x[:, :20], table.y[:, :20], table.x[:, 20:]
    logits = tables.logistic_fit(x, y, new)
    lines = tables.ridge_fit(x, y, new).sigmoid()
    one = lambda x: torch.nn.functional.pad(x, (0, 1), value=1.0)
    for i in range(3):
        scale = torch.tensor([2.0, 2, 2, 2, 1])                     # w ~ N(0, 4 I), b ~ N(0, 1) as one prior N(0, I)
        theirs = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=1000).fit(one(x[i]) * scale, y[i])
        assert logits[i].tolist() == pytest.approx(theirs.decision_function(one(new[i]) * scale).tolist(), abs=1e-3)
        line = Ridge(alpha=1.0, fit_intercept=False).fit(one(x[i]), 2 * y[i] - 1).predict(one(new[i]))
        assert lines[i].tolist() == pytest.approx((0.5 + 0.5 * line).clip(0.02, 0.98).tolist(), abs=1e-4)


def test_no_arm_sees_the_labels_that_it_is_judged_by():
    table = tables.tables(tables.REAL, 6)
    hidden = table._replace(y=torch.cat([table.y[:, :10], 1 - table.y[:, 10:]], 1))
    for arm in tables.FITTED:
        assert torch.equal(tables.answers(arm, None, table, 10), tables.answers(arm, None, hidden, 10))
    model, _, _ = tables.pfn(tables.LOGISTIC, 0, 1e-4)
    assert torch.equal(tables.answers("", model, table, 10), tables.answers("", model, hidden, 10))


def test_the_coin_network_predicts_a_flip_from_those_before_it():
    model, flips = tables.CoinNetwork(), tables.tosses(2, 0.5, torch.Generator().manual_seed(0))
    other = flips.clone()
    other[:, 5] = 1 - other[:, 5]
    said, changed = model(flips), model(other)
    assert said.shape == (2, tables.FLIPS + 1)
    assert torch.equal(said[:, :6], changed[:, :6]) and not torch.allclose(said[:, 6], changed[:, 6])


def test_features_stand_in_the_place_of_pictures(small):
    domain, z = small("test")
    sampler = glyphs.OfFeatures(domain, z, 3, 1, 2)
    episode = sampler.sample(2, torch.Generator().manual_seed(0))
    assert episode.support_x.shape == (2, 3, z.shape[1])
    assert (episode.support_x.flatten(0, 1)[:, None] == z).all(-1).any(-1).all()


def test_what_starts_as_the_identity_is_protonet(small):
    """A linear map and a residual head before their training say what ProtoNet says."""
    domain, z = small("test")
    episode = glyphs.OfFeatures(domain, z, 5, 1, 3).sample(4, torch.Generator().manual_seed(0))
    said = {arm: glyphs.ARMS[arm].make(z.shape[1], 0).predictions(episode)
            for arm in (glyphs.PROTO, glyphs.BY_MAP, glyphs.BY_RESIDUAL)}
    for logits in said.values():
        torch.testing.assert_close(logits, said[glyphs.PROTO], rtol=1e-5, atol=1e-4)


def test_the_checkpoints_come_from_their_commands(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "path", lambda name: tmp_path / f"{name}.safetensors")
    monkeypatch.setitem(shipped.SETTINGS, "context-line", prompts.shortened(shipped.LINE, 1e-4))
    shipped.store("context-line", shipped.SETTINGS["context-line"], 20)
    shipped.store_maml(20, 1)
    prompt = Prompt(torch.randn(2, 4, 1), torch.randn(2, 4), torch.randn(2, 1))
    assert shipped.load.__wrapped__("context-line")(prompt.x, prompt.y).shape == (2, 4)
    assert maml.by_pairs(shipped.maml_line(), prompt.x, prompt.y).shape == (2, 4)
    assert shipped.card("context-line")["training"]["seed"] == shipped.SEED


def test_seeds_of_arms_that_have_fewer():
    keys = STUDY.plan(STUDY.work(), STUDY.budget)
    seeds = lambda part, arm: [key[-1] for key in keys if key[:2] == (part, arm)]
    assert seeds(REGRESSION, prompts.BY_LIVE) == [0, 1, 2, 3, 4] and seeds(REGRESSION, prompts.RIDGE) == [0]
    assert seeds(TABLES, next(iter(tables.PFNS))) == [0] and seeds(GLYPHS, glyphs.BY_CAML) == [0, 1, 2, 3, 4]
