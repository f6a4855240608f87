"""One trial's model for confirming: taken from the file that was kept or fitted anew, and scored on the test split.

What runs here runs in a worker: a model that takes its process down is the failure of one trial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cloudpickle

from moopt import uncertainty
from moopt.confirm.scores import scored
from moopt.data import DataSpec, Rows, read_data
from moopt.deploy.backends import BACKEND, ONNXRUNTIME
from moopt.errors import OtherData
from moopt.evaluate import one_thread
from moopt.measure import Measures
from moopt.measure.artefact import load_kept, load_model
from moopt.measure.deployed import deployed
from moopt.measure.size import model_bytes
from moopt.refit import fit_quietly
from moopt.trial import Config, Json

SKOPS, PICKLED, ONNX = "skops", "pickle", "onnx"
"""How a model was turned into bytes; pickled ones live as long as the confirmation and are read by nobody else."""

_COMPARED = 5_000
"""Search rows on which a converted model must predict as its original."""


class Halves(NamedTuple):
    """The rows of a study; their folds are of no use here."""

    search: Rows
    test: Rows | None
    """The rows that the search never saw; None where there are none."""


class Source(Protocol):
    """Small, picklable and hashable: stands for the rows until a worker loads them, once a process."""

    def load(self) -> Halves:
        """The rows, equal each time."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class FileHalves:
    """The rows of a data file."""

    spec: DataSpec
    sha256: str

    def load(self) -> Halves:
        """Raises OtherData where the file is not the one that was searched any more."""
        data = read_data(self.spec)
        if data.sha256 != self.sha256:
            raise OtherData(f"{self.spec.file} has changed meanwhile; bring the old file back")
        split = data.split()
        search, test = (Rows(data.X.iloc[rows].reset_index(drop=True), data.y[rows], ()) for rows in split)
        return Halves(search, test if len(split.test) else None)


@dataclass(frozen=True, eq=False)
class HeldHalves:
    """Rows that are at hand."""

    halves: Halves

    def load(self) -> Halves:
        """The rows."""
        return self.halves


@lru_cache(maxsize=1)
def opened(source: Source) -> Halves:
    """The rows of a source, read once a process."""
    return source.load()


class Model(NamedTuple):
    """A fitted model."""

    content: bytes
    kind: str
    """SKOPS, or PICKLED for an estimator that skops cannot write, or not read again."""
    refitted: bool
    """Whether no file that was kept would do."""
    scored: Mapping[str, Json]
    """``scores``, ``n_rows`` and ``draws``; empty where the test split was not to be scored."""
    said: tuple[str, ...]
    """What was said while fitting, each once."""
    onnx: bytes | None = None
    """The file that ships where the config's backend is ONNX Runtime: the model, converted."""


@dataclass(frozen=True)
class Refit:
    """Config -> fitted model, scored where asked for. A task for workers: picklable."""

    source: Source
    build: Callable[[Config], Any]
    measures: Measures
    seed: int
    confidence: float = uncertainty.CONFIDENCE
    with_interval: bool = True
    ships: bool = True
    """Whether a model that skops cannot write has failed; else it is pickled, for this run alone."""

    def __call__(self, config: Config, kept: bytes | None, score: bool) -> Model:
        """The model of ``kept``, else fitted on all search rows. Raises whatever the model raises."""
        from threadpoolctl import threadpool_limits

        halves = opened(self.source)
        model = None if kept is None else load_kept(kept)
        said: tuple[str, ...] = ()
        content, kind, refitted = kept or b"", SKOPS, model is None
        with threadpool_limits(1):
            if refitted:
                model = one_thread(self.build(config))
                said = fit_quietly(model, halves.search.X, halves.search.y, **halves.search.fit_params)
                content, kind = _as_bytes(model, ships=self.ships)
            predicts, onnx = model, None
            if config.get(BACKEND) == ONNXRUNTIME:
                predicts, _ = deployed(model, halves.search.X[:_COMPARED])
                onnx = predicts.content
            found = self._scored(predicts, halves.test) if score and halves.test is not None else {}
        return Model(content, kind, refitted, found, said, onnx)

    def _scored(self, model: Any, test: Rows) -> dict[str, Json]:
        return scored(
            self.measures,
            model,
            test.X,
            test.y,
            seed=self.seed,
            confidence=self.confidence,
            with_interval=self.with_interval,
        )


def _as_bytes(model: Any, *, ships: bool) -> tuple[bytes, str]:
    """The model's file."""
    try:
        content = model_bytes(model)
        load_model(content)
    except Exception:
        if ships:
            raise
        return cloudpickle.dumps(model), PICKLED
    return content, SKOPS


def read_onnx(path: Path) -> Any:
    """A converted model, with the face of its original."""
    from moopt.deploy.onnx_model import OnnxModel

    return OnnxModel(path)


def read_pickled(path: Path) -> Any:
    """A model that this very run has pickled."""
    return cloudpickle.loads(path.read_bytes())
