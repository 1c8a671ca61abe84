"""Running statistics of batch norms: kept aside, or computed anew for averaged weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def has_statistics(module: nn.Module) -> bool:
    """Whether the module keeps a running mean that a pass in training mode would change."""
    return isinstance(getattr(module, "running_mean", None), Tensor)


class Statistics:
    """The running statistics of modules as they are now, to be put back."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.kept = [
            (buffer, buffer.detach().clone()) for module in modules for buffer in module.buffers(recurse=False)
        ]

    @torch.no_grad()
    def restore(self) -> None:
        """Put them back."""
        for buffer, value in self.kept:
            buffer.copy_(value)


@torch.no_grad()
def recompute_batch_norm(
    model: nn.Module, batches: Iterable[Any], *, forward: Callable[[nn.Module, Any], Any] | None = None
) -> int:
    """Batch-norm statistics as plain averages over the batches, for the weights of now; returns how many batches.

    A batch is fed by ``forward(model, batch)``, by default ``model(batch[0])`` for a list or tuple and ``model(batch)``
    else. Modes and momenta are left as they were; without batch norms nothing is run. Random layers draw in training
    mode, as they did in training. Cost: one forward pass for each batch.
    """
    norms = [module for module in model.modules() if has_statistics(module)]
    if not norms:
        return 0
    modes = [(module, module.training) for module in model.modules()]
    momenta = [(module, module.momentum) for module in norms]
    count = 0
    try:
        model.train()
        for module in norms:
            module.reset_running_stats()  # type: ignore[operator]
            module.momentum = None  # type: ignore[assignment]  # a cumulative average
        for batch in batches:
            if forward is not None:
                forward(model, batch)
            else:
                model(batch[0] if isinstance(batch, (list, tuple)) else batch)
            count += 1
    finally:
        for module, momentum in momenta:
            module.momentum = momentum
        for module, mode in modes:
            module.training = mode
    return count
