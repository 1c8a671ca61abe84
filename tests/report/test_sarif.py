"""The SARIF log: valid, complete, and with fingerprints that stay."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from sarif_pydantic import Sarif

from unstuck.report.sarif import RuleText, sarif, write_sarif

RULES = [
    RuleText("D101", "inputs-not-normalized", "features are far from unit scale", "Inputs are large.", True),
    RuleText("G303", "dead-units", "units output zero for every example", "Units are dead.", True),
    RuleText("L201", "double-softmax", "probabilities go into a loss with a softmax", "Twice.", True),
    RuleText("U401", "step-too-long", "the step is too long", "Long steps.", True),
    RuleText("U402", "step-too-short", "the step is too short", "Short steps.", True),
]


def document() -> dict[str, Any]:
    dead = {"code": "G303", "name": "dead-units", "severity": "info", "basis": "watched", "confidence": 0.6, "step": 3,
            "where": "net.fc1", "sentence": "All dead.", "line": None, "remedies": [], "symptoms": []}  # fmt: skip
    line = {"file": "/home/me/my project/train.py", "line": 12, "function": "main", "text": "loss = f(net(x), y)"}
    raw = {"code": "D101", "name": "inputs-not-normalized", "severity": "error", "basis": "watched", "confidence": 0.9,
           "step": 0, "where": "net", "sentence": "Inputs reach 255.", "line": line,
           "remedies": [{"name": "scale", "text": "Scale them."}], "symptoms": [dead]}  # fmt: skip
    return {
        "run": {"name": "run-1", "exit": {"status": 0}},
        "verdict": {"state": "unknown", "sentence": "It stands."},
        "findings": [raw],
        "checks": [
            {"code": "D101", "name": "inputs-not-normalized", "status": "fired", "reason": ""},
            {"code": "L201", "name": "double-softmax", "status": "passed", "reason": "no softmax before the loss"},
            {"code": "U401", "name": "step-too-long", "status": "skipped", "reason": "no losses"},
            {"code": "U402", "name": "step-too-short", "status": "crashed", "reason": "ValueError: x"},
        ],
    }


def made(change: Any = None) -> dict[str, Any]:
    report = document()
    if change:
        change(report)
    return sarif(report, RULES, version="1.2.3", root=Path("/home/me"))


def prints(log: dict[str, Any]) -> list[str]:
    found = [r["partialFingerprints"]["unstuck/v1"] for r in log["runs"][0]["results"] if "partialFingerprints" in r]
    assert len(set(found)) == len(found) == 2
    return found


def test_is_valid(tmp_path: Path) -> None:
    write_sarif(document(), tmp_path / "log.sarif", RULES, version="1.2.3", root=Path("/home/me"))
    text = (tmp_path / "log.sarif").read_text()
    log = Sarif.model_validate(json.loads(text))
    assert log.version == "2.1.0" and [r.id for r in log.runs[0].tool.driver.rules or []] == [r.code for r in RULES]
    assert not list(tmp_path.glob(".*"))


def test_every_check_is_told_once() -> None:
    results = made()["runs"][0]["results"]
    assert [r["ruleId"] for r in results] == ["D101", "G303", "L201", "U401", "U402"]
    assert [r.get("kind", "fail") for r in results] == ["fail", "fail", "pass", "open", "open"]
    assert [r["level"] for r in results] == ["error", "note", "none", "none", "none"]
    assert all(RULES[r["ruleIndex"]].code == r["ruleId"] for r in results)
    assert results[1]["properties"]["symptomOf"] == "D101"


def test_places_are_relative_and_quoted() -> None:
    place = made()["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "my%20project/train.py", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 12, "snippet": {"text": "loss = f(net(x), y)"}}


def test_crashes_are_notifications() -> None:
    invocation = made()["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] and invocation["exitCode"] == 0
    assert invocation["toolExecutionNotifications"][0]["associatedRule"] == {"id": "U402"}


def test_fingerprints_stay_when_lines_and_numbers_move() -> None:
    def moved(report: dict[str, Any]) -> None:
        first = report["findings"][0]
        first["line"] = {**first["line"], "line": 40, "text": "loss = f(net(x),   y)"}
        first["sentence"], first["confidence"] = "Inputs reach 254.", 0.8

    assert prints(made()) == prints(made(moved))


def test_fingerprints_change_with_the_place() -> None:
    def elsewhere(report: dict[str, Any]) -> None:
        report["findings"][0]["line"]["text"] = "other = g(x)"

    one, other = prints(made()), prints(made(elsewhere))
    assert one[0] != other[0] and one[1] == other[1]


def test_the_report_is_left_alone() -> None:
    report = document()
    before = copy.deepcopy(report)
    sarif(report, RULES, version="1", root=None)
    assert report == before
