"""Data and metadata of a ``fit``: which parameter goes to the estimator, to the scorers, to the splitter."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from moopt.data import Rows
from moopt.errors import MooptWarning, SpecError


def metadata_router(search: Any, scorers: Mapping[str, Any]) -> Any:
    """Where scikit-learn's metadata routing sends what ``fit`` and ``score`` of a search are given."""
    from sklearn.metrics import check_scoring
    from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

    router = MetadataRouter(owner=search)
    router.add(estimator=search.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
    if scorers:
        mapping = MethodMapping().add(caller="fit", callee="score").add(caller="score", callee="score")
        router.add(scorer=check_scoring(search.estimator, scoring=dict(scorers)), method_mapping=mapping)
    router.add(splitter=search.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
    return router


def routed(search: Any, X: Any, y: Any, params: Mapping[str, Any], scorers: Mapping[str, Any]) -> Rows:
    """The data with their folds and parameters.

    Raises ValueError for X and y of unequal length and what else scikit-learn refuses, SpecError for a ``cv`` whose
    splits are none or not as many as it says.
    """
    from sklearn import get_config
    from sklearn.utils import indexable
    from sklearn.utils.metadata_routing import process_routing

    X, y = indexable(X, y)
    if get_config()["enable_metadata_routing"]:
        found = process_routing(search, "fit", **params)
        fit, split, score = found.estimator.fit, found.splitter.split, found.scorer.score if scorers else {}
    else:
        split = {"groups": params.get("groups")}
        fit = {name: value for name, value in params.items() if name != "groups"}
        score = _score_params(fit, scorers)
    return Rows(X, y, _folds(search, X, y, split), dict(fit), dict(score))


def routed_for_score(search: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """What ``score`` passes on to the scorer. Raises SpecError for parameters without metadata routing."""
    from sklearn import get_config
    from sklearn.utils.metadata_routing import process_routing

    if not params:
        return {}
    if not get_config()["enable_metadata_routing"]:
        raise SpecError(
            f"score was given {', '.join(params)}, which needs metadata routing\n"
            "Switch it on: sklearn.set_config(enable_metadata_routing=True)."
        )
    return dict(process_routing(search, "score", **params).scorer.score)


def _score_params(fit: Mapping[str, Any], scorers: Mapping[str, Any]) -> dict[str, Any]:
    """Sample weights also weigh the scores, where a scorer takes them."""
    if fit.get("sample_weight") is None:
        return {}
    without = [name for name, scorer in scorers.items() if not _takes_weights(scorer)]
    if without:
        warnings.warn(f"sample_weight is not used by the score {', '.join(without)}", MooptWarning, stacklevel=4)
    return {"sample_weight": fit["sample_weight"]} if len(without) < len(scorers) else {}


def _takes_weights(scorer: Any) -> bool:
    takes = getattr(scorer, "_accept_sample_weight", None)
    return bool(takes()) if takes is not None else False


def _folds(search: Any, X: Any, y: Any, split: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    from sklearn.base import is_classifier
    from sklearn.model_selection import check_cv

    cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
    n_splits = cv.get_n_splits(X, y, **split)
    folds = [(np.asarray(train), np.asarray(test)) for train, test in cv.split(X, y, **split)]
    if not folds:
        raise SpecError(f"cv is {search.cv!r} and gives no split; give at least one")
    if len(folds) != n_splits:
        raise SpecError(f"cv is {search.cv!r} and gives {len(folds)} splits, but says that it gives {n_splits}")
    return folds
