"""From a data file to an exported configuration: search, limits, a choice with its reason, a folder."""

import time

from sklearn.datasets import load_breast_cancer

from moopt.choose import choose, parse_limits
from moopt.export import export_trial
from moopt.run import run_study
from moopt.specfile import spec_for_csv


def main() -> None:
    cancer = load_breast_cancer(as_frame=True).frame
    cancer["diagnosis"] = cancer.pop("target").map({0: "malignant", 1: "benign"})
    cancer.to_csv("cancer.csv", index=False)

    spec = spec_for_csv("cancer.csv", "diagnosis", positive="malignant", name="cancer")
    spec = spec.changed(
        models={"families": ["logistic", "tree", "bayes"]},
        search={"n_trials": 12, "folds": 3, "workers": 2},
    )
    study, stop = run_study(spec, "cancer.db")
    print(f"{stop.value}: {len(study.front())} of {len(study.trials())} trials are on the front")

    limits = parse_limits(study.objectives, ["recall>=90 %", "latency<=20 ms"])
    choice = choose(study.objectives, study.store.trials(study.name), limits=limits, prefer="recall")
    print(choice.reason)
    for swap in choice.neighbours:
        print(f"  trial {swap.number}: {swap.text}")

    decision = choice.decision(time.time())
    study.store.add_decision(study.name, decision)
    export = export_trial(study.store, study.name, choice.number, "chosen", decision=decision)
    for name, content in export.files.items():
        print(f"{export.folder}/{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
