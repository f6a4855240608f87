"""What the backend as a choice adds to the front, and how fast the exported ONNX pipeline answers; JSON lines.

    python tests/benchmarks/backends.py [--shared ../shared] [--data adult] [--rows 2000] [--trials 40] [--folds 3]

For each of three data sets, of which ``--rows`` rows are drawn, stratified, to keep it affordable: the same study of
all preset families with and without backends, at equal fits. Hypervolumes are of losses (logarithms of latency, size),
scaled by the ideal and the nadir of the union of both fronts, reference 1.1; the ratio must be at least 1.5. Then the
most accurate trial of each ensemble on ONNX Runtime is exported; that file and scikit-learn's answer single rows, given
as frames, in turn: the ratio of the wall-clock medians must be at least 10.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from moopt import pareto, refit  # noqa: E402 - the path comes first
from moopt.data import read_data  # noqa: E402
from moopt.deploy.backends import BACKEND, BACKENDS, ONNXRUNTIME  # noqa: E402
from moopt.deploy.onnx_model import OnnxModel  # noqa: E402
from moopt.export.bundle import make_export  # noqa: E402
from moopt.frames import front_trials, value_matrix  # noqa: E402
from moopt.measure.artefact import load_kept  # noqa: E402
from moopt.measure.size import model_bytes  # noqa: E402
from moopt.objectives import Floats, loss_matrix  # noqa: E402
from moopt.run import run_study  # noqa: E402
from moopt.specfile import StudySpec, parse_spec  # noqa: E402
from moopt.study import Study  # noqa: E402
from moopt.trial import State, Trial  # noqa: E402

DATA = {
    "adult": {"target": "income", "missing": ["?"]},
    "telco_churn": {"target": "Churn", "drop": ["customerID"]},
    "satellite": {"target": "Class"},
}
ENSEMBLES = ("forest", "extra_trees", "hist_boosting")
CALLS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    for name in given.data:
        for seed in range(given.seeds):
            with tempfile.TemporaryDirectory() as folder:
                file = drawn(given.shared / "data" / "datasets" / f"{name}.csv", Path(folder), given.rows, seed, name)
                for line in measured(name, file, seed, given):
                    print(json.dumps({"data": name, "seed": seed, **line}), flush=True)


def drawn(source: Path, folder: Path, n_rows: int, seed: int, name: str) -> Path:
    """A file of so many of the rows, the same share of each class."""
    frame = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    share = min(1.0, n_rows / len(frame))
    some = frame.groupby(DATA[name]["target"]).sample(frac=share, random_state=seed).sort_index()
    file = folder / f"{name}.csv"
    some.to_csv(file, index=False)
    return file


def measured(name: str, file: Path, seed: int, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    search = {"n_trials": given.trials, "folds": given.folds, "workers": given.workers}
    spec = parse_spec({"study": {"seed": seed}, "data": {"file": str(file), **DATA[name]}, "search": search})
    studies = []
    for backends in (None, list(BACKENDS)):
        start = time.perf_counter()
        study, _ = run_study(spec.changed(models={"backends": backends}), None)
        studies.append((study, time.perf_counter() - start))
    (without, without_s), (with_them, with_s) = studies
    before, after = hypervolumes(without, with_them)
    yield {
        "what": "front",
        "fits": given.trials,
        "without": round(before, 4),
        "with": round(after, 4),
        "ratio": round(after / before, 2),
        "seconds": [round(without_s), round(with_s)],
    }
    yield {"what": "conversions", **conversions(with_them.store.trials(with_them.name))}
    yield from exports(with_them, spec)


def hypervolumes(*studies: Study) -> list[float]:
    fronts = [front_losses(study) for study in studies]
    union = np.vstack(fronts)
    ideal, nadir = pareto.ideal_nadir(union[pareto.nondominated(union)])
    return [pareto.hypervolume(front, ideal, nadir, reference=1.1) for front in fronts]


def front_losses(study: Study) -> Floats:
    objectives = study.objectives
    return loss_matrix(objectives, value_matrix(objectives, front_trials(objectives, study.store.trials(study.name))))


def conversions(trials: Sequence[Trial]) -> dict[str, Any]:
    converted = [trial for trial in trials if trial.config[BACKEND] == ONNXRUNTIME]
    details = [step.details for trial in converted for step in trial.steps.values() if "agreement" in step.details]
    differences = [one["probability_difference"] for one in details if one["probability_difference"] is not None]
    return {
        "trials": len(converted),
        "failed": [f"{trial.config['family']}: {trial.message}" for trial in converted if trial.state is State.FAILED],
        "least_agreement": min(one["agreement"] for one in details),
        "largest_probability_difference": max(differences),
        "median_conversion_s": round(float(np.median([one["conversion_s"] for one in details])), 3),
    }


def exports(study: Study, spec: StudySpec) -> Iterator[dict[str, Any]]:
    X = read_data(spec.data_spec()).X
    rows = [X.iloc[[place]] for place in range(min(CALLS, len(X)))]
    complete = [trial for trial in study.store.trials(study.name) if trial.state is State.COMPLETE]
    for family in ENSEMBLES:
        fitting = [one for one in complete if (one.config["family"], one.config[BACKEND]) == (family, ONNXRUNTIME)]
        best = max(fitting, key=lambda trial: trial.values["accuracy"])
        exported = make_export(study.store, study.name, best.number).files["model.onnx"]
        original = model_bytes(refit.fit(study.store.study(study.name), best.config).model)
        models = [load_kept(original), OnnxModel(exported)]
        ours, onnx = medians_us([model.predict for model in models], rows)
        yield {
            "what": "single row",
            "family": family,
            "sklearn_us": round(ours),
            "onnxruntime_us": round(onnx, 1),
            "ratio": round(ours / onnx, 1),
            "kb": [round(len(content) / 1000, 1) for content in (original, exported)],
        }


def medians_us(predicts: Sequence[Callable[[Any], Any]], rows: Sequence[Any]) -> list[float]:
    """Wall-clock medians, the models in turn at each row."""
    taken: list[list[float]] = [[] for _ in predicts]
    with threadpool_limits(1):
        for row in rows:
            for predict, times in zip(predicts, taken, strict=True):
                start = time.perf_counter()
                predict(row)
                times.append((time.perf_counter() - start) * 1e6)
    return [float(np.median(times)) for times in taken]


if __name__ == "__main__":
    main()
