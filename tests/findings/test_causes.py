"""Root causes come first, and what they bring about goes under them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from unstuck.findings import causes
from unstuck.findings.contract import Finding, Fired


def found(code: str, severity: str = "error", confidence: float = 0.9, step: int | None = 0) -> Finding:
    return Finding(code, code.lower(), Fired(code, severity, confidence, "net", step))  # type: ignore[arg-type]


def tree(*findings: Finding) -> list[tuple[str, list[str]]]:
    return [(f.code, [s.code for s in f.symptoms]) for f in causes.ordered(findings)]


def test_there_is_no_circle() -> None:
    codes = set(causes.CAUSES) | {s for symptoms in causes.CAUSES.values() for s in symptoms}
    for code in codes:
        assert code not in causes.explained_by(code, codes - {code}) | set()
        above = causes.explained_by(code, codes)
        assert not any(code in causes.explained_by(cause, codes) for cause in above), code


def test_no_symptom_is_named_twice() -> None:
    for cause, symptoms in causes.CAUSES.items():
        assert len(set(symptoms)) == len(symptoms), cause
        assert cause not in symptoms


@pytest.mark.parametrize("root", ["D101", "U401", "G306", "L209", "G305"])
def test_dead_units_never_come_before_what_killed_them(root: str) -> None:
    for order in itertools.permutations([found("G303", confidence=1.0), found(root, confidence=0.6), found("G307")]):
        assert tree(*order) == [(root, ["G303", "G307"])]


def test_a_chain_goes_under_its_first_link() -> None:
    assert tree(found("G308"), found("G303"), found("U401"), found("D101")) == [("D101", ["U401", "G303", "G308"])]


def test_two_sicknesses_stay_two() -> None:
    assert tree(found("L201", confidence=0.7), found("U409", confidence=0.9)) == [("U409", []), ("L201", [])]


def test_information_explains_nothing_worse() -> None:
    assert tree(found("D101", "info"), found("G303")) == [("G303", []), ("D101", [])]
    assert tree(found("D101", "info"), found("G303", "info")) == [("D101", ["G303"])]
    assert tree(found("D101", "warning"), found("G303", "error")) == [("D101", ["G303"])]


def test_the_more_severe_root_comes_first() -> None:
    assert [c for c, _ in tree(found("D105", "info"), found("U410", "error"), found("D106", "warning"))] == [
        "U410",
        "D106",
        "D105",
    ]


def test_of_equals_the_one_nearer_to_the_origin_comes_first() -> None:
    assert [c for c, _ in tree(found("B605", confidence=0.86), found("G306", confidence=0.88))] == ["B605", "G306"]


def test_of_two_claims_only_the_one_that_causes_anything_explains() -> None:
    training = Fired("x", "warning", 0.7, "net", 0, {"modules_in_evaluation": 3})
    evaluation = Fired("x", "warning", 0.7, "net", 0, {"passes": 3})
    assert tree(Finding("B605", "b", training), found("G301")) == [("B605", ["G301"])]
    assert [c for c, _ in tree(Finding("B605", "b", evaluation), found("G301"))] == ["G301", "B605"]


def test_a_finding_keeps_what_it_said() -> None:
    (only,) = causes.ordered([found("G303", confidence=0.7, step=4)])
    assert only.fired.confidence == 0.7 and only.fired.step == 4 and only.symptoms == ()


def test_nothing_is_lost() -> None:
    codes = sorted(causes.CAUSES)
    made = causes.ordered([found(c) for c in codes])
    assert sorted([f.code for f in made] + [s.code for f in made for s in f.symptoms]) == codes


def early(code: str, **evidence: float) -> Finding:
    return Finding(code, code.lower(), Fired(code, "warning", 0.8, "net", 0, evidence=evidence))


GROWN, SURE = early("G302", growth_through_time=4e4), early("G304", sure_at_start=0.9)


def test_what_stood_before_the_first_step_comes_before_the_step() -> None:
    step = found("U403", "warning", 0.9), found("U401", "warning", 0.9), found("G301", "error", 0.9)
    assert tree(*step, GROWN) == [("G302", ["G301", "U403", "U401"])]
    assert tree(*step, SURE) == [("G304", ["G301", "U403", "U401"])]
    assert tree(*step, early("G302"))[0][0] == "U403"
    assert tree(*step, early("G304"))[0][0] == "U403"


def test_an_event_does_not_bring_about_what_stood_before_it() -> None:
    leap = Finding("U406", "u406", Fired("U406", "warning", 0.75, "step 269", 269))
    before = Finding("U401", "u401", Fired("U401", "warning", 0.9, "Adam(lr=1)", 2))
    after = Finding("U401", "u401", Fired("U401", "warning", 0.9, "Adam(lr=1)", 270))
    assert tree(leap, before)[0] == ("U401", [])
    assert tree(leap, after) == [("U406", ["U401"])]


@pytest.mark.parametrize("present", [(GROWN,), (SURE,), (GROWN, SURE)])
def test_there_is_no_circle_when_links_are_turned_round(present: tuple[Finding, ...]) -> None:
    turned = causes.links_among({finding.code: finding for finding in present})
    codes = set(turned) | {s for symptoms in turned.values() for s in symptoms}
    for code in codes:
        for cause in causes.explained_by(code, codes, causes=turned):
            assert code not in causes.explained_by(cause, codes, causes=turned), (code, cause)


def test_a_run_that_ended_long_before_its_schedule_explains_a_rate_that_is_still_short() -> None:
    short = found("U402", "warning")
    plain = Finding("T701", "t701", Fired("T701", "warning", 0.75, "end of training", 99))
    ended = Finding("T701", "t701", replace(plain.fired, evidence={"schedule_left": 0.9}))
    assert tree(short, plain) == [("U402", ["T701"])]
    assert tree(short, ended) == [("T701", ["U402"])]
