"""Arguments and options that several groups of commands have."""

from __future__ import annotations

from typing import Annotated

import typer

UserArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.", show_default=False)]
WaitOption = Annotated[
    str,
    typer.Option("--wait", metavar="TIME", help="How long to let pushes under way finish before writes are paused."),
]
WAIT = "20s"
