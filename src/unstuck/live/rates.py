"""What an optimizer makes of a gradient: for each parameter the rate over its denominator, and where it stops being stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from unstuck.objective.contract import Point


@dataclass(frozen=True)
class Reach:
    """``scale`` (n): rate over denominators, zero where nothing moves; ``limit`` of η·λ; ``gain`` of steps that add up.

    ``plain``: no denominators, and one rate. ``rate``: the largest of the groups'.
    """

    scale: Tensor
    limit: float
    gain: float
    plain: bool
    rate: float
    rule: str

    def to(self, dtype: torch.dtype) -> Reach:
        """The same with the scale in another precision."""
        return replace(self, scale=self.scale.to(dtype))

    def steepest(self, point: Point, largest: float, *, products: int = 30) -> float:
        """η·λ as the rule meets it: the largest eigenvalue of S^½·H·S^½, S the scale. ``largest``: that of H.

        *Cost*: nothing for a rule without denominators, else up to ``products`` products.
        """
        moves = self.scale > 0
        if self.plain or not bool(moves.any()):
            return self.rate * largest
        from unstuck.curvature.operators import hessian
        from unstuck.curvature.single_questions import extremes
        from unstuck.curvature.step_limits import preconditioned

        floor = float(self.scale[moves].min()) * 1e-6  # what does not move is left as good as out
        bent = preconditioned(hessian(point), 1.0 / self.scale.clamp_min(floor))
        return extremes(bent, largest=1, smallest=0, tolerance=1e-2, max_products=products).largest[0].value


def reach_of(optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> Reach | None:
    """How far the optimizer's steps reach now, for these parameters in order. None for a rule that cannot be read.

    *Cost*: one pass over the optimizer's state.
    """
    from unstuck.core.errors import BadInput
    from unstuck.optim.stability import preconditioner, step_sizes

    try:
        sizes = step_sizes(optimizer)
        rows = preconditioner(optimizer)
    except (BadInput, AttributeError, KeyError, TypeError):
        return None
    if any(group.get("maximize") for group in optimizer.param_groups):
        return None
    by_parameter: dict[int, tuple[float, Tensor | None]] = {}
    used = []
    for size, row, group in zip(sizes, rows, optimizer.param_groups, strict=True):
        for p, below in zip(group["params"], row, strict=True):
            by_parameter[id(p)] = (size.rate, below)
        used.append(size)
    parts = []
    plain = len({size.rate for size in used}) == 1
    for p in parameters:
        rate, below = by_parameter.get(id(p), (0.0, None))
        if below is None or below.shape != p.shape:
            parts.append(torch.zeros(p.numel(), dtype=p.dtype, device=p.device))
            plain = False
            continue
        flat = below.detach().reshape(-1).to(p.dtype)
        plain = plain and bool((flat == 1).all())
        parts.append(rate / flat)
    if not parts:
        return None
    return Reach(
        scale=torch.cat(parts),
        limit=min(size.limit for size in used),
        gain=max(size.gain for size in used),
        plain=plain,
        rate=max(size.rate for size in used),
        rule=type(optimizer).__name__,
    )
