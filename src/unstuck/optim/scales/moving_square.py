"""A fading average of squared gradients: RMSProp's and Adam's scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from unstuck.core.errors import BadInput
from unstuck.optim.bounds import choice, not_negative, share
from unstuck.optim.rule import Now, State, Tensors
from unstuck.optim.scales import epsilon


@dataclass(frozen=True)
class MovingSquare:
    """s ← β·s + (1−β)·g², σ = √s + ε.

    ``start``: ``"zero"`` (torch, CS231n: the first step is η/√(1−β)) or ``"gradient"`` (the lecture: s starts at g²,
    the first step is η). ``correct``: divide s by 1 − βᵗ (Adam). ``centered``: subtract the square of the running mean.
    ``largest``: use the largest s so far (AMSGrad). ``eps_at``: see :data:`unstuck.optim.scales.epsilon.PLACES`.
    Source: Tieleman & Hinton 2012; Kingma & Ba 2014; Reddi et al. 2018.
    """

    beta: float = 0.999
    eps: float = 1e-8
    correct: bool = False
    start: str = "zero"
    centered: bool = False
    largest: bool = False
    eps_at: str = "outside"

    def __post_init__(self) -> None:
        share("beta", self.beta)
        not_negative("eps", self.eps)
        choice("eps_at", self.eps_at, epsilon.PLACES)
        choice("start", self.start, ("zero", "gradient"))
        if self.correct and self.start == "gradient":
            raise BadInput(
                "start", got="gradient", want="zero with correct=True", hint="the start has no bias to correct"
            )
        if self.centered and self.largest:
            raise BadInput("centered", got=True, want="False with largest=True")

    @property
    def slots(self) -> Mapping[str, float]:
        named = {"exp_avg_sq": 0.0}
        if self.centered:
            named["grad_avg"] = 0.0
        if self.largest:
            named["max_exp_avg_sq"] = 0.0
        return named

    @property
    def text(self) -> str:
        square = "ŝ" if self.correct else "s"
        more = f", ŝ = s/(1 − {self.beta:g}ᵗ)" if self.correct else ""
        if self.start == "gradient":
            more += ", s₀ = g₁²"
        if self.largest:
            square = f"max {square}"
        if self.centered:
            square = f"({square} − ḡ²)"
        return f"s ← {self.beta:g}·s + {1 - self.beta:g}·g²{more}, σ = {epsilon.text(self.eps_at, self.eps, square)}"

    def correction(self, t: int) -> float:
        """c = 1 − βᵗ, or 1."""
        return 1.0 - self.beta**t if self.correct else 1.0

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        s = state["exp_avg_sq"]
        if now.t == 1 and self.start == "gradient":
            torch._foreach_copy_(s, grads)
            torch._foreach_mul_(s, grads)
        else:
            torch._foreach_mul_(s, self.beta)
            torch._foreach_addcmul_(s, grads, grads, value=1.0 - self.beta)
        if self.centered:
            torch._foreach_lerp_(state["grad_avg"], grads, 1.0 - self.beta)
        if self.largest:
            torch._foreach_maximum_(state["max_exp_avg_sq"], s)

    def factor(self, now: Now) -> float:
        return math.sqrt(self.correction(now.t))

    def denominator(self, state: State, now: Now) -> Tensors | None:
        eps = epsilon.lifted(self.eps_at, self.eps, self.correction(now.t))
        squares = state["max_exp_avg_sq" if self.largest else "exp_avg_sq"]
        if self.centered:
            out, mean = now.spare("scale"), state["grad_avg"]
            torch._foreach_copy_(out, squares)
            torch._foreach_addcmul_(out, mean, mean, value=-1.0)
            return epsilon.root(out, self.eps_at, eps, now, ready=True)
        return epsilon.root(squares, self.eps_at, eps, now)
