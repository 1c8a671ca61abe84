"""Losses that are the logarithm of one density of the targets, as sampled over a run."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from unstuck.findings.evidence.head import data_terms, number
from unstuck.findings.evidence.loss_course import FRESH, LEARNED
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Fact, Stream

SHARE = 0.9
"""Of the sampled steps whose losses must be such a density."""
STEADY = 1e-4
"""Relative change of a factor over the run. A constant keeps its seven digits, a return or a cost does not."""
FEW = 5
"""Samples below which a factor that never changed may be chance."""


@dataclass(frozen=True)
class Densities:
    """Every sampled loss of a stream, each the logarithm of a density of the same kind."""

    kind: str  # gaussian, laplace or poisson
    first_step: int
    line: Fact | None
    signs: tuple[int, ...]  # +1: minus the logarithm is the loss, as it should be
    factors: tuple[float, ...]
    r2: float | None  # explained variance of the targets at the end; None when not known

    @property
    def steady(self) -> bool:
        """The factor before the density is one number, so it is no return and no cost of a sampled action."""
        spread = max(self.factors) - min(self.factors)
        return len(self.factors) >= FEW and spread <= STEADY * max(self.factors)

    @property
    def minimized(self) -> bool:
        """Every sampled loss is the log-density itself, where minus it belongs, and the targets are not explained."""
        explained = self.r2 is not None and self.r2 >= LEARNED
        return self.steady and all(sign < 0 for sign in self.signs) and not explained


def densities(stream: Stream) -> Densities | None:
    """What the samples tell, if each step has one loss and nearly all of these are a density; else None."""
    seen: list[tuple[int, Fact, Fact]] = []
    whole = 0
    for sample in stream.samples:
        losses = [loss for loss in sample.get("losses") or () if data_terms(loss)]
        if not losses:
            continue
        if len({at(loss.get("line")) for loss in losses}) > 1:
            return None
        if any(not math.isfinite(number(loss.get("value")) or 0.0) for loss in losses):
            continue  # numbers overflowed: neither signs nor factors can be read any more
        whole += 1
        if all(loss.get("log_density") for loss in losses):
            seen += [(int(sample["s"]), loss, loss["log_density"]) for loss in losses]
    steps = {step for step, _, _ in seen}
    if not seen or len(steps) < SHARE * whole or len({entry.get("kind") for _, _, entry in seen}) > 1:
        return None
    late = [number(entry.get("r2")) for step, _, entry in seen if step >= FRESH * (stream.steps - 1)]
    known = [v for v in late if v is not None and math.isfinite(v)]
    return Densities(
        kind=str(seen[0][2].get("kind")),
        first_step=seen[0][0],
        line=seen[0][1].get("line"),
        signs=tuple(int(number(entry.get("sign")) or 0) for _, _, entry in seen),
        factors=tuple(number(entry.get("factor")) or math.nan for _, _, entry in seen),
        r2=statistics.fmean(known[-10:]) if known else None,
    )
