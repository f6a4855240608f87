"""Versions of Python and of the libraries that decide a result."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable

LIBRARIES = ("moopt", "pymoo", "moocore", "scikit-learn", "numpy", "pandas", "ConfigSpace", "skops")


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """Name -> version of Python and of those libraries, and of ``more``, that are installed."""
    found = {"python": platform.python_version()}
    for library in (*LIBRARIES, *more):
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
