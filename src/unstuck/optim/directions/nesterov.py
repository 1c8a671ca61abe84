"""Nesterov's momentum in its three forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from unstuck.optim.bounds import positive, share
from unstuck.optim.rule import Move, Now, State, Tensors


def _limit(rho: float) -> float:
    return (2 + 2 * rho) / (1 + 2 * rho)


@dataclass(frozen=True)
class Nesterov:
    """v ← ρ·v + g, m = g + ρ·v: torch's form, the rate outside."""

    rho: float = 0.9

    carries_rate: ClassVar[bool] = False
    looks_ahead: ClassVar[bool] = False
    symbol: ClassVar[str] = "(g + ρ·v)"

    def __post_init__(self) -> None:
        positive("momentum", self.rho)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"momentum_buffer": 0.0}

    @property
    def text(self) -> str:
        return f"v ← {self.rho:g}·v + g"

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        v, m = state["momentum_buffer"], now.spare("direction")
        torch._foreach_mul_(v, self.rho)
        torch._foreach_add_(v, grads)
        torch._foreach_copy_(m, grads)
        torch._foreach_add_(m, v, alpha=self.rho)
        return Move(m)

    def stability_limit(self) -> float:
        return _limit(self.rho)

    def gain(self) -> float:
        return 1 / (1 - self.rho)


@dataclass(frozen=True)
class NesterovVelocity:
    """u ← ρ·u + η·g, θ moves by −(ρ·u + η·g): Keras' form, the rate inside.

    Its parameters are always the look-ahead points of :class:`LookAhead`, under any schedule.
    """

    rho: float = 0.9

    carries_rate: ClassVar[bool] = True
    looks_ahead: ClassVar[bool] = False
    symbol: ClassVar[str] = "(ρ·u + η·g)"

    def __post_init__(self) -> None:
        share("rho", self.rho)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"velocity": 0.0}

    @property
    def text(self) -> str:
        return f"u ← {self.rho:g}·u + η·g"

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        u, m = state["velocity"], now.spare("direction")
        torch._foreach_mul_(u, self.rho)
        torch._foreach_add_(u, grads, alpha=now.lr)
        if not self.rho:
            return Move(grads, now.lr)  # the plain step, without a rounding of its own
        torch._foreach_copy_(m, u)
        torch._foreach_mul_(m, self.rho)
        torch._foreach_add_(m, grads, alpha=now.lr)
        return Move(m)

    def stability_limit(self) -> float:
        return _limit(self.rho)

    def gain(self) -> float:
        return 1 / (1 - self.rho)


@dataclass(frozen=True)
class LookAhead:
    """The gradient is taken at θ − ρ·u, then u ← ρ·u + η·g(there), and θ moves by −u.

    Nesterov's method as drawn on the slides. It needs ``step(closure)``, because the optimizer must put the parameters
    ahead before the gradient is computed. Cost: one gradient a step, two passes over the parameters more.
    """

    rho: float = 0.9

    carries_rate: ClassVar[bool] = True
    looks_ahead: ClassVar[bool] = True
    symbol: ClassVar[str] = "u"

    def __post_init__(self) -> None:
        share("rho", self.rho)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"velocity": 0.0}

    @property
    def text(self) -> str:
        return f"g = ∇f(θ − {self.rho:g}·u); u ← {self.rho:g}·u + η·g"

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        u = state["velocity"]
        torch._foreach_mul_(u, self.rho)
        torch._foreach_add_(u, grads, alpha=now.lr)
        return Move(u) if self.rho else Move(grads, now.lr)

    def stability_limit(self) -> float:
        return _limit(self.rho)

    def gain(self) -> float:
        return 1 / (1 - self.rho)
