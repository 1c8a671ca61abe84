"""Ratios for each layer: how large its weights are against its gradient or its step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim.bounds import not_negative, positive
from unstuck.optim.rule import Tensors


def _ratios(top: list[Tensor], bottom: list[Tensor]) -> list[Tensor]:
    """top/bottom, 1 where either is zero: a layer of zeros would never leave, a zero step needs no ratio."""
    return [
        torch.where((a > 0) & (b > 0), a / b.clamp_min(torch.finfo(b.dtype).tiny), torch.ones_like(a))
        for a, b in zip(top, bottom, strict=True)
    ]


@dataclass(frozen=True)
class GradientRatio:
    """g ← c·‖θ‖/(‖g‖ + λ‖θ‖) · (g + λθ) for each layer, before the direction (LARS).

    Unchanged in effect when a layer's gradient is multiplied by any number. Source: You, Gitman & Ginsburg 2017.
    """

    coefficient: float = 1e-3
    decay: float = 0.0

    on_gradient: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive("trust_coefficient", self.coefficient)
        not_negative("weight_decay", self.decay)

    @property
    def text(self) -> str:
        return f"g ← {self.coefficient:g}·‖θ‖/(‖g‖ + {self.decay:g}‖θ‖)·(g + {self.decay:g}·θ) per layer"

    def apply(self, grads: Tensors, params: Tensors) -> None:
        """Rescale copies of the gradients, in place."""
        weights = list(torch._foreach_norm(params, 2.0))
        sizes = list(torch._foreach_norm(grads, 2.0))
        ratios = _ratios(weights, [g + self.decay * w for g, w in zip(sizes, weights, strict=True)])
        live = [
            torch.where((w > 0) & (g > 0), r * self.coefficient, torch.ones_like(r))
            for w, g, r in zip(weights, sizes, ratios, strict=True)
        ]
        if self.decay:
            torch._foreach_add_(grads, params, alpha=self.decay)
        torch._foreach_mul_(grads, live)


@dataclass(frozen=True)
class StepRatio:
    """r = m/σ + λθ; θ ← θ − η·φ(‖θ‖)/‖r‖·r for each layer, φ(z) = min(max(z, least), most) (LAMB).

    Source: You et al. 2019, Algorithm 2; the bias corrections are inside r.
    """

    decay: float = 0.0
    least: float = 0.0
    most: float = 10.0

    on_gradient: ClassVar[bool] = False

    def __post_init__(self) -> None:
        not_negative("weight_decay", self.decay)
        not_negative("least", self.least)
        if not self.least < self.most:
            raise BadInput("most", got=self.most, want=f"more than least, {self.least}")

    @property
    def text(self) -> str:
        added = f" + {self.decay:g}·θ" if self.decay else ""
        return f"r = STEP{added}, r ← r·clamp(‖θ‖, {self.least:g}, {self.most:g})/‖r‖ per layer"

    def apply(self, steps: Tensors, params: Tensors) -> None:
        """Rescale the steps, in place."""
        if self.decay:
            torch._foreach_add_(steps, params, alpha=self.decay)
        weights = [w.clamp(self.least, self.most) for w in torch._foreach_norm(params, 2.0)]
        torch._foreach_mul_(steps, _ratios(weights, list(torch._foreach_norm(steps, 2.0))))
