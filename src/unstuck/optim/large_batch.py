"""Rates for larger batches."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.optim.bounds import choice, positive, whole
from unstuck.optim.schedules import Schedule, constant, gradual_warmup


@dataclass(frozen=True)
class ScaledRate:
    """A rate for another batch size, with its warm-up: ``Adam(params, lr=r.lr, schedule=r.schedule)``."""

    lr: float
    schedule: Schedule
    factor: float


def scale_rate(
    lr: float, *, from_batch: int, to_batch: int, rule: str = "linear", warmup_updates: int = 0
) -> ScaledRate:
    """The rate that goes with a larger batch.

    ``rule``: ``"linear"`` lr·k for k = to/from (SGD; Goyal et al. 2017), ``"sqrt"`` lr·√k (adaptive rules; You et al.
    2019). The warm-up rises from the small batch's own rate; a constant low rate for some epochs did worse than none
    in Goyal's table.

    >>> scaled = scale_rate(0.1, from_batch=256, to_batch=8192, warmup_updates=4)
    >>> scaled.lr, [round(scaled.lr * scaled.schedule(t), 3) for t in range(6)]
    (3.2, [0.1, 0.875, 1.65, 2.425, 3.2, 3.2])
    """
    positive("lr", lr)
    k = whole("to_batch", to_batch, least=1) / whole("from_batch", from_batch, least=1)
    factor = k if choice("rule", rule, ("linear", "sqrt")) == "linear" else k**0.5
    if not warmup_updates:
        return ScaledRate(lr * factor, constant(), factor)
    return ScaledRate(lr * factor, gradual_warmup(warmup_updates, from_factor=1.0 / factor), factor)


def noise_limited_rate(largest: float, *, batch: int, noise_scale: float) -> float:
    """ε_opt(B) = ε_max/(1 + B_noise/B): the best rate under noisy gradients. Source: McCandlish et al. 2018."""
    return positive("largest", largest) / (1.0 + positive("noise_scale", noise_scale) / whole("batch", batch, least=1))
