"""Heavy ball, with the rate inside the velocity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from unstuck.optim.bounds import share
from unstuck.optim.rule import Move, Now, State, Tensors


@dataclass(frozen=True)
class Velocity:
    """u ← ρ·u + η·g, and θ moves by −u: each gradient keeps the rate of its own step.

    The lecture's m ← λm − ηg with m = −u. Equal to :class:`Momentum` only while the rate is constant.
    """

    rho: float = 0.9

    carries_rate: ClassVar[bool] = True
    looks_ahead: ClassVar[bool] = False
    symbol: ClassVar[str] = "u"

    def __post_init__(self) -> None:
        share("rho", self.rho)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"velocity": 0.0}

    @property
    def text(self) -> str:
        return f"u ← {self.rho:g}·u + η·g"

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        u = state["velocity"]
        torch._foreach_mul_(u, self.rho)
        torch._foreach_add_(u, grads, alpha=now.lr)
        # Without memory u is η·g, rounded once more than the plain step: hand out the gradient itself.
        return Move(u) if self.rho else Move(grads, now.lr)

    def stability_limit(self) -> float:
        return 2 + 2 * self.rho

    def gain(self) -> float:
        return 1 / (1 - self.rho)
