"""Points worth a model's look: bred on its predictions, mutated from the front, drawn from the priors.

The operators are those of :mod:`moopt.searchers.variation` on many rows at once.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Self

import numpy as np

from moopt import pareto
from moopt.objectives import Floats
from moopt.searchers.nsga2 import crowding
from moopt.space import Space
from moopt.space.priors import trust

GENERATIONS, BROOD = 15, 40
LOCAL, RANDOM = 150, 75
SIGMAS = (0.05, 0.15, 0.3)
NARROWEST, WIDEST = 0.005, 0.3
RESETS, LOCAL_RESETS = 0.5, 0.5
_SHARES = 128

Judge = Callable[[Floats], tuple[Floats, Floats]]
"""Points (n, d) -> losses (n, m) and violation (n,) as a model hopes for them."""
Known = Callable[[bytes], bool]


class News:
    """Which points were not met before."""

    def __init__(self, space: Space, known: Known) -> None:
        self._space, self._known = space, known
        self._met: set[bytes] = set()

    def keep(self, points: Floats) -> Floats:
        """Those of the points (n, d) that give a new config, in canonical form."""
        space, kept = self._space, []
        for point in points:
            config = space.decode(point)
            snapped = space.encode(config)
            key = snapped.tobytes()
            if key in self._met or self._known(key) or not space.allowed(config):
                continue
            self._met.add(key)
            kept.append(snapped)
        return np.array(kept).reshape(-1, space.d)


class Breeder:
    """Makes new points of one space; holds no state of the search."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._movable = space.n_values > 1
        self._branches = [(place, parents) for place, parents in enumerate(space.parents) if parents]
        # By tables: at even shares of its prior, and of its range, the place of each hyperparameter, (d, shares).
        shares = np.linspace(0.0, 1.0 - 1e-9, _SHARES + 1)
        self._prior = np.array([[one.to_unit(one.draw(share)) for share in shares] for one in space.domains])
        self._range = np.array([[one.to_unit(one.uniform(share)) for share in shares] for one in space.domains])
        self._trust = np.ones(space.d)

    def after(self, n_results: int) -> Self:
        """The same in a search that has so many results, by which the priors have faded."""
        if not self._space.believed:
            return self
        faded = copy(self)
        faded._trust = np.array([trust(n_results) if one.believed else 1.0 for one in self._space.domains])
        return faded

    def candidates(
        self,
        points: Floats,
        losses: Floats,
        violation: Floats,
        front: Floats,
        judge: Judge,
        news: News,
        rng: np.random.Generator,
    ) -> Floats:
        """New points (n, d), from results and the points on the front; what a result hopes for is its own losses."""
        found = [news.keep(self._drawn((RANDOM, self._space.d), rng)), self.around(front, LOCAL, news, rng)]
        order = np.argsort(pareto.ranks(losses, violation), kind="stable")[:BROOD]
        herd = points[order], losses[order], violation[order]
        for _ in range(GENERATIONS):
            children = news.keep(self._children(herd[0], rng))
            if not len(children):
                continue
            found.append(children)
            grown = [np.concatenate(pair) for pair in zip(herd, (children, *judge(children)), strict=True)]
            rows = _survivors(grown[1], grown[2], BROOD)
            herd = grown[0][rows], grown[1][rows], grown[2][rows]
        return np.concatenate(found)

    def around(self, points: Floats, n: int, news: News, rng: np.random.Generator) -> Floats:
        """New ones among ``n`` mutations of points (k, d), by steps of all sizes."""
        parents = points[rng.integers(len(points), size=n)]
        sigma = np.exp(rng.uniform(np.log(NARROWEST), np.log(WIDEST), size=n))
        return news.keep(self._mutated(parents, sigma, LOCAL_RESETS, rng))

    def _children(self, herd: Floats, rng: np.random.Generator) -> Floats:
        first, second = rng.integers(len(herd), size=(2, BROOD))
        return self._mutated(self._crossed(herd[first], herd[second], rng), rng.choice(SIGMAS, size=BROOD), RESETS, rng)

    def _crossed(self, a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
        from_a = rng.random(a.shape) < 0.5
        for place, parents in self._branches:
            for parent in parents:
                # Below a parent on which they disagree, a branch comes whole from the side that the parent came from.
                apart = a[:, parent] != b[:, parent]
                from_a[apart, place] = from_a[apart, parent]
        child = np.where(from_a, a, b)
        return np.where(np.isnan(child), np.where(from_a, b, a), child)

    def _mutated(self, points: Floats, sigma: Floats, resets: float, rng: np.random.Generator) -> Floats:
        """At least one hyperparameter of each changed; a value everywhere, so that whatever becomes active has one."""
        n, d = points.shape
        live = self._movable & ~np.isnan(points)
        hits = (rng.random((n, d)) < 1.0 / np.maximum(live.sum(axis=1, keepdims=True), 1)) & self._movable
        first = np.where(live, rng.random((n, d)), -1.0).argmax(axis=1)
        missed = ~(hits & live).any(axis=1)
        hits[missed, first[missed]] = True
        drawn = self._drawn((n, d), rng)
        moved = np.clip(points + sigma[:, None] * rng.standard_normal((n, d)), 0.0, 1.0)
        anew = self._space.categorical | (rng.random((n, d)) < resets) | np.isnan(points)
        out = np.where(hits, np.where(anew, drawn, moved), points)
        return np.where(np.isnan(out), drawn, out)

    def _drawn(self, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
        shares = rng.random(shape)
        from_prior = shares < self._trust
        rest = np.maximum(1.0 - self._trust, 1e-12)
        places = np.where(from_prior, shares / self._trust, (shares - self._trust) / rest) * _SHARES
        low = np.minimum(places.astype(np.intp), _SHARES - 1)
        columns = np.arange(shape[1])
        left = np.where(from_prior, self._prior[columns, low], self._range[columns, low])
        right = np.where(from_prior, self._prior[columns, low + 1], self._range[columns, low + 1])
        between = left + (places - low) * (right - left)
        return np.asarray(np.where(self._space.categorical, left, between))


def _survivors(losses: Floats, violation: Floats, n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The rows of the best n by rank, then by room around them."""
    if len(losses) <= n:
        return np.arange(len(losses))
    ranks = pareto.ranks(losses, violation)
    order = np.argsort(ranks, kind="stable")
    last = ranks[order[n - 1]]
    sure, members = np.flatnonzero(ranks < last), np.flatnonzero(ranks == last)
    roomy = members[np.argsort(-crowding(losses[members]), kind="stable")]
    return np.concatenate([sure, roomy[: n - len(sure)]])
