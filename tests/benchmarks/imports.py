"""What `import moopt` costs beside importing scikit-learn with pymoo and pandas; JSON lines.

    python tests/benchmarks/imports.py [--rounds 9]

Whole processes, in turn, user and system CPU seconds of each; the ratio is of the medians.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys

OURS = "import moopt"
PEERS = "import sklearn.model_selection, pandas, pymoo.algorithms.moo.nsga2"
HEAVY = ("streamlit", "torch", "onnxruntime", "skops", "altair")


def cpu_seconds(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def loaded() -> list[str]:
    """The heavy modules that `import moopt` loads; there should be none."""
    statement = f"import sys, moopt; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", statement], check=True, capture_output=True, text=True).stdout.split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {OURS: [], PEERS: []}
    for statement in times:
        cpu_seconds(statement)  # fills the disk's cache
    for _ in range(rounds):
        for statement, taken in times.items():
            taken.append(cpu_seconds(statement))
    for statement, taken in times.items():
        print(
            json.dumps(
                {"statement": statement, "median_cpu_s": statistics.median(taken), "min": min(taken), "max": max(taken)}
            )
        )
    ratio = statistics.median(times[OURS]) / statistics.median(times[PEERS])
    print(json.dumps({"benchmark": "imports", "ratio": round(ratio, 3), "bound": 1.5, "heavy_modules": loaded()}))


if __name__ == "__main__":
    main()
