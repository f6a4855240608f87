"""The choose verb: from limits and a preference to one trial of the front, with the reason.

Limits filter; then the least value of an achievement scalarising function is chosen (augmented Chebyshev;
Wierzbicki 1980, doi:10.1007/978-3-642-48782-8_32), or the knee. Losses are first divided by the spans of the
whole front (:class:`moopt.choose.front.Front`), not of what the limits leave: so neither the unit nor the scale of an
objective matters, and a limit that the chosen trial meets can be tightened up to it without changing the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.choose.front import Front, Points, front_of
from moopt.choose.limits import (
    apply_limits,
    limit_text,
    limits_of,
    meets_limits,
    refuse,
)
from moopt.choose.swaps import Swap, join, swaps_of, words
from moopt.errors import UsageError, nearest
from moopt.objectives import Floats, Objective, canonical_name, format_value, loss_matrix, parse_limit
from moopt.trial import Decision

BALANCED = "balanced"
KNEE = "knee"
PICKED = "picked"
FIRST_WEIGHT = 5.0
"""One part of a preferred objective's span counts as much as this many parts of another's."""
N_PREFERENCES = 200
_AUGMENTATION = 0.05
"""Weight of the sum beside the maximum, as in Knowles 2006 (doi:10.1109/TEVC.2005.851274): between two trials that
are alike in their worst objective, the one that is better in the others wins."""
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Choice:
    """One trial of the front, and why."""

    number: int
    """The trial's."""
    limits: Mapping[str, float]
    """Objective name -> the worst value accepted, in its own unit: the objectives' own limits and those given."""
    preference: str
    """``balanced``, ``knee``, ``picked`` or an objective's name."""
    reason: str
    """In words, for people, with units."""
    n_front: int
    """Members of the front."""
    n_left: int
    """Those that meet the limits."""
    neighbours: tuple[Swap, ...]
    """What other members of the front would buy and cost; see :func:`moopt.choose.swaps.swaps`."""
    robustness: float
    """Share of 200 sampled preferences that choose this trial among those within the limits."""
    within_limits: bool = True
    """False only for a trial picked by hand that misses a limit."""

    def decision(self, decided_at: float) -> Decision:
        """What a store keeps of it; ``decided_at`` in Unix seconds."""
        return Decision(self.number, self.limits, self.preference, self.reason, decided_at)


def choose(
    objectives: Sequence[Objective],
    trials: Points,
    *,
    limits: Mapping[str, float | str | None] | None = None,
    prefer: str = BALANCED,
    aspirations: Mapping[str, float] | None = None,
) -> Choice:
    """The trial of the front that meets the limits and suits the preference best; ties go to the lowest number.

    ``limits`` stand in for the objectives' own (None lifts one). With s the losses above the front's best, in
    the front's spans, the trial with the least ``max_j w_j (s_j - a_j) + .001 sum_j w_j (s_j - a_j)`` is chosen:

    - ``balanced``: all w = 1, all a = 0, so the trial whose worst place on any objective is best;
    - an objective's name: its w is 5 and the others' are 1, so a step away from its best counts as much as a step
      five times as long, in spans, on any other objective;
    - ``knee``: the knee of the front (:func:`moopt.pareto.knee`), of the trials within the limits;
    - ``aspirations`` (objective name -> the value hoped for, in its unit) take the place of a; an objective that
      is not named has the worst s of the front, so that it is asked for nothing but breaks ties.

    Raises NoTrialLeft where nothing is complete or within the limits, naming the limit to relax; ObjectiveError for
    a limit or an aspiration that cannot be; UsageError for an unknown preference, and for aspirations with ``knee``.
    """
    front = front_of(apply_limits(objectives, limits), trials)
    preference = _checked_preference(front, prefer, aspirations)
    left = meets_limits(front)
    if not left.any():
        raise refuse(front)
    if preference == KNEE:
        scores = pareto.normalise(front.losses, *pareto.ideal_nadir(front.losses)).sum(axis=1)
    else:
        scores = achievement(front.objectives, front.scaled - _reference(front, aspirations), preference)
    return _choice(front, left, _lowest(scores, left), preference, _why(front, preference, aspirations))


def pick(
    objectives: Sequence[Objective],
    trials: Points,
    number: int,
    *,
    limits: Mapping[str, float | str | None] | None = None,
) -> Choice:
    """The same record for a trial of the front that a person picked, within the limits or not.

    Raises UsageError for a trial that is not on the front, else as :func:`choose`.
    """
    front = front_of(apply_limits(objectives, limits), trials)
    return _choice(front, meets_limits(front), front.row(number), PICKED, "picked by hand")


def robustness(front: Front, left: NDArray[np.bool_]) -> Floats:
    """Share of sampled preferences that choose each member among those left, shape (n,).

    200 weights drawn evenly from the simplex, always the same ones, each with the achievement scalarising function
    of :func:`choose`.
    """
    chosen = np.zeros(len(front))
    if left.any():
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(0)))
        weights = generator.dirichlet(np.ones(len(front.objectives)), size=N_PREFERENCES)
        for scores in _achievement(front.scaled, weights, np.zeros(len(front.objectives))):
            chosen[_lowest(scores, left)] += 1
    return chosen / N_PREFERENCES


def achievement(objectives: Sequence[Objective], scaled: Floats, preference: str) -> Floats:
    """What :func:`choose` minimises (n,), of scaled losses (n, m) above what is hoped for; ``balanced`` or a name."""
    weights = np.array([FIRST_WEIGHT if one.name == preference else 1.0 for one in objectives])
    return np.asarray(_achievement(scaled, weights[None, :], np.zeros(len(objectives)))[0])


def _achievement(scaled: Floats, weights: Floats, reference: Floats) -> Floats:
    """Augmented Chebyshev values (k, n) of scaled losses (n, m) for weights (k, m) and a reference (m,)."""
    weighted = weights[:, None, :] * (scaled - reference)[None, :, :]
    return np.asarray(weighted.max(axis=2) + _AUGMENTATION * weighted.sum(axis=2))


def _lowest(scores: Floats, left: NDArray[np.bool_]) -> int:
    """The row of the least score among those left; rows go by number, so the first of a tie has the lowest."""
    kept = np.where(left, scores, np.inf)
    return int(np.flatnonzero(kept <= kept.min() + _TIE)[0])


def _reference(front: Front, aspirations: Mapping[str, float] | None) -> Floats:
    if not aspirations:
        return np.zeros(len(front.objectives))
    hoped = {canonical_name(name): value for name, value in aspirations.items()}
    reference: Floats = front.scaled.max(axis=0)
    for column, objective in enumerate(front.objectives):
        if objective.name in hoped:
            value = parse_limit(objective, hoped[objective.name])
            target = loss_matrix([objective], np.array([[value]]))[0, 0]
            reference[column] = (target - front.losses[:, column].min()) / front.span[column]
    return reference


def _checked_preference(front: Front, prefer: str, aspirations: Mapping[str, float] | None) -> str:
    names = [objective.name for objective in front.objectives]
    preference = prefer if prefer in (BALANCED, KNEE) else canonical_name(prefer)
    if preference not in (BALANCED, KNEE, *names):
        raise UsageError(f"unknown preference {prefer!r}{nearest(prefer, [BALANCED, KNEE, *names])}")
    for name in aspirations or {}:
        if canonical_name(name) not in names:
            raise UsageError(f"an aspiration is given for {name!r}, which is no objective here{nearest(name, names)}")
    if aspirations and preference == KNEE:
        raise UsageError("the knee takes no aspirations; give 'balanced' or an objective's name as the preference")
    return preference


def _why(front: Front, preference: str, aspirations: Mapping[str, float] | None) -> str:
    if preference == KNEE:
        return "the knee, closest in sum to the best of every objective"
    first = "" if preference == BALANCED else f", {preference} first"
    if aspirations:
        known = {one.name: one for one in front.objectives}
        hoped = [(known[canonical_name(name)], value) for name, value in aspirations.items()]
        told = join(f"{words(one)} {format_value(one, value)}" for one, value in hoped)
        return f"the best for the aspiration {told}{first}"
    if preference == BALANCED:
        return "the best balance of all objectives"
    return f"the best with {preference} first"


def _choice(front: Front, left: NDArray[np.bool_], row: int, preference: str, why: str) -> Choice:
    n_left = int(left.sum())
    share = float(robustness(front, left)[row])
    values = join(
        f"{words(one)} {format_value(one, float(front.values[row, column]))}"
        for column, one in enumerate(front.objectives)
    )
    stated = join(limit_text(one, one.limit) for one in front.objectives if one.limit is not None)
    among = f"the {len(front)} trials on the front" if len(front) > 1 else "one trial on the front"
    if stated:
        among = f"{n_left} of {among} within {stated}"
    missed = "" if left[row] else " It misses a limit."
    reason = (
        f"Trial {front.numbers[row]} ({values}) is {why}, out of {among}.{missed} "
        f"{100 * share:.0f} % of {N_PREFERENCES} sampled preferences choose it."
    )
    return Choice(
        number=int(front.numbers[row]),
        limits=limits_of(front.objectives),
        preference=preference,
        reason=reason,
        n_front=len(front),
        n_left=n_left,
        neighbours=tuple(swaps_of(front, row)),
        robustness=share,
        within_limits=bool(left[row]),
    )
