"""Load the model file that ships, by the very function that ships with it."""

from __future__ import annotations

import warnings
from typing import Any

from moopt.shipped.predict import load_skops as load_model

__all__ = ["load_kept", "load_model"]


def load_kept(content: bytes) -> Any:
    """The estimator of a skops file that was kept; None where these versions of the libraries cannot answer for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return load_model(content)
        except Exception:
            return None
