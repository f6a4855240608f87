"""Small pieces of HTML. Whatever comes from a study is text: it is escaped here and nowhere else."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from moopt.choose import BALANCED, KNEE
from moopt.choose.limits import limit_text
from moopt.objectives import Objective, format_value
from moopt.trial import Config, State, Trial
from moopt_explorer.answer import Answer
from moopt_explorer.compare import Comparison
from moopt_explorer.data import Snapshot, scalar, slack
from moopt_explorer.evidence import Told
from moopt_explorer.growth import Pace, clock
from moopt_explorer.rivals import Rivals
from moopt_explorer.sliders import Bar
from moopt_explorer.wording import shorten, signs, state_text

_ABSENT = object()
_MARKUP = re.compile(r"[\\`*\[\]<>$:~!#|{}&^@]|(?<![^\W_])_|_(?![^\W_])")


def markdown(text: str) -> str:
    """A text that Markdown shows as it is. A plain name stays untouched, since a label is read aloud unparsed."""
    return _MARKUP.sub(r"\\\g<0>", signs(" ".join(text.split())))


def histogram_html(bars: Sequence[Bar]) -> str:
    """Bars as a strip; those beyond the limit are pale."""
    heights = [max(100 * bar.share, 6) if bar.share else 0 for bar in bars]
    kinds = ["in" if bar.kept else "out" for bar in bars]
    cells = "".join(
        f'<i class="{kind}" style="height:{height:.0f}%"></i>' for kind, height in zip(kinds, heights, strict=True)
    )
    return f'<div class="mo-bars" aria-hidden="true">{cells}</div>'


def limit_head_html(objective: Objective, note: str) -> str:
    """The line above a limit's slider."""
    name = html.escape(shorten(objective.name))
    worst = "≤" if objective.direction == "minimize" else "≥"
    return (
        f'<div class="mo-head"><b title="{html.escape(objective.name)}">{name}</b><i>{worst}</i>'
        f"<span>{html.escape(note)}</span></div>"
    )


def section_html(title: str, note: str) -> str:
    """The head of a section, with a note at its right."""
    return f'<div class="mo-section"><b>{html.escape(title)}</b><span>{html.escape(note)}</span></div>'


def cards_html(
    objectives: Sequence[Objective], values: Mapping[str, float], notes: Mapping[str, str], *, title: str = ""
) -> str:
    """An objective's value a card, with a note below."""
    cards = "".join(
        f'<div class="mo-card"><span title="{html.escape(one.name)}">{html.escape(shorten(one.name, 24))}</span>'
        f"<b>{html.escape(format_value(one, values.get(one.name, math.nan)))}</b>"
        f"<small>{html.escape(notes.get(one.name, ''))}</small></div>"
        for one in objectives
    )
    return f'<div class="mo-cards"><em>{html.escape(title)}</em>{cards}</div>'


def steps_html(steps: Iterable[tuple[str, str, bool]]) -> str:
    """The one sentence of the explorer: a name, what stands there, and whether it is settled."""
    cells = [
        f'<li class="{"done" if done else "open"}"><span>{html.escape(name)}</span> {html.escape(what)}</li>'
        for name, what, done in steps
    ]
    return f'<ol class="mo-steps">{"".join(cells)}</ol>'


def list_html(items: Iterable[str]) -> str:
    """Sentences one below the other."""
    return "<ul class='mo-list'>" + "".join(f"<li>{html.escape(item)}</li>" for item in items) + "</ul>"


def line_html(text: str, kind: str = "mo-line") -> str:
    """A line of plain text."""
    return f'<div class="{kind}">{html.escape(signs(text))}</div>'


def sentence_html(found: Answer | None, preference: str) -> str:
    """The explorer in one sentence: limits, preference, pick, why, files."""
    if found is None:
        return steps_html([("Limits", "none yet", False)])
    limited = [signs(limit_text(one, one.limit)) for one in found.objectives if one.limit is not None]
    stated = " and ".join(shorten(one) for one in limited[:2]) if len(limited) <= 2 else f"{len(limited)} limits"
    first = preference if preference in (BALANCED, KNEE) else f"{shorten(preference, 24)} first"
    picked = found.pick is not None
    return steps_html(
        [
            ("Limits", f"{stated or 'none'}: {found.n_left} of {len(found.front)} left", found.n_left > 0),
            ("Preference", first, found.n_left > 0),
            ("Pick", f"#{found.pick}" if picked else "none yet", picked),
            ("Why and files", "", picked),
        ]
    )


def values_html(
    objectives: Sequence[Objective],
    values: Mapping[str, float],
    told: Mapping[str, Told] | None = None,
    default: Trial | None = None,
) -> str:
    """A row an objective: its value, the interval or what was confirmed, the limit with its slack, the default's."""
    told = told or {}
    value = [values.get(one.name, math.nan) for one in objectives]
    limits = [
        "–" if one.limit is None else f"{format_value(one, one.limit)}, {slack(one, one.limit, at)}"
        for one, at in zip(objectives, value, strict=True)
    ]
    columns = {
        "objective": [shorten(one.name) for one in objectives],
        "by the search" if told else "value": [format_value(o, at) for o, at in zip(objectives, value, strict=True)],
        "90 % interval": [_told(told, one, "interval") for one in objectives],
        "confirmed": [_told(told, one, "confirmed") for one in objectives],
        "limit": limits if any(one.limit is not None for one in objectives) else [""] * len(limits),
    }
    if default is not None:
        columns["default"] = [format_value(one, default.values.get(one.name, math.nan)) for one in objectives]
    shown = {head: cells for head, cells in columns.items() if any(cells)}
    return table_html(list(shown), list(zip(*shown.values(), strict=True)))


def _told(told: Mapping[str, Told], objective: Objective, what: str) -> str:
    """The search's interval, or the confirmed value with its own."""
    one = told.get(objective.name)
    if one is None:
        return ""
    confirmed = one.confirmed_text(objective)
    return confirmed if what == "confirmed" else "" if confirmed else one.interval(objective)


def config_html(config: Config, default: Config | None) -> str:
    """A row a hyperparameter, beside the default's where there is one."""
    names = [*config, *(name for name in default or {} if name not in config)]
    rows = [[name, scalar(config[name]) if name in config else "–"] for name in names]
    if default is None:
        return table_html(["hyperparameter", "value"], rows)
    beside = [[*row, scalar(default[row[0]]) if row[0] in default else "–"] for row in rows]
    return table_html(["hyperparameter", "value", "default"], beside)


def changes_html(trial: Trial, other: Trial) -> str:
    """The hyperparameters in which two trials differ, one beside the other."""
    names = [*trial.config, *(name for name in other.config if name not in trial.config)]
    rows = [
        [name, *(scalar(one.config[name]) if name in one.config else "–" for one in (trial, other))]
        for name in names
        if trial.config.get(name, _ABSENT) != other.config.get(name, _ABSENT)
    ]
    return table_html(["hyperparameter", f"#{trial.number}", f"#{other.number}"], rows, kind="mo-table even")


def configs_html(trials: Sequence[Trial]) -> str:
    """A row a hyperparameter, a column a trial; the rows in which trials differ first, in bold."""
    names = dict.fromkeys(name for trial in trials for name in trial.config)
    cells = {name: [scalar(one.config[name]) if name in one.config else "–" for one in trials] for name in names}
    ordered = sorted(names, key=lambda name: len(set(cells[name])) == 1)
    n_differ = sum(len(set(row)) > 1 for row in cells.values())
    rows = [[name, *cells[name]] for name in ordered]
    return table_html(
        ["hyperparameter", *(f"#{one.number}" for one in trials)], rows, kind="mo-table even", n_bold=n_differ
    )


def compared_html(found: Comparison) -> str:
    """A row an objective, a column a trial; below it what was confirmed of them."""
    rows = []
    for column, one in enumerate(found.objectives):
        rows.append([shorten(one.name), *(format_value(one, float(value)) for value in found.values[:, column])])
        confirmed = [_told(known, one, "confirmed") for known in found.told]
        if any(confirmed):
            rows.append([f"{shorten(one.name)}, confirmed", *(cell or "–" for cell in confirmed)])
    return table_html(["objective", *(f"#{trial.number}" for trial in found.trials)], rows, kind="mo-table even")


def now_html(objective: Objective, value: float) -> str:
    """An objective's name over its value."""
    name = html.escape(shorten(objective.name, 24))
    return (
        f'<div class="mo-card"><span title="{html.escape(objective.name)}">{name}</span>'
        f"<b>{html.escape(format_value(objective, value))}</b></div>"
    )


def badges_html(badges: Iterable[str]) -> str:
    """Short marks side by side."""
    return '<div class="mo-badges">' + "".join(f"<span>{html.escape(one)}</span>" for one in badges) + "</div>"


def table_html(head: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "mo-table", n_bold: int = 0) -> str:
    """A small table of texts, the first of a row its name; so many of its first rows stand out."""
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        f"<tr{' class=differs' if place < n_bold else ''}>"
        + f'<th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for place, row in enumerate(rows)
    )
    return f'<table class="{kind}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def facts_html(facts: Iterable[tuple[str, str, str]]) -> str:
    """What is counted: a name, a value and a note a card."""
    cards = "".join(
        f'<div class="mo-card"><span>{html.escape(name)}</span><b>{html.escape(value)}</b>'
        f"<small>{html.escape(note)}</small></div>"
        for name, value, note in facts
    )
    return f'<div class="mo-cards">{cards}</div>'


def pace_html(found: Pace, snapshot: Snapshot) -> str:
    """How far a search is, how fast, and what is left."""
    wanted = "" if found.n_wanted is None else f"of {found.n_wanted:,}"
    per_minute = found.per_minute
    speed = "–" if per_minute is None else f"{per_minute:,.{0 if per_minute >= 10 else 2}f} a minute"
    n_failed = snapshot.n_in(State.FAILED)
    share = f"{n_failed / len(snapshot.trials):.1%} of all" if n_failed else ""
    facts = [
        ("evaluated", f"{found.n_done:,}", wanted),
        ("state", state_text(snapshot), f"{snapshot.n_in(State.RUNNING):,} in flight" if snapshot.running else ""),
        ("pace", speed, "of the last trials"),
        ("left", *(("–", "") if found.remaining_s is None else (f"about {clock(found.remaining_s)}", "at this pace"))),
        ("front", f"{0 if snapshot.front is None else len(snapshot.front):,}", "trials"),
        ("failed", f"{n_failed:,}", share),
    ]
    return facts_html(facts)


def states_html(snapshot: Snapshot) -> str:
    """How many trials are in which state."""
    return table_html(["state", "trials"], [[one.value, f"{n:,}"] for one in State if (n := snapshot.n_in(one))])


def rivals_html(found: Rivals, names: tuple[str, str]) -> str:
    """A row a study: its front, its hypervolume, and how much of it the other one beats."""
    about = "" if found.is_exact else "about "
    rows = [
        [
            shorten(name, 60),
            f"{len(front):,}",
            f"{about}{volume:.4g}",
            f"{n:,} of {len(front):,}",
        ]
        for name, front, volume, n in zip(names, found.fronts, found.hypervolumes, found.dominated, strict=True)
    ]
    return table_html(["study", "front", "hypervolume", "dominated by the other"], rows)
