"""An export's files as a folder, there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from moopt.errors import ExportError
from moopt.shipped.contents import read_contents
from moopt.shipped.manifest import MANIFEST, read_manifest


def check_free(folder: Path, *, force: bool) -> None:
    """Raises ExportError where a folder must not be written.

    An empty one may; one with an earlier export and nothing else may with ``force``.
    """
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder} is a file; give a folder that does not exist yet")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    contents = read_contents(folder)
    try:
        manifest = read_manifest(contents.files[MANIFEST])
    except (KeyError, ValueError):
        raise ExportError(
            f"the folder {folder} exists, is not empty and is no export; give another, or remove it first"
        ) from None
    if others := sorted({*contents.files, *contents.unreadable} - {*manifest["files"], MANIFEST}):
        raise ExportError(f"the folder {folder} holds {', '.join(others)} beside an earlier export; give another")
    if not force:
        raise ExportError(
            f"the folder {folder} holds an earlier export, trial {manifest.get('number')} of {manifest.get('study')}\n"
            "Give another, or have it replaced with --force (force=True in Python)."
        )


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write beside the folder, then put it in its place. Raises ExportError; what was there stays then."""
    mark = secrets.token_hex(4)
    partial, earlier = (folder.parent / f".{folder.name}.{mark}.{end}" for end in ("part", "old"))
    try:
        partial.mkdir(parents=True)
        for name, content in files.items():
            (partial / name).write_bytes(content)
        _swap(folder, partial, earlier)
    except OSError as error:
        raise ExportError(f"the export cannot be written to {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(earlier, ignore_errors=True)


def _swap(folder: Path, partial: Path, earlier: Path) -> None:
    if not folder.is_dir():
        os.rename(partial, folder)
        return
    os.rename(folder, earlier)
    try:
        os.rename(partial, folder)
    except OSError:
        os.rename(earlier, folder)
        raise
