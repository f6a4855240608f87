"""``refit=`` of ParetoSearchCV: which trial of the front is fitted on all data."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from moopt.choose import BALANCED, KNEE, choose
from moopt.choose.front import front_of
from moopt.choose.limits import meets_limits, refuse
from moopt.errors import SearchFailed, SpecError, nearest
from moopt.objectives import Objective, canonical_name
from moopt.trial import State, Trial

if TYPE_CHECKING:
    import pandas as pd

Rule: TypeAlias = "bool | str | Callable[[pd.DataFrame], int]"
"""``knee`` (also True), ``balanced``, an objective's name, a callable: front frame -> trial number; or False."""


def objective_of_rule(rule: Rule, objectives: Sequence[Objective]) -> str | None:
    """The objective that a rule is about; with one objective every rule is about that one. None for the others.

    Raises SpecError for what is no rule.
    """
    names = [objective.name for objective in objectives]
    only = names[0] if len(names) == 1 else None
    if callable(rule):
        return None
    if rule is False or rule is True or rule in (KNEE, BALANCED):
        return only
    if isinstance(rule, str) and canonical_name(rule) in names:
        return canonical_name(rule)
    if isinstance(rule, str):
        raise SpecError(f"refit is {rule!r}{nearest(rule, [KNEE, BALANCED, *names])}")
    raise SpecError(f"refit is {rule!r}; give 'knee', 'balanced', an objective's name, a callable or False")


def chosen(rule: Rule, objectives: Sequence[Objective], trials: Sequence[Trial], front: pd.DataFrame) -> int:
    """The number of the trial that a rule chooses, within the objectives' limits (a callable sees to those itself).

    Raises NoTrialLeft where no trial of the front meets the limits, SpecError where a callable gives no trial of it.
    """
    if callable(rule):
        return _checked(rule(front.copy()), front)
    if rule in (True, KNEE, BALANCED):
        return choose(objectives, trials, prefer=KNEE if rule is True else str(rule)).number
    return _best(canonical_name(str(rule)), objectives, trials)


def _checked(number: Any, front: pd.DataFrame) -> int:
    known = front["number"].tolist()
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number not in known:
        raise SpecError(
            f"refit returned {number!r}; expected the number of a trial in front_, one of {', '.join(map(str, known))}"
        )
    return int(number)


def _best(name: str, objectives: Sequence[Objective], trials: Sequence[Trial]) -> int:
    """The best in one objective; among equals the best sum of the others."""
    front = front_of(objectives, trials)
    left = meets_limits(front)
    if not left.any():
        raise refuse(front)
    column = [objective.name for objective in front.objectives].index(name)
    rows = np.flatnonzero(left)
    first, second = front.losses[rows, column], front.scaled[rows].sum(axis=1)
    return int(front.numbers[rows[np.lexsort((second, first))[0]]])


def check_failures(trials: Sequence[Trial]) -> None:
    """Raises SearchFailed where every trial failed, and warns where some did."""
    from sklearn.exceptions import FitFailedWarning

    failed = [trial for trial in trials if trial.state is State.FAILED]
    if not failed:
        return
    (message, count), *_ = Counter(trial.message for trial in failed).most_common(1)
    if len(failed) == len(trials):
        raise SearchFailed(
            f"all {len(trials)} trials failed, {count} of them with: {message}\n"
            "Mend the cause and fit again; error_score='raise' ends a search with the first error."
        )
    warnings.warn(
        f"{len(failed)} of {len(trials)} trials failed, {count} of them with: {message}",
        FitFailedWarning,
        stacklevel=4,
    )
