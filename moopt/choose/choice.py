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

from moopt.certainty import Certainty
from moopt.choose.front import Front, Points, front_of
from moopt.choose.limits import apply_limits, limit_text, limits_of, meets_limits, refuse
from moopt.choose.preference import BALANCED, N_PREFERENCES, Preference, chebyshev, preference_of, scores
from moopt.choose.swaps import Swap, join, swaps_of, words
from moopt.choose.ties import Settled, lowest, settle
from moopt.errors import NoTrialLeft, UsageError
from moopt.objectives import Floats, Objective, format_value
from moopt.trial import Decision

PICKED = "picked"
_AT_ONCE = 50_000
"""Members of the front times preferences that are compared at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One trial of the front, and why."""

    number: int
    """The trial's."""
    limits: Mapping[str, float]
    """Objective name -> the worst value accepted, in its own unit: the objectives' own limits and those given."""
    preference: str
    """``balanced``, ``knee``, ``weighted``, ``picked`` or an objective's name."""
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
    tie: tuple[int, ...] = ()
    """Numbers of the trials among which costs decided, since their scores differ within noise; this one among them."""
    probability: float | None = None
    """Of being on the front; None where it is not known."""

    def decision(self, decided_at: float) -> Decision:
        """What a store keeps of it; ``decided_at`` in Unix seconds."""
        return Decision(self.number, self.limits, self.preference, self.reason, decided_at)


def choose(
    objectives: Sequence[Objective],
    trials: Points,
    *,
    limits: Mapping[str, float | str | None] | None = None,
    prefer: str | Sequence[str] = BALANCED,
    aspirations: Mapping[str, float | str] | None = None,
    weights: Mapping[str, float] | None = None,
    certainty: Certainty | None = None,
    at_least_likely: float | None = None,
) -> Choice:
    """The trial of the front that meets the limits and suits the preference best; ties go to the lowest number.

    ``limits`` stand in for the objectives' own (None lifts one). With s the losses above the front's best, in
    the front's spans, the trial with the least ``max_j w_j (s_j - a_j) + .05 sum_j w_j (s_j - a_j)`` is chosen:

    - ``balanced``: all w = 1, all a = 0, so the trial whose worst place on any objective is best;
    - an objective's name: its w is 5 and the others' are 1, so a step away from its best counts as much as a step
      five times as long, in spans, on any other objective; those named after it decide inside a tie;
    - ``knee``: the knee of the front (:func:`moopt.pareto.knee`), of the trials within the limits;
    - ``weights`` (objective name -> number above 0, 1 where not given) are w;
    - ``aspirations`` (objective name -> the value hoped for, in its unit or with one) take the place of a; an
      objective that is not named has the worst s of the front, so that it is asked for nothing but breaks ties.

    With what is known of the front's ``certainty`` (:func:`moopt.certainty.certainty`), trials that tie are not
    ranked by their noise: among those that tie with the best one the costs decide, by the same preference, and the
    reason says so. ``at_least_likely`` leaves only trials that are on the front with that probability.

    Raises NoTrialLeft where nothing is complete or within the limits, naming the limit to relax, or likely enough;
    ObjectiveError for a limit or an aspiration that cannot be; UsageError for a preference that cannot be.
    """
    front = front_of(apply_limits(objectives, limits), trials)
    preference = preference_of(front, prefer, aspirations, weights)
    left = meets_limits(front)
    if not left.any():
        raise refuse(front)
    if at_least_likely is not None:
        left = _likely(front, left, certainty, at_least_likely)
    best, settled = _best(front, left, preference, certainty)
    why = preference.why if settled.row == best else f"up to noise {preference.why}"
    return _choice(front, left, settled, preference.name, why, certainty)


def recommend(
    objectives: Sequence[Objective],
    trials: Points,
    *,
    prefer: str | Sequence[str] = BALANCED,
    certainty: Certainty | None = None,
) -> int:
    """The number of the trial that :func:`choose` chooses, without the reason, which costs far more.

    Raises as :func:`choose`.
    """
    front = front_of(objectives, trials)
    left = meets_limits(front)
    if not left.any():
        raise refuse(front)
    return int(front.numbers[_best(front, left, preference_of(front, prefer), certainty)[1].row])


def pick(
    objectives: Sequence[Objective],
    trials: Points,
    number: int,
    *,
    limits: Mapping[str, float | str | None] | None = None,
    certainty: Certainty | None = None,
) -> Choice:
    """The same record for a trial of the front that a person picked, within the limits or not.

    Raises UsageError for a trial that is not on the front, else as :func:`choose`.
    """
    front = front_of(apply_limits(objectives, limits), trials)
    settled = Settled(front.row(number), (), "")
    return _choice(front, meets_limits(front), settled, PICKED, "picked by hand", certainty)


def robustness(front: Front, left: NDArray[np.bool_]) -> Floats:
    """Share of sampled preferences that choose each member among those left, shape (n,).

    200 weights drawn evenly from the simplex, always the same ones, each with the achievement scalarising function
    of :func:`choose`.
    """
    chosen = np.zeros(len(front))
    if left.any():
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(0)))
        weights = generator.dirichlet(np.ones(len(front.objectives)), size=N_PREFERENCES)
        step = max(1, _AT_ONCE // len(front))
        for start in range(0, N_PREFERENCES, step):
            for values in chebyshev(front.scaled, weights[start : start + step], np.zeros(len(front.objectives))):
                chosen[lowest(values, left)] += 1
    return chosen / N_PREFERENCES


def _best(
    front: Front, left: NDArray[np.bool_], preference: Preference, known: Certainty | None
) -> tuple[int, Settled]:
    """The row with the least score of those left, and what is chosen where others tie with it."""
    best = lowest(scores(front, preference), left)
    return best, settle(front, left, best, preference, known)


def _likely(front: Front, left: NDArray[np.bool_], known: Certainty | None, least: float) -> NDArray[np.bool_]:
    if not 0 < least <= 1:
        raise UsageError(f"at_least_likely is {least}; give a probability above 0 and at most 1")
    if known is None:
        raise UsageError(
            "how likely a trial is on the front is not known: that takes trials of several folds, or confirmed ones"
        )
    likely = np.array([known.probability_of(int(number)) or 0.0 for number in front.numbers])
    if not (left & (likely >= least)).any():
        most = int(np.argmax(np.where(left, likely, -1.0)))
        raise NoTrialLeft(
            f"no trial within the limits is on the front with a probability of at least {least:g}\n"
            f"The most likely is trial {front.numbers[most]} with {likely[most]:.2f}; ask for less, or confirm first."
        )
    return left & (likely >= least)


def _choice(
    front: Front, left: NDArray[np.bool_], settled: Settled, preference: str, why: str, known: Certainty | None
) -> Choice:
    row, n_left = settled.row, int(left.sum())
    number = int(front.numbers[row])
    share = float(robustness(front, left)[row])
    values = join(
        f"{words(one)} {format_value(one, float(front.values[row, column]))}"
        for column, one in enumerate(front.objectives)
    )
    sentences = [
        f"Trial {number} ({values}) is {why}, out of {_among(front, n_left)}.",
        "" if left[row] else "It misses a limit.",
        settled.text,
        known.likely_text(number) if known is not None else "",
        f"{100 * share:.0f} % of {N_PREFERENCES} sampled preferences choose it.",
    ]
    return Choice(
        number=number,
        limits=limits_of(front.objectives),
        preference=preference,
        reason=" ".join(filter(None, sentences)),
        n_front=len(front),
        n_left=n_left,
        neighbours=tuple(swaps_of(front, row)),
        robustness=share,
        within_limits=bool(left[row]),
        tie=settled.tie,
        probability=known.probability_of(number) if known is not None else None,
    )


def _among(front: Front, n_left: int) -> str:
    stated = join(limit_text(one, one.limit) for one in front.objectives if one.limit is not None)
    among = f"the {len(front)} trials on the front" if len(front) > 1 else "one trial on the front"
    return f"{n_left} of {among} within {stated}" if stated else among
