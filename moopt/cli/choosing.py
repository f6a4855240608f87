"""``moopt choose``: from limits and a preference to one trial, or to a few that stand for the front."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from moopt import choose as choosing
from moopt.certainty import Certainty, stored_certainty
from moopt.cli.fronts import print_trials, trial_json
from moopt.cli.output import print_json, say
from moopt.cli.results import AsJson, StoreFile, StudyName, opened_study
from moopt.errors import UsageError
from moopt.store.base import StudyRecord
from moopt.trial import Json, Trial


def choose(
    store: StoreFile,
    limit: Annotated[list[str] | None, typer.Option(help='The worst value accepted, such as "latency_ms<=5".')] = None,
    prefer: Annotated[
        list[str] | None,
        typer.Option(help="balanced, knee, or an objective to put first; a second one decides within a tie."),
    ] = None,
    aspire: Annotated[list[str] | None, typer.Option(help='A value hoped for, such as "accuracy>=.95".')] = None,
    weight: Annotated[
        list[str] | None, typer.Option(help="What an objective counts, such as recall=2; 1 where not given.")
    ] = None,
    knee: Annotated[bool, typer.Option("--knee", help="The same as --prefer knee.")] = False,
    at_least_likely: Annotated[
        float | None, typer.Option(help="Only trials that are on the front with this probability, such as .8.")
    ] = None,
    representatives: Annotated[
        int | None, typer.Option(help="Show so many trials that stand for the front, and record nothing.")
    ] = None,
    study: StudyName = None,
    json: AsJson = False,
) -> None:
    """Choose one trial of the front from limits and a preference, and record the decision.

    moopt choose churn.db --limit "latency_ms<=5" --prefer recall
    moopt choose churn.db --aspire "accuracy>=.95" --at-least-likely .8
    moopt choose churn.db --representatives 5 --json
    """
    opened, record = opened_study(store, study)
    trials = opened.trials(record.name, with_steps=False)
    limits = choosing.parse_limits(record.objectives, limit or [])
    known = stored_certainty(opened, record.name, record.objectives, trials)
    if knee and prefer:
        raise UsageError("--knee and --prefer are two preferences; give one of them")
    if representatives is not None:
        if knee or prefer or aspire or weight or at_least_likely is not None:
            raise UsageError("--representatives stand for the whole front and take no preference; give limits only")
        _show_representatives(record, trials, representatives, limits, known, json=json)
        return
    chosen = choosing.choose(
        record.objectives,
        trials,
        limits=limits,
        prefer=choosing.KNEE if knee else prefer or choosing.BALANCED,
        aspirations=choosing.parse_aspirations(record.objectives, aspire or []),
        weights=choosing.parse_weights(record.objectives, weight or []),
        certainty=known,
        at_least_likely=at_least_likely,
    )
    opened.add_decision(record.name, chosen.decision(time.time()))
    if json:
        print_json(_choice_json(record, trials[chosen.number], chosen, known))
        return
    typer.echo(chosen.reason)
    for swap in chosen.neighbours:
        typer.echo(f"  {swap.text}")
    name = "" if study is None else f" --study {study}"
    say(
        f"The decision is recorded. next: moopt export {store}{name} --trial {chosen.number} --out {record.name}_export"
    )


def _choice_json(
    record: StudyRecord, trial: Trial, chosen: choosing.Choice, known: Certainty | None
) -> dict[str, Json]:
    return {
        "study": record.name,
        **trial_json(record, trial, known),
        "limits": dict(chosen.limits),
        "preference": chosen.preference,
        "reason": chosen.reason,
        "robustness": chosen.robustness,
        "tie": list(chosen.tie),
        "neighbours": [{"number": swap.number, "text": swap.text} for swap in chosen.neighbours],
    }


def _show_representatives(
    record: StudyRecord,
    trials: Sequence[Trial],
    k: int,
    limits: dict[str, float],
    known: Certainty | None,
    *,
    json: bool,
) -> None:
    numbers = choosing.representatives(record.objectives, trials, k, limits=limits)
    shown = [trials[number] for number in numbers]
    if json:
        print_json({"study": record.name, "representatives": [trial_json(record, one, known) for one in shown]})
    else:
        print_trials(record, shown, known, f"{len(shown)} trials that stand for the front of {record.name}")
