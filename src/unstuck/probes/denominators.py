"""What an adaptive rule divides by: its running size of the gradient, beside its epsilon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.plain import plain, readable
from unstuck.probes.quiet import quiet

_ENTRIES = 4096  # looked at in each group, evenly spread
_TENSORS = 24
# Where torch's own rules (and those named alike) keep it: (key, it is a square, the group's option that debiases it).
_KEPT = (
    ("max_exp_avg_sq", True, "betas"),
    ("exp_avg_sq", True, "betas"),
    ("exp_inf", False, None),
    ("square_avg", True, None),
    ("sum", True, None),
)


def denominators(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """One entry for each parameter group whose rule divides by a size of its gradients, measured after a step.

    ``eps``, ``low``, ``median``, ``high`` (the 5th, 50th and 95th percentile of the divisor before epsilon is
    added, over entries that ever had a gradient), ``under`` (share of those below epsilon), ``alive`` (share of
    entries that ever had a gradient), ``entries`` (looked at), ``group`` (its place). Groups of other rules are left
    out. Cost: at most 4096 entries a group, one transfer.

    >>> weight = torch.nn.Parameter(torch.ones(4))
    >>> optimizer = torch.optim.Adam([weight], eps=1e-3)
    >>> weight.grad = torch.tensor([0.1, 0.1, 1e-5, 0.0])
    >>> _ = optimizer.step()
    >>> found = denominators(optimizer)[0]
    >>> round(found["median"], 4), round(found["under"], 2), found["alive"]
    (0.1, 0.33, 0.75)
    """
    found = []
    with quiet():
        for number, group in enumerate(optimizer.param_groups):
            if group.get("eps") is None:
                continue
            squares: list[Tensor] = []
            parameters = group["params"]
            for parameter in parameters[:: 1 + len(parameters) // _TENSORS]:
                state = optimizer.state.get(parameter)
                if state and readable(parameter):
                    part = _divisor(state, group, _ENTRIES // min(len(parameters), _TENSORS))
                    if part is not None:
                        squares.append(part)
            if squares:
                values = torch.cat([s.to("cpu", torch.float32) for s in squares])
                found.append({"group": number, **_described(values, float(group["eps"]))})
    return found


def _divisor(state: Mapping[str, Any], group: Mapping[str, Any], limit: int) -> Tensor | None:
    """What one parameter is divided by, thinned."""
    for key, square, betas in _KEPT:
        kept = state.get(key)
        if not isinstance(kept, Tensor) or kept.layout != torch.strided or not kept.numel():
            continue
        flat = plain(kept).reshape(-1)
        flat = flat[:: max(1, flat.numel() // max(1, limit))].float()
        if not square:
            return flat
        pair, step = group.get(betas) if betas else None, state.get("step")
        if isinstance(pair, tuple | list) and len(pair) > 1 and step is not None:
            corrected = 1.0 - float(pair[1]) ** float(step)
            flat = flat / corrected if corrected > 0 else flat
        return flat.clamp(min=0).sqrt()
    return None


def _described(values: Tensor, eps: float) -> dict[str, Any]:
    alive = values[values != 0]
    alive = alive[torch.isfinite(alive)]
    entry: dict[str, Any] = {"eps": eps, "entries": values.numel(), "alive": alive.numel() / values.numel()}
    if not alive.numel():
        return {**entry, "low": None, "median": None, "high": None, "under": None}
    ranked = alive.sort().values
    places = [min(ranked.numel() - 1, math.floor(share * ranked.numel())) for share in (0.05, 0.5, 0.95)]
    low, median, high = ranked[places].tolist()
    return {**entry, "low": low, "median": median, "high": high, "under": float((alive < eps).float().mean())}
