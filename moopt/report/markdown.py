"""A document as Markdown; charts become tables. Every text is escaped here."""

from __future__ import annotations

import re

from moopt.export import markdown as forms
from moopt.report.document import Bars, Block, Document, Items, Plot, Table, Text

_MARKS = re.compile(r"([\\`*\[\]|~#]|(?<![^\W_])_|_(?![^\W_]))")
_MOST_POINTS = 12


def render(document: Document) -> str:
    """The whole file."""
    parts = [
        forms.section(escaped(one.title), "\n\n".join(["", *map(_block, one.blocks)]).lstrip("\n"))
        for one in document.sections
    ]
    return "\n\n".join([f"# {escaped(document.title)}", *parts]) + "\n"


def escaped(text: str) -> str:
    """A text in one line that no reader of Markdown takes for markup."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    line = _MARKS.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return re.sub(r"^(\d*)([-+.)])(?=\s|$)", r"\1\\\2", line)


def _block(block: Block) -> str:
    match block:
        case Text():
            return escaped(block.text)
        case Items():
            return forms.bullets(map(escaped, block.lines))
        case Table():
            return forms.table(list(map(escaped, block.header)), [list(map(escaped, row)) for row in block.rows])
        case Bars():
            rows = [[name, f"{100 * share:.0f} %"] for name, share in block.shares]
            return _titled(block.title, Table(["hyperparameter", "share"], rows))
        case Plot():
            return _course(block) if block.joined else ""


def _course(plot: Plot) -> str:
    every = max(1, len(plot.points) // _MOST_POINTS)
    shown = [*plot.points[:-1:every], plot.points[-1]]
    rows = [[f"{one.x:.6g}", f"{one.y:.4g}"] for one in shown]
    return _titled(plot.title, Table([plot.x.title, plot.y.title], rows))


def _titled(title: str, table: Table) -> str:
    return f"{escaped(title)}:\n\n{_block(table)}"
