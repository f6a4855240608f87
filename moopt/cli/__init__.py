"""The command line: ``moopt run``, ``confirm``, ``front``, ``choose``, ``export``, ``verify``, ``explore``..."""

from moopt.cli.app import app, help_text
from moopt.cli.choosing import choose
from moopt.cli.confirming import confirm
from moopt.cli.report import report
from moopt.cli.results import explore, export, front
from moopt.cli.search import run
from moopt.cli.studies import studies
from moopt.cli.verify import verify

__all__ = ["app", "main"]

for command in (run, confirm, front, choose, export, verify, report, explore, studies):
    app.command(help=help_text(command))(command)


def main() -> None:
    """The program ``moopt``."""
    app()
