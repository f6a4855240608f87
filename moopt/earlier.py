"""What earlier studies tell a new one: configs to start from, and results that need not be paid for again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

from moopt import pareto
from moopt.errors import MooptWarning, SpaceError
from moopt.frames import front_trials, value_matrix
from moopt.objectives import loss_matrix
from moopt.space import Space
from moopt.space.codec import Key
from moopt.store.base import PIPELINE, Store, StudyRecord
from moopt.trial import Config, Json, State, StepResult, Trial

FROM = "from"
"""The attribute of a trial that names the study and the trial which its config or its results come from."""
OTHER_VERSIONS = "other_versions"
"""The attribute of a study that went on with other versions than it was made with: those."""
_PLACES = ("file", "path")  # of a data file that is known by its hash


@dataclass(frozen=True, slots=True)
class Found:
    """A config of another study, fit for this one, with what it measured there."""

    config: Config
    study: str
    number: int
    """The trial's, in that study."""
    steps: Mapping[int, StepResult]

    @property
    def origin(self) -> dict[str, Json]:
        """What stays with the new trial, as its attribute :data:`FROM`."""
        return {"study": self.study, "trial": self.number}


def front_configs(space: Space, store: Store, record: StudyRecord, n: int) -> list[Found]:
    """At most ``n`` configs of another study's front that lie in ``space``, those that cover it best first.

    A MooptWarning tells how many of the front do not lie in the space.
    """
    front = front_trials(record.objectives, store.trials(record.name, with_steps=False))
    fitting = [(trial, config) for trial in front if (config := _within(space, trial.config)) is not None]
    if not front:
        warnings.warn(f"study {record.name!r} has no front to start from", MooptWarning, stacklevel=4)
    if len(fitting) < len(front):
        warnings.warn(
            f"{len(front) - len(fitting)} of the {len(front)} configs on the front of study {record.name!r} "
            "do not fit this space and are left out of its start",
            MooptWarning,
            stacklevel=4,
        )
    losses = loss_matrix(record.objectives, value_matrix(record.objectives, [trial for trial, _ in fitting]))
    spread = pareto.subset(pareto.normalise(losses, *pareto.ideal_nadir(losses)), n)
    return [Found(fitting[row][1], record.name, fitting[row][0].number, {}) for row in spread]


def _within(space: Space, config: Config) -> Config | None:
    try:
        return space.check(config)
    except SpaceError:
        return None


def evaluated(space: Space, store: Store, record: StudyRecord, versions: Mapping[str, str]) -> dict[Key, Found]:
    """What other studies of the store measured of this study's configs, by their key.

    Of complete trials whose study has the same spec (the place of a data file and the searched families and ranges
    aside), the same steps, all our objectives, and the ``versions`` that are here. Each comes alone: siblings, too,
    are found by their own config.
    """
    found: dict[Key, Found] = {}
    for other in store.studies():
        if other.name == record.name or not _measures_the_same(record, other, versions):
            continue
        for trial in store.trials(other.name):
            if trial.state is State.COMPLETE and len(trial.steps) == record.n_steps:
                config = _within(space, trial.config)
                if config is not None and dict(config) == dict(trial.config):
                    found.setdefault(space.key(config), Found(config, other.name, trial.number, _alone(trial)))
    return found


def _alone(trial: Trial) -> dict[int, StepResult]:
    return {step: replace(one, changes={}, siblings=()) for step, one in trial.steps.items()}


def _measures_the_same(record: StudyRecord, other: StudyRecord, versions: Mapping[str, str]) -> bool:
    names = {objective.name for objective in record.objectives}
    return (
        other.n_steps == record.n_steps
        and names <= {objective.name for objective in other.objectives}
        and dict(other.versions) == dict(versions)
        and OTHER_VERSIONS not in other.attributes
        and _decisive(other.spec) == _decisive(record.spec)
    )


def _decisive(spec: Mapping[str, Json]) -> dict[str, Json]:
    """The part of a spec that decides what is measured of a config."""
    kept = dict(spec)
    if kept.get("kind") == PIPELINE:
        kept.pop("models", None)  # what may be searched: the config says what was
    data = spec.get("data")
    if isinstance(data, Mapping) and "sha256" in data:
        kept["data"] = {key: value for key, value in data.items() if key not in _PLACES}
    return kept
