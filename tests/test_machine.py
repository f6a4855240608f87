"""The machine's fingerprint, and the workload by which machines compare."""

import getpass
import json
import os
import platform

import pytest

from moopt.measure.machine import calibration, fingerprint


def test_a_fingerprint_is_json_and_says_what_decides_a_time():
    found = fingerprint()
    assert json.loads(json.dumps(found)) == found
    assert found["cores"] == os.cpu_count()
    assert 1 <= found["usable_cores"] <= found["cores"]
    assert found["memory_mb"] > 100
    assert found["processor"]
    assert found["versions"]["python"] == platform.python_version()
    assert "scikit-learn" in found["versions"]


def test_a_fingerprint_names_neither_the_host_nor_the_user():
    values = [value for value in fingerprint().values() if isinstance(value, str)]
    assert platform.node() not in values
    assert getpass.getuser() not in values


def test_a_fingerprint_repeats():
    assert fingerprint() == fingerprint()


def test_the_settings_of_threads_are_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    settings = fingerprint()["threads"]["settings"]
    assert settings["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in settings


def test_a_calibration_is_the_median_of_its_repeats():
    now = 0
    takes = iter([5, 5, 5, 5, 5, 5, 5, 7, 90, 90, 90, 90, 90, 90, 90])

    def clock() -> int:
        nonlocal now, started
        started = not started
        if not started:
            now += next(takes) * 10**6
        return now

    started = False
    assert calibration(clock) == pytest.approx(7)
    assert next(takes, None) is None
