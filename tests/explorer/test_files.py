"""The front as files to take along."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

import moopt
from moopt.store import open_store
from moopt_explorer import data, files


def made(path: Path) -> moopt.Study:
    space = {"x": (0.0, 1.0), "features": ["sqrt", 0.5, None], "n": (1, 9)}
    of = [moopt.Objective("a"), moopt.Objective("b", "maximize")]
    study = moopt.create_study("s", space, of, algorithm="random", store=path, seed=0)
    study.optimize(lambda config: {"a": config["x"], "b": config["x"] * config["n"]}, n_trials=25)
    return study


def test_a_front_is_that_of_the_study_and_comes_back_from_both_files(tmp_path: Path) -> None:
    study = made(tmp_path / "s.db")
    front = files.front(data.read(open_store(tmp_path / "s.db", read_only=True), "s"))
    pd.testing.assert_frame_equal(front, study.front())
    csv = pd.read_csv(io.BytesIO(files.as_csv(front)))
    parquet = pd.read_parquet(io.BytesIO(files.as_parquet(front)))
    assert list(csv) == list(parquet) == list(front)
    assert csv["number"].tolist() == parquet["number"].tolist() == front["number"].tolist()
    assert parquet["b"].tolist() == front["b"].tolist()
    assert set(parquet["param_features"].dropna()) <= {"sqrt", "0.5"}
