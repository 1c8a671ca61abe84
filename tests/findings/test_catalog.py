"""The rules are found by folder, are whole, and agree with the graph of causes and the contract's list."""

from __future__ import annotations

import importlib
import types
from pathlib import Path

import pytest

from unstuck.core.errors import BadInput
from unstuck.findings import catalog, causes
from unstuck.findings.contract import Answer, Fired, NotApplicable, Passed, Rule, Skipped
from unstuck.findings.judge import judge
from unstuck.record.recording import Recording

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = sorted(catalog.load().rules)
PROMISED = (
    "B605 D101 D102 D104 D105 D106 G301 G302 G303 G304 G305 G306 G307 G308 L201 L202 L203 L204 L205 L206 L207 "
    "L208 L209 "
    "L211 T701 U401 U405 U409 U410 U411"
).split()


def test_no_rule_is_broken() -> None:
    assert dict(catalog.load().broken) == {}


def test_every_file_in_the_folder_is_a_rule() -> None:
    files = {p.stem for p in (REPOSITORY / "src/unstuck/findings/rules").glob("*.py")} - {"__init__"}
    assert {f.split("_")[0].upper() for f in files} == set(RULES)


@pytest.mark.parametrize("code", PROMISED)
def test_the_promised_rules_exist(code: str) -> None:
    assert code in RULES


@pytest.mark.parametrize("code", RULES)
class TestEveryRule:
    def test_the_page_is_whole(self, code: str) -> None:
        page = catalog.page(code)
        assert tuple(page.sections) == catalog.HEADINGS
        assert page.lead.endswith(".")
        assert all(len(text.split()) >= 5 for text in page.sections.values())

    def test_it_keeps_the_contract(self, code: str) -> None:
        rule = catalog.rule(code)
        assert isinstance(rule, Rule)
        assert code == rule.CODE
        assert rule.CLAIM.strip() == rule.CLAIM and not rule.CLAIM.endswith(".")

    def test_thresholds_have_sources(self, code: str) -> None:
        for name, (value, source) in catalog.rule(code).THRESHOLDS.items():
            assert isinstance(value, int | float), name
            assert len(source.split()) >= 3, name

    def test_an_empty_recording_is_answered(self, code: str) -> None:
        answer: Answer = catalog.rule(code).judge(Recording())
        assert isinstance(answer, Skipped | NotApplicable | Passed)
        assert answer.reason

    def test_losses_alone_are_answered(self, code: str) -> None:
        for losses in ([], [2.3], [2.3 * 0.95**i for i in range(50)], [0.7] * 40):
            answer = catalog.rule(code).judge(Recording.of(loss=losses))
            assert not isinstance(answer, Fired) or answer.severity == "info", (losses[:2], answer)

    def test_its_examples_exist(self, code: str) -> None:
        rule = catalog.rule(code)
        assert rule.SICK and rule.HEALTHY
        for path in (*rule.SICK, *rule.HEALTHY):
            assert (REPOSITORY / path).is_file(), path

    def test_its_causes_are_known(self, code: str) -> None:
        known = set(causes.CAUSES) | {s for symptoms in causes.CAUSES.values() for s in symptoms}
        assert code in known


def test_rules_do_not_import_each_other() -> None:
    for path in (REPOSITORY / "src/unstuck/findings/rules").glob("*.py"):
        assert "findings.rules" not in path.read_text(), path


def test_a_rule_is_found_by_name_or_code() -> None:
    assert catalog.rule("Dead_Units").CODE == "G303"
    with pytest.raises(BadInput, match="code: got 'X999'"):
        catalog.rule("X999")


def _module(**changes: object) -> types.ModuleType:
    """A copy of a sound rule with some names changed; a value of None takes the name away."""
    sound = importlib.import_module("unstuck.findings.rules.g303_dead_units")
    module = types.ModuleType("copy")
    module.__dict__.update({k: v for k, v in vars(sound).items() if not k.startswith("_")})
    module.__doc__ = sound.__doc__
    for name, value in changes.items():
        if value is None:
            delattr(module, name)
        else:
            setattr(module, name, value)
    return module


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"CODE": "G304"}, "CODE is 'G304'"),
        ({"NAME": "dead-unit"}, "NAME is 'dead-unit'"),
        ({"judge": None}, "judge is missing"),
        ({"THRESHOLDS": {"a": (1, " ")}}, "threshold a has no source"),
        ({"__doc__": "Only a lead."}, "the page has the headings []"),
        ({"CLAIM": " "}, "CLAIM is empty"),
    ],
)
def test_faults_of_a_rule_are_told(changes: dict[str, object], said: str) -> None:
    found = catalog.faults(_module(**changes), "g303_dead_units")
    assert (found == []) if not said else any(said in text for text in found)


def test_a_file_name_that_is_no_code() -> None:
    assert "file name" in catalog.faults(_module(), "dead_units")[0]


def test_sections_keep_code_and_paragraphs() -> None:
    lead, parts = catalog.sections("One.\n\nSources\n-------\nA.\n\n    code\n\nB.\n\nMore\n----\nC.\n")
    assert lead == "One."
    assert parts == {"Sources": "A.\n\n    code\n\nB.", "More": "C."}


def test_the_whole_catalog_judges_an_empty_recording() -> None:
    made = judge(Recording(), include_disabled=True)
    assert [c.code for c in made.checks] == RULES
    assert made.findings == ()
    assert {c.status for c in made.checks} <= {"skipped", "not-applicable", "passed"}
