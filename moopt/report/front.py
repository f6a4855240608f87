"""The front: how sure it is, what defaults, confirmations and training rows say beside it, and what moves it."""

from __future__ import annotations

import math

from moopt import beside, confirmed, gap
from moopt.errors import SpaceError
from moopt.importance import TOWARDS, importances
from moopt.objectives import Objective, format_value, violation
from moopt.report.document import Axis, Bars, Block, Items, Plot, Point, Section, Table, Text
from moopt.report.facts import Facts, config_line
from moopt.space import Space
from moopt.standing import default_standings
from moopt.trial import State, Trial
from moopt.uncertainty import CONFIDENCE

_MOST_BARS = 10
_LEAST_SHOWN = 0.005
_FAITHFUL = 0.1
"""A forest that explains less than this share of a target says little about it."""


def sections(facts: Facts) -> list[Section]:
    """Those that tell of the front."""
    found = [_front(facts), _defaults(facts)]
    found += [_on_test(facts)] if facts.confirmations else []
    return [*found, _importance(facts), _gaps(facts)]


def _front(facts: Facts) -> Section:
    objectives, known = facts.record.objectives, facts.certainty
    if not facts.front:
        return Section("The front", [Text("No trial is complete, so there is no front.")])
    header = ["trial", *(one.name for one in objectives), "on the front", "limits", "config"]
    rows = [
        [
            str(one.number),
            *(_with_interval(facts, one, objective) for objective in objectives),
            _likely(facts, one.number),
            "missed" if violation(objectives, one.values) > 0 else "met",
            config_line(one.config),
        ]
        for one in facts.front
    ]
    note = (
        "Trials were one measurement each: how far the values would vary is not known."
        if known is None
        else f"Intervals hold {100 * CONFIDENCE:.0f} %. A ~ stands before an estimate from {known.n_folds} folds."
    )
    blocks: list[Block] = [_scatter(facts, objectives[0], one) for one in objectives[1:4]]
    return Section("The front", [*blocks, Table(header, rows), Text(note)])


def _scatter(facts: Facts, x: Objective, y: Objective) -> Plot:
    on_front = {one.number for one in facts.front}
    complete = [one for one in facts.trials if one.state is State.COMPLETE]
    points = [
        Point(one.values[x.name], one.values[y.name], f"trial {one.number}", one.number in on_front)
        for one in sorted(complete, key=lambda one: one.number in on_front)
    ]
    return Plot(f"{y.name} against {x.name}; the front is filled", Axis(x.name, x.log), Axis(y.name, y.log), points)


def _with_interval(facts: Facts, trial: Trial, objective: Objective) -> str:
    known = facts.certainty
    row = None if known is None else known.row(trial.number)
    if known is None or row is None:
        return format_value(objective, trial.values[objective.name])
    at = known.objectives.index(objective)
    value, low, high = (float(ends[row, at]) for ends in (known.values, known.low, known.high))
    return format_value(objective, value) + (f" ({low:.3g} to {high:.3g})" if math.isfinite(low) else "")


def _likely(facts: Facts, number: int) -> str:
    known = facts.certainty
    row = None if known is None else known.row(number)
    if known is None or row is None or math.isnan(known.probability[row]):
        return "–"
    return f"{'' if known.sure_of_place(row) else '~'}{100 * known.probability[row]:.0f} %"


def _defaults(facts: Facts) -> Section:
    found = default_standings(facts.record.objectives, facts.trials)
    lines = [f"trial {one.trial.number} is {one.text}: {config_line(one.trial.config)}" for one in found]
    return Section("Where the defaults stand", [Items(lines) if lines else Text("No default config is complete.")])


def _on_test(facts: Facts) -> Section:
    objectives = facts.record.objectives
    found = beside.rows(objectives, facts.trials, facts.confirmations)
    rows = [
        [str(row.number), one.name, *(format_value(one, value) for value in (v.search, v.confirmed, v.low, v.high))]
        for row in found
        for one in objectives
        for v in [row.values[one.name]]
    ]
    failed = [f"trial {row.number} could not be confirmed: {row.failure}" for row in found if row.failure]
    blocks: list[Block] = [Table(["trial", "objective", "search", "confirmed", "low", "high"], rows)]
    if facts.certainty is not None and facts.certainty.on_test is not None:
        blocks.append(Text(f"{facts.certainty.on_test.text}."))
    looks = confirmed.looks(facts.confirmations)
    blocks.append(Text(f"The test split was scored {looks} time{'' if looks == 1 else 's'}."))
    return Section("Search against test", [*blocks, Items(failed)] if failed else blocks)


def _importance(facts: Facts) -> Section:
    title = "What moves the objectives"
    try:
        found = importances(Space.from_json(facts.record.space), facts.record.objectives, facts.trials)
    except SpaceError as error:
        return Section(title, [Text(f"The space cannot be read: {error}")])
    if not found:
        return Section(title, [Text("Too few trials are complete to say.")])
    blocks: list[Block] = []
    for one in found:
        if one.target.startswith(TOWARDS):
            continue
        shown = [(name, share) for name, share in one.shares.items() if share >= _LEAST_SHOWN]
        blocks.append(Bars(f"Shares in {one.target}", shown[:_MOST_BARS]))
        if one.explained < _FAITHFUL:
            blocks.append(Text(f"Says little about {one.target}: unseen trials are not predicted."))
    return Section(title, blocks)


def _gaps(facts: Facts) -> Section:
    rows = [
        [
            str(one.number),
            objective.name,
            *(format_value(objective, v) for v in (one.train, one.validation)),
            one.reading or "neither",
        ]
        for objective in gap.measured(facts.record.objectives, facts.front)
        for one in gap.gaps(objective, facts.front)
    ]
    table = Table(["trial", "objective", "training", "validation", "reading"], rows)
    body = table if rows else Text("No score on training rows was recorded.")
    return Section("Training against validation", [body])
