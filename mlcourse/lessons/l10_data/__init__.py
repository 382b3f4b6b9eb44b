"""Lesson 10: making data."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="write a set VAE's draw, divergence and query loss, measure what its pictures add",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"LatentWalk": "explorers:latent_walk", "MixLayer": "explorers:mix_layer"},
    studies={"making": "study_making:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
