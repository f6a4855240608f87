"""The quiet machine's clock: a model file in a fresh process."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from moopt.errors import UsageError, WorkerDied
from moopt.measure.clock import Budget
from moopt.measure.size import model_bytes
from moopt.measure.wall import measure

ROWS = np.arange(60.0).reshape(30, 2)
SHORT = Budget(calls=15, seconds=0.0, most_seconds=1.0, fewest=15)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.txt"
    path.write_text("7")
    return path


def test_a_round_times_and_weighs_a_model_file(tmp_path: Path) -> None:
    model = LogisticRegression().fit(ROWS, np.arange(30) % 2)
    path = tmp_path / "model.skops"
    path.write_bytes(model_bytes(model))
    found = measure(path, ROWS, (1, 16), budget=SHORT)
    assert {batch: len(ns) for batch, ns in found.samples.items()} == {1: 15, 16: 15}
    assert all((ns > 0).all() for ns in found.samples.values())
    assert set(found.calls_a_sample.values()) == {1}
    assert found.input == "array"
    assert found.start_s > found.load_s > 0
    assert 10 < found.base_mb < found.rss_mb - 20  # scikit-learn alone takes more


def test_each_round_is_a_fresh_process_of_one_thread_without_moopt(file: Path) -> None:
    def load(path: Path) -> Any:
        told = {name for name in sys.modules if name.split(".")[0] in ("moopt", "sklearn", "pandas")}
        raise LookupError(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']} {sorted(told)}")

    seen = []
    for _ in range(2):
        with pytest.raises(LookupError) as raised:
            measure(file, ROWS, load=load, budget=SHORT)
        seen.append(str(raised.value))
    assert all(one.endswith(" 1 []") for one in seen), seen
    assert seen[0] != seen[1]
    assert str(os.getpid()) not in [one.split()[0] for one in seen]


def test_any_function_from_a_path_to_what_predicts_will_do(file: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def load(path: Path) -> Any:
        wanted = int(path.read_text())

        def predict(rows: Any) -> int:
            with log.open("a") as out:
                out.write(f"{type(rows).__name__} {len(rows)} {wanted}\n")
            return wanted

        return SimpleNamespace(predict=predict)

    found = measure(file, pd.DataFrame(ROWS), (3,), load=load, budget=SHORT)
    assert found.input == "frame"
    assert set(log.read_text().splitlines()) == {"DataFrame 3 7"}
    assert len(log.read_text().splitlines()) >= 15


def test_a_model_that_takes_its_process_down_is_told(file: Path) -> None:
    with pytest.raises(WorkerDied, match="the worker process died: exit code 3"):
        measure(file, ROWS, load=lambda path: SimpleNamespace(predict=lambda rows: os._exit(3)), budget=SHORT)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory on Linux only")
def test_a_model_larger_than_memory_allows_is_told(file: Path) -> None:
    with pytest.raises(MemoryError, match=r"memory_limit_mb is 300"):
        measure(file, ROWS, load=lambda path: bytearray(10**9), budget=SHORT, memory_limit_mb=300)


def test_what_loading_raises_is_passed_on(file: Path) -> None:
    def load(path: Path) -> Any:
        raise ValueError(f"{path.name} is no model")

    with pytest.raises(ValueError, match=r"model.txt is no model"):
        measure(file, ROWS, load=load, budget=SHORT)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no model file .*gone.skops"):
        measure(tmp_path / "gone.skops", ROWS)


@pytest.mark.parametrize("batches", [(), (0,)])
def test_a_batch_is_a_number_of_rows(file: Path, batches: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="give the rows of a call, whole numbers from 1"):
        measure(file, ROWS, batches)
