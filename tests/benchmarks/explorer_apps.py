"""The studies and the servers that `explorer.py` measures."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import psutil

from moopt.run import run_study
from moopt.specfile import spec_for_csv
from moopt.store import open_store
from tests.explorer import synthetic

HERE = Path(__file__).resolve().parent
APP = HERE.parents[1] / "explorer" / "app.py"
QUIET = {
    "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
    "STREAMLIT_SERVER_HEADLESS": "true",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
    "STREAMLIT_RUNNER_MAGIC_ENABLED": "false",
}
STUDY = "churn"


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    process: psutil.Process

    def cpu(self) -> float:
        """CPU seconds of the process and its children, so far."""
        everyone = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in everyone)


def study_of(folder: Path, n_trials: int) -> Path:
    """A store with one study of so many trials and four objectives; kept in the folder for the next run."""
    path = folder / f"study-{n_trials}.db"
    if not path.exists():
        store = open_store(path)
        synthetic.fill(store, STUDY, n_trials)
        store.close()
    return path


def confirmed_study(folder: Path, n_trials: int) -> Path:
    """A store of a search on scikit-learn's breast-cancer data, its front confirmed, the models kept beside it."""
    from sklearn.datasets import load_breast_cancer

    path, data = folder / f"confirmed-{n_trials}.db", folder / "breast_cancer.csv"
    if not path.exists():
        bunch = load_breast_cancer(as_frame=True)
        kinds = bunch.target.map(dict(enumerate(bunch.target_names)))
        bunch.data.assign(diagnosis=kinds).to_csv(data, index=False)
        spec = spec_for_csv(data, "diagnosis", positive="malignant").changed(
            models={"families": ["logistic", "tree"]}, search={"n_trials": n_trials, "folds": 3, "workers": 2}
        )
        run_study(spec, path)[0].confirm(rounds=1)
    return path


def optuna_study_of(folder: Path, n_trials: int) -> Path:
    """The same study in a storage of Optuna's."""
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    path = folder / f"optuna-{n_trials}.db"
    if path.exists():
        return path
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ranges = {
        "family": CategoricalDistribution(["logistic", "tree", "forest", "hist_boosting"]),
        "C": FloatDistribution(1e-3, 1e3, log=True),
        "max_depth": IntDistribution(1, 24),
        "n_estimators": IntDistribution(10, 400),
    }
    trials = open_store(study_of(folder, n_trials), read_only=True).trials(STUDY)
    study = optuna.create_study(
        storage=f"sqlite:///{path}",
        study_name=STUDY,
        directions=[objective.direction for objective in synthetic.FOUR],
    )
    study.set_metric_names([objective.name for objective in synthetic.FOUR])
    study.add_trials(
        [
            create_trial(
                state=TrialState.COMPLETE if one.values else TrialState.FAIL,
                values=list(one.values.values()) or None,
                params=dict(one.config),
                distributions={name: ranges[name] for name in one.config},
            )
            for one in trials
        ]
    )
    return path


@contextmanager
def explorer(store: Path) -> Iterator[Server]:
    """Our explorer of a store."""
    with _started("-m", "streamlit", "run", str(APP), "--server.port", "{port}", "--", str(store)) as server:
        yield server


@contextmanager
def plain_app() -> Iterator[Server]:
    """An empty app of one slider and one chart."""
    script = str(HERE / "explorer_plain.py")
    with _started("-m", "streamlit", "run", script, "--server.port", "{port}") as server:
        yield server


@contextmanager
def dashboard(storage: Path) -> Iterator[Server]:
    """optuna-dashboard of a storage."""
    program = "from optuna_dashboard._cli import main; main()"
    with _started("-c", program, f"sqlite:///{storage}", "--host", "127.0.0.1", "--port", "{port}") as server:
        yield server


@contextmanager
def _started(*arguments: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *(one.format(port=port) for one in arguments)]
    process = subprocess.Popen(
        command, env={**os.environ, **QUIET}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        while not _answers(address):
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
            time.sleep(0.1)
        yield Server(address, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except (URLError, OSError):
        return False
