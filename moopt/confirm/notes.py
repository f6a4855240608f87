"""What the user should know of a confirmation, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from moopt.choose.front import join_numbers
from moopt.confirm.timing import MOST_TRIES, Visit


def about(
    *,
    look: int,
    scored: bool,
    unscored: Sequence[int],
    no_test: bool,
    too_small: str,
    in_memory: bool,
    visits: Mapping[int, Mapping[int, Visit]],
    failed: Mapping[int, str],
    not_repeated: Mapping[int, Exception],
) -> Iterator[str]:
    """A line each."""
    if no_test:
        yield "nothing is scored: the study keeps back no test rows (test_share is 0)"
    elif scored and too_small:
        yield f"scores have no interval: {too_small}"
    if scored and look > 1:
        yield f"this was look {look} at the test split: the more often it guides a choice, the less it is worth"
    elif look and not scored:
        yield "the test split was scored before and was not looked at again; --score-again looks once more"
    if unscored and look:
        yield f"without scores on the test split, since they were not confirmed then: {join_numbers(unscored)}"
    if in_memory:
        yield "the study is in memory, so the fitted models are not kept"
    yield from _busy([visit for rounds in visits.values() for visit in rounds.values()])
    for number, why in failed.items():
        yield f"trial {number} could not be confirmed: {why}"
    for number, error in not_repeated.items():
        yield f"trial {number} could not be cross-validated again: {type(error).__name__}: {error}"


def _busy(visits: Sequence[Visit]) -> Iterator[str]:
    n_busy = sum(one.busy for one in visits)
    if n_busy:
        yield (
            f"the machine was busy in {n_busy} of {len(visits)} timings, after {MOST_TRIES} tries each: these are "
            "flagged; confirm again when nothing else runs"
        )
