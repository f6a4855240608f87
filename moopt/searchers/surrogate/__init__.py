"""Surrogate assistance: models that learn from all results which config to evaluate next."""

from moopt.searchers.surrogate.assisted import Assisted

__all__ = ["Assisted"]
