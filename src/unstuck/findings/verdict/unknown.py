"""Why no state could be shown, and what would show it."""

from __future__ import annotations

from unstuck.findings.contract import Verdict
from unstuck.findings.evidence.commands import run_again
from unstuck.findings.verdict.look import FEWEST_STEPS, USEFUL, Look


def unknown(look: Look) -> Verdict:
    p = look.progress
    again = run_again(look.recording)
    if not look.loss:
        if not look.n:
            return Verdict("unknown", "No training step was seen.", look.evidence(), again)
        return Verdict("unknown", f"{look.n} steps were seen, but no loss.", look.evidence(), again)
    if look.n < FEWEST_STEPS:
        return Verdict(
            "unknown",
            f"Only {look.n} steps were seen: too few to tell a trend from noise (it takes {FEWEST_STEPS}). Train "
            "longer.",
            look.evidence(),
            again,
        )
    if look.opposed:
        return Verdict(
            "unknown",
            "Two optimizers work on losses of their own, as in adversarial training: neither loss alone says how "
            "far the run has come. Judge it by its outputs.",
            look.evidence(),
        )
    t = look.third
    if look.impossible is not None:
        return Verdict(
            "unknown",
            f"The loss went to {p.end:.4g}; {look.impossible} cannot be negative, so this loss "
            "does not measure what it should.",
            look.evidence(),
            "unstuck explain L202",
        )
    if t is None:
        return Verdict(
            "unknown", "Too few finite losses to tell a trend from noise. Train longer.", look.evidence(), again
        )
    change = f"{-t.gain:+.2g} ± {t.error:.2g}"
    if t.direction == "rises":
        return Verdict(
            "unknown",
            f"The loss has turned up: {change} over the last third, to {t.level:.4g}, after {p.start:.4g} at the "
            "start. Whether it comes back down is not decided yet. Train longer.",
            look.evidence(),
            again,
        )
    if p.state == "none":
        return Verdict(
            "unknown",
            f"The loss stands at {t.level:.4g} (change over the last third {change}) and {p.sentence}. A plateau, "
            "a saddle and labels that cannot be predicted look alike from a recording; telling them apart takes "
            "curvature.",
            look.evidence(),
            again,
        )
    if max(t.most, t.error) > USEFUL * max(abs(t.level), 1e-300):
        return Verdict(
            "unknown",
            f"The loss is at {t.level:.4g} and changed by {change} over the last third: too noisy to tell standing "
            "still from falling. Train longer.",
            look.evidence(),
            again,
        )
    noise = "" if look.share is None else f" and {look.share:.0%} of the squared gradient is signal, not noise"
    return Verdict(
        "unknown",
        f"The loss stands at {t.level:.4g} (change over the last third {change}){noise}: a plateau, a saddle and a "
        "minimum look alike from a recording; telling them apart takes curvature.",
        look.evidence(),
        again,
    )
