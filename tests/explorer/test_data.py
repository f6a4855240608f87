"""A study read from its store, and what a view means for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moopt.choose import choose
from moopt.objectives import Objective
from moopt.store import open_store
from moopt.store.base import Store, Writer
from moopt.trial import Source, State, StepResult, Trial
from moopt_explorer import data, evidence, markup, wording
from moopt_explorer.answer import answer
from moopt_explorer.data import Snapshot
from moopt_explorer.state import View
from tests.explorer import synthetic

OF = (Objective("accuracy", "maximize"), Objective("latency_ms", log=True))
ROWS = [(0.80, 9.0), (0.95, 8.0), (0.90, 2.0), (0.85, 4.0)]  # the default, two on the front, one dominated


@pytest.fixture
def store() -> Store:
    kept = open_store(None)
    synthetic.create(kept, "small", OF)
    with kept.write("small") as writer:
        for number, row in enumerate(ROWS):
            values = dict(zip(("accuracy", "latency_ms"), row, strict=True))
            source = Source.SEARCH if number else Source.DEFAULT
            trial = Trial(number, {"depth": number, "kind": "a"}, source=source, fit=number)
            writer.start(replace(trial, state=State.RUNNING))
            writer.finish(replace(trial, state=State.COMPLETE, values=values), {0: StepResult(values)})
    return kept


@pytest.fixture
def small(store: Store) -> Snapshot:
    return data.read(store, "small")


def test_a_snapshot_knows_the_front_and_the_default(small: Snapshot) -> None:
    where = small.places((small.objectives[1], small.objectives[0]))
    assert where.numbers.tolist() == [0, 1, 2, 3]
    assert where.front.tolist() == [False, True, True, False]
    assert where.default.tolist() == [True, False, False, False]
    assert where.across.tolist() == [9.0, 8.0, 2.0, 4.0]
    assert [one.number for one in small.defaults] == [0]


def test_a_trial_stands_beside_the_default_that_is_most_like_it(small: Snapshot) -> None:
    forest = Trial(7, {"family": "forest", "forest:n": 10}, source=Source.DEFAULT, state=State.COMPLETE)
    tree = Trial(8, {"family": "tree", "tree:depth": 3}, source=Source.DEFAULT, state=State.COMPLETE)
    snapshot = replace(small, trials=(forest, tree))
    assert snapshot.default_for(Trial(9, {"family": "tree", "tree:depth": 5})) is tree
    assert snapshot.default_for(tree) is None
    assert replace(small, trials=()).default_for(tree) is None


def test_a_snapshot_is_of_one_revision(store: Store, small: Snapshot) -> None:
    assert small.revision == store.revision("small")
    store.add_note("small", 1, "mine")
    assert data.read(store, "small").revision > small.revision


def test_objectives_may_be_called_like_columns(tmp_path: Path) -> None:
    of = tuple(Objective(name) for name in ("front", "default", "within", "mark", "kind"))
    store = open_store(tmp_path / "odd.db")
    synthetic.fill(store, "odd", 12, of=of)
    snapshot = data.read(store, "odd")
    where = snapshot.places((of[0], of[1]))
    assert where.numbers.tolist() == sorted(where.numbers)
    assert where.across.tolist() == snapshot.values[:, 0].tolist()
    assert where.front.dtype == bool
    store.close()


def test_the_table_shows_only_hyperparameters_that_differ(small: Snapshot) -> None:
    table = data.front_table(small, [2, 1])
    assert table.columns.tolist() == ["number", "value_accuracy", "value_latency_ms", "param_depth"]
    assert table["number"].tolist() == [2, 1]


def test_hyperparameters_that_some_lack_stand_in_one_line(small: Snapshot) -> None:
    trials = (Trial(0, {"family": "tree", "depth": 3}), Trial(1, {"family": "linear", "C": 0.25, "bias": True}))
    table = data.front_table(replace(small, trials=trials), [0, 1])
    assert table["param_family"].tolist() == ["tree", "linear"]
    assert table["config"].tolist() == ["depth 3", "C 0.25, bias True"]


def test_failures_are_listed(tmp_path: Path) -> None:
    store = open_store(tmp_path / "failed.db")
    synthetic.fill(store, "failed", 40, failures=0.3)
    failed = data.read(store, "failed").failed
    assert len(failed) > 5
    assert set(failed["failure"]) == {"error", "timeout"}
    store.close()


def test_a_study_without_a_trial_has_no_answer() -> None:
    store = open_store(None)
    synthetic.create(store, "empty")
    snapshot = data.read(store, "empty")
    assert snapshot.front is None
    assert not len(snapshot.places((synthetic.FOUR[0], synthetic.FOUR[1])).numbers)
    assert answer(snapshot, View()) is None


def test_the_answer_counts_who_is_left(small: Snapshot) -> None:
    found = answer(small, View(limits={"latency_ms": 5.0}))
    assert found is not None
    assert (len(found.front), found.n_left) == (2, 1)
    assert found.recommended is not None
    assert found.recommended == 2
    assert found.limits == {"latency_ms": 5.0}


def test_the_answer_names_the_way_out_when_none_is_left(small: Snapshot) -> None:
    found = answer(small, View(limits={"latency_ms": 1.0}))
    assert found is not None
    assert found.recommended is None
    assert "latency_ms" in found.way_out
    assert found.relaxation is not None
    again = answer(small, View(limits={"latency_ms": found.relaxation.relaxed}))
    assert again is not None
    assert again.n_left >= 1


def test_a_pick_keeps_its_reason(small: Snapshot) -> None:
    recommended = answer(small, View())
    assert recommended is not None
    assert recommended.recommended is not None
    number = recommended.recommended
    taken = answer(small, View(pick=number))
    other = answer(small, View(pick=3 - number))
    assert taken is not None
    assert other is not None
    assert taken.why() == choose(small.objectives, small.trials)
    assert other.why().preference == "picked"  # type: ignore[union-attr]  # a member of the front has a reason


@pytest.mark.parametrize(
    ("view", "pick", "said"),
    [
        (View(pick=1), 1, ""),
        (View(pick=1, limits={"latency_ms": 5.0}), None, "misses latency_ms <= 5 ms, so it is not picked"),
        (View(pick=3), 3, "now dominated by #2"),
        (View(pick=77), None, "not among the complete trials"),
    ],
)
def test_a_pick_is_judged_anew_on_each_look(small: Snapshot, view: View, pick: int | None, said: str) -> None:
    found = answer(small, view)
    assert found is not None
    assert found.pick == pick
    assert said in found.notice
    assert bool(said) == bool(found.notice)


def test_a_dominated_pick_has_no_reason_but_a_better_one(small: Snapshot) -> None:
    found = answer(small, View(pick=3))
    assert found is not None
    assert found.why() is None
    assert found.better == 2


def test_a_large_study_is_read_and_answered(tmp_path: Path) -> None:
    of = synthetic.objectives(4)
    generator = np.random.Generator(np.random.PCG64(0))
    values = generator.uniform(0.1, 1.0, size=(20_000, 4))
    trials = tuple(
        Trial(number, {"depth": number}, state=State.COMPLETE, values=dict(zip((o.name for o in of), row, strict=True)))
        for number, row in enumerate(values.tolist())
    )
    store = open_store(None)
    synthetic.create(store, "large", of)
    found = answer(Snapshot(store.study("large"), 1, False, trials), View())
    assert found is not None
    assert found.recommended is not None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("latency_ms", "latency_ms"),
        ("a*b_c_", r"a\*b_c\_"),
        ("<img src=x>", r"\<img src=x\>"),
        (":red[x] $y$ `z`", r"\:red\[x\] \$y\$ \`z\`"),
        ("two\nlines", "two lines"),
        ("a <= 5", "a ≤ 5"),
    ],
)
def test_markdown_shows_a_text_as_it_is(name: str, shown: str) -> None:
    assert markup.markdown(name) == shown


def test_html_shows_a_text_as_it_is() -> None:
    odd = Objective("<b>\"'", "maximize", limit=0.5)
    small_pieces = [
        markup.line_html("<b>"),
        markup.table_html(["<b>"], [["<b>"]]),
        markup.cards_html([odd], {odd.name: 1.0}, {odd.name: "<b>"}, title="<b>"),
        markup.limit_head_html(odd, "<b>"),
        markup.list_html(["<b>"]),
        markup.config_html({"<b>": "<b>"}, {"<b>": "<b>"}),
        markup.values_html([odd], {odd.name: 1.0}, None),
    ]
    for piece in small_pieces:
        assert "<b>&" not in piece
        assert "&lt;b&gt;" in piece


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "just now"), (2.9, "2 s ago"), (61, "1 minute ago"), (7300, "2 hours ago"), (90_000, "1 day ago")],
)
def test_times_are_told_in_their_largest_unit(seconds: float, words: str) -> None:
    assert wording.ago(seconds) == words


@pytest.mark.parametrize(("name", "part"), [("churn", "churn"), ("../a b/ü", "a-b"), ("🙂", "study")])
def test_a_study_names_its_file_safely(name: str, part: str) -> None:
    assert wording.file_name(name) == part


@pytest.mark.parametrize(
    ("objective", "limit", "value", "said"),
    [
        (OF[1], 5.0, 2.0, "3 ms to spare"),
        (OF[0], 0.9, 0.95, "0.05 to spare"),
        (OF[1], 5.0, 6.0, "1 ms beyond it"),
        (OF[1], 5.0, 5.0, "exactly at the limit"),
    ],
)
def test_slack_is_told_in_the_objectives_unit(objective: Objective, limit: float, value: float, said: str) -> None:
    assert data.slack(objective, limit, value) == said


# How sure


def with_folds(store: Store, name: str = "folds") -> None:
    """Two trials that tie in accuracy, the faster one a little less accurate, and one that is far behind."""
    store.create_study(replace(store.study("small"), name=name, n_steps=5))
    with store.write(name) as writer:
        for number, (accuracy, latency) in enumerate([(0.92, 2.3), (0.90, 2.0), (0.8, 1.9)]):
            noise = np.roll([-0.02, 0.02, 0.01, -0.01, 0.0], number)
            steps = {
                step: StepResult({"accuracy": accuracy + one, "latency_ms": latency})
                for step, one in enumerate(noise.tolist())
            }
            values = {"accuracy": accuracy, "latency_ms": latency}
            trial = Trial(number, {"depth": number}, fit=number, n_steps=5)
            writer.start(replace(trial, state=State.RUNNING))
            writer.finish(replace(trial, state=State.COMPLETE, values=values), steps)


def test_a_recommendation_is_not_made_by_noise(store: Store) -> None:
    with_folds(store)
    snapshot = data.read(store, "folds")
    found = answer(snapshot, View(preference="accuracy"))
    assert found is not None
    assert found.recommended is not None
    assert found.recommended == 1
    taken = answer(snapshot, View(preference="accuracy", pick=1))
    assert taken is not None
    choice = taken.why()
    assert choice is not None
    assert choice.tie == (0, 1)
    assert "Trial 0 ties with trial 1" in choice.reason
    picked = answer(snapshot, View(pick=0))
    assert picked is not None
    why = picked.why()
    assert why is not None
    assert why.probability is not None


def asked_of(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The numbers of the trials that are read whole, a list an occasion."""
    read: list[list[int]] = []
    some = store.some_trials
    monkeypatch.setattr(store, "some_trials", lambda name, numbers: read.append(list(numbers)) or some(name, numbers))
    return read


def test_while_a_study_runs_sureness_is_asked_when_its_front_changes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_folds(store)
    read = asked_of(store, monkeypatch)
    with store.write("folds") as writer:
        first = data.read(store, "folds")
        assert first.certainty is not None
        add_trial(writer, 3, accuracy=0.7, latency=3.0)
        second = data.read(store, "folds", first)
        assert (len(second.trials), len(read)) == (4, 1)
        assert second.certainty is first.certainty
        add_trial(writer, 4, accuracy=0.95, latency=3.0)
        third = data.read(store, "folds", second)
        assert len(read) == 2
        assert third.certainty is not None
        assert third.certainty.row(4) is not None
    last = data.read(store, "folds", third)
    assert len(read) == 3
    assert last.certainty is not None


def add_trial(writer: Writer, number: int, accuracy: float, latency: float) -> None:
    trial = Trial(number, {"depth": number}, fit=number, n_steps=5)
    values = {"accuracy": accuracy, "latency_ms": latency}
    writer.start(replace(trial, state=State.RUNNING))
    writer.finish(
        replace(trial, state=State.COMPLETE, values=values), {step: StepResult(values) for step in range(trial.n_steps)}
    )


def test_only_the_front_and_what_is_near_it_is_read_with_its_steps(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic.confirmed(store, "confirmed")
    read = asked_of(store, monkeypatch)
    monkeypatch.setattr("moopt.certainty.MOST", 5)
    snapshot = data.read(store, "confirmed")
    assert snapshot.certainty is not None
    assert snapshot.front is not None
    (numbers,) = read
    assert set(numbers) >= set(snapshot.front.numbers.tolist())
    assert len(numbers) == max(5, len(snapshot.front)) < len(snapshot.trials)


def test_a_front_too_large_to_compare_each_with_each_is_not_asked_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_folds(store)
    monkeypatch.setattr(data, "MOST_WHILE_RUNNING", 1)
    with store.write("folds"):
        running = data.read(store, "folds")
        assert running.certainty is None
        assert wording.unsure_line(running) == (
            "How sure the front is waits for the end of the search: it has more than 1 members."
        )
    assert wording.unsure_line(data.read(store, "folds")) == ""
    monkeypatch.setattr(data, "MOST_COMPARED", 1)
    large = data.read(store, "folds")
    assert large.certainty is None
    assert "is not asked of more than 1 members" in wording.unsure_line(large)


def test_a_study_whose_trials_have_one_step_says_that_nothing_tells_its_noise(store: Store) -> None:
    small = data.read(store, "small")
    assert small.certainty is None
    assert wording.unsure_line(small).startswith("How sure the front is, nothing tells: each trial was measured once")


def test_a_study_is_read_on_from_where_it_was_known(store: Store, small: Snapshot) -> None:
    with store.write("small") as writer:
        add_trial(writer, 4, accuracy=0.99, latency=1.0)
    store.add_note("small", 1, "mine")
    found = data.read(store, "small", small)
    assert list(found.trials) == list(data.read(store, "small").trials)
    assert found.front is not None
    assert found.front.numbers.tolist() == [4]
    assert found.trial(1) == store.trials("small", with_steps=False)[1]


def test_another_study_of_the_same_name_is_read_anew(store: Store, small: Snapshot) -> None:
    store.delete_study("small")
    synthetic.create(store, "small", OF, created_at=9.0)
    assert len(data.read(store, "small", small).trials) == 0


def test_a_confirmed_value_stands_beside_that_of_the_search(store: Store) -> None:
    number = synthetic.confirmed(store, "confirmed")[0]
    snapshot = data.read(store, "confirmed")
    values = snapshot.trials[number].values
    told = evidence.evidence(snapshot, number)
    assert told["accuracy"].confirmed == pytest.approx(values["accuracy"] - 0.01)
    assert told["accuracy"].low < told["accuracy"].confirmed < told["accuracy"].high
    assert told["latency_ms"].confirmed == pytest.approx(2 * values["latency_ms"])
    assert "a made-up processor, 2 cores" in evidence.about(snapshot, number)


def test_without_a_confirmation_there_is_the_searchs_interval(store: Store) -> None:
    taken = synthetic.confirmed(store, "confirmed")
    snapshot = data.read(store, "confirmed")
    assert snapshot.front is not None
    other = next(number for number in snapshot.front.numbers.tolist() if number not in taken)
    told = evidence.evidence(snapshot, other)
    assert set(told) == {"accuracy", "recall"}
    assert told["accuracy"].low < snapshot.trials[other].values["accuracy"] < told["accuracy"].high
    assert told["accuracy"].confirmed_text(snapshot.objectives[0]) == ""
    assert evidence.about(snapshot, other) == ""


def test_ties_are_said(store: Store) -> None:
    with_folds(store)
    found = answer(data.read(store, "folds"), View(pick=0))
    assert found is not None
    assert "It ties with trial 1: they differ within noise in accuracy." in evidence.sure_text(found, 0)
    assert evidence.tie_note(found, 0, 1) == " (a tie)"
    assert evidence.tie_note(found, 0, 2) == ""
    assert evidence.ties_text(found.certainty, [0, 1, 2]).startswith("Ties: #0 and #1 differ")
    assert evidence.ties_text(found.certainty, [0, 2]) == ""
    assert evidence.sure_text(replace(found, certainty=None), 0) == ""
