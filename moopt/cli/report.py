"""``moopt report``: a study's diary as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moopt.cli.results import StoreFile, StudyName, opened_study


def report(
    store: StoreFile,
    out: Annotated[Path, typer.Option(help="The file to write, ending in .html or .md.")],
    format: Annotated[str | None, typer.Option(help="html or markdown. Default: by the file's ending.")] = None,  # noqa: A002 - the option's name
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    study: StudyName = None,
) -> None:
    """Write a study's report: what was searched and how, what failed, the front and how sure it is, and the choice.

    moopt report churn.db --out report.html
    moopt report churn.db --study churn --out report.md
    """
    from moopt.report import write

    opened, record = opened_study(store, study)
    typer.echo(f"the report of {record.name} is {write(opened, record.name, out, format=format, force=force)}")
