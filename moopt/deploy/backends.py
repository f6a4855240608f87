"""The names of the backends as a search takes them, and what it asks of one.

``sklearn`` is the fitted estimator itself, ``onnxruntime`` the same model converted to ONNX.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any

from moopt.errors import MissingExtra, SpecError, nearest
from moopt.trial import Json

BACKEND = "backend"
"""The hyperparameter."""
SKLEARN = "sklearn"
ONNXRUNTIME = "onnxruntime"
BACKENDS = (SKLEARN, ONNXRUNTIME)
MAX_DISAGREEMENT = 0.005
"""A converted model that predicts otherwise on a larger share of rows is not the model that was searched."""

_NEEDED = ("skl2onnx", "onnx", "onnxruntime")


def as_backends(given: Iterable[str] | None) -> tuple[str, ...]:
    """The backends to choose between, each once; None is scikit-learn alone.

    Raises SpecError for what is no backend, MissingExtra where what runs it is not installed.
    """
    if given is None:
        return (SKLEARN,)
    if isinstance(given, str) or not isinstance(given, Iterable) or not (names := list(given)):
        raise SpecError(f"backends is {given!r}; give a list of some of: {', '.join(BACKENDS)}")
    for name in names:
        _check(name)
    if ONNXRUNTIME in names:
        require_onnx()
    return tuple(dict.fromkeys(names))


def _check(name: Any) -> None:
    if name not in BACKENDS:
        raise SpecError(f"backends holds {name!r}{nearest(str(name), BACKENDS)}")


def as_choice(backends: Sequence[str]) -> dict[str, Sequence[str]]:
    """The hyperparameter that a search of these backends has: none for scikit-learn alone."""
    return {} if tuple(backends) == (SKLEARN,) else {BACKEND: backends}


def recorded(backends: Sequence[str], max_disagreement: float) -> dict[str, Json]:
    """What a study keeps of them."""
    if not as_choice(backends):
        return {}
    return {"backends": list(backends), "max_disagreement": max_disagreement}


def require_onnx() -> None:
    """Raises MissingExtra where the packages behind the backend ``onnxruntime`` are not installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(f'the backend {ONNXRUNTIME} needs {missing[0]}; do: pip install "moopt[onnx]"')
