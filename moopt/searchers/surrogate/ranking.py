"""New configs by what a model promises of them: the gain, the chance to be worth it, and what the user believes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from moopt.objectives import Floats
from moopt.searchers.surrogate import acquisition, beliefs
from moopt.searchers.surrogate.beliefs import Belief
from moopt.searchers.surrogate.experience import Experience
from moopt.searchers.surrogate.history import Results, Rows
from moopt.space.priors import trust
from moopt.trial import Config

Order = Callable[[Floats, Floats, Floats, Floats], Rows]
"""Losses of a front (k, m), means and spreads (n, m) of candidates, chance (n,) that one counts -> rows in order."""


def ranked(
    experience: Experience, results: Results, belief: Belief, order: Order, rng: np.random.Generator
) -> Iterator[Config]:
    """New configs, the most promising first."""
    losses, points, on_front = results.losses, results.points, results.front()
    m = losses.shape[1]
    found = experience.breeder.candidates(
        points, losses, results.violation, points[on_front], partial(_hopes, belief, m), experience.news(), rng
    )
    if not len(found):
        return
    for row in _rows(experience, results, belief, order, found):
        yield experience.space.decode(found[row])


def _rows(experience: Experience, results: Results, belief: Belief, order: Order, points: Floats) -> Rows:
    """Rows of points (n, d), the most promising first."""
    losses = results.losses
    m = losses.shape[1]
    mean, spread = belief.predict(points)
    # The user's belief weighs an acquisition as in Hvarfner et al. 2022, arXiv 2204.11051.
    chance = experience.space.density(points) ** trust(len(results))
    chance = chance * beliefs.chance_of_ending(experience.features, points, results.failed, results.points)
    if mean.shape[1] > m:
        if not results.any_meets_limits:
            return np.argsort(_hopes(belief, m, points)[1] / chance, kind="stable")
        chance = chance * beliefs.chance_of_meeting(mean[:, m], spread[:, m])
    front, pending = losses[results.front()], experience.pending
    if len(pending):
        front = np.concatenate([front, belief.predict(pending)[0][:, :m]])
    return order(front, mean[:, :m], spread[:, :m], chance)


def _hopes(belief: Belief, m: int, points: Floats) -> tuple[Floats, Floats]:
    mean, spread = belief.predict(points)
    hoped = mean - acquisition.OPTIMISM * spread
    return hoped[:, :m], np.maximum(hoped[:, m], 0.0) if hoped.shape[1] > m else np.zeros(len(points))
