"""What is known of a trial beyond the search's values: intervals, and what was confirmed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from moopt.certainty import Certainty
from moopt.choose.front import join_numbers
from moopt.choose.swaps import join
from moopt.objectives import Objective, format_value
from moopt_explorer.answer import Answer
from moopt_explorer.data import Snapshot


@dataclass(frozen=True, slots=True)
class Told:
    """One objective of a trial, in its own unit; NaN where it is not known."""

    low: float
    """Of the interval around the confirmed value, or around the search's where nothing is confirmed."""
    high: float
    confirmed: float

    def interval(self, objective: Objective) -> str:
        """``0.91 to 0.94``; empty where there is none."""
        if not math.isfinite(self.low) or self.low == self.high:
            return ""
        return f"{format_value(objective, self.low)} to {format_value(objective, self.high)}"

    def reach(self) -> tuple[float, float]:
        """The ends of the interval; the confirmed value itself where there is none."""
        return (self.low, self.high) if math.isfinite(self.low) else (self.confirmed, self.confirmed)

    def confirmed_text(self, objective: Objective) -> str:
        """The confirmed value with its interval; empty where none is confirmed."""
        if not math.isfinite(self.confirmed):
            return ""
        interval = self.interval(objective)
        return format_value(objective, self.confirmed) + (f" ({interval})" if interval else "")


def evidence(snapshot: Snapshot, number: int) -> Mapping[str, Told]:
    """Objective name -> what is known; objectives of which nothing is are left out."""
    row = snapshot.beside.get(number)
    found = {name: Told(one.low, one.high, one.confirmed) for name, one in row.values.items()} if row else {}
    known = {name: told for name, told in found.items() if math.isfinite(told.confirmed)}
    return _intervals(snapshot, number) | known


def _intervals(snapshot: Snapshot, number: int) -> dict[str, Told]:
    sure = snapshot.certainty
    row = None if sure is None else sure.row(number)
    if sure is None or row is None or sure.confirmed[row]:
        return {}
    ends = zip(sure.objectives, sure.low[row], sure.high[row], strict=True)
    return {one.name: Told(float(low), float(high), math.nan) for one, low, high in ends if math.isfinite(low)}


def about(snapshot: Snapshot, number: int) -> str:
    """What a trial's confirmation stands on, in words; empty where there is none."""
    row = snapshot.beside.get(number)
    if row is None:
        return ""
    if row.failure:
        return f"It could not be confirmed: {row.failure}."
    scored = "its scores on test rows" if row.look else "no scores"
    busy = "; that machine was busy" if row.flagged else ""
    return f"Confirmed: {scored}, its costs on {row.machine}{busy}."


def sure_text(found: Answer, number: int) -> str:
    """How sure a trial is of its place on the front, and what it ties with; empty where that is not known."""
    likely = "" if found.certainty is None else found.certainty.likely_text(number)
    return f"{likely} {tie_text(found, number)}".strip()


def tie_text(found: Answer, number: int) -> str:
    """Which members of the front a trial ties with; empty where it ties with none."""
    known = found.certainty
    tied = [] if known is None else [one for one in known.ties_of(number) if one in found.front.numbers]
    if known is None or not tied:
        return ""
    others = f"trial{'' if len(tied) == 1 else 's'} {join_numbers(tied, 6)}"
    return f"It ties with {others}: they differ within noise in {join(known.noisy)}."


def tie_note(found: Answer, one: int, other: int) -> str:
    """Said beside a step from one trial to another that differs from it within noise."""
    return " (a tie)" if found.certainty is not None and found.certainty.tie(one, other) else ""


def ties_text(known: Certainty | None, trials: Sequence[int]) -> str:
    """Which of some trials tie; empty where none do."""
    if known is None:
        return ""
    pairs = [f"#{one} and #{other}" for one, other in combinations(trials, 2) if known.tie(one, other)]
    return f"Ties: {join(pairs)} differ within noise in {join(known.noisy)}." if pairs else ""
