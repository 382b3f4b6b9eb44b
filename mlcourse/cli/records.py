"""Help texts made from records, read only when the help is shown: they need torch, which the other commands start
without."""

from __future__ import annotations

from typer.core import TyperCommand


def methods() -> str:
    """The methods that `mlcourse train` takes, the baselines last."""
    from mlcourse.learners import METHODS

    names = lambda baseline: ", ".join(entry.name for entry in METHODS if entry.baseline == baseline)
    return f"{names(False)}, or a baseline: {names(True)}."


def domains() -> str:
    """The ways to name a domain."""
    from mlcourse.datasets import specs

    return f"{', '.join(specs())}; for images also with @SHIFT=SEVERITY."


def downloads() -> str:
    """The data sets that can be downloaded."""
    from mlcourse.datasets import downloads

    return f"{', '.join(downloads())}."


PLACES = {"METHODS": methods, "DOMAINS": domains, "DOWNLOADS": downloads}


class FromRecords(TyperCommand):
    """A command in whose help the words {METHODS}, {DOMAINS} and {DOWNLOADS} become what the records say."""

    def format_help(self, ctx, formatter) -> None:
        """Fill in the places, then show the help."""
        for holder in (self, *self.params):
            text = getattr(holder, "help", None) or ""
            for place, say in PLACES.items():
                if f"{{{place}}}" in text:
                    text = text.replace(f"{{{place}}}", say())
            if text:
                holder.help = text
        super().format_help(ctx, formatter)
