"""Arguments of a study that cannot be, each with what would be right."""

from __future__ import annotations

import math
import os
import secrets

import numpy as np

from moopt.engine.loop import Budget
from moopt.engine.stall import WINDOW
from moopt.errors import SpecError
from moopt.stopping import FORGIVING


def valid_name(name: str) -> str:
    """A study's name. Raises SpecError."""
    if not isinstance(name, str) or not name.strip():
        raise SpecError(f"the study's name is {name!r}; give a text such as 'churn'")
    return name


def valid_seed(seed: int | None) -> int:
    """The seed, drawn where none is given. Raises SpecError."""
    if seed is None:
        return secrets.randbits(32)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise SpecError(f"seed is {seed!r}; give a whole number from 0")
    return int(seed)


def valid_n_warm(n_warm: int) -> int:
    """How many configs to take from another study. Raises SpecError."""
    if isinstance(n_warm, bool) or not isinstance(n_warm, int) or n_warm < 1:
        raise SpecError(f"n_warm is {n_warm!r}; give how many configs to take at most, such as 10")
    return n_warm


def n_workers(n_jobs: int) -> int:
    """How many processes are meant. Raises SpecError."""
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0 or n_jobs < -1:
        raise SpecError(f"n_jobs is {n_jobs!r}; give a number of processes, or -1 for one a core")
    return n_jobs if n_jobs > 0 else os.cpu_count() or 1


FEWEST_STEPS = 3
"""Steps of a trial that may be stopped early; of fewer there is little to save and little to judge by."""


def forgiving_of(early_stopping: bool | float, n_steps: int) -> float | None:
    """How forgiving a trial of ``n_steps`` is judged, in standard deviations; None where it never is.

    Raises SpecError.
    """
    valid = isinstance(early_stopping, bool | int | float | np.integer | np.floating)
    if not valid or (not isinstance(early_stopping, bool) and not 0 < early_stopping < math.inf):
        raise SpecError(
            f"early_stopping is {early_stopping!r}; give True, False, or how forgiving it is: a number above 0 "
            f"such as {FORGIVING}, the larger the fewer trials are stopped"
        )
    if early_stopping is False or n_steps < FEWEST_STEPS:
        return None
    return FORGIVING if early_stopping is True else float(early_stopping)


def budget_of(
    n_trials: int | None,
    timeout_s: float | None,
    max_steps: int | None,
    stop_when_stalled: bool | int,
    n_steps: int,
) -> Budget:
    """What a search may spend, in trials of ``n_steps`` each. Raises SpecError, also where the search has no end."""
    budget = Budget(
        _valid_n_trials(n_trials),
        _valid_timeout(timeout_s),
        _valid_max_steps(max_steps, n_steps),
        _valid_window(stop_when_stalled),
    )
    if budget == Budget():
        raise SpecError("optimize has no end: give n_trials, timeout_s, max_steps or stop_when_stalled")
    return budget


def _valid_n_trials(n_trials: int | None) -> int | None:
    if n_trials is not None and (isinstance(n_trials, bool) or not isinstance(n_trials, int) or n_trials < 0):
        raise SpecError(f"n_trials is {n_trials!r}; give the study's trials in total, such as 100")
    return n_trials


def _valid_timeout(timeout_s: float | None) -> float | None:
    if timeout_s is not None and (
        isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or timeout_s < 0
    ):
        raise SpecError(f"timeout_s is {timeout_s!r}; give seconds, such as 600")
    return timeout_s


def _valid_max_steps(max_steps: int | None, n_steps: int) -> int | None:
    if max_steps is None:
        return None
    if isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < n_steps:
        raise SpecError(
            f"max_steps is {max_steps!r}; give the study's steps in total, at least the {n_steps} of one trial"
        )
    return max_steps


def _valid_window(given: bool | int) -> int | None:
    if isinstance(given, bool):
        return WINDOW if given else None
    if not isinstance(given, int) or given < 1:
        raise SpecError(f"stop_when_stalled is {given!r}; give True, or a number of trials such as {WINDOW}")
    return given
