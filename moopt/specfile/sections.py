"""The sections of a study file: each key with its meaning, an example, and what it may be.

Reading, the messages and the written file all come from these declarations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from moopt.deploy.backends import MAX_DISAGREEMENT
from moopt.models.presets import MANY_ROWS

Text: TypeAlias = Annotated[str, Field(strict=True, min_length=1)]
Texts: TypeAlias = tuple[Text, ...]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=1)]
Above: TypeAlias = Annotated[float, Field(strict=True, gt=0)]
Stalled: TypeAlias = Annotated[bool, Field(strict=True)] | Count
Stopping: TypeAlias = Annotated[bool, Field(strict=True)] | Above
Label: TypeAlias = Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True)] | Text


def _key(meaning: str, example: Any, default: Any = None) -> Any:
    """A key that may be left out; the example is shown where it is."""
    return Field(default=default, description=meaning, examples=[example])


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StudySection(Section):
    """What the study is called, and where its chance comes from."""

    name: Text | None = _key("in the store; the data file's name where not given", "churn")
    seed: Annotated[int, Field(strict=True, ge=0)] = _key("draws the test rows, the folds and the search", 0, 0)


class DataSection(Section):
    """The data file and how to read it."""

    file: Text = Field(description="CSV or Parquet, relative to this file", examples=["churn.csv"])
    target: Text = Field(description="the column to predict", examples=["Churn"])
    positive: Label | None = _key(
        "the label that recall and precision are about; the rarer of two where not given", "Yes"
    )
    drop: Texts = _key("columns to leave out", ["customerID"], ())
    missing: Texts = _key("cells that mean missing, besides the usual (empty, NA, nan...)", ["?"], ())
    separator: Text | None = _key("between the cells of a CSV file", ";")
    decimal: Text | None = _key("decimal mark of a CSV file", ",")
    encoding: Text | None = _key("of a CSV file; UTF-8 where not given", "latin-1")
    test_share: Annotated[float, Field(strict=True, ge=0, le=0.9)] = _key(
        "share of each class kept back for the final test, never seen by the search", 0.2, 0.2
    )


class ModelsSection(Section):
    """The model families and their ranges."""

    families: Annotated[Texts, Field(min_length=1)] | None = _key(
        f"all where not given; from {MANY_ROWS:,} rows on all but the slowest two", ["logistic", "forest"]
    )
    staged: Annotated[bool, Field(strict=True)] = _key(
        "smaller ensembles of each forest and boosting come free with its fit, as trials of their own", False, True
    )
    backends: Annotated[Texts, Field(min_length=1)] | None = _key(
        "what may run a model, measured on each; scikit-learn alone where not given", ["sklearn", "onnxruntime"]
    )
    max_disagreement: Annotated[float, Field(strict=True, ge=0, le=1)] = _key(
        "share of rows that a converted model may predict otherwise than its original", 0.005, MAX_DISAGREEMENT
    )
    ranges: Mapping[Text, Mapping[Text, Any]] = Field(
        default_factory=dict, description="in place of the usual ranges, or beliefs"
    )


class ObjectiveSection(Section):
    """What is wanted of one objective."""

    limit: Annotated[float, Field(strict=True)] | Text | None = _key("the worst value that you accept", "5 ms")


class SearchSection(Section):
    """How to search, how long, and on how many processes."""

    algorithm: Text = _key("nsga2, moead, parego, random, sobol or grid", "nsga2", "nsga2")
    n_trials: Count = _key("configs to evaluate in total; a larger number goes on with the study", 100, 100)
    timeout_s: Above | None = _key("the search ends after so many seconds, if its trials are not done before", 3600.0)
    max_steps: Count | None = _key("folds to evaluate in total, never more; whichever comes first", 500)
    stop_when_stalled: Stalled = _key(
        "end where the front has not grown by more than its noise in 30 trials, or as many as you say", True, False
    )
    early_stopping: Stopping = _key(
        "end a config whose folds leave it no chance; a number such as 1.5 says how forgiving, larger stops fewer",
        True,
        True,
    )
    start: tuple[Mapping[Text, Any], ...] = _key(
        "configs of your own, tried after the families' defaults", [{"family": "forest", "n_estimators": 300}], ()
    )
    portfolio: Annotated[bool, Field(strict=True)] = _key(
        "try some configs first that did well on other data; at most 12, and an eighth of the trials left", False, True
    )
    warm_start: Text | None = _key("store of an earlier study whose front is tried first", "earlier.db")
    warm_start_study: Text | None = _key("its name, where that store holds several", "churn 2024")
    reuse: Annotated[bool, Field(strict=True)] = _key(
        "take what another study of this store evaluated on the same data, splits, objectives and versions", True, False
    )
    population: Count | None = _key("of nsga2 and moead", 20)
    operators: Text | None = _key(
        'of nsga2 and moead: "auto" or, as in published tables, "sbx" (moead also "de")', "auto"
    )
    folds: Annotated[int, Field(strict=True, ge=2)] = _key("of the stratified cross-validation", 5, 5)
    workers: Count | None = _key("processes; one a core where not given", 2)
    step_timeout_s: Above | None = _key("a fold that takes longer fails its trial", 300.0)
    memory_limit_mb: Above | None = _key("a fold that needs more memory fails its trial (Linux)", 4000.0)


class ConfirmSection(Section):
    """How the front is confirmed; it is with `moopt run --confirm`, or later by `moopt confirm`."""

    rounds: Count = _key("of timing, each model in a fresh process", 5, 5)
    repeats: Annotated[float, Field(strict=True, ge=0, le=1)] = _key(
        "share of the search's folds that goes to repeats with other splits, the front's first", 0.1, 0.1
    )
    confidence: Annotated[float, Field(strict=True, gt=0, lt=1)] = _key(
        "of the intervals of the scores on the test split", 0.9, 0.9
    )


SECTIONS: Mapping[str, type[Section]] = {
    "study": StudySection,
    "data": DataSection,
    "models": ModelsSection,
    "objectives": ObjectiveSection,
    "search": SearchSection,
    "confirm": ConfirmSection,
}
"""Each section's keys; those of ``objectives`` are the keys of each objective."""
