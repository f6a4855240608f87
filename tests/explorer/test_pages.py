"""The pages by Streamlit's own test driver: what stands on them, and what their widgets do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from moopt import refit
from moopt.errors import StoreError
from moopt.frames import front_trials
from moopt.measure.size import model_bytes
from moopt.objectives import Objective
from moopt.store import artefacts, open_store
from tests.explorer import synthetic
from tests.explorer.pages import Open, offered, take, turned, words


def slider(app: AppTest, objective: str) -> object:
    return app.select_slider(key=f"moopt limit {objective}")


def test_a_fresh_page_shows_the_study_and_recommends(explorer: Open, filled: Callable[..., Path]) -> None:
    app = explorer(filled(40))
    assert "40 trials" in words(app)
    assert "Nothing is picked yet" in words(app)
    assert [one.label for one in app.select_slider] == [f"Limit of {one.name}" for one in synthetic.FOUR]
    assert dict(app.query_params) == {}


def test_search_and_confirmed_values_stand_side_by_side(explorer: Open, tmp_path: Path) -> None:
    store = open_store(tmp_path / "sure.db")
    one, other, _ = synthetic.confirmed(store, "sure")
    store.close()
    explore = explorer(tmp_path / "sure.db", pick=str(one))
    assert {"likely", "tie"} <= set(explore.dataframe[0].value.columns)
    assert "(an estimate from 5 folds)" in words(explore)
    decide = words(turned(explore, "decide"))
    assert ">by the search</th>" in decide
    assert ">confirmed</th>" in decide
    assert "Confirmed: its scores on test rows" in decide
    compare = words(turned(explorer(tmp_path / "sure.db", compare=f"{one},{other}"), "compare"))
    assert "accuracy, confirmed" in compare


def test_the_recommended_trial_is_taken_and_kept_in_the_url(explorer: Open, filled: Callable[..., Path]) -> None:
    app = take(explorer(filled(40)))
    number = app.query_params["pick"]
    assert f"<em>#{number}</em>" in words(app)


def test_a_reader_who_goes_back_undoes_the_pick(explorer: Open, filled: Callable[..., Path]) -> None:
    app = take(explorer(filled(30)))
    app.query_params.clear()
    assert "Nothing is picked yet" in words(app.run())
    assert "pick" not in app.query_params


def test_a_limit_goes_to_the_url_and_comes_back_from_it(explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(40)
    app = explorer(path)
    offered = slider(app, "latency_ms").options
    slider(app, "latency_ms").set_value(_option(offered, 10)).run()
    stated = app.query_params["limit.latency_ms"]
    again = explorer(path, limit__latency_ms=stated)
    assert slider(again, "latency_ms").value == float(stated)
    assert words(again).count("latency_ms ≤") == 1


def _option(offered: Sequence[str], place: int) -> float:
    return float(offered[place].split()[0])


def test_a_pick_that_misses_a_limit_is_dropped_and_said_so(explorer: Open, filled: Callable[..., Path]) -> None:
    app = take(explorer(filled(60)))
    number = app.query_params["pick"]
    slider(app, "latency_ms").set_value(_option(slider(app, "latency_ms").options, 0)).run()
    assert f"Trial {number} misses latency_ms ≤" in words(app)
    assert "pick" not in app.query_params


def test_limits_that_leave_none_name_the_one_to_relax(explorer: Open, filled: Callable[..., Path]) -> None:
    app = explorer(filled(60), limit__latency_ms="0.000001")
    assert "0 of" in words(app)
    assert "Relax one limit" in words(app)
    assert next(one for one in app.button if one.label == "Take recommended").disabled
    next(one for one in app.button if one.label == "Relax this limit").click().run()
    assert not [one for one in app.button if one.label == "Relax this limit"]
    assert float(app.query_params["limit.latency_ms"]) > 0.000001


def test_who_misses_a_limit_is_listed_with_by_how_much(explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(60, failures=0.0)
    free = explorer(path)
    assert not [one for one in free.expander if "beyond a limit" in one.label]
    trials = front_trials(synthetic.FOUR, open_store(path, read_only=True).trials("churn"))
    latencies = sorted(one.values["latency_ms"] for one in trials)
    limit = float(f"{latencies[len(latencies) // 2]:.3g}")
    app = explorer(path, limit__latency_ms=str(limit))
    n_beyond = sum(latency > limit for latency in latencies)
    opened = next(one for one in app.expander if "beyond a limit" in one.label)
    assert opened.label == f"{n_beyond} trials of the front beyond a limit"
    table = opened.dataframe[0].value
    assert (table["value_latency_ms"] > limit).all()
    assert table["misses"].str.match(r"latency_ms by \S+ ms$").all()
    assert table["value_latency_ms"].is_monotonic_increasing, "the nearest first"


def test_any_complete_trial_is_picked_by_its_number(explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(60, failures=0.2)
    trials = [one for one in open_store(path, read_only=True).trials("churn") if one.values]
    on_front = {one.number for one in front_trials(synthetic.FOUR, trials)}
    dominated = next(one.number for one in trials if one.number not in on_front)
    app = take(explorer(path))
    recommended = app.query_params["pick"]
    written(app, f"#{dominated}")
    assert app.query_params["pick"] == str(dominated)
    assert f"Trial {dominated} is now dominated by #" in words(app)
    written(app, "9999")
    assert app.query_params["pick"] == str(dominated)
    assert "Trial 9999 is not among the complete trials" in words(app)
    written(app, "best")
    assert "best is no number of a trial" in words(app)
    assert app.text_input(key="moopt number").value == str(dominated)
    written(app, recommended)
    assert app.query_params["pick"] == recommended
    written(app, "")
    assert "pick" not in app.query_params


def written(app: AppTest, number: str) -> None:
    app.text_input(key="moopt number").set_value(number).run()


def test_a_preference_changes_what_is_recommended(explorer: Open, filled: Callable[..., Path]) -> None:
    app = explorer(filled(80))
    before = app.button[0].label
    app.selectbox(key="moopt prefer").set_value("accuracy").run()
    assert app.query_params["prefer"] == "accuracy"
    assert app.button[0].label != before


def test_axes_are_kept_in_the_url(explorer: Open, filled: Callable[..., Path]) -> None:
    app = explorer(filled(30))
    app.selectbox(key="moopt y").set_value("recall").run()
    assert app.query_params["y"] == "recall"
    words(app)


def test_a_broken_link_shows_the_study_all_the_same(explorer: Open, filled: Callable[..., Path]) -> None:
    app = explorer(filled(20), pick="9999", x="<b>", limit__nothing="3", limit__recall="x", study="other")
    assert "Trial 9999 is not among the complete trials" in words(app)
    assert dict(app.query_params) == {}


def test_the_decision_page_tells_why_and_offers_the_files(explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(60)
    app = take(explorer(path, limit__recall="0.9"))
    number = int(app.query_params["pick"])
    next(one for one in app.button if one.label.startswith("Decide on")).click().run()
    told = words(app)
    assert f"Trial {number} (" in told
    assert "to spare" in told
    assert "What its neighbours would change" in told
    assert "whose code is not stored" in told
    assert "Download the zip" in offered(app)

    app.button(key="moopt record").click().run()
    decision = open_store(path, read_only=True).decisions("churn")[-1]
    assert (decision.number, dict(decision.limits)) == (number, {"recall": 0.9})
    assert decision.reason in told.replace("≥", ">=")
    assert f"Decided: #{number}" in words(app)


def test_the_model_is_fitted_when_it_is_asked_for(explorer: Open, tmp_path: Path) -> None:
    path = tmp_path / "ill.db"
    store = open_store(path)
    file = synthetic.pipelines(store, "ill", tmp_path)
    store.close()
    app = take(explorer(path))
    next(one for one in app.button if one.label.startswith("Decide on")).click().run()
    assert "Download the zip" not in offered(app)
    fit = next(one for one in app.button if one.label.startswith("Fit the model"))
    fit.click().run()
    assert "Download the zip" in offered(app)
    assert "ill.csv" not in words(app)

    file.unlink()
    other = take(explorer(path, prefer="latency_ms"))
    next(one for one in other.button if one.label.startswith("Decide on")).click().run()
    next(one for one in other.button if one.label.startswith("Fit the model")).click().run()
    assert "ill.csv" in words(other)
    assert "Download the zip" in offered(other)


def test_a_model_that_its_confirmation_kept_is_packed_at_once(explorer: Open, tmp_path: Path) -> None:
    path = tmp_path / "ill.db"
    store = open_store(path)
    synthetic.pipelines(store, "ill", tmp_path)
    for number in (0, 1):
        kept = model_bytes(refit.fit(store.study("ill"), store.trial("ill", number).config).model)
        artefacts.keep(store, "ill", number, "skops", kept)
    store.close()
    app = turned(take(explorer(path)), "decide")
    assert not [one for one in app.button if one.label.startswith("Fit the model")]
    assert "Download the zip" in offered(app)
    assert "model.skops" in words(app)


def test_nothing_picked_leads_back(explorer: Open, filled: Callable[..., Path]) -> None:
    app = take(explorer(filled(30)))
    next(one for one in app.button if one.label.startswith("Decide on")).click().run()
    del app.query_params["pick"]
    app.run()
    assert "No trial is picked" in words(app)
    take(app)
    assert "Trial " in words(app)


def test_failures_are_counted_and_listed_with_their_messages(explorer: Open, filled: Callable[..., Path]) -> None:
    app = explorer(filled(60, failures=0.2))
    n_failed = int(app.expander[0].label.split()[0])
    table = app.expander[0].dataframe[0].value
    assert len(table) == n_failed > 1
    assert table["message"].str.startswith("the solver did not converge").all()


@pytest.mark.parametrize("count", [1, 2, 8])
def test_any_number_of_objectives_can_be_shown(explorer: Open, filled: Callable[..., Path], count: int) -> None:
    app = take(explorer(filled(40, synthetic.objectives(count))))
    assert len(app.select_slider) == count
    assert "pick" in app.query_params
    words(app)


def test_a_study_with_one_trial(explorer: Open, filled: Callable[..., Path]) -> None:
    app = take(explorer(filled(1)))
    next(one for one in app.button if one.label.startswith("Decide on")).click().run()
    assert "It is the only trial on the front" in words(app)


def test_a_study_without_a_trial_says_what_to_do(explorer: Open, filled: Callable[..., Path]) -> None:
    assert "This study has no trial yet. Start its search" in words(explorer(filled(0)))


def test_a_study_that_only_failed_says_so(explorer: Open, tmp_path: Path) -> None:
    path = tmp_path / "failed.db"
    store = open_store(path)
    synthetic.create(store, "failed")
    with store.write("failed") as writer:
        synthetic.grow(writer, 1, 4, failures=1.0)
    store.close()
    app = explorer(path)
    assert "All 4 trials failed, most often with: timeout" in words(app)
    assert len(app.expander[0].dataframe[0].value) == 4


def test_one_of_several_studies_is_chosen(explorer: Open, tmp_path: Path) -> None:
    path = tmp_path / "two.db"
    store = open_store(path)
    synthetic.fill(store, "first", 12)
    synthetic.fill(store, "second", 15, seed=1)
    store.close()
    app = explorer(path)
    app.selectbox(key="moopt study").set_value("first").run()
    assert app.query_params["study"] == "first"
    assert "12 trials" in words(app)
    assert "15 trials" in words(explorer(path, study="second"))


def test_a_store_without_a_study_says_what_to_do(explorer: Open, tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    open_store(path).close()
    assert "holds no study yet. Start one" in words(explorer(path))


def test_a_store_that_is_not_there_is_named(explorer: Open, tmp_path: Path) -> None:
    assert "missing.db" in words(explorer(tmp_path / "missing.db"))


def test_a_file_that_is_no_store_is_refused(explorer: Open, tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("no database")
    assert "notes.db" in words(explorer(path))


def test_the_app_wants_one_store(explorer: Open) -> None:
    assert "wants one store" in words(explorer())


def test_a_store_that_vanishes_is_told_and_may_come_back(explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(12)
    app = explorer(path)
    hidden = path.rename(path.with_suffix(".away"))
    assert "study.db" in words(app.run())
    hidden.rename(path)
    assert "12 trials" in words(app.run())


def test_a_store_that_goes_while_a_page_is_drawn_is_told(
    explorer: Open, filled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = take(explorer(filled(12)))

    def gone(*_: object) -> None:
        raise StoreError("the store is gone")

    monkeypatch.setattr("moopt.store.sql.SqlStore.decisions", gone)
    assert "the store is gone" in words(turned(app, "decide"))


@pytest.mark.parametrize("page", ["tradeoffs", "decide"])
def test_a_dominated_pick_has_a_way_on(page: str, explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(60, failures=0.0)
    trials = open_store(path, read_only=True).trials("churn")
    on_front = {one.number for one in front_trials(synthetic.FOUR, trials)}
    dominated = next(one.number for one in trials if one.number not in on_front)
    app = turned(explorer(path, pick=str(dominated)), page)
    assert "another trial is better, and nowhere worse" in words(app)
    next(one for one in app.button if one.label.endswith("instead")).click().run()
    assert int(app.query_params["pick"]) in on_front


def test_a_pick_that_becomes_dominated_is_marked_and_kept(explorer: Open, filled: Callable[..., Path]) -> None:
    of = (Objective("accuracy", "maximize"),)
    path = filled(6, of, failures=0.0)
    app = take(explorer(path))
    number = app.query_params["pick"]
    store = open_store(path)
    with store.write("churn") as writer:
        synthetic.grow(writer, 6, 60, of=of, failures=0.0)
    store.close()
    app.run()
    assert f"Trial {number} is now dominated by #" in words(app)
    assert app.query_params["pick"] == number


# Trade-offs


def test_a_wish_is_answered_at_once_kept_in_the_url_and_may_be_taken(
    explorer: Open, filled: Callable[..., Path]
) -> None:
    app = turned(take(explorer(filled(80))), "tradeoffs")
    number = app.query_params["pick"]
    control(app, "accuracy").set_value("improve").run()
    assert app.query_params["wish.accuracy"] == "improve"
    for other in ("recall", "latency_ms", "size_kb"):
        control(app, other).set_value("may worsen").run()
    assert "does that: " in words(app)
    assert "Hyperparameters that differ" in words(app)
    app.button(key="moopt take answer").click().run()
    assert app.query_params["pick"] != number
    assert not any(key.startswith("wish.") for key in app.query_params)


def test_how_much_worse_is_accepted_is_set_in_the_objectives_unit(explorer: Open, filled: Callable[..., Path]) -> None:
    app = turned(take(explorer(filled(80))), "tradeoffs")
    control(app, "latency_ms").set_value("may worsen").run()
    worst = app.select_slider(key="moopt worst latency_ms")
    worst.set_value(float(worst.options[0].split()[0])).run()
    assert float(app.query_params["wish.latency_ms"]) == float(worst.options[0].split()[0])


def test_a_wish_that_none_fulfils_names_what_stands_in_the_way(explorer: Open, filled: Callable[..., Path]) -> None:
    path = filled(80)
    complete = [one for one in open_store(path, read_only=True).trials("churn") if one.values]
    best = max(complete, key=lambda one: (one.values["accuracy"], -one.values["latency_ms"]))
    app = turned(explorer(path, pick=best.number, wish__accuracy="improve"), "tradeoffs")
    assert "No trial on the front does that" in words(app)


def test_the_next_trial_along_an_objective_is_one_click_away(explorer: Open, filled: Callable[..., Path]) -> None:
    app = turned(take(explorer(filled(80))), "tradeoffs")
    number = app.query_params["pick"]
    better = app.button(key="moopt better latency_ms")
    expected = better.label.split("#")[1].split(",")[0]
    better.click().run()
    assert app.query_params["pick"] == expected
    worse = app.button(key="moopt worse latency_ms")
    assert f"#{number}," in worse.label


def control(app: AppTest, objective: str) -> Any:
    return next(one for one in app.get("button_group") if one.key == f"moopt wish {objective}")


# Compare


def test_the_pick_is_compared_with_the_default_and_others_may_be_added(
    explorer: Open, filled: Callable[..., Path]
) -> None:
    app = turned(take(explorer(filled(80))), "compare")
    number = int(app.query_params["pick"])
    chosen = app.multiselect(key="moopt compare")
    assert chosen.value == [number, 0]
    told = words(app)
    assert f'<th scope="col">#{number}</th><th scope="col">#0</th>' in told
    assert "measured once, so without noise" in told
    third = next(int(one.split()[0].strip("#")) for one in chosen.options if not one.startswith((f"#{number}", "#0")))
    chosen.set_value([number, 0, third]).run()
    assert app.query_params["compare"] == f"{number},0,{third}"
    app.button(key=f"moopt take {third}").click().run()
    assert app.query_params["pick"] == str(third)


def test_fewer_than_two_trials_ask_for_more(explorer: Open, filled: Callable[..., Path]) -> None:
    app = turned(explorer(filled(40), compare="0,999"), "compare")
    assert "Choose two to four trials" in words(app)


# Pictures


@pytest.mark.parametrize("picture", ["axes", "matrix"])
def test_a_picture_is_kept_in_the_url(explorer: Open, filled: Callable[..., Path], picture: str) -> None:
    app = take(explorer(filled(40)))
    next(one for one in app.get("button_group") if one.key == "moopt picture").set_value(picture).run()
    assert app.query_params["picture"] == picture
    words(app)
