"""The data of a ParetoSearchCV on their way to the workers, and what tells them from other data.

In this process the rows are handed over as they are. For processes they are written once to a temporary file,
which each worker opens once.
"""

from __future__ import annotations

import hashlib
import math
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from moopt.data import Reference, Rows
from moopt.space.values import plain
from moopt.trial import Config, Evaluator, Json, StepResult

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LONGEST = 200


@dataclass(frozen=True, eq=False)
class Held:
    """A reference to rows in this process."""

    rows: Rows

    @property
    def n_folds(self) -> int:
        """How many folds there are."""
        return len(self.rows.folds)

    def load(self) -> Rows:
        """The rows."""
        return self.rows


@dataclass(frozen=True)
class Filed:
    """A reference to rows in a file of :func:`filed`."""

    path: str
    n_folds: int

    def load(self) -> Rows:
        """The rows, read from the file."""
        rows: Rows = cloudpickle.loads(Path(self.path).read_bytes())
        return rows


@contextmanager
def referenced(rows: Rows, *, to_file: bool) -> Iterator[Reference]:
    """A reference to the rows, by a file that is removed at the end or without one."""
    if not to_file:
        yield Held(rows)
        return
    with tempfile.TemporaryDirectory(prefix="moopt-") as folder:
        path = Path(folder, "rows.pickle")
        with path.open("wb") as file:
            cloudpickle.dump(rows, file)
        yield Filed(str(path), len(rows.folds))


@dataclass(frozen=True)
class WithSettings:
    """An evaluator under the scikit-learn settings of the process that began the search."""

    evaluator: Evaluator
    settings: Mapping[str, Any]

    @property
    def n_steps(self) -> int:
        """The evaluator's."""
        return self.evaluator.n_steps

    def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:
        """The evaluator's results."""
        from sklearn import config_context

        with config_context(**self.settings):
            return self.evaluator(config, step)


@dataclass(frozen=True)
class Build:
    """Config -> the estimator with these parameters, unfitted."""

    estimator: Any
    params: Callable[[Config], Mapping[str, Any]]
    """Config -> parameters, as ``set_params`` takes them."""

    def __call__(self, config: Config) -> Any:
        """A clone, also of the parameters: they may be estimators themselves."""
        return with_params(self.estimator, self.params(config))


def with_params(estimator: Any, params: Mapping[str, Any]) -> Any:
    """A clone of the estimator with clones of the parameters."""
    from sklearn import clone

    return clone(estimator).set_params(**{name: clone(value, safe=False) for name, value in params.items()})


def spec_of(estimator: Any, scorers: Mapping[str, Any], pos_label: Any, rows: Rows) -> dict[str, Json]:
    """What decides how a trial is evaluated, as a study keeps it: the model, the scores, and hashes of the data."""
    return {
        "kind": "estimator",
        "estimator": _described(estimator),
        "scoring": {name: _text(scorer) for name, scorer in scorers.items()},
        "pos_label": _text(plain(pos_label)),
        "data": {
            "sha256": sha256(rows.X, rows.y),
            "folds_sha256": sha256(*(part for fold in rows.folds for part in fold)),
            **({"params_sha256": sha256(rows.fit_params, rows.score_params)} if _given(rows) else {}),
        },
    }


def _given(rows: Rows) -> bool:
    return bool(rows.fit_params or rows.score_params)


def _described(estimator: Any) -> dict[str, Json]:
    params = estimator.get_params() if hasattr(estimator, "get_params") else {}
    return {"class": type(estimator).__name__} | {name: _text(value) for name, value in sorted(params.items())}


def _text(value: Any) -> Json:
    """What the user wrote: a plain value itself, else in a line, without what differs from process to process."""
    if isinstance(value, str | bool | int | None) or (isinstance(value, float) and math.isfinite(value)):
        return value
    text = _ADDRESS.sub("", " ".join(repr(value).split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def sha256(*values: Any) -> str:
    """A hash of arrays, frames, sparse matrices, lists and dicts by their content, equal in every process."""
    found = hashlib.sha256()
    for value in values:
        for part in _parts(value):
            found.update(part)
    return found.hexdigest()


def _parts(value: Any) -> Iterator[bytes | memoryview]:
    """What to hash of a value. Each kind begins with a mark, so that no two kinds look alike."""
    from scipy import sparse

    if hasattr(value, "iloc"):
        yield from _frame_parts(value)
    elif sparse.issparse(value):
        matrix = value.tocsr()
        yield f"sparse{matrix.shape}".encode()
        for array in (matrix.data, matrix.indices, matrix.indptr):
            yield from _parts(array)
    elif isinstance(value, Mapping):
        yield b"dict"
        for key in sorted(value, key=str):
            yield from _parts(str(key))
            yield from _parts(value[key])
    elif (array := _plain_array(value)) is not None:
        yield f"array{array.dtype.str}{array.shape}".encode()
        yield np.ascontiguousarray(array).tobytes()
    elif isinstance(value, np.ndarray | list | tuple):
        yield f"list{len(value)}".encode()
        for one in value:
            yield from _parts(one)
    elif isinstance(value, str | bytes | bool | int | float | None):
        yield f"{type(value).__name__}:{value!r}".encode()
    else:
        yield cloudpickle.dumps(value)


def _frame_parts(frame: Any) -> Iterator[bytes]:
    import pandas as pd

    names = list(map(str, frame.columns)) if hasattr(frame, "columns") else [str(frame.name)]
    yield f"frame{frame.shape}{names}".encode()
    yield pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()


def _plain_array(value: Any) -> Any:
    """What calls itself an array, or a list, as an array of numbers, bools or texts; None where it is none."""
    if not (isinstance(value, list | tuple) or hasattr(value, "__array__")):
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "biufcUSmM" else None
