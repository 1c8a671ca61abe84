"""What a report tells of curvature and of causes: the looks that were taken, and which finding brought about which."""

from __future__ import annotations

from typing import Any

from unstuck.findings.causes import links_among
from unstuck.findings.contract import Finding, Judgement
from unstuck.record.recording import Recording

MOST_LOOKS = 40
_NUMBERS = (
    "loss", "gradient_norm", "largest", "largest_residual", "smallest", "smallest_residual", "rate",
    "rate_times_curvature", "stable_limit", "negative_share", "batches", "products", "seconds",
)  # fmt: skip


def looks(recording: Recording) -> list[dict[str, Any]]:
    """Looks at the curvature in order of steps, each with its numbers, or with why it could not be taken."""
    found = []
    for event in recording.happened("biopsy")[-MOST_LOOKS:]:
        data = event.data
        entry: dict[str, Any] = {"step": event.step, "look": str(data.get("look") or ""), "unseen": data.get("unseen")}
        entry["state"] = data.get("state")
        entry["sentence"] = data.get("sentence")
        evidence = data.get("evidence")
        told = evidence if isinstance(evidence, dict) else {}
        entry |= {name: data.get(name, told.get(name)) for name in _NUMBERS}
        trial = data.get("trial")
        entry["trial"] = trial if isinstance(trial, dict) else None
        found.append(entry)
    return found


def links(judgement: Judgement) -> list[dict[str, str]]:
    """Pairs of cause and symptom among the findings, without those that follow from others.

    >>> from unstuck.findings.contract import Verdict
    >>> links(Judgement(Verdict("unknown", ""), (), ()))
    []
    """
    found = {finding.code: finding for finding in _every(judgement.findings)}
    fired, causes = sorted(found), links_among(found)
    direct = {code: [c for c in causes.get(code, ()) if c in found] for code in fired}

    def reaches(code: str, goal: str) -> bool:
        waiting, seen = list(direct.get(code, ())), set()
        while waiting:
            one = waiting.pop()
            if one == goal:
                return True
            if one not in seen:
                seen.add(one)
                waiting.extend(direct.get(one, ()))
        return False

    return [
        {"cause": cause, "symptom": symptom}
        for cause in fired
        for symptom in direct[cause]
        if not any(other != symptom and reaches(other, symptom) for other in direct[cause])
    ]


def _every(findings: tuple[Finding, ...]) -> list[Finding]:
    return [f for finding in findings for f in (finding, *_every(finding.symptoms))]
