"""What a user wants, as scores of a front: a balance, one objective first, weights, aspirations, or the knee."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moopt import pareto
from moopt.choose.front import Front
from moopt.choose.swaps import join, words
from moopt.errors import UsageError, nearest
from moopt.objectives import Floats, Objective, canonical_name, format_value, loss_matrix, parse_limit

BALANCED = "balanced"
KNEE = "knee"
WEIGHTED = "weighted"
FIRST_WEIGHT = 5.0
"""One part of a preferred objective's span counts as much as this many parts of another's."""
N_PREFERENCES = 200
_AUGMENTATION = 0.05
"""Weight of the sum beside the maximum, as in Knowles 2006 (doi:10.1109/TEVC.2005.851274): between two trials that
are alike in their worst objective, the one that is better in the others wins."""


@dataclass(frozen=True, slots=True, eq=False)
class Preference:
    """A preference, checked against a front's objectives."""

    name: str
    """``balanced``, ``knee``, ``weighted`` or an objective's name."""
    next: tuple[str, ...]
    """The objectives that come after it, most wanted first, as far as they were named."""
    weights: Floats
    """Shape (m,)."""
    reference: Floats
    """Shape (m,): what is hoped for, in scaled losses."""
    why: str
    """What the trial with the least score is, in words: ``the best with recall first``."""


def preference_of(
    front: Front,
    prefer: str | Sequence[str] = BALANCED,
    aspirations: Mapping[str, float | str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Preference:
    """A preference from what :func:`moopt.choose.choose` is given; raises UsageError for what cannot be."""
    first, *after = [prefer] if isinstance(prefer, str) else list(prefer) or [BALANCED]
    names = [objective.name for objective in front.objectives]
    name = first if first in (BALANCED, KNEE) else canonical_name(first)
    if name not in (BALANCED, KNEE, *names):
        raise UsageError(f"unknown preference {first!r}{nearest(first, [BALANCED, KNEE, *names])}")
    for one in after:
        if canonical_name(one) not in names:
            raise UsageError(f"the next preference {one!r} is no objective here{nearest(one, names)}")
    if aspirations and name == KNEE:
        raise UsageError("the knee takes no aspirations; give 'balanced' or an objective's name as the preference")
    if weights and name != BALANCED:
        raise UsageError(f"weights and the preference {first!r} say the same thing twice; give one of them")
    given = _checked_weights(weights or {}, names)
    if not given:
        given = {name: FIRST_WEIGHT}
    return Preference(
        WEIGHTED if weights else name,
        tuple(map(canonical_name, after)),
        np.array([given.get(one, 1.0) for one in names]),
        _reference(front, aspirations),
        _why(front, name, weights or {}, aspirations),
    )


def scores(front: Front, preference: Preference, columns: Sequence[int] | None = None) -> Floats:
    """How far each member (n,) is from what is wanted, in all objectives or in some columns; less is better.

    The knee goes by the sum of losses in the front's ranges, every other preference by the achievement scalarising
    function of :func:`moopt.choose.choose`.
    """
    kept = list(range(len(front.objectives))) if columns is None else list(columns)
    if preference.name == KNEE:
        return np.asarray(pareto.normalise(front.losses, *pareto.ideal_nadir(front.losses))[:, kept].sum(axis=1))
    values = chebyshev(front.scaled[:, kept], preference.weights[None, kept], preference.reference[kept])
    return np.asarray(values[0])


def achievement(objectives: Sequence[Objective], scaled: Floats, preference: str) -> Floats:
    """What :func:`moopt.choose.choose` minimises (n,), of scaled losses (n, m); ``balanced`` or an objective's name."""
    weights = np.array([FIRST_WEIGHT if one.name == preference else 1.0 for one in objectives])
    return np.asarray(chebyshev(scaled, weights[None, :], np.zeros(len(objectives)))[0])


def chebyshev(scaled: Floats, weights: Floats, reference: Floats) -> Floats:
    """Augmented Chebyshev values (k, n) of scaled losses (n, m) for weights (k, m) and a reference (m,)."""
    above = scaled - reference
    worst, total = np.full((len(weights), len(above)), -np.inf), np.zeros((len(weights), len(above)))
    for weight, column in zip(weights.T, above.T, strict=True):
        weighted = weight[:, None] * column
        np.maximum(worst, weighted, out=worst)
        total += weighted
    return np.asarray(worst + _AUGMENTATION * total)


def parse_weights(objectives: Sequence[Objective], texts: Iterable[str]) -> dict[str, float]:
    """Weights from texts such as ``recall=2``. Raises UsageError for what cannot be, and for one given twice."""
    names = [one.name for one in objectives]
    found: dict[str, float] = {}
    for text in texts:
        match = re.fullmatch(r"\s*([^=<>]+?)\s*=\s*([0-9.eE+-]+)\s*", text)
        if match is None:
            raise UsageError(f"the weight {text!r} cannot be read; give a name, = and a number, such as '{names[0]}=2'")
        name = canonical_name(match[1])
        if name in found:
            raise UsageError(f"{name} has two weights, again by {text!r}; give one weight an objective")
        try:
            found[name] = float(match[2])
        except ValueError:
            raise UsageError(f"the weight {text!r} has no number after =; write '{match[1]}=2'") from None
    return _checked_weights(found, names)


def _checked_weights(weights: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    for name, weight in weights.items():
        if canonical_name(name) not in names:
            raise UsageError(f"a weight is given for {name!r}, which is no objective here{nearest(name, names)}")
        if not (math.isfinite(weight) and weight > 0):
            raise UsageError(f"the weight of {name} is {weight}; give a number above 0 (1 is that of the others)")
    return {canonical_name(name): float(weight) for name, weight in weights.items()}


def _reference(front: Front, aspirations: Mapping[str, float | str] | None) -> Floats:
    if not aspirations:
        return np.zeros(len(front.objectives))
    names = [objective.name for objective in front.objectives]
    for name in aspirations:
        if canonical_name(name) not in names:
            raise UsageError(f"an aspiration is given for {name!r}, which is no objective here{nearest(name, names)}")
    hoped = {canonical_name(name): value for name, value in aspirations.items()}
    reference: Floats = front.scaled.max(axis=0)
    for column, objective in enumerate(front.objectives):
        if objective.name in hoped:
            value = parse_limit(objective, hoped[objective.name])
            target = loss_matrix([objective], np.array([[value]]))[0, 0]
            reference[column] = (target - front.losses[:, column].min()) / front.span[column]
    return reference


def _why(front: Front, name: str, weights: Mapping[str, float], aspirations: Mapping[str, float | str] | None) -> str:
    if name == KNEE:
        return "the knee, closest in sum to the best of every objective"
    known = {one.name: one for one in front.objectives}
    first = "" if name == BALANCED else f"{name} first"
    if weights:
        first = "the weights " + join(f"{words(known[canonical_name(one)])} {weights[one]:g}" for one in weights)
    if aspirations:
        hoped = [(known[canonical_name(one)], value) for one, value in aspirations.items()]
        told = join(f"{words(one)} {format_value(one, parse_limit(one, value))}" for one, value in hoped)
        return f"the best for the aspiration {told}" + (f", {first}" if first else "")
    return f"the best with {first}" if first else "the best balance of all objectives"
