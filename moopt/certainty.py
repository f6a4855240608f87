"""How sure a front is: trials and their confirmations turned into the arrays of :mod:`moopt.uncertainty`.

There are two kinds of evidence. What the folds of the search say is an estimate: five folds are few, and their models
share rows. What the test rows of a confirmation say is confirmed, and takes its place, trial by trial.

Scores are noisy: objectives without a unit that differ from fold to fold, or from resample to resample. Objectives
with a unit (time, size) were measured of the model itself; their spread counts in an estimate, but two trials that
differ there are no tie for that: it is what tells the members of a tie apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.columns import Trials
from moopt.confirmed import Measured, Scored, measured, scored
from moopt.frames import front_trials, value_matrix
from moopt.objectives import Floats, Objective, is_share, loss_matrix, values_of
from moopt.pareto import Mask
from moopt.trial import Confirmation, State, Trial
from moopt.uncertainty import (
    CONFIDENCE,
    Gap,
    corrected_interval,
    draw_interval,
    fold_draws,
    front_probability,
    hypervolume_gap,
    optimistic,
    pessimistic,
    tie_groups,
    tied,
)

if TYPE_CHECKING:
    import pandas as pd

ESTIMATE = "estimate"
CONFIRMED = "confirmed"
MOST = 200
"""So many trials are compared: the front and the ranks behind it. Those left out are dominated many times over."""


@dataclass(frozen=True, slots=True)
class OnTest:
    """What became of a search's front on test rows; source as :func:`moopt.uncertainty.optimistic`."""

    n_front: int
    optimistic: tuple[int, ...]
    """Numbers of its trials that none of it dominates there."""
    pessimistic: tuple[int, ...]
    """Numbers of its trials that dominate none of it there."""
    gap: Gap
    """Their hypervolumes, and what the search said."""

    @property
    def text(self) -> str:
        """In words."""
        gap = self.gap
        return (
            f"On test rows {len(self.optimistic)} of its {self.n_front} trials are still not dominated; its "
            f"hypervolume is {gap.optimistic:.3f} at best and {gap.pessimistic:.3f} at worst, "
            f"the search said {gap.search:.3f}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Certainty:
    """What is known of n trials, those of the front and those near it, beyond their values."""

    objectives: tuple[Objective, ...]
    numbers: NDArray[np.int64]
    """Shape (n,), ascending."""
    probability: Floats
    """Shape (n,): of being on the front. It is confirmed once all of the front is, and an estimate before that: among
    a few confirmed trials alone, all would seem to be on it. NaN where there is no estimate either."""
    confirmed: Mask
    """Shape (n,): whether test rows say so, or it is an estimate."""
    values: Floats
    """Shape (n, m): as confirmed where that is so, else the means over the folds."""
    low: Floats
    """Shape (n, m): the interval's lower end, in the objective's unit; NaN where there is no interval."""
    high: Floats
    """Shape (n, m)."""
    within: Mask
    """Shape (n, n): which two tie, that is, differ within noise in every noisy objective."""
    noisy: tuple[str, ...]
    """The noisy objectives."""
    n_folds: int
    """That an estimate stands on."""
    on_test: OnTest | None
    """What became of the front on test rows; None until all of it is confirmed."""

    def row(self, number: int) -> int | None:
        """The row of a trial; None where nothing more is known of it."""
        found = np.flatnonzero(self.numbers == number)
        return int(found[0]) if found.size else None

    def basis(self, row: int) -> str:
        """``confirmed`` or ``estimate``."""
        return CONFIRMED if self.confirmed[row] else ESTIMATE

    def probability_of(self, number: int) -> float | None:
        """Of being on the front; None where nothing is known of the trial."""
        row = self.row(number)
        return None if row is None or np.isnan(self.probability[row]) else float(self.probability[row])

    def sure_of_place(self, row: int) -> bool:
        """Whether its probability is confirmed, not an estimate."""
        return bool(self.confirmed[row]) and self.on_test is not None

    def likely_text(self, number: int) -> str:
        """Its probability as a sentence that says what it stands on; empty where nothing is known of the trial."""
        row = self.row(number)
        if row is None or np.isnan(self.probability[row]):
            return ""
        basis = "confirmed on test rows" if self.sure_of_place(row) else f"an estimate from {self.n_folds} folds"
        return f"It is on the front with a probability of {100 * self.probability[row]:.0f} % ({basis})."

    def tie(self, one: int, other: int) -> bool:
        """Whether two trials, by their numbers, differ within noise in every noisy objective."""
        rows = self.row(one), self.row(other)
        return rows[0] is not None and rows[1] is not None and bool(self.within[rows[0], rows[1]])

    def ties_of(self, number: int) -> tuple[int, ...]:
        """Numbers of the other trials that tie with one."""
        row = self.row(number)
        tied = [] if row is None else self.numbers[self.within[row]].tolist()
        return tuple(int(one) for one in tied if one != number)

    def groups(self, numbers: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Ties among trials by number (k,): groups counted from 1, 0 for a trial that ties with none.

        See :func:`moopt.uncertainty.tie_groups`; trials go by the first noisy objective.
        """
        groups = np.zeros(len(numbers), dtype=np.int64)
        rows = [self.row(int(number)) for number in numbers]
        known = [at for at, row in enumerate(rows) if row is not None]
        here = np.array([rows[at] for at in known], dtype=np.intp)
        if self.noisy and known:
            first = [one.name for one in self.objectives].index(self.noisy[0])
            losses = loss_matrix(self.objectives, self.values[here])[:, first]
            groups[known] = tie_groups(self.within[np.ix_(here, here)], losses)
        return groups


class Reader(Protocol):
    """What is asked of a store."""

    def some_trials(self, name: str, numbers: Sequence[int]) -> list[Trial]:
        """Some trials, whole, by number."""
        ...

    def confirmations(self, name: str) -> list[Confirmation]:
        """Oldest first."""
        ...


def stored_certainty(
    store: Reader, study_name: str, objectives: Sequence[Objective], trials: Sequence[Trial]
) -> Certainty | None:
    """:func:`certainty` of a stored study whose trials were read without their steps."""
    return certainty(
        objectives,
        trials,
        store.confirmations(study_name),
        lambda near: store.some_trials(study_name, [trial.number for trial in near]),
    )


def certainty(
    objectives: Sequence[Objective],
    trials: Sequence[Trial],
    confirmations: Sequence[Confirmation] = (),
    whole: Callable[[Sequence[Trial]], Sequence[Trial]] = lambda trials: trials,
) -> Certainty | None:
    """What folds and confirmations say of the front and the trials near it; None where neither says anything.

    ``whole`` gives some trials with their steps, where ``trials`` were read without. Confirmed are trials whose test
    scores have an interval, on the rows of the latest look.
    """
    near = _near(objectives, trials)
    told = [
        claims
        for claims in (
            _estimated(objectives, whole(near)),
            _confirmed(objectives, trials, confirmations),
        )
        if claims is not None
    ]
    return _joined(objectives, trials, told) if told else None


def with_certainty(frame: pd.DataFrame, known: Certainty | None) -> pd.DataFrame:
    """A frame of trials with columns appended: ``front_probability``, ``basis`` (``estimate`` or ``confirmed``),
    ``tie`` (trials with the same number differ within noise; missing for those that tie with none), for each objective
    ``<objective>_low`` and ``<objective>_high``, and where any trial is confirmed ``<objective>_confirmed``.

    The frame as it is where nothing is known.
    """
    import pandas as pd

    if known is None:
        return frame
    numbers = frame["number"].tolist()
    rows = [known.row(number) for number in numbers]
    groups = known.groups(numbers)

    def column(values: Floats) -> Floats:
        return np.array([np.nan if row is None else values[row] for row in rows], dtype=np.float64)

    added: dict[str, Any] = {
        "front_probability": column(known.probability),
        "basis": pd.array([None if row is None else known.basis(row) for row in rows], dtype="str"),
        "tie": pd.array([int(group) or None for group in groups], dtype="Int64"),
    }
    for at, one in enumerate(known.objectives):
        added |= {f"{one.name}_low": column(known.low[:, at]), f"{one.name}_high": column(known.high[:, at])}
    if known.confirmed.any():
        confirmed = np.where(known.confirmed[:, None], known.values, np.nan)
        added |= {f"{one.name}_confirmed": column(confirmed[:, at]) for at, one in enumerate(known.objectives)}
    return pd.concat([frame, pd.DataFrame(added, index=frame.index)], axis=1)


# Evidence


@dataclass(frozen=True, slots=True, eq=False)
class _Claims:
    """What one kind of evidence says of k trials, in draws (d, k, m) of losses."""

    basis: str
    numbers: list[int]
    values: Floats
    draws: Floats
    low: Floats
    high: Floats
    n_folds: int = 0
    scored: tuple[int, ...] = ()
    """Columns that test rows scored."""


def _near(objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Trial]:
    """The front and as many of the ranks behind it as there is room for, by number."""
    complete = Trials.of(trials).where(State.COMPLETE)
    losses = loss_matrix(objectives, complete.matrix(objectives))
    left = np.flatnonzero(pareto.finite_rows(losses))
    near = left[pareto.nondominated(losses[left])]
    while len(near) < MOST and len(left := np.setdiff1d(left, near)):
        near = np.concatenate([near, left[pareto.nondominated(losses[left])][: MOST - len(near)]])
    return list(complete.take(np.sort(near)))


def _estimated(objectives: Sequence[Objective], trials: Sequence[Trial]) -> _Claims | None:
    k = max((len(trial.steps) for trial in trials), default=0)
    if k < 2:
        return None
    values = value_matrix(objectives, trials)
    losses = loss_matrix(objectives, values)
    folds = _folds(objectives, trials, k, losses)
    # A trial's loss is that of its mean value: with a logarithm it is not quite the mean of its losses.
    folds += (losses - folds.mean(axis=1))[:, None]
    low, high = corrected_interval(folds.swapaxes(0, 1), CONFIDENCE)
    spread = np.ptp(folds, axis=1) > 0
    low, high = _as_values(objectives, np.where(spread, low, np.nan), np.where(spread, high, np.nan), values)
    numbers = [trial.number for trial in trials]
    return _Claims(ESTIMATE, numbers, values, fold_draws(folds), low, high, k)


def _folds(objectives: Sequence[Objective], trials: Sequence[Trial], k: int, losses: Floats) -> Floats:
    """Losses (n, k, m) of the folds; the trial's own ``losses`` (n, m) where a fold lacks one: no spread is known."""
    values = np.array(
        [
            [trial.steps[step].values.get(one.name, np.nan) if step in trial.steps else np.nan for one in objectives]
            for trial in trials
            for step in range(k)
        ]
    )
    folds = loss_matrix(objectives, values).reshape(len(trials), k, len(objectives))
    incomplete = np.logical_not(np.all(np.isfinite(folds), axis=1))
    return np.where(incomplete[:, None], losses[:, None], folds)


def _confirmed(
    objectives: Sequence[Objective], trials: Sequence[Trial], confirmations: Sequence[Confirmation]
) -> _Claims | None:
    found = {one.number: one for one in scored(confirmations).values() if len(one.draws)}
    latest = max(found.values(), key=lambda one: one.confirmed_at, default=None)
    if latest is None:
        return None
    paired = {n: one for n, one in sorted(found.items()) if _same_rows(one, latest)}
    by_number = {trial.number: trial for trial in trials}
    values = value_matrix(objectives, [by_number[number] for number in paired])
    low, high = np.full_like(values, np.nan), np.full_like(values, np.nan)
    draws = np.broadcast_to(values, (len(latest.draws), *values.shape)).copy()
    for at, one in enumerate(objectives):
        if one.name in latest.scores:
            _fill_scores(one.name, list(paired.values()), values[:, at], draws[:, :, at])
            low[:, at], high[:, at] = draw_interval(draws[:, :, at], CONFIDENCE)
        else:
            _fill_cost(one.name, list(paired), confirmations, values[:, at], low[:, at], high[:, at])
            draws[:, :, at] = values[:, at]
    losses = loss_matrix(objectives, draws.reshape(-1, len(objectives))).reshape(draws.shape)
    columns = tuple(at for at, one in enumerate(objectives) if one.name in latest.scores)
    return _Claims(CONFIRMED, list(paired), values, losses, low, high, scored=columns)


def _same_rows(one: Scored, other: Scored) -> bool:
    return (
        one.n_rows == other.n_rows and one.draws.shape == other.draws.shape and list(one.scores) == list(other.scores)
    )


def _fill_scores(name: str, found: Sequence[Scored], values: Floats, draws: Floats) -> None:
    column = list(found[0].scores).index(name)
    for row, one in enumerate(found):
        values[row], draws[:, row] = one.scores[name].value, one.draws[:, column]


def _fill_cost(
    name: str, numbers: Sequence[int], confirmations: Sequence[Confirmation], values: Floats, low: Floats, high: Floats
) -> None:
    """What a cost was on the machine that measured it last of all these trials; else what the search says stays."""
    by_machine = reversed(list(measured(confirmations).values()))
    for costs in by_machine:
        ends = [_cost(name, costs[number]) if number in costs else None for number in numbers]
        known = [one for one in ends if one is not None]
        if len(known) == len(numbers):
            values[:], low[:], high[:] = np.array(known).T
            return


def _cost(name: str, costs: Measured) -> tuple[float, float, float] | None:
    """Value, low and high."""
    if name in costs.latency:
        timing = costs.latency[name]
        return timing.median_ms, timing.low_ms, timing.high_ms
    if name == "size_kb" and costs.size_kb is not None:
        return costs.size_kb, np.nan, np.nan
    return None


def _joined(objectives: Sequence[Objective], trials: Sequence[Trial], told: Sequence[_Claims]) -> Certainty:
    """One record of all claims; later ones take the place of earlier ones."""
    numbers = np.array(sorted({number for claims in told for number in claims.numbers}), dtype=np.int64)
    n, m = len(numbers), len(objectives)
    probability, confirmed, within = np.full(n, np.nan), np.zeros(n, dtype=bool), np.eye(n, dtype=bool)
    on_test = _on_test(objectives, trials, told[-1])
    values, low, high = (np.full((n, m), np.nan) for _ in range(3))
    noisy: list[int] = []
    for claims in told:
        rows = np.searchsorted(numbers, claims.numbers)
        spread = np.ptp(claims.draws, axis=0).max(axis=0) > 0
        noisy = [at for at, one in enumerate(objectives) if not one.unit and spread[at]]
        confirmed[rows] = claims.basis == CONFIRMED
        if claims.basis == ESTIMATE or on_test is not None:
            probability[rows] = front_probability(claims.draws)
        values[rows], low[rows], high[rows] = claims.values, claims.low, claims.high
        if noisy:
            within[np.ix_(rows, rows)] = tied(claims.draws[:, :, noisy], CONFIDENCE)
    return Certainty(
        tuple(objectives),
        numbers,
        probability,
        confirmed,
        values,
        low,
        high,
        within,
        tuple(objectives[at].name for at in noisy),
        max(claims.n_folds for claims in told),
        on_test,
    )


def _on_test(objectives: Sequence[Objective], trials: Sequence[Trial], claims: _Claims) -> OnTest | None:
    front = front_trials(objectives, trials)
    numbers = np.array([trial.number for trial in front])
    if claims.basis != CONFIRMED or not set(numbers.tolist()) <= set(claims.numbers):
        return None
    search = loss_matrix(objectives, value_matrix(objectives, front))
    test = search.copy()  # costs stay: another clock or machine is no loss of the front
    scored = loss_matrix(objectives, claims.values[np.searchsorted(claims.numbers, numbers)])
    test[:, claims.scored] = scored[:, claims.scored]
    best, worst = numbers[optimistic(test)].tolist(), numbers[pessimistic(test)].tolist()
    return OnTest(len(front), tuple(best), tuple(worst), hypervolume_gap(search, test))


def _as_values(objectives: Sequence[Objective], low: Floats, high: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Intervals of losses (n, m) as intervals of values; where scores are shares of one, no interval leaves those."""
    ends = np.stack([low, high])
    for at, one in enumerate(objectives):
        turned = values_of(one, ends[:, :, at])
        ends[:, :, at] = turned[::-1] if one.direction == "maximize" else turned
        if one.direction == "maximize" and not one.unit and is_share(values[:, at]):
            ends[:, :, at] = np.clip(ends[:, :, at], 0.0, 1.0)
    return ends[0], ends[1]
