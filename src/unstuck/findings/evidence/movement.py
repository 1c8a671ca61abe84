"""How far the steps go, relative to the weights they change."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.layers import weights
from unstuck.findings.evidence.places import optimizer_kind
from unstuck.record.recording import Fact, Series, Stream

USUAL_RATES = {
    # Largest learning rate in common use for networks trained from random weights; ten times that is out of the usual.
    "SGD": 0.5,  # without momentum; see USUAL_WITH_MOMENTUM
    "Adam": 3e-3,
    "AdamW": 3e-3,
    "NAdam": 3e-3,
    "RAdam": 3e-3,
    "Adamax": 5e-3,
    "RMSprop": 3e-3,
    "Adagrad": 0.1,
    "Adadelta": 1.0,
    "Rprop": 0.05,
}


USUAL_WITH_MOMENTUM = 1.0
"""The same for SGD with momentum ρ, of what a constant gradient comes to: η / (1 − ρ), as in 0.1 with 0.9."""


def step_ratio(sample: Fact, stream: Stream) -> float | None:
    """Median over the weights of |change| / |weight| in one step; None when the changes were not measured.

    Weights that are exactly zero (a last layer that starts at zero) have no ratio and are left out.
    """
    found = [
        float(weight.stat["u"]) / weight.w
        for weight in weights(sample, stream)
        if weight.stat.get("u") is not None and weight.w > 0 and math.isfinite(float(weight.stat["u"]))
    ]
    return statistics.median(found) if found else None


def step_ratios(stream: Stream) -> Series:
    """The median ratio of change to weight over the samples."""
    found = [(int(s["s"]), ratio) for s in stream.samples if (ratio := step_ratio(s, stream)) is not None]
    return Series([s for s, _ in found], [v for _, v in found])


def rate_is_unusual(stream: Stream, rate: float) -> float | None:
    """How many times the rate exceeds what is usual for the stream's rule; None when the rule is not known."""
    kind = optimizer_kind(stream)
    usual = USUAL_RATES.get(kind)
    groups = (stream.optimizer or {}).get("groups") or ()
    momentum = max((number(group.get("momentum")) or 0.0 for group in groups), default=0.0)
    if kind == "SGD" and 0 < momentum < 1:
        usual, rate = USUAL_WITH_MOMENTUM, rate / (1 - momentum)
    return None if usual is None else rate / usual


def median(values: Sequence[float]) -> float:
    """The median of the finite values; NaN when there are none."""
    kept = [v for v in values if math.isfinite(v)]
    return statistics.median(kept) if kept else math.nan
