"""Charts as inline SVG: no script, no address, coloured by the page's style."""

from __future__ import annotations

import html
import math
from collections.abc import Callable

from moopt.report.document import Axis, Bars, Plot, Point

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 16, 16, 48
_BAR, _LABEL = 26, 240


def plot(chart: Plot) -> str:
    """Points, or a curve of steps. Points without a finite place are left out."""
    points = [one for one in chart.points if _usable(one.x, chart.x) and _usable(one.y, chart.y)]
    if not points:
        return ""
    x, x_ticks = _scale([one.x for one in points], chart.x, _LEFT, _WIDTH - _RIGHT)
    y, y_ticks = _scale([one.y for one in points], chart.y, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        *(_tick_x(x(value), value) for value in x_ticks),
        *(_tick_y(y(value), value) for value in y_ticks),
        f'<text class="name" x="{(_LEFT + _WIDTH) / 2:.0f}" y="{_HEIGHT - 8}" text-anchor="middle">'
        f"{html.escape(chart.x.title)}</text>",
        f'<text class="name" transform="rotate(-90)" x="{-_HEIGHT / 2 + 16:.0f}" y="16" text-anchor="middle">'
        f"{html.escape(chart.y.title)}</text>",
        _steps(points, x, y) if chart.joined else "".join(_dot(one, x(one.x), y(one.y)) for one in points),
    ]
    return _framed(chart.title, _HEIGHT, "".join(parts))


def bars(chart: Bars) -> str:
    """A bar a share."""
    room = _WIDTH - _LABEL - 60
    parts = []
    for place, (name, share) in enumerate(chart.shares):
        top, width = 4 + place * _BAR, max(1.0, room * share)
        parts.append(
            f'<text x="{_LABEL - 8}" y="{top + 15}" text-anchor="end">{html.escape(_short(name))}</text>'
            f'<rect class="bar" x="{_LABEL}" y="{top}" width="{width:.1f}" height="18" rx="2"/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{top + 15}">{100 * share:.0f} %</text>'
        )
    return _framed(chart.title, 8 + _BAR * len(chart.shares), "".join(parts))


def _framed(title: str, height: int, inside: str) -> str:
    told = html.escape(title)
    return f'<svg role="img" aria-label="{told}" viewBox="0 0 {_WIDTH} {height}"><title>{told}</title>{inside}</svg>'


def _usable(value: float, axis: Axis) -> bool:
    return math.isfinite(value) and (value > 0 or not axis.log)


def _scale(values: list[float], axis: Axis, start: float, end: float) -> tuple[Callable[[float], float], list[float]]:
    """Where a value is drawn, and the values that are named."""
    turn: Callable[[float], float] = math.log10 if axis.log else float
    low, high = turn(min(values)), turn(max(values))
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 0.5
    low, high = low - margin, high + margin

    def place(value: float) -> float:
        return start + (turn(value) - low) / (high - low) * (end - start)

    if axis.log and high - low > 1:
        return place, [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
    return place, _round(10**low, 10**high) if axis.log else _round(low, high)


def _round(low: float, high: float) -> list[float]:
    """Round values from low to high, four to ten of them."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * max(factor for factor in (1, 2, 5) if factor * power <= rough)
    return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _tick_x(at: float, value: float) -> str:
    line = f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
    return f'{line}<text x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle">{value:.4g}</text>'


def _tick_y(at: float, value: float) -> str:
    line = f'<line class="grid" y1="{at:.1f}" y2="{at:.1f}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}"/>'
    return f'{line}<text x="{_LEFT - 7}" y="{at + 4:.1f}" text-anchor="end">{value:.4g}</text>'


def _steps(points: list[Point], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    path = f"M{x(points[0].x):.1f} {y(points[0].y):.1f}"
    path += "".join(f"H{x(one.x):.1f}V{y(one.y):.1f}" for one in points[1:])
    return f'<path class="line" d="{path}"/>'


def _dot(point: Point, x: float, y: float) -> str:
    kind = "front" if point.marked else "other"
    title = f"<title>{html.escape(point.label)}</title>"
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{5 if point.marked else 3}">{title}</circle>'


def _short(text: str) -> str:
    return text if len(text) <= 34 else f"{text[:16]}…{text[-17:]}"
