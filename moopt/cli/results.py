"""What comes after a search: ``moopt front``, ``export`` and ``explore``."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from moopt.cli.fronts import front_json, print_front
from moopt.cli.output import print_json, say
from moopt.errors import MissingExtra, UsageError
from moopt.store import Store, open_store
from moopt.store.base import StudyRecord
from moopt.trial import State

StoreFile = Annotated[Path, typer.Argument(metavar="STORE", help="The file that keeps the study, such as churn.db.")]
StudyName = Annotated[str | None, typer.Option(help="The study's name, where the store holds several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_EXPLORER_ENVIRONMENT = {
    "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
    "STREAMLIT_SERVER_HEADLESS": "true",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
    "STREAMLIT_RUNNER_MAGIC_ENABLED": "false",
}
_PORTS = range(8501, 8601)


def opened_study(store: Path, study: str | None) -> tuple[Store, StudyRecord]:
    """The store, read-only, and one of its studies."""
    opened = open_store(store, read_only=True, create=False)
    return opened, opened.study(study)


def front(store: StoreFile, study: StudyName = None, json: AsJson = False) -> None:
    """Show the front: the trials that no other beats on every objective.

    moopt front churn.db
    moopt front churn.db --study churn --json
    """
    opened, record = opened_study(store, study)
    trials = opened.trials(record.name, with_steps=False)
    if json:
        print_json(front_json(opened, record, trials))
        return
    if not any(trial.state is State.COMPLETE for trial in trials):
        say(f"No trial of study {record.name} is complete yet.")
        return
    print_front(opened, record, trials)


def export(
    store: StoreFile,
    out: Annotated[Path, typer.Option(help="The folder to write; it must not exist yet, or be empty.")],
    trial: Annotated[int | None, typer.Option(help="The trial's number. Default: the last decision's.")] = None,
    data: Annotated[Path | None, typer.Option(help="The data file, where it is not where it was.")] = None,
    sample: Annotated[bool, typer.Option(help="Whether up to 50 rows of the data go with the model.")] = True,
    intended_use: Annotated[str, typer.Option(help="What the model is for: text for its card.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export in that folder.")] = False,
    study: StudyName = None,
    json: AsJson = False,
) -> None:
    """Export a trial: config, readable pipeline, fitted model, predict.py, model card, the front, why, and a manifest.

    moopt export churn.db --trial 42 --out best
    moopt export churn.db --out best --data moved/churn.csv --no-sample
    """
    from moopt.export import export_trial

    opened, record = opened_study(store, study)
    number = trial if trial is not None else _last_decision(opened, record)
    made = export_trial(
        opened, record.name, number, out, data=data, with_sample=sample, intended_use=intended_use, force=force
    )
    if json:
        print_json(
            {
                "study": record.name,
                "number": number,
                "folder": str(out),
                "files": list(made.files),
                "missing": made.missing,
            }
        )
        return
    typer.echo(f"trial {number} of {record.name} in {out}: {', '.join(made.files)}")
    if made.missing:
        say(made.missing)


def _last_decision(opened: Store, record: StudyRecord) -> int:
    decisions = opened.decisions(record.name)
    if not decisions:
        raise UsageError(
            f"study {record.name} has no decision yet; give --trial N (moopt front {opened.location} lists them), "
            f"or choose first with moopt choose {opened.location}"
        )
    return decisions[-1].number


def explore(
    store: StoreFile,
    study: StudyName = None,
    port: Annotated[int | None, typer.Option(help="Default: the first free one from 8501.", min=1, max=65535)] = None,
) -> None:
    """Open the explorer, a page in your browser; it serves this machine only.

    moopt explore churn.db
    moopt explore churn.db --port 8600
    """
    opened = open_store(store, read_only=True, create=False)
    if study is not None:
        opened.study(study)
    app = _explorer_app()
    port = _free_port(port)
    query = f"/?{urlencode({'study': study})}" if study is not None else ""
    say(f"The explorer is at http://127.0.0.1:{port}{query} (Ctrl+C ends it)")
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port), "--", str(store)]
    os.execve(sys.executable, command, {**os.environ, **_EXPLORER_ENVIRONMENT})


def _explorer_app() -> Path:
    """The file that streamlit runs. Raises MissingExtra."""
    found = importlib.util.find_spec("moopt_explorer")
    if found is None or importlib.util.find_spec("streamlit") is None or not found.submodule_search_locations:
        raise MissingExtra("the explorer is not installed; do: pip install 'moopt[explorer]'")
    return Path(next(iter(found.submodule_search_locations))) / "app.py"


def _free_port(wanted: int | None) -> int:
    """The port that is asked for, or the first free one."""
    found = next((one for one in ([wanted] if wanted else _PORTS) if _is_free(one)), None)
    if found is None:
        what = f"port {wanted} is" if wanted else f"the ports {_PORTS[0]} to {_PORTS[-1]} are"
        raise UsageError(f"{what} in use or not allowed; give another one with --port")
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
