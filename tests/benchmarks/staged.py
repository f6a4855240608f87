"""What prefixes of an ensemble cost beside the fit that gives them, and what they add to the front; JSON lines.

    python tests/benchmarks/staged.py churn.csv --target Churn [--trials 12] [--folds 3]

The same study is run with and without staged models: forest, extra trees and histogram boosting, one worker. The share
is that of the siblings' seconds in all seconds of the steps; hypervolumes are at equal fits, scaled by the union of
both fronts (logarithms of latency and size).
"""

import argparse
import json
from collections.abc import Sequence

import numpy as np

from moopt import pareto
from moopt.frames import front_trials, value_matrix
from moopt.objectives import Floats, loss_matrix
from moopt.run import run_study
from moopt.specfile import spec_for_csv
from moopt.study import Study
from moopt.trial import Source, Trial

FAMILIES = ["forest", "extra_trees", "hist_boosting"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--target", required=True)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--folds", type=int, default=3)
    given = parser.parse_args()
    spec = spec_for_csv(given.file, given.target).changed(
        search={"n_trials": given.trials, "folds": given.folds, "workers": 1}
    )
    studies = {
        staged: run_study(spec.changed(models={"families": FAMILIES, "staged": staged}), None)[0]
        for staged in (True, False)
    }
    trials = {staged: study.store.trials(study.name) for staged, study in studies.items()}
    print(json.dumps({"what": "cost", "share": round(cost(trials[True]), 3), **counts(trials[True])}))
    for staged, value in hypervolumes(studies).items():
        print(json.dumps({"what": "front", "staged": staged, "hypervolume": round(value, 4), "n": len(trials[staged])}))


def cost(trials: Sequence[Trial]) -> float:
    """The siblings' share of all seconds."""
    own, free = (
        sum(
            step.seconds
            for trial in trials
            if (trial.source is Source.SIBLING) == is_free
            for step in trial.steps.values()
        )
        for is_free in (False, True)
    )
    return free / (own + free)


def counts(trials: Sequence[Trial]) -> dict[str, int]:
    """How many trials were paid for, and how many came free."""
    free = sum(trial.source is Source.SIBLING for trial in trials)
    return {"fits": len(trials) - free, "siblings": free}


def hypervolumes(studies: dict[bool, Study]) -> dict[bool, float]:
    fronts: dict[bool, Floats] = {}
    for staged, study in studies.items():
        found = front_trials(study.objectives, study.store.trials(study.name))
        fronts[staged] = loss_matrix(study.objectives, value_matrix(study.objectives, found))
    union = np.concatenate(list(fronts.values()))
    ideal, nadir = pareto.ideal_nadir(union[pareto.nondominated(union)])
    return {staged: pareto.hypervolume(front, ideal, nadir) for staged, front in fronts.items()}


if __name__ == "__main__":
    main()
