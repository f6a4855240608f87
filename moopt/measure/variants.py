"""What one fit gives: the fitted model itself, and the others that can be made of it without another fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moopt.trial import Config, Json


def as_it_is(model: Any, X: Any) -> tuple[Any, Mapping[str, Json]]:
    """The model that was fitted is the one that predicts."""
    del X
    return model, {}


@dataclass(frozen=True)
class Variant:
    """A model to be measured."""

    changes: Config
    """The hyperparameters whose values differ from the config's that was fitted; empty for that config."""
    make: Callable[[], Any]
    """Gives the model: whatever predicts. What it raises fails this variant."""
    fit_share: float = 1.0
    """Of the fit's time, what this variant alone would have needed."""
    deploy: Callable[[Any, Any], tuple[Any, Mapping[str, Json]]] = as_it_is
    """From the model and the validation rows to what predicts in its place, with details. What it raises fails this
    variant."""

    @property
    def is_deployed(self) -> bool:
        """Whether what predicts is another thing than what was fitted."""
        return self.deploy is not as_it_is


class Expansion(Protocol):
    """One way to make more of a fitted model; picklable."""

    def __call__(self, variant: Variant, config: Config) -> Sequence[Variant]:
        """The variants that one gives, the one for the config's own value first; ``config`` is that of the trial."""
        ...


def variants(estimator: Any, config: Config, expansions: Sequence[Expansion]) -> list[Variant]:
    """All variants of a fitted estimator, the config's own first: each expansion is applied to all those before."""
    found = [Variant({}, lambda: estimator)]
    for expand in expansions:
        found = [more for one in found for more in expand(one, config)]
    return found
