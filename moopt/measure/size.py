"""Bytes of the model file that ships, the same for the same model each time: skops, deflated, or ONNX."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from moopt.errors import ObjectiveError

_SCHEMA = "schema.json"


def model_bytes(estimator: Any) -> bytes:
    """The fitted estimator as a deflated skops file, an OnnxModel as its ONNX file; both load without running code.

    Raises ObjectiveError for an estimator that skops cannot write, MemoryError for one whose file does not fit into
    memory.
    """
    import skops.io

    from moopt.deploy.onnx_model import OnnxModel

    if isinstance(estimator, OnnxModel):
        return estimator.content
    try:
        return _reproducible(skops.io.dumps(estimator))
    except MemoryError:
        raise MemoryError(
            f"the model file of {type(estimator).__name__} does not fit into memory; search smaller models, "
            "allow more memory, or leave the size out of the objectives"
        ) from None
    except Exception as error:
        raise ObjectiveError(
            f"{type(estimator).__name__} cannot be written as a model file by skops: {str(error).strip()[:200]}"
        ) from error


def size_kb(model: Any) -> float:
    """Size in kB (1,000 bytes) of a model file's bytes, or of the file that a fitted estimator would ship as.

    Raises as :func:`model_bytes`.
    """
    return len(model if isinstance(model, bytes) else model_bytes(model)) / 1000


def _reproducible(written: bytes) -> bytes:
    """A skops file, deflated, with its objects counted in order and without the time.

    skops numbers objects by their addresses in memory, so that a file's length varies by .2 % from dump to dump, and
    a search that compares sizes would not repeat.
    """
    files: dict[str, str] = {}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as source, zipfile.ZipFile(out, "w") as target:
        schema = json.loads(source.read(_SCHEMA))
        _count_objects(schema, {}, files)
        parts = {new: source.read(old) for old, new in files.items()}
        parts[_SCHEMA] = json.dumps(schema).encode()
        for name, content in parts.items():
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _count_objects(node: Any, numbers: dict[int, int], files: dict[str, str]) -> None:
    """Replace, in place, each object's address by its place in order, and name its file after it."""
    if isinstance(node, list):
        for part in node:
            _count_objects(part, numbers, files)
    elif isinstance(node, dict):
        address, file = node.get("__id__"), node.get("file")
        if node.get("is_json"):  # which plain values are one object depends on Python's whims, and means nothing
            node.pop("__id__", None)
        elif isinstance(address, int):
            node["__id__"] = numbers.setdefault(address, len(numbers))
        if isinstance(file, str):
            _, dot, ending = file.rpartition(".")
            node["file"] = files.setdefault(file, f"{len(files)}{dot}{ending}")
        for part in node.values():
            _count_objects(part, numbers, files)
