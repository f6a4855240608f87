"""The Searcher protocol and its contract.

A searcher proposes configs and learns from results. Its contract:

- ``ask`` is a pure function of the searcher's state and of the trial's number. It changes nothing
  (caches aside). Its randomness comes from :func:`generator`, nowhere else.
- The state is a fold over the events ``started`` and ``tell``, in their stored order. So a study is
  resumed by replaying them: cheap, exact, nothing pickled.
- Any number of trials may be pending and ``tell`` may come in any order: no barrier at a generation.
- No config that was started is proposed again: configs are compared by ``Space.key``. When the space
  is used up, ``ask`` gives EXHAUSTED. WAIT means: tell me a pending result first.
- A failed trial has no losses (None); a stopped one those that its steps done let expect of all. NaN never
  enters a population, an ideal point or a model. A stopped trial that was resumed is told again when it ends.
- Feasible before infeasible, then less violation, then dominance.
- Losses are normalised by the ideal and nadir of the non-dominated archive, so the scale and the
  shift of an objective change nothing.
- Configs that the searcher did not propose (``origin`` None: defaults, queued, siblings) are learned
  from like any other. Siblings, which come right after the trial that paid for them, are no fits: an initial
  design is as many fits as without them, and a searcher need not keep a sibling that another one dominates.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from moopt.objectives import Floats
    from moopt.trial import Config, Json, State


class Stream(Enum):
    """Independent streams of random numbers of one study."""

    PROPOSAL = 0
    INITIAL = 1
    SPLIT = 2


class Signal(Enum):
    """What ``ask`` says instead of a proposal."""

    WAIT = "wait"
    EXHAUSTED = "exhausted"


WAIT = Signal.WAIT
EXHAUSTED = Signal.EXHAUSTED


@dataclass(frozen=True, slots=True)
class Proposal:
    """A config that the searcher wants to see evaluated."""

    config: Config
    origin: Json = None
    """Small JSON that comes back in ``started`` and ``tell``."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A config that became a trial."""

    number: int
    config: Config
    origin: Json = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What became of a trial."""

    number: int
    config: Config
    origin: Json
    state: State
    """Complete, stopped or failed."""
    losses: Floats | None
    """Shape (m,), finite; None for a failed trial."""
    violation: float
    """By how much it misses the limits, in losses; 0 when it meets them all."""
    steps_done: int
    steps_planned: int
    fit: int | None = None
    """Number of the trial that paid for it; None is its own."""

    @property
    def is_sibling(self) -> bool:
        """Whether it came free with another trial's fit."""
        return self.fit is not None and self.fit != self.number


class Searcher(Protocol):
    """Proposes configs and learns from results; see the module's docstring for the contract."""

    def ask(self, number: int) -> Proposal | Signal:
        """The config for trial ``number``."""
        ...

    def started(self, trial: Pending) -> None:
        """A config is pending, whoever proposed it."""
        ...

    def tell(self, observation: Observation) -> None:
        """A result, once for each trial that was started, and once more where it was stopped and resumed."""
        ...


def generator(seed: int, stream: Stream, number: int) -> np.random.Generator:
    """The random generator of one stream and one number of a study."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream.value, number))))
