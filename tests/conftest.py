"""What several tests share."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moopt.measure import wall


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets and benchmarks beside the checkout; CI has it, a person's machine need not."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the folder {folder.name} of data sets is not beside the checkout")
        pytest.skip("wants the data sets in a folder 'shared' beside the checkout")
    return folder


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are timed in this process, and the machine is quiet; one test has a fresh process."""

    def measure(model: Path, X: Any, batches: Any, *, load: Any, budget: Any) -> wall.Round:
        del budget
        load(model).predict(X[:1] if isinstance(X, np.ndarray) else X.iloc[:1])
        samples = {batch: np.arange(100, 150) * 1000 * batch for batch in batches}
        return wall.Round(samples, dict.fromkeys(batches, 1), "frame", 0.3, 0.01, 60.0, 90.0)

    monkeypatch.setattr("moopt.confirm.timing.wall.measure", measure)
    monkeypatch.setattr("moopt.confirm.timing.calibration", lambda *_: 20.0)
