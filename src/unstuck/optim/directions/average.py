"""Running averages of the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch

from unstuck.optim.bounds import not_negative, share
from unstuck.optim.rule import Move, Now, State, Tensors


@dataclass(frozen=True)
class Average:
    """m ← β·m + (1−β)·g, divided by 1 − βᵗ when ``correct`` (Adam's first moment).

    Uncorrected it starts at (1−β)·g. Source: Kingma & Ba 2014, Algorithm 1.
    """

    beta: float = 0.9
    correct: bool = True

    carries_rate: ClassVar[bool] = False
    looks_ahead: ClassVar[bool] = False

    def __post_init__(self) -> None:
        share("beta", self.beta)

    @property
    def symbol(self) -> str:
        return "m̂" if self.correct else "m"

    @property
    def slots(self) -> Mapping[str, float]:
        return {"exp_avg": 0.0}

    @property
    def text(self) -> str:
        return f"m ← {self.beta:g}·m + {1 - self.beta:g}·g" + (f", m̂ = m/(1 − {self.beta:g}ᵗ)" if self.correct else "")

    def correction(self, t: int) -> float:
        """What the average is multiplied by at update ``t``."""
        return 1.0 / (1.0 - self.beta**t) if self.correct else 1.0

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        m = state["exp_avg"]
        torch._foreach_lerp_(m, grads, 1.0 - self.beta)
        return Move(m, self.correction(now.t))

    def stability_limit(self) -> float:
        return (2 + 2 * self.beta) / (1 - self.beta)

    def gain(self) -> float:
        return 1.0


@lru_cache(maxsize=64)
def _products(beta: float, decay: float) -> list[float]:
    return [1.0]


@dataclass(frozen=True)
class NesterovAverage:
    """NAdam's first moment: the average of the next step mixed with the gradient of this one.

    μ_t = β(1 − ½·0.96^{tψ}); m̂ = μ_{t+1}·m/(1 − Π_{t+1}) + (1 − μ_t)·g/(1 − Π_t), Π the product of all μ so far.
    The product is a function of t, β and ψ, so that it resumes exactly. Source: Dozat 2016, in torch's form.
    """

    beta: float = 0.9
    decay: float = 4e-3

    carries_rate: ClassVar[bool] = False
    looks_ahead: ClassVar[bool] = False
    symbol: ClassVar[str] = "m̂"

    def __post_init__(self) -> None:
        share("beta", self.beta)
        not_negative("momentum_decay", self.decay)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"exp_avg": 0.0}

    @property
    def text(self) -> str:
        return f"m ← {self.beta:g}·m + {1 - self.beta:g}·g, m̂ = μ_(t+1)·m/(1 − Π_(t+1)) + (1 − μ_t)·g/(1 − Π_t)"

    def weight(self, t: int) -> float:
        """μ_t."""
        return float(self.beta * (1.0 - 0.5 * 0.96 ** (t * self.decay)))

    def product(self, t: int) -> float:
        """μ_1 · … · μ_t, remembered between calls."""
        known = _products(self.beta, self.decay)
        while len(known) <= t:
            known.append(known[-1] * self.weight(len(known)))
        return known[t]

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        m, out, t = state["exp_avg"], now.spare("direction"), now.t
        torch._foreach_lerp_(m, grads, 1.0 - self.beta)
        torch._foreach_copy_(out, grads)
        torch._foreach_mul_(out, (1.0 - self.weight(t)) / (1.0 - self.product(t)))
        torch._foreach_add_(out, m, alpha=self.weight(t + 1) / (1.0 - self.product(t + 1)))
        return Move(out)

    def stability_limit(self) -> float:
        # for t → ∞ μ → β: m̂ = β·m + (1−β)·g with m ← βm + (1−β)g; the root at −1 gives
        # (1−z⁻¹)(1−βz⁻¹) = −ηλ(1−β)(β + 1 − βz⁻¹)z⁻¹ at z = −1
        return 2 * (1 + self.beta) / ((1 - self.beta) * (1 + 2 * self.beta))

    def gain(self) -> float:
        return 1.0
