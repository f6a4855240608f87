"""The program as a whole: its options, and how an error becomes a line and an exit code."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from moopt.errors import MooptError, UsageError

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class Commands(TyperGroup):
    """Exit code 0 for success, 1 for a failure of the work, 2 for wrong usage, 130 after Ctrl+C.

    An error is a line or two on standard error; ``--debug``, anywhere on the line, shows the traceback besides.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "moopt",
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and end the process with the exit code."""
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given
        given = [word for word in given if word != "--debug"] or ["--help"]
        try:
            code = super().main(given, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.Abort:
            code = FAILED
        except Exception as error:
            if debug:
                raise
            code = _told(error)
        code = code if isinstance(code, int) else 0
        if standalone_mode:
            sys.exit(code)
        return code


def _told(error: Exception) -> int:
    """Print an error for people; gives the exit code."""
    if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough, as `head` does
        sys.stderr.close()
        return FAILED
    if isinstance(error, MooptError):
        typer.echo(f"moopt: {error}", err=True)
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # the command line's own
        place = getattr(getattr(error, "ctx", None), "command_path", "moopt")
        typer.echo(f"{place}: {error.format_message()}\n'{place} --help' shows what can be given.", err=True)
        return WRONG_USAGE
    typer.echo(
        f"moopt: {type(error).__name__}: {error}\nThis should not happen; --debug shows where it comes from.",
        err=True,
    )
    return FAILED


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from moopt import __version__

        typer.echo(f"moopt {__version__}")
        raise typer.Exit


def help_text(command: Callable[..., None]) -> str:
    """A docstring as the command line shows it: examples keep their lines."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(f"\b\n{one}" if one.startswith("moopt ") else one for one in paragraphs)


def _program(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Find the trade-offs of a model and choose one configuration that you can defend.

    moopt run churn.csv --target Churn
    moopt confirm churn.db
    moopt choose churn.db --limit "latency_ms<=5" --prefer recall
    moopt export churn.db --out best
    moopt explore churn.db
    """


app.callback(help=help_text(_program))(_program)
