"""A loss that still falls."""

from __future__ import annotations

from unstuck.findings.contract import Verdict
from unstuck.findings.verdict.leap import leapt
from unstuck.findings.verdict.look import FEWEST_STEPS, USEFUL, Look, useful


def learning(look: Look) -> Verdict | None:
    p = look.progress
    if p.start is None or p.end is None or look.n < FEWEST_STEPS or look.opposed:
        return None
    if leapt(look):
        return None
    for part, name in ((look.third, "third"), (look.half, "half"), (look.whole, "run")):
        if part is None:
            continue
        if part.direction == "falls" and useful(look, part):
            if name == "run" and look.third is not None and look.third.most < USEFUL * abs(look.third.level):
                return None
            if look.impossible is not None:
                return Verdict(
                    "learning",
                    f"The loss still falls, to {p.end:.4g}, but {look.impossible} cannot be negative: what falls is not what it "
                    "should measure.",
                    look.evidence(learned_nothing=True),
                    "unstuck explain L202",
                )
            over = {"third": "the last third", "half": "the second half", "run": "all"}[name]
            return Verdict(
                "learning",
                f"The loss still falls: from {p.start:.4g} to {p.end:.4g} in {look.n} steps, and by "
                f"{part.gain:.3g} ± {part.error:.2g} over {over} of the steps.",
                look.evidence(),
            )
    return None
