"""What every store must do, as a class: a test module names its stores as subclasses.

class TestMine(StoreContract):
    def open(self, folder): return MyStore(...)
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moopt.errors import StudyBusy, StudyExists, StudyNotFound, UsageError
from moopt.objectives import Objective
from moopt.store.base import Store, StudyRecord
from moopt.trial import Artefact, Confirmation, Decision, Event, EventKind, Failure, Source, State, StepResult, Trial

OBJECTIVES = (Objective("accuracy", "maximize"), Objective("latency_ms", log=True, limit=5))


def a_record(name: str = "churn", **changes: Any) -> StudyRecord:
    record = StudyRecord(
        name=name,
        space={"x": [0.0, 1.0], "wörter": ["ä", None, True]},
        objectives=OBJECTIVES,
        search={"algorithm": "nsga2", "population": 20},
        seed=2**63 - 1,
        n_steps=2,
        spec={"data": {"file": "churn.csv", "sha256": "ab" * 32}},
        versions={"python": "3.11"},
        created_at=1.5,
    )
    return replace(record, **changes)


def a_trial(number: int = 0, **changes: Any) -> Trial:
    trial = Trial(
        number=number,
        config={"kind": "forest", "x": 0.1 + number, "n": 3, "flag": True, "none": None},
        origin={"subproblem": 4},
        state=State.RUNNING,
        n_steps=2,
        created_at=2.0,
    )
    return replace(trial, **changes)


def a_step(shift: float = 0.0) -> StepResult:
    return StepResult(
        values={"accuracy": 0.9 + shift, "latency_ms": 3.0},
        train={"accuracy": 0.99},
        seconds=0.25,
        details={"n_iter": 7, "warnings": ["did not converge"]},
    )


def ended(trial: Trial, **changes: Any) -> Trial:
    values = {"accuracy": 0.9, "latency_ms": 3.0}
    done = replace(trial, state=State.COMPLETE, values=values, fit=trial.number, finished_at=3.0)
    return replace(done, **changes)


def a_confirmation(number: int = 0, **changes: Any) -> Confirmation:
    confirmation = Confirmation(
        number=number,
        machine={"processor": "of 1984", "cores": 2},
        measures={"scores": {"accuracy": {"value": 0.9}}, "look": 1, "latency": {"latency_ms": {"n": 90}}},
        confirmed_at=5.0,
    )
    return replace(confirmation, **changes)


class StoreContract:
    """Every store passes these."""

    def open(self, folder: Path) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Any:
        opened = self.open(tmp_path)
        yield opened
        opened.close()
        opened.close()

    @pytest.fixture
    def study(self, store: Store) -> Store:
        store.create_study(a_record())
        return store

    def test_a_study_comes_back_as_it_was(self, study: Store) -> None:
        assert study.study("churn") == a_record()
        assert study.study() == a_record()

    def test_studies_are_listed_by_time_of_creation(self, store: Store) -> None:
        for number, name in enumerate(["b", "a", "c 'quoted' <i>🙂</i>"]):
            store.create_study(a_record(name, created_at=float(number)))
        assert [record.name for record in store.studies()] == ["b", "a", "c 'quoted' <i>🙂</i>"]

    def test_a_name_is_taken_once(self, study: Store) -> None:
        with pytest.raises(StudyExists, match="holds a study 'churn' already; go on with it"):
            study.create_study(a_record())

    def test_a_study_that_is_not_there_is_named_with_those_that_are(self, store: Store) -> None:
        with pytest.raises(StudyNotFound, match="holds no study; make one"):
            store.study()
        store.create_study(a_record("a"))
        store.create_study(a_record("b"))
        with pytest.raises(StudyNotFound, match="holds no study 'c'; it holds 'a', 'b'"):
            store.trials("c")
        with pytest.raises(StudyNotFound, match="several studies: 'a', 'b'; name one"):
            store.study()

    def test_a_trial_lives_from_queue_to_end(self, study: Store) -> None:
        with study.write("churn") as writer:
            queued = a_trial(state=State.QUEUED, source=Source.DEFAULT)
            writer.queue(queued)
            assert study.trials("churn") == [queued]
            running = replace(queued, state=State.RUNNING)
            writer.start(running)
            assert study.trials("churn") == [running]
            writer.step(0, 0, a_step())
            assert study.trial("churn", 0) == replace(running, steps={0: a_step()})
            done = ended(running, steps={0: a_step(), 1: a_step(0.05)})
            writer.finish(done, {1: a_step(0.05)})
            assert study.trial("churn", 0) == done

    def test_a_queued_trial_starts_as_it_is_given_and_keeps_what_the_user_wrote(self, study: Store) -> None:
        queued = a_trial(state=State.QUEUED)
        with study.write("churn") as writer:
            writer.queue(queued)
            study.add_note("churn", 0, "look at this one")
            study.set_attribute("churn", "owner", "ada", number=0)
            running = replace(queued, state=State.RUNNING, origin={"subproblem": 9}, created_at=8.0)
            writer.start(running)
        kept = replace(running, notes=("look at this one",), attributes={"owner": "ada"})
        assert study.trial("churn", 0) == kept

    def test_a_stopped_trial_runs_again_with_all_it_had(self, study: Store) -> None:
        record = {"after": 1, "by": 3, "expected": {"accuracy": 0.5}}
        with study.write("churn") as writer:
            writer.start(a_trial())
            writer.step(0, 0, a_step())
            stopped = ended(a_trial(), state=State.STOPPED, message="beaten", attributes={"stopped": record})
            writer.finish(stopped)
            study.add_note("churn", 0, "odd")
            again = replace(stopped, state=State.RUNNING, values={}, message="", finished_at=None)
            writer.resume(again)
            kept = replace(again, steps={0: a_step()}, notes=("odd",))
            assert study.trial("churn", 0) == kept
            assert [event.kind for event in study.events("churn")] == [EventKind.STARTED, EventKind.TOLD]
            writer.finish(ended(kept), {1: a_step()})
        assert study.trial("churn", 0).state is State.COMPLETE
        assert [event.kind for event in study.events("churn")] == [EventKind.STARTED, EventKind.TOLD, EventKind.TOLD]

    def test_steps_are_counted_without_being_read(self, study: Store) -> None:
        with study.write("churn") as writer:
            for number in range(3):
                writer.start(a_trial(number))
            writer.step(0, 0, a_step())
            writer.step(2, 0, a_step())
            writer.finish(ended(a_trial(2)), {1: a_step()})
        assert study.steps_done("churn") == {0: 1, 2: 2}

    def test_a_study_is_kept_whole_at_once(self, study: Store) -> None:
        trials = [ended(a_trial(0, notes=("a", "b")), steps={0: a_step(), 1: a_step(0.01)}), a_trial(1)]
        events = [Event(EventKind.STARTED, 0), Event(EventKind.STARTED, 1), Event(EventKind.TOLD, 0)]
        decisions = [Decision(0, {"latency_ms": 5.0}, "knee", "because", decided_at=1.0)]
        study.create_study(a_record("whole"), trials, events, decisions, [a_confirmation()])
        assert study.trials("whole") == trials
        assert study.events("whole") == events
        assert study.decisions("whole") == decisions
        assert study.confirmations("whole") == [a_confirmation()]
        assert study.trials("churn") == []
        with pytest.raises(StudyExists, match="'churn' already"):
            study.create_study(a_record(), trials)
        assert study.trials("churn") == []

    def test_any_text_is_kept_and_none_loses_the_trial(self, study: Store) -> None:
        """A file name in an unknown encoding has half a surrogate pair, which no database keeps."""
        with study.write("churn") as writer:
            named = a_trial(config={"path": "caf\udce9", "nul": "a\0b"})
            writer.start(named)
            writer.finish(ended(named, message="no file caf\udce9 \u2028 🙂"))
            study.add_note("churn", 0, "zwölf\nLinien")
        trial = study.trial("churn", 0)
        assert trial.config == {"path": "caf\udce9", "nul": "a\0b"}
        assert trial.message.startswith("no file caf")
        assert trial.message.endswith("\u2028 🙂")
        assert trial.notes == ("zwölf\nLinien",)

    def test_a_value_that_only_looks_like_a_number_stays_what_it_is(self, study: Store) -> None:
        for value in ({"$float": "abc"}, {"$float": 1}, {"$float": "nan", "more": 1}, "$float", [[], {}, None]):
            study.set_attribute("churn", "k", value)
            assert study.study("churn").attributes == {"k": value}

    def test_an_attribute_that_is_no_plain_value_is_refused(self, study: Store) -> None:
        with pytest.raises(UsageError, match=r"cannot be kept .*give numbers, texts, lists and dicts"):
            study.set_attribute("churn", "k", object())
        assert study.study("churn").attributes == {}

    def test_an_attribute_is_a_copy_of_what_was_given(self, study: Store) -> None:
        given = {"seen": [1]}
        study.set_attribute("churn", "k", given)
        given["seen"].append(2)
        assert study.study("churn").attributes == {"k": {"seen": [1]}}

    def test_a_study_that_was_deleted_is_missed_by_its_readers(self, study: Store) -> None:
        assert study.revision("churn") >= 0
        study.delete_study("churn")
        for reading in (
            study.trials,
            study.events,
            study.decisions,
            study.confirmations,
            study.artefacts,
            study.revision,
            study.is_running,
            study.steps_done,
        ):
            with pytest.raises(StudyNotFound, match="holds no study"):
                reading("churn")

    def test_events_come_back_in_their_order(self, study: Store) -> None:
        with study.write("churn") as writer:
            for number in range(3):
                writer.start(a_trial(number))
            for number in (2, 0):
                writer.finish(ended(a_trial(number)))
        started = [Event(EventKind.STARTED, number) for number in range(3)]
        assert study.events("churn") == [*started, Event(EventKind.TOLD, 2), Event(EventKind.TOLD, 0)]

    def test_siblings_end_with_the_trial_that_paid(self, study: Store) -> None:
        sibling = ended(a_trial(1, source=Source.SIBLING), fit=0, steps={0: a_step(), 1: a_step()})
        with study.write("churn") as writer:
            writer.start(a_trial())
            writer.finish(ended(a_trial()), {0: a_step(), 1: a_step()}, [sibling])
        assert study.trial("churn", 1) == sibling
        assert [event.number for event in study.events("churn")] == [0, 0, 1, 1]

    def test_results_of_siblings_stay_with_the_step_until_they_are_trials(self, study: Store) -> None:
        siblings = (replace(a_step(0.01), changes={"n": 2}), StepResult({}, changes={"n": 1}, failure="too small"))
        step = replace(a_step(), siblings=siblings)
        with study.write("churn") as writer:
            writer.start(a_trial())
            writer.step(0, 0, step)
        assert study.trial("churn", 0).steps == {0: step}
        study.create_study(a_record("copy"), study.trials("churn"))
        assert study.trials("copy") == study.trials("churn")
        sibling = ended(a_trial(1, source=Source.SIBLING), fit=0, steps={0: siblings[0]})
        with study.write("churn") as writer:
            writer.finish(ended(a_trial()), {1: step}, [sibling])
        assert study.trial("churn", 0).steps == {0: a_step(), 1: a_step()}
        assert study.trial("churn", 1).steps == {0: siblings[0]}

    def test_a_failed_trial_keeps_its_kind_and_message(self, study: Store) -> None:
        failed = ended(
            a_trial(), state=State.FAILED, values={}, failure=Failure.OUT_OF_MEMORY, message="too ‘big’\nby far"
        )
        with study.write("churn") as writer:
            writer.start(a_trial())
            writer.finish(failed)
        assert study.trial("churn", 0) == failed

    def test_numbers_that_are_not_finite_survive(self, study: Store) -> None:
        with study.write("churn") as writer:
            writer.start(a_trial())
            writer.finish(ended(a_trial(), values={"accuracy": math.nan, "latency_ms": math.inf}))
        values = study.trial("churn", 0).values
        assert math.isnan(values["accuracy"])
        assert values["latency_ms"] == math.inf

    def test_floats_come_back_bit_for_bit(self, study: Store) -> None:
        config = {"a": 0.1 + 0.2, "b": 5e-324, "c": 1e308, "d": -0.0}
        with study.write("churn") as writer:
            writer.start(a_trial(config=config))
        stored = study.trial("churn", 0).config
        assert [float(value).hex() for value in stored.values() if value is not None] == [
            value.hex() for value in config.values()
        ]

    def test_steps_may_be_left_out_when_reading(self, study: Store) -> None:
        with study.write("churn") as writer:
            writer.start(a_trial())
            writer.step(0, 0, a_step())
        assert [len(trial.steps) for trial in study.trials("churn", with_steps=False)] == [0]
        assert [len(trial.steps) for trial in study.trials("churn")] == [1]

    def test_some_trials_are_read_whole(self, study: Store) -> None:
        with study.write("churn") as writer:
            for number in range(1_100):
                writer.start(a_trial(number))
            writer.finish(ended(a_trial(7)), {0: a_step()})
        study.add_note("churn", 7, "look here")
        some = study.some_trials("churn", [9, 7, 7, 5_000])
        assert some == [study.trial("churn", 7), study.trial("churn", 9)]
        assert some[0].steps
        assert len(study.some_trials("churn", range(50, 1_100))) == 1_050
        assert study.some_trials("churn", []) == []

    def test_trials_are_read_as_columns(self, study: Store) -> None:
        with study.write("churn") as writer:
            for number in range(4):
                writer.start(a_trial(number))
            writer.finish(ended(a_trial(0), values={"accuracy": math.nan, "latency_ms": 3}), {0: a_step()})
            writer.finish(ended(a_trial(2), source=Source.DEFAULT, values={"accuracy": 0.7}))
            writer.finish(ended(a_trial(3), state=State.FAILED, values={}, failure=Failure.ERROR, message="no"))
        study.add_note("churn", 2, "look here")
        found, trials = study.columns("churn"), study.trials("churn", with_steps=False)
        assert found.number.tolist() == [0, 1, 2, 3]
        assert found.state.tolist() == ["complete", "running", "complete", "failed"]
        assert found.source.tolist() == [trial.source for trial in trials]
        assert found.finished_at.tolist() == pytest.approx([3, math.nan, 3, 3], nan_ok=True)
        assert found.values["latency_ms"].tolist() == pytest.approx([3, math.nan, math.nan, math.nan], nan_ok=True)
        assert [found[place] for place in (1, 2, 3)] == trials[1:]
        assert list(found)[1:] == trials[1:]
        assert found[0].config == trials[0].config
        assert len(study.columns("churn", found)) == 4

    def test_a_study_without_a_trial_has_empty_columns(self, study: Store) -> None:
        found = study.columns("churn")
        assert len(found) == 0
        assert list(study.columns("churn", found)) == []

    def test_columns_are_brought_up_to_date(self, study: Store) -> None:
        with study.write("churn") as writer:
            writer.start(a_trial(0))
            writer.finish(ended(a_trial(0)))
            writer.start(a_trial(1))
            writer.start(a_trial(2))
            writer.finish(ended(a_trial(2), state=State.STOPPED, values={"accuracy": 0.5}))
            known = study.columns("churn")
            writer.finish(ended(a_trial(1), values={"accuracy": 0.8}))
            writer.resume(a_trial(2))
            writer.start(a_trial(3))
            study.add_note("churn", 0, "the best so far")
            found = study.columns("churn", known)
        assert list(found) == study.trials("churn", with_steps=False)
        assert found.state.tolist() == ["complete", "complete", "running", "running"]
        assert found.values["accuracy"].tolist() == pytest.approx([0.9, 0.8, math.nan, math.nan], nan_ok=True)
        assert known.state.tolist() == ["complete", "running", "stopped"]

    def test_a_trial_that_is_not_there_is_refused(self, study: Store) -> None:
        with pytest.raises(UsageError, match="has no trial 0; it has none yet"):
            study.trial("churn", 0)
        with study.write("churn") as writer:
            writer.start(a_trial())
        with pytest.raises(UsageError, match="study 'churn' has no trial 7; it has 0 to 0"):
            study.add_note("churn", 7, "lost")
        with pytest.raises(UsageError, match="has no trial 7"):
            study.add_decision("churn", Decision(7, {}, "knee", "because"))
        with pytest.raises(UsageError, match="has no trial -1"):
            study.trial("churn", -1)

    def test_notes_attributes_and_decisions_are_kept(self, study: Store) -> None:
        with study.write("churn") as writer:
            writer.start(a_trial(attributes={"owner": "ada"}))
            study.add_note("churn", 0, "first")
            study.add_note("churn", 0, "second <b>bold</b>")
            study.set_attribute("churn", "seen", [1, 2], number=0)
            writer.finish(ended(a_trial(), attributes={"traceback": "..."}))
        trial = study.trial("churn", 0)
        assert trial.notes == ("first", "second <b>bold</b>")
        assert trial.attributes == {"owner": "ada", "seen": [1, 2], "traceback": "..."}
        study.set_attribute("churn", "team", "risk")
        assert study.study("churn").attributes == {"team": "risk"}
        decision = Decision(0, {"latency_ms": 5.0}, "recall", "because", decided_at=9.0)
        study.add_decision("churn", decision)
        assert study.decisions("churn") == [decision]

    def test_confirmations_and_artefacts_are_kept_in_their_order(self, study: Store) -> None:
        with study.write("churn") as writer:
            writer.start(a_trial())
            revision = study.revision("churn")
            confirmations = [a_confirmation(), a_confirmation(machine={"processor": "new", "cores": 8})]
            artefacts = [Artefact(0, "skops", f"trial_0_{k}.skops", f"{k}" * 64, 1200, made_at=4.0) for k in range(2)]
            for confirmation, artefact in zip(confirmations, artefacts, strict=True):
                study.add_confirmation("churn", confirmation)
                study.add_artefact("churn", artefact)
        assert study.confirmations("churn") == confirmations
        assert study.artefacts("churn") == artefacts
        assert study.revision("churn") >= revision + 4
        with pytest.raises(UsageError, match="has no trial 7"):
            study.add_confirmation("churn", a_confirmation(7))
        with pytest.raises(UsageError, match="has no trial 7"):
            study.add_artefact("churn", replace(artefacts[0], number=7))
        with pytest.raises(UsageError, match="cannot be kept"):
            study.add_confirmation("churn", a_confirmation(measures={"scores": object()}))
        assert len(study.confirmations("churn")) == 2

    def test_the_revision_grows_with_every_write(self, study: Store) -> None:
        seen = [study.revision("churn")]
        with study.write("churn") as writer:
            writer.start(a_trial())
            seen.append(study.revision("churn"))
            writer.step(0, 0, a_step())
            seen.append(study.revision("churn"))
            writer.finish(ended(a_trial()))
            seen.append(study.revision("churn"))
        study.add_note("churn", 0, "a note")
        seen.append(study.revision("churn"))
        study.add_decision("churn", Decision(0, {}, "knee", "because"))
        seen.append(study.revision("churn"))
        assert seen == sorted(set(seen))

    def test_one_coordinator_writes_a_study_and_others_are_refused(self, study: Store) -> None:
        assert not study.is_running("churn")
        writer = study.write("churn")
        assert study.is_running("churn")
        for refused in (
            lambda: study.write("churn"),
            lambda: study.delete_study("churn"),
            lambda: study.rename_study("churn", "new"),
        ):
            with pytest.raises(StudyBusy, match="study 'churn' is being written by"):
                refused()
        writer.heartbeat()
        writer.close()
        writer.close()
        assert not study.is_running("churn")
        with pytest.raises(StudyBusy, match="was given back"):
            writer.start(a_trial())
        assert study.trials("churn") == []
        study.write("churn").close()

    def test_two_studies_may_be_written_at_once(self, study: Store) -> None:
        study.create_study(a_record("other"))
        with study.write("churn") as one, study.write("other") as two:
            one.start(a_trial())
            two.start(a_trial(config={"x": 7}))
        assert study.trial("churn", 0).config != study.trial("other", 0).config

    def test_a_study_is_renamed_with_all_that_belongs_to_it(self, study: Store) -> None:
        with study.write("churn") as writer:
            writer.start(a_trial())
        study.create_study(a_record("other"))
        with pytest.raises(StudyExists, match="'other' already"):
            study.rename_study("churn", "other")
        with pytest.raises(UsageError, match="new name of study 'churn' is empty"):
            study.rename_study("churn", " ")
        study.rename_study("churn", "leaving")
        assert len(study.trials("leaving")) == 1
        assert study.study("leaving").name == "leaving"
        with pytest.raises(StudyNotFound):
            study.study("churn")

    def test_a_deleted_study_is_gone_and_its_name_is_free(self, study: Store) -> None:
        with study.write("churn") as writer:
            writer.start(a_trial())
            writer.step(0, 0, a_step())
        study.add_note("churn", 0, "a note")
        study.add_confirmation("churn", a_confirmation())
        study.delete_study("churn")
        assert study.studies() == []
        study.create_study(a_record())
        assert study.trials("churn") == []
        assert study.events("churn") == []
        assert study.confirmations("churn") == []
