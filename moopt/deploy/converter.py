"""Conversion in a process of its own, so that a converter that crashes or hangs fails one conversion and no more.

The process is started once and kept for the next conversions: to import the converters takes a second, to
carry a model there and back some hundredths.
"""

from __future__ import annotations

import atexit
from functools import lru_cache
from typing import Any

from moopt.deploy.backends import require_onnx
from moopt.errors import ConversionFailed, StepTimeout, UsageError, WorkerDied
from moopt.pool import ProcessPool

LONGEST_S = 300.0
"""A conversion that takes longer hangs, as far as we are concerned."""


def convert(estimator: Any, X: Any) -> bytes:
    """As :func:`moopt.deploy.conversion.to_onnx`; the file is known to load and to predict the rows X.

    Raises as there, WorkerDied where the conversion or the first prediction ends the process, StepTimeout where it
    takes longer than ``LONGEST_S``, MemoryError.
    """
    require_onnx()
    try:
        return _process().submit(_converted, estimator, X).result()
    except WorkerDied as error:
        raise WorkerDied(f"the conversion to ONNX crashed: {error}") from error
    except StepTimeout as error:
        raise StepTimeout(f"the conversion to ONNX took longer than {LONGEST_S:g} s and was stopped") from error
    except UsageError as error:
        raise ConversionFailed(f"the model cannot be sent to where it is converted: {error}") from error


def convert_once(estimator: Any, X: Any) -> bytes:
    """:func:`convert` for who has nothing more to convert: the process ends with it."""
    try:
        return convert(estimator, X)
    finally:
        close()


@lru_cache(maxsize=1)
def _process() -> ProcessPool:
    atexit.register(close)
    return ProcessPool(1, step_timeout_s=LONGEST_S)


def close() -> None:
    """End the process, if there is one."""
    if _process.cache_info().currsize:
        _process().shutdown()
        _process.cache_clear()
        atexit.unregister(close)


def _converted(estimator: Any, X: Any) -> bytes:
    from moopt.deploy.conversion import to_onnx
    from moopt.deploy.onnx_model import OnnxModel

    content = to_onnx(estimator, X)
    OnnxModel(content).predict(X)
    return content
