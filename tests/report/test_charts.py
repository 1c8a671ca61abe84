"""What the page draws, from the report's curves and layers."""

from __future__ import annotations

import math

import pytest
import synthetic_reports

from unstuck.report.charts import charts, layers
from unstuck.report.sparkline import sparkline


def test_one_chart_for_each_kind_and_one_series_for_each_stream() -> None:
    found = charts(synthetic_reports.two_optimizers())
    assert [chart["name"] for chart in found] == ["loss", "learning rate", "gradient norm"]
    assert [series["label"] for series in found[0]["series"]] == ["Adam 0", "RMSprop 1"]


def test_findings_are_marked_where_they_began() -> None:
    loss, *others = charts(synthetic_reports.stuck())
    assert [(mark["step"], mark["code"], mark["tone"]) for mark in loss["marks"]] == [
        (0, "L201", "bad"),
        (1204, "U401", "warn"),
    ]
    assert all(chart["marks"] == [] for chart in others)


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ([2.3, 2.0, 1.5, 1.2], False),
        ([1e7, 1e5, 1e3, 10.0, 2.3, 2.2], True),
        ([2.3] * 50 + [400.0], True),  # one spike would press all else flat
        ([2.3, 0.0, 1e6, 1.0], False),
        ([-1.0, 1e6, 1.0], False),
        (["nan", "inf"], False),
        ([], False),
    ],
)
def test_the_scale_that_shows_most(values: list[object], log: bool) -> None:
    report = synthetic_reports.nothing()
    report["curves"] = [{"name": "loss", "stream": 0, "steps": list(range(len(values))), "values": values, "of": 9}]
    assert charts(report)[0]["log"] is log


def test_a_curve_in_words() -> None:
    report = synthetic_reports.nothing()
    curve = {"name": "r2", "stream": 0, "steps": [0, 5, 9], "values": [0.5, "nan", 0.75], "of": 3, "nonfinite": 1}
    report["curves"] = [curve, {"name": "odd", "stream": 0, "steps": [0, 1], "values": ["inf", "inf"], "of": 7}]
    found = charts(report)
    assert found[0]["summaries"] == [
        "first 0.5 · last 0.75 · lowest 0.5 (step 0) · highest 0.75 (step 9) · 1 value not finite"
    ]
    assert found[1]["title"] == "odd" and found[1]["summaries"] == [
        "no finite value · 2 of 7 points drawn, every peak kept"
    ]


def test_each_statistic_of_the_layers_is_a_matrix() -> None:
    (table,) = layers(synthetic_reports.stuck())
    assert [(s["part"], s["title"]) for s in table["statistics"]][:3] == [
        ("parameters", "Gradient norm"),
        ("parameters", "Weight norm"),
        ("parameters", "Update ÷ weight"),
    ]
    for statistic in table["statistics"]:
        assert len(statistic["matrix"]) == len(statistic["rows"]) == len(statistic["kinds"])
        assert {len(row) for row in statistic["matrix"]} == {len(table["steps"])}
    assert layers(synthetic_reports.nothing()) == []


def test_the_sparkline_breaks_at_what_is_not_finite() -> None:
    line = sparkline({"steps": range(5), "values": [1.0, 2.0, "nan", 3.0, 1.0]})
    assert line is not None and line.path.count("M") == 2 and line.path.count("L") == 2


@pytest.mark.parametrize("values", [[], [1.0, 2.0], ["nan"] * 5, [1.0, "inf", 2.0]])
def test_no_sparkline_of_next_to_nothing(values: list[object]) -> None:
    assert sparkline({"steps": range(len(values)), "values": values}) is None
    assert sparkline(None) is None


def test_the_sparkline_stays_in_its_box() -> None:
    values = [1e9 * math.exp(-s / 10) for s in range(1000)] + [0.5] * 3
    line = sparkline({"steps": range(len(values)), "values": values})
    assert line is not None
    numbers = [float(x) for x in line.path.replace("M", " ").replace("L", " ").split()]
    assert min(numbers) >= 2 and max(numbers[::2]) <= 218 and max(numbers[1::2]) <= 54
