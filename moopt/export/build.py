"""What an export holds besides words: the pipeline as source, the fitted model, and all that it needs to run alone."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from moopt import refit
from moopt.data import Data
from moopt.errors import DataError, ExportError
from moopt.export.sample import input_of, sample_rows
from moopt.measure.size import model_bytes
from moopt.objectives import latency_batch
from moopt.shipped import predict
from moopt.shipped.claims import CLAIMS, REQUIREMENTS, SAMPLE, SAMPLE_PREDICTIONS, Claims, measure, requirements
from moopt.shipped.manifest import readable_json
from moopt.store.base import StudyRecord
from moopt.trial import Trial


class Built(NamedTuple):
    """Files of a trial, where there can be any."""

    files: Mapping[str, bytes]
    said: str
    """About the model, in a few sentences: what it is, or why there is none."""
    data: Data | None = None
    """What it was fitted on."""
    claims: Claims | None = None
    """What was measured of it."""


def build_files(
    record: StudyRecord, chosen: Trial, data: str | Path | None, *, with_model: bool, with_sample: bool
) -> Built:
    """A trial's pipeline and fitted model with its runtime's files; raises as :func:`moopt.export.make_export`."""
    if reason := refit.no_pipeline(record):
        return Built({}, reason)
    about = f"Trial {chosen.number} of the moopt study {record.name!r}."
    source = {"pipeline.py": refit.pipeline_source(record, chosen.config, about).encode()}
    if not with_model:
        return Built(source, "There is no fitted model: it was left out. `pipeline.py` builds it unfitted.")
    try:
        fitted = refit.fit(record, chosen.config, None if data is None else Path(data))
    except DataError as error:
        if data is not None:
            raise ExportError(str(error)) from error
        return Built(source, _no_data(error))
    files, claims = _runtime(record, fitted, with_sample=with_sample)
    return Built({**source, **files}, _fitted(record, fitted), fitted.data, claims)


def _runtime(record: StudyRecord, fitted: refit.Fitted, *, with_sample: bool) -> tuple[dict[str, bytes], Claims]:
    name, content = predict.SKLEARN, model_bytes(fitted.model)
    given = input_of(fitted.data)
    files = {
        name: content,
        "predict.py": inspect.getsource(predict).encode(),
        predict.INPUT: readable_json(given._asdict()),
        REQUIREMENTS: requirements(name),
    }
    model = predict.load_model(name, content)
    columns = None
    if with_sample:
        files[SAMPLE] = sample_rows(fitted.data)
        columns = predict.read_rows(files[SAMPLE], given)
        files[SAMPLE_PREDICTIONS] = predict.as_csv(predict.predictions(model, columns), given.classes)
    claims = measure(name, content, model, columns, _batches(record))
    files[CLAIMS] = readable_json(claims.as_json())
    return files, claims


def _batches(record: StudyRecord) -> dict[str, int]:
    """The study's latencies with their rows a call; that of one row in any case."""
    found = {one.name: latency_batch(one.name) for one in record.objectives}
    return {"latency_ms": 1} | {name: batch for name, batch in found.items() if batch is not None}


def _no_data(error: DataError) -> str:
    return (
        f"There is no fitted model: {str(error).splitlines()[0]}. `pipeline.py` builds it unfitted; "
        "export again with the data file to have it fitted."
    )


def _fitted(record: StudyRecord, fitted: refit.Fitted) -> str:
    said = f" While fitting it said: {'; '.join(fitted.warnings)}." if fitted.warnings else ""
    return (
        f"`model.skops` is the pipeline of `pipeline.py`, fitted on the {fitted.n_rows} rows outside the test split "
        f"with seed {record.seed}.{said} `predict.py` loads it without running code of the file: "
        "`pip install -r requirements.txt`, then `python predict.py rows.csv > predictions.csv`."
    )
