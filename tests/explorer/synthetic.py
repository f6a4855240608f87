"""A study made up for the explorer's tests and pictures, written through the store's own door."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from moopt.confirmed import pack_draws
from moopt.data import DataSpec, read_data
from moopt.frames import front_trials
from moopt.models.presets import default_configs
from moopt.objectives import Objective
from moopt.store.base import Store, StudyRecord, Writer
from moopt.trial import Confirmation, Failure, Scalar, Source, State, StepResult, Trial

FOUR = (
    Objective("accuracy", "maximize"),
    Objective("recall", "maximize"),
    Objective("latency_ms", log=True),
    Objective("size_kb", log=True),
)
_FAMILIES = ("logistic", "tree", "forest", "hist_boosting")


def objectives(count: int) -> tuple[Objective, ...]:
    """So many objectives: the first four as people use them, the rest made up."""
    return (*FOUR, *(Objective(f"score_{i}", "maximize") for i in range(4, count)))[:count]


def create(store: Store, name: str, of: Sequence[Objective] = FOUR, created_at: float = 1.0) -> None:
    """An empty study."""
    store.create_study(
        StudyRecord(name, space={}, objectives=tuple(of), search={"algorithm": "nsga2"}, seed=0, created_at=created_at)
    )


def fill(
    store: Store, name: str, count: int, *, of: Sequence[Objective] = FOUR, failures: float = 0.04, seed: int = 0
) -> None:
    """A study of ``count`` trials: the default config first, some of them failed, hyperparameters that depend."""
    create(store, name, of)
    with store.write(name) as writer:
        grow(writer, 0, count, of=of, failures=failures, seed=seed)


def grow(
    writer: Writer, first: int, count: int, *, of: Sequence[Objective] = FOUR, failures: float = 0.04, seed: int = 0
) -> None:
    """So many more trials, from number ``first`` on."""
    for number in range(first, first + count):
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,))))
        trial = _trial(number, of, generator, failed=number > 0 and generator.random() < failures)
        writer.start(replace(trial, state=State.RUNNING, values={}, message="", failure=None, finished_at=None))
        steps = {} if trial.failure else {0: StepResult(trial.values)}
        writer.finish(trial, steps)


def confirmed(store: Store, name: str) -> tuple[int, ...]:
    """A study of 40 trials with five folds each, whose first three members of the front are confirmed; their numbers.

    Accuracy and recall stray from fold to fold; on test rows all three are .01 worse than the search said.
    """
    create(store, name)
    with store.write(name) as writer:
        for number in range(40):
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(1, spawn_key=(number,))))
            trial = replace(_trial(number, FOUR, generator, failed=False), n_steps=5)
            stray = generator.normal(0, 0.01, 5)
            stray -= stray.mean()
            steps = {
                fold: StepResult(
                    {**trial.values, **{score: trial.values[score] + off for score in ("accuracy", "recall")}}
                )
                for fold, off in enumerate(stray.tolist())
            }
            writer.start(replace(trial, state=State.RUNNING, values={}, finished_at=None))
            writer.finish(trial, steps)
    front = front_trials(FOUR, store.trials(name))[:3]
    for at, trial in enumerate(front):
        store.add_confirmation(name, _confirmation(trial, float(at)))
    return tuple(trial.number for trial in front)


def _confirmation(trial: Trial, now: float) -> Confirmation:
    names = ("accuracy", "recall")
    draws = np.random.Generator(np.random.PCG64(trial.number)).normal(0, 0.01, (100, 2))
    scores = {
        name: {"value": value, "low": value - 0.015, "high": value + 0.015, "confidence": 0.9}
        for name in names
        for value in [trial.values[name] - 0.01]
    }
    around = np.array([scores[name]["value"] for name in names])
    timing = {"median_ms": 2 * trial.values["latency_ms"], "low_ms": 0.5, "high_ms": 99.0, "n": 300, "batch": 1}
    measures = {
        "scores": scores,
        "draws": pack_draws(around + draws),
        "look": 1,
        "n_rows": 200,
        "latency": {"latency_ms": timing},
        "size_kb": trial.values["size_kb"],
    }
    return Confirmation(trial.number, {"processor": "a made-up processor", "cores": 2}, measures, now)


def _trial(number: int, of: Sequence[Objective], generator: np.random.Generator, *, failed: bool) -> Trial:
    now = time.time()
    family = _FAMILIES[int(generator.integers(len(_FAMILIES)))]
    config: dict[str, Scalar] = {"family": family}
    if family == "logistic":
        config["C"] = float(10 ** generator.uniform(-3, 3))
    else:
        config["max_depth"] = int(generator.integers(1, 24))
    if family in ("forest", "hist_boosting"):
        config["n_estimators"] = int(generator.integers(10, 400))
    trial = Trial(
        number,
        config,
        source=Source.DEFAULT if number == 0 else Source.SEARCH,
        state=State.FAILED if failed else State.COMPLETE,
        fit=number,
        created_at=now,
        finished_at=now,
    )
    if failed:
        kind = (Failure.ERROR, Failure.TIMEOUT)[number % 2]
        return replace(trial, failure=kind, message=f"the solver did not converge <b>{number}</b>")
    return replace(trial, values=_values(of, generator))


def _values(of: Sequence[Objective], generator: np.random.Generator) -> dict[str, float]:
    """Values with a trade-off: each objective pulls the others down, and most configs waste a good deal."""
    share = generator.dirichlet(np.full(len(of), 0.7))
    waste = float(min(generator.exponential(0.25), 0.8))
    values = {}
    for objective, part in zip(of, share, strict=True):
        badness = float((1 - part) ** 2 + waste + generator.normal(0, 0.02))
        if objective.log:
            values[objective.name] = float(0.2 * 10 ** (2 * badness))
        elif objective.direction == "maximize":
            values[objective.name] = float(np.clip(0.972 - 0.09 * badness, 0, 1))
        else:
            values[objective.name] = badness
    return values


def pipelines(store: Store, name: str, folder: Path) -> Path:
    """A study of two pipelines on a data file, which is written to ``folder`` and given back."""
    generator = np.random.Generator(np.random.PCG64(0))
    size = generator.normal(size=120)
    ill = np.where(size + generator.normal(scale=0.5, size=120) > 0.5, "yes", "no")
    file = folder / "ill.csv"
    pd.DataFrame({"size": size, "weight": generator.normal(size=120), "ill": ill}).to_csv(file, index=False)
    spec = DataSpec(str(file), "ill", positive="yes", seed=0)
    data = read_data(spec)
    recorded = {
        "kind": "pipeline",
        "data": {**spec.as_json(), "sha256": data.sha256},
        "columns": data.columns.as_json(),
    }
    store.create_study(StudyRecord(name, {}, FOUR, {"algorithm": "nsga2"}, seed=0, spec=recorded))
    rows = {"logistic": (0.85, 0.7, 1.0, 3.0), "tree": (0.9, 0.8, 3.0, 30.0)}
    with store.write(name) as writer:
        for number, (family, row) in enumerate(rows.items()):
            values = dict(zip((one.name for one in FOUR), row, strict=True))
            trial = Trial(number, default_configs([family], data.columns)[0], fit=number)
            writer.start(replace(trial, state=State.RUNNING))
            writer.finish(replace(trial, state=State.COMPLETE, values=values), {0: StepResult(values)})
    return file
