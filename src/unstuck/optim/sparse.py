"""Sparse gradients: rules that touch only the rows that have one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim.directions import Gradient
from unstuck.optim.rule import Rule
from unstuck.optim.scales import One, SumOfSquares


def check(rule: Rule) -> None:
    """Refuse a rule that would need every row at every step."""
    plain = rule.trust is None and rule.before is None and rule.noise is None and not getattr(rule.decay, "rate", 0)
    known = isinstance(rule.scale, One) or (isinstance(rule.scale, SumOfSquares) and rule.scale.eps_at == "outside")
    if not (plain and isinstance(rule.direction, Gradient) and known):
        raise BadInput(
            "gradient",
            got="a sparse gradient",
            want="dense gradients for this rule",
            hint="SGD without momentum and AdaGrad take sparse gradients, without decay, clipping or noise; "
            "or use nn.Embedding(sparse=False)",
        )


def advance(rule: Rule, p: Tensor, grad: Tensor, state: dict[str, Any], lr: float) -> None:
    """One update of one parameter by a sparse gradient. Cost: proportional to the rows in it."""
    age = float(state["step"]) + 1 if "step" in state else 1.0
    state["step"] = torch.tensor(age, dtype=torch.float32)
    sign = 1.0 if rule.maximize else -1.0
    if isinstance(rule.scale, One):
        p.add_(grad, alpha=sign * lr)
        return
    scale = rule.scale
    assert isinstance(scale, SumOfSquares)
    if "sum" not in state:
        state["sum"] = torch.full_like(p, scale.initial, requires_grad=False)
    grad = grad.coalesce()  # a square is not linear: each row once
    rows, values = grad.indices(), grad.values()
    where = tuple(rows)
    sums = state["sum"][where] + values * values
    state["sum"][where] = sums
    rate = lr / (1.0 + (age - 1.0) * scale.fade)
    below = sums.sqrt().add_(scale.eps)
    if scale.eps == 0:
        below.masked_fill_(below == 0, 1.0)
    p[where] += sign * rate * values / below
