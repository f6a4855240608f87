"""A study as it stands in its store, read-only.

A snapshot belongs to one revision of the study, so it can be kept for as long as the revision lasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moopt import beside
from moopt.certainty import Certainty, certainty
from moopt.choose import Front, front_of
from moopt.columns import Trials
from moopt.errors import NoTrialLeft
from moopt.frames import value_matrix
from moopt.objectives import PARAM, Floats, Objective, format_value
from moopt.requests import Request, asked
from moopt.store.base import Store, StudyRecord
from moopt.trial import Config, Confirmation, Source, State, Trial
from moopt_explorer.places import Axes, Places, places, without_limits

MAX_CONFIG_TEXT = 120
MOST_COMPARED, MOST_WHILE_RUNNING = 1_500, 500
"""How sure a front is takes time with the square of its members: a larger one is not asked."""
VALUE = "value_"
"""What stands before an objective's name in its column."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A study at one revision."""

    record: StudyRecord
    revision: int
    running: bool
    """Whether a coordinator was at work."""
    trials: Sequence[Trial]
    """By number, without their steps."""
    certainty: Certainty | None = None
    """How sure the front is; None where nothing tells, or where it is too large to be asked."""
    confirmations: tuple[Confirmation, ...] = ()
    """Oldest first."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The study's, with its own limits."""
        return self.record.objectives

    @property
    def too_large_to_compare(self) -> bool:
        """Whether the front has too many members to ask how sure it is."""
        most = MOST_WHILE_RUNNING if self.running else MOST_COMPARED
        return self.front is not None and len(self.front) > most

    @property
    def asked(self) -> Request | None:
        """What a running search is asked for."""
        return asked(self.record) if self.running else None

    @cached_property
    def columns(self) -> Trials:
        """The trials as columns."""
        return Trials.of(self.trials)

    @cached_property
    def complete(self) -> Trials:
        """The complete trials, by number."""
        return self.columns.where(State.COMPLETE)

    @cached_property
    def defaults(self) -> tuple[Trial, ...]:
        """The complete trials of default configs: a study has one, or one a model family."""
        return tuple(self.complete.take(self.complete.source == Source.DEFAULT))

    def default_for(self, trial: Trial) -> Trial | None:
        """The default config that shares most hyperparameters with a trial; None where it is one itself."""
        if trial.source is Source.DEFAULT:
            return None
        likeness = {one.number: len(trial.config.keys() & one.config.keys()) for one in self.defaults}
        return max(self.defaults, key=lambda one: (likeness[one.number], -one.number), default=None)

    @cached_property
    def failed(self) -> pd.DataFrame:
        """Failed trials: ``number``, ``failure`` (its kind), ``message``, ``config``."""
        rows = [
            (one.number, str(one.failure or State.FAILED), one.message, config_text(one.config))
            for one in self.columns.where(State.FAILED)
        ]
        return pd.DataFrame(rows, columns=["number", "failure", "message", "config"])

    @cached_property
    def values(self) -> Floats:
        """Shape (n, m): the complete trials' values, in the order of the objectives."""
        return self.complete.matrix(self.objectives)

    @cached_property
    def front(self) -> Front | None:
        """The non-dominated complete trials; None where no trial is complete."""
        try:
            return front_of(self.objectives, self.complete)
        except NoTrialLeft:
            return None

    @cached_property
    def on_front(self) -> NDArray[np.bool_]:
        """Which of the complete trials are on the front, shape (n,)."""
        return np.isin(self.complete.number, [] if self.front is None else self.front.numbers)

    def places(self, axes: Axes) -> Places:
        """Where the complete trials lie on two objectives; worked out once."""
        plain = without_limits(axes)
        if plain not in self._places:
            is_default = self.complete.source == Source.DEFAULT
            self._places[plain] = places(
                plain, self.objectives, self.complete.number, self.values, self.on_front, is_default
            )
        return self._places[plain]

    @cached_property
    def _places(self) -> dict[Axes, Places]:
        return {}

    @cached_property
    def beside(self) -> dict[int, beside.Row]:
        """What was confirmed, beside what the search measured, by number."""
        if not self.confirmations:
            return {}
        named = np.isin(self.columns.number, [one.number for one in self.confirmations])
        if self.front is not None:
            named |= np.isin(self.columns.number, self.front.numbers)
        trials = self.columns.take(named)
        return {row.number: row for row in beside.rows(self.objectives, trials, self.confirmations)}

    def trial(self, number: int) -> Trial | None:
        """A trial by its number; None where there is none."""
        if number in self._shown:
            return self._shown[number]
        found = self.columns.take(self.columns.number == number)
        return found[0] if len(found) else None

    def values_of(self, number: int) -> Mapping[str, float] | None:
        """The values of a complete trial; None for any other."""
        trial = self.trial(number)
        return trial.values if trial is not None and trial.state is State.COMPLETE else None

    def describe(self, number: int) -> str:
        """A trial's config as a line of text; empty where there is no such trial."""
        if number not in self._described:
            trial = self.trial(number)
            self._described[number] = "" if trial is None else config_text(trial.config)
        return self._described[number]

    def n_in(self, state: State) -> int:
        """How many trials are in a state."""
        return self._counts.get(state, 0)

    @cached_property
    def _counts(self) -> dict[str, int]:
        states, counts = np.unique(self.columns.state, return_counts=True)
        return dict(zip(states.tolist(), counts.tolist(), strict=True))

    @cached_property
    def _described(self) -> dict[int, str]:
        return {}

    @cached_property
    def _shown(self) -> dict[int, Trial]:
        """The trials that are asked for one by one, by number: the front, made at once."""
        return {trial.number: trial for trial in self.complete.take(self.on_front)}


def read(store: Store, name: str, known: Snapshot | None = None, *, sure: bool = True) -> Snapshot:
    """The study as it stands; where an earlier snapshot of it is known, only what has changed is read.

    Without ``sure`` it is not asked how sure the front is. Raises StoreError where it cannot be read.
    """
    revision = store.revision(name)  # first: what comes after it is read again at the next look
    record, running = store.study(name), store.is_running(name)
    same = known is not None and known.record.created_at == record.created_at and known.revision <= revision
    trials = store.columns(name, known.columns if known is not None and same else None)
    found = Snapshot(record, revision, running, trials, confirmations=tuple(store.confirmations(name)))
    if not sure:
        return found
    told = known.certainty if known is not None and same and _as_sure(known, found) else _certainty(store, found)
    return found if told is None else replace(found, certainty=told)


def _as_sure(known: Snapshot, found: Snapshot) -> bool:
    """Whether a search that goes on has given no reason to ask anew how sure its front is."""
    if not (known.running and found.running) or known.front is None or found.front is None:
        return False
    is_same = np.array_equal(known.front.numbers, found.front.numbers)
    return is_same and known.confirmations == found.confirmations


def _certainty(store: Store, found: Snapshot) -> Certainty | None:
    """From the steps of the trials that matter alone: the front and those near it."""
    if found.too_large_to_compare or (found.record.n_steps < 2 and not found.confirmations):
        return None
    name = found.record.name
    return certainty(
        found.objectives,
        found.columns,
        found.confirmations,
        lambda near: store.some_trials(name, [trial.number for trial in near]),
    )


def identity(location: str) -> int:
    """Changes when another file takes a store's place; 0 where there is none. Raises nothing."""
    try:
        return Path(location).stat().st_ino
    except OSError:
        return 0


def config_text(config: Config) -> str:
    """A config as a line of text, cut where it is long."""
    text = ", ".join(f"{name} {scalar(value)}" for name, value in config.items())
    return text if len(text) <= MAX_CONFIG_TEXT else text[: MAX_CONFIG_TEXT - 1] + "…"


def front_table(snapshot: Snapshot, numbers: Sequence[int]) -> pd.DataFrame:
    """Trials by their numbers: ``number``, ``value_<objective>``, ``param_<name>`` for the hyperparameters that all
    of them have and in which any two differ, and ``config``, the others as a line of text.
    """
    chosen = [trial for number in numbers if (trial := snapshot.trial(number)) is not None]
    values = _values(snapshot.objectives, value_matrix(snapshot.objectives, chosen))
    shared = [name for name in chosen[0].config if all(name in one.config for one in chosen)] if chosen else []
    params = {name: [trial.config[name] for trial in chosen] for name in shared}
    differing = {f"{PARAM}{name}": column for name, column in params.items() if len(set(map(str, column))) > 1}
    others = [config_text({k: v for k, v in trial.config.items() if k not in params}) for trial in chosen]
    config = {"config": others} if any(others) else {}
    return pd.DataFrame({"number": [trial.number for trial in chosen]} | values | differing | config)


def _values(objectives: Sequence[Objective], values: Floats) -> dict[str, Floats]:
    """Columns that no other column's name can be taken for."""
    return {f"{VALUE}{one.name}": values[:, column] for column, one in enumerate(objectives)}


def slack(objective: Objective, limit: float, value: float) -> str:
    """How far a value stays within a limit, in words."""
    room = limit - value if objective.direction == "minimize" else value - limit
    if room == 0:
        return "exactly at the limit"
    return f"{format_value(objective, abs(room))} {'to spare' if room > 0 else 'beyond it'}"


def scalar(value: object) -> str:
    """A hyperparameter's value as people read it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
