"""Surrogates: models that learn from all results which config to evaluate next."""

from moopt.searchers.surrogate.assisted import Assisted
from moopt.searchers.surrogate.parego import ParEGO

__all__ = ["Assisted", "ParEGO"]
