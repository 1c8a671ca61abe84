"""How well a batch normalization's running statistics fit the batch that it is about to normalize by them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.plain import plain, strides_for, thinned
from unstuck.probes.quiet import quiet

_LIMIT = 65_536


def keeps_statistics(module: torch.nn.Module) -> bool:
    """Whether a module is a batch normalization, torch's or one of the script's own with buffers of the same names.

    >>> keeps_statistics(torch.nn.BatchNorm1d(2)), keeps_statistics(torch.nn.LayerNorm(2))
    (True, False)
    """
    if isinstance(module, torch.nn.modules.batchnorm._NormBase):
        return isinstance(module, torch.nn.modules.batchnorm._BatchNorm)
    buffers = module._buffers
    mean, variance = buffers.get("running_mean"), buffers.get("running_var")
    return mean is not None and variance is not None and mean.shape == variance.shape and mean.numel() > 1


def running_statistics(module: torch.nn.Module, entering: Tensor, *, limit: int = _LIMIT) -> dict[str, Any] | None:
    """``shift``, ``ratio``, ``values`` and ``examples`` of one batch normalization in evaluation mode; None for other modules.

    ``shift`` is the median over channels of |batch mean − running mean| in batch deviations, ``ratio`` the median of
    running over batch deviation. Channels that do not vary in this batch are left out. Cost: two passes over
    ``limit`` numbers at most. Errors: none.

    >>> layer = torch.nn.BatchNorm1d(2).eval()
    >>> found = running_statistics(layer, torch.tensor([[4.0, 0.0], [8.0, 0.0]]))
    >>> round(found["shift"], 3), round(found["ratio"], 3), found["examples"]
    (3.0, 0.5, 2)
    """
    if not keeps_statistics(module) or module.training:
        return None
    mean, variance = module.running_mean, module.running_var
    if not isinstance(mean, Tensor) or not isinstance(variance, Tensor):
        return None
    with quiet():
        mean, variance = mean.detach().float().reshape(-1), variance.detach().float().reshape(-1)
        whole = plain(entering)
        if whole.dim() < 2 or whole.shape[1] != mean.numel() or not whole.is_floating_point():
            return None
        values = whole.numel() // max(1, whole.shape[1])
        if values < 2:
            return None
        part = thinned(whole, strides_for(tuple(whole.shape), limit, keep=(1,)))
        rows = part.float().movedim(1, -1).reshape(-1, part.shape[1])
        here, spread = rows.mean(0), rows.std(0, correction=0)
        eps = float(getattr(module, "eps", 1e-5))
        kept = spread * spread > eps
        if not bool(kept.any()):
            return None
        shift = ((here - mean).abs() / spread)[kept].median()
        ratio = ((variance + eps).sqrt() / spread)[kept].median()
        both = torch.stack([shift, ratio]).tolist()
    if not all(math.isfinite(v) for v in both):
        return None
    return {"shift": both[0], "ratio": both[1], "values": values, "examples": int(whole.shape[0])}
