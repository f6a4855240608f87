"""Words: what the pages say, as plain text. Nothing here is escaped; markup does that."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from moopt.choose.swaps import join
from moopt.gap import OVER, UNDER, Gap
from moopt.growth import reached
from moopt.objectives import Objective, format_value, violation
from moopt.requests import Request
from moopt.trial import State, Trial
from moopt_explorer import data
from moopt_explorer.data import Snapshot
from moopt_explorer.influence import Influence, unexplained

SHORT = 36
_MINUS = re.compile(r"(?<![\w.-])-(?=\.?\d)")


def shorten(text: str, at_most: int = SHORT) -> str:
    """A text cut in its middle, so that its unit and its beginning stay."""
    if len(text) <= at_most:
        return text
    tail = at_most // 3
    return f"{text[: at_most - tail - 1]}…{text[-tail:]}"


def signs(text: str) -> str:
    """Comparisons and negative numbers as people write them."""
    return _MINUS.sub("−", text.replace("<=", "≤").replace(">=", "≥"))


def count(n: int, word: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def numbers(trials: Sequence[int], at_most: int = 12) -> str:
    """``#1, #4 and 3 more``."""
    more = len(trials) - at_most
    return ", ".join(f"#{one}" for one in trials[:at_most]) + (f" and {more} more" if more > 0 else "")


def study_line(snapshot: Snapshot) -> str:
    """What a study is at a glance: trials, front, failures, whether it runs."""
    on_front = 0 if snapshot.front is None else len(snapshot.front)
    parts = [count(len(snapshot.trials), "trial"), f"{on_front:,} on the front"]
    if n_failed := snapshot.n_in(State.FAILED):
        parts.append(f"{n_failed:,} failed")
    return ", ".join([*parts, state_text(snapshot)])


def state_text(snapshot: Snapshot) -> str:
    """Whether a study runs, and what it is asked for."""
    if not snapshot.running:
        return "not running"
    return {None: "running", Request.STOP: "stopping", Request.PAUSE: "paused"}[snapshot.asked]


def ago(seconds: float) -> str:
    """A time that has passed, in the largest unit that fits."""
    for size, unit in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            return f"{count(int(seconds // size), unit)} ago"
    return "just now" if seconds < 1 else f"{int(seconds)} s ago"


def unsure_line(snapshot: Snapshot) -> str:
    """Why it is not known how sure the front is; empty where it is, or where there is none."""
    if snapshot.certainty is not None or snapshot.front is None:
        return ""
    if not snapshot.too_large_to_compare:
        return "How sure the front is, nothing tells: each trial was measured once, so its noise is not known."
    if snapshot.running and len(snapshot.front) <= data.MOST_COMPARED:
        most = data.MOST_WHILE_RUNNING
        return f"How sure the front is waits for the end of the search: it has more than {most:,} members."
    return f"How sure the front is, is not asked of more than {data.MOST_COMPARED:,} members, so no tie is marked."


def against_default(objectives: Sequence[Objective], default: Trial | None) -> dict[str, str]:
    """Objective name -> what the default config gives."""
    given = {} if default is None else default.values
    return {one.name: f"default {format_value(one, given[one.name])}" for one in objectives if one.name in given}


def misses(objectives: Sequence[Objective], values: Sequence[float]) -> str:
    """Which limits values miss, and by how much: ``latency_ms by 0.3 ms``."""
    missed = [
        f"{shorten(one.name)} by {format_value(one, abs(value - one.limit))}"
        for one, value in zip(objectives, values, strict=True)
        if one.limit is not None and violation([one], {one.name: value}) > 0
    ]
    return join(missed)


def noise_line(objective: Objective, pairs: Sequence[tuple[int, int]], n_pairs: int) -> str:
    """Which of so many pairs of trials do not differ in an objective but by noise; nothing where all do."""
    if not pairs:
        return ""
    name = shorten(objective.name)
    if len(pairs) == n_pairs > 1:
        return f"{name}: all differences are within noise."
    told = join(f"#{one} to #{other}" for one, other in pairs)
    return f"{name}: the difference {told} is within noise." if len(pairs) == 1 else f"{name}: within noise are {told}."


def measured_note(has_noise: bool, has_confirmed: bool) -> str:
    """What the lines and points of a comparison are."""
    if has_confirmed:
        return "hollow: by the search, filled: confirmed; lines are 90 % intervals"
    return "lines are 90 % intervals of the mean over the folds" if has_noise else "measured once, so without noise"


def reached_line(trace: pd.DataFrame) -> str:
    """Where the front had most of its present hypervolume."""
    at = reached(trace)
    if at is None:
        return ""
    last = int(trace["evaluations"].iloc[-1])
    return f"95 % of the present hypervolume was reached after {at:,} of {last:,} evaluations."


def gap_line(found: Sequence[Gap]) -> str:
    """Which trials over- and underfit."""
    parts = []
    for reading in (OVER, UNDER):
        named = [one.number for one in found if one.reading == reading]
        if named:
            parts.append(f"{numbers(named, 6)} {reading if len(named) == 1 else reading[:-1]}")
    return f"{'; '.join(parts) or 'None of them over- or underfits'}."


def explained_line(found: Influence) -> str:
    """From how many trials it was learned, and about what that says little."""
    n_trials = found.importances[0].n_trials
    of_all = f" of {found.n_complete:,}, drawn at random" if n_trials < found.n_complete else ""
    line = f"Learned from {count(n_trials, 'complete trial')}{of_all}."
    little = [shorten(one.target) for one in unexplained(found)]
    return f"{line} It says little about {join(little)}: unseen trials are not predicted." if little else line


def file_name(name: str) -> str:
    """A study's name as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:60] or "study"
