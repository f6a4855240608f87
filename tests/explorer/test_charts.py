"""Charts as pure functions: a spec, and its data."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from moopt.certainty import Certainty
from moopt.choose import front_of
from moopt.objectives import Objective
from moopt_explorer import charts, lines, marks, places
from moopt_explorer.state import TRIAL_NUMBER

ACCURACY = Objective("accuracy", "maximize")
LATENCY = Objective("latency_ms", log=True)
PAIR = (LATENCY, ACCURACY)


def trials(**columns: list[object]) -> pd.DataFrame:
    """Six complete trials: 0 is the default, 1 to 3 are the front."""
    return pd.DataFrame(
        {
            "number": [0, 1, 2, 3, 4, 5],
            "front": [False, True, True, True, False, False],
            "within": [True, True, True, False, True, False],
            "default": [True, False, False, False, False, False],
            "value_latency_ms": [20.0, 1.0, 5.0, 10.0, 8.0, 9000.0],
            "value_accuracy": [0.85, 0.8, 0.9, 0.95, 0.85, 0.5],
            **columns,
        }
    )


def scene_of(frame: pd.DataFrame, axes: tuple[Objective, Objective] = PAIR, **asked: Any) -> marks.Scene:
    names = ("value_accuracy", "value_latency_ms")
    where = places.places(
        axes,
        (ACCURACY, LATENCY),
        frame["number"].to_numpy(np.int64),
        frame[list(names)].to_numpy(np.float64),
        frame["front"].to_numpy(bool),
        frame["default"].to_numpy(bool),
    )
    return marks.scene(where, frame.loc[frame["within"].astype(bool), "number"].to_numpy(np.int64), **asked)


def drawn(
    frame: pd.DataFrame | None = None, limits: dict[str, float] | None = None, **asked: Any
) -> dict[str, pd.DataFrame]:
    scene = scene_of(trials() if frame is None else frame, **asked)
    spec = charts.scatter(scene, (ACCURACY, LATENCY), limits=limits or {}, describe="config of {}".format)
    data: dict[str, pd.DataFrame] = spec["datasets"]
    return data


def of_kind(points: pd.DataFrame, kind: str) -> list[int]:
    return points.loc[points["kind"] == kind, "trial"].tolist()


def test_the_front_is_drawn_by_whether_it_meets_the_limits() -> None:
    points = drawn()["points"]
    assert of_kind(points, "front") == [1, 2]
    assert of_kind(points, "front, beyond a limit") == [3]
    assert of_kind(points, "default config") == [0]


def test_the_pick_is_drawn_last_and_named() -> None:
    data = drawn(pick=2, recommended=1)
    assert data["points"]["kind"].iloc[-1] == "picked"
    assert of_kind(data["points"], "picked") == [2]
    assert of_kind(data["points"], "recommended") == [1]
    assert data["labels"]["text"].tolist() == ["#1", "#2"]


def test_a_pick_off_the_front_is_drawn_too() -> None:
    assert of_kind(drawn(pick=4)["points"], "picked") == [4]


def sure() -> Certainty:
    """Trials 1 and 2 tie; 3 is on the front in one case of five."""
    values = np.array([[1.0, 0.8], [5.0, 0.9], [10.0, 0.95]])
    within = np.array([[True, True, False], [True, True, False], [False, False, True]])
    unknown = np.full((3, 2), np.nan)
    return Certainty(
        objectives=PAIR,
        numbers=np.array([1, 2, 3]),
        probability=np.array([1.0, 0.6, 0.2]),
        confirmed=np.zeros(3, dtype=bool),
        values=values,
        low=unknown,
        high=unknown,
        within=within,
        noisy=("accuracy",),
        n_folds=5,
        on_test=None,
    )


def test_a_member_of_the_front_is_as_opaque_as_it_is_sure() -> None:
    points = drawn(certainty=sure())["points"].set_index("trial")
    assert points.loc[[1, 2, 3], "opacity"].tolist() == pytest.approx([1.0, 0.7, 0.4])
    assert points.loc[[1, 2, 3], "likely"].tolist() == ["100 %", "60 %", "20 %"]
    assert set(drawn()["points"]["opacity"]) == {1.0}


def test_what_ties_with_the_pick_is_marked() -> None:
    assert of_kind(drawn(pick=2, certainty=sure())["points"], "tie") == [1]
    assert of_kind(drawn(recommended=1, certainty=sure())["points"], "tie") == [2]
    assert of_kind(drawn(pick=3, recommended=1, certainty=sure())["points"], "tie") == []
    assert of_kind(drawn(certainty=sure())["points"], "tie") == []


def test_tooltips_are_texts_with_units() -> None:
    points = drawn()["points"]
    assert points.loc[points["trial"] == 2, ["o0", "o1"]].iloc[0].tolist() == ["0.9", "5 ms"]
    assert points.loc[points["trial"] == 2, "config"].iloc[0] == "config of 2"


def test_the_cloud_holds_the_dominated_trials_in_the_picture() -> None:
    assert drawn()["cloud"]["n"].sum() == 2
    assert drawn(whole=True)["cloud"]["n"].sum() == 3
    assert scene_of(trials()).n_outside == 1


def test_a_large_cloud_is_binned() -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    latency, accuracy = generator.uniform(1, 100, 20_000), generator.uniform(0.5, 1.0, 20_000)
    flags = {"front": False, "within": False, "default": False}
    many = pd.DataFrame({"number": range(20_000), **flags, "value_latency_ms": latency, "value_accuracy": accuracy})
    cloud = drawn(many, whole=True)["cloud"]
    assert 500 < len(cloud) <= places.CELLS[0] * places.CELLS[1]
    assert cloud["n"].sum() == 20_000
    assert cloud["text"].str.match(r"\d+ dominated trials?$").all()


def test_what_lies_behind_the_front_is_counted_once_for_a_window() -> None:
    where = scene_of(trials()).places
    around = places.window_of(where.pair[where.front])
    counted = where.dominated(around)
    assert where.dominated(around) is counted
    assert int(counted.counts.sum()) + counted.n_outside == 3
    assert int(where.dominated(where.whole).counts.sum()) == 3


def test_a_large_front_is_drawn_in_part_and_the_others_are_in_the_cloud() -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    latency, accuracy = generator.uniform(1, 100, 5_000), generator.uniform(0.5, 1.0, 5_000)
    flags = {"front": True, "within": latency < 50, "default": False}
    many = pd.DataFrame({"number": range(5_000), **flags, "value_latency_ms": latency, "value_accuracy": accuracy})
    data = drawn(many, pick=4321)
    members = of_kind(data["points"], "front") + of_kind(data["points"], "front, beyond a limit")
    assert len(set(members) - {4321}) == marks.MOST_POINTS
    assert of_kind(data["points"], "front, beyond a limit") == [], "who is within the limits comes first"
    assert of_kind(data["points"], "picked") == [4321]
    assert data["cloud"]["n"].sum() == 5_000 - marks.MOST_POINTS
    assert set(data["cloud"]["kind"]) == {"front"}
    corners = set(zip(data["steps"]["x"], data["steps"]["y"], strict=True))
    points = zip(data["points"]["x"], data["points"]["y"], strict=True)
    assert sum((round(x, 9), round(y, 9)) in {(round(a, 9), round(b, 9)) for a, b in corners} for x, y in points) > 3
    assert 2 * len(data["points"]) + len(data["cloud"]) <= 2_010


def test_the_step_goes_through_the_members_within_the_limits() -> None:
    steps = drawn()["steps"]
    corners = [(round(x, 6), round(y, 6)) for x, y in zip(steps["x"], steps["y"], strict=True)]
    assert corners[1:4] == [(1.0, 0.8), (5.0, 0.8), (5.0, 0.9)]
    assert steps["order"].is_monotonic_increasing


def test_the_step_separates_what_is_attained() -> None:
    generator = np.random.Generator(np.random.PCG64(1))
    pair = generator.uniform(size=(40, 2))
    window = places.window_of(pair)
    corners = marks.attainment(pair, window)
    for x, y in pair:
        below = corners[corners[:, 0] <= x][-1]
        assert y >= below[1]


def test_no_member_within_the_limits_leaves_no_step() -> None:
    assert drawn(trials(within=[False] * 6))["steps"].empty


def test_a_limit_is_drawn_with_its_value() -> None:
    across = drawn(limits={"latency_ms": 5.0})["across"]
    assert across["limit"].tolist() == pytest.approx([5.0])
    assert across["text"].tolist() == ["limit 5 ms"]


def test_only_a_limit_takes_layers() -> None:
    free = charts.scatter_spec(PAIR, PAIR, charts.LIGHT)
    assert "across" not in drawn(limits={"accuracy": 0.8})
    assert '"limit"' not in json.dumps(free)
    assert len(charts.scatter_spec(PAIR, PAIR, charts.LIGHT, ("upwards",))["layer"]) == len(free["layer"]) + 3


def test_a_limit_beyond_the_picture_shades_nothing_and_says_nothing() -> None:
    data = drawn(limits={"latency_ms": 1e6, "accuracy": 0.01})
    assert data["across"]["text"].tolist() == [""]
    assert data["across"]["limit"].max() == data["window"]["x"].max()
    assert data["upwards"]["limit"].min() == data["window"]["y"].min()


def test_an_axis_is_logarithmic_where_its_objective_is() -> None:
    spec = json.dumps(charts.scatter_spec(PAIR, PAIR, charts.LIGHT))
    assert '"x": {"axis"' in spec
    assert spec.count('"type": "log"') > 1
    assert "latency_ms (ms, log scale): lower is better" in spec
    assert "accuracy: higher is better" in spec


def test_a_spec_is_written_once_and_holds_no_data() -> None:
    first = charts.scatter_spec(PAIR, PAIR, charts.LIGHT)
    drawn(pick=1)
    assert charts.scatter_spec(PAIR, PAIR, charts.LIGHT) is first
    assert "datasets" not in first


def test_names_never_become_fields_or_formulas() -> None:
    odd = Objective("a.b['c'] \"<img src=x>\" 🙂", "maximize")
    spec = charts.scatter_spec((LATENCY, odd), (LATENCY, odd), charts.LIGHT, marks.SIDES)
    fields = [encoding.get("field") for layer in spec["layer"] for encoding in _encodings(layer)]
    assert odd.name not in fields
    plain = "x y limit seen n text order kind size opacity aria trial o0 o1 config"
    assert set(fields) - {None} <= set(plain.split())


def test_a_limit_does_not_write_the_spec_anew() -> None:
    charts.scatter_spec.cache_clear()
    for limit in (None, 3.0, 5.0):
        limited = Objective("latency_ms", log=True, limit=limit)
        scene = scene_of(trials(), (limited, ACCURACY))
        charts.scatter(scene, (ACCURACY, limited), limits={}, describe=str)
    assert charts.scatter_spec.cache_info().misses == 1


def test_a_single_objective_shows_the_best_so_far() -> None:
    scene = scene_of(trials(), (TRIAL_NUMBER, ACCURACY))
    steps = charts.scatter(scene, (ACCURACY,), limits={}, describe=str)["datasets"]["steps"]
    assert steps["y"].round(6).tolist()[1::2] == [0.85, 0.9, 0.95]
    assert scene.n_outside == 0


def test_values_that_are_not_finite_are_left_out() -> None:
    points = drawn(trials(value_latency_ms=[20.0, 1.0, float("nan"), 10.0, 8.0, 0.0]))["points"]
    assert 2 not in points["trial"].tolist()


def test_no_trial_at_all_draws_an_empty_picture() -> None:
    data = drawn(trials().iloc[:0])
    assert data["points"].empty
    assert data["cloud"].empty


def _encodings(layer: dict) -> list[dict]:
    found = []
    for encoding in layer["encoding"].values():
        found += encoding if isinstance(encoding, list) else [encoding]
    return found


def test_a_legend_has_as_many_columns_as_the_window_has_room_for() -> None:
    shown = lines.lines(front_of(PAIR, {1: {"latency_ms": 1.0, "accuracy": 0.8}}), np.array([True]), [], str)
    specs = (charts.scatter_spec(PAIR, PAIR, charts.LIGHT), charts.parallel(shown), charts.matrix(shown))
    for spec in specs:
        assert "windowSize()[0]" in json.dumps({key: part for key, part in spec.items() if key != "datasets"})


def test_kinds_of_a_matrix_differ_by_more_than_colour() -> None:
    front = front_of(PAIR, {1: {"latency_ms": 1.0, "accuracy": 0.8}, 2: {"latency_ms": 2.0, "accuracy": 0.9}})
    marked = [(2, lines.RECOMMENDED, front.values[1]), (2, lines.PICKED, front.values[1])]
    spec = charts.matrix(lines.lines(front, np.array([True, False]), marked, str))
    assert spec["datasets"]["lines"].groupby("kind")["size"].first()[[lines.RECOMMENDED, lines.PICKED]].is_unique
    panel = spec["vconcat"][0]["hconcat"][0]["encoding"]
    fills = dict(zip(panel["fill"]["scale"]["domain"], panel["fill"]["scale"]["range"], strict=True))
    assert [kind for kind, fill in fills.items() if fill == "transparent"] == [lines.BEYOND, lines.RECOMMENDED]
