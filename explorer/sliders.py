"""What the slider of a limit offers: round values across the front, and a small histogram above them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from moopt.objectives import Floats, Objective, format_value, loss, loss_matrix

ANY = math.inf
"""The option that means: no limit."""
N_STEPS = 40
N_BARS = 32


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram."""

    share: float
    """Its height, 0 to 1."""
    kept: bool
    """Whether its values meet the limit."""


def options(objective: Objective, values: Floats, *kept: float | None) -> list[float]:
    """Limits to choose from, from small to large, for the front's values (n,); those in ``kept`` are among them.

    Round values no closer than a fortieth of the range apart; ``ANY`` stands at the end that asks for least.
    """
    rounded = _geometric(values) if objective.log else _arithmetic(values)
    found = sorted({*rounded, *(limit for limit in kept if limit is not None)})
    return [*found, ANY] if objective.direction == "minimize" else [ANY, *found]


def option_text(objective: Objective, limit: float) -> str:
    """An option as people read it."""
    return "no limit" if limit == ANY else format_value(objective, limit)


def histogram(objective: Objective, values: Floats, limit: float | None) -> list[Bar]:
    """The front's values (n,) as bars, from small to large on the objective's own scale."""
    scaled = np.log10(values) if objective.log else values
    low, high = float(scaled.min()), float(scaled.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(scaled, bins=N_BARS, range=(low, high))
    middles = (edges[:-1] + edges[1:]) / 2
    if limit is None:
        kept = np.ones(N_BARS, dtype=bool)
    else:
        edge = math.log10(limit) if objective.log else limit
        kept = middles <= edge if objective.direction == "minimize" else middles >= edge
    top = max(int(counts.max()), 1)
    return [Bar(int(n) / top, bool(within)) for n, within in zip(counts, kept, strict=True)]


def n_within(objective: Objective, values: Floats, limit: float | None) -> int:
    """How many of the values (n,) meet a limit."""
    if limit is None:
        return len(values)
    return int((loss_matrix([objective], values[:, None]) <= loss(objective, limit)).sum())


def _arithmetic(values: Floats) -> list[float]:
    low, high = float(values.min()), float(values.max())
    if low == high:
        return [low]
    step = _round_step((high - low) / N_STEPS)
    first, last = math.floor(low / step), math.ceil(high / step)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(k * step, digits) for k in range(first, last + 1)]


def _geometric(values: Floats) -> list[float]:
    low, high = float(values.min()), float(values.max())
    if low == high:
        return [low]
    digits = 3 if high / low > 1.5 else 4
    inner = np.geomspace(low, high, N_STEPS)[:-1]
    return [*(_significant(value, digits) for value in inner), _above(high, digits)]


def _round_step(step: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def _significant(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _above(value: float, digits: int) -> float:
    """``value`` rounded up."""
    near = _significant(value, digits)
    return near if near >= value else _significant(near + 10.0 ** (math.floor(math.log10(near)) - digits + 1), digits)
