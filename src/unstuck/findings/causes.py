"""Which sickness causes which symptom, and so which of several findings comes first.

The graph is explicit and small: ``CAUSES[cause]`` are the codes that the cause brings about by itself. It has
no circle. A finding whose cause fired as well is not a second sickness: it goes under the cause as a symptom.
A cause that is only `info` (not certain, or not hurting) explains nothing that is worse than itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from unstuck.findings.contract import Finding

CAUSES: Mapping[str, tuple[str, ...]] = {
    # Data: what enters the model shapes everything after it.
    "D101": (
        "D108",
        "G301",
        "G302",
        "G303",
        "G304",
        "G306",
        "G308",
        "U401",
        "U402",
        "U407",
        "C504",
        "T703",
        "T701",
        "C502",
        "C503",
        "U403",
    ),
    "D102": ("D101", "D103", "D104", "G301", "G302", "G303", "G304", "G306", "G307", "G308", "L202", "U401", "U409"),
    "D103": (
        "D101",
        "G301",
        "G303",
        "G304",
        "G305",
        "G307",
        "L206",
        "U401",
        "U402",
        "U409",
        "B604",
        "T701",
        "T702",
        "T703",
    ),
    "D104": ("G302", "G303", "G304", "G308", "U401", "U402", "U407", "C504", "T703", "T701", "C502", "C503", "U403"),
    "D105": ("T703", "T701", "C502"),
    "D106": ("U401", "T703", "U404", "T701", "U402"),
    "D107": ("D105", "D104", "L204", "L208", "G302", "G308", "U401", "T703", "T701"),
    "D108": ("B604", "D109", "T702"),
    "D109": ("G301", "T702", "T703", "T701"),
    # Loss: the wrong surface.
    "L201": ("G301", "G304", "U402", "T701", "T703", "C504"),
    "L202": ("G302", "G303", "G304", "G308", "U401", "L211", "T701", "U403"),
    "L203": ("G301", "G304", "U402", "T701", "T703", "D105", "C502"),
    "L204": ("G301", "G303", "G304", "U402", "T701", "T703", "C503", "C501", "C502"),
    "L205": ("T703", "T701", "U404", "C502", "U402"),
    "L206": ("D104", "G301", "G304", "G305", "G307", "L208", "L207", "T703", "U409", "T701", "C502", "C503", "U402"),
    "L207": ("G301", "G304", "G307", "T701", "T703", "C502", "C503", "U402", "D109"),
    "L208": ("D104", "G301", "G303", "G304", "G307", "U401", "T703", "T701", "C502", "C503", "U402"),
    "L209": ("G302", "G303", "G304", "G308", "U401", "U407", "T703", "T701", "U403"),
    "L210": ("D104", "G303", "T703", "T701", "U402"),
    "L211": ("G302", "G303", "G304", "G308", "U401", "T703", "T701", "U403"),
    "L212": ("G301", "G304", "G305", "G306", "L207", "U402", "T703", "T701"),
    # The start: weights before the first step.
    "G305": ("G301", "G303", "G304", "G307", "U401", "T703", "T701", "C501", "C503", "U402"),
    "G306": (
        "G301",
        "G302",
        "G303",
        "G304",
        "G308",
        "U401",
        "U404",
        "U407",
        "T703",
        "T701",
        "U409",
        "C501",
        "C503",
        "C502",
        "C504",
        "U403",
        "U402",
    ),
    # The loop: what is done with the gradient.
    "U409": ("T703", "T701", "C502", "U402"),
    "U410": ("G302", "G303", "G304", "G308", "U401", "U407", "T703", "T701", "U403"),
    "U411": ("G301", "U409", "T701", "T703"),
    # The batch and what rests on it.
    "B601": ("U401", "U403", "U404", "T701", "T703"),
    "B602": ("U402", "T701", "T703"),
    "B603": ("B604", "B601", "G308", "U401", "T703", "T701", "D109", "T702"),
    "B604": ("T702", "D109"),
    "B606": ("B601", "G301", "U401", "T703", "T701"),
    "B605": ("B604", "G301", "G302", "G303", "G304", "T701", "T703", "C502", "U402"),
    # The step.
    "U401": ("G301", "G302", "G303", "G304", "G307", "G308", "U404", "U407", "T703", "T701", "C502", "C503"),
    "U403": ("U401", "G301", "G302", "G303", "G304", "G307", "G308", "T703", "T701"),
    "U405": ("T701", "T703", "U402", "U409"),
    "U406": ("G302", "G303", "G304", "G308", "U401", "T703", "T701"),
    "U407": ("U402", "T703", "T701"),
    "U408": ("G301", "G303", "G307", "U402", "T703", "T701", "C502", "C503"),
    "U412": ("U405", "U402", "U409", "T703", "T701", "C502", "C503"),
    "U413": ("G308", "U402", "U409", "T703", "T701"),
    # The surface, where it was measured.
    "G309": ("G301", "G302", "G303", "G304", "G308", "U401", "C501", "C502", "C503", "T701", "T703"),
    "U402": ("T701", "T703"),
    "C501": ("T701", "T703"),
    "C502": ("T701", "T703"),
    "C503": ("T701", "T703", "U402"),
    "C504": ("T701", "T703"),
    "C505": ("T702",),
    # The signal itself.
    "G302": ("G303", "G304", "G308", "U407", "T701"),
    "G303": ("G301", "G307", "T703", "U409", "T701", "C502", "C503", "U402"),
    "G304": ("G301", "G307", "T703", "T701", "U409", "C502", "C503", "U402"),
    "G301": ("T701", "T703", "U402", "U409", "C501", "C503"),
    "G307": ("T703", "T701", "U409", "U402"),
    "G308": ("T703", "T701", "U409", "U402"),
}

ONLY_WITH: Mapping[str, str] = {"B605": "modules_in_evaluation"}
"""Codes with two claims of which one alone causes anything: the evidence that marks it. (Evaluating in training mode
does not touch the training.)"""

FROM_THE_START: Mapping[str, str] = {
    "G302": "growth_through_time",
    "G304": "sure_at_start",
    "T701": "schedule_left",
}
"""Codes that are mostly symptoms of the step, and its causes where this evidence shows that they stood before the first one,
or, of a run that was ended, that its rate had not come to what it was planned to be."""

_BEFORE_THE_STEP: Mapping[str, tuple[str, ...]] = {
    "G302": ("U401", "U403", "U406", "G301"),
    "G304": ("U401", "U403"),
    "T701": ("U402", "T703"),
}
"""What such a code brings about then."""

_SEVERITY = {"error": 0, "warning": 1, "info": 2}

AT_A_STEP = frozenset(("U406",))
"""Findings of one event, whose step is the step at which it happened; those of others are the first that showed them."""


def explained_by(code: str, fired: Iterable[str], *, causes: Mapping[str, tuple[str, ...]] = CAUSES) -> set[str]:
    """The fired codes that bring ``code`` about, through any number of fired links.

    >>> sorted(explained_by("G307", ["D101", "G303", "G307"]))
    ['D101', 'G303']
    """
    present = set(fired)
    found: set[str] = set()
    waiting = [code]
    while waiting:
        symptom = waiting.pop()
        for cause in present - found:
            if symptom in causes.get(cause, ()):
                found.add(cause)
                waiting.append(cause)
    return found - {code}


def depth(code: str) -> int:
    """How many links the longest chain of causes above a code has: 0 for a code that nothing brings about.

    >>> depth("D102"), depth("G303") > depth("U401") > depth("D101")
    (0, True)
    """
    above = [cause for cause, symptoms in CAUSES.items() if code in symptoms]
    return 1 + max(depth(cause) for cause in above) if above else 0


def ordered(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings with symptoms under their causes, the one to act on first.

    Among root causes: the more severe first, then the surer one, then the one nearer to the origin of things, then the
    earlier one. Symptoms keep the same order under their cause.
    """
    by_code = {finding.code: finding for finding in found}
    roots: dict[str, list[Finding]] = {}
    placed: dict[str, str] = {}
    for code, _finding in by_code.items():
        causes = [c for c in _above(by_code, code) if not _above(by_code, c)]
        if causes:
            placed[code] = min(causes, key=lambda c: _place(by_code[c]))
        else:
            roots[code] = []
    for code, cause in placed.items():
        roots[cause].append(by_code[code])
    result = [replace(by_code[code], symptoms=tuple(sorted(under, key=_place))) for code, under in roots.items()]
    return tuple(sorted(result, key=_place))


def _above(by_code: Mapping[str, Finding], code: str) -> set[str]:
    """The fired causes of ``code`` that are at least as severe, and make the claim that causes it."""
    able = [
        c
        for c, f in by_code.items()
        if _rank(f) <= _rank(by_code[code]) and (c not in ONLY_WITH or ONLY_WITH[c] in f.fired.evidence)
    ]
    return explained_by(code, able, causes=links_among(by_code))


def links_among(by_code: Mapping[str, Finding]) -> Mapping[str, tuple[str, ...]]:
    """The causes as they hold among these findings: turned round for one that stood before the first step, and without
    links from an event to what stood before it."""
    held = {
        cause: tuple(s for s in symptoms if not (cause in AT_A_STEP and _earlier(by_code, s, cause)))
        for cause, symptoms in CAUSES.items()
        if cause in by_code
    }
    causes = {**CAUSES, **held}
    early = [c for c, mark in FROM_THE_START.items() if c in by_code and mark in by_code[c].fired.evidence]
    if not early:
        return causes
    turned = dict(causes)
    for code in early:
        turned[code] = tuple(dict.fromkeys((*turned.get(code, ()), *_BEFORE_THE_STEP[code])))
        below = list(_BEFORE_THE_STEP[code])  # nothing that it brings about brings it about
        for other in below:
            turned[other] = tuple(c for c in turned.get(other, ()) if c != code)
            below += [c for c in turned[other] if c not in below]
    return turned


def _earlier(by_code: Mapping[str, Finding], code: str, event: str) -> bool:
    """Whether a finding stood before an event: nothing is brought about by what comes later."""
    if code not in by_code:
        return False
    mine, its = by_code[code].fired.step, by_code[event].fired.step
    return mine is not None and its is not None and mine < its


def _rank(finding: Finding) -> int:
    """Two ranks only: something to act on, or something to know."""
    return 1 if finding.fired.severity == "info" else 0


def _place(finding: Finding) -> tuple[int, float, int, float, str]:
    fired = finding.fired
    step = math.inf if fired.step is None else float(fired.step)
    # Tenths of confidence: a hair's breadth of it must not outweigh which of two comes first in the chain.
    return (_SEVERITY[fired.severity], -round(fired.confidence, 1), depth(finding.code), step, finding.code)
