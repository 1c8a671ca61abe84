"""How far the loss itself wanders in a stretch where it stands: apart from what one batch differs from the next."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unstuck.findings.evidence.batch_norms import module_kinds
from unstuck.findings.evidence.curvature import last_look
from unstuck.findings.evidence.gradient_noise import gradient_noise
from unstuck.findings.evidence.gradients import norms
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.places import optimizer_kind
from unstuck.findings.evidence.trend import clipped
from unstuck.record.recording import Recording, Series

SURE = 4.0
"""Standard errors of the covariance of neighbors that independent batches would show."""


@dataclass(frozen=True)
class Hovering:
    """A stretch of losses, its line taken out."""

    level: float  # mean
    scatter: float  # standard deviation of single steps
    wander: float  # standard deviation of the loss itself, as neighbors share it; 0 when it is within chance
    steps: int


def hovering(series: Series, start: int, stop: int) -> Hovering | None:
    """Split the scatter of a stretch in two: the batches' and the weights'.

    Batches drawn independently make neighboring losses differ independently; what neighbors have in common is the
    place of the weights. Of a quadratic valley the mean excess of the loss over its floor is at least about as large
    as the deviation told here. None with fewer than 50 finite losses.

    >>> hovering(Series(range(60), [1.0] * 60), 0, 60).wander
    0.0
    """
    window = series.between(start, stop).finite()
    n = len(window)
    if n < 50:
        return None
    values = clipped(window.values)
    mean = math.fsum(values) / n
    half = (n - 1) / 2
    slope = math.fsum((i - half) * v for i, v in enumerate(values)) / (n * (n * n - 1) / 12)
    rest = [v - mean - slope * (i - half) for i, v in enumerate(values)]
    variance = math.fsum(r * r for r in rest) / n
    # Two neighbors: the nearest may be kept apart by momentum, or by drawing without putting back.
    shared = max(math.fsum(a * b for a, b in zip(rest, rest[lag:], strict=False)) / (n - lag) for lag in (1, 2))
    sure = shared > SURE * variance / math.sqrt(n)
    return Hovering(mean, math.sqrt(variance), math.sqrt(shared) if sure else 0.0, n)


FEWEST_NORMS = 10
"""Norms of the gradient that the mean of their squares must rest on."""
FEWEST_PARTS = 4
"""Kept batches, where the norms are not known."""


@dataclass(frozen=True)
class KeptUp:
    """``excess``: of the loss above its floor. ``signal``: the share of the gradients' squares that is their mean's."""

    excess: float
    signal: float


def kept_up(recording: Recording, start: int, stop: int) -> KeptUp | None:
    """The part of the loss that the noise of plain or momentum descent keeps up where the run stands still.

    At rest E[θ·g] = η·E|g|² / (2(1 − ρ)) (Yaida, Fluctuation-dissipation relations for stochastic gradient descent,
    2019; to first order in η with momentum ρ), and the loss of a quadratic valley stands half of that above its floor.
    The squares are those of the stretch or, where its norms are not known, those of the batches kept at the end.
    Of rules with denominators the look at the end has measured the squares as each parameter's own rate weighs them; a
    denominator hardly moves within the time that a valley takes to come to rest. None for rules that cannot be read, with
    a changing rate, with too few of them, or in a network that normalizes (weights before a normalization have
    E[θ·g] = 0 whatever the noise, and never rest).

    >>> kept_up(Recording.of(loss=[1.0] * 40, learning_rate=[0.1] * 40), 0, 40) is None  # the rule is not known
    True
    """
    stream = recording.main
    groups = list((stream.optimizer or {}).get("groups") or ())
    rates = list(stream.learning_rate.between(start, stop).values)
    if not rates or min(rates) != max(rates):
        return None
    if any("Norm" in kind for kind in module_kinds(recording).values()):
        return None
    if optimizer_kind(stream) != "SGD":
        return _weighed(recording) if not len(stream.clip_maximum) else None
    if len(groups) != 1:
        return None
    found = _squares(recording, start, stop)
    momentum = groups[0].get("momentum") or 0.0
    damping = groups[0].get("dampening") or 0.0
    if found is None or not 0 <= momentum < 1:
        return None
    square, signal = found
    return KeptUp(float(rates[0] * (1 - damping) / (1 - momentum) * square / 4), signal)


def _weighed(recording: Recording) -> KeptUp | None:
    """The same from the look at the end, for any rule whose step could be read."""
    look = last_look(recording)
    told = look.data.get("steps_at_rest") if look is not None else None
    if not isinstance(told, Mapping):
        return None
    square, signal, parts = (number(told.get(name)) for name in ("square", "signal", "parts"))
    if square is None or signal is None or parts is None or parts < FEWEST_PARTS or not 0 < square < math.inf:
        return None
    return KeptUp(square / 4, signal / square)


def _squares(recording: Recording, start: int, stop: int) -> tuple[float, float] | None:
    """The mean square of the gradients, and the share of it that is their mean's."""
    stream = recording.main
    known = norms(stream).between(start, stop).finite().values
    noise = gradient_noise(stream, 0.5)
    bounds = stream.clip_maximum.between(start, stop).finite().values
    if not bounds and any(_shortened(sample.get("clip") or {}) for sample in stream.samples):
        return None  # clipped by hand or entry by entry: what was applied is not known
    bound = statistics.median(bounds) if bounds else math.inf
    if len(known) >= FEWEST_NORMS and noise is not None:
        return statistics.fmean(min(v, bound) ** 2 for v in known), noise.share
    found = at_the_end(recording)
    # The kept batches are not clipped: each by itself would be cut to the bound at least as often as their mean.
    return None if found is None else (min(found[0], bound**2), found[1])


def _shortened(clip: Mapping[str, Any]) -> bool:
    """The gradient that a step found is shorter than the one that arrived."""
    before, left = number(clip.get("before")), number(clip.get("left"))
    return before is not None and left is not None and left < 0.99 * before


def at_the_end(recording: Recording) -> tuple[float, float] | None:
    """The mean square of the kept batches' gradients at the end, and the share of it that is their mean's."""
    look = last_look(recording)
    told = look.data.get("evidence") if look is not None else None
    if not isinstance(told, Mapping):
        return None
    mean, error, parts = (number(told.get(name)) for name in ("gradient_norm", "gradient_noise", "noise_parts"))
    if mean is None or error is None or parts is None or parts < FEWEST_PARTS:
        return None
    signal = max(0.0, mean**2 - error**2)
    square = signal + parts * error**2
    return (square, signal / square) if square > 0 else None
