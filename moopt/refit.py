"""A trial's pipeline as source, and the same fitted on all search data: the rows outside the test split.

It works from what the study records (``StudyRecord.spec``), so that no search has to be at hand.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from moopt.data import Data, DataSpec, read_data, sha256_of
from moopt.data.features import Columns
from moopt.errors import ExportError, OtherData
from moopt.models.pipelines import PipelineBuilder, source
from moopt.store.base import PIPELINE, StudyRecord
from moopt.trial import Config, Json


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model fitted on all search data."""

    model: Any
    n_rows: int
    """Rows it was fitted on."""
    data: Data
    """All rows, of which these are the search rows."""
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
    try:
        data = searched_data(record, file)
    except OtherData as error:
        raise ExportError(f"{error}\nGive the file as it was, or leave the model out.") from error
    rows = data.split().search
    X, y = data.X.iloc[rows].reset_index(drop=True), data.y[rows]
    model = builder(record)(config)
    try:
        said = fit_quietly(model, X, y)
    except Exception as error:
        raise ExportError(f"the model cannot be fitted: {type(error).__name__}: {error}") from error
    return Fitted(model, len(X), data, said)


def builder(record: StudyRecord) -> PipelineBuilder:
    """Config -> unfitted pipeline, as the search built it."""
    return PipelineBuilder(_columns(record), record.seed)


def searched_data(record: StudyRecord, file: Path | None = None) -> Data:
    """The data of the study's file, or of ``file`` in its place.

    Raises DataError where the file cannot be read, OtherData where it is not the one that was searched.
    """
    spec = data_spec(record)
    if file is not None:
        spec = replace(spec, file=str(file))
    found, searched = sha256_of(spec.file), record.spec["data"]["sha256"]
    if found != searched:
        raise OtherData(
            f"{spec.file} is not the file that was searched: its SHA-256 is {found[:12]}, the study's {searched[:12]}"
        )
    return read_data(spec)


def fit_quietly(model: Any, X: Any, y: Any, **params: Any) -> tuple[str, ...]:
    """Fit in place, with one thread; what was said meanwhile, each once. Raises whatever the model raises."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        model.fit(X, **params) if y is None else model.fit(X, y, **params)
    return tuple(
        dict.fromkeys(f"{one.category.__name__}: {str(one.message).strip().splitlines()[0]}" for one in raised)
    )


def data_spec(record: StudyRecord) -> DataSpec:
    """How the study reads its data file: where it was when the study was made, else by the name it was given."""
    recorded: Mapping[str, Json] = record.spec["data"]
    known = {one.name for one in fields(DataSpec)}
    given = {name: value for name, value in recorded.items() if name in known}
    places = [recorded.get("path", recorded["file"]), recorded["file"]]
    return DataSpec(**{**given, "file": next((place for place in places if Path(place).is_file()), places[0])})


def _columns(record: StudyRecord) -> Columns:
    return Columns.from_json(record.spec["columns"])
