"""The models of some trials: from the files that were kept, or fitted anew and then kept, and scored where asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from moopt.confirm.models import ONNX, PICKLED, SKOPS, Model, Refit, read_onnx, read_pickled
from moopt.confirm.timing import ModelFile
from moopt.deploy.backends import ONNXRUNTIME, SKLEARN
from moopt.measure.artefact import load_model
from moopt.store import artefacts
from moopt.store.base import Store
from moopt.trial import Json, Trial

_READ = {SKOPS: load_model, ONNX: read_onnx, PICKLED: read_pickled}


@dataclass
class Fitted:
    """What fitting gave, by trial."""

    files: dict[int, ModelFile] = field(default_factory=dict)
    size_kb: dict[int, float] = field(default_factory=dict)
    """Of the files that ship."""
    backend: dict[int, str] = field(default_factory=dict)
    scored: dict[int, Mapping[str, Json]] = field(default_factory=dict)
    failed: dict[int, Exception] = field(default_factory=dict)
    n_refitted: int = 0


def fit_models(
    store: Store,
    name: str,
    trials: Sequence[Trial],
    refit: Refit,
    executor: Executor,
    folder: Path,
    *,
    score: bool,
    watch: Callable[[str], None],
) -> Fitted:
    """Fit on the executor what is not kept yet. Each file is kept as soon as it is there; ``folder`` takes those that
    a store in memory, or an estimator that skops cannot write, cannot keep.
    """
    kept = {trial.number: artefacts.find(store, name, trial.number, SKOPS) for trial in trials}
    n_kept = sum(content is not None for content in kept.values())
    watch(f"fitting {len(trials) - n_kept} models on all search rows" + (f", {n_kept} are kept" if n_kept else ""))
    running = [(one.number, executor.submit(refit, one.config, kept.pop(one.number), score)) for one in trials]
    found = Fitted()
    for number, future in running:
        try:
            model = future.result()
        except Exception as error:
            found.failed[number] = error
            continue
        found.files[number] = _filed(store, name, number, model, folder)
        found.n_refitted += model.refitted
        found.backend[number] = SKLEARN if model.onnx is None else ONNXRUNTIME
        if model.kind == SKOPS or model.onnx is not None:
            found.size_kb[number] = len(model.onnx or model.content) / 1000
        if model.scored:
            found.scored[number] = model.scored
    return found


def _filed(store: Store, name: str, number: int, model: Model, folder: Path) -> ModelFile:
    """The file that ships. The scikit-learn model behind a converted one is kept too: exports convert it again."""
    file = _kept(store, name, number, model.kind, model.content, folder)
    return file if model.onnx is None else _kept(store, name, number, ONNX, model.onnx, folder)


def _kept(store: Store, name: str, number: int, kind: str, content: bytes, folder: Path) -> ModelFile:
    if kind != PICKLED and store.artefact_folder is not None:
        artefact = artefacts.keep(store, name, number, kind, content)
        return ModelFile(store.artefact_folder / artefact.path, _READ[kind])
    path = folder / f"{number}.{kind}"
    path.write_bytes(content)
    return ModelFile(path, _READ[kind])
