"""``moopt verify``: whether an export still is what it claims."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from moopt.cli.app import FAILED
from moopt.cli.output import print_json, results
from moopt.verify import Report, Verdict
from moopt.verify import verify as check

_STYLES = {Verdict.HOLDS: "green", Verdict.FAILS: "bold red", Verdict.UNCHECKED: "dim"}


def verify(
    export: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an export, or its zip.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check an export: every file, then what its model predicts, weighs and takes, each claim beside what is found.

    moopt verify churn_export
    moopt verify churn_export.zip --json

    The exit code is 1 where a claim does not hold. A latency may be 1.5 times what is claimed, scaled by what a fixed
    workload takes on both machines.
    """
    report = check(export)
    if json:
        print_json(
            {
                "study": report.about.get("study"),
                "number": report.about.get("number"),
                "holds": report.holds,
                "lines": [line.as_json() for line in report.lines],
            }
        )
    else:
        results().print(_table(report))
        typer.echo(_sum(report, export))
    if not report.holds:
        raise typer.Exit(FAILED)


def _table(report: Report) -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "claim", "found", "verdict"):
        shown.add_column(heading)
    for line in report.lines:
        shown.add_row(*map(Text, (line.what, line.claim, line.found)), Text(line.verdict, _STYLES[line.verdict]))
    return shown


def _sum(report: Report, export: Path) -> str:
    about = report.about
    what = f"{export} (trial {about.get('number')} of {about.get('study')})" if about else str(export)
    failed = sum(line.verdict is Verdict.FAILS for line in report.lines)
    return f"{what} holds." if report.holds else f"{what} does not hold: {failed} of {len(report.lines)} lines."
