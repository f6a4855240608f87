"""Studies that can be exported, made without a search."""

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from moopt.data import DataSpec, read_data
from moopt.data.features import Columns
from moopt.models.presets import default_configs
from moopt.objectives import as_objectives
from moopt.store import open_store
from moopt.store.base import Store, StudyRecord
from moopt.trial import Config, Source, State, StepResult, Trial

OBJECTIVES = as_objectives(["accuracy", "recall", "latency", "size"])


def a_record(**changes: object) -> StudyRecord:
    record = StudyRecord("plain", {}, OBJECTIVES, {"algorithm": "nsga2"}, seed=7, versions={"python": "3.11"})
    return replace(record, **changes)  # type: ignore[arg-type]  # tests name the fields they change


def a_complete(
    number: int, config: Config, values: Mapping[str, float], *, source: Source = Source.SEARCH, n_steps: int = 1
) -> Trial:
    train = {name: value + 0.01 for name, value in values.items() if name in ("accuracy", "recall")}
    steps = {step: StepResult(values, train) for step in range(n_steps)}
    return Trial(number, config, None, source, State.COMPLETE, n_steps, steps, values, fit=number)


def keep(store: Store, name: str, trial: Trial) -> None:
    with store.write(name) as writer:
        writer.start(replace(trial, state=State.RUNNING, steps={}, values={}, failure=None))
        if trial.state.finished:
            writer.finish(trial, trial.steps)


def write_ill(path: Path) -> Path:
    """A CSV file of 200 rows with numbers, gaps and a text column."""
    generator = np.random.Generator(np.random.PCG64(0))
    size = generator.normal(size=200)
    frame = pd.DataFrame(
        {
            "size": np.where(generator.random(200) < 0.1, np.nan, size),
            "weight": generator.normal(size=200),
            "colour": generator.choice(["red", "green", "blue"], size=200),
            "ill": np.where(size + generator.normal(scale=0.5, size=200) > 0.5, "yes", "no"),
        }
    )
    frame.to_csv(path, index=False)
    return path


def a_pipeline_record(csv: Path, name: str = "ill", **spec_changes: object) -> StudyRecord:
    spec = replace(DataSpec(str(csv), "ill", positive="yes", seed=7), **spec_changes)  # type: ignore[arg-type]  # as above
    data = read_data(spec)
    recorded = {
        "kind": "pipeline",
        "data": {**spec.as_json(), "file": csv.name, "path": str(csv), "sha256": data.sha256},
        "columns": data.columns.as_json(),
        "folds": 3,
    }
    return a_record(name=name, n_steps=3, spec=recorded)


def a_config(family: str) -> Config:
    columns = Columns(("size", "weight"), ("colour",), numeric_gaps=True)
    few = {f"{family}:n_estimators": 10, f"{family}:max_iter": 20}
    config = default_configs([family], columns)[0]
    return {key: few.get(key, value) for key, value in config.items()}


def ill_study(csv: Path) -> Store:
    """A study of pipelines on :func:`write_ill`'s file: a forest and a logistic regression."""
    store = open_store(None)
    store.create_study(a_pipeline_record(csv))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 3.0, "size_kb": 30.0}
    keep(store, "ill", a_complete(0, a_config("forest"), values, n_steps=3))
    quicker = {"accuracy": 0.85, "recall": 0.7, "latency_ms": 1.0, "size_kb": 3.0}
    keep(store, "ill", a_complete(1, a_config("logistic"), quicker, n_steps=3))
    return store


def module_of(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
