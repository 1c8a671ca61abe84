"""The report as a JSON file: what is written can be read by anyone, what is read is not trusted."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import synthetic_reports
from hypothesis import given, settings
from hypothesis import strategies as st

from unstuck.core.errors import BadInput
from unstuck.report import document
from unstuck.report import schema as json_schema

SMALL = {name: make for name, make in synthetic_reports.ALL.items() if name != "large"}


@pytest.fixture(scope="module")
def stuck() -> dict[str, Any]:
    return synthetic_reports.stuck()


@pytest.mark.parametrize("name", synthetic_reports.ALL)
def test_every_report_fits_the_schema_by_two_checkers(name: str) -> None:
    report = synthetic_reports.ALL[name]()
    assert document.check(report) == report
    jsonschema.Draft202012Validator(document.schema()).validate(report)


@pytest.mark.parametrize("name", SMALL)
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    report = SMALL[name]()
    path = document.write_document(report, tmp_path / "deep" / "report.json")
    assert document.read_document(path) == report
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_numbers_that_json_lacks_are_texts() -> None:
    values = [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64(0.5), np.int64(3), np.bool_(True), True]
    assert document.plain(values) == ["nan", "inf", "-inf", "nan", 0.5, 3, True, True]
    assert math.isnan(document.number("nan")) and document.number("-inf") == -math.inf
    json.dumps(document.plain({1: (math.nan, {2.5}, Path("x"))}), allow_nan=False)


def test_a_stranger_key_is_left_alone(stuck: dict[str, Any]) -> None:
    report = {**stuck, "later": {"any": [1, None]}}
    assert document.check(report)["later"] == {"any": [1, None]}


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("schema",), "unstuck.report/9", "report.schema"),
        (("run",), [], "report.run"),
        (("run", "steps"), -1, "report.run.steps"),
        (("run", "steps"), True, "report.run.steps"),
        (("run", "steps"), 10**400, "report.run.steps"),
        (("run", "argv"), ["x", 3], "report.run.argv[1]"),
        (("run", "exit"), {"status": "0", "exception": None}, "report.run.exit.status"),
        (("verdict", "state"), "cured", "report.verdict.state"),
        (("findings", 0, "severity"), "fatal", "report.findings[0].severity"),
        (("findings", 0, "confidence"), 1.5, "report.findings[0].confidence"),
        (("findings", 0, "line"), {"file": "x"}, "report.findings[0].line.line"),
        (("findings", 0, "symptoms", 0, "evidence"), {"a": []}, "report.findings[0].symptoms[0].evidence.a"),
        (("findings", 0, "sentence"), "x" * 20_001, "report.findings[0].sentence"),
        (("checks", 1, "status"), None, "report.checks[1].status"),
        (("curves", 0, "values"), [1.0], "report.curves[0]"),
        (("curves", 0, "values", 0), "NaN", "report.curves[0].values[0]"),
        (("layers", 0, "parameters", "statistics", "gradient_norm"), [[1.0]], "report.layers[0].parameters"),
    ],
)
def test_what_does_not_fit_is_named(stuck: dict[str, Any], path: tuple[Any, ...], value: object, named: str) -> None:
    report = copy.deepcopy(stuck)
    place: Any = report
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BadInput) as caught:
        document.check(report)
    assert caught.value.name.startswith(named)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("missing", ["schema", "run", "verdict", "findings", "checks"])
def test_what_is_missing_is_named(stuck: dict[str, Any], missing: str) -> None:
    with pytest.raises(BadInput, match=rf"report\.{missing}: got 'nothing'"):
        document.check({key: value for key, value in stuck.items() if key != missing})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        "null",
        '{"schema": NaN}',
        '{"schema": Infinity}',
        '{"a": 1, "a": 2}',
        "[" * 100_000,
        '{"a":' * 50_000,
        "9" * 10_000,
        '{"schema": "unstuck.report/1", "run": ' + "[" * 200 + "]" * 200 + "}",
    ],
)
def test_a_file_that_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        document.read_document(path)


def test_other_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(BadInput, match="No such file"):
        document.read_document(path)
    with pytest.raises(BadInput):
        document.read_document(tmp_path)
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(BadInput, match="not UTF-8"):
        document.read_document(path)
    monkeypatch.setattr(document, "LARGEST_BYTES", 2)
    with pytest.raises(BadInput, match="at most 2 bytes"):
        document.read_document(path)


def test_a_name_that_is_no_text_in_any_encoding_can_be_written(stuck: dict[str, Any], tmp_path: Path) -> None:
    report = copy.deepcopy(stuck)
    report["run"]["script"] = "caf\udce9.py"  # how Python gives a file name that is not UTF-8
    path = document.write_document(report, tmp_path / "report.json")
    assert document.read_document(path)["run"]["script"] == "caf\udce9.py"


def test_a_place_that_cannot_be_written_to_is_said(stuck: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="a place that can be written to"):
        document.write_document(stuck, tmp_path / "file" / "report.json")


# ---- the checker against the reference


def test_the_schema_uses_only_what_the_checker_knows() -> None:
    def words(part: object, *, names: bool = False) -> set[str]:
        if isinstance(part, list):
            return set().union(*(words(item) for item in part)) if part else set()
        if not isinstance(part, dict):
            return set()
        found = set() if names else set(part)
        for key, item in part.items():
            if key not in ("enum", "const", "required"):
                found |= words(item, names=not names and key in ("properties", "$defs"))
        return found

    assert words(document.schema()) <= json_schema.KEYWORDS | json_schema.ANNOTATIONS


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-2, 2)
    | st.sampled_from(["", "nan", "inf", "error", "watched", "unstuck.report/1", "fired", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["file", "line", "code", "steps", "type"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def damaged_reports(draw: st.DrawFn) -> dict[str, Any]:
    """A good report with one to three places exchanged for something else, or taken out."""
    report = copy.deepcopy(BASE)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = report
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 5)):
                place = place[key]
            else:
                if draw(st.booleans()):
                    place[key] = draw(JSON)
                else:
                    del place[key]
                break
    return report


def _thin(report: dict[str, Any]) -> dict[str, Any]:
    """A report small enough to be damaged in every place within a few hundred tries."""
    for curve in report["curves"]:
        curve["steps"], curve["values"], curve["smooth"] = curve["steps"][:2], curve["values"][:2], None
    report["curves"], report["checks"] = report["curves"][:2], report["checks"][:2]
    for table in report["layers"]:
        table["steps"] = table["steps"][:2]
        for part in ("parameters", "activations"):
            table[part]["rows"] = table[part]["rows"][:2]
            table[part]["statistics"] = {
                name: [row[:2] for row in matrix[:2]] for name, matrix in table[part]["statistics"].items()
            }
    return report


BASE = _thin(synthetic_reports.stuck())


@settings(max_examples=300, deadline=None)
@given(damaged_reports())
def test_the_checker_agrees_with_the_reference(report: dict[str, Any]) -> None:
    reference = jsonschema.Draft202012Validator(document.schema()).is_valid(report)
    try:
        json_schema.check(report, document.schema())
        ours = True
    except BadInput:
        ours = False
    assert ours == reference
