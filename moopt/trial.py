"""The frozen records that every layer shares: what a trial is, what a step gave, what happened.

Nothing here computes; a record is made once and replaced, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

Scalar: TypeAlias = bool | int | float | str | None
Config: TypeAlias = Mapping[str, Scalar]
"""Values of the active hyperparameters only, plain Python values."""
Json: TypeAlias = Any
"""What json.dumps writes and json.loads gives back unchanged."""

STOPPED = "stopped"
"""The attribute of a trial that was stopped early: ``after`` how many steps, ``by`` which trial or for the ``limit`` of
which objective, and the values that were ``expected`` of it. A trial that is resumed keeps it."""


class State(StrEnum):
    """Where a trial stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Nothing more will happen to it."""
        return self in (State.COMPLETE, State.STOPPED, State.FAILED)


class Failure(StrEnum):
    """Why a trial failed."""

    ERROR = "error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out of memory"
    CRASH = "crash"
    NOT_FINITE = "not finite"
    WRONG_RESULT = "wrong result"


class Source(StrEnum):
    """Where a config came from."""

    SEARCH = "search"
    DEFAULT = "default"
    ENQUEUED = "enqueued"
    WARM_START = "warm start"
    PORTFOLIO = "portfolio"
    REUSED = "reused"
    SIBLING = "sibling"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step measured of one config."""

    values: Mapping[str, float]
    """Objective name -> value, in its own direction and unit, on the validation rows."""
    train: Mapping[str, float] = field(default_factory=dict)
    """The same scores on the training rows, where they were asked for."""
    seconds: float = 0.0
    """Wall-clock seconds of the step; a sibling's are those that it took besides the fit."""
    changes: Config = field(default_factory=dict)
    """For a sibling: the hyperparameters that differ from the trial's config. Empty for the config itself."""
    details: Mapping[str, Json] = field(default_factory=dict)
    """Whatever else the evaluator wants to keep, as JSON."""
    failure: str = ""
    """Why this config failed in this step, in words. It fails that config alone, and not those of the same fit."""
    siblings: tuple[StepResult, ...] = ()
    """Kept here by the engine until they become trials of their own; an evaluator returns them beside its own."""


class Evaluator(Protocol):
    """What a worker calls: picklable, carries a reference to the data and not the data.

    Gives one result for the config itself first, then one for each sibling that the same fit gave: every step of a
    config the same siblings, by what they change. Whatever it raises fails the trial.
    """

    @property
    def n_steps(self) -> int:
        """Steps of a trial, for instance the folds."""
        ...

    def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:
        """Measure one step (0 to n_steps - 1) of a config."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """A config with its number, state, step results and objective values."""

    number: int
    """Counts from 0 within its study."""
    config: Config
    origin: Json = None
    """Why the searcher proposed it: small JSON that only the searcher reads."""
    source: Source = Source.SEARCH
    state: State = State.QUEUED
    n_steps: int = 1
    """Steps planned."""
    steps: Mapping[int, StepResult] = field(default_factory=dict)
    """Step index -> its result, for the steps done."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Objective name -> mean over the steps done; empty where there is none."""
    failure: Failure | None = None
    message: str = ""
    """What a failed or stopped trial has to say, in a line or two."""
    fit: int | None = None
    """Number of the trial that paid for it: its own, or that of the trial whose sibling it is."""
    created_at: float = 0.0
    """Unix seconds."""
    finished_at: float | None = None
    """Unix seconds."""
    attributes: Mapping[str, Json] = field(default_factory=dict)
    """The user's own, and what a search notes: ``from``, ``traceback``, ``stopped``."""
    notes: tuple[str, ...] = ()
    """The user's own, in the order they were written."""


class EventKind(StrEnum):
    """What happened to a trial, seen from the searcher."""

    STARTED = "started"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a study's history. The searcher's state is a fold over them, in order."""

    kind: EventKind
    number: int
    """The trial's."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A chosen trial with the limits, the preference and the reason."""

    number: int
    """The trial's."""
    limits: Mapping[str, float]
    """Objective name -> the worst value accepted, in its own unit."""
    preference: str
    """As given: ``balanced``, ``knee``, or an objective's name."""
    reason: str
    """In words, for people."""
    decided_at: float = 0.0
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a trial measured on the test split and on a quiet machine."""

    number: int
    """The trial's."""
    machine: Mapping[str, Json]
    """The fingerprint of the machine that measured."""
    measures: Mapping[str, Json]
    """As :mod:`moopt.confirmed` writes and reads them."""
    confirmed_at: float = 0.0
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that a trial left beside the store, such as its fitted model."""

    number: int
    """The trial's."""
    kind: str
    """What it is: ``skops`` for a fitted model."""
    path: str
    """Within the store's folder of artefacts."""
    sha256: str
    """Of its bytes."""
    n_bytes: int
    made_at: float = 0.0
    """Unix seconds."""
