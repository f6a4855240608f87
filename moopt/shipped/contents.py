"""The files of an export, read from its folder or its zip into memory; nothing is unpacked."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from moopt.errors import ExportError, UsageError


@dataclass(frozen=True)
class Contents:
    """What a folder or a zip holds."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Name -> content."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Name -> why it could not be read; folders, which an export has none of, are among them."""


def read_contents(place: Path) -> Contents:
    """All that is in an export's folder, or in a zip of its files or of its folder.

    Raises UsageError where there is neither, ExportError for a zip that is not whole.
    """
    if place.is_dir():
        return _of_folder(place)
    if not place.is_file():
        raise UsageError(f"there is no export {place}; give the folder or the zip of one")
    try:
        with ZipFile(place) as archive:
            return _of_zip(archive)
    except BadZipFile as error:
        raise ExportError(
            f"{place} is no whole zip file ({str(error).lower()}); give an export's folder, or copy the zip again"
        ) from None
    except OSError as error:
        raise ExportError(f"{place} cannot be read: {error.strerror or error}") from None


def _of_folder(folder: Path) -> Contents:
    found = Contents()
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            found.unreadable[path.name] = "a folder"
            continue
        try:
            found.files[path.name] = path.read_bytes()
        except OSError as error:
            found.unreadable[path.name] = f"cannot be read: {error.strerror or error}"
    return found


def _of_zip(archive: ZipFile) -> Contents:
    found = Contents()
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    folders = {entry.filename.partition("/")[0] for entry in entries if "/" in entry.filename}
    zipped_folder = len(folders) == 1 and all("/" in entry.filename for entry in entries)
    prefix = f"{next(iter(folders))}/" if zipped_folder else ""
    for entry in entries:
        name = entry.filename.removeprefix(prefix)
        if name in found.files:
            found.unreadable[name] = "is in the zip twice"
            continue
        try:
            found.files[name] = archive.read(entry)
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            found.unreadable[name] = f"cannot be unpacked: {error}"
    return found
