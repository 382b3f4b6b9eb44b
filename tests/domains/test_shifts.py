"""The shift dial: identity at 0, growth with severity, the same draws whatever the length, and its errors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse.domains import SHIFTS, Domain, proxy_a_distance, shift, shift_domain, shifts

DIAL = (0.0, 0.25, 0.5, 0.75, 1.0)


def strokes(m: int, seed: int = 0, size: int = 28) -> torch.Tensor:
    """Pictures that look like characters enough for the dial: three bars of different places and lengths each."""
    g = torch.Generator().manual_seed(seed)
    images = torch.zeros(m, 1, size, size, dtype=torch.uint8)
    for image in images[:, 0]:
        for upright in (True, False, True):
            at, low, length = (torch.rand(3, generator=g) * torch.tensor([.6, .3, .3]) * size).int().tolist()
            at, low, length = at + size // 5, low + size // 6, length + size // 4
            if upright:
                image[low:low + length, at:at + 2] = 255
            else:
                image[at:at + 2, low:low + length] = 255
    return images


IMAGES = strokes(200)


def distance(a, b):
    return float((a.float() - b.float()).abs().mean()) / 255


def test_the_eight_kinds():
    assert SHIFTS == ("rotation", "contrast", "inversion", "stroke", "blur", "texture", "noise", "typeface")


@pytest.mark.parametrize("kind", SHIFTS)
@given(seed=st.integers(0, 2**32), h=st.integers(1, 33), w=st.integers(1, 33),
       severity=st.sampled_from((0, .01, .6, 1)))
@settings(max_examples=12, deadline=None)
def test_any_image_keeps_its_shape_and_dtype_and_zero_is_the_identity(kind, seed, h, w, severity):
    images = torch.randint(0, 256, (3, 1, h, w), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    before = images.clone()
    shifted = shift(images, kind, severity, seed)
    assert shifted.shape == images.shape and shifted.dtype == torch.uint8
    assert torch.equal(images, before)
    assert severity > 0 or torch.equal(shifted, images)
    assert shifted.data_ptr() != images.data_ptr()


@pytest.mark.parametrize("kind", SHIFTS)
def test_distance_from_the_original_grows_with_severity(kind):
    away = [distance(shift(IMAGES, kind, s, seed=3), IMAGES) for s in DIAL]
    assert away[0] == 0
    assert all(b > a for a, b in zip(away, away[1:]))
    assert away[-1] > 0.02


@pytest.mark.parametrize("kind", sorted(set(SHIFTS) - {"rotation", "blur", "typeface"}))
def test_no_pixel_moves_back_towards_the_original(kind):
    away = [(shift(IMAGES, kind, s).int() - IMAGES.int()).abs() for s in DIAL]
    assert all(bool((b >= a).all()) for a, b in zip(away, away[1:]))


@pytest.mark.parametrize("kind", SHIFTS)
def test_the_proxy_a_distance_grows_with_severity(kind):
    pad = [proxy_a_distance(IMAGES, shift(IMAGES, kind, s)).value for s in (0, .3, 1)]
    assert pad[0] == 0
    assert pad[0] - 0.05 < pad[1] < pad[2] + 0.05
    assert pad[2] > 0.3


@pytest.mark.parametrize("kind", SHIFTS)
def test_severity_is_continuous(kind):
    step = [distance(shift(IMAGES, kind, s), shift(IMAGES, kind, s + 0.01)) for s in (0.1, 0.41, 0.83, 0.99)]
    assert max(step) < 0.03


@pytest.mark.parametrize("kind", SHIFTS)
def test_image_i_takes_the_ith_draw_whatever_the_length_and_the_chunk(kind, monkeypatch):
    images = strokes(23, size=13)
    whole = shift(images, kind, 0.7, seed=5)
    assert torch.equal(shift(images, kind, 0.7, seed=5), whole)
    assert torch.equal(shift(images[:6], kind, 0.7, seed=5), whole[:6])
    monkeypatch.setattr(shifts, "CHUNK", 4)
    # matrix products of other sizes may round a value differently
    assert int((shift(images, kind, 0.7, seed=5).int() - whole.int()).abs().max()) <= 1


def test_only_the_random_kinds_depend_on_the_seed():
    differ = {kind for kind in SHIFTS if not torch.equal(shift(IMAGES, kind, .7, 0), shift(IMAGES, kind, .7, 1))}
    assert differ == {"contrast", "inversion", "texture", "noise"}


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    for kind in SHIFTS:
        shift(IMAGES[:4], kind, 0.5)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_rotation_is_counter_clockwise_by_60_degrees_at_most():
    image = torch.zeros(1, 1, 29, 29, dtype=torch.uint8)
    image[0, 0, 13:16, 23:26] = 255  # 10 pixels to the right of the centre
    for severity in (0.5, 1.0):
        y = shift(image, "rotation", severity)[0, 0].double()
        row = float((y.sum(1) * torch.arange(29)).sum() / y.sum()) - 14
        column = float((y.sum(0) * torch.arange(29)).sum() / y.sum()) - 14
        assert math.degrees(math.atan2(-row, column)) == pytest.approx(60 * severity, abs=1)
        assert math.hypot(row, column) == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize("kind", ["rotation", "typeface"])
def test_moving_a_light_page_leaves_no_dark_corners(kind):
    assert int(shift(255 - IMAGES, kind, 1.0)[:, :, 0, 0].min()) == 255


def test_a_quarter_turn_matches_rot90():
    x = torch.rand(3, 12, 20, generator=torch.Generator().manual_seed(0))
    turned = shifts._affine(x, ((0, 1), (-1, 0)))[:, :, 4:16]
    assert torch.allclose(turned, torch.rot90(x[:, :, 4:16], 1, (1, 2)), atol=1e-5)


def test_contrast_scales_every_image_by_one_factor():
    y = shift(IMAGES, "contrast", 1.0).float().amax((1, 2, 3)) / 255
    assert 0.19 < float(y.min()) < float(y.max()) < 0.53
    assert bool((shift(IMAGES, "contrast", 1.0)[IMAGES == 0] == 0).all())


def test_severity_is_the_fraction_of_inverted_images():
    for severity in DIAL:
        y = shift(IMAGES, "inversion", severity)
        inverted = (y == 255 - IMAGES).flatten(1).all(1)
        assert bool((inverted | (y == IMAGES).flatten(1).all(1)).all())
        assert float(inverted.double().mean()) == pytest.approx(severity, abs=0.1)
    assert bool(inverted.all())


def test_stroke_grows_a_dot_by_the_radius():
    dot = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    dot[0, 0, 14, 14] = 255
    plus = shift(dot, "stroke", 1 / 1.2)[0, 0]
    assert plus.nonzero().tolist() == [[13, 14], [14, 13], [14, 14], [14, 15], [15, 14]]
    half = shift(dot, "stroke", 0.5 / 1.2)[0, 0]
    assert int(half[14, 14]) == 255 and int(half[13, 14]) == 128 and int(half[13, 13]) == 0
    full = shift(dot, "stroke", 1.0)[0, 0]
    assert int(full[14, 15]) == 255 and 0 < int(full[14, 16]) < 100 and 0 < int(full[13, 13]) < 100


def test_blur_has_the_stated_variance_and_keeps_flat_pictures():
    dot = torch.zeros(1, 1, 29, 29, dtype=torch.uint8)
    dot[0, 0, 13:16, 13:16] = 255
    for severity in (0.5, 1.0):
        y = shift(dot, "blur", severity)[0, 0].double().sum(0)
        variance = float((y * (torch.arange(29) - 14.0) ** 2).sum() / y.sum())
        assert variance == pytest.approx(2 / 3 + (1.5 * 29 / 28) ** 2 * severity, rel=0.05)
    flat = torch.full((2, 1, 9, 14), 77, dtype=torch.uint8)
    assert torch.equal(shift(flat, "blur", 1.0), flat)


def test_texture_lies_behind_the_ink():
    y = shift(IMAGES, "texture", 1.0)
    assert bool((y[IMAGES == 255] == 255).all())
    ground = y[IMAGES == 0].float() / 255
    assert float(ground.max()) <= 0.6 + 1e-2 and 0.2 < float(ground.mean()) < 0.4


def test_texture_matches_its_formula():
    m, h, w = 3, 28, 20
    length, direction, phase = torch.rand(m, 3, 3, generator=torch.Generator().manual_seed(9)).unbind(1)
    expected = torch.zeros(m, h, w)
    for i in range(m):
        for row in range(h):
            for column in range(w):
                waves = [math.sin(2 * math.pi / (3 + 5 * float(l)) * (row * math.sin(math.pi * float(d))
                                                                     + column * math.cos(math.pi * float(d)))
                                  + 2 * math.pi * float(p))
                         for l, d, p in zip(length[i], direction[i], phase[i])]
                expected[i, row, column] = 0.6 * min(1, max(0, 0.5 + 0.25 * sum(waves)))
    got = shift(torch.zeros(m, 1, h, w, dtype=torch.uint8), "texture", 1.0, seed=9)[:, 0].float() / 255
    assert float((got - expected).abs().max()) < 0.01


def test_noise_has_the_stated_deviation():
    grey = torch.full((50, 1, 28, 28), 128, dtype=torch.uint8)
    y = shift(grey, "noise", 0.25).float() / 255
    assert float(y.mean()) == pytest.approx(128 / 255, abs=0.002)
    assert float(y.std()) == pytest.approx(0.1, rel=0.02)


def test_typeface_condenses_slants_and_stresses_the_upright_strokes():
    cross = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    cross[0, 0, 4:24, 13:15] = 255
    cross[0, 0, 13:15, 4:24] = 255
    y = shift(cross, "typeface", 1.0)[0, 0].double()
    columns = torch.arange(28.0).double()
    centre = (y * columns).sum(1) / y.sum(1).clamp(min=1e-9)
    assert float(centre[5] - centre[22]) == pytest.approx(0.35 * 17, abs=0.5)    # the top leans to the right
    level, upright = y[12:16, 8].sum(), y[8, :].sum()
    assert float(upright) > 1.2 * float(level)
    inked = (y[13] > 60).nonzero().flatten()
    assert int(inked[-1] - inked[0]) + 1 <= 0.75 * 22


def test_unknown_kinds_and_severities_out_of_range_are_named():
    with pytest.raises(ValueError, match="unknown kind of shift 'rotate'; choose one of rotation, .*typeface"):
        shift(IMAGES, "rotate", 0.5)
    for severity in (-0.1, 1.01, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="severity must lie between 0 .* and 1, got"):
            shift(IMAGES, "blur", severity)
    with pytest.raises(ValueError, match="uint8 of shape .* got torch.float32 of shape"):
        shift(IMAGES.float(), "blur", 0.5)
    with pytest.raises(ValueError, match=r"got torch.uint8 of shape \(200, 28, 28\)"):
        shift(IMAGES[:, 0], "blur", 0.5)


@pytest.mark.parametrize("kind", SHIFTS)
def test_no_images_are_no_mistake(kind):
    assert shift(IMAGES[:0], kind, 1.0).shape == (0, 1, 28, 28)


def test_shift_domain_keeps_everything_but_pictures_name_and_note():
    domain = Domain("toy", IMAGES, torch.arange(200) % 4, tuple("abcd"), tuple("ggxx"), note="Drawn.")
    shifted = shift_domain(domain, "noise", 0.5, seed=2)
    assert shifted.name == "toy@noise=0.5"
    assert shifted.note == "Drawn; shifted by noise of severity 0.5"
    assert torch.equal(shifted.images, shift(IMAGES, "noise", 0.5, seed=2))
    assert shifted.labels is domain.labels
    assert (shifted.classes, shifted.groups) == (domain.classes, domain.groups)
    with pytest.raises(ValueError, match="severity"):
        shift_domain(domain, "noise", 2)
