"""A trial's pipeline as source, and the same fitted on all search data: the rows outside the test split.

It works from what the study records (``StudyRecord.spec``), so that no search has to be at hand.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from moopt.data import DataSpec, read_data, sha256_of
from moopt.data.features import Columns
from moopt.errors import ExportError
from moopt.measure.deployed import SAMPLE
from moopt.models.pipelines import build, source
from moopt.store.base import PIPELINE, StudyRecord
from moopt.trial import Config, Json


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model fitted on all search data."""

    model: Any
    sample: Any
    """The first of the rows that it was fitted on (k, d)."""
    n_rows: int
    """Rows it was fitted on."""
    warnings: tuple[str, ...]
    """What was said while fitting, each once."""


def no_pipeline(record: StudyRecord) -> str:
    """Why a study's trials have no pipeline of moopt's, in a sentence; empty where they have."""
    if record.spec.get("kind") == PIPELINE:
        return ""
    if not record.spec:
        return (
            "There is no pipeline and no model: the study searched a Python function or estimator, "
            "whose code is not stored."
        )
    return (
        "There is no pipeline and no model: the study searched an estimator that was given in Python and is not "
        "stored; its parameters are in the configuration."
    )


def pipeline_source(record: StudyRecord, config: Config, about: str) -> str:
    """A Python module whose ``build()`` makes the unfitted pipeline; ``about`` is its docstring."""
    return source(config, _columns(record), record.seed, about)


def fit(record: StudyRecord, config: Config, file: Path | None = None) -> Fitted:
    """The pipeline of a config, fitted on the search rows of the study's file, or of ``file`` in its place.

    The same each time, bit for bit: one thread, and the study's seed. Raises DataError where the file cannot be
    read, ExportError where it is not the one that was searched or where the fit fails.
    """
    spec = data_spec(record)
    if file is not None:
        spec = replace(spec, file=str(file))
    _check_hash(spec.file, record.spec["data"]["sha256"])
    data = read_data(spec)
    rows = data.split().search
    X, y = data.X.iloc[rows].reset_index(drop=True), data.y[rows]
    return _fit(build(config, _columns(record), record.seed), X, y)


def data_spec(record: StudyRecord) -> DataSpec:
    """How the study reads its data file: where it was when the study was made, else by the name it was given."""
    recorded: Mapping[str, Json] = record.spec["data"]
    known = {one.name for one in fields(DataSpec)}
    given = {name: value for name, value in recorded.items() if name in known}
    places = [recorded.get("path", recorded["file"]), recorded["file"]]
    return DataSpec(**{**given, "file": next((place for place in places if Path(place).is_file()), places[0])})


def _columns(record: StudyRecord) -> Columns:
    return Columns.from_json(record.spec["columns"])


def _check_hash(file: str, recorded: str) -> None:
    found = sha256_of(file)
    if found != recorded:
        raise ExportError(
            f"{file} is not the file that was searched: its SHA-256 is {found[:12]}, the study's {recorded[:12]}\n"
            "Give the file as it was, or leave the model out."
        )


def _fit(model: Any, X: Any, y: Any) -> Fitted:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            model.fit(X, y)
        except Exception as error:
            raise ExportError(f"the model cannot be fitted: {type(error).__name__}: {error}") from error
    said = dict.fromkeys(f"{one.category.__name__}: {str(one.message).strip().splitlines()[0]}" for one in raised)
    return Fitted(model, X[:SAMPLE], len(X), tuple(said))
