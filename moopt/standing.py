"""Where the default configs stand beside the front: whether tuning was worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moopt.frames import front_trials, value_matrix
from moopt.objectives import Objective, loss_matrix
from moopt.trial import Source, State, Trial


@dataclass(frozen=True, slots=True)
class Standing:
    """A complete default trial and its place."""

    trial: Trial
    beaten_by: tuple[int, ...]
    """Numbers of the front's trials that dominate it; none where it is on the front."""

    @property
    def on_front(self) -> bool:
        """Whether no trial dominates it."""
        return not self.beaten_by

    @property
    def text(self) -> str:
        """In words: ``on the front``, ``dominated by trial 12``, ``dominated by trials 12, 14 and 3 more``."""
        if self.on_front:
            return "on the front"
        named = [str(number) for number in self.beaten_by[:2]]
        more = len(self.beaten_by) - len(named)
        listed = f"{', '.join(named)} and {more} more" if more else " and ".join(named)
        return f"dominated by trial{'s' if len(self.beaten_by) > 1 else ''} {listed}"


def default_standings(objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Standing]:
    """The complete default trials, by number; a study has one, or one a model family."""
    front = front_trials(objectives, trials)
    losses = loss_matrix(objectives, value_matrix(objectives, front))
    found = []
    for trial in trials:
        if trial.source is Source.DEFAULT and trial.state is State.COMPLETE:
            own = loss_matrix(objectives, value_matrix(objectives, [trial]))
            better = (losses <= own).all(axis=1) & (losses < own).any(axis=1)
            found.append(Standing(trial, tuple(front[row].number for row in np.flatnonzero(better))))
    return found
