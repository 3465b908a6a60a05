"""Typer's commands, built once in a process: Typer builds all of them again whenever one is run."""

from __future__ import annotations

from functools import cache

import typer.main

from deployer.cli.main import app

typer.main.get_command = cache(typer.main.get_command)
typer.main.get_command(app)
