"""Objectives -> what to measure of a fitted model: quality, latency, size, time of the fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moopt.errors import ObjectiveError, nearest
from moopt.measure.latency import latency
from moopt.measure.quality import Scorer, scorer, scores
from moopt.measure.size import size_kb
from moopt.objectives import Objective, latency_batch, refuse_percentile
from moopt.trial import Json

FIT_TIME = "fit_time_s"
SIZE = "size_kb"


@dataclass(frozen=True)
class Measures:
    """What a fold has to measure; picklable."""

    scorers: Mapping[str, Scorer] = field(default_factory=dict)
    """Objective -> scorer."""
    latencies: Mapping[str, int] = field(default_factory=dict)
    """Objective -> rows a call."""
    size: bool = False
    fit_time: bool = False

    def quality(self, estimator: Any, X: Any, y: Any, params: Mapping[str, Any] | None = None) -> dict[str, float]:
        """The quality objectives on some rows; raises as :func:`moopt.measure.quality.scores`."""
        return scores(self.scorers, estimator, X, y, params)

    def cost(self, estimator: Any, X: Any, fit_cpu_s: float) -> tuple[dict[str, float], dict[str, Json]]:
        """The other objectives, and what stands behind each latency: :meth:`moopt.measure.latency.Latency.record`."""
        values, records = {}, {}
        for name, batch in self.latencies.items():
            found = latency(estimator.predict, X, batch)
            values[name], records[name] = found.ms, found.record()
        if self.size:
            values[SIZE] = size_kb(estimator)
        if self.fit_time:
            values[FIT_TIME] = fit_cpu_s
        return values, records


def measures(
    objectives: Sequence[Objective],
    classes: Sequence[Any] = (),
    positive: Any = None,
    scoring: Mapping[str, Callable[..., float]] | None = None,
) -> Measures:
    """What a fold measures for these objectives of a target with these classes.

    ``scoring`` gives own scorers, ``(estimator, X, y) -> float``, by the objective's name. Raises ObjectiveError for
    an objective that is neither one of moopt's, nor a scorer of scikit-learn, nor in ``scoring``; a percentile of the
    latency is none of them.
    """
    scorers: dict[str, Scorer] = {}
    latencies: dict[str, int] = {}
    for objective in objectives:
        name = objective.name
        if scoring and name in scoring:
            scorers[name] = scoring[name]
        elif (batch := latency_batch(name)) is not None:
            latencies[name] = batch
        elif name not in (SIZE, FIT_TIME):
            _check_known(name)
            scorers[name] = scorer(name, classes, positive)
    names = {objective.name for objective in objectives}
    return Measures(scorers, latencies, size=SIZE in names, fit_time=FIT_TIME in names)


def _check_known(name: str) -> None:
    from sklearn.metrics import get_scorer_names

    refuse_percentile(name)
    known = [*get_scorer_names(), "latency_ms", SIZE, FIT_TIME]
    if name not in known:
        raise ObjectiveError(
            f"objective {name!r} is your own, and a model's evaluation cannot measure it{nearest(name, known)}\n"
            "Give a scorer of that name, or search with create_study and a function of your own."
        )
