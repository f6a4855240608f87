"""What confirmations hold, typed: scores on the test split with their intervals and draws, latencies by machine.

A confirmation's ``measures`` are plain JSON, so that a store of any age can be read:

    scores    objective -> value, low, high, confidence; absent in one that only timed again
    look      how often the test split was scored, this time included
    n_rows    rows of the test split
    draws     the scores of bootstrapped test rows, base64 of zlib of float32 (n_draws, n_scores)
    latency   objective -> median_ms, low_ms, high_ms, n, batch, percentiles, rounds
    size_kb, rss_mb, load_s, backend, and repeats: objective -> its value in each repeat of the cross-validation

Draws of two trials of a study are paired: draw k of both is over the same test rows.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from moopt.trial import Confirmation, Json

Draws: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Score:
    """A score on the test split."""

    value: float
    low: float | None
    """Lower end of the interval; None where the test split is too small for one."""
    high: float | None
    confidence: float | None
    """Of the interval, such as .9."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a trial scored on the test split."""

    number: int
    """The trial's."""
    scores: Mapping[str, Score]
    """Objective -> its score."""
    draws: Draws
    """Bootstrapped scores (n_draws, n_scores), columns in the order of ``scores``; (0, n_scores) without interval."""
    look: int
    """The how-manieth look at the test split it was."""
    n_rows: int
    """Rows of the test split."""
    confirmed_at: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of timing: a fresh process."""

    median_ms: float
    calibration_before_s: float
    calibration_after_s: float
    flagged: bool
    """The machine was busy, in every try."""
    tries: int


@dataclass(frozen=True, slots=True)
class Timing:
    """The wall-clock latency of a trial on one machine."""

    median_ms: float
    low_ms: float
    high_ms: float
    n: int
    """Calls timed, over all rounds."""
    batch: int
    """Rows a call."""
    percentiles: Mapping[str, float] = field(default_factory=dict)
    """Those that the count of calls allows, such as ``p90``, milliseconds."""
    rounds: tuple[Round, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether the machine was busy in one of its rounds."""
        return any(one.flagged for one in self.rounds)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a trial's model costs on one machine."""

    number: int
    """The trial's."""
    machine: Mapping[str, Json]
    """The fingerprint."""
    latency: Mapping[str, Timing]
    """Objective -> its timing."""
    size_kb: float | None
    """Of the file that ships."""
    rss_mb: float | None
    """Resident memory of a fresh process that has loaded the model, in MB (1,000,000 bytes)."""
    load_s: float | None
    """Seconds to load it."""
    backend: str
    confirmed_at: float
    """Unix seconds."""


def scored(confirmations: Sequence[Confirmation]) -> dict[int, Scored]:
    """Trial number -> its latest scores on the test split. Confirmations are given oldest first, as stores do."""
    return {one.number: _scored(one) for one in confirmations if one.measures.get("scores")}


def looks(confirmations: Sequence[Confirmation]) -> int:
    """How often the test split was scored."""
    return max((int(one.measures.get("look", 0)) for one in confirmations), default=0)


def machine_name(machine: Mapping[str, Json]) -> str:
    """A machine in a few words; two with the same name are taken for one."""
    return f"{machine.get('processor', 'unknown processor')}, {machine.get('cores', '?')} cores"


def measured(confirmations: Sequence[Confirmation]) -> dict[str, dict[int, Measured]]:
    """Machine, as :func:`machine_name` calls it -> trial number -> what it cost there last."""
    found: dict[str, dict[int, Measured]] = {}
    for one in confirmations:
        found.setdefault(machine_name(one.machine), {})[one.number] = _measured(one)
    return found


def repeats(confirmations: Sequence[Confirmation]) -> dict[int, dict[str, list[float]]]:
    """Trial number -> objective -> its value in each repeat with other splits, for the trials that have any."""
    return {one.number: dict(one.measures["repeats"]) for one in confirmations if one.measures.get("repeats")}


def pack_draws(draws: NDArray[Any]) -> str:
    """Draws (n_draws, n_scores) as text."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(draws, dtype="<f4").tobytes())).decode()


def unpack_draws(text: str, n_scores: int) -> Draws:
    """What :func:`pack_draws` was given, as float32."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<f4").reshape(-1, n_scores)


def _scored(confirmation: Confirmation) -> Scored:
    measures = confirmation.measures
    scores = {name: Score(**score) for name, score in measures["scores"].items()}
    return Scored(
        number=confirmation.number,
        scores=scores,
        draws=unpack_draws(measures["draws"], len(scores)),
        look=measures["look"],
        n_rows=measures["n_rows"],
        confirmed_at=confirmation.confirmed_at,
    )


def _measured(confirmation: Confirmation) -> Measured:
    measures = confirmation.measures
    return Measured(
        number=confirmation.number,
        machine=confirmation.machine,
        latency={name: _timing(timing) for name, timing in measures.get("latency", {}).items()},
        size_kb=measures.get("size_kb"),
        rss_mb=measures.get("rss_mb"),
        load_s=measures.get("load_s"),
        backend=measures.get("backend", "sklearn"),
        confirmed_at=confirmation.confirmed_at,
    )


def _timing(timing: Mapping[str, Json]) -> Timing:
    return Timing(**{**timing, "rounds": tuple(Round(**one) for one in timing.get("rounds", ()))})
