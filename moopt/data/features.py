"""Raw columns as features: every column becomes numbers or text, or is left out with a reason.

Numbers are float64 with NaN where a value is missing; flags are 0 and 1; dates are days since
1970-01-01. Texts are ``object`` columns of str with ``""`` where a value is missing, because model files
for other runtimes know no missing text.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

MANY_LEVELS = 50
"""A text column with more different values gets a warning."""
MOST_LEVELS = 32
"""One-hot encoding has columns for so many of a text column's commonest values; the others share all zeros."""
MISSING_TEXT = "missing"
"""What stands for a missing text in a pipeline, as a value like any other."""
_ENOUGH_TO_JUDGE = 20
_DAY = np.timedelta64(1, "D")
_EPOCH = np.datetime64("1970-01-01")


@dataclass(frozen=True)
class Columns:
    """What a pipeline has to know of the features, in the frame's order."""

    numeric: tuple[str, ...]
    text: tuple[str, ...] = ()
    numeric_gaps: bool = False
    """Whether numbers are missing somewhere."""
    text_gaps: bool = False
    """Whether texts are missing somewhere."""
    levels: tuple[tuple[str, ...], ...] = ()
    """The commonest values of each text column, sorted; empty where no column has more than ``MOST_LEVELS``."""

    def as_json(self) -> dict[str, Any]:
        """Plain data that ``Columns.from_json`` takes back."""
        return {
            "numeric": list(self.numeric),
            "text": list(self.text),
            "numeric_gaps": self.numeric_gaps,
            "text_gaps": self.text_gaps,
            "levels": [list(levels) for levels in self.levels],
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Columns:
        """The columns of :meth:`as_json`."""
        levels = tuple(tuple(one) for one in given.get("levels", ()))
        return cls(**{**given, "numeric": tuple(given["numeric"]), "text": tuple(given["text"]), "levels": levels})


@dataclass(frozen=True)
class Features:
    """A frame that a pipeline can take, and what had to be said on the way."""

    X: pd.DataFrame
    dropped: Mapping[str, str]
    """Column -> why it was left out."""
    warnings: tuple[str, ...]


def as_features(raw: pd.DataFrame) -> Features:
    """Every column judged by itself; numeric columns keep their place among the others."""
    import pandas as pd

    kept: dict[str, pd.Series[Any]] = {}
    dropped: dict[str, str] = {}
    warnings: list[str] = []
    for name in raw.columns:
        column, said = _plain(raw[name])
        warnings += [f"column {name!r} {text}" for text in said]
        if reason := _useless(column):
            dropped[name] = reason
            continue
        kept[name] = column
        warnings += [f"column {name!r} {text}" for text in _remarks(column)]
    X = pd.DataFrame(kept, index=raw.index)
    warnings = [f"column {name!r} is left out: {reason}" for name, reason in dropped.items()] + warnings
    return Features(X, dropped, tuple(warnings))


def describe(X: pd.DataFrame, seen: NDArray[np.intp]) -> Columns:
    """The columns of a frame that :func:`as_features` gave; values are counted in the rows ``seen`` only."""
    numeric = tuple(str(name) for name in X.columns if _is_number(X[name]))
    text = tuple(str(name) for name in X.columns if name not in numeric)
    counts = [X[name].iloc[seen].replace("", MISSING_TEXT).value_counts() for name in text]
    many = any(len(one) > MOST_LEVELS for one in counts)
    return Columns(
        numeric,
        text,
        numeric_gaps=bool(X[list(numeric)].isna().to_numpy().any()),
        text_gaps=bool((X[list(text)] == "").to_numpy().any()),
        levels=tuple(_commonest(one) for one in counts) if many else (),
    )


def _commonest(counts: pd.Series[int]) -> tuple[str, ...]:
    """Ties go by the alphabet, so that the choice repeats."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(sorted(str(level) for level, _ in ranked[:MOST_LEVELS]))


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(column.dtype.kind == "f")


def _plain(column: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    """A column as float64 or as text, with remarks."""
    import pandas as pd
    from pandas.api import types

    if types.is_datetime64_any_dtype(column.dtype):
        return _days(column), [_DATES]
    if types.is_bool_dtype(column.dtype) or types.is_numeric_dtype(column.dtype):
        return _finite(column.astype("float64"))
    # Judged level by level: a column has far fewer levels than rows.
    codes, found = pd.factorize(column.map(str, na_action="ignore") if _is_nested(column) else column)
    levels = pd.Series(["" if str(level).strip() == "" else str(level) for level in found] + [""], dtype=object)
    known = levels[levels != ""]
    numbers = pd.to_numeric(known, errors="coerce")

    def spread(values: pd.Series[Any]) -> pd.Series[Any]:
        return pd.Series(values.reindex(levels.index).to_numpy()[codes], index=column.index)

    if known.empty:
        return pd.Series(np.nan, index=column.index), []
    if known.isin(["True", "False"]).all():
        return spread((known == "True").astype("float64")), []
    if numbers.notna().all():
        return _finite(spread(numbers.astype("float64")))
    if (
        known.str.fullmatch(_ISO_DATE).all()
        and (dates := pd.to_datetime(known, format="ISO8601", errors="coerce")).notna().all()
    ):
        return spread(_days(dates)), [_DATES]
    return spread(levels), _nearly_numbers(known, numbers)


def _is_nested(column: pd.Series[Any]) -> bool:
    """Whether it holds lists or the like, as Parquet files may."""
    return column.dtype == object and not all(isinstance(value, Hashable) for value in column)


_ISO_DATE = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_DATES = "holds dates; they are used as days since 1970-01-01"


def _days(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    naive = column.dt.tz_convert(None) if getattr(column.dt, "tz", None) is not None else column
    return pd.Series((naive - pd.Timestamp(_EPOCH)) / pd.Timedelta(_DAY), index=column.index, dtype="float64")


def _finite(column: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    endless = np.isinf(column.to_numpy())
    if not endless.any():
        return column, []
    return column.mask(endless), [f"holds {int(endless.sum())} infinite values; they count as missing"]


def _nearly_numbers(known: pd.Series[Any], numbers: pd.Series[Any]) -> list[str]:
    import pandas as pd

    if pd.to_numeric(known.str.replace(",", ".", regex=False), errors="coerce").notna().all():
        return ["is text that reads as numbers with a decimal comma; give decimal = ','"]
    marks = sorted(set(known[numbers.isna()]))
    if len(marks) <= 3 and numbers.notna().mean() > 0.5 and len(numbers) > 10:
        shown = ", ".join(repr(mark) for mark in marks)
        return [f"is text because of {shown} among its numbers; if that means missing, give missing = [{shown}]"]
    return []


def _useless(column: pd.Series[Any]) -> str:
    """Why a column cannot help a model, or nothing."""
    if _is_number(column):
        known = column.dropna()
        if known.empty:
            return "every value is missing"
        if known.iloc[0] == known.max() == known.min():
            return f"constant ({known.iloc[0]:g} in every row)"
        return "it counts the rows, so it identifies them" if _counts(known.to_numpy()) else ""
    if column.nunique() == 1:
        return f"constant ({column.iloc[0]!r} in every row)"
    known = column[column != ""]
    if len(known) >= _ENOUGH_TO_JUDGE and known.is_unique:
        return "every value is different, so it identifies rows"
    return ""


def _counts(values: np.ndarray[Any, Any]) -> bool:
    """Whole numbers, all different, that fill at least half of their range: 1, 2, 3..."""
    if len(values) < _ENOUGH_TO_JUDGE or not np.all(values == np.floor(values)):
        return False
    return bool(np.ptp(values) < 2 * len(values) and len(np.unique(values)) == len(values))


def _remarks(column: pd.Series[Any]) -> list[str]:
    if _is_number(column) or (levels := column.nunique()) <= MANY_LEVELS:
        return []
    return [f"is text with {levels} different values; one-hot encoding has columns for the {MOST_LEVELS} commonest"]
