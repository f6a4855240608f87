"""A study as its file says it, read and checked. Paths in a file are relative to that file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from moopt.data import DataSpec
from moopt.deploy.backends import as_backends
from moopt.errors import SpecError, UsageError, nearest
from moopt.models.families import FAMILIES
from moopt.models.presets import PREPARATION
from moopt.objectives import Objective, as_objective, as_objectives, with_limits
from moopt.searchers import search_options
from moopt.specfile.messages import told
from moopt.specfile.sections import (
    ConfirmSection,
    DataSection,
    Label,
    ModelsSection,
    ObjectiveSection,
    SearchSection,
    Section,
    StudySection,
    Text,
)
from moopt.trial import Json

OBJECTIVES = ("accuracy", "recall", "latency", "size")
"""What is searched for where no objective is named."""


class StudySpec(Section):
    """A study as its file says it. Raises SpecError, or the UsageError of what a value names."""

    study: StudySection = StudySection()
    data: DataSection
    models: ModelsSection = ModelsSection()
    objectives: Mapping[Text, ObjectiveSection] = Field(
        default_factory=lambda: {name: ObjectiveSection() for name in OBJECTIVES}
    )
    search: SearchSection = SearchSection()
    confirm: ConfirmSection = ConfirmSection()

    @property
    def name(self) -> str:
        """The study's name in its store."""
        return self.study.name or Path(self.data.file).stem

    def data_spec(self) -> DataSpec:
        """How to read the data file. Raises DataError."""
        return DataSpec(**self.data.model_dump(), seed=self.study.seed)

    def objective_list(self) -> tuple[Objective, ...]:
        """The objectives with their limits. Raises ObjectiveError."""
        plain = [as_objective(name) for name in self.objectives]
        limits = {one.name: own.limit for one, own in zip(plain, self.objectives.values(), strict=True)}
        return with_limits(as_objectives(plain), {name: limit for name, limit in limits.items() if limit is not None})

    def search_options(self) -> dict[str, Json]:
        """The algorithm and its options. Raises SpecError."""
        options = {"population": self.search.population, "operators": self.search.operators}
        return search_options(self.search.algorithm, **options)

    def changed(self, **sections: Mapping[str, Any]) -> StudySpec:
        """The same with other values, checked: ``spec.changed(search={"n_trials": 5})``; None changes nothing."""
        given = self.model_dump()
        for section, values in sections.items():
            given[section] |= {key: value for key, value in values.items() if value is not None}
        return parse_spec(given)


def read_spec(path: str | Path) -> StudySpec:
    """The study of a TOML file, its paths made relative to where we are.

    Raises SpecError for a file that cannot be read, that is no TOML (with the line), or that says what cannot be.
    """
    path = Path(path)
    try:
        given = tomllib.loads(path.read_bytes().decode())
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f'{path} is no TOML: {error}\nTexts want quotes, as in target = "Churn".') from None
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not UTF-8; save it as UTF-8 text") from None
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        spec = parse_spec(given)
    except UsageError as error:
        raise type(error)(f"{path}: {error}") from None
    warm_start = spec.search.warm_start
    return spec.changed(
        data={"file": os.path.normpath(path.parent / spec.data.file)},
        search={"warm_start": None if warm_start is None else os.path.normpath(path.parent / warm_start)},
    )


def spec_for_csv(file: str | Path, target: str, *, positive: Label | None = None, name: str | None = None) -> StudySpec:
    """The defaults for a data file: all families, accuracy, recall, latency and size, 100 trials of NSGA-II."""
    data = {"file": str(file), "target": target, "positive": positive}
    return parse_spec({"study": {"name": name}, "data": data})


def parse_spec(given: Mapping[str, Any]) -> StudySpec:
    """A study from nested dicts, as TOML gives them.

    Raises SpecError, or the UsageError of what a value names; MissingExtra for a backend that is not installed.
    """
    try:
        spec = StudySpec.model_validate(given)
    except ValidationError as error:
        raise SpecError(told(error, given)) from None
    if not spec.objectives:
        raise SpecError("[objectives] is empty; name at least one, such as accuracy = {}")
    _check_models(spec.models)
    if spec.search.warm_start_study is not None and spec.search.warm_start is None:
        raise SpecError("[search] warm_start_study names a study without its store; add warm_start with its file")
    spec.objective_list()
    spec.search_options()
    return spec


def _check_models(models: ModelsSection) -> None:
    for name in models.families or ():
        if name not in FAMILIES:
            raise SpecError(f"[models] families: unknown family {name!r}{nearest(name, FAMILIES)}")
    for name in models.ranges:
        known = [*FAMILIES, PREPARATION]
        if name not in known:
            raise SpecError(f"[models.ranges] names the unknown family {name!r}{nearest(name, known)}")
    try:
        as_backends(models.backends)
    except SpecError as error:
        raise SpecError(f"[models] {error}") from None
