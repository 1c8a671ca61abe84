"""Paired differences between arms, with their interval. No torch, no SciPy."""

from __future__ import annotations

import math
import statistics as plain
from collections.abc import Sequence
from dataclasses import dataclass

# Student's t, two-sided 95 %, by degrees of freedom (any table of the distribution); beyond 30 the normal's 1.96 and a bit.
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """A mean of paired differences and its 95 % interval; with one pair there is none (infinite)."""

    mean: float
    low: float
    high: float
    pairs: int

    @property
    def above_zero(self) -> bool:
        """Whether the interval excludes zero from below."""
        return self.low > 0.0


def t95(freedom: int) -> float:
    """The two-sided 95 % point of Student's t.

    >>> t95(2)
    4.303
    """
    return _T95[freedom - 1] if freedom <= len(_T95) else 1.96 + 2.5 / freedom


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """``ours`` − ``theirs``, seed by seed, with Student's interval.

    >>> d = difference([0.9, 0.95, 0.92], [0.5, 0.6, 0.55])
    >>> round(d.mean, 3), d.above_zero
    (0.373, True)
    """
    pairs = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean = plain.fmean(pairs) if pairs else math.nan
    if len(pairs) < 2:
        return Difference(mean, -math.inf, math.inf, len(pairs))
    half = t95(len(pairs) - 1) * plain.stdev(pairs) / math.sqrt(len(pairs))
    return Difference(mean, mean - half, mean + half, len(pairs))
