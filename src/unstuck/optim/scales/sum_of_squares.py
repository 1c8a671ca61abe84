"""AdaGrad: the whole past, summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from unstuck.optim.bounds import choice, not_negative
from unstuck.optim.rule import Now, State, Tensors
from unstuck.optim.scales import epsilon


@dataclass(frozen=True)
class SumOfSquares:
    """S ← S + g², σ = √S + ε; the step fades like 1/√t by itself.

    ``initial`` is where S starts; ``fade`` divides the rate by 1 + (t−1)·fade besides (torch's ``lr_decay``).
    Source: Duchi, Hazan & Singer 2011.
    """

    eps: float = 1e-10
    initial: float = 0.0
    fade: float = 0.0
    eps_at: str = "outside"

    def __post_init__(self) -> None:
        not_negative("eps", self.eps)
        not_negative("initial_accumulator_value", self.initial)
        not_negative("lr_decay", self.fade)
        choice("eps_at", self.eps_at, epsilon.PLACES)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"sum": self.initial}

    @property
    def text(self) -> str:
        return f"S ← S + g², σ = {epsilon.text(self.eps_at, self.eps, 'S')}"

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        torch._foreach_addcmul_(state["sum"], grads, grads)

    def factor(self, now: Now) -> float:
        return 1.0 / (1.0 + (now.t - 1) * self.fade)

    def denominator(self, state: State, now: Now) -> Tensors | None:
        return epsilon.root(state["sum"], self.eps_at, self.eps, now)
