"""Measured times as they are kept with a step: small enough for a store, whole enough to be judged again."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from moopt.errors import StoreError, nearest
from moopt.trial import Json

KEPT = 64
"""So many samples of a latency are kept with a step."""
LATENCY = "latency"
"""Where a step's details keep what stands behind its latencies."""


def thinned(ns: ArrayLike) -> NDArray[np.int64]:
    """Times (n,) in nanoseconds, least first: all, or 64 order statistics evenly spread from the least to the
    greatest.
    """
    ordered = np.sort(np.asarray(ns, dtype=np.int64))
    if len(ordered) <= KEPT:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, KEPT).round().astype(np.intp)]


def pack(ns: NDArray[np.int64]) -> str:
    """Times (n,) in nanoseconds, least first, as text: each less the one before it, as uint64, deflated by zlib, in
    base64.
    """
    steps = np.diff(ns, prepend=0).astype("<u8")
    return base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()


def unpack(text: str) -> NDArray[np.int64]:
    """The times (n,) of :func:`pack`, least first. Raises StoreError for a text that is none."""
    try:
        steps = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), dtype="<u8")
    except (binascii.Error, zlib.error, ValueError) as error:
        raise StoreError(f"the samples {text[:20]!r} cannot be read: {error}; the store is damaged") from None
    return np.cumsum(steps).astype(np.int64)


def samples(details: Mapping[str, Json], objective: str) -> NDArray[np.int64]:
    """Nanoseconds a call (n,), least first, that a step kept for a latency such as ``latency_ms``.

    ``details`` are those of a :class:`moopt.trial.StepResult`. Raises StoreError for an objective without samples.
    """
    kept: Mapping[str, Any] = details.get(LATENCY) or {}
    if objective not in kept:
        hint = nearest(objective, kept) if kept else "; it has none of any latency"
        raise StoreError(f"the step keeps no samples of {objective}{hint}")
    return unpack(kept[objective]["samples"])
