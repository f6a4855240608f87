"""The export verb: a trial as files that stand for themselves.

One function makes all files in memory; a folder and a zip are two ways to hand them over. It reads stores and
data and never searches.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from moopt.certainty import certainty, with_certainty
from moopt.choose.front import front_of, join_numbers
from moopt.errors import DataError, ExportError
from moopt.export import refit
from moopt.export.why import Evidence, own_decision, why
from moopt.frames import front_frame
from moopt.measure.size import model_bytes
from moopt.store.base import Store, StudyRecord
from moopt.trial import Decision, Json, State, Trial
from moopt.versions import versions

_FORMAT = 1


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
    with_model: bool = True,
) -> Export:
    """Write a trial to the folder ``out``, whole or not at all.

    Arguments and errors as in :func:`make_export`; besides, ExportError where ``out`` exists and is not an empty
    folder, or cannot be written.
    """
    folder = Path(out)
    _check_free(folder)
    export = make_export(store, study_name, number, data=data, decision=decision, with_model=with_model)
    _write(folder, export.files)
    return Export(export.number, export.files, export.missing, folder)


def export_zip(
    store: Store,
    study_name: str | None,
    number: int,
    *,
    data: str | Path | None = None,
    decision: Decision | None = None,
    with_model: bool = True,
) -> bytes:
    """The same files as :func:`export_trial` writes, as one zip. Arguments and errors as in :func:`make_export`."""
    return make_export(store, study_name, number, data=data, decision=decision, with_model=with_model).zipped()


def make_export(
    store: Store,
    study_name: str | None,
    number: int,
    *,
    data: str | Path | None = None,
    decision: Decision | None = None,
    with_model: bool = True,
) -> Export:
    """All files of a trial's export, in memory.

    ``data`` stands in for the data file that the study names; it must be the same, byte for byte. Without a
    ``decision`` the latest one that the study records for this trial is told. Where the study's own data file
    cannot be read, or without ``with_model``, the export has no model and says so.

    Raises ExportError for a trial that does not exist or is not complete, for data that are not those of the
    search, and for ``data`` that cannot be read; StudyNotFound for a study that is not in the store.
    """
    record = store.study(study_name)
    trials = store.trials(record.name)
    chosen = _chosen(record, trials, number)
    if decision is None:
        decision = _recorded(store, record.name, number) or own_decision(record.objectives, trials, chosen)
    built = _build(record, chosen, data, with_model=with_model)
    known = certainty(record.objectives, trials, store.confirmations(record.name))
    evidence = Evidence(record, trials, chosen, decision, built.said, versions(), known)
    files = {
        "config.json": canonical_json(_config(record, chosen, decision)),
        **built.files,
        "front.csv": with_certainty(front_frame(record.objectives, trials), known).to_csv(index=False).encode(),
        "WHY.md": why(evidence).encode(),
    }
    missing = "" if "model.skops" in files else built.said
    files["manifest.json"] = canonical_json(_manifest(record, number, files, missing))
    return Export(number, files, missing)


def canonical_json(value: Json) -> bytes:
    """JSON that is the same for the same value: keys sorted, two spaces of indent, UTF-8, a newline at the end."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _chosen(record: StudyRecord, trials: Sequence[Trial], number: int) -> Trial:
    found = next((trial for trial in trials if trial.number == number), None)
    if found is not None and found.state is State.COMPLETE:
        return found
    wrong = f"is {found.state.value}, not complete" if found else "does not exist"
    if not any(trial.state is State.COMPLETE for trial in trials):
        raise ExportError(f"trial {number} of study {record.name!r} {wrong}, and no other is complete; search first")
    front = join_numbers(front_of(record.objectives, trials).numbers)
    raise ExportError(f"trial {number} of study {record.name!r} {wrong}; on the front are: {front}")


def _recorded(store: Store, study_name: str, number: int) -> Decision | None:
    return next((made for made in reversed(store.decisions(study_name)) if made.number == number), None)


class _Built(NamedTuple):
    """The pipeline and the model, where there can be, and a few sentences about them."""

    files: dict[str, bytes]
    said: str


def _build(record: StudyRecord, chosen: Trial, data: str | Path | None, *, with_model: bool) -> _Built:
    if reason := refit.no_pipeline(record):
        return _Built({}, reason)
    about = f"Trial {chosen.number} of the moopt study {record.name!r}."
    files = {"pipeline.py": refit.pipeline_source(record, chosen.config, about).encode()}
    if not with_model:
        return _Built(files, "There is no fitted model: it was left out. `pipeline.py` builds it unfitted.")
    try:
        fitted = refit.fit(record, chosen.config, None if data is None else Path(data))
    except DataError as error:
        if data is not None:
            raise ExportError(str(error)) from error
        return _Built(files, _no_data(error))
    files["model.skops"] = model_bytes(fitted.model)
    return _Built(files, _fitted(record, fitted))


def _no_data(error: DataError) -> str:
    return (
        f"There is no fitted model: {str(error).splitlines()[0]}. `pipeline.py` builds it unfitted; "
        "export again with the data file to have it fitted."
    )


def _fitted(record: StudyRecord, fitted: refit.Fitted) -> str:
    said = f" While fitting it said: {'; '.join(fitted.warnings)}." if fitted.warnings else ""
    return (
        f"`model.skops` is the pipeline of `pipeline.py`, fitted on the {fitted.n_rows} rows outside the test split "
        f"with seed {record.seed}.{said} It loads without running code of the file: "
        "`moopt.measure.artefact.load_model(Path('model.skops'))`."
    )


def _config(record: StudyRecord, chosen: Trial, decision: Decision) -> Json:
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
        "decision": {"limits": dict(decision.limits), "preference": decision.preference},
        "search": dict(record.search),
        "seed": record.seed,
        "n_steps": record.n_steps,
        "spec": _shared(record.spec),
        "versions": {"search": dict(record.versions), "export": versions()},
    }


def _shared(spec: Mapping[str, Json]) -> Json:
    """The spec without where the data file lies on this machine."""
    data = {key: value for key, value in spec.get("data", {}).items() if key != "path"}
    return {**spec, "data": data} if "data" in spec else dict(spec)


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
