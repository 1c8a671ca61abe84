"""What the trial says of the findings: confirmed by its own remedy a finding gains, untouched by it a finding loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

GAIN = 0.5  # of the doubt that is left: one remedy that helps also helps other sicknesses that look alike
LOSS = 0.5  # of the confidence: a remedy may fail though the finding is right (too short a trial, two faults at once)


def codes_of(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The codes of a report's findings, the first to act on first, symptoms after all causes.

    >>> codes_of([{"code": "L201", "symptoms": [{"code": "U401"}]}, {"code": "D101"}])
    ['L201', 'D101', 'U401']
    """
    found: list[str] = []
    level = list(findings)
    while level:
        found += [str(f["code"]) for f in level if str(f["code"]) not in found]
        level = [s for f in level for s in f.get("symptoms") or ()]
    return found


def weigh(document: dict[str, Any], treatment: Mapping[str, Any]) -> None:
    """Put a trial's results into a report's findings: their basis, their confidence, what of their advice was verified.

    A finding whose remedies were not tried stays as it was.
    """
    tried = [r for r in treatment["remedies"] if len(r["changes"]) == 1 and r["values"][0] is not None]
    for finding in _all(document["findings"]):
        own = [r for r in tried if finding["code"] in r["answers"]]
        if not own:
            continue
        best = max(own, key=lambda r: (r["recommended"], r["effect"]["mean"]))
        confidence = float(finding["confidence"])
        if best["recommended"]:
            finding["confidence"] = 1.0 - GAIN * (1.0 - confidence)
            finding["basis"] = "replayed"
        elif best["effect"]["mean"] < float(treatment["yardstick"]["least_effect"]):
            finding["confidence"] = LOSS * confidence
        finding["evidence"] = {
            **finding["evidence"],
            "remedy_tried": best["label"],
            "remedy_effect": best["effect"]["mean"],
        }
        finding["remedies"] = _verified(finding["remedies"], best) if best["recommended"] else finding["remedies"]


def _verified(remedies: Sequence[dict[str, Any]], best: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The advice with the remedy that was tried in front."""
    proof = {
        "effect": best["effect"]["mean"],
        "low": best["effect"]["low"],
        "high": best["effect"]["high"],
        "seeds": best["effect"]["pairs"],
        "against_random": (best["against_random"] or {}).get("mean"),
    }
    first = {
        "name": best["changes"][0]["name"],
        "text": best["text"],
        "code": best["code"],
        "line": None,
        "verified": proof,
    }
    return [first, *remedies]


def _all(findings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for finding in findings:
        found.append(finding)
        found += _all(finding.get("symptoms") or [])
    return found
