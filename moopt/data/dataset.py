"""Read, check, hash and split a data file.

``read_data`` turns a :class:`DataSpec` into a :class:`Data`: features, target, classes, and in words what was
left out. A worker gets a :class:`FileReference` instead and reads the file itself, the rows of the search only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from moopt.data.features import Columns, as_features, describe
from moopt.data.rawfile import parse, read_bytes
from moopt.errors import DataError, nearest
from moopt.searchers.base import Stream, generator

if TYPE_CHECKING:
    import pandas as pd

Ints: TypeAlias = NDArray[np.intp]
Label: TypeAlias = bool | int | str

_TEST_SPLIT, _FOLD_SPLIT = 0, 1  # numbers within Stream.SPLIT; those from 2 on are repeats' folds
_MOST_NUMERIC_CLASSES = 50
_MOST_DECIMAL_CLASSES = 10


@dataclass(frozen=True)
class DataSpec:
    """A data file and how to read it. Raises DataError for a share or a seed that cannot be."""

    file: str
    """Path of a CSV or Parquet file."""
    target: str
    """The column to predict."""
    positive: Label | None = None
    """The label of a two-class target that recall, precision and F1 are about; the rarer one where not given."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""
    missing: tuple[str, ...] = ()
    """Cells that mean missing, besides pandas' own marks (empty, NA, nan, null...)."""
    separator: str | None = None
    """Between the cells of a CSV file; a comma where not given."""
    decimal: str | None = None
    """The decimal mark of a CSV file; a point where not given."""
    encoding: str | None = None
    """Of a CSV file; UTF-8 where not given."""
    test_share: float = 0.2
    """Of each class's rows, kept back for the final test and never seen by the search."""
    seed: int = 0
    """Of the study; draws the test rows and the folds."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", str(self.file))
        for name in ("drop", "missing"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        if not 0 <= self.test_share <= 0.9:
            raise DataError(f"test_share is {self.test_share!r}; give a share from 0 to 0.9, such as 0.2")

    def as_json(self) -> dict[str, Any]:
        """Plain data that ``DataSpec(**...)`` takes back."""
        return {**vars(self), "drop": list(self.drop), "missing": list(self.missing)}


class Split(NamedTuple):
    """Row indices, each in increasing order."""

    search: Ints
    test: Ints


@dataclass(frozen=True, eq=False)
class Data:
    """A data file that was read and checked."""

    spec: DataSpec
    X: pd.DataFrame
    """Features (n, d): float64 columns (NaN: missing) and object columns of str (``""``: missing)."""
    y: NDArray[Any]
    """Labels (n,): bool, int64 or str."""
    columns: Columns
    sha256: str
    """Of the file's bytes."""
    classes: tuple[Label, ...]
    """Sorted, plain Python values."""
    positive: Label | None
    """One of two classes; None where there are more."""
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Column -> why it was left out."""
    warnings: tuple[str, ...] = ()
    """What the user should know, a line each."""

    def split(self) -> Split:
        """Search and test rows: a share of each class, at least one row of it, drawn from the spec's seed."""
        return _split(self.spec, self.y, self.classes)

    def check_folds(self, n_folds: int) -> None:
        """Raises DataError for a class with fewer search rows than folds."""
        counts = {label: int(np.sum(self.y == label)) for label in self.classes}
        share = self.spec.test_share
        rare = [label for label, n in counts.items() if n - _test_rows(n, share) < n_folds]
        if not rare:
            return
        enough = next(n for n in range(n_folds, 20 * n_folds + 20) if n - _test_rows(n, share) >= n_folds)
        first = min(rare, key=lambda label: counts[label])
        others = f" (and {len(rare) - 1} other classes are as rare)" if len(rare) > 1 else ""
        kept = f" beside a test share of {share:.0%}" if share else ""
        raise DataError(
            f"class {first!r} of {self.spec.target!r} has {counts[first]} rows{others}: {n_folds} folds{kept} need "
            f"at least {enough} rows of each class\nGive more rows of it, leave its rows out, or use fewer folds."
        )

    def reference(self, n_folds: int) -> FileReference:
        """What a worker gets instead of the data. Raises DataError as :meth:`check_folds`."""
        self.check_folds(n_folds)
        return FileReference(self.spec, self.sha256, n_folds)


def _split(spec: DataSpec, y: NDArray[Any], classes: Sequence[Label]) -> Split:
    rng = generator(spec.seed, Stream.SPLIT, _TEST_SPLIT)
    test = np.zeros(len(y), dtype=bool)
    for label in classes:
        rows = np.flatnonzero(y == label)
        test[rng.permutation(rows)[: _test_rows(len(rows), spec.test_share)]] = True
    return Split(np.flatnonzero(~test), np.flatnonzero(test))


def _test_rows(n: int, share: float) -> int:
    return 0 if share == 0 or n < 2 else max(1, math.floor(n * share + 0.5))


def read_data(spec: DataSpec) -> Data:
    """Read and check a data file. Raises DataError with what was found and what to do."""
    content = read_bytes(spec.file)
    raw = parse(
        content,
        spec.file,
        separator=spec.separator,
        decimal=spec.decimal,
        encoding=spec.encoding,
        missing=spec.missing,
    )
    _check_names(spec, list(raw.columns))
    raw, notes = _with_target(spec, raw)
    y = _labels(spec, raw[spec.target])
    classes = tuple(np.unique(y).tolist())
    if len(classes) < 2:
        raise DataError(
            f"target {spec.target!r} of {spec.file} is {classes[0]!r} in every row; "
            "give a target with two or more classes"
        )
    features = as_features(raw.drop(columns=[spec.target, *spec.drop]))
    if features.X.shape[1] == 0:
        raise DataError(f"{spec.file}: no column is left to learn from\n{'; '.join(features.warnings)}")
    positive, said = _positive(spec, y, classes)
    return Data(
        spec=spec,
        X=features.X,
        y=y,
        columns=describe(features.X, _split(spec, y, classes).search),
        sha256=hashlib.sha256(content).hexdigest(),
        classes=classes,
        positive=positive,
        dropped=features.dropped,
        warnings=(*notes, *said, *features.warnings),
    )


def _check_names(spec: DataSpec, names: list[str]) -> None:
    if spec.target not in names:
        if len(names) == 1:
            raise DataError(
                f"{spec.file} has no column {spec.target!r}: with the separator {spec.separator or ','!r} it seems to "
                f"have one column only, {names[0][:60]!r}\nGive the file's separator, for instance separator = ';'."
            )
        raise DataError(f"{spec.file} has no column {spec.target!r} to predict{nearest(spec.target, names)}")
    for name in spec.drop:
        if name == spec.target:
            raise DataError(f"column {name!r} is the target and is to be dropped too; name it once")
        if name not in names:
            raise DataError(f"{spec.file} has no column {name!r} to drop{nearest(name, names)}")


def _with_target(spec: DataSpec, raw: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    known = raw[spec.target].notna()
    gone = int((~known).sum())
    if gone == len(raw):
        raise DataError(f"target {spec.target!r} of {spec.file} is missing in every row; give another target")
    if gone == 0:
        return raw, []
    rows = "1 row is" if gone == 1 else f"{gone} rows are"
    return raw[known].reset_index(drop=True), [f"{rows} left out: the target {spec.target!r} is missing"]


def _labels(spec: DataSpec, column: pd.Series[Any]) -> NDArray[Any]:
    from pandas.api import types

    n_classes = column.nunique()
    if types.is_bool_dtype(column.dtype):
        return column.to_numpy(dtype=bool)
    if not types.is_numeric_dtype(column.dtype):
        return column.map(str).to_numpy(dtype=np.str_)
    values = column.to_numpy(dtype=np.float64)
    decimal = not np.all(values == np.floor(values))
    if n_classes > (_MOST_DECIMAL_CLASSES if decimal else _MOST_NUMERIC_CLASSES):
        kind = "decimal" if decimal else "whole"
        raise DataError(
            f"target {spec.target!r} of {spec.file} holds {n_classes} different {kind} numbers; moopt learns classes\n"
            "Give a target with fewer values, or cut the numbers into classes first."
        )
    if decimal:
        return column.map(str).to_numpy(dtype=np.str_)
    return values.astype(np.int64)


def _positive(spec: DataSpec, y: NDArray[Any], classes: Sequence[Label]) -> tuple[Label | None, list[str]]:
    if spec.positive is not None:
        for label in classes:
            if str(label) == str(spec.positive):
                return _for_two(spec, label, classes)
        texts = [str(label) for label in classes]
        raise DataError(
            f"the positive label {spec.positive!r} is no value of {spec.target!r}{nearest(str(spec.positive), texts)}"
        )
    if len(classes) != 2:
        return None, []
    counts = [int(np.sum(y == label)) for label in classes]
    rarer = classes[0] if counts[0] < counts[1] else classes[1]
    return rarer, [f"recall, precision and F1 are about {rarer!r}, the rarer class; name another with positive"]


def _for_two(spec: DataSpec, label: Label, classes: Sequence[Label]) -> tuple[Label | None, list[str]]:
    if len(classes) == 2:
        return label, []
    return None, [
        f"the positive label {label!r} is not used: {spec.target!r} has {len(classes)} classes, "
        "and recall, precision and F1 are means over them"
    ]


class Rows(NamedTuple):
    """What an evaluator works on."""

    X: Any
    """Features (n, d)."""
    y: Any
    """Labels (n,)."""
    folds: Sequence[tuple[Ints, Ints]]
    """Training and validation rows of each fold."""
    fit_params: Mapping[str, Any] = {}
    """Arguments of ``fit``; those of length n are cut to the training rows."""
    score_params: Mapping[str, Any] = {}
    """Arguments of the scorers; those of length n are cut to the rows scored."""


class Reference(Protocol):
    """Small, picklable and hashable: stands for the data until a worker loads them, once a process."""

    @property
    def n_folds(self) -> int:
        """How many folds ``load`` gives."""
        ...

    def load(self) -> Rows:
        """The rows and their folds, equal each time."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class FileReference:
    """The search rows of a data file, in stratified folds."""

    spec: DataSpec
    sha256: str
    n_folds: int = 5
    repeat: int = 0
    """0 for the folds of the search; each other number has folds of its own."""

    def load(self) -> Rows:
        """Raises DataError where the file is not the one of the study any more."""
        data = read_data(self.spec)
        if data.sha256 != self.sha256:
            raise DataError(
                f"{self.spec.file} has changed since the study began: its SHA-256 is {data.sha256[:12]}, not "
                f"{self.sha256[:12]}; bring the old file back, or start another study"
            )
        rows = data.split().search
        X, y = data.X.iloc[rows].reset_index(drop=True), data.y[rows]
        return Rows(X, y, stratified_folds(y, self.n_folds, self.spec.seed, self.repeat))


def stratified_folds(y: NDArray[Any], n_folds: int, seed: int, repeat: int = 0) -> list[tuple[Ints, Ints]]:
    """Training and validation rows of a shuffled, stratified k-fold drawn from the study's seed and the repeat."""
    from sklearn.model_selection import StratifiedKFold

    draw = int(generator(seed, Stream.SPLIT, _FOLD_SPLIT + repeat).integers(2**31))
    return list(StratifiedKFold(n_folds, shuffle=True, random_state=draw).split(np.zeros(len(y)), y))


def sha256_of(file: str | Path) -> str:
    """SHA-256 of a file's bytes, to check it against a study."""
    return hashlib.sha256(read_bytes(str(file))).hexdigest()
