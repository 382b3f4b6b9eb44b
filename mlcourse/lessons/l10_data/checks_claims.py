"""Checks of lesson 10 on claims: what the study bears out, and whether MAML is a VAE."""

from __future__ import annotations

from typing import NamedTuple

from mlcourse.exercises import entries
from mlcourse.exercises.framework import Misconception, all_of, look_at

# ---------------------------------------------------------------- 10.4


class Claim(NamedTuple):
    """A claim on two arms of the study, 5-way 1-shot: a ridge regression on pixels or features (`on`) is more accurate
    with `one` than with `other`. verdict, name, why: as in `mlcourse.exercises.entries.check_claims`."""

    verdict: str
    name: str
    why: str
    one: str
    other: str
    on: str

    @property
    def says(self) -> str:
        """The claim as the exercise prints it."""
        return f"on {self.on}: {self.one} is more accurate than {self.other}"


CALL = "call apart with these names; on which side of 0 does its interval lie?"
CLAIMS = {
    "a": Claim("yes", "what loses to a rival taken for useless", CALL, "set VAE", "support alone", "pixels"),
    "b": Claim("open", "the larger mean wins", CALL, "support alone", "DAGAN", "pixels"),
    "c": Claim("no", "a wide interval taken for an open one", CALL, "DAGAN", "set VAE, query loss", "pixels"),
    "d": Claim("yes", "two trainings of a network taken for one", CALL, "set VAE, query loss", "set VAE", "pixels"),
    "e": Claim("open", "what helps on pixels taken to help on features", CALL, "set VAE, query loss", "hand-made views",
               "features"),
}


def check_verdicts(answer: object) -> str:
    """10.4: what the rows of the study bear out."""
    return entries.check_claims(answer, CLAIMS)


# ---------------------------------------------------------------- 10.6

MAML, VAE, BOTH = CHOICES = ("maml", "vae", "both")


class Property(NamedTuple):
    """What is said, of whom it is true (one of CHOICES), and the misconception behind another answer, with what to look
    at."""

    says: str
    of: str
    name: str
    why: str


PROPERTIES = {
    "a": Property("it learns from many tasks what they share, and keeps it in its weights", BOTH,
                  "only one of the two learns across tasks", "θ of MAML and the weights of encoder, prior and decoder "
                  "are trained on many tasks"),
    "b": Property("from a support set it makes numbers of that task alone", BOTH,
                  "only one of the two has numbers of a task", "MAML makes φ of a support set, the set VAE q(c | S)"),
    "c": Property("it makes them by following the gradient of a loss on the support set", MAML,
                  "an encoder taken for gradient steps", "the set VAE reads a set in one forward pass; at test it "
                  "follows no gradient"),
    "d": Property("they are drawn from a distribution that it has learned", VAE,
                  "MAML taken for a random draw", "φ is θ less a gradient, computed, not drawn: the same support set "
                  "gives the same φ"),
    "e": Property("trained, it can draw a new picture of the class", VAE,
                  "MAML taken for a generative model", "MAML's network maps pictures to labels, p(y | x); nothing in it "
                  "gives a picture"),
    "f": Property("its outer loss is the loss on query labels after adaptation, with no divergence in it", MAML,
                  "a bound taken for a query loss", "in lines [1] to [7] there is no query and no loss on labels: they "
                  "climb a bound on log p(S)"),
}


def check_maml(answer: object) -> str:
    """10.6: six properties, and the claim."""
    given = entries.filled(answer, {**dict.fromkeys(PROPERTIES, CHOICES), "MAML is a VAE": ("yes", "no")})
    found = [Misconception(each.name, look_at(key, each.why)) for key, each in PROPERTIES.items()
             if given[key] != each.of]
    if given["MAML is a VAE"] == "yes":
        found.append(Misconception("a shared level taken for the same model", "both have numbers of a task under numbers "
                                   "of all tasks; a VAE also needs a random code, an encoder that gives its "
                                   "distribution, and a decoder of x."))
    if found:
        raise all_of(found)
    return ("Two levels of numbers are what they share: Grant et al. (2018) read MAML as estimating such a hierarchy, "
            "without encoder, draw or decoder.")
