"""A study as a TOML file, validated: what to search, on which data, for which objectives, and how.

The keys are declared once, with their meaning and an example; reading, the messages and the written file all come
from these declarations. Paths in a file are relative to that file.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from moopt.data import DataSpec
from moopt.errors import SpecError, UsageError, nearest
from moopt.models.families import FAMILIES, Choice, Parameter
from moopt.models.presets import MANY_ROWS, PREPARATION, PREPARATIONS
from moopt.objectives import Objective, as_objective, as_objectives, with_limits
from moopt.searchers import search_options
from moopt.trial import Json

OBJECTIVES = ("accuracy", "recall", "latency", "size")
"""What is searched for where no objective is named."""

Text: TypeAlias = Annotated[str, Field(strict=True, min_length=1)]
Texts: TypeAlias = tuple[Text, ...]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=1)]
Above: TypeAlias = Annotated[float, Field(strict=True, gt=0)]
Label: TypeAlias = Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True)] | Text


def _key(meaning: str, example: Any, default: Any = None) -> Any:
    """A key that may be left out; the example is shown where it is."""
    return Field(default=default, description=meaning, examples=[example])


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StudySection(_Section):
    """What the study is called, and where its chance comes from."""

    name: Text | None = _key("in the store; the data file's name where not given", "churn")
    seed: Annotated[int, Field(strict=True, ge=0)] = _key("draws the test rows, the folds and the search", 0, 0)


class DataSection(_Section):
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


class ModelsSection(_Section):
    """The model families and their ranges."""

    families: Annotated[Texts, Field(min_length=1)] | None = _key(
        f"all where not given; from {MANY_ROWS:,} rows on all but the slowest two", ["logistic", "forest"]
    )
    ranges: Mapping[Text, Mapping[Text, Any]] = Field(default_factory=dict, description="in place of the usual ranges")


class ObjectiveSection(_Section):
    """What is wanted of one objective."""

    limit: Annotated[float, Field(strict=True)] | Text | None = _key("the worst value that you accept", "5 ms")


class SearchSection(_Section):
    """How to search, how long, and on how many processes."""

    algorithm: Text = _key("nsga2, moead, random, sobol or grid", "nsga2", "nsga2")
    n_trials: Count = _key("configs to evaluate in total; a larger number goes on with the study", 100, 100)
    population: Count | None = _key("of nsga2 and moead", 20)
    operators: Text | None = _key('of nsga2 and moead: "auto" or "sbx"', "auto")
    folds: Annotated[int, Field(strict=True, ge=2)] = _key("of the stratified cross-validation", 5, 5)
    workers: Count | None = _key("processes; one a core where not given", 2)
    step_timeout_s: Above | None = _key("a fold that takes longer fails its trial", 300.0)
    memory_limit_mb: Above | None = _key("a fold that needs more memory fails its trial (Linux)", 4000.0)


class ConfirmSection(_Section):
    """How the front is confirmed; it has no keys."""


class StudySpec(_Section):
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
    return spec.changed(data={"file": os.path.normpath(path.parent / spec.data.file)})


def spec_for_csv(file: str | Path, target: str, *, positive: Label | None = None, name: str | None = None) -> StudySpec:
    """The defaults for a data file: all families, accuracy, recall, latency and size, 100 trials of NSGA-II."""
    data = {"file": str(file), "target": target, "positive": positive}
    return parse_spec({"study": {"name": name}, "data": data})


def parse_spec(given: Mapping[str, Any]) -> StudySpec:
    """A study from nested dicts, as TOML gives them. Raises SpecError, or the UsageError of what a value names."""
    try:
        spec = StudySpec.model_validate(given)
    except ValidationError as error:
        raise SpecError(_told(error, given)) from None
    if not spec.objectives:
        raise SpecError("[objectives] is empty; name at least one, such as accuracy = {}")
    _check_families(spec.models)
    spec.objective_list()
    spec.search_options()
    return spec


def _check_families(models: ModelsSection) -> None:
    for name in models.families or ():
        if name not in FAMILIES:
            raise SpecError(f"[models] families: unknown family {name!r}{nearest(name, FAMILIES)}")
    for name in models.ranges:
        known = [*FAMILIES, PREPARATION]
        if name not in known:
            raise SpecError(f"[models.ranges] names the unknown family {name!r}{nearest(name, known)}")


# Messages

_EXPECTED = {
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": 'a list such as ["a", "b"]',
    "too_short": "a list that is not empty",
    "model_type": "a table such as {{}}",
    "mapping_type": "a table",
    "dict_type": "a table",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than_equal": "a number of at most {le:g}",
}


def _told(error: ValidationError, given: Mapping[str, Any]) -> str:
    """What is wrong at the first wrong key, and how many others there are."""
    errors = error.errors()
    at = {_path(one["loc"], given): one for one in reversed(errors)}
    path, first = next(reversed(at.items()))
    more = f"\n{len(at) - 1} more of its keys cannot be as given." if len(at) > 1 else ""
    *parents, last = path
    where = f"[{'.'.join(parents)}] " if parents else ""
    if first["type"] == "extra_forbidden":
        known = _fields(parents)
        hint = nearest(last, known) if known else "; it takes no keys"
        return f"{where or 'the file has an '}unknown {'key' if parents else 'section'} {last!r}{hint}{more}"
    if first["type"] == "missing":
        return f"{_missing(where, last)}{more}"
    expected = [_expected(one) for one in errors if _path(one["loc"], given) == path]
    return f"{where}{last} is {_short(first['input'])}; expected {' or '.join(dict.fromkeys(expected))}{more}"


def _path(loc: tuple[int | str, ...], given: Any) -> tuple[str, ...]:
    """The keys that lead to a value, without what pydantic adds for the members of a union and of a list."""
    path: list[str] = []
    for part in loc:
        if not isinstance(given, Mapping) or not isinstance(part, str):
            break
        path.append(part)
        given = given.get(part)
    return tuple(path)


def _missing(where: str, key: str) -> str:
    if not where:
        return f'the file has no section [{key}]; add one with file = "churn.csv" and target = "Churn"'
    (example,) = DataSection.model_fields[key].examples or [""]
    return f"{where}{key} is missing; add for instance {key} = {_toml(example)}"


def _fields(parents: list[str]) -> list[str]:
    """The keys of a section."""
    if not parents:
        return list(StudySpec.model_fields)
    sections: Mapping[str, type[_Section]] = {
        "study": StudySection,
        "data": DataSection,
        "models": ModelsSection,
        "objectives": ObjectiveSection,
        "search": SearchSection,
    }
    return list(sections[parents[0]].model_fields) if parents[0] in sections else []


def _expected(error: Any) -> str:
    told: str = _EXPECTED.get(error["type"], error["msg"])
    return told.format(**error.get("ctx", {}))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# Writing


def write_toml(spec: StudySpec, folder: str | Path = ".") -> str:
    """The study as a file to edit, for ``folder``: every key with its meaning, those not given commented out.

    Reading it there gives the same study.
    """
    data = spec.data.model_copy(update={"file": os.path.relpath(spec.data.file, folder)})
    lines = [
        *_table("study", spec.study.model_copy(update={"name": spec.name})),
        *_table("data", data),
        *_table("models", spec.models),
        *_ranges(spec.models),
        *_objectives(spec),
        *_table("search", spec.search),
    ]
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(name: str, section: _Section) -> list[str]:
    lines = ["", f"# {section.__doc__}", f"[{name}]"]
    for key, info in type(section).model_fields.items():
        if key != "ranges":
            lines.append(_line(key, getattr(section, key), info))
    return lines


def _line(key: str, value: Any, info: FieldInfo) -> str:
    if value is None or value == ():
        (example,) = info.examples or [""]
        return f"# {key} = {_toml(example)}  # {info.description}"
    return f"{key} = {_toml(value)}  # {info.description}"


def _ranges(models: ModelsSection) -> Iterator[str]:
    """The ranges given, and those that hold otherwise as comments."""
    yield "# Ranges: [low, high] or choices. The usual ones stand here as comments."
    for name in models.families or FAMILIES:
        yield from _family_ranges(name, FAMILIES[name].parameters, models.ranges.get(name, {}))
    yield from _family_ranges(PREPARATION, PREPARATIONS, models.ranges.get(PREPARATION, {}))


def _family_ranges(name: str, parameters: tuple[Parameter, ...], own: Mapping[str, Any]) -> Iterator[str]:
    for one in parameters:
        usual = list(one.values) if isinstance(one, Choice) else [one.low, one.high]
        log = "" if isinstance(one, Choice) or not one.log else "by its logarithm; "
        given = one.name in own
        value = _toml(own[one.name] if given else usual)
        yield f"{'' if given else '# '}ranges.{name}.{one.name} = {value}  # {log}{one.why}"


def _objectives(spec: StudySpec) -> Iterator[str]:
    yield ""
    yield '# What to improve; a limit such as { limit = "5 ms" } is the worst value that you accept.'
    yield "[objectives]"
    for name, own in spec.objectives.items():
        yield f"{_toml_key(name)} = {_toml(own.model_dump(exclude_none=True))}"


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)


def _toml(value: Any) -> str:
    """A value as TOML writes it. JSON's texts are TOML's, but for the delete character."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_toml_key(key)} = {_toml(one)}" for key, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
