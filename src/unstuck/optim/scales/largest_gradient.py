"""Adamax: the largest gradient of late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from unstuck.optim.bounds import not_negative, share
from unstuck.optim.rule import Now, State, Tensors


@dataclass(frozen=True)
class LargestGradient:
    """u ← max(β·u, |g| + ε), σ = u. Source: Kingma & Ba 2014, section 7.1."""

    beta: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        share("beta", self.beta)
        not_negative("eps", self.eps)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"exp_inf": 0.0}

    @property
    def text(self) -> str:
        return f"w ← max({self.beta:g}·w, |g| + {self.eps:g}), σ = w"

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        size = now.spare("scale")
        torch._foreach_copy_(size, grads)
        torch._foreach_abs_(size)
        torch._foreach_add_(size, self.eps)
        torch._foreach_mul_(state["exp_inf"], self.beta)
        torch._foreach_maximum_(state["exp_inf"], size)

    def factor(self, now: Now) -> float:
        return 1.0

    def denominator(self, state: State, now: Now) -> Tensors | None:
        if self.eps:
            return state["exp_inf"]
        out = now.spare("scale")
        torch._foreach_copy_(out, state["exp_inf"])
        for one in out:
            one.masked_fill_(one == 0, 1.0)
        return out
