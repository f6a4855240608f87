"""Does a confirmation hold when it is made again? Confirm a study twice on this machine and compare, as JSON lines.

- ``model``: the two medians of a latency, their quotient, and the percentiles claimed by the first with the share of
  the second's calls that lie above each.
- ``medians``: the share of models whose medians agree within 3 % (bound: 90 %).
- ``percentiles``: of all claims, the share that a second sample of the same model contradicts: so many of its calls lie
  above the claim that this is less likely than 1 % if the claim is true.

    python tests/benchmarks/confirm.py                   # a table of 2,000 rows, all families, 5 rounds
    python tests/benchmarks/confirm.py --store churn.db  # a study of your own

Nothing else should run: flagged rounds are counted in each line.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom
from sklearn.datasets import make_classification

from moopt.confirm import Options, subject_of
from moopt.confirm.candidates import candidates
from moopt.confirm.fitting import fit_models
from moopt.confirm.models import Refit, opened
from moopt.confirm.timing import QuietClock, Visit, measured
from moopt.engine.workers import executor_of
from moopt.run import run_study
from moopt.specfile import spec_for_csv
from moopt.study import Study, load_study

AGREE = 0.03
CONFIDENCE = 0.99


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--study")
    parser.add_argument("--trials", type=int, default=14, help="of the search, where no store is given")
    parser.add_argument("--rounds", type=int, default=Options.rounds)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moopt-") as folder:
        study = load_study(given.store, given.study) if given.store else a_study(Path(folder), given.trials)
        for line in compared(study, Path(folder), given.rounds):
            print(json.dumps(line), flush=True)


def a_study(folder: Path, n_trials: int) -> Study:
    X, y = make_classification(2000, 12, n_informative=6, random_state=0)
    frame = pd.DataFrame(X, columns=[f"x{column}" for column in range(12)]).assign(y=np.where(y, "yes", "no"))
    frame.to_csv(folder / "table.csv", index=False)
    spec = spec_for_csv(folder / "table.csv", "y", positive="yes").changed(
        search={"n_trials": n_trials, "folds": 2, "workers": 2}
    )
    return run_study(spec, folder / "table.db")[0]


def compared(study: Study, folder: Path, n_rounds: int) -> Iterator[dict[str, Any]]:
    """A line a model and latency, then the summary."""
    record, subject = study.record, subject_of(study.record)
    trials = [one.trial for one in candidates(record.objectives, study.store.trials(record.name), record.seed)]
    refit = Refit(subject.source, subject.build, subject.measures, record.seed)
    with executor_of(None, 2, None, None) as (executor, _):
        fitted = fit_models(
            study.store, record.name, trials, refit, executor, folder, score=False, watch=lambda _: None
        )
    for number, error in fitted.failed.items():
        yield {"figure": "failed", "trial": number, "error": f"{type(error).__name__}: {error}"}
    halves, batches = opened(subject.source), sorted(set(subject.latencies.values()))
    rows = (halves.test or halves.search).X
    visits: list[Mapping[int, Mapping[int, Visit]]] = []
    for seed in range(2):
        clock, rng = QuietClock(fitted.files, rows, batches), np.random.default_rng(seed)
        for number in range(n_rounds):
            clock.run_round(number, rng)
        visits.append(clock.visits)
    ratios, claims = [], []
    for trial in trials:
        if not all(trial.number in one for one in visits):
            continue
        first, second = (list(one[trial.number].values()) for one in visits)
        for name, batch in subject.latencies.items():
            timings = [measured(one, {name: batch})["latency"][name] for one in (first, second)]
            checked = [checked_claim(*claim, second, batch) for claim in timings[0]["percentiles"].items()]
            ratios.append(timings[1]["median_ms"] / timings[0]["median_ms"])
            claims += checked
            yield {
                "figure": "model",
                "trial": trial.number,
                "family": trial.config.get("family"),
                "latency": name,
                "medians_ms": [round(one["median_ms"], 4) for one in timings],
                "ratio": round(ratios[-1], 4),
                "flagged": [sum(one["flagged"] for one in timing["rounds"]) for timing in timings],
                "claims": checked,
            }
    if not ratios:
        raise SystemExit("no model could be timed twice")
    agree = np.abs(np.log(ratios)) <= np.log1p(AGREE)
    yield {"figure": "medians", "n": len(ratios), "within_3_percent": float(agree.mean()), "bound": 0.9}
    wrong = [claim["contradicted"] for claim in claims]
    yield {"figure": "percentiles", "n": len(wrong), "contradicted": float(np.mean(wrong)), "bound": 1 - CONFIDENCE}


def checked_claim(name: str, ms: float, second: list[Visit], batch: int) -> dict[str, Any]:
    """A percentile's upper bound against other calls: a true one has at most its share of them above."""
    quiet = [one for one in second if not one.busy] or second
    samples = np.concatenate([one.found.samples[batch] / 1e6 for one in quiet])
    share, above = 1 - int(name[1:]) / 100, int((samples > ms).sum())
    likelihood = float(binom.sf(above - 1, len(samples), share))
    return {
        "percentile": name,
        "ms": round(ms, 4),
        "share_above": round(above / len(samples), 4),
        "contradicted": likelihood < 1 - CONFIDENCE,
    }


if __name__ == "__main__":
    main()
