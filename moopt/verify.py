"""The verify verb: an export, loaded elsewhere, still is, predicts, times and weighs what it claims.

It reads the export and nothing else, and runs no code of it: models are loaded by :mod:`moopt.shipped.predict`, the
program of which an export carries a copy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from moopt.errors import ExportError, MissingExtra
from moopt.shipped.claims import CLAIMS, REQUIREMENTS, SAMPLE, SAMPLE_PREDICTIONS, Claims, measure
from moopt.shipped.contents import Contents, read_contents
from moopt.shipped.manifest import MANIFEST, differences, read_manifest
from moopt.shipped.predict import (
    INPUT,
    Columns,
    Input,
    Model,
    Predictions,
    load_model,
    predictions,
    read_predictions,
    read_rows,
)
from moopt.trial import Json

TOLERATED_PROBABILITY = 1e-5
"""A probability may differ by so much: other processors round float32 sums otherwise."""
TOLERATED_SLOWNESS = 1.5
"""A call may take so many times what is claimed, scaled to this machine; that it is quicker is no fault."""

_TRIES = 3


class Verdict(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    DIFFERS = "differs"
    """In a way that breaks no claim: another version, which shows in the lines above it where it matters."""
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Line:
    """A claim beside what was found."""

    what: str
    """A file, or what is measured."""
    claim: str
    found: str
    verdict: Verdict

    def as_json(self) -> dict[str, Json]:
        """For programs."""
        return {"what": self.what, "claim": self.claim, "found": self.found, "verdict": self.verdict.value}


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of an export."""

    about: Mapping[str, Any] = field(default_factory=dict)
    """Its manifest; empty where that does not hold."""
    lines: tuple[Line, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether no claim fails."""
        return all(line.verdict is not Verdict.FAILS for line in self.lines)


class _Shipped(NamedTuple):
    """What is needed to measure an export again."""

    claims: Claims
    content: bytes
    """Of the model file."""
    given: Input
    columns: Columns | None
    """The sample, if there is one."""
    predicted: Predictions | None
    """What the export says of the sample."""


def verify(place: str | Path) -> Report:
    """Check an export's folder or zip: every file, then the model, its predictions, size and latencies.

    What differs is a line of the report; where files differ, nothing is loaded. Raises UsageError where there is no
    export, ExportError for a zip that is not whole, MissingExtra, with the packages to install, where the model's
    runtime is missing.
    """
    contents = read_contents(Path(place))
    try:
        manifest = read_manifest(contents.files[MANIFEST])
    except KeyError:
        return Report({}, (_failed(MANIFEST, "names every file", "missing"), *_unnamed(contents)))
    except ValueError as error:
        return Report({}, (_failed(MANIFEST, "carries its own digest", str(error)),))
    if changed := [_failed(*difference) for difference in differences(manifest, contents)]:
        return Report(manifest, (*changed, Line("the model", "", "files differ", Verdict.UNCHECKED)))
    n_files = len(manifest["files"]) + 1
    whole = Line("files", f"{n_files}, by SHA-256", f"{n_files}, unchanged", Verdict.HOLDS)
    if not manifest.get("model"):
        reason = str(manifest.get("missing") or "the export has none")
        return Report(manifest, (whole, Line("the model", "none", reason, Verdict.UNCHECKED)))
    return Report(manifest, (whole, *_measured(contents.files)))


def _unnamed(contents: Contents) -> Iterator[Line]:
    for name in sorted({*contents.files, *contents.unreadable}):
        yield Line(name, "", "no manifest names it", Verdict.UNCHECKED)


def _failed(what: str, claim: str, found: str) -> Line:
    return Line(what, claim, found, Verdict.FAILS)


def _judged(what: str, claim: str, found: str, holds: bool) -> Line:
    return Line(what, claim, found, Verdict.HOLDS if holds else Verdict.FAILS)


def _measured(files: Mapping[str, bytes]) -> Iterator[Line]:
    shipped = _shipped(files)
    name = shipped.claims.model
    model = _loaded(shipped, files)
    if isinstance(model, Line):
        yield model
        return
    yield _judged(name, "loads", "loads, all its types are trusted", True)
    yield from _predicted(shipped, model)
    yield from _weighed(shipped.claims, _found(shipped, model))


def _shipped(files: Mapping[str, bytes]) -> _Shipped:
    """Raises ExportError where files that are as the manifest says make no sense together."""
    try:
        claims = Claims.from_json(json.loads(files[CLAIMS]))
        given = Input.from_json(files[INPUT])
        columns = read_rows(files[SAMPLE], given) if SAMPLE in files else None
        predicted = read_predictions(files[SAMPLE_PREDICTIONS]) if SAMPLE in files else None
        return _Shipped(claims, files[claims.model], given, columns, predicted)
    except KeyError as error:
        raise ExportError(f"the export has a model but no {error}; export it again") from None
    except (ValueError, TypeError, LookupError) as error:
        raise ExportError(f"the export's own files do not fit together: {error}; export it again") from None


def _loaded(shipped: _Shipped, files: Mapping[str, bytes]) -> Model | Line:
    name = shipped.claims.model
    try:
        return load_model(name, shipped.content)
    except ImportError as error:
        packages = " ".join(files.get(REQUIREMENTS, b"").decode().split())
        raise MissingExtra(f"{name} does not load here: {error}\nDo: pip install {packages}") from error
    except Exception as error:
        return _failed(name, "loads", f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")


def _predicted(shipped: _Shipped, model: Model) -> Iterator[Line]:
    if shipped.columns is None or shipped.predicted is None:
        yield Line("predictions", "", "the export has no sample of rows", Verdict.UNCHECKED)
        return
    claimed, found = shipped.predicted, predictions(model, shipped.columns)
    n, same = len(claimed.labels), sum(map(str.__eq__, claimed.labels, found.labels))
    yield _judged("predictions", f"{n} labels", f"{same} of {len(found.labels)} are the same", n == same)
    if claimed.probabilities is not None and found.probabilities is not None:
        largest = _largest_difference(claimed.probabilities, found.probabilities)
        yield _judged(
            "probabilities",
            f"within {TOLERATED_PROBABILITY:g}",
            f"differ by {largest:.2g} at most",
            largest <= TOLERATED_PROBABILITY,
        )


def _largest_difference(claimed: Sequence[Sequence[float]], found: Sequence[Sequence[float]]) -> float:
    if [len(row) for row in claimed] != [len(row) for row in found]:
        return math.inf
    return max(abs(one - other) for one, other in zip(chain(*claimed), chain(*found), strict=True))


def _found(shipped: _Shipped, model: Model) -> Claims:
    """What is measured here; once more, and at most three times, where a busy machine misses a latency."""
    for _ in range(_TRIES):
        claimed = shipped.claims
        found = measure(claimed.model, shipped.content, model, shipped.columns, claimed.batches)
        if all(_in_time(claimed, found, name) for name in claimed.latency_ms):
            break
    return found


def _expected_ms(claimed: Claims, found: Claims, name: str) -> float:
    """A claimed latency at the speed of the machine that we are on."""
    return claimed.latency_ms[name] * found.calibration_ms / claimed.calibration_ms


def _in_time(claimed: Claims, found: Claims, name: str) -> bool:
    return found.latency_ms[name] <= TOLERATED_SLOWNESS * _expected_ms(claimed, found, name)


def _weighed(claimed: Claims, found: Claims) -> Iterator[Line]:
    weighs = found.size_kb == claimed.size_kb
    yield _judged("size_kb", f"{claimed.size_kb:,.3f} kB", f"{found.size_kb:,.3f} kB", weighs)
    yield from _timed(claimed, found)
    for package, version in claimed.versions.items():
        here = found.versions.get(package, "not installed")
        yield Line(package, version, here, Verdict.HOLDS if here == version else Verdict.DIFFERS)


def _timed(claimed: Claims, found: Claims) -> Iterator[Line]:
    if not claimed.latency_ms:
        yield Line("latency_ms", "", "the export has no sample of rows", Verdict.UNCHECKED)
    speed = found.calibration_ms / claimed.calibration_ms
    for name, ms in claimed.latency_ms.items():
        expected = _expected_ms(claimed, found, name)
        claim = f"{ms:.4g} ms, which is {expected:.4g} ms here: this machine takes {speed:.2f} times as long"
        yield _judged(name, claim, f"{found.latency_ms[name]:.4g} ms", _in_time(claimed, found, name))
