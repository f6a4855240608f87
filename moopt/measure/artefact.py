"""Load the model file that ships, as the program does that ships with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moopt.shipped.predict import load_skops


def load_model(source: bytes | Path) -> Any:
    """The estimator of a skops file. Nothing in the file can widen the list of trusted types.

    Raises skops' UntrustedTypesFoundException where it holds another type.
    """
    return load_skops(source if isinstance(source, bytes) else Path(source).read_bytes())
