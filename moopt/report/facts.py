"""A stored study, read whole: what a report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from moopt.certainty import Certainty, stored_certainty
from moopt.frames import front_trials
from moopt.store.base import Store, StudyRecord
from moopt.trial import Config, Confirmation, Decision, Trial


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """A study with all that belongs to it."""

    record: StudyRecord
    trials: Sequence[Trial]
    """By number, without their steps."""
    front: Sequence[Trial]
    """By number, with their steps."""
    steps_done: Mapping[int, int]
    confirmations: Sequence[Confirmation]
    decisions: Sequence[Decision]
    certainty: Certainty | None


def read(store: Store, name: str) -> Facts:
    """The study as it stands. Raises StudyNotFound."""
    record = store.study(name)
    trials = store.trials(name, with_steps=False)
    return Facts(
        record,
        trials,
        [store.trial(name, one.number) for one in front_trials(record.objectives, trials)],
        store.steps_done(name),
        store.confirmations(name),
        store.decisions(name),
        stored_certainty(store, name, record.objectives, trials),
    )


def when(seconds: float) -> str:
    """Unix seconds as a date and a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def config_line(config: Config) -> str:
    """A config in a line."""
    return ", ".join(
        f"{name} = {f'{value:.4g}' if isinstance(value, float) else value}" for name, value in config.items()
    )
