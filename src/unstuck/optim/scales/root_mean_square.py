"""The lecture's AdaGrad: the whole past, averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from unstuck.optim.bounds import choice, not_negative
from unstuck.optim.rule import Now, State, Tensors
from unstuck.optim.scales import epsilon


@dataclass(frozen=True)
class RootMeanSquare:
    """σ = √(1/t · Σ g²): the first step is ±η in each coordinate; constant rates burst, η/√t makes it AdaGrad exactly.

    The state holds the sum, as for :class:`SumOfSquares`, so that the two share a kernel.
    """

    eps: float = 1e-10
    eps_at: str = "outside"

    def __post_init__(self) -> None:
        not_negative("eps", self.eps)
        choice("eps_at", self.eps_at, epsilon.PLACES)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"sum": 0.0}

    @property
    def text(self) -> str:
        return f"S ← S + g², σ = {epsilon.text(self.eps_at, self.eps, '(S/t)')}"

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        torch._foreach_addcmul_(state["sum"], grads, grads)

    def factor(self, now: Now) -> float:
        return math.sqrt(now.t)

    def denominator(self, state: State, now: Now) -> Tensors | None:
        # √(S/t) + ε = (√S + ε√t)/√t; the √t goes into the factor
        return epsilon.root(state["sum"], self.eps_at, epsilon.lifted(self.eps_at, self.eps, now.t), now)
