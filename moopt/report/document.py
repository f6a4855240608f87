"""What a report consists of: sections of texts, lists, tables and charts. Plain data; nothing is escaped yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a chart."""

    title: str
    log: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a chart with what is said of it."""

    x: float
    y: float
    label: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Points, joined by steps or not."""

    title: str
    x: Axis
    y: Axis
    points: Sequence[Point]
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares of one, a bar each."""

    title: str
    shares: Sequence[tuple[str, float]]


Block: TypeAlias = Text | Items | Table | Plot | Bars


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    sections: Sequence[Section]
