"""The contrast explorer against loops over its pairs, and over every corner of its controls."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mlcourse.lessons.l16_contrast.widget_contrast import MOST, STEP, ContrastExplorer, contrast, drawn_pairs
from mlcourse.losses.contrast import symmetric_info_nce
from mlcourse.probes import class_rows
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep

LABELS = torch.arange(45).repeat_interleave(4)


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


def features(seed=0, noise=0.7):
    """Unit features (180, 6) of two sides that agree somewhat, float32."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.randn(45, 6, generator=generator)[LABELS]
    return tuple(F.normalize(centre + noise * torch.randn(centre.shape, generator=generator), dim=-1) for _ in range(2))


def record(tau=0.2, query=3, count=12, draw=0):
    a, b = features()
    return contrast(a, b, *drawn_pairs(class_rows(LABELS), count, draw), tau=tau, query=query, name="some")


def explorer(**settings):
    a, b = features()
    pictures = torch.rand(len(a), 1, 28, 28, generator=torch.Generator().manual_seed(1))
    same = lambda x: x
    return ContrastExplorer({"some": (same, same), "turned": (same, lambda x: x.flip(1))}, a, b, LABELS, pictures,
                            1 - pictures, **settings)


def test_similarities_weights_and_losses_equal_double_loops():
    got, (a, b) = record(), features()
    a, b = a[got.rows_a].double(), b[got.rows_b].double()
    forth = back = 0.0
    for i in range(12):
        for j in range(12):
            assert got.s[i, j] == pytest.approx(float(a[i] @ b[j] / a[i].norm() / b[j].norm()), abs=1e-5)
        powers = [math.exp(float(a[i] @ b[j]) / 0.2) for j in range(12)]
        others = [math.exp(float(a[j] @ b[i]) / 0.2) for j in range(12)]
        assert got.weights[i] == pytest.approx(np.array(powers) / sum(powers), abs=1e-4)
        forth -= math.log(powers[i] / sum(powers)) / 12
        back -= math.log(others[i] / sum(others)) / 12
    assert (got.forth, got.back) == (pytest.approx(forth, abs=1e-4), pytest.approx(back, abs=1e-4))


def test_the_push_is_minus_the_gradient_by_central_differences():
    got, (a, b) = record(), features()
    a, b = a[got.rows_a].double(), b[got.rows_b].double()
    both = torch.cat([a, b])
    centred = both - both.mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False).Vh[:2]
    slopes = torch.zeros(24, 2, dtype=torch.float64)
    for i in range(24):
        for k in range(2):
            ends = []
            for h in (1e-6, -1e-6):
                moved = both.clone()
                moved[i] += h * axes[k]
                ends.append(float(symmetric_info_nce(moved[:12], moved[12:], 0.2)))
            slopes[i, k] = (ends[0] - ends[1]) / 2e-6
    want = -slopes * STEP / slopes.norm(dim=1).max()
    push = np.concatenate([got.push_a, got.push_b])
    assert np.abs(push) == pytest.approx(want.abs().numpy(), abs=2e-3)       # an axis may point the other way
    assert np.hypot(*push.T).max() == pytest.approx(STEP)
    plane = np.concatenate([got.plane_a, got.plane_b])
    assert np.abs(plane) == pytest.approx((centred @ axes.T).abs().numpy(), abs=1e-4)


def test_retrieval_both_ways_and_the_answers_in_order():
    got = record()
    for way, hits in ((got.s, got.hits_forth), (got.s.T, got.hits_back)):
        assert hits == pytest.approx(np.mean([np.argmax(row) == i for i, row in enumerate(way)]))
    assert got.found_b.tolist() == np.argsort(-got.s[3])[:5].tolist()
    assert got.found_a.tolist() == np.argsort(-got.s[:, 3])[:5].tolist()


def test_rivals_run_from_few_at_a_small_temperature_to_all_at_a_large_one():
    few, some, all_ = (record(tau).rivals for tau in (0.01, 0.2, 3.0))
    assert 1 <= few < 1.6 < some < all_ < 11.001 and all_ > 10.5


def test_the_temperature_moves_weights_and_losses_and_not_who_is_nearest():
    cold, warm = record(0.05), record(2.0)
    assert np.array_equal(cold.s, warm.s) and np.array_equal(cold.found_b, warm.found_b)
    assert np.array_equal(cold.plane_a, warm.plane_a) and not np.allclose(cold.push_a, warm.push_a)
    assert warm.weights.max() < 0.25 and cold.weights.max() > 0.9


def test_pairs_are_two_drawings_of_a_character_and_more_pairs_keep_those_before():
    rows = class_rows(LABELS)
    a, b = drawn_pairs(rows, 20, 0)
    assert torch.equal(LABELS[a], LABELS[b]) and (a != b).all() and len(set(LABELS[a].tolist())) == 20
    assert all(torch.equal(few, many[:7]) for few, many in zip(drawn_pairs(rows, 7, 0), (a, b)))
    assert not torch.equal(drawn_pairs(rows, 20, 1)[0], a)


def test_every_control_can_be_swept_and_moves_the_picture():
    shown, pictures = explorer(), {}
    assert shown.controls["batch"].max == MOST
    for name, value, got in sweep(shown):
        assert np.isfinite(got.s).all() and np.isfinite([got.forth, got.back, got.rivals]).all()
        assert bytes(shown.picture.value).startswith(b"\x89PNG")
        pictures.setdefault(name, set()).add(shown.picture.value)
    assert set(pictures) == set(shown.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_the_words_follow_the_numbers():
    shown = explorer(batch=10, tau=0.1)
    got = shown.record
    assert shown.headline(got) == (f"turned: the right stroke is nearest for ≈{round(10 * got.hits_forth)} of 10 "
                                   f"pictures, the right picture for ≈{round(10 * got.hits_back)} of 10 strokes")
    assert "guessing costs log N = 2.3." in shown.alt and "of its 9 negatives" in shown.alt
    assert "is ≈1 nats from picture to stroke and ≈2 back" in shown.describe(got._replace(forth=1.0, back=2.0))
    s = 0.1 * np.eye(10)
    s[0, 3], s[5, 0] = 0.7, 0.6
    assert shown.describe(got._replace(s=s, query=0)).endswith(
        "Pair 0 has a cosine of ≈0.10, its picture's nearest rival ≈0.70, its stroke's ≈0.60.")


def test_a_query_beyond_the_batch_wraps_around_and_two_pairs_suffice():
    shown = explorer()
    shown.set(batch=2, query=39)
    assert shown.error is None and shown.record.query == 1 and len(shown.record.found_b) == 2


def test_it_needs_encoders():
    a, _ = features()
    with pytest.raises(ValueError, match="at least one pair of encoders"):
        ContrastExplorer({}, a, a, LABELS, a, a)
