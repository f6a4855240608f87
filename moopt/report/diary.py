"""The choice and what it was chosen over, and the events of the study in the order of time."""

from __future__ import annotations

from collections.abc import Mapping

from moopt.choose.swaps import swaps
from moopt.errors import MooptError
from moopt.objectives import format_value
from moopt.report.document import Block, Items, Section, Table, Text
from moopt.report.facts import Facts, when
from moopt.requests import COMMAND, STOPPED, WANTED


def sections(facts: Facts) -> list[Section]:
    """Those that tell of decisions and times."""
    return [_choice(facts), _diary(facts)]


def _choice(facts: Facts) -> Section:
    if not facts.decisions:
        return Section("The choice", [Text("Nothing was chosen yet.")])
    last = facts.decisions[-1]
    objectives = facts.record.objectives
    limits = [f"{one.name} {format_value(one, last.limits[one.name])}" for one in objectives if one.name in last.limits]
    blocks: list[Block] = [
        Text(f"Trial {last.number}: {last.reason}"),
        Text(f"Preference: {last.preference}; limits: {', '.join(limits) or 'none'}."),
    ]
    try:
        over = [f"trial {one.number}: {one.text}" for one in swaps(objectives, facts.trials, last.number)]
    except MooptError as error:
        return Section("The choice", [*blocks, Text(str(error))])
    return Section("The choice", [*blocks, Text("It was chosen over:"), Items(over)] if over else blocks)


def _diary(facts: Facts) -> Section:
    record = facts.record
    told = [(record.created_at, "the study was created")]
    wanted, stopped = record.attributes.get(WANTED), record.attributes.get(STOPPED)
    if isinstance(wanted, Mapping):
        command = record.attributes.get(COMMAND)
        told.append((float(wanted["at"]), f"the last search began{f': {command}' if command else ''}"))
    if isinstance(stopped, Mapping):
        told.append((float(stopped["at"]), f"the search ended: {stopped['reason']}"))
    ends = [one for one in facts.trials if one.finished_at is not None]
    if ends:
        first, last = (pick(ends, key=lambda one: one.finished_at or 0.0) for pick in (min, max))
        told += [
            (first.finished_at or 0.0, f"the first trial ended (trial {first.number}, {first.state})"),
            (last.finished_at or 0.0, f"the latest trial ended (trial {last.number}, {last.state})"),
        ]
    told += [(one.confirmed_at, f"trial {one.number} was confirmed") for one in facts.confirmations]
    told += [(one.decided_at, f"trial {one.number} was chosen ({one.preference})") for one in facts.decisions]
    rows = [[when(at) if at else "not recorded", what] for at, what in sorted(told)]
    notes = [f"trial {one.number}: {note}" for one in facts.trials for note in one.notes]
    blocks: list[Block] = [Table(["when", "what"], rows)]
    return Section("Diary", [*blocks, Text("Notes:"), Items(notes)] if notes else blocks)
