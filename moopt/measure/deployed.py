"""A fitted model on each of its backends: measured as converted, at the price of a conversion and not of a fit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from moopt.deploy.agreement import agreement
from moopt.deploy.backends import BACKEND, MAX_DISAGREEMENT, ONNXRUNTIME, SKLEARN, as_choice
from moopt.deploy.converter import convert
from moopt.measure.variants import Expansion, Variant
from moopt.trial import Config, Json

if TYPE_CHECKING:
    from moopt.deploy.onnx_model import OnnxModel

SAMPLE = 16
"""So many rows show the converter what a model takes."""


@dataclass(frozen=True)
class Backends:
    """An Expansion: each variant on the config's own ``backend``, and on the others as siblings."""

    names: tuple[str, ...]
    max_disagreement: float = MAX_DISAGREEMENT
    """Of the validation rows, for how many a converted model may predict otherwise than its original."""

    def __call__(self, variant: Variant, config: Config) -> Sequence[Variant]:
        """The config's own backend first."""
        own = str(config.get(BACKEND, SKLEARN))
        others = [name for name in self.names if name != own]
        return [
            self._on(own, variant),
            *(self._on(name, replace(variant, changes={**variant.changes, BACKEND: name})) for name in others),
        ]

    def _on(self, backend: str, variant: Variant) -> Variant:
        if backend != ONNXRUNTIME:
            return variant
        return replace(variant, deploy=partial(deployed, max_disagreement=self.max_disagreement))


def on_backends(names: Sequence[str], max_disagreement: float = MAX_DISAGREEMENT) -> tuple[Expansion, ...]:
    """The expansion for these backends; none for scikit-learn alone."""
    return (Backends(tuple(names), max_disagreement),) if as_choice(names) else ()


def deployed(model: Any, X: Any, max_disagreement: float = MAX_DISAGREEMENT) -> tuple[OnnxModel, Mapping[str, Json]]:
    """A fitted model on ONNX Runtime, and how far it predicts alike on rows X (n, d).

    The details are ``agreement`` (the share of rows, ties counted as they fell), ``probability_difference`` (the
    largest one; None without probabilities) and ``conversion_s``. Raises as
    :func:`moopt.deploy.converter.convert`, and WrongResult where the two disagree on more rows than they may.
    """
    from moopt.deploy.onnx_model import OnnxModel

    start = time.perf_counter()
    other = OnnxModel(convert(model, X[:SAMPLE]))
    conversion_s = time.perf_counter() - start
    found = agreement(model, other, X)
    found.check(max_disagreement)
    return other, {
        "agreement": found.share,
        "probability_difference": found.probability,
        "conversion_s": conversion_s,
    }
