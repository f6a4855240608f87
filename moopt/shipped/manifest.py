"""The manifest of an export: which files it holds, with their hashes, and the hash of itself.

It is canonical JSON, so that one value has one form, and not a byte of it can change unseen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from moopt.shipped.contents import Contents
from moopt.trial import Json

MANIFEST = "manifest.json"
_DIGEST = "digest"


class Difference(NamedTuple):
    """A file that is not what the manifest says."""

    file: str
    stated: str
    found: str


def canonical_json(value: Json) -> bytes:
    """Keys sorted, no spaces, UTF-8: the same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def readable_json(value: Json) -> bytes:
    """The same for people: two spaces of indent and a newline at the end."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def sealed(about: Mapping[str, Json], files: Mapping[str, bytes]) -> bytes:
    """The manifest of files: what it is ``about``, SHA-256 and bytes of each, and the digest of all that."""
    manifest = {**about, "files": {name: _state(content) for name, content in files.items()}}
    return canonical_json({**manifest, _DIGEST: _sha256(canonical_json(manifest))})


def read_manifest(content: bytes) -> dict[str, Any]:
    """A manifest whose own digest holds. Raises ValueError, in words, for any other bytes."""
    try:
        manifest = json.loads(content)
        canonical = canonical_json(manifest)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ValueError("it is no manifest of an export")
    if canonical != content:
        raise ValueError("it is not in canonical form")
    digest = _sha256(canonical_json({key: value for key, value in manifest.items() if key != _DIGEST}))
    if manifest.get(_DIGEST) != digest:
        raise ValueError(f"its content has the digest {digest[:12]}")
    return manifest


def differences(manifest: Mapping[str, Any], contents: Contents) -> Iterator[Difference]:
    """What differs between a manifest and the files beside it, by name; nothing where all is as it says."""
    stated, files = manifest["files"], contents.files
    for name in sorted({*stated, *files, *contents.unreadable} - {MANIFEST}):
        claim = _words(stated[name]) if name in stated else "no such file"
        if name in contents.unreadable:
            yield Difference(name, claim, contents.unreadable[name])
        elif name not in files:
            yield Difference(name, claim, "missing")
        elif (found := _state(files[name])) != stated.get(name):
            yield Difference(name, claim, _words(found))


def _state(content: bytes) -> dict[str, Json]:
    return {"sha256": _sha256(content), "bytes": len(content)}


def _words(state: Any) -> str:
    return f"{state['bytes']} bytes, SHA-256 {state['sha256'][:12]}" if _is_state(state) else repr(state)


def _is_state(state: Any) -> bool:
    return isinstance(state, dict) and isinstance(state.get("sha256"), str) and isinstance(state.get("bytes"), int)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
