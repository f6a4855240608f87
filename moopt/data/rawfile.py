"""A CSV or Parquet file as a raw frame, with an error in words for a file that is neither.

Nothing here knows of targets or features; :mod:`moopt.data.features` judges the columns.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moopt.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_PARQUET = b"PAR1"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SUSPICIOUS_BYTES = 4096


def read_bytes(file: str) -> bytes:
    """The whole file; raises DataError where there is none, or a folder, or nothing in it."""
    path = Path(file)
    if path.is_dir():
        raise DataError(f"{file} is a folder; give a CSV or Parquet file in it")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file {file}{_neighbour(path)}") from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None
    if not content.strip():
        raise DataError(f"{file} is empty; give a CSV file with a header row, or a Parquet file")
    return content


def _neighbour(path: Path) -> str:
    from difflib import get_close_matches

    folder = path.parent
    if not folder.is_dir():
        return f"; the folder {folder} does not exist either"
    close = get_close_matches(path.name, [one.name for one in folder.iterdir()], n=1)
    return f"; did you mean {folder / close[0]}?" if close else f" in {folder.resolve()}; check the path"


def parse(
    content: bytes,
    file: str,
    *,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] = (),
) -> pd.DataFrame:
    """The file's bytes as a frame with text names of columns; ``file`` is for messages.

    ``missing`` adds to pandas' own marks of missing values (empty, NA, nan, null...). Raises DataError
    for what is no table, and where text cannot be decoded.
    """
    frame = (
        _parquet(content, file, missing)
        if content.startswith(_PARQUET)
        else _csv(_decode(content, file, encoding), file, separator or ",", decimal or ".", missing)
    )
    frame.columns = [str(name).strip() for name in frame.columns]
    names = list(frame.columns)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{file} names the column {twice!r} twice; give each column a name of its own")
    if len(frame) == 0:
        raise DataError(f"{file} has a header but no rows; give a file with data")
    return frame


def _parquet(content: bytes, file: str, missing: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except Exception as error:
        raise DataError(f"{file} begins like a Parquet file but cannot be read: {_first_line(error)}") from None
    return frame.replace(list(missing), None) if missing else frame


def _decode(content: bytes, file: str, encoding: str | None) -> str:
    if encoding is None:
        _refuse_binary(content, file)
    try:
        return content.decode(encoding or "utf-8").removeprefix("\ufeff")
    except LookupError:
        raise DataError(f"unknown encoding {encoding!r}; give one such as 'utf-8', 'latin-1' or 'cp1252'") from None
    except UnicodeError as error:
        place = error.start if isinstance(error, UnicodeDecodeError) else 0
        what = f"byte {place} ({content[place]:#04x}) is not {encoding or 'UTF-8'}"
        raise DataError(
            f"{file}: {what}\nGive the file's encoding, for instance encoding = 'latin-1' or 'cp1252'."
        ) from None


def _refuse_binary(content: bytes, file: str) -> None:
    if content.startswith(_UTF16):
        raise DataError(f"{file} begins like UTF-16 text; give encoding = 'utf-16'")
    place = content[:_SUSPICIOUS_BYTES].find(b"\0")
    if place >= 0:
        raise DataError(f"{file} is not a CSV file: byte {place} is NUL, so it is no text; give a CSV or Parquet file")


def _csv(text: str, file: str, separator: str, decimal: str, missing: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    if decimal == separator:
        raise DataError(f"separator and decimal are both {decimal!r}; give two different marks")
    # The python engine takes a separator of several characters, as a regular expression. The C engine is told to
    # read a column in one pass, so that its type does not depend on chunks.
    engine: dict[str, Any] = {"engine": "c", "low_memory": False} if len(separator) == 1 else {"engine": "python"}
    try:
        frame: pd.DataFrame = pd.read_csv(
            io.StringIO(text), sep=separator, decimal=decimal, na_values=list(missing), **engine
        )
    except Exception as error:
        raise DataError(
            f"{file} is not a CSV file with the separator {separator!r}: {_first_line(error)}\n"
            "Give another separator, or mend that line."
        ) from None
    if isinstance(frame.index, pd.RangeIndex):
        return frame
    # Rows with more cells than the header has names: pandas takes the first ones as the index.
    if frame.shape[1] == 1:
        return frame.reset_index(drop=True)
    raise DataError(
        f"{file}: with the separator {separator!r} its header names {frame.shape[1]} columns, but its rows have more "
        "cells\nGive another separator, or a header with a name for each column."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
