"""What an export holds besides words: the pipeline as source, the fitted model, and all that it needs to run alone."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from moopt import refit
from moopt.data import Data
from moopt.deploy.agreement import agreement
from moopt.deploy.backends import BACKEND, ONNXRUNTIME
from moopt.deploy.converter import convert_once
from moopt.deploy.onnx_model import OnnxModel
from moopt.errors import ConversionFailed, DataError, ExportError, StepTimeout, WorkerDied, WrongResult
from moopt.export.sample import input_of, sample_rows
from moopt.measure.artefact import load_kept
from moopt.measure.size import model_bytes
from moopt.objectives import latency_batch
from moopt.shipped import predict
from moopt.shipped.claims import CLAIMS, REQUIREMENTS, SAMPLE, SAMPLE_PREDICTIONS, Claims, measure, requirements
from moopt.shipped.manifest import readable_json
from moopt.store.base import StudyRecord
from moopt.trial import Trial

_COMPARED = 5_000
"""Rows on which a converted model is compared with its original."""


class Built(NamedTuple):
    """Files of a trial, where there can be any."""

    files: Mapping[str, bytes]
    said: str
    """About the model, in a few sentences: what it is, or why there is none."""
    data: Data | None = None
    """What it was fitted on."""
    claims: Claims | None = None
    """What was measured of it."""


class _Model(NamedTuple):
    """The model that ships."""

    estimator: Any
    content: bytes
    """Its file, by scikit-learn."""
    data: Data | None
    """All rows of the study's file; None where it cannot be read, and a kept model does without."""
    said: str


def build_files(
    record: StudyRecord,
    chosen: Trial,
    data: str | Path | None,
    kept: bytes | None,
    *,
    with_model: bool,
    with_sample: bool,
) -> Built:
    """A trial's pipeline and fitted model with its runtime's files; raises as :func:`moopt.export.make_export`.

    ``kept`` is the file of its model, where one was kept.
    """
    if reason := refit.no_pipeline(record):
        return Built({}, reason)
    about = f"Trial {chosen.number} of the moopt study {record.name!r}."
    source = {"pipeline.py": refit.pipeline_source(record, chosen.config, about).encode()}
    if not with_model:
        return Built(source, "There is no fitted model: it was left out. `pipeline.py` builds it unfitted.")
    file = None if data is None else Path(data)
    try:
        model = _kept(record, kept, file) or _fitted(record, chosen, file)
    except DataError as error:
        if data is not None:
            raise ExportError(str(error)) from error
        return Built(source, _no_data(error))
    files, claims = _runtime(record, chosen, model, with_sample=with_sample)
    said = f"`{claims.model}` is {model.said}{_RUNS}"
    return Built({**source, **files}, said, model.data, claims)


def _kept(record: StudyRecord, kept: bytes | None, file: Path | None) -> _Model | None:
    estimator = None if kept is None else load_kept(kept)
    if kept is None or estimator is None:
        return None
    said = "the pipeline of `pipeline.py` as `moopt confirm` fitted it on all search rows and kept it."
    try:
        return _Model(estimator, kept, refit.searched_data(record, file), said)
    except DataError as error:
        if file is not None:
            raise
        return _Model(estimator, kept, None, f"{said} There is no sample of rows: {str(error).splitlines()[0]}.")


def _fitted(record: StudyRecord, chosen: Trial, file: Path | None) -> _Model:
    fitted = refit.fit(record, chosen.config, file)
    warned = f" While fitting it said: {'; '.join(fitted.warnings)}." if fitted.warnings else ""
    said = (
        f"the pipeline of `pipeline.py`, fitted on the {fitted.n_rows} rows outside the test split "
        f"with seed {record.seed}.{warned}"
    )
    return _Model(fitted.model, model_bytes(fitted.model), fitted.data, said)


_RUNS = (
    " `predict.py` loads it without running code of the file: `pip install -r requirements.txt`, then "
    "`python predict.py rows.csv > predictions.csv`."
)


def _no_data(error: DataError) -> str:
    return (
        f"There is no fitted model: {str(error).splitlines()[0]}. `pipeline.py` builds it unfitted; "
        "export again with the data file to have it fitted."
    )


def _runtime(
    record: StudyRecord, chosen: Trial, shipped: _Model, *, with_sample: bool
) -> tuple[dict[str, bytes], Claims]:
    given = input_of(record, shipped.estimator)
    name, content = predict.SKLEARN, shipped.content
    if chosen.config.get(BACKEND) == ONNXRUNTIME:
        name, content = predict.ONNX, _converted(shipped, given)
    files = {
        name: content,
        "predict.py": inspect.getsource(predict).encode(),
        predict.INPUT: readable_json(given._asdict()),
        REQUIREMENTS: requirements(name),
    }
    model = predict.load_model(name, content)
    columns = None
    if with_sample and shipped.data is not None:
        files[SAMPLE] = sample_rows(shipped.data, given)
        columns = predict.read_rows(files[SAMPLE], given)
        files[SAMPLE_PREDICTIONS] = predict.as_csv(predict.predictions(model, columns), given.classes)
    claims = measure(name, content, model, columns, _batches(record))
    files[CLAIMS] = readable_json(claims.as_json())
    return files, claims


def _converted(shipped: _Model, given: predict.Input) -> bytes:
    """The model as ONNX, which predicts alike on the data, where they are at hand."""
    some = {name: [""] if name in given.texts else [0.0] for name in given.columns}
    rows = predict.load_model(predict.SKLEARN, shipped.content).rows(some)
    try:
        content = convert_once(shipped.estimator, rows)
        if shipped.data is not None:
            agreement(shipped.estimator, OnnxModel(content), shipped.data.X[:_COMPARED]).check()
    except (ConversionFailed, WorkerDied, StepTimeout, WrongResult) as error:
        raise ExportError(f"the fitted model cannot be exported for {ONNXRUNTIME}: {error}") from error
    return content


def _batches(record: StudyRecord) -> dict[str, int]:
    """The study's latencies with their rows a call; that of one row in any case."""
    found = {one.name: latency_batch(one.name) for one in record.objectives}
    return {"latency_ms": 1} | {name: batch for name, batch in found.items() if batch is not None}
