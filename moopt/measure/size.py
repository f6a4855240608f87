"""Bytes of the model file that ships: skops, deflated."""

from __future__ import annotations

import math
from typing import Any

from moopt.errors import ObjectiveError

_DIGITS = 3


def model_bytes(estimator: Any) -> bytes:
    """The fitted estimator as a deflated skops file, which loads without running code.

    Raises ObjectiveError for an estimator that skops cannot write.
    """
    import zipfile

    import skops.io

    try:
        return bytes(skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED))
    except Exception as error:
        raise ObjectiveError(
            f"{type(estimator).__name__} cannot be written as a model file by skops: {str(error).strip()[:200]}"
        ) from error


def size_kb(estimator: Any) -> float:
    """Size of :func:`model_bytes` in kB (1,000 bytes), to three significant digits.

    The length varies by about .2 % from dump to dump (skops writes the addresses of objects), hence the rounding.
    """
    return round_significant(len(model_bytes(estimator)) / 1000)


def round_significant(value: float) -> float:
    """A positive number rounded to three significant digits."""
    return round(value, _DIGITS - 1 - math.floor(math.log10(value)))
