"""Which hyperparameter moves which objective: a forest, refitted from the stored trials.

Importance is how much worse the forest predicts the trials it has not seen when one hyperparameter's values are
shuffled among the trials in which it is active (permutation importance; Breiman 2001, doi:10.1023/A:1010933404324).
It is about the trials that the search made, not about the space as a whole: a good searcher stays where values are
good, and what it never varied cannot show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moopt import pareto
from moopt.choose.preference import achievement
from moopt.columns import Trials
from moopt.objectives import Floats, Objective, loss_matrix, values_of
from moopt.space import Space
from moopt.trial import Scalar, State, Trial

FEWEST_TRIALS = 10
"""Complete trials below which nothing is said."""
MOST_TRIALS = 2_000
"""Of more trials so many, drawn at random and always the same, are learned from."""
TOWARDS = "towards "
"""What stands before an objective's name where the target is a preference for it: see :func:`targets`."""
_TREES = 64
_LEAF = 2
_WORST = 2.0
"""In ranges of the front above its best; what is worse is all the same to a preference."""
_INNER = (10.0, 90.0)


@dataclass(frozen=True, slots=True)
class Importance:
    """What moves one target."""

    target: str
    """An objective's name, or ``towards <objective>``."""
    shares: Mapping[str, float]
    """Hyperparameter -> its share of what the forest explains, largest first; they sum to 1, or are all 0. A constant
    is none of them."""
    explained: float
    """Share of the target's variance that the forest predicts in trials it has not seen, at most 1; near 0 or below it
    means that the shares say nothing."""
    n_trials: int
    """Complete trials that were learned from."""


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """How one target depends on one hyperparameter, the others as the trials have them (partial dependence).

    Source: Friedman 2001, doi:10.1214/aos/1013203451.
    """

    hyperparameter: str
    values: tuple[Scalar, ...]
    """Shape (k,): values of the hyperparameter, in its own order."""
    mean: Floats
    """Shape (k,): the mean prediction, in the objective's unit (of a logarithmic objective the geometric mean)."""
    low: Floats
    """Shape (k,): the prediction that a tenth of the trials lie below."""
    high: Floats
    """Shape (k,): the prediction that a tenth of the trials lie above."""


class Learned:
    """One forest on one target of a study's complete trials; the same trials give the same forest."""

    def __init__(self, space: Space, points: Floats, target: Floats) -> None:
        """Points (n, d) of the unit cube, NaN where inactive, and what they gave (n,)."""
        from sklearn.ensemble import RandomForestRegressor

        self._space = space
        self._points = points.astype(np.float32)
        self._target = target
        self._forest = RandomForestRegressor(
            _TREES, min_samples_leaf=_LEAF, max_features=0.8, random_state=0, n_jobs=1
        ).fit(self._points, target)
        self._trees = [tree.tree_ for tree in self._forest.estimators_]
        everything = np.arange(len(target))
        self._unseen = [np.setdiff1d(everything, seen) for seen in self._forest.estimators_samples_]

    def explained(self) -> float:
        """See :class:`Importance`."""
        total, counts = np.zeros(len(self._target)), np.zeros(len(self._target))
        for tree, rows in zip(self._trees, self._unseen, strict=True):
            total[rows] += tree.predict(self._points[rows])[:, 0]
            counts[rows] += 1
        some = counts > 0
        spread = self._target[some].var()
        if spread == 0:
            return 0.0
        return float(1.0 - np.mean((self._target[some] - total[some] / counts[some]) ** 2) / spread)

    def shares(self) -> dict[str, float]:
        """See :class:`Importance`."""
        rng = np.random.default_rng(0)
        harm = np.zeros(self._space.d)
        for tree, rows in zip(self._trees, self._unseen, strict=True):
            harm += self._harm(tree, rows, rng)
        harm = np.maximum(harm, 0.0)
        shares = harm / harm.sum() if harm.sum() > 0 else harm
        varying = [len(domain.values(2)) > 1 for domain in self._space.domains]
        order = [place for place in np.argsort(-shares, kind="stable") if varying[place]]
        return {self._space.names[place]: float(shares[place]) for place in order}

    def _harm(self, tree: object, rows: NDArray[np.intp], rng: np.random.Generator) -> Floats:
        """By how much the tree's squared error on unseen rows grows, for each hyperparameter (d,)."""
        seen, truth = self._points[rows], self._target[rows]
        before = _error(tree, seen, truth)
        out = np.zeros(self._space.d)
        for place in range(self._space.d):
            active = np.flatnonzero(~np.isnan(seen[:, place]))
            if active.size > 1:
                shuffled = seen.copy()
                shuffled[active, place] = seen[rng.permutation(active), place]
                out[place] = _error(tree, shuffled, truth) - before
        return out

    def dependence(self, hyperparameter: str, n_values: int = 15) -> tuple[tuple[Scalar, ...], Floats, Floats, Floats]:
        """Values (k,) of a hyperparameter, with mean, low and high prediction (k,), all in the target's own scale."""
        place = self._space.names.index(hyperparameter)
        domain = self._space.domains[place]
        values = tuple(domain.values(n_values))
        active = self._points[~np.isnan(self._points[:, place])]
        predicted = []
        for value in values:
            moved = active.copy()
            moved[:, place] = domain.to_unit(value)
            predicted.append(self._forest.predict(moved))
        each = np.array(predicted)
        low, high = np.percentile(each, _INNER, axis=1)
        return values, each.mean(axis=1), low, high


def _error(tree: object, points: NDArray[np.float32], truth: Floats) -> float:
    predicted: Floats = tree.predict(points)[:, 0]  # type: ignore[attr-defined]  # a Tree of scikit-learn, untyped
    return float(np.mean((predicted - truth) ** 2))


def targets(objectives: Sequence[Objective], losses: Floats, front: Floats | None = None) -> dict[str, Floats]:
    """What may be explained of losses (n, m): each objective, and the trade-off seen with a preference for each.

    ``towards <objective>`` is what ``choose`` minimises with that objective first, over the ranges of ``front`` (k, m),
    that of the losses themselves where none is given.
    """
    found = {one.name: losses[:, column] for column, one in enumerate(objectives)}
    if len(objectives) == 1:
        return found
    ideal, nadir = pareto.ideal_nadir(losses[pareto.nondominated(losses)] if front is None else front)
    scaled = np.minimum(pareto.normalise(losses, ideal, nadir), _WORST)
    return found | {f"{TOWARDS}{one.name}": achievement(objectives, scaled, one.name) for one in objectives}


def importances(space: Space, objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Importance]:
    """For each target of :func:`targets` what moves it; empty for fewer than FEWEST_TRIALS complete trials."""
    complete, losses = _complete(objectives, trials)
    if len(complete) < FEWEST_TRIALS:
        return []
    rows = _learned_from(len(complete))
    points = _points(space, complete.take(rows))
    found = []
    for name, target in targets(objectives, losses[rows], losses[pareto.nondominated(losses)]).items():
        learned = Learned(space, points, target)
        found.append(Importance(name, learned.shares(), learned.explained(), len(points)))
    return found


def dependence(
    space: Space, objectives: Sequence[Objective], trials: Sequence[Trial], objective: str, hyperparameter: str
) -> Dependence | None:
    """How an objective depends on a hyperparameter; None where no trial that is learned from has it active."""
    complete, losses = _complete(objectives, trials)
    rows = _learned_from(len(complete))
    points = _points(space, complete.take(rows))
    if np.isnan(points[:, space.names.index(hyperparameter)]).all():
        return None
    column = [one.name for one in objectives].index(objective)
    values, *predicted = Learned(space, points, losses[rows, column]).dependence(hyperparameter)
    mean, one, other = (values_of(objectives[column], line) for line in predicted)
    return Dependence(hyperparameter, values, mean, np.minimum(one, other), np.maximum(one, other))


def _complete(objectives: Sequence[Objective], trials: Sequence[Trial]) -> tuple[Trials, Floats]:
    """The complete trials whose losses (n, m) are finite, with these."""
    complete = Trials.of(trials).where(State.COMPLETE)
    losses = loss_matrix(objectives, complete.matrix(objectives))
    finite = pareto.finite_rows(losses)
    return complete.take(finite), losses[finite]


def _learned_from(n_complete: int) -> NDArray[np.intp]:
    """Which of the complete trials are learned from."""
    if n_complete <= MOST_TRIALS:
        return np.arange(n_complete)
    return np.sort(np.random.default_rng(0).choice(n_complete, MOST_TRIALS, replace=False))


def _points(space: Space, trials: Sequence[Trial]) -> Floats:
    return np.array([space.encode(trial.config) for trial in trials]).reshape(-1, space.d)
