"""Everything that can be concluded from one recording: the verdict, the findings, and what became of every check."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from unstuck.core.errors import BadInput
from unstuck.findings import catalog, causes, verdict
from unstuck.findings.contract import (
    Answer,
    Check,
    Finding,
    Fired,
    Judgement,
    NotApplicable,
    Passed,
    Rule,
    Skipped,
    Verdict,
)
from unstuck.record.recording import Recording


def judge(recording: Recording, *, only: Collection[str] | None = None, include_disabled: bool = False) -> Judgement:
    """Judge a recording by every rule; the recording is not changed.

    ``only``: codes to judge by (a rule named here runs even when it is disabled by default). A rule that raises becomes
    a check with the status ``crashed`` and the error as its reason; the other rules go on.

    Raises ``BadInput`` for a code that does not exist. Cost: linear in the samples of the recording, no torch.

    >>> judge(Recording(), only=["G303"]).checks[0].status
    'skipped'
    """
    loaded = catalog.load()
    wanted = None if only is None else {code.upper() for code in only}
    for code in sorted(wanted or ()):
        if code not in loaded.rules and code not in loaded.broken:
            raise BadInput("only", got=code, want="the codes of findings", hint=f"there are {', '.join(loaded.rules)}")
    stands = _verdict(recording)
    known = replace(recording, extras={**recording.extras, "verdict": stands})
    found: list[Finding] = []
    checks: list[Check] = []
    for code in sorted({*loaded.rules, *loaded.broken}):
        if wanted is not None and code not in wanted:
            continue
        if code in loaded.broken:
            checks.append(Check(code, "", "crashed", f"the rule could not be loaded: {loaded.broken[code]}"))
            continue
        rule = loaded.rules[code]
        if wanted is None and not rule.ENABLED and not include_disabled:
            continue
        check, finding = _ask(rule, known)
        checks.append(check)
        if finding is not None:
            found.append(finding)
    return Judgement(stands, causes.ordered(found), tuple(checks))


def _verdict(recording: Recording) -> Verdict:
    try:
        return verdict.verdict(recording)
    except Exception as error:  # a fault of ours must not take the findings with it
        return Verdict(
            "unknown", f"the verdict could not be formed: {type(error).__name__}: {error}", {"crashed": True}
        )


def _ask(rule: Rule, recording: Recording) -> tuple[Check, Finding | None]:
    """One rule, in a guard."""
    try:
        answer: Answer = rule.judge(recording)
    except Exception as error:  # said in the report instead of ending it
        return Check(rule.CODE, rule.NAME, "crashed", f"{type(error).__name__}: {error}"), None
    match answer:
        case Fired():
            return Check(rule.CODE, rule.NAME, "fired", answer.sentence), Finding(rule.CODE, rule.NAME, answer)
        case Passed():
            return Check(rule.CODE, rule.NAME, "passed", answer.reason), None
        case NotApplicable():
            return Check(rule.CODE, rule.NAME, "not-applicable", answer.reason), None
        case Skipped():
            return Check(rule.CODE, rule.NAME, "skipped", answer.reason), None
    return Check(rule.CODE, rule.NAME, "crashed", f"the rule answered {type(answer).__name__}"), None
