"""What one random start proves about the ends of a spectrum that were not reached."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from unstuck.core.errors import BadInput


def relative_miss(size: int, steps: int, failure: float) -> float:
    """How far, relative to the width of the spectrum, the extreme Ritz value may lie inside the true end.

    After ``steps`` Lanczos products from one start vector uniform on the sphere of ``size`` dimensions, the miss is
    larger
    than this with probability at most ``failure``: P ≤ 1.648 √n exp(−√ε (2k − 1)), solved for ε. Only for a fresh
    start:
    after a restart, or from vectors that have seen the operator, it says nothing.

    *Source*: Kuczyński and Woźniakowski 1992, theorem 4.2.

    >>> round(relative_miss(1_000_000, 50, 1e-3), 4)
    0.0209
    """
    if not 0 < failure < 1:
        raise BadInput("failure", got=failure, want="a probability between 0 and 1")
    if steps >= size:
        return 0.0
    root = math.log(1.648 * math.sqrt(size) / failure) / (2 * steps - 1)
    return min(1.0, max(0.0, root) ** 2)


@dataclass(frozen=True)
class EndBound:
    """No eigenvalue lies beyond ``value``, wrong with probability at most ``failure``. ``value`` may be infinite:
    not shown."""

    value: float
    failure: float
    steps: int


def bound_below(lowest: float, highest: float, *, size: int, steps: int, failure: float) -> EndBound:
    """A number that the smallest eigenvalue is not below, from the extreme Ritz values of one fresh run.

    The relative miss is against the true width, which both ends may enlarge: the failure is shared between them.

    >>> bound_below(-1.0, 10.0, size=1000, steps=60, failure=1e-3).value > -1.2
    True
    """
    miss = relative_miss(size, steps, failure / 2)
    if miss >= 0.5:
        return EndBound(-math.inf, failure, steps)
    return EndBound(lowest - miss * (highest - lowest) / (1 - 2 * miss), failure, steps)


@dataclass(frozen=True)
class Interval:
    """A number with the interval that holds the truth at the stated confidence."""

    value: float
    low: float
    high: float
    confidence: float


def share_interval(
    least: float, most: float, *, dimensions: int, probes: int, confidence: float = 0.99
) -> tuple[float, float]:
    """Interval for the share of eigenvalues, when the probes' measure gives that share between ``least`` and ``most``.

    For a start uniform on the sphere the measure of any set of eigenvalues follows a beta law with variance
    2 f (1 − f) / (n + 2): that of f under (n + 2) / 2 draws. Wilson's score interval is used with as many.

    >>> low, high = share_interval(0.1, 0.1, dimensions=2000, probes=1)
    >>> low < 0.1 < high
    True
    """
    quantile = NormalDist().inv_cdf(0.5 + confidence / 2)
    draws = probes * (dimensions + 2) / 2
    return _wilson(least, draws, -quantile), _wilson(most, draws, quantile)


def _wilson(share: float, draws: float, quantile: float) -> float:
    share = min(1.0, max(0.0, share))
    center = share + quantile**2 / (2 * draws)
    spread = quantile * math.sqrt(share * (1 - share) / draws + quantile**2 / (4 * draws**2))
    return min(1.0, max(0.0, (center + spread) / (1 + quantile**2 / draws)))
