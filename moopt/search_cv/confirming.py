"""A search's trials on rows that it never saw: a test split kept back before it, or given after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from moopt.confirm import Subject
from moopt.confirm.models import Halves, HeldHalves
from moopt.confirm.subject import OWN_BACKEND
from moopt.data import Rows
from moopt.errors import ConfirmError, SpecError
from moopt.evaluate import CrossValidation, cut_params
from moopt.measure import Measures
from moopt.search_cv.data import Held, WithSettings
from moopt.trial import Config, Evaluator


@dataclass(frozen=True)
class KeptBack:
    """What ``fit`` was given, parted into what is searched and what is kept back."""

    X: Any
    y: Any
    params: Mapping[str, Any]
    """Parameters of ``fit``; those with a value a row are cut to the rows searched."""
    test: Rows | None = None
    """The rows kept back; None without ``test_size``."""


def keep_back(
    X: Any, y: Any, params: Mapping[str, Any], test_size: float | int | None, seed: int, *, stratify: bool
) -> KeptBack:
    """Part the rows X (n, d) and y (n,); each class alike where ``stratify``.

    Raises SpecError for a ``test_size`` that scikit-learn's ``train_test_split`` refuses, in its words.
    """
    if test_size is None:
        return KeptBack(X, y, params)
    from sklearn.model_selection import train_test_split
    from sklearn.utils import _safe_indexing
    from sklearn.utils.validation import _num_samples

    if y is None:
        raise SpecError("test_size is given, but there is no y to score by; leave test_size out")
    try:
        search, test = train_test_split(
            np.arange(_num_samples(X)), test_size=test_size, random_state=seed, stratify=y if stratify else None
        )
    except ValueError as error:
        raise SpecError(f"test_size is {test_size!r}: {error}") from None
    search, test = np.sort(search), np.sort(test)
    (X_search, y_search), (X_test, y_test) = (
        (_safe_indexing(X, rows), _safe_indexing(y, rows)) for rows in (search, test)
    )
    return KeptBack(X_search, y_search, cut_params(params, X, search), Rows(X_test, y_test, ()))


@dataclass(frozen=True)
class Confirmable:
    """What a fitted search needs to confirm its trials, beside the study: it lives as long as the process."""

    rows: Rows
    """Those that were searched."""
    test: Rows | None
    """Those that were kept back."""
    build: Callable[[Config], Any]
    measures: Measures
    has_classes: bool
    settings: Mapping[str, Any]
    """scikit-learn's, of the process that searched."""
    cv: Any
    """As it was given."""

    def subject(self, X: Any, y: Any, seed: int) -> Subject:
        """Confirmed on X (n, d) and y (n,), or without them on the rows kept back.

        Raises ConfirmError where there are none, or only one of X and y.
        """
        test = self.test if X is None and y is None else Rows(X, y, ())
        if test is None:
            raise ConfirmError(
                "there are no rows that the search has not seen; give confirm(X, y), or ParetoSearchCV test_size="
            )
        if test.X is None or test.y is None:
            raise ConfirmError("confirm was given only one of X and y; give both, or none with test_size=")
        repeats = _Repeats(self, seed) if is_redrawn(self.cv) else None
        source = HeldHalves(Halves(self.rows, test))
        return Subject(source, self.build, self.measures, repeats, classes=self.has_classes, ships=False)


def is_redrawn(cv: Any) -> bool:
    """Whether there are other splits of the same kind: of a number of folds, which the search took as they lie, and
    of a splitter of scikit-learn's that shuffles.
    """
    return cv is None or isinstance(cv, int) or (hasattr(cv, "random_state") and getattr(cv, "shuffle", True) is True)


@dataclass(frozen=True)
class _Repeats:
    """Repeat -> the cross-validation with other splits."""

    confirmable: Confirmable
    seed: int

    def __call__(self, repeat: int) -> Evaluator:
        """The repeat's evaluator."""
        found = self.confirmable
        rows = found.rows._replace(folds=list(self._splitter(repeat).split(found.rows.X, found.rows.y)))
        evaluator = CrossValidation(Held(rows), found.build, found.measures, train_rows=0, expansions=OWN_BACKEND)
        return WithSettings(evaluator, found.settings)

    def _splitter(self, repeat: int) -> Any:
        from copy import copy

        from sklearn.model_selection import KFold, StratifiedKFold

        draw = (self.seed + repeat) % 2**32
        if self.confirmable.cv is None or isinstance(self.confirmable.cv, int):
            kind = StratifiedKFold if self.confirmable.has_classes else KFold
            return kind(len(self.confirmable.rows.folds), shuffle=True, random_state=draw)
        splitter = copy(self.confirmable.cv)
        splitter.random_state = draw
        return splitter
