"""Where the commands print: results on standard output, messages on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer
from rich.console import Console

from moopt.trial import Config, Json

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


def config_text(config: Config) -> str:
    """A config in a line: the family first, then its hyperparameters without the family's name before each."""
    family = config.get("family")
    rest = {name.removeprefix(f"{family}:"): value for name, value in config.items() if name != "family"}
    pairs = ", ".join(f"{name}={_number(value)}" for name, value in rest.items())
    return f"{family}: {pairs}" if family is not None else pairs


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
