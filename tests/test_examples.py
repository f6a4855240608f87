"""Every example runs as a user would run it: by itself, in an empty folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PRINTS = {
    "any_function": "trials are on the front",
    "beside_randomized_search": "recall on rows that the search never saw",
    "demo": "Open the explorer with:",
    "from_a_file": "WHY.md",
}
ARGUMENTS = {"demo": ["--trials", "12"]}


def run(example: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(example), *ARGUMENTS.get(example.stem, [])],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_example_is_known_here() -> None:
    assert {path.stem for path in EXAMPLES} == set(PRINTS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_says_what_it_found(example: Path, tmp_path: Path) -> None:
    done = run(example, tmp_path)
    assert done.returncode == 0, done.stderr
    assert PRINTS[example.stem] in done.stdout
    assert "Traceback" not in done.stderr
