"""What a rule is and what it answers.

A rule is one file: its docstring is the page of ``unstuck explain``; ``judge`` looks at a recording and returns an
:class:`Answer`. Rules know nothing of torch, of the live run or of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from unstuck.record.recording import Recording

Severity = Literal["error", "warning", "info"]
Basis = Literal["watched", "probed", "replayed"]
Number = float | int | str | bool | None


@dataclass(frozen=True)
class Advice:
    """One thing to do: a short name, a sentence, and code to write (``line`` is where, when known)."""

    name: str
    text: str
    code: str = ""
    line: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Fired:
    """The sickness is there. ``where`` names the user's own module, parameter or line."""

    sentence: str
    severity: Severity
    confidence: float
    where: str
    step: int | None
    evidence: Mapping[str, Number] = field(default_factory=dict)
    advice: tuple[Advice, ...] = ()
    line: Mapping[str, object] | None = None
    basis: Basis = "watched"


@dataclass(frozen=True)
class Passed:
    """Looked at, and not there. ``reason`` may say what was seen."""

    reason: str = ""


@dataclass(frozen=True)
class NotApplicable:
    """The run has no such thing (no images, no classes, no optimizer)."""

    reason: str


@dataclass(frozen=True)
class Skipped:
    """It could not be judged: a series is missing, an operator could not be seen."""

    reason: str


Answer = Fired | Passed | NotApplicable | Skipped


@runtime_checkable
class Rule(Protocol):
    """The names a rule's module must have."""

    __doc__: str | None
    CODE: str  # "D101"
    NAME: str  # "inputs-not-normalized"
    CLAIM: str  # one line
    ENABLED: bool  # by default; False for a rule that was measured to cry on health
    SICK: tuple[str, ...]  # scripts in examples/ that have the sickness
    HEALTHY: tuple[str, ...]  # scripts in examples/ that look alike and have it not
    THRESHOLDS: Mapping[str, tuple[float, str]]  # name: (value, where it comes from)

    @staticmethod
    def judge(recording: Recording) -> Answer: ...


Status = Literal["fired", "passed", "not-applicable", "skipped", "crashed"]


@dataclass(frozen=True)
class Finding:
    """A rule that fired, with its symptoms (other findings that it explains) folded under it."""

    code: str
    name: str
    fired: Fired
    symptoms: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Check:
    """What became of one rule: one for each enabled rule, in order of codes."""

    code: str
    name: str
    status: Status
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """Where the run stands. ``unknown`` says why, and ``next_command`` what would show it."""

    state: str
    sentence: str
    evidence: Mapping[str, Number] = field(default_factory=dict)
    next_command: str = ""


@dataclass(frozen=True)
class Judgement:
    """Everything that was concluded from one recording; the first finding is the one to act on."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
