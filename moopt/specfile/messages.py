"""What a study file says that cannot be, in words: which key, what was given, what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from moopt.errors import nearest
from moopt.specfile.sections import SECTIONS, DataSection
from moopt.specfile.values import toml

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


def told(error: ValidationError, given: Mapping[str, Any]) -> str:
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
    return f"{where}{key} is missing; add for instance {key} = {toml(example)}"


def _fields(parents: list[str]) -> list[str]:
    """The keys of a section."""
    if not parents:
        return list(SECTIONS)
    return list(SECTIONS[parents[0]].model_fields) if parents[0] in SECTIONS else []


def _expected(error: Any) -> str:
    told: str = _EXPECTED.get(error["type"], error["msg"])
    return told.format(**error.get("ctx", {}))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
