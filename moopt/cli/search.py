"""``moopt run``: from a study file, or a data file and its target, to a study that was run."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from moopt.cli.app import INTERRUPTED
from moopt.cli.confirming import show_confirmed
from moopt.cli.fronts import front_json, print_front
from moopt.cli.output import messages, print_json, say
from moopt.confirm import Options
from moopt.engine.ledger import is_reused
from moopt.engine.loop import Stop
from moopt.errors import MooptWarning, SpecError
from moopt.progress import watching
from moopt.requests import COMMAND
from moopt.run import Plan, plan, run_study
from moopt.specfile import StudySpec, read_spec, spec_for_csv, write_toml
from moopt.study import Study
from moopt.trial import Source, State, Trial


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A study file (.toml), or a data file (CSV or Parquet) with --target.")],
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    positive: Annotated[str | None, typer.Option(help="The label that recall and precision are about.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A column to leave out; may be given several times.")] = None,
    separator: Annotated[str | None, typer.Option(help="Between the cells of a CSV file, such as ';'.")] = None,
    decimal: Annotated[str | None, typer.Option(help="Decimal mark of a CSV file, such as ','.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file, such as latin-1. Default UTF-8.")] = None,
    trials: Annotated[int | None, typer.Option(help="Trials in total; a larger number goes on. Default 100.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which the search ends.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Folds to evaluate in total, never more.")] = None,
    stop_when_stalled: Annotated[
        bool | None,
        typer.Option(
            "--stop-when-stalled/--no-stop-when-stalled", help="End where the front stopped growing. Default no."
        ),
    ] = None,
    portfolio: Annotated[
        bool | None,
        typer.Option("--portfolio/--no-portfolio", help="Try configs first that did well on other data. Default yes."),
    ] = None,
    early_stopping: Annotated[
        bool | None,
        typer.Option("--early-stopping/--no-early-stopping", help="End configs that have no chance. Default yes."),
    ] = None,
    warm_start: Annotated[
        Path | None, typer.Option(help="Store of an earlier study whose front is tried first.")
    ] = None,
    reuse: Annotated[
        bool | None,
        typer.Option("--reuse/--no-reuse", help="Take what other studies of the store evaluated. Default no."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes. Default: one a core.")] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="nsga2, moead, parego, random, sobol or grid. Default nsga2.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draws test rows, folds and search. Default 0.")] = None,
    store: Annotated[Path | None, typer.Option(help="File that keeps the study. Default: the study's name.db.")] = None,
    study: Annotated[str | None, typer.Option(help="The study's name. Default: the data file's name.")] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm the front afterwards, on this machine; see moopt confirm.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the front as JSON.")] = False,
    write_toml: Annotated[Path | None, typer.Option(help="Write the study as a file to edit, and run nothing.")] = None,
) -> None:
    """Search a data file for the trade-offs of its models; the same command again goes on.

    moopt run churn.csv --target Churn --positive Yes
    moopt run churn.toml --trials 200 --workers 2
    moopt run churn.csv --target Churn --write-toml churn.toml

    Ctrl+C once ends after the running steps, twice at once; nothing that was finished is lost.
    """
    spec = _spec(file, target).changed(
        study={"name": study, "seed": seed},
        data={
            "positive": positive,
            "drop": drop or None,
            "separator": separator,
            "decimal": decimal,
            "encoding": encoding,
        },
        search={
            "n_trials": trials,
            "timeout_s": timeout,
            "max_steps": max_steps,
            "stop_when_stalled": stop_when_stalled,
            "portfolio": portfolio,
            "early_stopping": early_stopping,
            "warm_start": None if warm_start is None else str(warm_start),
            "reuse": reuse,
            "workers": workers,
            "algorithm": algorithm,
        },
    )
    planned = plan(spec)
    for warning in planned.warnings:
        say(f"note: {warning}")
    if write_toml is not None:
        _write(planned, write_toml)
        return
    _search(planned, store or Path(f"{spec.name}.db"), _command(context), confirm=confirm, json=json)


def _spec(file: Path, target: str | None) -> StudySpec:
    if file.suffix.lower() == ".toml":
        return read_spec(file).changed(data={"target": target})
    if target is None:
        raise SpecError(f"{file} is taken as a data file: name the column to predict, such as --target Churn")
    return spec_for_csv(file, target)


def _write(planned: Plan, out: Path) -> None:
    if out.exists():
        raise SpecError(f"{out} exists already; give another name, or remove it first")
    text = write_toml(planned.spec, out.parent)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{out} cannot be written: {error.strerror or error}") from None
    say(f"wrote {out}; edit it, then: moopt run {out}")


def _command(context: typer.Context) -> str:
    """The command line, to be given again: the options as they were given, with their long names."""
    words = ["moopt", str(context.info_name)]
    for one in context.command.params:
        name = str(one.name)
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[name]
        if isinstance(value, bool):
            words.append((one.opts if value else one.secondary_opts)[0])
            continue
        for part in value if isinstance(value, list | tuple) else [value]:
            words += [str(part)] if one.param_type_name == "argument" else [one.opts[0], str(part)]
    return shlex.join(words)


def _search(planned: Plan, store: Path, command: str, *, confirm: bool, json: bool) -> None:
    def watch(study: Study, n_trials: int) -> AbstractContextManager[None]:
        study.store.set_attribute(study.name, COMMAND, command)
        say(f"study {study.name} in {store}: {study.record.search['algorithm']}, {n_trials} trials in total")
        return watching(study, n_trials, messages())

    try:
        with _notes():
            study, stop = run_study(planned, store, watch=watch)
    except KeyboardInterrupt:
        say(f"Stopped at once; only the steps in flight are lost. The same command goes on with {store}.")
        raise typer.Exit(INTERRUPTED) from None
    trials = study.store.trials(study.name, with_steps=False)
    _say_end(study, trials, stop, planned.spec.search.n_trials, store)
    if confirm and stop is not Stop.INTERRUPTED:
        _confirm(planned, study, json=json)
    elif json:
        print_json(
            {
                "store": str(store),
                "stop": stop.name.lower(),
                "stopped": study.stopped,
                **_counts(trials),
                **front_json(study.store, study.record, trials),
            }
        )
    else:
        _print_front(study, trials, store)
    if stop is Stop.INTERRUPTED:
        raise typer.Exit(INTERRUPTED)


def _confirm(planned: Plan, study: Study, *, json: bool) -> None:
    section = planned.spec.confirm
    options = Options(section.rounds, section.repeats, section.confidence, n_jobs=planned.spec.search.workers or -1)
    show_confirmed(study.store, study.record, options, json=json)


@contextmanager
def _notes() -> Iterator[None]:
    """Our own warnings as notes for people."""
    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, MooptWarning):
            say(f"note: {message}")
        else:
            usual(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", MooptWarning)
        warnings.showwarning = show
        yield


def _say_end(study: Study, trials: Sequence[Trial], stop: Stop, n_trials: int, store: Path) -> None:
    counts = _counts(trials)
    failed = f", {counts['n_failed']} of them failed" if counts["n_failed"] else ""
    early = f", {counts['n_stopped']} stopped early" if counts["n_stopped"] else ""
    reused = f", {counts['n_reused']} of them taken from other studies" if counts["n_reused"] else ""
    say(f"{stop.value}: {counts['n_done']} of {n_trials}{failed}{early}{reused}; hypervolume {study.hypervolume():.4f}")
    if stop is Stop.STALLED and study.stopped is not None:
        say(f"note: {study.stopped['reason']}")
    if stop in (Stop.INTERRUPTED, Stop.ASKED):
        say(f"Everything is kept in {store}; the same command goes on.")


def _counts(trials: Sequence[Trial]) -> dict[str, int]:
    fits = [trial for trial in trials if trial.source is not Source.SIBLING]
    return {
        "n_done": sum(trial.state.finished for trial in fits),
        "n_failed": sum(trial.state is State.FAILED for trial in fits),
        "n_stopped": sum(trial.state is State.STOPPED for trial in fits),
        "n_reused": sum(map(is_reused, fits)),
    }


def _print_front(study: Study, trials: Sequence[Trial], store: Path) -> None:
    if not any(trial.state is State.COMPLETE for trial in trials):
        say("No trial is complete, so there is no front.")
        return
    print_front(study.store, study.record, trials)
    name = f" --study {study.name}" if len(study.store.studies()) > 1 else ""
    say(f"next: moopt confirm {store}{name}, moopt choose {store}{name}, or moopt explore {store}")
