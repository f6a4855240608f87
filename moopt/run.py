"""From a study file to a study that was run: data, space, evaluator and record, put together in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from moopt.data import Data, read_data
from moopt.deploy import converter
from moopt.deploy.backends import as_backends, recorded
from moopt.engine.loop import Stop
from moopt.errors import SpaceError, nearest
from moopt.evaluate import CrossValidation, file_evaluator
from moopt.models.portfolio import n_portfolio, portfolio_configs
from moopt.models.presets import cost_warnings, default_configs, families_for, preset_space
from moopt.space import Space, as_space
from moopt.specfile import StudySpec
from moopt.store import Store, open_store
from moopt.store.base import PIPELINE
from moopt.study import Study, create_study
from moopt.trial import Config, Json

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


@dataclass(frozen=True)
class Plan:
    """A study's spec with its data: all that a search needs."""

    spec: StudySpec
    """With the families named."""
    data: Data

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know before the search, a line each."""
        return (*self.data.warnings, *cost_warnings(self.families, len(self.data.y)))

    @property
    def families(self) -> tuple[str, ...]:
        """The model families searched."""
        return self.spec.models.families or ()

    @cached_property
    def backends(self) -> tuple[str, ...]:
        """What may run a model. Raises MissingExtra."""
        return as_backends(self.spec.models.backends)

    @cached_property
    def space(self) -> ConfigurationSpace:
        """The families' space for the columns. Raises SpaceError."""
        ranges, seed = self.spec.models.ranges, self.spec.study.seed
        return preset_space(self.families, self.data.columns, ranges, seed, self.backends)

    @cached_property
    def defaults(self) -> list[Config]:
        """Each family's default config. Raises SpaceError."""
        return default_configs(self.families, self.data.columns, self.spec.models.ranges, self.backends)

    @cached_property
    def start(self) -> list[Config]:
        """The user's own configs. Raises SpaceError."""
        return [own_config(as_space(self.space), self.families, config) for config in self.spec.search.start]

    @property
    def portfolio(self) -> list[Config]:
        """Configs that did well on other data, as many as leave room for a search; none where they are not wanted."""
        search, space = self.spec.search, as_space(self.space)
        if not search.portfolio:
            return []
        known = [*self.defaults, *self.start]
        names = [one.name for one in self.spec.objective_list()]
        return portfolio_configs(space, names, known, n_portfolio(search.n_trials, len(known)))

    def evaluator(self) -> CrossValidation:
        """What the workers call. Raises DataError for a class with fewer rows than folds."""
        models, objectives, folds = self.spec.models, self.spec.objective_list(), self.spec.search.folds
        staged_space = as_space(self.space) if models.staged else None
        return file_evaluator(self.data, objectives, folds, staged_space, self.backends, models.max_disagreement)

    def record(self) -> dict[str, Json]:
        """How a trial is evaluated, as plain JSON: what ``StudyRecord.spec`` keeps and an export needs."""
        data = self.data
        return {
            "kind": PIPELINE,
            "data": {
                **data.spec.as_json(),
                "path": os.path.abspath(data.spec.file),
                "sha256": data.sha256,
                "positive": data.positive,
                "classes": list(data.classes),
                "n_rows": len(data.y),
            },
            "columns": data.columns.as_json(),
            "models": {
                "families": list(self.families),
                "ranges": {name: dict(own) for name, own in self.spec.models.ranges.items()},
                "staged": self.spec.models.staged,
                **recorded(self.backends, self.spec.models.max_disagreement),
            },
            "cross_validation": {"kind": "stratified k-fold", "folds": self.spec.search.folds},
        }


def plan(spec: StudySpec) -> Plan:
    """Read the data and settle what the spec leaves open.

    Raises DataError for the data file, SpaceError for families and ranges.
    """
    data = read_data(spec.data_spec())
    families = spec.models.families or families_for(len(data.y))
    planned = Plan(spec.changed(models={"families": families}), data)
    _ = planned.space, planned.start
    return planned


def open_study(planned: Plan, store: str | Path | Store | None) -> Study:
    """The plan's study in a store, made or gone on with.

    A data file that moved is the same data as long as its bytes are. Raises StudyMismatch where the stored study is
    another one.
    """
    spec = planned.spec
    opened = open_store(store) if store is None or isinstance(store, str | Path) else store
    return create_study(
        spec.name,
        planned.space,
        spec.objective_list(),
        store=opened,
        seed=spec.study.seed,
        defaults=planned.defaults,
        start=planned.start,
        warm_start_from=_warm_start(spec),
        portfolio=planned.portfolio,
        n_steps=spec.search.folds,
        spec=_as_stored(planned.record(), opened, spec.name),
        resume=True,
        **_search(spec),
    )


def run_study(
    spec: StudySpec | Plan,
    store: str | Path | Store | None,
    *,
    watch: Callable[[Study, int], AbstractContextManager[object]] | None = None,
) -> tuple[Study, Stop]:
    """Run a study until it has the trials that its spec asks for, and say why it ended.

    The same call goes on with a study that is there already. ``watch`` is given the study and its trials in total,
    and is entered while the search runs, to show how far it is. Raises as :func:`plan`, :func:`open_study` and
    :meth:`moopt.study.Study.optimize`.
    """
    planned = spec if isinstance(spec, Plan) else plan(spec)
    evaluator = planned.evaluator()
    study = open_study(planned, store)
    search = planned.spec.search
    with watch(study, search.n_trials) if watch is not None else nullcontext():
        try:
            stop = study.optimize(
                evaluator,
                search.n_trials,
                n_jobs=search.workers or -1,
                timeout_s=search.timeout_s,
                max_steps=search.max_steps,
                stop_when_stalled=search.stop_when_stalled,
                early_stopping=search.early_stopping,
                reuse=search.reuse,
                step_timeout_s=search.step_timeout_s,
                memory_limit_mb=search.memory_limit_mb,
            )
        finally:
            converter.close()
    return study, stop


def own_config(space: Space, families: Sequence[str], given: Mapping[str, Json]) -> Config:
    """A config as the user writes it, ``{"family": "forest", "n_estimators": 300}``, as one of the space.

    What is not given is the family's default. Raises SpaceError.
    """
    family = given.get("family", families[0] if len(families) == 1 else None)
    if family not in families:
        told = "a config names no family" if family is None else f"family {family!r} is not searched"
        raise SpaceError(f"[search] start: {told}{nearest(str(family), families)}")
    own = {name.removeprefix(f"{family}:"): name for name in space.names}
    own = {short: name for short, name in own.items() if ":" not in short}
    config = {}
    for name, value in given.items():
        short = name.removeprefix(f"{family}:")
        if short not in own:
            raise SpaceError(f"[search] start: {family} has no hyperparameter {name!r}{nearest(short, own)}")
        config[own[short]] = value
    try:
        return space.check(config)
    except SpaceError as error:
        raise SpaceError(f"[search] start: {error}") from None


def _warm_start(spec: StudySpec) -> tuple[str, str] | str | None:
    place, name = spec.search.warm_start, spec.search.warm_start_study
    return place if place is None or name is None else (place, name)


def _search(spec: StudySpec) -> dict[str, Json]:
    """The algorithm and its options, as create_study takes them."""
    return {
        "algorithm": spec.search.algorithm,
        "population": spec.search.population,
        "operators": spec.search.operators,
    }


def _as_stored(record: dict[str, Json], store: Store, name: str) -> dict[str, Json]:
    """The record, with the stored places of a data file whose bytes are the stored study's."""
    stored = next((one.spec.get("data") for one in store.studies() if one.name == name), None)
    if not isinstance(stored, Mapping) or stored.get("sha256") != record["data"]["sha256"]:
        return record
    places = {key: stored[key] for key in ("file", "path") if key in stored}
    return {**record, "data": {**record["data"], **places}}
