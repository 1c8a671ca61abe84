"""What probes on copies of the model found, when they were asked for."""

from __future__ import annotations

from unstuck.findings.evidence.head import number
from unstuck.record.recording import Fact, Recording


def probe_result(recording: Recording, name: str) -> Fact | None:
    """The result of the last probe of this name; None when none was made.

    >>> probe_result(Recording(), "overfit-one-batch") is None
    True
    """
    found = [e.data.get("result") for e in recording.happened("probe") if e.data.get("name") == name]
    last = found[-1] if found else None
    return last if isinstance(last, dict) else None


def figure(result: Fact, key: str) -> float | None:
    """One number of a result; None when it is not there."""
    return number(result.get(key))
