"""What a look at the curvature showed of the place where the run ended."""

from __future__ import annotations

from unstuck.findings.contract import Verdict
from unstuck.findings.evidence.curvature import measured_verdict, trial, why_no_longer
from unstuck.findings.verdict.look import Look


def measured(look: Look) -> Verdict | None:
    """What the last look at the curvature showed. A run that has learned is not called stuck for standing flat."""
    found = measured_verdict(look.recording)
    if found is not None:
        settled = look.progress.state == "learned"
        return None if settled and found.state in ("flat", "saddle") else found
    if look.progress.state in ("none", "some") and why_no_longer(look.recording) is None:
        tried = trial(look.recording)
        assert tried is not None
        multiple, fall = tried.best
        return Verdict(
            "slow",
            f"The loss falls slower than it could: from where the run ended, {tried.steps} updates at {multiple:g} times "
            f"the rate lower the loss of {tried.before:.4g} by {fall:.3g} on other batches, at its own rate by "
            f"{max(tried.own, 0.0):.2g}.",
            look.evidence(basis="probed", best_multiple=multiple, fall_best=fall, fall_own=tried.own),
        )
    return None
