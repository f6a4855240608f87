"""The command line: ``moopt run``, ``front``, ``choose``, ``export``, ``explore``, ``studies``."""

from moopt.cli.app import app, help_text
from moopt.cli.choosing import choose
from moopt.cli.results import explore, export, front
from moopt.cli.search import run
from moopt.cli.studies import studies

__all__ = ["app", "main"]

for command in (run, front, choose, export, explore, studies):
    app.command(help=help_text(command))(command)


def main() -> None:
    """The program ``moopt``."""
    app()
