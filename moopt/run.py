"""From a study file to a study that was run: data, space, evaluator and record, put together in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from moopt.data import Data, read_data
from moopt.engine.loop import Stop
from moopt.evaluate import CrossValidation, file_evaluator
from moopt.export.refit import PIPELINE
from moopt.models.presets import cost_warnings, default_configs, families_for, preset_space
from moopt.specfile import StudySpec
from moopt.store import Store, open_store
from moopt.study import Study, create_study
from moopt.trial import Json

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
    def space(self) -> ConfigurationSpace:
        """The families' space for the columns. Raises SpaceError."""
        models = self.spec.models
        return preset_space(self.families, self.data.columns, models.ranges, seed=self.spec.study.seed)

    def evaluator(self) -> CrossValidation:
        """What the workers call. Raises DataError for a class with fewer rows than folds."""
        return file_evaluator(self.data, self.spec.objective_list(), self.spec.search.folds)

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
    _ = planned.space
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
        defaults=default_configs(planned.families, planned.data.columns, spec.models.ranges),
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
        stop = study.optimize(
            evaluator,
            search.n_trials,
            n_jobs=search.workers or -1,
            step_timeout_s=search.step_timeout_s,
            memory_limit_mb=search.memory_limit_mb,
        )
    return study, stop


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
