"""The few forms of Markdown that the documents of an export are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def section(title: str, body: str) -> str:
    """A heading with what stands below it."""
    return f"## {title}\n{body}"


def bullets(lines: Iterable[str]) -> str:
    """A line each; ``- nothing`` for none."""
    return "\n".join(f"- {line}" for line in lines) or "- nothing"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
