"""The lessons, each in a folder of its own: exercises and their checks, figures, explorers, studies."""
