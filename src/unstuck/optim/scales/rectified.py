"""RAdam's rectification: no scale until the average of squares can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from unstuck.optim.bounds import not_negative, share
from unstuck.optim.rule import Now, State, Tensors
from unstuck.optim.scales import epsilon


@dataclass(frozen=True)
class Rectified:
    """ρ_t = ρ∞ − 2tβᵗ/(1−βᵗ), ρ∞ = 2/(1−β) − 1; above ``threshold`` σ = (√s + ε)/√(1−βᵗ)/r_t, below it σ = 1.

    ``threshold``: 4 in the paper (first scaled step at t = 5 for β = .999), 5 in the authors' code and torch (t = 6).
    Source: Liu et al. 2019.
    """

    beta: float = 0.999
    eps: float = 1e-8
    threshold: float = 5.0

    def __post_init__(self) -> None:
        share("beta", self.beta)
        not_negative("eps", self.eps)
        not_negative("threshold", self.threshold - 4.0)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"exp_avg_sq": 0.0}

    @property
    def text(self) -> str:
        return (
            f"s ← {self.beta:g}·s + {1 - self.beta:g}·g², ŝ = s/(1 − {self.beta:g}ᵗ), "
            f"σ = (√ŝ + {self.eps:g} (ε̂))/r_t if ρ_t > {self.threshold:g} else 1"
        )

    def length(self, t: int) -> float:
        """ρ_t: how many gradients the average is worth."""
        power = self.beta**t
        return 2.0 / (1.0 - self.beta) - 1.0 - 2.0 * t * power / (1.0 - power)

    def rectification(self, t: int) -> float | None:
        """r_t, or None while the scale is not used."""
        longest, length = 2.0 / (1.0 - self.beta) - 1.0, self.length(t)
        if length <= self.threshold:
            return None
        top = (length - 4.0) * (length - 2.0) * longest
        return float((top / ((longest - 4.0) * (longest - 2.0) * length)) ** 0.5)

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        s = state["exp_avg_sq"]
        torch._foreach_mul_(s, self.beta)
        torch._foreach_addcmul_(s, grads, grads, value=1.0 - self.beta)

    def factor(self, now: Now) -> float:
        rectified = self.rectification(now.t)
        return 1.0 if rectified is None else float(rectified * (1.0 - self.beta**now.t) ** 0.5)

    def denominator(self, state: State, now: Now) -> Tensors | None:
        if self.rectification(now.t) is None:
            return None
        return epsilon.root(state["exp_avg_sq"], "hat", self.eps, now)
