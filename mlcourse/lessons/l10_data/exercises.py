"""The exercises of lesson 10 on code; those on claims stand in `exercises_claims`."""

from __future__ import annotations

from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.lessons.l10_data.checks import (BY_TORCH, CUT, CUT_SPREAD, MIXED_UP, ONE_NOISE, OWN_NOISE,
                                              check_draw, check_kl, check_sample)
from mlcourse.lessons.l10_data.exercises_claims import verdicts
from mlcourse.lessons.l10_data.exercises_query import query_loss

# ---------------------------------------------------------------- 10.1

DRAW = '''\
def draw(mean, log_var, xi):
    """A draw from a normal distribution that gradients can pass: line [2].

    mean, log_var (..., D): of independent entries; log_var is the logarithm of the variance
    xi (..., D): standard normal noise
    Returns (..., D), a smooth function of mean and log_var. Changes nothing in place.
    """
'''
SPREAD, MOVED = "    sigma = (log_var / 2).exp()", "    return mean + sigma * xi"
DRAW_SOLUTION = DRAW + SPREAD + "\n" + MOVED


def draw_wrong(*edits: tuple[str, str]) -> str:
    """A wrong draw: the solution with edits."""
    return edited(DRAW_SOLUTION, *edits)


draw = Exercise(
    id="10.1", title="A draw that gradients pass", answer="draw", difficulty=1, minutes=3,
    stub=DRAW + "    ...", solution_source=DRAW_SOLUTION, check=check_draw,
    hints=(
        "A normal number with mean μ and deviation σ is μ + σ times a standard normal one.",
        "The variance is exp(log_var). Its root, the deviation, is exp(log_var / 2).",
        "return mean + (log_var / 2).exp() * xi, and nothing else.",
    ),
    wrong=(
        (draw_wrong(("(log_var / 2)", "log_var")), "the variance for the deviation"),
        (draw_wrong((SPREAD, "    sigma = log_var")), "the logarithm for the deviation"),
        (draw_wrong(("(log_var / 2)", "(-log_var / 2)")), "the deviation upside down"),
        (draw_wrong((SPREAD, "    sigma = 1")), "the spread is ignored"),
        (draw_wrong(("mean + sigma", "sigma")), "the mean is ignored"),
        (draw_wrong((MOVED, "    return 1 * mean")), "nothing is drawn"),
        (draw_wrong(("* xi", "* torch.randn_like(mean)")), OWN_NOISE),
        (draw_wrong((MOVED, "    return torch.normal(mean, sigma)")), OWN_NOISE),
        (draw_wrong((MOVED, MOVED + ".detach()"), ("return mean + sigma * xi.", "return (mean + sigma * xi).")), CUT),
        (draw_wrong((SPREAD, "    with torch.no_grad():\n        sigma = (log_var / 2).exp()")), CUT_SPREAD),
        (draw_wrong((MOVED, "    return mean.add_(sigma * xi)")), IN_PLACE),
        (draw_wrong((MOVED, "    return xi.mul_(sigma).add_(mean)")), IN_PLACE),
        (draw_wrong(("(log_var / 2)", "log_var"), ("mean + sigma", "sigma")),
         "the variance for the deviation, the mean is ignored"),
    ),
    mutations=(
        (SPREAD, "    sigma = (log_var / 3).exp()"),
        (MOVED, "    return mean - sigma * xi"),
        (MOVED, "    return mean + sigma * xi.abs()"),
    ))

# ---------------------------------------------------------------- 10.2

KL = '''\
def kl(mean_q, log_var_q, mean_p, log_var_p):
    """KL(q || p) of two normal distributions with independent entries, in nats.

    All four (..., D). Returns (...): the formula for one dimension, written out, then summed
    over the last. Gradients pass.
    """
'''
WIDTHS = "    widths = (log_var_q - log_var_p).exp() - 1 - (log_var_q - log_var_p)"
PLACES = "    places = (mean_q - mean_p).square() / log_var_p.exp()"
SUMMED = "    return (widths + places).sum(-1) / 2"
KL_SOLUTION = KL + "\n".join((WIDTHS, PLACES, SUMMED))


def kl_wrong(*edits: tuple[str, str]) -> str:
    """A wrong divergence: the solution with edits."""
    return edited(KL_SOLUTION, *edits)


SWAPPED = KL + ("    mean_q, log_var_q, mean_p, log_var_p = mean_p, log_var_p, mean_q, log_var_q\n"
                + "\n".join((WIDTHS, PLACES, SUMMED)))
read = lambda value: KL + (f"    log_var_q, log_var_p = (({value}) for v in (log_var_q, log_var_p))\n"
                           + "\n".join((WIDTHS, PLACES, SUMMED)))
STANDARD = KL + "    mean_p, log_var_p = 0 * mean_p, 0 * log_var_p\n" + "\n".join((WIDTHS, PLACES, SUMMED))
NORMALS = ("    normal = lambda m, v: torch.distributions.Normal(m, (v / 2).exp())\n"
           "    return torch.distributions.kl_divergence(normal(mean_q, log_var_q), normal(mean_p, log_var_p)).sum(-1)")
kl = Exercise(
    id="10.2", title="The divergence from a learned prior", answer="kl", difficulty=2, minutes=5,
    stub=KL + "    ...", solution_source=KL_SOLUTION, check=check_kl,
    hints=(
        "In one dimension: ½ (log(σp²/σq²) + σq²/σp² + (μq - μp)²/σp² - 1). What is each term in the four inputs?",
        "log(σp²/σq²) is log_var_p - log_var_q, σq²/σp² is exp(log_var_q - log_var_p), and σp² is exp(log_var_p).",
        "each = log_var_p - log_var_q + (log_var_q - log_var_p).exp() + (mean_q - mean_p)**2 / log_var_p.exp() - 1; "
        "return each.sum(-1) / 2.",
    ),
    wrong=(
        (SWAPPED, "the divergence the other way round"),
        (STANDARD, "the standard normal in place of the prior"),
        (read("2 * v"), "exp(log_var) taken for the deviation"),
        (read("(v**2).log()"), "log_var taken for the deviation"),
        (kl_wrong((" - 1 -", " -")), "the -1 is forgotten"),
        (kl_wrong((" - 1 -", " -"), ("(widths + places).sum(-1)", "((widths + places).sum(-1) - 1)")),
         "the -1 once for all dimensions"),
        (kl_wrong((" / 2", "")), "the half is forgotten"),
        (kl_wrong((" / log_var_p.exp()", "")), "the distance without the prior's width"),
        (kl_wrong((".square() / log_var_p.exp()", ".abs() / (log_var_p / 2).exp()")), "the distance is not squared"),
        (kl_wrong(("1 - (log_var_q - log_var_p)", "1 + (log_var_q - log_var_p)")),
         "the logarithms the wrong way round"),
        (kl_wrong((".sum(-1)", ".mean(-1)")), "the mean over the dimensions"),
        (kl_wrong((".sum(-1)", ".sum()")), "summed over everything"),
        (kl_wrong((".sum(-1)", "")), "not summed"),
        (kl_wrong((SUMMED, "    return ((widths + places).sum(-1) / 2).detach()")), CUT),
        (kl_wrong((PLACES, PLACES.replace("mean_p)", "mean_p.detach())"))), CUT),
        (kl_wrong((" / log_var_p.exp()", " / log_var_p.detach().exp()")), CUT),
        (KL + NORMALS, BY_TORCH),
        (kl_wrong((" / 2", ""), (".sum(-1)", ".mean(-1)")), "the half is forgotten, the mean over the dimensions"),
    ),
    mutations=(
        (WIDTHS, "    widths = (log_var_q - log_var_p).exp() - 1 + 0 * log_var_q"),
        (PLACES, "    places = (mean_q - mean_p).square() / (1 + log_var_p.exp())"),
        (SUMMED, "    return (widths - places).sum(-1) / 2"),
    ))

# ---------------------------------------------------------------- 10.3

SAMPLE = '''\
def sample(prior, decode, c, xi):
    """K pictures of each of B sets, mended.

    prior(c): mean and log_var (M, D) of z for codes c (M, C)
    decode(z, c): pictures (M, 1, h, w) for z (M, D) and c (M, C)
    c (B, C): a code for each set; xi (B, K, D): standard normal noise, for each picture
    Returns (B, K, 1, h, w): picture k of set b is drawn with xi[b, k].
    """
'''
SAMPLE_GIVEN = '''\
def sample_broken(prior, decode, c, xi):
    """Runs, and for one set all is well."""
    B, K, D = xi.shape
    mean, log_var = prior(c)
    mean, log_var = mean.repeat(K, 1), log_var.repeat(K, 1)
    z = mean + (log_var / 2).exp() * xi.reshape(B * K, D)
    x = decode(z, c[:, None].expand(B, K, -1).reshape(B * K, -1))
    return x.reshape(B, K, *x.shape[1:])'''
SIZES, PRIOR = "    B, K, D = xi.shape", "    mean, log_var = prior(c)"
AGAIN = "    mean, log_var = mean.repeat_interleave(K, 0), log_var.repeat_interleave(K, 0)"
NOISY = "    z = mean + (log_var / 2).exp() * xi.reshape(B * K, D)"
DECODED, SHAPED = "    x = decode(z, c.repeat_interleave(K, 0))", "    return x.reshape(B, K, *x.shape[1:])"
SAMPLE_SOLUTION = SAMPLE + "\n".join((SIZES, PRIOR, AGAIN, NOISY, DECODED, SHAPED))


def sample_wrong(*edits: tuple[str, str]) -> str:
    """A wrong way to sample: the solution with edits."""
    return edited(SAMPLE_SOLUTION, *edits)


TURNED = (AGAIN, "    mean, log_var = mean.repeat(K, 1), log_var.repeat(K, 1)")
READ = (SHAPED, "    return x.reshape(K, B, *x.shape[1:]).transpose(0, 1)")
ONCE = ("xi.reshape(B * K, D)", "xi[:, :1].expand(B, K, D).reshape(B * K, D)")
MEAN = ("mean + (log_var / 2).exp() * xi.reshape(B * K, D)", "mean")
sample = Exercise(
    id="10.3", title="Spot the bug: several sets at once", answer="sample", difficulty=2, minutes=4,
    given=SAMPLE_GIVEN, stub=SAMPLE + "    ...", solution_source=SAMPLE_SOLUTION, check=check_sample,
    hints=(
        "Take two sets, A and B, and K = 2. In which order do the four means come, in which the four codes?",
        "repeat gives A B A B; the codes, the noise and reshape go A A B B, set by set. repeat_interleave does, too.",
        "mean.repeat_interleave(K, 0) and log_var.repeat_interleave(K, 0); the other lines stay.",
    ),
    wrong=(
        (SAMPLE + SAMPLE_GIVEN.split("\n", 2)[2], MIXED_UP),
        (sample_wrong(("c.repeat_interleave(K, 0)", "c.repeat(K, 1)")), "the codes of other sets"),
        (sample_wrong(READ), "read in the wrong order"),
        (sample_wrong(ONCE), ONE_NOISE),
        (sample_wrong(MEAN), "the prior's mean in place of a draw"),
        (sample_wrong(("(log_var / 2)", "log_var")), "the variance for the deviation"),
        (sample_wrong(("(log_var / 2).exp()", "log_var")), "the logarithm for the deviation"),
        (sample_wrong(TURNED, ONCE), f"{MIXED_UP}, {ONE_NOISE}"),
    ),
    mutations=(
        (AGAIN, "    mean, log_var = mean.repeat_interleave(K, 0), log_var.repeat(K, 1)"),
        (NOISY, "    z = mean - (log_var / 2).exp() * xi.reshape(B * K, D)"),
        (DECODED, "    x = decode(z, c.flip(0).repeat_interleave(K, 0))"),
        (SHAPED, "    return x.reshape(B, K, *x.shape[1:]).flip(1)"),
    ))

EXERCISES = (draw, kl, sample, verdicts, query_loss)
