"""How much has the run learned, compared with an answer that ignores the inputs?

The loss alone misleads (it may start absurdly high and settle on a constant answer), so the share of right
answers and the explained variance come first, then the loss against the best constant answer, and only then
the loss against its start.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from unstuck.findings.evidence.trend import clipped
from unstuck.record.recording import Fact, Recording, Stream

NO_SKILL = 0.1
"""Below a tenth of the way from the constant answer to the perfect one, nothing useful was learned."""
SKILL = 0.5
"""Halfway from the constant answer to the perfect one: whatever else is odd, this run learns."""
CLASSES = ("nll", "cross_entropy_soft", "bce", "bce_logits", "gather")


@dataclass(frozen=True)
class Progress:
    """What was measured, and the state that follows from it. Numbers that are not known are None."""

    steps: int
    start: float | None  # mean loss of the first steps
    end: float | None  # mean loss of the last tenth of the steps
    best: float | None  # lowest mean over a twentieth of the steps
    baseline: float | None  # loss of the best constant answer, on the scale of the recorded loss
    kind: str | None  # kind of the data term
    accuracy: float | None  # of the last samples
    majority: float | None  # share of the commonest class
    r2: float | None  # of the last samples
    skill: float | None  # 0 = constant answer, 1 = perfect
    varies: float | None  # largest deviation over a batch of any output; 0 = the same answer for everything

    @property
    def state(self) -> Literal["learned", "some", "none", "unknown"]:
        """``learned``: halfway or more; ``none``: no better than a constant answer; ``unknown``: nothing to "
        "compare with."""
        if self.skill is not None:
            if self.skill >= SKILL:
                return "learned"
            better = self._below_baseline()
            if self.skill <= NO_SKILL and (better is None or better < NO_SKILL):
                return "none"
            return "learned" if better is not None and better >= SKILL else "some"
        fall = self._below_baseline()
        if fall is None:
            if self.start is None or self.end is None or self.start <= 0 or self.end < 0:
                return "unknown"
            fall = 1 - self.end / self.start
        return "learned" if fall >= SKILL else "none" if fall < 0.05 else "some"

    def _below_baseline(self) -> float | None:
        if self.baseline is None or self.end is None or self.baseline <= 0 or not math.isfinite(self.end):
            return None
        return 1 - self.end / self.baseline

    @property
    def sentence(self) -> str:
        """What was reached, in words with numbers."""
        if self.accuracy is not None and self.majority is not None:
            return (
                f"{self.accuracy:.0%} of the answers are right, where always naming one class gives {self.majority:.0%}"
            )
        if self.r2 is not None:
            return f"the output explains {max(self.r2, 0):.0%} of the targets' variance"
        if self.baseline is not None and self.end is not None:
            return f"the loss is {self.end:.4g}, where the best constant answer gives {self.baseline:.4g}"
        if self.start is not None and self.end is not None:
            return f"the loss went from {self.start:.4g} to {self.end:.4g}"
        return "no loss was seen"


def main_term(sample: Fact) -> tuple[Fact, Fact] | None:
    """The loss and its data term that tell most of a sample: one with a measure of right and wrong, if there is any."""
    found: tuple[Fact, Fact] | None = None
    for loss in sample.get("losses") or ():
        for term in loss.get("terms") or ():
            if term.get("kind") == "penalty":
                continue
            if term.get("accuracy") is not None or term.get("r2") is not None:
                return loss, term
            found = found or (loss, term)
    return found


def progress(recording: Recording, stream: Stream | None = None) -> Progress:
    """Measure what a stream (by default the one with most steps) has learned."""
    stream = stream or recording.main
    loss = stream.loss.finite()
    n = len(loss)
    start = statistics.fmean(loss.values[: max(1, min(5, n // 20))]) if n else None
    end = statistics.fmean(clipped(loss.values[-max(1, n // 10) :])) if n else None
    best = None
    if n:
        width = max(1, n // 20)
        best = min(statistics.fmean(loss.values[i : i + width]) for i in range(0, n, width))
    if len(stream.loss) and not math.isfinite(stream.loss.last):
        end = math.nan
    terms = [(sample, *pair) for sample in stream.samples if (pair := main_term(sample)) is not None]
    kinds = Counter(term.get("kind") for _, _, term in terms)
    kind = kinds.most_common(1)[0][0] if kinds else None
    last = terms[-max(1, min(10, len(terms) // 3)) :] if terms else []
    accuracy = _mean([term.get("accuracy") for _, _, term in last])
    r2 = _mean([term.get("r2") for _, _, term in last])
    counts = _class_counts(terms)
    majority = max(counts.values()) / sum(counts.values()) if counts else None
    skill: float | None = None
    if accuracy is not None and majority is not None and majority < 0.999:
        skill = (accuracy - majority) / (1 - majority)
    elif accuracy is None and r2 is not None:
        skill = r2
    varies = _mean([_get(term, "output", "varies") for _, _, term in last])
    return Progress(
        steps=stream.steps,
        start=start,
        end=end,
        best=best,
        baseline=_baseline(terms, counts),
        kind=kind,
        accuracy=accuracy,
        majority=majority,
        r2=r2,
        skill=skill,
        varies=varies,
    )


def _get(term: Fact, part: str, key: str) -> float | None:
    block = term.get(part)
    return block.get(key) if isinstance(block, Mapping) else None


def _mean(values: list[float | None]) -> float | None:
    kept = [float(v) for v in values if v is not None and math.isfinite(v)]
    return statistics.fmean(kept) if kept else None


def _class_counts(terms: list[tuple[Fact, Fact, Fact]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for _, _, term in terms:
        target = term.get("target")
        if not isinstance(target, Mapping):
            continue
        classes = target.get("classes")
        if isinstance(classes, Mapping):
            if (target.get("distinct") or 0) > 64:
                return Counter()  # the list of classes was cut off: shares of it would be wrong
            counts.update({str(c): int(k) for c, k in classes.items()})
        elif target.get("binary") and target.get("mean") is not None:
            entries = math.prod(target.get("shape") or [1])
            ones = round(float(target["mean"]) * entries)
            counts.update({"1": ones, "0": entries - ones})
    return counts


def _baseline(terms: list[tuple[Fact, Fact, Fact]], counts: Counter[str]) -> float | None:
    """The recorded loss of the best constant answer; None when the loss is not one plain, averaged term."""
    if not terms:
        return None
    for sample, loss, term in terms:
        several = [t for t in loss.get("terms", ()) if t.get("kind") != "penalty"]
        plain = (
            len(sample.get("losses", ())) == 1
            and len(several) == 1
            and term.get("reduction", "mean") == "mean"
            and abs(float(term.get("weight", 1) or 1) - 1) < 1e-6
            and abs(float(loss.get("factor", 1) or 1) - 1) < 1e-6
            and loss.get("sign", 1) in (1, 1.0)
            and loss.get("sum_over", 1) in (1, 1.0)
            and not term.get("broadcast")
        )
        if not plain:
            return None
    kinds = {term.get("kind") for _, _, term in terms}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if kind in CLASSES and len(counts) > 1:
        total = sum(counts.values())
        return -sum(k / total * math.log(k / total) for k in counts.values())
    if kind == "mse":
        return _target_variance(terms)
    return None


def _target_variance(terms: list[tuple[Fact, Fact, Fact]]) -> float | None:
    means: list[float] = []
    variances: list[float] = []
    for _, _, term in terms:
        target = term.get("target")
        if not isinstance(target, Mapping) or target.get("std") is None or target.get("mean") is None:
            return None
        if target.get("one_hot"):
            return None  # the columns differ: one variance over all entries is not the constant answer's error
        means.append(float(target["mean"]))
        variances.append(float(target["std"]) ** 2)
    if not means or not all(map(math.isfinite, means + variances)):
        return None
    return statistics.fmean(variances) + (statistics.pvariance(means) if len(means) > 1 else 0.0)
