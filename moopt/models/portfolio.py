"""Configs of the preset families that did well on other data sets: a search begins with some of them.

The file beside this one holds a pool of configs with their losses on some data sets, and names those. Which of the
pool are used is found for each study: those that add most hypervolume, in the mean over the data sets, to what the
study starts with anyway, of the families and ranges that it searches and in the objectives that it has.

Greedy portfolios: Feurer et al. 2022, arXiv 2007.04074. ``tests/benchmarks/portfolio.py`` makes the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from moopt import pareto
from moopt.errors import SpaceError
from moopt.objectives import Floats
from moopt.space import Space
from moopt.trial import Config

MOST = 12
"""Configs of a portfolio."""
SHARE = 8
"""One in so many trials may come from it."""
_SCORES, _COSTS = ("accuracy", "recall"), ("latency_ms", "size_kb")


@dataclass(frozen=True)
class Pool:
    """What was learned."""

    configs: tuple[Config, ...]
    objectives: tuple[str, ...]
    losses: Mapping[str, Floats]
    """Data set -> losses (n, m), 0 the best and 1 the worst of its front."""


def n_portfolio(n_trials: int, n_others: int) -> int:
    """How many configs of a portfolio to try: an eighth of the trials that other starts leave, at most :data:`MOST`.

    So a study of any length is above all a search.
    """
    return min(MOST, max(n_trials - n_others, 0) // SHARE)


def portfolio_configs(space: Space, objectives: Sequence[str], known: Sequence[Config], n: int) -> list[Config]:
    """At most ``n`` configs of the preset families' ``space``, the most useful first, none of the ``known`` ones.

    Scores that were not measured are taken to go with accuracy and recall.
    """
    pool = learned()
    fitting = {row: config for row, one in enumerate(pool.configs) if (config := _within(space, one)) is not None}
    rows = list(fitting)
    if n < 1 or not rows:
        return []
    keys = {space.key(config) for config in known}
    columns = [pool.objectives.index(name) for name in _measured(objectives)]
    losses = np.stack([own[np.ix_(rows, columns)] for own in pool.losses.values()])
    tried = [at for at, config in enumerate(fitting.values()) if space.key(config) in keys]
    return [fitting[rows[at]] for at in pareto.common_subset(losses, n, tried)]


@lru_cache(maxsize=1)
def learned() -> Pool:
    """The pool that comes with the package."""
    given = json.loads(files("moopt.models").joinpath("portfolio.json").read_text(encoding="utf-8"))
    losses = {name: np.array(own) for name, own in given["losses"].items()}
    return Pool(tuple(given["configs"]), tuple(given["objectives"]), losses)


def _within(space: Space, config: Config) -> Config | None:
    """The config in a study's space, which may have no use for some of the preparation."""
    try:
        return space.check({name: value for name, value in config.items() if name in space.names})
    except SpaceError:
        return None


def _measured(objectives: Sequence[str]) -> list[str]:
    """The measured objectives that tell about those of a study."""
    scores = [name for name in _SCORES if name in objectives]
    costs = [name for name in _COSTS if name in objectives]
    others = len(objectives) > len(scores) + len(costs)
    return [*(_SCORES if others else scores), *costs]
