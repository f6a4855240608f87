"""The export verb: a trial as files that stand for themselves.

One function makes all files in memory; a folder and a zip are two ways to hand them over. It reads stores and
data and never searches.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from moopt.certainty import certainty, with_certainty
from moopt.choose.front import front_of, join_numbers
from moopt.errors import ExportError
from moopt.export.build import build_files
from moopt.export.card import model_card
from moopt.export.folder import check_free, write_folder
from moopt.export.why import Evidence, own_decision, why
from moopt.frames import front_frame
from moopt.shipped.manifest import MANIFEST, readable_json, sealed
from moopt.store import artefacts
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
        return not self.missing

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
    with_sample: bool = True,
    intended_use: str = "",
    force: bool = False,
) -> Export:
    """Write a trial to the folder ``out``, whole or not at all.

    Arguments and errors as in :func:`make_export`; besides, ExportError where ``out`` cannot be written, or exists and
    is not empty: an earlier export is replaced with ``force``, anything else never.
    """
    folder = Path(out)
    check_free(folder, force=force)
    export = make_export(
        store,
        study_name,
        number,
        data=data,
        decision=decision,
        with_model=with_model,
        with_sample=with_sample,
        intended_use=intended_use,
    )
    write_folder(folder, export.files)
    return replace(export, folder=folder)


def make_export(
    store: Store,
    study_name: str | None,
    number: int,
    *,
    data: str | Path | None = None,
    decision: Decision | None = None,
    with_model: bool = True,
    with_sample: bool = True,
    intended_use: str = "",
) -> Export:
    """All files of a trial's export, in memory.

    The model is the one that ``moopt confirm`` kept; where there is none it is fitted. With it go up to 50 rows of the
    data file, by which :mod:`moopt.verify` checks it; ``with_sample=False`` leaves them out. ``data`` stands in for the
    data file that the study names; it must be the same, byte for byte. Without a ``decision`` the latest one that the
    study records for this trial is told. Where the study's own data file cannot be read, or without ``with_model``,
    what is missing is left out, and the export says so. ``intended_use`` is Markdown for the model card.

    Raises ExportError for a trial that does not exist or is not complete, for data that are not those of the
    search, and for ``data`` that cannot be read; StudyNotFound for a study that is not in the store.
    """
    record = store.study(study_name)
    trials = store.trials(record.name)
    chosen = _chosen(record, trials, number)
    if decision is None:
        decision = _recorded(store, record.name, number) or own_decision(record.objectives, trials, chosen)
    kept = artefacts.find(store, record.name, number, "skops") if with_model else None
    built = build_files(record, chosen, data, kept, with_model=with_model, with_sample=with_sample)
    confirmations = store.confirmations(record.name)
    known = certainty(record.objectives, trials, confirmations)
    evidence = Evidence(record, trials, chosen, decision, built.said, versions(), known, confirmations)
    files = {
        "config.json": readable_json(_config(record, chosen, decision)),
        **built.files,
        "front.csv": with_certainty(front_frame(record.objectives, trials), known).to_csv(index=False).encode(),
        "WHY.md": why(evidence).encode(),
        "MODEL_CARD.md": model_card(evidence, built, intended_use).encode(),
    }
    missing = "" if built.claims else built.said
    files[MANIFEST] = sealed(_about(record, number, built.claims is not None, missing), files)
    return Export(number, files, missing)


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


def _about(record: StudyRecord, number: int, has_model: bool, missing: str) -> dict[str, Json]:
    """What the manifest says besides the files."""
    return {"format": _FORMAT, "study": record.name, "number": number, "model": has_model, "missing": missing}
