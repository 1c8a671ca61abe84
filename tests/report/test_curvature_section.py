"""The page's section on curvature, and the drawing of causes."""

from __future__ import annotations

from typing import Any

from unstuck.report.cause_graph import cause_graph
from unstuck.report.curvature import section


def finding(code: str, name: str, *symptoms: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "name": name, "severity": "warning", "symptoms": list(symptoms)}


def test_causes_stand_left_of_what_they_caused() -> None:
    report = {
        "findings": [finding("D101", "inputs", finding("G303", "dead <units>"), finding("T701", "early"))],
        "links": [{"cause": "D101", "symptom": "G303"}, {"cause": "G303", "symptom": "T701"}],
    }
    drawn = str(cause_graph(report))
    assert drawn.index(">D101<") and "D101 causes G303; G303 causes T701" in drawn
    assert "dead &lt;units&gt;" in drawn and drawn.count("causes-arrow") == 2
    places = [int(part.split('"')[0]) for part in drawn.split('<rect x="')[1:]]
    assert places == sorted(places) and len(set(places)) == 3


def test_nothing_to_draw() -> None:
    assert cause_graph({"findings": [finding("D101", "inputs")], "links": []}) is None
    assert cause_graph({"findings": [], "links": [{"cause": "A", "symptom": "B"}]}) is None


def test_looks_are_shown_with_their_numbers_or_their_reason() -> None:
    trial = {"before": 2.3, "steps": 20, "multiples": [1, 4], "falls": [0.1, None]}
    looks = [
        {"look": "live", "step": 18, "largest": 3.25, "rate_times_curvature": 0.3, "stable_limit": 2.0},
        {"look": "kept", "step": 100, "state": "saddle", "largest": 2.0, "trial": trial},
        {"look": "kept", "step": 100, "unseen": "no time"},
    ]
    made = section({"curvature": looks[:2]})
    assert made is not None
    assert [row["largest"] for row in made["looks"]] == ["3.25", "2"] and made["looks"][1]["state"] == "saddle"
    assert made["trial"]["falls"] == ["0.1", "not finite"]
    unseen = section({"curvature": looks[2:]})
    assert unseen is not None and unseen["looks"][0]["unseen"] == "no time" and unseen["trial"] is None
    assert section({}) is None
