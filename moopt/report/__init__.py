"""The report verb: a study's diary as one HTML or Markdown file that loads nothing."""

from __future__ import annotations

from pathlib import Path

from moopt.errors import StoreError, UsageError, nearest
from moopt.report import diary, front, html, markdown, search
from moopt.report.document import Document
from moopt.report.facts import Facts, read
from moopt.store.base import Store

__all__ = ["write"]

_FORMATS = {"html": html.render, "markdown": markdown.render}
_ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}


def write(store: Store, name: str, path: str | Path, *, format: str | None = None, force: bool = False) -> Path:  # noqa: A002 - as the command line calls it
    """Write a study's report; the file's ending decides between HTML and Markdown where ``format`` does not.

    Raises UsageError for a file that exists (unless ``force``), an unknown format or ending, StudyNotFound, and
    StoreError where the file cannot be written.
    """
    path = Path(path)
    render = _FORMATS[_format(path, format)]
    if path.exists() and not force:
        raise UsageError(f"{path} exists; give another file, or --force to replace it")
    text = render(_document(read(store, name)))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"the report cannot be written to {path}: {error.strerror or error}") from error
    return path


def _format(path: Path, given: str | None) -> str:
    if given is None:
        given = _ENDINGS.get(path.suffix.lower())
        if given is None:
            raise UsageError(f"the report is to be {path.name!r}; let it end in .html or .md, or give --format")
    if given not in _FORMATS:
        raise UsageError(f"the format of a report is {given!r}{nearest(given, _FORMATS)}")
    return given


def _document(facts: Facts) -> Document:
    sections = [*search.sections(facts), *front.sections(facts), *diary.sections(facts)]
    return Document(f"Report of study {facts.record.name}", sections)
