"""Judging: every rule in a guard, the verdict handed on, the recording left alone."""

from __future__ import annotations

import types
from collections.abc import Callable
from types import MappingProxyType

import pytest
from literal_recordings import STEPS, act, chain, sample, stuck

from unstuck.core.errors import BadInput
from unstuck.findings import catalog, verdict
from unstuck.findings.contract import Answer, Fired, NotApplicable, Passed, Skipped, Verdict
from unstuck.findings.judge import judge
from unstuck.record.recording import Recording


def rule(code: str, answer: Callable[[Recording], Answer], *, enabled: bool = True) -> types.SimpleNamespace:
    return types.SimpleNamespace(CODE=code, NAME=f"name-{code}", ENABLED=enabled, judge=answer)


@pytest.fixture
def own_rules(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(*rules: types.SimpleNamespace, broken: dict[str, str] | None = None) -> None:
        loaded = catalog.Catalog(MappingProxyType({r.CODE: r for r in rules}), broken or {})  # type: ignore[misc]
        monkeypatch.setattr(catalog, "load", lambda: loaded)

    return use


def fired(severity: str = "error") -> Fired:
    return Fired("It is so.", severity, 0.9, "net", 0)  # type: ignore[arg-type]


def test_each_answer_becomes_a_check(own_rules: Callable[..., None]) -> None:
    own_rules(
        rule("A1", lambda r: fired()),
        rule("A2", lambda r: Passed("fine")),
        rule("A3", lambda r: Skipped("no series")),
        rule("A4", lambda r: NotApplicable("no images")),
    )
    made = judge(Recording())
    assert [(c.code, c.status, c.reason) for c in made.checks] == [
        ("A1", "fired", "It is so."),
        ("A2", "passed", "fine"),
        ("A3", "skipped", "no series"),
        ("A4", "not-applicable", "no images"),
    ]
    assert [f.code for f in made.findings] == ["A1"]


def test_a_rule_that_raises_is_a_crashed_check(own_rules: Callable[..., None]) -> None:
    def breaks(recording: Recording) -> Answer:
        raise ZeroDivisionError("by nothing")

    own_rules(rule("A1", breaks), rule("A2", lambda r: fired()))
    made = judge(Recording())
    assert made.checks[0].status == "crashed"
    assert made.checks[0].reason == "ZeroDivisionError: by nothing"
    assert [f.code for f in made.findings] == ["A2"]


def test_a_rule_that_answers_nonsense_is_a_crashed_check(own_rules: Callable[..., None]) -> None:
    own_rules(rule("A1", lambda r: None))  # type: ignore[arg-type, return-value]
    assert judge(Recording()).checks[0].status == "crashed"


def test_a_rule_that_cannot_be_loaded_is_a_crashed_check(own_rules: Callable[..., None]) -> None:
    own_rules(rule("A2", lambda r: Passed("fine")), broken={"A1": "SyntaxError: oh"})
    made = judge(Recording())
    assert [(c.code, c.status) for c in made.checks] == [("A1", "crashed"), ("A2", "passed")]
    assert "SyntaxError: oh" in made.checks[0].reason


def test_disabled_rules_are_asked_only_on_request(own_rules: Callable[..., None]) -> None:
    own_rules(rule("A1", lambda r: fired(), enabled=False), rule("A2", lambda r: Passed("fine")))
    assert [c.code for c in judge(Recording()).checks] == ["A2"]
    assert [c.code for c in judge(Recording(), include_disabled=True).checks] == ["A1", "A2"]
    assert [c.code for c in judge(Recording(), only=["a1"]).checks] == ["A1"]


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(BadInput, match="only: got 'Z999'"):
        judge(Recording(), only=["Z999"])


def test_the_verdict_is_handed_on_and_the_recording_left_alone(own_rules: Callable[..., None]) -> None:
    seen: list[Verdict] = []

    def looks(recording: Recording) -> Answer:
        seen.append(recording.extras["verdict"])
        return Passed("seen")

    own_rules(rule("A1", looks))
    recording = Recording.of(loss=[1.0, 0.9])
    made = judge(recording)
    assert seen == [made.verdict]
    assert recording.extras == {}


def test_a_verdict_that_raises_does_not_take_the_findings_with_it(
    own_rules: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(recording: Recording) -> Verdict:
        raise KeyError("w")

    monkeypatch.setattr(verdict, "verdict", breaks)
    own_rules(rule("A1", lambda r: fired()))
    made = judge(Recording())
    assert made.verdict.state == "unknown" and "KeyError" in made.verdict.sentence
    assert len(made.findings) == 1


def test_one_sickness_is_one_finding() -> None:
    """Dead units without any gradient are dead units; the missing gradient is their symptom."""
    dead = [
        sample(s, params=chain([0.0, 0.0, 0.0]), acts=[act("relu0", dead=1.0), act("relu1", order=1, dead=1.0)])
        for s in STEPS
    ]
    made = judge(stuck(dead))
    assert [f.code for f in made.findings if f.fired.severity != "info"] == ["G303"]
    assert [s.code for s in made.findings[0].symptoms] == ["G307"]
    assert made.verdict.state == "no-gradient"
