"""Adadelta: gradients measured against the steps that were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from unstuck.core.errors import BadInput
from unstuck.optim.bounds import number, positive
from unstuck.optim.rule import Now, State, Tensors


@dataclass(frozen=True)
class MovingDelta:
    """σ = √(s + ε)/√(d + ε); s averages g², d averages (g/σ)². The rate has no unit. Source: Zeiler 2012."""

    rho: float = 0.9
    eps: float = 1e-6

    def __post_init__(self) -> None:
        if not 0.0 <= number("rho", self.rho) <= 1.0:
            raise BadInput("rho", got=self.rho, want="a number in [0, 1]")
        positive("eps", self.eps)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"square_avg": 0.0, "acc_delta": 0.0}

    @property
    def text(self) -> str:
        keep, take = f"{self.rho:g}", f"{1 - self.rho:g}"
        return f"s ← {keep}·s + {take}·g², σ = √((s + {self.eps:g})/(d + {self.eps:g})), d ← {keep}·d + {take}·(g/σ)²"

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        s = state["square_avg"]
        torch._foreach_mul_(s, self.rho)
        torch._foreach_addcmul_(s, grads, grads, value=1.0 - self.rho)

    def factor(self, now: Now) -> float:
        return 1.0

    def denominator(self, state: State, now: Now) -> Tensors | None:
        out, past = now.spare("scale"), now.spare("delta")
        torch._foreach_copy_(out, state["square_avg"])
        torch._foreach_add_(out, self.eps)
        torch._foreach_sqrt_(out)
        torch._foreach_copy_(past, state["acc_delta"])
        torch._foreach_add_(past, self.eps)
        torch._foreach_sqrt_(past)
        torch._foreach_div_(out, past)
        return out

    def feed(self, grads: Tensors, sigma: Tensors, state: State, now: Now) -> None:
        """Take in the steps g/σ that are about to be made."""
        made, d = now.spare("delta"), state["acc_delta"]
        torch._foreach_copy_(made, grads)
        torch._foreach_div_(made, sigma)
        torch._foreach_mul_(d, self.rho)
        torch._foreach_addcmul_(d, made, made, value=1.0 - self.rho)
