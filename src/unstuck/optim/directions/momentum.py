"""Heavy ball, with the rate outside the velocity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from unstuck.core.errors import BadInput
from unstuck.optim.bounds import not_negative, number
from unstuck.optim.rule import Move, Now, State, Tensors


@dataclass(frozen=True)
class Momentum:
    """v ← ρ·v + (1−d)·g, and the rate is applied to v: a change of rate acts on the whole past at once.

    ``dampening`` is d; as in torch it spares the first update. Source: Polyak 1964, in the form of CS231n and torch.
    """

    rho: float = 0.9
    dampening: float = 0.0

    carries_rate: ClassVar[bool] = False
    looks_ahead: ClassVar[bool] = False
    symbol: ClassVar[str] = "v"

    def __post_init__(self) -> None:
        not_negative("momentum", self.rho)
        if not number("dampening", self.dampening) <= 1.0:
            raise BadInput("dampening", got=self.dampening, want="at most 1", hint="above 1 the gradient is climbed")

    @property
    def slots(self) -> Mapping[str, float]:
        return {"momentum_buffer": 0.0}

    @property
    def text(self) -> str:
        return f"v ← {self.rho:g}·v + g" if not self.dampening else f"v ← {self.rho:g}·v + {1 - self.dampening:g}·g"

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        v = state["momentum_buffer"]
        torch._foreach_mul_(v, self.rho)
        torch._foreach_add_(v, grads, alpha=1.0 if now.t == 1 else 1.0 - self.dampening)
        return Move(v)

    def stability_limit(self) -> float:
        return (2 + 2 * self.rho) / (1 - self.dampening) if self.rho < 1 else 0.0

    def gain(self) -> float:
        return (1 - self.dampening) / (1 - self.rho)
