"""Counting the classes in sampled batches, and asking whether successive batches are alike."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unstuck.findings.evidence.head import TermSeen
from unstuck.record.recording import Recording

CUT_OFF = 64  # the recording lists at most so many classes of a batch


@dataclass(frozen=True)
class Batch:
    """The classes of one sampled batch."""

    step: int
    counts: Mapping[str, int]

    @property
    def size(self) -> int:
        """Examples in it."""
        return sum(self.counts.values())


def batches(terms: Sequence[TermSeen]) -> list[Batch]:
    """The class counts of each sampled step, several terms of a step (micro-batches) added; empty when not known.

    Yes/no targets in one column count as the classes 0 and 1. Targets with several numbers of an example that are not
    one-hot are several labels at once, and give nothing.
    """
    found: dict[int, Counter[str]] = {}
    for seen in terms:
        counts = batch_counts(seen.target)
        if counts is not None:
            found.setdefault(seen.step, Counter()).update(counts)
    return [Batch(step, dict(counts)) for step, counts in sorted(found.items())]


def batch_counts(target: Mapping[str, object]) -> dict[str, int] | None:
    """The class counts of one batch of targets; None when they are not known or not classes.

    >>> batch_counts({"shape": [4, 1], "binary": True, "mean": 0.25})
    {'0': 3, '1': 1}
    """
    classes = target.get("classes")
    if isinstance(classes, Mapping) and classes:
        if int(target.get("distinct") or 0) > CUT_OFF:  # type: ignore[call-overload]
            return None  # the list was cut off: shares of it would be wrong
        return {str(c): int(k) for c, k in classes.items()}
    shape = target.get("shape")
    if target.get("binary") and isinstance(shape, list | tuple) and shape and not target.get("one_hot"):
        entries = math.prod(int(n) for n in shape)
        mean = target.get("mean")
        if entries != int(shape[0]) or mean is None:
            return None
        ones = round(float(mean) * entries)  # type: ignore[arg-type]
        return {k: v for k, v in (("0", entries - ones), ("1", ones)) if v}
    return None


def total(some: Sequence[Batch]) -> Counter[str]:
    """All batches added."""
    counts: Counter[str] = Counter()
    for batch in some:
        counts.update(batch.counts)
    return counts


def entropy(counts: Mapping[str, int]) -> float:
    """Entropy in nats of the class shares: the cross-entropy of the best answer that ignores the inputs.

    >>> round(entropy({"0": 50, "1": 50}), 4)
    0.6931
    """
    n = sum(counts.values())
    return -sum(k / n * math.log(k / n) for k in counts.values() if k) if n else 0.0


def majority(counts: Mapping[str, int]) -> tuple[str, float] | None:
    """The commonest class and its share; None without examples."""
    n = sum(counts.values())
    if not n:
        return None
    name = max(counts, key=lambda c: counts[c])
    return name, counts[name] / n


@dataclass(frozen=True)
class Mixing:
    """How alike batches are in their classes.

    ``chance`` is the probability of so uneven batches when the examples are shuffled; ``between`` the share of the
    classes' variance that lies between batches, corrected for chance: 0 = well mixed, 1 = every batch of one class.
    """

    batches: int
    examples: int
    between: float
    statistic: float
    freedom: int
    chance: float


def mixing(some: Sequence[Batch]) -> Mixing | None:
    """Pearson's test that all batches are drawn alike; None with fewer than two batches, two classes or two in a batch.

    The tail of the chi-square distribution comes from Wilson and Hilferty's cube root, good to a few percent of the
    logarithm here, far finer than the orders of magnitude that are asked about.

    >>> mixed = mixing([Batch(s, {"0": 16, "1": 16}) for s in range(20)])
    >>> mixed.between < 0.01, mixed.chance > 0.5
    (True, True)
    """
    full = [b for b in some if b.size >= 2]
    counts = total(full)
    n = sum(counts.values())
    k = len(full)
    if k < 2 or len(counts) < 2:
        return None
    expected_share = {c: v / n for c, v in counts.items()}
    statistic = sum(
        (b.counts.get(c, 0) - b.size * share) ** 2 / (b.size * share)
        for b in full
        for c, share in expected_share.items()
    )
    freedom = (k - 1) * (len(counts) - 1)
    # Variance of the class indicators: total = 1 − Σ share²; what lies between batches, weighted by their size.
    whole = 1 - sum(share**2 for share in expected_share.values())
    between = sum(
        b.size / n * (b.counts.get(c, 0) / b.size - share) ** 2 for b in full for c, share in expected_share.items()
    )
    by_chance = whole * (k - 1) / max(n - 1, 1)
    rest = whole - by_chance
    corrected = (between - by_chance) / rest if rest > 1e-12 else 0.0
    return Mixing(
        batches=k,
        examples=n,
        between=max(-1.0, corrected),
        statistic=statistic,
        freedom=freedom,
        chance=chi_square_tail(statistic, freedom),
    )


def chi_square_tail(value: float, freedom: int) -> float:
    """Probability that a chi-square variable exceeds ``value`` (Wilson and Hilferty 1931).

    >>> round(chi_square_tail(18.31, 10), 3)
    0.05
    """
    if value <= 0:
        return 1.0
    spread = 2 / (9 * freedom)
    z = ((value / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2))


@dataclass(frozen=True)
class Repeats:
    """Neighbors of the same class among examples that come one at a time."""

    pairs: int
    same: int
    expected: float  # share of equal neighbors after shuffling
    chance: float  # probability of so many or more


def repeats(some: Sequence[Batch], shares: Mapping[str, float]) -> Repeats | None:
    """For batches of one: how often successive steps hold the same class, against what shuffling gives.

    ``shares`` are the classes' shares in the whole run. None without neighbors or with a single class.
    """
    single = [b for b in some if b.size == 1]
    if len(shares) < 2:
        return None
    pairs = [(a, b) for a, b in itertools.pairwise(single) if b.step == a.step + 1]
    if not pairs:
        return None
    same = sum(next(iter(a.counts)) == next(iter(b.counts)) for a, b in pairs)
    expected = sum(v**2 for v in shares.values())
    return Repeats(len(pairs), same, expected, _binomial_tail(same, len(pairs), expected))


def _binomial_tail(k: int, n: int, p: float) -> float:
    return min(1.0, sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1)))


def classifier(recording: Recording, classes: int) -> bool:
    """Some weight has one row for each class (or the models are not known): a classifier, not similarities."""
    shapes = [p.get("shape") or () for model in recording.models for p in model.get("params") or ()]
    return not shapes or any(shape and int(shape[0]) == classes for shape in shapes)
