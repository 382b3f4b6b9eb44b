"""The race of a learned optimiser against tuned ones."""
