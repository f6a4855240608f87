"""Where the commands print: results on standard output, messages on standard error."""

from __future__ import annotations

import json
import sys

import typer
from rich.console import Console

from moopt.trial import Json

_PIPED_WIDTH = 160


def messages() -> Console:
    """Standard error, as it is at this moment."""
    return Console(stderr=True)


def results() -> Console:
    """Standard output; wide where it is no terminal, so that a table keeps its lines."""
    return Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def say(text: str) -> None:
    """A message for people."""
    typer.echo(text, err=True)


def print_json(value: Json) -> None:
    """Pure JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
