"""Files that trials left beside the store: kept whole or not at all, and used only where their bytes are right.

A file is named after its trial and its bytes, so that studies of one store never overwrite each other's.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from moopt.errors import StoreError
from moopt.store.base import Store
from moopt.trial import Artefact


def keep(store: Store, name: str, number: int, kind: str, content: bytes) -> Artefact:
    """Write a trial's file (``kind`` is its ending) and record it; one with the same bytes is kept once.

    Raises StoreError in memory, where there is no folder, and where the file cannot be written.
    """
    if store.artefact_folder is None:
        raise StoreError("the store in memory keeps no files; give the study a store, such as store='study.db'")
    sha256 = hashlib.sha256(content).hexdigest()
    artefact = Artefact(number, kind, f"trial_{number}_{sha256[:12]}.{kind}", sha256, len(content), made_at=time.time())
    _write(store.artefact_folder / artefact.path, content)
    if all((one.number, one.path) != (number, artefact.path) for one in store.artefacts(name)):
        store.add_artefact(name, artefact)
    return artefact


def find(store: Store, name: str, number: int, kind: str) -> bytes | None:
    """The bytes of a trial's latest file of a kind; None where none is kept, or none whose bytes are right."""
    for artefact in reversed(store.artefacts(name)):
        if (artefact.number, artefact.kind) == (number, kind):
            content = read(store, artefact)
            if content is not None:
                return content
    return None


def read(store: Store, artefact: Artefact) -> bytes | None:
    """An artefact's bytes; None where its file is gone, cannot be read or was changed."""
    if store.artefact_folder is None or not _is_name(artefact.path):
        return None
    try:
        content = (store.artefact_folder / artefact.path).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == artefact.sha256 else None


def remove(store: Store, paths: Iterable[str]) -> None:
    """Take files away, and the folder once it is empty; those that are gone already are not missed."""
    folder = store.artefact_folder
    if folder is None:
        return
    try:
        for path in filter(_is_name, paths):
            (folder / path).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise StoreError(
            f"the study is deleted, but not all its files in {folder}: {error.strerror or error}; remove them"
        ) from error


def _is_name(path: str) -> bool:
    """Whether a path stays in its folder: that of a store which somebody edited may not."""
    return Path(path).name == path


def _write(path: Path, content: bytes) -> None:
    """Beside its place, then renamed: a file of the name is always whole."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()
