"""Rows that travel with a model, so that others can see that it still predicts the same: the user's data."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np

from moopt.data import Data, Ints
from moopt.refit import data_spec
from moopt.shipped.predict import Input
from moopt.store.base import StudyRecord

N_ROWS = 50


def input_of(record: StudyRecord, model: Any) -> Input:
    """What rows look like to a fitted pipeline of a study: written as in the data file that was learnt from."""
    spec, texts = data_spec(record), set(record.spec["columns"]["text"])
    names = [str(name) for name in model.feature_names_in_]
    return Input(
        columns=names,
        texts=[name for name in names if name in texts],
        classes=[str(label) for label in model.classes_],
        # A separator of several characters is a regular expression, with which nothing can be written.
        separator=spec.separator if spec.separator and len(spec.separator) == 1 else ",",
        decimal=spec.decimal or ".",
        encoding=spec.encoding or "utf-8",
        missing=spec.missing,
    )


def origin(data: Data) -> str:
    """Which rows the sample is of, in words."""
    return "the test split" if len(data.split().test) else "the search rows, on which the model was fitted"


def sample_rows(data: Data, given: Input) -> bytes:
    """At most 50 rows, evenly spread over the test split (over the search rows where there is none), as CSV."""
    written = io.StringIO()
    lines = csv.writer(written, delimiter=given.separator, lineterminator="\n")
    lines.writerow(given.columns)
    for row in data.X[list(given.columns)].iloc[_places(data)].itertuples(index=False, name=None):
        lines.writerow([_cell(value, given.decimal) for value in row])
    return written.getvalue().encode(given.encoding)


def _places(data: Data) -> Ints:
    rows = data.split().test if len(data.split().test) else data.split().search
    return rows[np.unique(np.linspace(0, len(rows) - 1, N_ROWS).astype(np.intp))]


def _cell(value: float | str, decimal: str) -> str:
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else repr(float(value)).replace(".", decimal)
