"""A study as a file to edit: every key with its meaning, those not given as comments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from moopt.models.families import FAMILIES, Choice, Parameter
from moopt.models.presets import PREPARATION, PREPARATIONS
from moopt.specfile.sections import ModelsSection, Section
from moopt.specfile.spec import StudySpec
from moopt.specfile.values import toml, toml_key


def write_toml(spec: StudySpec, folder: str | Path = ".") -> str:
    """The study as a file to edit, for ``folder``: every key with its meaning, those not given commented out.

    Reading it there gives the same study.
    """
    data = spec.data.model_copy(update={"file": os.path.relpath(spec.data.file, folder)})
    search = spec.search
    if search.warm_start is not None:
        search = search.model_copy(update={"warm_start": os.path.relpath(search.warm_start, folder)})
    lines = [
        *_table("study", spec.study.model_copy(update={"name": spec.name})),
        *_table("data", data),
        *_table("models", spec.models),
        *_ranges(spec.models),
        *_objectives(spec),
        *_table("search", search),
        *_table("confirm", spec.confirm),
    ]
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(name: str, section: Section) -> list[str]:
    lines = ["", f"# {section.__doc__}", f"[{name}]"]
    for key, info in type(section).model_fields.items():
        if key != "ranges":
            lines.append(_line(key, getattr(section, key), info))
    return lines


def _line(key: str, value: Any, info: FieldInfo) -> str:
    if value is None or value == ():
        (example,) = info.examples or [""]
        return f"# {key} = {toml(example)}  # {info.description}"
    return f"{key} = {toml(value)}  # {info.description}"


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
        value = toml(own[one.name] if given else usual)
        yield f"{'' if given else '# '}ranges.{name}.{one.name} = {value}  # {log}{one.why}"


def _objectives(spec: StudySpec) -> Iterator[str]:
    yield ""
    yield '# What to improve; a limit such as { limit = "5 ms" } is the worst value that you accept.'
    yield "[objectives]"
    for name, own in spec.objectives.items():
        yield f"{toml_key(name)} = {toml(own.model_dump(exclude_none=True))}"
