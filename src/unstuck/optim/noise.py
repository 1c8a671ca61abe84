"""Noise added to gradients, a pure function of seed and step."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from unstuck.optim.bounds import not_negative, whole
from unstuck.optim.rule import Tensors


@dataclass(frozen=True)
class GradientNoise:
    """g ← g + N(0, η/(1+t)^γ), t from 0: variance that fades.

    Drawn from a generator of its own seeded by (seed, t), so that global random states stay as they are and a resumed
    run draws the same noise. Source: Neelakantan et al. 2015, equation 1 (η in {.01, .3, 1}, γ = .55).
    """

    variance: float = 0.01
    fade: float = 0.55
    seed: int = 0

    def __post_init__(self) -> None:
        not_negative("variance", self.variance)
        not_negative("fade", self.fade)
        whole("seed", self.seed)

    @property
    def text(self) -> str:
        return f"g ← g + N(0, {self.variance:g}/(1+t)^{self.fade:g})"

    def deviation(self, update: int) -> float:
        """The standard deviation at an update, counted from 0."""
        return float((self.variance / (1.0 + update) ** self.fade) ** 0.5)

    def apply(self, grads: Tensors, update: int, *, stream: int = 0) -> None:
        """Add to copies of the gradients, in place; ``stream`` keeps groups apart."""
        generators: dict[torch.device, torch.Generator] = {}
        size = self.deviation(update)
        for one in grads:
            if one.device not in generators:
                fresh = torch.Generator(device=one.device)
                # two large odd constants spread neighboring (step, stream) pairs over the seeds
                fresh.manual_seed((self.seed + update * 0x9E3779B97F4A7C15 + stream * 0xC2B2AE3D27D4EB4F) % 2**63)
                generators[one.device] = fresh
            drawn = torch.randn(one.shape, generator=generators[one.device], device=one.device, dtype=one.dtype)
            one.add_(drawn, alpha=size)
