"""The export verb: a trial as files that stand for themselves.

One function makes all files in memory; a folder and a zip are two ways to hand them over. It reads stores and
data and never searches.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import os
import platform
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from moopt.errors import ExportError
from moopt.frames import front_frame
from moopt.front import front_of, join_numbers
from moopt.store.base import Store, StudyRecord
from moopt.trial import Decision, Json, State, Trial
from moopt.why import Evidence, own_decision, why

_FORMAT = 1
_LIBRARIES = ("moopt", "scikit-learn", "numpy", "pandas", "skops")


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds."""

    number: int
    """The trial's."""
    files: Mapping[str, bytes]
    """File name -> content; ``manifest.json`` names the others with their SHA-256."""
    missing: str
    """Why there is no fitted model, in a sentence; empty where there is one."""
    folder: Path | None = None
    """Where it was written."""

    @property
    def has_model(self) -> bool:
        """Whether it holds the fitted model."""
        return "model.skops" in self.files

    def zipped(self) -> bytes:
        """The same files as one zip."""
        buffer = io.BytesIO()
        with ZipFile(buffer, "w") as archive:
            for name, content in self.files.items():
                entry = ZipInfo(name)
                entry.compress_type = ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content)
        return buffer.getvalue()


def export_trial(
    store: Store,
    study_name: str | None,
    number: int,
    out: str | Path,
    *,
    data: str | Path | None = None,
    decision: Decision | None = None,
) -> Export:
    """Write a trial to the folder ``out``, whole or not at all.

    Arguments and errors as in :func:`make_export`; besides, ExportError where ``out`` exists and is not an empty
    folder, or cannot be written.
    """
    folder = Path(out)
    _check_free(folder)
    export = make_export(store, study_name, number, data=data, decision=decision)
    _write(folder, export.files)
    return Export(export.number, export.files, export.missing, folder)


def export_zip(
    store: Store,
    study_name: str | None,
    number: int,
    *,
    data: str | Path | None = None,
    decision: Decision | None = None,
) -> bytes:
    """The same files as :func:`export_trial` writes, as one zip. Arguments and errors as in :func:`make_export`."""
    return make_export(store, study_name, number, data=data, decision=decision).zipped()


def make_export(
    store: Store,
    study_name: str | None,
    number: int,
    *,
    data: str | Path | None = None,
    decision: Decision | None = None,
) -> Export:
    """All files of a trial's export, in memory.

    ``data`` stands in for the data file that the study names; it must be the same, byte for byte. Without a
    ``decision`` the latest one that the study records for this trial is told. Where the study's own data file
    cannot be read the export has no model and says so.

    Raises ExportError for a trial that does not exist or is not complete, for data that are not those of the
    search, and for ``data`` that cannot be read; StudyNotFound for a study that is not in the store.
    """
    record = store.study(study_name)
    trials = store.trials(record.name, with_steps=False)
    chosen = _chosen(store, record, trials, number)
    if decision is None:
        decision = _recorded(store, record.name, number) or own_decision(record.objectives, trials, chosen)
    built, missing = _build(record, chosen, None if data is None else Path(data))
    evidence = Evidence(record, trials, chosen, decision, missing or _fitted_on(record), _versions())
    files = {
        "config.json": canonical_json(_config(record, chosen)),
        **built,
        "front.csv": front_frame(record.objectives, trials).to_csv(index=False).encode(),
        "WHY.md": why(evidence).encode(),
    }
    files["manifest.json"] = canonical_json(_manifest(record, number, files, missing))
    return Export(number, files, missing)


def canonical_json(value: Json) -> bytes:
    """JSON that is the same for the same value: keys sorted, two spaces of indent, UTF-8, a newline at the end."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _chosen(store: Store, record: StudyRecord, trials: Sequence[Trial], number: int) -> Trial:
    state = {trial.number: trial.state for trial in trials}.get(number)
    if state is State.COMPLETE:
        return store.trial(record.name, number)
    wrong = f"is {state.value}, not complete" if state else "does not exist"
    if not any(trial.state is State.COMPLETE for trial in trials):
        raise ExportError(f"trial {number} of study {record.name!r} {wrong}, and no other is complete; search first")
    front = join_numbers(front_of(record.objectives, trials).numbers)
    raise ExportError(f"trial {number} of study {record.name!r} {wrong}; on the front are: {front}")


def _recorded(store: Store, study_name: str, number: int) -> Decision | None:
    return next((made for made in reversed(store.decisions(study_name)) if made.number == number), None)


def _config(record: StudyRecord, chosen: Trial) -> Json:
    objectives = [
        {**objective.as_json(), "unit": objective.unit, "value": chosen.values[objective.name]}
        for objective in record.objectives
    ]
    return {
        "format": _FORMAT,
        "study": record.name,
        "number": chosen.number,
        "config": dict(chosen.config),
        "objectives": objectives,
        "search": dict(record.search),
        "seed": record.seed,
        "n_steps": record.n_steps,
        "spec": dict(record.spec),
        "versions": {"search": dict(record.versions), "export": _versions()},
    }


def _manifest(record: StudyRecord, number: int, files: Mapping[str, bytes], missing: str) -> Json:
    return {
        "format": _FORMAT,
        "study": record.name,
        "number": number,
        "model": "model.skops" in files,
        "missing": missing,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder} is a file; give a folder that does not exist yet")
    if folder.is_dir() and any(folder.iterdir()):
        raise ExportError(f"the folder {folder} exists and is not empty; give another, or remove it first")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write beside the folder, then rename: it is there whole or not at all."""
    partial = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    try:
        partial.mkdir(parents=True)
        for name, content in files.items():
            (partial / name).write_bytes(content)
        if folder.is_dir():
            folder.rmdir()
        os.rename(partial, folder)
    except OSError as error:
        raise ExportError(f"the export cannot be written to {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
