"""`mlcourse study`: every study of the course."""

from __future__ import annotations

import typer

study_app = typer.Typer(help="The studies: methods side by side on the same data, over seeds, with intervals.",
                        no_args_is_help=True, rich_markup_mode="rich")
