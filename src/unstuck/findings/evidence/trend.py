"""Does a noisy curve fall, rise or stand still over a window? Answered with the curve's own noise."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unstuck.record.recording import Series

BLOCKS = 12
MANY = 20_000
"""Of more values than this, a spread and its bounds are told from evenly spread ones."""
SURE = 3.0
"""How many standard errors make a slope sure: about one chance in a hundred at ten degrees of freedom, both sides."""


@dataclass(frozen=True)
class Trend:
    """A line through the window's block means. ``gain`` is how far the line falls over the window (negative: rises)."""

    start: int
    stop: int
    level: float  # mean of the window's last quarter
    gain: float
    error: float  # standard error of ``gain``
    scatter: float  # standard deviation of single steps around the line

    @property
    def direction(self) -> Literal["falls", "rises", "level"]:
        """What is sure beyond noise."""
        if self.gain > SURE * self.error and self.gain > 0:
            return "falls"
        if self.gain < -SURE * self.error and self.gain < 0:
            return "rises"
        return "level"

    @property
    def most(self) -> float:
        """The largest fall over the window that the noise leaves possible (two standard errors)."""
        return self.gain + 2 * self.error


def clipped(values: Sequence[float], share: float = 0.02) -> list[float]:
    """The values with the outermost ``share`` on each side pulled in, so that one spike does not tilt a line.

    Of very many values the two bounds are told from evenly spread ones.

    >>> max(clipped([1.0] * 99 + [1e9]))
    1.0
    """
    if len(values) < 10:
        return list(values)
    ranked = sorted(values[:: 1 + len(values) // MANY])
    cut = max(1, int(share * len(ranked)))
    low, high = ranked[cut], ranked[-1 - cut]
    return [low if v < low else high if v > high else v for v in values]


def block_means(values: Sequence[float], blocks: int) -> list[float]:
    """Means of ``blocks`` successive parts of nearly equal length."""
    n = len(values)
    edges = [round(i * n / blocks) for i in range(blocks + 1)]
    return [statistics.fmean(values[a:b]) for a, b in itertools.pairwise(edges) if b > a]


def trend(series: Series, start: int, stop: int) -> Trend | None:
    """The trend over ``start <= step < stop``; None with fewer than six finite values.

    Neighboring steps are not independent (the same epoch, the same weights), so the error comes from block means.
    Cost: linear in the steps of the window, a quarter of a second for a million.

    >>> trend(Series(range(60), [1 - 0.01 * i for i in range(60)]), 0, 60).direction
    'falls'
    """
    window = series.between(start, stop).finite()
    if len(window) < 6:
        return None
    values = clipped(window.values)
    k = min(BLOCKS, len(values))
    means = block_means(values, k)
    k = len(means)
    middle = (k - 1) / 2
    spread = sum((i - middle) ** 2 for i in range(k))
    center = statistics.fmean(means)
    slope = sum((i - middle) * (m - center) for i, m in enumerate(means)) / spread
    residual = sum((m - center - slope * (i - middle)) ** 2 for i, m in enumerate(means)) / (k - 2)
    per_value = slope * k / len(values)
    half = (len(values) - 1) / 2
    places = range(0, len(values), 1 + len(values) // MANY)
    around = [values[i] - center - per_value * (i - half) for i in places]
    mean = math.fsum(around) / len(around)
    last = window.values[-max(1, len(window) // 4) :]
    return Trend(
        start=int(window.steps[0]),
        stop=int(window.steps[-1]) + 1,
        level=statistics.fmean(clipped(last)),
        gain=-slope * (k - 1),
        error=math.sqrt(residual / spread) * (k - 1),
        scatter=math.sqrt(math.fsum((a - mean) ** 2 for a in around) / len(around)),
    )


def mean_between(series: Series, start: int, stop: int) -> float | None:
    """Mean of the finite values with ``start <= step < stop``, spikes pulled in; None when there are none."""
    values = series.between(start, stop).finite().values
    return statistics.fmean(clipped(values)) if len(values) else None
