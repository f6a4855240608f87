"""WHY.md: why a trial was chosen, in words for people who were not there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moopt.certainty import Certainty
from moopt.choose import pick
from moopt.choose.front import Front, front_of, join_numbers
from moopt.choose.limits import apply_limits, limit_text
from moopt.choose.swaps import difference, join, swaps_of
from moopt.errors import UsageError
from moopt.export.markdown import bullets, section, table
from moopt.objectives import Objective, format_value, is_share
from moopt.standing import default_standings
from moopt.store.base import StudyRecord
from moopt.trial import Confirmation, Decision, Source, State, Trial
from moopt.uncertainty import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Evidence:
    """What WHY.md tells about."""

    record: StudyRecord
    trials: Sequence[Trial]
    """All of the study's."""
    chosen: Trial
    """Complete."""
    decision: Decision
    model: str
    """A few sentences: what the model was fitted on, or why there is none."""
    versions: Mapping[str, str]
    """Of the libraries that made the export."""
    certainty: Certainty | None = None
    """How sure the front is, where folds or confirmations say so."""
    confirmations: Sequence[Confirmation] = ()
    """The study's, oldest first."""


def why(evidence: Evidence) -> str:
    """The whole of WHY.md, as Markdown."""
    record, chosen = evidence.record, evidence.chosen
    front = front_of(apply_limits(record.objectives, evidence.decision.limits), evidence.trials)
    parts = [
        f"# Why trial {chosen.number} of study {record.name!r}\n\n{evidence.decision.reason}",
        section("The configuration", bullets(f"`{key}`: {_value(value)}" for key, value in chosen.config.items())),
        section("What it measures", _measures(evidence, front)),
        section("How sure that is", _sure(evidence, front)),
        section("Training against validation", _gaps(record.objectives, chosen)),
        section("What it gives up to its neighbours", _neighbours(front, chosen)),
        section("Where it comes from", _search(evidence, front)),
        section("Data", data_lines(record)),
        section("The model", evidence.model),
        section("Versions", _versions(evidence)),
    ]
    return "\n\n".join(parts) + "\n"


def own_decision(objectives: Sequence[Objective], trials: Sequence[Trial], chosen: Trial) -> Decision:
    """What is said of a trial for which no decision was recorded: it was picked by hand."""
    try:
        return pick(objectives, trials, chosen.number).decision(0.0)
    except UsageError:
        front = front_of(objectives, trials)
        limits = {one.name: one.limit for one in objectives if one.limit is not None}
        reason = (
            f"Trial {chosen.number} is picked by hand. It is not on the front: "
            f"{_dominating(front, chosen)} at least as good in every objective and better in one."
        )
        return Decision(chosen.number, limits, "picked", reason)


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _measures(evidence: Evidence, front: Front) -> str:
    default = default_of(evidence.trials, evidence.chosen)
    header = ["objective", "chosen", "default config" + (f" (trial {default.number})" if default else "")]
    header += ["best on the front", "limit"]
    rows = []
    for column, objective in enumerate(front.objectives):
        best = front.values[int(np.argmin(front.losses[:, column])), column]
        rows.append(
            [
                f"{objective.name} ({objective.better} is better)",
                format_value(objective, evidence.chosen.values[objective.name]),
                format_value(objective, default.values[objective.name]) if default else "none complete",
                format_value(objective, float(best)),
                limit_text(objective, objective.limit).split(" ", 1)[1] if objective.limit is not None else "none",
            ]
        )
    n_steps = evidence.record.n_steps
    how = f"Means over {n_steps} folds, on validation rows." if n_steps > 1 else "One measurement each."
    return f"{table(header, rows)}\n\n{how}"


def _sure(evidence: Evidence, front: Front) -> str:
    known, chosen = evidence.certainty, evidence.chosen
    row = None if known is None else known.row(chosen.number)
    if known is None or row is None:
        lines = ["A trial was one measurement, and none is confirmed: how far the values would vary is not known."]
        return bullets([*lines, *_default_place(evidence)])
    low, high = known.low[row], known.high[row]
    lines = [
        known.likely_text(chosen.number),
        *(
            f"{objective.name}: {format_value(objective, float(known.values[row, at]))}, "
            f"{100 * CONFIDENCE:.0f} % interval {format_value(objective, float(low[at]))} to "
            f"{format_value(objective, float(high[at]))} ({known.basis(row)})"
            for at, objective in enumerate(known.objectives)
            if np.isfinite(low[at])
        ),
    ]
    others = [int(number) for number in front.numbers if number != chosen.number]
    ties = [number for number in others if known.tie(chosen.number, number)]
    if known.noisy:
        told = f"It differs within noise in {join(known.noisy)} from: {join_numbers(ties)}."
        lines.append(told if ties else f"No other trial of the front is within noise of it in {join(known.noisy)}.")
    if known.on_test is not None:
        lines.append(f"The front as a whole: {known.on_test.text}.")
    return bullets([*lines, *_default_place(evidence)])


def _default_place(evidence: Evidence) -> list[str]:
    """Where the default config that is nearest to the chosen one stands."""
    default = default_of(evidence.trials, evidence.chosen)
    places = default_standings(evidence.record.objectives, evidence.trials)
    return [f"The default config (trial {one.trial.number}) is {one.text}." for one in places if one.trial is default]


def default_of(trials: Sequence[Trial], chosen: Trial) -> Trial | None:
    """The complete default trial whose config has most values in common with the chosen one's, or None."""
    defaults = [trial for trial in trials if trial.source is Source.DEFAULT and trial.state is State.COMPLETE]
    return max(defaults, key=lambda trial: _in_common(trial, chosen), default=None)


def _in_common(trial: Trial, chosen: Trial) -> tuple[bool, int]:
    same_family = trial.config.get("family") == chosen.config.get("family")
    return same_family, sum(chosen.config.get(key, ...) == value for key, value in trial.config.items())


def _gaps(objectives: Sequence[Objective], chosen: Trial) -> str:
    rows = []
    for objective in objectives:
        trained = [step.train[objective.name] for step in chosen.steps.values() if objective.name in step.train]
        if trained:
            train, validation = float(np.mean(trained)), chosen.values[objective.name]
            gap = (
                difference(objective, train, validation, in_points=is_share(np.array([train, validation])))
                if train != validation
                else "none"
            )
            rows.append([objective.name, format_value(objective, train), format_value(objective, validation), gap])
    if not rows:
        return "No score on training rows was recorded."
    return table(["objective", "training", "validation", "from training to validation"], rows)


def _neighbours(front: Front, chosen: Trial) -> str:
    if chosen.number not in front.numbers:
        return f"It is not on the front: {_dominating(front, chosen)} at least as good in every objective."
    if len(front) == 1:
        return "Nothing: it is alone on the front."
    return bullets(f"trial {swap.number}: {swap.text}" for swap in swaps_of(front, front.row(chosen.number)))


def _dominating(front: Front, chosen: Trial) -> str:
    mine = front_of(front.objectives, {chosen.number: chosen.values}).losses[0]
    better = [int(number) for number in front.numbers[(front.losses <= mine).all(axis=1)]]
    return f"trial {better[0]} is" if len(better) == 1 else f"trials {join_numbers(better)} are"


def _search(evidence: Evidence, front: Front) -> str:
    record = evidence.record
    states = Counter(trial.state.value for trial in evidence.trials)
    counted = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    limits = [limit_text(one, one.limit) for one in front.objectives if one.limit is not None]
    return bullets(
        [
            f"trials: {len(evidence.trials)} ({counted})",
            f"on the front: {len(front)} trials: {join_numbers(front.numbers)}",
            f"limits: {', '.join(limits) or 'none'}",
            f"preference: {evidence.decision.preference}",
            f"searched by: {record.search.get('algorithm', 'hand')}, seed {record.seed}",
            f"origin of this trial: {evidence.chosen.source.value}",
        ]
    )


def data_lines(record: StudyRecord) -> str:
    """The data file, its hash, its target and how it was read, a line each."""
    data = record.spec.get("data")
    if not data:
        return "The study records no data file."
    told = {key: value for key, value in data.items() if key != "path" and value not in (None, [], {})}
    return bullets(f"{key}: {_value(value)}" for key, value in told.items())


def _versions(evidence: Evidence) -> str:
    stored, exported = evidence.record.versions, evidence.versions
    names = [*stored, *(name for name in exported if name not in stored)]
    rows = [[name, stored.get(name, "–"), exported.get(name, "–")] for name in names]
    return table(["", "search", "export"], rows)
