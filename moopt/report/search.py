"""What was searched, how, and what failed or was stopped, as sections."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from moopt.confirmed import measured
from moopt.errors import SpaceError
from moopt.growth import basis, failures, reached, trace
from moopt.objectives import format_value
from moopt.report.document import Axis, Block, Items, Plot, Point, Section, Table, Text
from moopt.report.facts import Facts
from moopt.requests import STOPPED, WANTED
from moopt.space import Space
from moopt.trial import Source, State

_MOST_MESSAGES = 10


def sections(facts: Facts) -> list[Section]:
    """Those that tell of the search."""
    return [_searched(facts), _how(facts), _became(facts), _growth(facts)]


def _searched(facts: Facts) -> Section:
    objectives = [
        [
            one.name,
            one.better,
            "logarithmic" if one.log else "linear",
            "none" if one.limit is None else format_value(one, one.limit),
        ]
        for one in facts.record.objectives
    ]
    data = facts.record.spec.get("data") or {}
    told = [
        f"{key}: {Path(value).name if key == 'file' else _plain(value)}"
        for key, value in data.items()
        if key != "path" and value not in (None, [], {})
    ]
    blocks: list[Block] = [
        Items([f"data: {one}" for one in told]) if told else Text("The study records no data file."),
        Table(["objective", "better", "scale", "limit"], objectives),
        *_space(facts),
    ]
    return Section("What was searched", blocks)


def _space(facts: Facts) -> list[Block]:
    try:
        space = Space.from_json(facts.record.space)
    except SpaceError as error:
        return [Text(f"The space cannot be read: {error}")]
    rows = []
    for domain in space.domains:
        told = domain.facts()
        values = told.get("range", told.get("choices", ""))
        rows.append([domain.name, told["type"], values, told.get("scale", ""), told["default"]])
    clauses = [str(one) for one in (*space.configspace.conditions, *space.configspace.forbidden_clauses)]
    table = Table(["hyperparameter", "type", "values", "scale", "default"], rows)
    return [table, Text("Conditions and forbidden values:"), Items(clauses)] if clauses else [table]


def _how(facts: Facts) -> Section:
    record = facts.record
    wanted, stopped = record.attributes.get(WANTED), record.attributes.get(STOPPED)
    lines = [f"{key}: {_plain(value)}" for key, value in {"algorithm": "by hand", **record.search}.items()]
    lines += [f"seed: {record.seed}", f"steps a trial: {record.n_steps}"]
    if isinstance(wanted, Mapping):
        lines.append(f"budget of the last search: {_plain(wanted.get('n_trials'))} fits")
    if isinstance(stopped, Mapping):
        lines.append(f"ended: {stopped.get('reason')}")
    lines += [f"{name} {version}" for name, version in record.versions.items()]
    lines += [f"confirmed on: {machine}" for machine in measured(facts.confirmations)]
    return Section("How", [Items(lines)])


def _became(facts: Facts) -> Section:
    states = Counter(one.state for one in facts.trials)
    blocks: list[Block] = [
        Table(["state", "trials"], [[state.value, f"{states[state]:,}"] for state in State if states[state]])
        if facts.trials
        else Text("There is no trial yet.")
    ]
    failed = failures(facts.trials)
    if len(failed):
        rows = failed.head(_MOST_MESSAGES)[["failure", "message", "count", "last"]].astype(str).to_numpy().tolist()
        blocks += [Text("What failed, the commonest first:"), Table(["kind", "message", "trials", "latest"], rows)]
        if len(failed) > _MOST_MESSAGES:
            blocks.append(Text(f"{len(failed) - _MOST_MESSAGES} other messages are left out."))
    fits = [one for one in facts.trials if one.source is not Source.SIBLING]
    stopped = [one for one in fits if one.state is State.STOPPED]
    if stopped:
        saved = sum(one.n_steps - facts.steps_done.get(one.number, 0) for one in stopped)
        planned = sum(one.n_steps for one in fits)
        blocks.append(Text(f"{len(stopped)} stopped early, which saved {saved} of {planned} folds."))
    return Section("What became of the trials", blocks)


def _growth(facts: Facts) -> Section:
    course = trace(facts.record.objectives, facts.trials)
    at = reached(course)
    if course.empty or at is None:
        return Section("Hypervolume over time", [Text("No trial is complete yet.")])
    pairs = zip(course["evaluations"], course["hypervolume"], strict=True)
    points = [Point(float(x), float(y)) for x, y in pairs]
    n = int(course["evaluations"].iloc[-1])
    return Section(
        "Hypervolume over time",
        [
            Plot("Hypervolume of the front", Axis("evaluations"), Axis("hypervolume"), points, joined=True),
            Text(f"95 % of the present hypervolume was reached after {at:,} of {n:,} evaluations. {basis(course)}"),
        ],
    )


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
