"""How the loss went, and what came of it: the measure by which an odd choice is told from a harmful one.

Compared with the best answer that ignores the inputs: always the class shares (its loss is their entropy), or always
the mean of the targets (its loss is their variance; for absolute and Huber's errors an upper bound of it is taken, so that
no run is called worse than it is).
"""

from __future__ import annotations

import math
import statistics
import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unstuck.findings.evidence.classes import batches, entropy, majority, total
from unstuck.findings.evidence.head import CLASS_KINDS, NUMBER_KINDS, TermSeen, data_terms, number, seen_terms
from unstuck.findings.evidence.own_targets import own_targets
from unstuck.findings.evidence.trend import clipped
from unstuck.record.recording import Recording, Stream

WELL = 0.8
LEARNED = 0.5
NOTHING = 0.1
"""How far from the constant answer (0) to the perfect one (1). The middle one says that a run is at work, whatever
else is odd about it; above the first no remedy could gain much; below the last the inputs were not used."""
ROUNDING = 1e-6
"""Of the largest loss, by which one that cannot be negative may come out below zero: a sum less a constant in float32."""
BEYOND = 100
"""Times the first loss and a constant answer's. Chosen: the loss of the same data leaps so far by long steps only, which make
the claims that this holds back (tiny inputs, evaluation data on another scale, labels without meaning) doubtful as well."""
FRESH = 0.8
"""Samples older than this share of the run do not tell how it ended."""

Baseline = Literal[
    "entropy of the class shares", "logarithm of the class count", "variance of the targets", "deviation of the targets"
]
Outcome = Literal["diverged", "nothing", "some", "learned", "well", "unknown"]


@dataclass(frozen=True)
class LossCourse:
    """The course of one stream's loss. Numbers that are not known are None."""

    steps: int
    first: float | None  # the first finite loss
    start: float | None  # median of the first twentieth; its mean, where that is zero
    end: float | None  # mean of the last tenth; nan when the loss ends not finite
    best: float | None  # lowest mean over a twentieth of the run
    highest: float | None  # largest finite loss
    nonfinite_at: int | None  # first step whose loss is not finite
    baseline: float | None  # loss of the best answer that ignores the inputs, on the scale of the recorded loss
    baseline_kind: Baseline | None
    kind: str | None  # of the commonest data term
    accuracy: float | None  # in the last samples, when they are fresh
    majority: float | None  # share of the commonest class
    r2: float | None  # in the last samples, when they are fresh
    bounded: bool  # the loss cannot be negative, as far as was seen
    single: bool  # every sampled loss is one data term

    @property
    def fall(self) -> float | None:
        """How far the loss came from the baseline (0) to zero (1); negative: worse than the baseline."""
        if self.baseline is None or self.end is None or self.baseline <= 0 or not math.isfinite(self.end):
            return None
        return 1 - self.end / self.baseline

    @property
    def skill(self) -> float | None:
        """How far from the constant answer to the perfect one, by right answers or explained variance."""
        if self.accuracy is not None:
            if self.majority is None or self.majority > 0.999:
                return None
            return (self.accuracy - self.majority) / (1 - self.majority)
        return self.r2

    @property
    def reached(self) -> float | None:
        """The better of ``skill`` and ``fall``; None when neither is known."""
        known = [v for v in (self.skill, self.fall) if v is not None]
        return max(known) if known else None

    @property
    def diverged(self) -> bool:
        """It ends not finite, or far above where it began and above the baseline."""
        if self.end is None:
            return self.nonfinite_at is not None
        if not math.isfinite(self.end):
            return True
        if self.start is None or not self.bounded:
            return False
        return self.end > 3 * max(self.start, self.first or 0.0, self.baseline or 0.0) and self.end > 0

    @property
    def outcome(self) -> Outcome:
        """In one word. ``unknown`` when there is nothing to compare with."""
        if self.diverged:
            return "diverged"
        reached = self.reached
        if reached is None:
            return "unknown"
        if reached >= WELL:
            return "well"
        if reached >= LEARNED:
            return "learned"
        return "some" if reached > NOTHING else "nothing"

    @property
    def beyond(self) -> bool:
        """It rose so far above its first value and a constant answer's that the first samples do not stand for its data."""
        least = max(self.baseline or 0.0, self.first or 0.0)
        return self.highest is not None and self.highest > BEYOND * least > 0

    @property
    def hurt(self) -> bool:
        """It did not come halfway, or diverged. False when that is not known."""
        return self.outcome in ("diverged", "nothing", "some")

    @property
    def sentence(self) -> str:
        """What was reached, as the end of a sentence with numbers."""
        if self.nonfinite_at is not None and (self.end is None or not math.isfinite(self.end)):
            return f"the loss is not finite from step {self.nonfinite_at} on"
        if self.accuracy is not None and self.majority is not None:
            return (
                f"after {self.steps} steps {self.accuracy:.0%} of the training answers are right "
                f"(always naming the commonest class gives {self.majority:.0%})"
            )
        if self.baseline is not None and self.end is not None:
            return f"after {self.steps} steps the loss is {self.end:.4g} (a constant answer gives {self.baseline:.4g})"
        if self.r2 is not None:
            return f"after {self.steps} steps the output explains {max(0.0, self.r2):.0%} of the targets' variance"
        if self.start is not None and self.end is not None:
            return f"the loss went from {self.start:.4g} to {self.end:.4g} in {self.steps} steps"
        return "no loss was recorded"

    def evidence(self) -> dict[str, float | int | str | bool | None]:
        """The numbers of the course that are known, for a finding's evidence."""
        known: dict[str, float | int | str | bool | None] = {"steps": self.steps}
        for name, value in (
            ("first_loss", self.first),
            ("last_loss", self.end),
            ("constant_answer_loss", self.baseline),
            ("accuracy", self.accuracy),
            ("commonest_class_share", self.majority),
            ("explained_variance", self.r2),
        ):
            if value is not None:
                known[name] = value
        return known


def loss_course(recording: Recording, stream: Stream | None = None) -> LossCourse:
    """Measure how a stream's loss went (by default of the stream with most steps).

    >>> course = loss_course(Recording.of(loss=[2.3] * 10 + [0.2] * 90))
    >>> course.first, course.end
    (2.3, 0.2)
    """
    stream = stream or recording.main
    # Many rules ask, and a long run has a million losses: measured once, as long as the stream lives and stays as it is.
    size = (len(stream.loss), len(stream.samples))
    known = _measured.get(id(stream))
    if known is None or known[0]() is not stream or known[1] != size:
        if len(_measured) > 64:
            _measured.clear()
        known = _measured[id(stream)] = (weakref.ref(stream), size, _measure(stream, own_targets(recording, stream)))
    return known[2]


_measured: dict[int, tuple[weakref.ref[Stream], tuple[int, int], LossCourse]] = {}


def _measure(stream: Stream, own: bool) -> LossCourse:
    loss = stream.loss
    finite = loss.finite()
    n = len(finite)
    nonfinite_at = next((s for s, v in loss if not math.isfinite(v)), None)
    end = statistics.fmean(clipped(finite.values[-max(1, n // 10) :])) if n else None
    tail = loss.values[-max(1, len(loss) // 10) :]
    if len(tail) and 2 * sum(not math.isfinite(v) for v in tail) >= len(tail):
        end = math.nan
    width = max(1, n // 20)
    terms = list(seen_terms(stream))
    main = _main_place(terms)
    kind = main[0].kind if main else None
    seen = batches(main)
    counts = total(seen)
    commonest = majority(counts)
    accuracy, r2 = _last(main, stream.steps)
    baseline, baseline_kind = _baseline(main, counts, terms)
    if _moving(main, stream, own):
        baseline, baseline_kind = None, None
    return LossCourse(
        steps=stream.steps,
        first=finite.first if n else None,
        start=_start(finite.values[:width]) if n else None,
        end=end,
        best=min(
            math.fsum(finite.values[i : i + width]) / len(finite.values[i : i + width]) for i in range(0, n, width)
        )
        if n
        else None,
        highest=max(finite.values) if n else None,
        nonfinite_at=nonfinite_at,
        baseline=baseline,
        baseline_kind=baseline_kind,
        kind=kind,
        accuracy=accuracy,
        majority=commonest[1] if commonest else None,
        r2=r2,
        bounded=bool(n) and min(finite.values) >= -ROUNDING * max(finite.values),
        single=all(len(data_terms(t.loss)) == 1 for t in terms),
    )


def _start(values: Sequence[float]) -> float:
    """The median; of single examples most of which cost nothing, the mean."""
    return statistics.median(values) or statistics.fmean(values)


def _main_place(terms: list[TermSeen]) -> list[TermSeen]:
    """The terms of the kind that tells most: one with right answers or explained variance, if there is any."""
    kinds = Counter(t.kind for t in terms)
    telling = Counter(t.kind for t in terms if t.term.get("accuracy") is not None or t.term.get("r2") is not None)
    ranked = telling or kinds
    if not ranked:
        return []
    best = ranked.most_common(1)[0][0]
    return [t for t in terms if t.kind == best]


def _last(terms: list[TermSeen], steps: int) -> tuple[float | None, float | None]:
    """Share of right answers and explained variance in the last samples, if these are from the end of the run."""
    fresh = [t for t in terms if t.step >= FRESH * (steps - 1)]
    last = fresh[-10:]
    return _mean([t.term.get("accuracy") for t in last]), _mean([t.term.get("r2") for t in last])


def _mean(values: list[object]) -> float | None:
    kept = [v for v in map(number, values) if v is not None and math.isfinite(v)]
    return statistics.fmean(kept) if kept else None


def _baseline(
    main: list[TermSeen], counts: Counter[str], terms: list[TermSeen]
) -> tuple[
    float | None,
    Baseline | None,
]:
    """The loss of the constant answer on the scale of the recorded loss; None unless the loss is that one term."""
    if not main or len(main) != len(terms):
        return None, None
    for seen in main:
        if len([t for t in seen.loss.get("terms", ()) if t.get("kind") != "penalty"]) != 1 or seen.term.get(
            "broadcast"
        ):
            return None, None
        if seen.direction < 0 or not seen.plain or seen.weight == 0:
            return None, None
    scale = statistics.median(seen.weight * (number(seen.loss.get("sum_over")) or 1.0) for seen in main)
    kind = main[0].kind
    if any(t.term.get("class_weights") for t in main):
        # With weights for each class a constant answer has at most the loss of even odds; with one for yes nobody knows.
        odds = main[0].class_count or len(counts)
        known = kind == "nll" and odds > 1
        return (scale * math.log(odds), "logarithm of the class count") if known else (None, None)
    if kind in CLASS_KINDS or kind in ("bce", "bce_logits"):
        if len(counts) > 1:
            # A sum over one-hot columns of binary losses is not the entropy of the classes: leave those alone.
            if kind in ("bce", "bce_logits") and any(t.target.get("one_hot") for t in main):
                return None, None
            return scale * entropy(counts), "entropy of the class shares"
        size = main[0].class_count
        if kind == "nll" and not counts and size and size > 1:
            return scale * math.log(size), "logarithm of the class count"
        return None, None
    if kind == "l1" and all(t.target.get("binary") for t in main):
        means = [m for t in main if (m := number(t.target.get("mean"))) is not None and math.isfinite(m)]
        share = statistics.fmean(means) if means else 0.0
        # Absolute error is least for the commoner of the two answers.
        return (scale * min(share, 1 - share), "deviation of the targets") if 0 < share < 1 else (None, None)
    if kind == "mse":
        if any(t.target.get("one_hot") for t in main):
            n = sum(counts.values())
            size = main[0].class_count
            if not n or not size:
                return None, None
            return scale * (1 - sum((k / n) ** 2 for k in counts.values())) / size, "variance of the targets"
        variance = target_variance(main)
        if not variance:  # one number for all (the residual of an equation): no answer ignores the inputs and is right
            return None, None
        return scale * variance, "variance of the targets"
    if kind in ("l1", "smooth_l1", "huber"):
        # No constant answer has a larger one: the mean distance is at most the deviation, and Huber's half a square.
        variance = target_variance(main)
        if variance is None:
            return None, None
        deviation = math.sqrt(variance)
        bend = number(main[0].term.get("beta", main[0].term.get("delta"))) or 1.0
        bound = {
            "l1": deviation,
            "smooth_l1": min(variance / (2 * bend), deviation),
            "huber": min(variance / 2, bend * deviation),
        }[kind]
        return (scale * bound, "deviation of the targets") if bound > 0 else (None, None)
    return None, None


def _moving(main: list[TermSeen], stream: Stream, own: bool) -> bool:
    """Numbers that a network makes for itself to be answered, and that go elsewhere while the run goes on.

    Their variance at the beginning says nothing of the end: the constant answer of that time is none any more.
    """
    if not main or main[0].kind not in NUMBER_KINDS or not own:
        return False
    if not any(t.step >= FRESH * (stream.steps - 1) for t in main):
        return True  # where they went is not known
    means = [(t.step, m) for t in main if (m := number(t.target.get("mean"))) is not None]
    spreads = [s for t in main if (s := number(t.target.get("std"))) is not None]
    if len(means) < 6 or not spreads:
        return False
    third = len(means) // 3
    early, late = (statistics.fmean(m for _, m in part) for part in (means[:third], means[-third:]))
    return abs(late - early) > statistics.median(spreads) > 0


def target_variance(terms: list[TermSeen]) -> float | None:
    """Variance of all targets over the samples: within batches and between their means."""
    means: list[float] = []
    variances: list[float] = []
    for seen in terms:
        mean, std = number(seen.target.get("mean")), number(seen.target.get("std"))
        if mean is None or std is None:
            return None
        means.append(mean)
        variances.append(std**2)
    if not means or not all(map(math.isfinite, means + variances)):
        return None
    return statistics.fmean(variances) + (statistics.pvariance(means) if len(means) > 1 else 0.0)
