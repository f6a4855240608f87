"""The arguments of ParetoSearchCV that no other room checks. Each error says what was given and what was expected."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from moopt.errors import MooptWarning, SpecError, nearest
from moopt.measure.staged import staged
from moopt.measure.variants import Expansion
from moopt.space.distributions import Distributions


def check_arguments(search: Any) -> None:
    """Raises SpecError for an argument that cannot be."""
    if not hasattr(search.estimator, "fit"):
        raise SpecError(f"estimator is {search.estimator!r}; give a scikit-learn estimator (it has no fit)")
    _check("n_trials", search.n_trials, "a number of configs from 1", _whole(search.n_trials) and search.n_trials > 0)
    _check(
        "n_jobs",
        search.n_jobs,
        "a number of processes, -1 for one a core, or None",
        search.n_jobs in (None,) or (_whole(search.n_jobs) and search.n_jobs != 0),
    )
    score = search.error_score
    _check(
        "error_score", score, "a number or 'raise'", score == "raise" or (isinstance(score, Real) and not _bool(score))
    )
    _check("return_train_score", search.return_train_score, "True or False", _bool(search.return_train_score))
    listed = search.start is None or isinstance(search.start, list | tuple)
    _check("start", search.start, "a list of dicts of parameters, or None", listed)
    _check("reuse", search.reuse, "True or False", _bool(search.reuse))
    if search.reuse and search.store is None:
        raise SpecError("reuse takes what other studies of a store measured; give store= with its file")
    share = search.max_disagreement
    _check("max_disagreement", share, "a share from 0 to 1", isinstance(share, int | float) and 0 <= share <= 1)
    _check("verbose", search.verbose, "a whole number from 0", _bool(search.verbose) or _whole(search.verbose))


def check_target(estimator: Any, y: Any) -> None:
    """Raises SpecError where the estimator cannot do without the target that is not there."""
    from sklearn.utils import get_tags

    if y is None and get_tags(estimator).target_tags.required:
        raise SpecError(f"{type(estimator).__name__} requires y to be passed, but the target y is None; give fit(X, y)")


def check_parameters(estimator: Any, names: Iterable[str]) -> None:
    """Raises SpecError for a parameter that the estimator has not.

    Parameters of a part that the space itself replaces cannot be known.
    """
    known, names = estimator.get_params(), set(names)
    for name in sorted(names):
        parts = name.split("__")
        replaced = any("__".join(parts[:end]) in names for end in range(1, len(parts)))
        if name not in known and not replaced:
            raise SpecError(f"{type(estimator).__name__} has no parameter {name!r}{nearest(name, known)}")


def _check(name: str, given: object, expected: str, valid: bool) -> None:
    if not valid:
        raise SpecError(f"{name} is {given!r}; give {expected}")


def _bool(given: object) -> bool:
    import numpy as np

    return isinstance(given, bool | np.bool_)


def _whole(given: object) -> bool:
    return isinstance(given, Integral) and not _bool(given)


def seed_of(random_state: Any) -> int | None:
    """The study's seed: a whole number itself, one drawn from a RandomState, or None.

    Raises SpecError for anything else.
    """
    from sklearn.utils import check_random_state

    if random_state is None:
        return None
    if _whole(random_state) and random_state >= 0:
        return int(random_state)
    try:
        return int(check_random_state(random_state).randint(2**31))
    except ValueError:
        raise SpecError(
            f"random_state is {random_state!r}; give a whole number from 0, a RandomState or None"
        ) from None


def classes_of(estimator: Any, y: Any, pos_label: Any) -> tuple[Any, ...]:
    """The classes of a classifier's target in order, plain Python values; none where there are no classes.

    Raises SpecError for a ``pos_label`` that is no class, and warns where it has no use.
    """
    import numpy as np
    from sklearn.base import is_classifier
    from sklearn.utils.multiclass import type_of_target

    classes: tuple[Any, ...] = ()
    if y is not None and is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass"):
        classes = tuple(np.unique(np.asarray(y)).tolist())
    if pos_label is not None and len(classes) == 2 and pos_label not in classes:
        raise SpecError(f"pos_label is {pos_label!r}, no class of y{nearest(str(pos_label), map(str, classes))}")
    if pos_label is not None and len(classes) != 2:
        what = f"has {len(classes)} classes" if classes else "has no classes"
        warnings.warn(f"pos_label={pos_label!r} is not used: y {what}", MooptWarning, stacklevel=3)
    return classes


def expansions_of(is_staged: bool, distributions: Distributions) -> tuple[Expansion, ...]:
    """What else is made of a fit; raises SpecError where ensembles shall be staged and none has a size to search."""
    if not _bool(is_staged):
        raise SpecError(f"staged is {is_staged!r}; give True or False")
    found = staged(distributions.space, distributions.names) if is_staged else ()
    if is_staged and not found:
        raise SpecError(
            "staged=True needs the size of an ensemble among the searched parameters, which are "
            f"{', '.join(distributions.names.values())}; search n_estimators or max_iter, or leave staged out"
        )
    return found
