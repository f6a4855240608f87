"""Predictions of a model that moopt exported, from the files beside this program.

    python predict.py rows.csv > predictions.csv

It needs the packages of requirements.txt and nothing else, not moopt either. The rows are a CSV file, written like the
data file that was learnt from, with at least the columns that input.json names; other columns are ignored.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
)
"""Types of scikit-learn's and numpy's that skops does not trust by itself, and that the preset families hold."""

INPUT = "input.json"
SKLEARN, ONNX = "model.skops", "model.onnx"
MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "-NaN", "-nan")
).union(("-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"))
"""Cells that mean missing, as pandas reads them; input.json may name more."""
_FLAGS = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_EPOCH = datetime(1970, 1, 1)
_DAY_S = 86_400

Columns = Mapping[str, Sequence[float] | Sequence[str]]
"""Name -> a value a row: numbers with NaN where one is missing, or texts with ``""``."""


class Input(NamedTuple):
    """What rows look like: the content of input.json."""

    columns: Sequence[str]
    """Their names, in the order that the model was fitted with."""
    texts: Sequence[str]
    """Those that are text; the others are numbers."""
    classes: Sequence[str]
    """Labels as texts, in the order of the model's probabilities."""
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    missing: Sequence[str] = ()

    @classmethod
    def from_json(cls, content: bytes) -> Input:
        """Raises ValueError for anything else."""
        try:
            return cls(**json.loads(content))
        except TypeError as error:
            raise ValueError(f"{INPUT} does not say what the rows look like: {error}") from None


class Predictions(NamedTuple):
    """What the model says of rows, as texts and numbers."""

    labels: list[str]
    """(n,)."""
    probabilities: list[list[float]] | None
    """(n, classes), or None of a model without them."""


class Model(NamedTuple):
    """A model file that was loaded."""

    rows: Callable[[Columns], Any]
    """Columns -> rows as the runtime takes them."""
    predict: Callable[[Any], Any]
    """Those rows -> labels (n,)."""
    probabilities: Callable[[Any], Any] | None
    """Those rows -> probabilities (n, classes)."""


def load_model(name: str, content: bytes) -> Model:
    """A model file by its name. No code of the file runs, and it cannot widen the list of trusted types.

    Raises ImportError where its runtime is missing, and whatever the runtime says of a file that it does not load.
    """
    return _onnx(content) if name == ONNX else _sklearn(content)


def load_skops(source: bytes | Path) -> Any:
    """The estimator of a skops file, by our own list of trusted types and never by the file's.

    Raises skops' UntrustedTypesFoundException where it holds another type.
    """
    from skops.io import loads

    return loads(source if isinstance(source, bytes) else source.read_bytes(), trusted=list(TRUSTED))


def read_rows(content: bytes, given: Input) -> Columns:
    """The columns of a CSV file. Raises ValueError with the line and the column of a cell that cannot be."""
    lines = csv.reader(io.StringIO(content.decode(given.encoding).removeprefix("\ufeff")), delimiter=given.separator)
    header = [name.strip() for name in next(lines, [])]
    if absent := [name for name in given.columns if name not in header]:
        raise ValueError(f"the rows have no column {', '.join(absent)}; their header names {', '.join(header)}")
    rows = []
    for cells in lines:
        if cells and len(cells) != len(header):
            raise ValueError(f"line {lines.line_num} has {len(cells)} cells, the header {len(header)}")
        if cells:
            rows.append(cells)
    if not rows:
        raise ValueError("there are no rows below the header")
    return {name: _column(name, rows, header.index(name), given) for name in given.columns}


def predictions(model: Model, columns: Columns) -> Predictions:
    """Labels, and probabilities where the model has them."""
    rows = model.rows(columns)
    labels = [str(label) for label in model.predict(rows)]
    if model.probabilities is None:
        return Predictions(labels, None)
    return Predictions(labels, [[float(value) for value in row] for row in model.probabilities(rows)])


def as_csv(found: Predictions, classes: Sequence[str]) -> bytes:
    """``prediction`` and ``probability_<class>``, a line a row, UTF-8; numbers with all their digits."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    if found.probabilities is None:
        lines.writerow(["prediction"])
        lines.writerows([label] for label in found.labels)
    else:
        lines.writerow(["prediction", *(f"probability_{name}" for name in classes)])
        lines.writerows([label, *row] for label, row in zip(found.labels, found.probabilities, strict=True))
    return written.getvalue().encode()


def read_predictions(content: bytes) -> Predictions:
    """What :func:`as_csv` wrote. Raises ValueError for anything else."""
    header, *rows = csv.reader(io.StringIO(content.decode()))
    if header[0] != "prediction" or any(len(row) != len(header) for row in rows):
        raise ValueError("these are no predictions")
    labels = [row[0] for row in rows]
    return Predictions(labels, [[float(cell) for cell in row[1:]] for row in rows] if len(header) > 1 else None)


def _column(name: str, rows: Sequence[Sequence[str]], place: int, given: Input) -> list[float] | list[str]:
    missing = MISSING.union(given.missing)
    cells = [row[place] for row in rows]
    cells = ["" if cell in missing or not cell.strip() else cell for cell in cells]
    if name in given.texts:
        return cells
    numbers = []
    for line, cell in enumerate(cells, 1):
        try:
            numbers.append(_number(cell.strip(), given.decimal))
        except ValueError:
            raise ValueError(f"column {name} is a number, but row {line} below the header has {cell!r}") from None
    return numbers


def _number(cell: str, decimal: str) -> float:
    """Flags are 1 and 0, dates are days since 1970-01-01, what is missing or endless is NaN."""
    if not cell:
        return math.nan
    if cell in _FLAGS:
        return _FLAGS[cell]
    if _DATE.fullmatch(cell):
        return (datetime.fromisoformat(cell) - _EPOCH).total_seconds() / _DAY_S
    number = float(cell.replace(decimal, "."))
    return number if math.isfinite(number) else math.nan


def _sklearn(content: bytes) -> Model:
    estimator = load_skops(content)

    def frame(columns: Columns) -> Any:
        import pandas as pd

        kinds = {name: None if isinstance(values[0], str) else "float64" for name, values in columns.items()}
        return pd.DataFrame({name: pd.Series(values, dtype=kinds[name]) for name, values in columns.items()})

    return Model(frame, estimator.predict, getattr(estimator, "predict_proba", None))


def _onnx(content: bytes) -> Model:
    """A file that says of itself, in its metadata, which columns it takes and what its classes are."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    told = json.loads(session.get_modelmeta().custom_metadata_map["moopt"])
    label, *scores = [one.name for one in session.get_outputs()]

    def tensors(columns: Columns) -> Any:
        inputs = {"numbers": (told["numbers"], np.float32), "texts": (told["texts"], np.object_)}
        values = list(columns.values())
        return {
            name: np.column_stack([values[place] for place in places]).astype(dtype)
            for name, (places, dtype) in inputs.items()
            if places
        }

    def labels(rows: Any) -> Any:
        return session.run([label], rows)[0].astype(told["classes_dtype"])

    def probabilities(rows: Any) -> Any:
        return session.run(scores[:1], rows)[0]

    return Model(tensors, labels, probabilities if told["scores"] == "predict_proba" else None)


def main(arguments: Sequence[str]) -> int | str:
    """The program; gives its exit code, or what went wrong."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(__doc__ or "")
        return 0 if arguments in (["-h"], ["--help"]) else 2
    here = Path(__file__).resolve().parent
    name = next((one for one in (ONNX, SKLEARN) if (here / one).is_file()), SKLEARN)
    try:
        given = Input.from_json((here / INPUT).read_bytes())
        columns = read_rows(Path(arguments[0]).read_bytes(), given)
        model = load_model(name, (here / name).read_bytes())
    except (OSError, ValueError, LookupError, ImportError) as error:
        return f"predict.py: {error}"
    sys.stdout.buffer.write(as_csv(predictions(model, columns), given.classes))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
