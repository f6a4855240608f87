"""What a study's trials are confirmed on: their rows, how they are built, measured and cross-validated again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moopt.confirm.models import FileHalves, Source
from moopt.data import FileReference
from moopt.errors import ConfirmError, OtherData
from moopt.evaluate import CrossValidation
from moopt.measure import Measures, measures
from moopt.measure.deployed import Backends
from moopt.refit import builder, no_pipeline, searched_data
from moopt.store.base import StudyRecord
from moopt.trial import Config, Evaluator

OWN_BACKEND = (Backends(()),)
"""A repeat measures a config on its own backend, and makes no siblings."""


@dataclass(frozen=True)
class Subject:
    """The rows, the models and the measures of a study."""

    source: Source
    build: Callable[[Config], Any]
    measures: Measures
    evaluator: Callable[[int], Evaluator] | None
    """Repeat -> what evaluates a config on its splits; None where there are no other splits."""
    classes: bool = True
    """Whether its target has classes."""
    ships: bool = True
    """Whether every model can be written as a model file."""

    @property
    def latencies(self) -> Mapping[str, int]:
        """Latency -> rows a call; that of one row is always measured."""
        return {"latency_ms": 1} | dict(self.measures.latencies)


def subject_of(record: StudyRecord, file: Path | None = None) -> Subject:
    """The subject of a study of a data file, or of ``file`` in its place.

    Raises ConfirmError for a study of a function or an estimator, and where the file is not the one that was
    searched; DataError where it cannot be read.
    """
    if no_pipeline(record):
        raise ConfirmError(_not_ours(record))
    try:
        data = searched_data(record, file)
    except OtherData as error:
        raise ConfirmError(f"{error}\nGive the file as it was with --data FILE (in Python data=).") from error
    source = FileHalves(data.spec, data.sha256)
    measured = measures(record.objectives, data.classes, data.positive)
    return Subject(source, builder(record), measured, _Repeats(source, record.n_steps, builder(record), measured))


@dataclass(frozen=True)
class _Repeats:
    """Repeat -> the cross-validation of a data file with other folds."""

    source: FileHalves
    n_folds: int
    build: Callable[[Config], Any]
    measures: Measures

    def __call__(self, repeat: int) -> Evaluator:
        """The repeat's evaluator."""
        reference = FileReference(self.source.spec, self.source.sha256, self.n_folds, repeat)
        return CrossValidation(reference, self.build, self.measures, train_rows=0, expansions=OWN_BACKEND)


def _not_ours(record: StudyRecord) -> str:
    if record.spec.get("kind") == "estimator":
        return (
            f"study {record.name!r} searched an estimator that was given in Python and is not stored\n"
            "Confirm it where it is: give ParetoSearchCV test_size=, or call its confirm(X, y)."
        )
    return (
        f"study {record.name!r} searched a Python function, so there is no model to fit again\n"
        "Only studies of a data file (moopt run) and of ParetoSearchCV can be confirmed."
    )
