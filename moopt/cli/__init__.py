"""The command line: ``moopt run``, ``front``, ``choose``, ``export``, ``verify``, ``explore``, ``studies``."""

from moopt.cli.app import app, help_text
from moopt.cli.results import choose, explore, export, front
from moopt.cli.search import run
from moopt.cli.studies import studies
from moopt.cli.verify import verify

__all__ = ["app", "main"]

for command in (run, front, choose, export, verify, explore, studies):
    app.command(help=help_text(command))(command)


def main() -> None:
    """The program ``moopt``."""
    app()
