"""A document as one HTML file that loads nothing. Every text is escaped here, but for those of charts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from moopt.report import svg
from moopt.report.document import Bars, Block, Document, Items, Plot, Section, Table, Text

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2530;--dim:#5c6873;--line:#d9dee3;--page:#fff;--mark:#0b6bcb}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ee;--dim:#9aa7b3;--line:#36404a;--page:#14191f;--mark:#5aa9f5}}
@media print{:root{--ink:#000;--dim:#444;--line:#ccc;--page:#fff;--mark:#0b6bcb}section,svg,tr{break-inside:avoid}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:60rem;margin:2rem auto;
padding:0 1rem;overflow-wrap:anywhere}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.87rem;margin:.6rem 0;overflow-wrap:normal}
th,td{text-align:left;vertical-align:top;padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:600}figure{margin:1rem 0}figcaption{color:var(--dim);font-size:.87rem}
svg{width:100%;max-width:40rem;height:auto;font-size:12px}svg text{fill:var(--dim)}.grid{stroke:var(--line)}
.line{fill:none;stroke:var(--mark);stroke-width:2}.bar,.front{fill:var(--mark)}
.other{fill:none;stroke:var(--dim);opacity:.6}
"""
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(document: Document) -> str:
    """The whole file; characters that no document may hold are replaced."""
    title = escape(document.title)
    whole = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        + "\n".join(map(_section, document.sections))
        + "\n</body></html>\n"
    )
    return _NO_XML.sub("\ufffd", whole)


def _section(section: Section) -> str:
    return f"<section><h2>{escape(section.title)}</h2>{''.join(map(_block, section.blocks))}</section>"


def _block(block: Block) -> str:
    match block:
        case Text():
            return f"<p>{escape(block.text)}</p>"
        case Items():
            return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in block.lines)}</ul>"
        case Table():
            body = "".join(_row("td", row) for row in block.rows)
            return (
                f'<div class="wide"><table><thead>{_row("th", block.header)}</thead><tbody>{body}</tbody></table></div>'
            )
        case Plot():
            return _figure(block.title, svg.plot(block))
        case Bars():
            return _figure(block.title, svg.bars(block))


def _row(kind: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"


def _figure(title: str, chart: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{chart}</figure>"
