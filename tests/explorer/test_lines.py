"""Parallel axes of the front."""

import numpy as np
import pytest

from moopt.choose import front_of
from moopt.objectives import Objective
from moopt_explorer import charts, lines

ACCURACY, LATENCY = Objective("accuracy", "maximize"), Objective("latency_ms", log=True)
FRONT = front_of(
    (ACCURACY, LATENCY),
    {number: {"accuracy": 0.8 + 0.05 * number, "latency_ms": 2.0**number} for number in range(5)},
)
LEFT = np.array([True, True, True, False, False])


def shown(*marked: tuple[int, str, list[float]]) -> lines.Lines:
    extra = [(number, kind, np.array(values)) for number, kind, values in marked]
    return lines.lines(FRONT, LEFT, extra, lambda number: f"config {number}")


def test_better_is_up_on_every_axis() -> None:
    frame = shown().frame.set_index("trial")
    assert frame["c0"].loc[[0, 4]].tolist() == [0, 1]
    assert frame["c1"].loc[[0, 4]].tolist() == [1, 0]
    assert frame["c1"].loc[2] == pytest.approx(0.5)  # 4 ms is halfway from 1 to 16 on a log scale
    assert frame["kind"].loc[4] == lines.BEYOND


def test_what_is_worse_than_the_front_lies_at_the_foot() -> None:
    frame = shown((9, lines.DEFAULT, [0.5, 1000.0])).frame
    assert frame.iloc[-1][["c0", "c1"]].tolist() == [0, 0]
    assert frame["trial"].iloc[-1] == 9, "marked trials are drawn on top"


def test_brushes_keep_what_lies_in_all_of_them() -> None:
    assert shown().brushed({0: (0.2, 0.8), 1: (0.4, 1.0)}) == [1, 2]


def test_of_a_large_front_some_lines_are_drawn_and_brushes_count_all() -> None:
    found = lines.lines(FRONT, LEFT, [], str, most=4)
    assert sorted(found.frame["trial"]) == [0, 1, 2, 4], "the best in each objective, then those within the limits"
    assert found.n_drawn == 4
    assert found.brushed({0: (0.0, 1.0)}) == [0, 1, 2, 3, 4]


def test_the_foot_of_a_brush_becomes_a_limit_in_the_objectives_unit() -> None:
    found = shown().limits({0: (0.5, 0.9), 1: (0.5, 1.0)})
    assert found == {"accuracy": pytest.approx(0.9), "latency_ms": pytest.approx(4.0)}
    assert shown().limits({0: (0.0, 0.5)}) == {}


def test_a_rounded_limit_is_never_stricter() -> None:
    assert lines.round_limit(LATENCY, 3.0011) == 3.01
    assert lines.round_limit(ACCURACY, 0.91237) == 0.912


def test_the_charts_have_a_brush_an_axis_and_a_panel_a_pair() -> None:
    spec = charts.parallel(shown())
    names = {param["name"] for param in spec["params"]}
    assert {"b0", "b1", "worst0", "best1"} <= names
    assert next(one["value"] for one in spec["params"] if one["name"] == "worst1") == 4.0
    three = front_of(
        (ACCURACY, LATENCY, Objective("size_kb")), {0: {"accuracy": 0.9, "latency_ms": 1.0, "size_kb": 3.0}}
    )
    pairs = charts.matrix(lines.lines(three, np.array([True]), [], str))
    assert [len(row["hconcat"]) for row in pairs["vconcat"]] == [1, 2]
