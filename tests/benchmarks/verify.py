"""An export in another folder and a fresh environment: does it hold, is each flipped byte found? JSON lines.

    python tests/benchmarks/verify.py [--folder DIR] [--trials 12]

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

from sklearn.datasets import load_breast_cancer

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="Default: a temporary one.")
    parser.add_argument("--trials", type=int, default=12)
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
        flips((fresh / "moopt", "verify"), export)
        runtime = environment(folder / "runtime", "-r", export / "requirements.txt")
        predicted = done(runtime / "python", "-I", export / "predict.py", export / "sample.csv")
        say(what="predict.py alone", same=predicted == (export / "sample_predictions.csv").read_text())
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
