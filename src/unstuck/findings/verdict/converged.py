"""A loss that has come down and stands."""

from __future__ import annotations

import math

from unstuck.findings.contract import Verdict
from unstuck.findings.verdict.look import FEWEST_STEPS, SETTLED, USEFUL, Look, standing

NOISE_FLOOR = 0.15
"""Share of the squared gradient that is signal, below which noise decides the direction of most steps."""
BELOW_NOISE = 1 / 3
"""A possible gain over a third of the run below a third of the batches' scatter drowns in it."""
NEARLY = 0.03
"""Of the way: noise hides that much of a change, at most, in a run that has learned and shows none."""
SLOWED = 0.25
"""A third of the run that gains at most a quarter of what was gained in all: the curve has bent."""


def converged(look: Look) -> Verdict | None:
    p = look.progress
    t = look.third
    if p.end is None or not math.isfinite(p.end) or look.n < FEWEST_STEPS or t is None or look.opposed:
        return None
    if t.direction == "rises" and -t.gain > 0.05 * max(abs(t.level), 1e-12):
        return None
    # A first loss can be absurdly high; the constant answer's is the better measure of what there was to gain.
    whole = min(v for v in (p.start, p.baseline) if v is not None) if p.start is not None else None
    if look.bounded and whole is not None and whole > 0 and p.state != "none" and p.end <= SETTLED * whole:
        left = f"hardly anything of the {whole:.3g} that was at stake" if p.end > 0 else "nothing"
        return Verdict("converged", f"The loss is {p.end:.3g}: {left} is left to gain.", look.evidence(at_stake=whole))
    if not standing(look):
        return None
    fell = (look.fallen or 0.0) > 0.05 or (look.fallen is None and _fell_at_all(look))
    if p.state == "none" or (p.state == "unknown" and not fell):
        return None
    change = f"change over the last third {-t.gain:+.2g} ± {t.error:.2g}"
    if look.share is not None and look.share <= NOISE_FLOOR:
        return Verdict(
            "converged",
            f"The loss stands at {t.level:.4g} ({change}) and only {look.share:.0%} of the squared gradient is "
            "signal: what is left to gain is smaller than the batch noise.",
            look.evidence(),
        )
    if look.gradient is not None and fell and look.gradient[1] <= SETTLED * look.gradient[0]:
        return Verdict(
            "converged",
            f"The loss stands at {t.level:.4g} ({change}) and the gradient's norm fell from {look.gradient[0]:.3g} "
            f"to {look.gradient[1]:.2g}: hardly anything is left to gain here.",
            look.evidence(gradient_norm=look.gradient[1]),
        )
    first = p.course.first if p.course.first is not None else t.level
    gained = abs(first - t.level) if p.baseline is None else max(p.baseline - t.level, 0.0)
    if p.state == "learned" and t.most <= USEFUL * max(abs(t.level), gained):
        return Verdict(
            "converged",
            f"The loss has come down from {first:.4g} to {t.level:.4g} and stands ({change}, less than "
            f"{USEFUL:.0%} of the way); {p.sentence}.",
            look.evidence(),
        )
    if p.state == "learned" and t.direction == "level" and t.most <= NEARLY * gained:
        return Verdict(
            "converged",
            f"The loss has come down from {first:.4g} to {t.level:.4g}, and {change} is within its noise: at most "
            f"{t.most / gained:.1%} of the way; {p.sentence}.",
            look.evidence(),
        )
    # The longer stretch tells a small change more surely, where the curve does not bend within it.
    flat = [part for part in (t, look.half) if part is not None and part.direction == "level"]
    best = min(flat, key=lambda part: part.most, default=None)
    if p.state in ("learned", "some") and best and best.most <= min(BELOW_NOISE * t.scatter, SLOWED * gained):
        over = "the last third" if best is t else "the second half"
        return Verdict(
            "converged",
            f"The loss stands at {t.level:.4g} (change over {over} {-best.gain:+.2g} ± {best.error:.2g}): what "
            f"it may still "
            f"gain at that pace is less than a third of what one batch differs from the next ({t.scatter:.2g}); "
            f"{p.sentence}.",
            look.evidence(batch_scatter=t.scatter),
        )
    return None


def _fell_at_all(look: Look) -> bool:
    return look.whole is not None and look.whole.direction == "falls"
