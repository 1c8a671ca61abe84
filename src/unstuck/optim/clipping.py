"""What may be done to gradients before a rule takes them in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.optim.bounds import positive
from unstuck.optim.rule import Tensors


@dataclass(frozen=True)
class ClipNorm:
    """g ← g · min(1, most/‖g‖), ‖g‖ over all parameters of all groups with this clip. ``p.grad`` stays as it is."""

    most: float

    def __post_init__(self) -> None:
        positive("most", self.most)

    @property
    def text(self) -> str:
        return f"g ← g·min(1, {self.most:g}/‖g‖)"

    def coefficient(self, grads: Tensors) -> Tensor:
        """The factor, as a tensor: nothing waits for the device."""
        home = grads[0].device
        norms = torch.stack(
            [
                norm.to(home, torch.float32 if norm.itemsize < 4 else norm.dtype)
                for norm in torch._foreach_norm(grads, 2.0)
            ]
        )
        total = torch.linalg.vector_norm(norms)
        return torch.clamp(self.most / total.clamp_min(torch.finfo(total.dtype).tiny), max=1.0)

    def apply(self, grads: Tensors, coefficient: Tensor | None) -> None:
        """Clip copies of the gradients, in place."""
        assert coefficient is not None
        for device in {one.device for one in grads}:
            there = [one for one in grads if one.device == device]
            torch._foreach_mul_(there, coefficient.to(device))


@dataclass(frozen=True)
class ClipValue:
    """Each coordinate of g is held in [−most, most]."""

    most: float

    def __post_init__(self) -> None:
        positive("most", self.most)

    @property
    def text(self) -> str:
        return f"g ← clamp(g, ±{self.most:g})"

    def coefficient(self, grads: Tensors) -> Tensor | None:
        return None

    def apply(self, grads: Tensors, coefficient: Tensor | None) -> None:
        """Clip copies of the gradients, in place."""
        torch._foreach_clamp_min_(grads, -self.most)
        torch._foreach_clamp_max_(grads, self.most)


Clip = ClipNorm | ClipValue
