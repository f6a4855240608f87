"""MODEL_CARD.md: what somebody who is to use the model has to know, and what they have to say themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from moopt.choose.front import Front, front_of
from moopt.choose.limits import apply_limits, limit_text
from moopt.confirmed import Measured, Scored, machine_name, measured, scored
from moopt.export.build import Built
from moopt.export.markdown import bullets, section, table
from moopt.export.sample import origin
from moopt.export.why import Evidence, data_lines
from moopt.objectives import Objective, format_value, is_share
from moopt.shipped.claims import SAMPLE, Claims
from moopt.trial import StepResult
from moopt.uncertainty import CONFIDENCE, corrected_interval

_MOST_ALTERNATIVES = 12
_TO_FILL_IN = """\
> **To be filled in.** moopt cannot know what the model is for. State it when you export, with
> `--intended-use "..."`, and it is sealed with the other files; text that is written here later makes `moopt verify`
> name this file as changed.
>
> - It is meant for:
> - It must not be used for:
> - Who answers for it:"""


def model_card(evidence: Evidence, built: Built, intended_use: str) -> str:
    """The whole of MODEL_CARD.md, as Markdown."""
    record, chosen = evidence.record, evidence.chosen
    front = front_of(apply_limits(record.objectives, evidence.decision.limits), evidence.trials)
    parts = [
        f"# Model card: trial {chosen.number} of study {record.name!r}\n\n{_summary(evidence)}",
        section("Intended use", intended_use.strip() or _TO_FILL_IN),
        section("Data", data_lines(record)),
        section("Splits", _splits(evidence, built)),
        section("How good it is", _scores(evidence, front)),
        section("What it costs to run", _costs(evidence, built.claims)),
        section("Why this one", evidence.decision.reason),
        section("Alternatives on the front", _alternatives(front, chosen.number)),
        section("Using and checking it", _using(built)),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(evidence: Evidence) -> str:
    spec = evidence.record.spec
    target = spec.get("data", {}).get("target")
    what = f"It predicts `{target}`. " if target else ""
    family = evidence.chosen.config.get("family")
    kind = f"Its family is {family}, its" if family else "Its"
    return f"{what}{kind} configuration stands in `config.json`. {evidence.model}"


def _splits(evidence: Evidence, built: Built) -> str:
    record = evidence.record
    lines = [f"folds of the cross-validation: {record.n_steps}"] if record.n_steps > 1 else []
    if built.data is not None:
        split = built.data.split()
        lines += [
            f"search rows: {len(split.search)}; configurations were compared on them, and the model is fitted on them",
            f"test rows: {len(split.test)}; the search never saw them",
            f"drawn by class, with seed {record.seed}",
        ]
    return bullets(lines or ["the study was of a function, which split its data itself"])


def _scores(evidence: Evidence, front: Front) -> str:
    tested = scored(evidence.confirmations).get(evidence.chosen.number)
    rows = [
        [
            f"{objective.name} ({objective.better} is better)",
            format_value(objective, evidence.chosen.values[objective.name]),
            _interval(objective, evidence.chosen.steps.values()),
            *_tested(objective, tested),
            limit_text(objective, objective.limit).split(" ", 1)[1] if objective.limit is not None else "none",
        ]
        for objective in front.objectives
    ]
    header = [
        "objective",
        "mean over the folds",
        f"{CONFIDENCE:.0%} interval",
        "on the test split",
        "interval",
        "limit",
    ]
    return f"{table(header, rows)}\n\n{_HOW_SURE} {_looked(tested)}"


_HOW_SURE = (
    "The intervals of the folds are corrected for training rows that folds share (Nadeau and Bengio 2003). They are "
    "estimates: the trial was chosen among others for these very values, which flatters it."
)


def _looked(tested: Scored | None) -> str:
    if tested is None:
        return "It is not confirmed: nobody has scored it on the test split."
    often = "once" if tested.look == 1 else f"{tested.look} times"
    return f"The test split, {tested.n_rows} rows, was looked at {often}; its intervals are bootstrapped over them."


def _tested(objective: Objective, tested: Scored | None) -> tuple[str, str]:
    score = tested.scores.get(objective.name) if tested else None
    if score is None:
        return "–", "–"
    value = format_value(objective, score.value)
    if score.low is None or score.high is None:
        return value, "too few rows"
    return value, f"{format_value(objective, score.low)} to {format_value(objective, score.high)}"


def _interval(objective: Objective, steps: Iterable[StepResult]) -> str:
    values = np.array([step.values[objective.name] for step in steps if objective.name in step.values])
    if len(values) < 2:
        return "–"
    low, high = map(float, corrected_interval(values))
    if is_share(values):
        low, high = max(low, 0.0), min(high, 1.0)
    return f"{format_value(objective, low)} to {format_value(objective, high)}"


def _costs(evidence: Evidence, claims: Claims | None) -> str:
    number = evidence.chosen.number
    confirmed = [on[number] for on in measured(evidence.confirmations).values() if number in on]
    lines = [*_claimed(claims)] if claims else ["there is no model, so nothing was weighed or timed for this export"]
    return bullets([*lines, *(line for one in confirmed for line in _confirmed(one))])


def _claimed(claims: Claims) -> Iterator[str]:
    yield f"`{claims.model}`: {claims.size_kb:,.1f} kB"
    for name, ms in claims.latency_ms.items():
        batch = claims.batches[name]
        yield f"{name}: {ms:.4g} ms a call of {batch} row{'s' if batch > 1 else ''}"
    if claims.latency_ms:
        yield f"a latency is the {claims.protocol}"
    machine = claims.machine
    yield (
        f"machine: {machine['processor']}, {machine['cores']} cores, {machine['system']}; the workload by which "
        f"machines are compared takes it {claims.calibration_ms:.4g} ms"
    )


def _confirmed(one: Measured) -> Iterator[str]:
    on = f"confirmed on {machine_name(one.machine)}"
    for name, timing in one.latency.items():
        percentiles = "".join(f", {which} {ms:.4g} ms" for which, ms in timing.percentiles.items())
        busy = "; the machine was busy" if timing.flagged else ""
        yield f"{on}: {name} {timing.median_ms:.4g} ms by the wall clock, median of {timing.n} calls{percentiles}{busy}"
    if one.rss_mb is not None and one.load_s is not None:
        yield f"{on}: loads in {one.load_s:.2g} s and takes {one.rss_mb:.4g} MB of memory"


def _alternatives(front: Front, number: int) -> str:
    others = [row for row, other in enumerate(front.numbers) if int(other) != number]
    if not others:
        return "There is none: it is alone on the front."
    shown = others[:_MOST_ALTERNATIVES]
    rows: Iterable[Sequence[str]] = (
        [
            str(front.numbers[row]),
            *(format_value(one, float(front.values[row, place])) for place, one in enumerate(front.objectives)),
        ]
        for row in shown
    )
    more = f"\n\n{len(others) - len(shown)} more stand in `front.csv`." if len(others) > len(shown) else ""
    return table(["trial", *(one.name for one in front.objectives)], rows) + more


def _using(built: Built) -> str:
    if built.claims is None:
        return "`moopt verify` checks that no file was changed, added or lost."
    lines = [
        "`pip install -r requirements.txt`, then `python predict.py rows.csv > predictions.csv`; "
        "the rows are written like the data file, their columns are named in `input.json`",
        "`moopt verify` on this folder checks the hash of every file, predicts the sample again, times and weighs",
    ]
    if SAMPLE in built.files and built.data is not None:
        lines.append(
            f"`{SAMPLE}` holds {built.claims.n_rows} rows of {origin(built.data)}. **They are real data**: do not pass "
            "the folder on to people who may not see them; `moopt export --no-sample` leaves them out"
        )
    return bullets(lines)
