"""An export in another folder and a fresh environment: does it hold, is each flipped byte found? JSON lines.

    python tests/benchmarks/verify.py [--folder DIR] [--trials 12] [--repeats 20]

Searches the breast-cancer data, exports the best balance, and moves the export. One environment gets moopt from this
checkout and runs `moopt verify`, then again with one byte flipped in each file in turn; another one gets nothing but
the export's requirements.txt and runs its predict.py.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

from moopt.shipped.claims import CLAIMS, SAMPLE, Claims, measure
from moopt.shipped.predict import INPUT, Input, load_model, read_rows
from moopt.verify import TOLERATED_SLOWNESS

ROOT = Path(__file__).resolve().parents[2]


def say(**measured: object) -> None:
    print(json.dumps(measured), flush=True)


def run(*command: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    # What is installed is meant, and not a checkout that the environment points to.
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=alone)


def done(*command: object) -> str:
    ended = run(*command)
    if ended.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{ended.stderr}")
    return ended.stdout


def exported(folder: Path, trials: int) -> Path:
    """An export of a small search, moved away from where it was made."""
    load_breast_cancer(as_frame=True).frame.to_csv(folder / "cancer.csv", index=False)
    moopt, store = (sys.executable, "-m", "moopt"), folder / "cancer.db"
    done(*moopt, "run", folder / "cancer.csv", "--target", "target", "--store", store, "--trials", trials)
    done(*moopt, "choose", store)
    done(*moopt, "export", store, "--out", folder / "made")
    (folder / "elsewhere").mkdir()
    return Path(shutil.move(folder / "made", folder / "elsewhere" / "best"))


def environment(place: Path, *packages: object) -> Path:
    """The folder of programs of a new environment with these packages."""
    done(sys.executable, "-m", "venv", place)
    done(place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return place / "bin"


def flips(verify: tuple[object, ...], export: Path) -> None:
    found = {}
    for path in sorted(export.iterdir()):
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        ended = run(*verify, export, "--json")
        named = [line["what"] for line in json.loads(ended.stdout)["lines"] if line["verdict"] == "does not hold"]
        found[path.name] = ended.returncode == 1 and named == [path.name]
        path.write_bytes(content)
    missed = [name for name, was_found in found.items() if not was_found]
    say(what="one flipped byte a file", files=len(found), found=len(found) - len(missed), missed=missed)


def latencies(export: Path, repeats: int) -> None:
    """How often a call takes how many times what is claimed, scaled by the calibration of that moment."""
    claims = Claims.from_json(json.loads((export / CLAIMS).read_text()))
    content = (export / claims.model).read_bytes()
    rows = read_rows((export / SAMPLE).read_bytes(), Input.from_json((export / INPUT).read_bytes()))
    model = load_model(claims.model, content)
    for name, ms in claims.latency_ms.items():
        found = [measure(claims.model, content, model, rows, claims.batches) for _ in range(repeats)]
        ratios = [one.latency_ms[name] / ms / (one.calibration_ms / claims.calibration_ms) for one in found]
        spread = {q: round(float(np.quantile(ratios, q)), 3) for q in (0.05, 0.5, 0.95, 1.0)}
        say(what=f"{name} again", repeats=repeats, of_claimed=spread, tolerated=TOLERATED_SLOWNESS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="Default: a temporary one.")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=20, help="How often it is timed again.")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        export = exported(folder, given.trials)
        start = time.perf_counter()
        fresh = environment(folder / "fresh", "-c", ROOT / "constraints.txt", ROOT)
        say(what="fresh environment", install_s=round(time.perf_counter() - start, 1))
        start = time.perf_counter()
        ended = run(fresh / "moopt", "verify", export, "--json")
        report = json.loads(ended.stdout)
        say(what="verify", exit_code=ended.returncode, holds=report["holds"], s=round(time.perf_counter() - start, 1))
        for line in report["lines"]:
            say(**line)
        latencies(export, given.repeats)
        flips((fresh / "moopt", "verify"), export)
        runtime = environment(folder / "runtime", "-r", export / "requirements.txt")
        predicted = done(runtime / "python", "-I", export / "predict.py", export / "sample.csv")
        say(what="predict.py alone", same=predicted == (export / "sample_predictions.csv").read_text())
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
