"""Whether a stored study is the one that is asked for, and where it differs, in words."""

from __future__ import annotations

from collections.abc import Mapping

from moopt.errors import StudyMismatch
from moopt.space import Space
from moopt.store.base import Store, StudyRecord
from moopt.trial import Json


def check_same(wanted: StudyRecord, stored: StudyRecord, store: Store) -> None:
    """Raise StudyMismatch, with the differences, where the stored study is another one."""
    found = differences(wanted, stored)
    if found:
        raise StudyMismatch(
            f"study {stored.name!r} in {store.location} is another one: {'; '.join(found)}\n"
            "Give the study another name, or another store."
        )


def differences(wanted: StudyRecord, stored: StudyRecord) -> list[str]:
    """What of the wanted study is not as stored, each in words."""
    found = Space.from_json(wanted.space).differences(Space.from_json(stored.space))
    found += _differences("objective", _objectives(wanted), _objectives(stored))
    found += _differences("", dict(wanted.search), dict(stored.search))
    found += _differences(
        "", {"seed": wanted.seed, "steps": wanted.n_steps}, {"seed": stored.seed, "steps": stored.n_steps}
    )
    return found + _differences("", dict(wanted.spec), dict(stored.spec))


def _objectives(record: StudyRecord) -> dict[str, Json]:
    return {objective.name: objective.as_json() for objective in record.objectives}


def _differences(path: str, wanted: Mapping[str, Json], stored: Mapping[str, Json]) -> list[str]:
    found = []
    for key in [*wanted, *(key for key in stored if key not in wanted)]:
        name = f"{path} {key}".strip()
        new, old = wanted.get(key), stored.get(key)
        if isinstance(new, Mapping) and isinstance(old, Mapping):
            found += _differences(name, new, old)
        elif new != old:
            found.append(f"{name} is {_word(new)}, stored is {_word(old)}")
    return found


def _word(value: Json) -> str:
    return "not given" if value is None else repr(value)
