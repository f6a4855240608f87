"""The main job on real data, as commands that you could type: search twice, look at both fronts, choose, export.

    python examples/demo.py [--folder demo] [--trials 60]

The data are scikit-learn's breast-cancer data, where a missed malignant case is what recall is about. Run again, it
goes on where it stopped.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

from sklearn.datasets import load_breast_cancer

ALGORITHMS = ("nsga2", "moead")


def write_data(file: Path) -> None:
    """The 569 tumours with 30 measurements each as a CSV file."""
    bunch = load_breast_cancer(as_frame=True)
    frame = bunch.data.assign(diagnosis=bunch.target.map(dict(enumerate(bunch.target_names))))
    file.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(file, index=False)


def moopt(*arguments: object, quiet: bool = False) -> str:
    """Run a command of moopt, shown as one would type it; ends the demo where it fails."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ moopt {shlex.join(words)}", flush=True)
    command = [sys.executable, "-m", "moopt", *words]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE if quiet else None, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def main() -> None:
    parser = argparse.ArgumentParser(description="Search, choose and export on the breast-cancer data.")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where everything goes")
    parser.add_argument("--trials", type=int, default=60, help="of each of the two searches")
    given = parser.parse_args()
    folder = given.folder
    data, store = folder / "breast_cancer.csv", folder / "breast_cancer.db"
    started = time.monotonic()
    write_data(data)
    print(f"The data: {data}, 569 tumours, 37 % of them malignant. 20 % are kept back for the final test.")
    where = ("--target", "diagnosis", "--positive", "malignant", "--store", store)
    for algorithm in ALGORITHMS:
        moopt(
            "run", data, *where, "--study", algorithm, "--algorithm", algorithm, "--trials", given.trials, "--seed", 0
        )
    rule = ("--study", "nsga2", "--limit", "latency_ms<=5", "--prefer", "recall")
    chosen = json.loads(moopt("choose", store, *rule, "--json", quiet=True))
    print(chosen["reason"])
    out = folder / f"trial_{chosen['number']}"
    if out.exists():
        print(f"\n{out} was exported before.")
    else:
        moopt("export", store, "--study", "nsga2", "--trial", chosen["number"], "--out", out)
    print(f"\nDone in {time.monotonic() - started:.0f} s. What there is now:")
    print(f"  {store}   both studies: every trial, every fold, the decision")
    print(f"  {out}   the export: read WHY.md first")
    print(f"Open the explorer with:  make explore   (or: .venv/bin/moopt explore {store})")


if __name__ == "__main__":
    main()
