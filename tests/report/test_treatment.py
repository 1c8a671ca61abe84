"""A cure's part of a report, on the terminal and on the page."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from unstuck.core.errors import BadInput
from unstuck.report.document import check
from unstuck.report.html import render
from unstuck.report.treatment import print_treatment, rows

from synthetic_reports import healthy  # isort: skip


def remedy(label: str, values: list, *, recommended: bool, more_compute: bool = False) -> dict:
    known = [v for v in values if v is not None]
    mean = sum(known) / len(known) - 0.3
    return {
        "label": label,
        "changes": [{"name": "clipping", "options": {"norm": 0.2}}],
        "answers": ["G302"],
        "text": "Clip the gradient's norm before each step.",
        "code": "torch.nn.utils.clip_grad_norm_(model.parameters(), 0.2)",
        "risk": "It may be too short <b>a step</b>.",
        "more_compute": more_compute,
        "values": values,
        "effect": {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "pairs": len(known)},
        "against_random": {"mean": mean - 0.05, "low": None, "high": None, "pairs": 1},
        "against_halved": None,
        "recommended": recommended,
        "reason": "it helped" if recommended else "it changed nothing that matters",
        "seconds": 3.2,
        "curve": {"steps": [10, 20, 30], "values": [0.1, 0.5, 0.8]},
    }


def treated(*remedies: dict) -> dict:
    best = next((r["label"] for r in remedies if r["recommended"]), None)
    report = dict(healthy())
    report["treatment"] = {
        "sentence": "Clipping: better." if best else "None helped: of 1 remedies tried none raised it.",
        "yardstick": {"measured_on": "validation", "kind": "balanced accuracy", "least_effect": 0.05, "steps": None},
        "recommended": best,
        "nothing": {
            "label": "nothing changed",
            "values": [0.3, 0.3],
            "curve": {"steps": [10, 30], "values": [0.1, 0.3]},
        },
        "halved": None,
        "random": {
            "label": "cosine decay",
            "values": [0.35, 0.35],
            "effect": {"mean": 0.05, "low": 0.0, "high": 0.1, "pairs": 2},
            "drawn": ["cosine decay", "Adam at 0.001"],
        },
        "remedies": list(remedies),
        "trials": 4,
        "replays": 12,
        "seconds": 61.0,
        "warnings": ["refused in replays: connect to example.org"],
    }
    return report


def printed(report: dict) -> str:
    console = Console(file=io.StringIO(), width=110)
    print_treatment(report, console)
    return console.file.getvalue()


def test_the_terminal_says_what_helped_and_what_to_write():
    text = printed(treated(remedy("gradient norm at most 0.2", [0.8, 0.9], recommended=True)))
    assert "✔ Clipping: better." in text
    assert "gradient norm at most 0.2" in text and "+0.550" in text and "+0.450 … +0.650" in text
    assert "clip_grad_norm_(model.parameters(), 0.2)" in text
    assert "best of 2 random edits: cosine decay" in text
    assert "4 trials of remedies, 12 replays in all" in text and "connect to example.org" in text


def test_none_helped_is_said():
    text = printed(treated(remedy("gradient norm at most 0.2", [0.3, None], recommended=False)))
    assert "None helped" in text and "✔" not in text and "What to do" not in text


def test_controls_stand_below_the_remedies():
    lines = rows(treated(remedy("a", [0.8, 0.9], recommended=True))["treatment"])
    assert [line["control"] for line in lines] == [False, True, True]
    assert lines[0]["figure"] == "0.850" and lines[1]["effect"] == ""


def test_the_page_shows_it_and_escapes_it():
    page = render(treated(remedy("gradient <norm>", [0.8, 0.9], recommended=True)))
    assert 'id="treatment"' in page and "gradient &lt;norm&gt;" in page and "<b>a step</b>" not in page
    assert page.count('class="line-') == 2
    assert 'id="treatment"' not in render(healthy())


def test_the_schema_knows_it():
    report = treated(remedy("a", [0.8, None], recommended=True))
    check(report)
    del report["treatment"]["sentence"]
    with pytest.raises(BadInput, match="treatment"):
        check(report)
