"""Averages of weights: SWA's equal one, the exponential one, and SWAP over workers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput
from unstuck.optim.batch_norm import Statistics, has_statistics, recompute_batch_norm
from unstuck.optim.bounds import share, whole


class WeightAverage:
    """The running average of a model's parameters.

    ``decay=None``: all updates alike, n/(n+1) of the old and 1/(n+1) of the new (SWA, Izmailov et al. 2018). A number:
    exponential, decay of the old; with ``warm`` no more than (1+n)/(10+n) of it, so that the start is forgotten.
    Cost: one copy of the parameters, one pass at each ``update``.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = WeightAverage(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = model.weight.data.fill_(value)
    ...     average.update()
    >>> with average.applied():
    ...     model.weight.item()
    3.0
    """

    def __init__(self, model: nn.Module, *, decay: float | None = None, warm: bool = False) -> None:
        self.model = model
        self.decay = None if decay is None else share("decay", decay)
        self.warm = warm
        self.count = 0
        self.values = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the model's parameters in."""
        n = self.count
        if self.decay is None or n == 0:
            take = 1.0 / (n + 1)
        else:
            take = 1.0 - (min(self.decay, (1.0 + n) / (10.0 + n)) if self.warm else self.decay)
        for name, p in self.model.named_parameters():
            if name not in self.values or self.values[name].shape != p.shape:
                raise BadInput("model", got=name, want="the parameters the average was made from")
            kept = self.values[name]
            if kept.device != p.device:
                kept = self.values[name] = kept.to(p.device)
            kept.lerp_(p.detach(), take)
        self.count = n + 1

    @contextmanager
    def applied(
        self, batches: Iterable[Any] | None = None, *, forward: Callable[[nn.Module, Any], Any] | None = None
    ) -> Iterator[nn.Module]:
        """The model with averaged weights, for the time of a ``with``; with ``batches``, its batch norms fit them."""
        own = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        norms = Statistics([m for m in self.model.modules() if has_statistics(m)])
        try:
            self.write(self.model)
            if batches is not None:
                recompute_batch_norm(self.model, batches, forward=forward)
            yield self.model
        finally:
            with torch.no_grad():
                for name, p in self.model.named_parameters():
                    p.copy_(own[name])
            norms.restore()

    @torch.no_grad()
    def write(self, model: nn.Module) -> None:
        """Write the averaged weights into a model for good; compute its batch-norm statistics anew afterwards."""
        if self.count == 0:
            raise BadInput("average", got="no update", want="at least one update()")
        for name, p in model.named_parameters():
            p.copy_(self.values[name])

    def state_dict(self) -> dict[str, Any]:
        """Average and count."""
        return {"count": self.count, "values": self.values}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what :meth:`state_dict` gave."""
        self.count = int(state["count"])
        self.values = {name: value.clone() for name, value in state["values"].items()}


@dataclass(frozen=True)
class Swapped:
    """What :func:`swap` made: the averaged model (the one passed in), and the workers it was averaged from."""

    model: nn.Module
    workers: tuple[nn.Module, ...]
    batches: int


def average_models(models: Sequence[nn.Module]) -> dict[str, Tensor]:
    """The mean of the parameters of models of one shape, by name."""
    if not models:
        raise BadInput("models", got=0, want="at least one model")
    names = [dict(model.named_parameters()) for model in models]
    return {name: torch.stack([one[name].detach() for one in names]).mean(0) for name in names[0]}


def swap(
    model: nn.Module,
    large: Callable[[nn.Module], Any],
    worker: Callable[[nn.Module, int], Any],
    batches: Iterable[Any],
    *,
    workers: int = 4,
    forward: Callable[[nn.Module, Any], Any] | None = None,
) -> Swapped:
    """SWAP: a large-batch phase, then workers that refine copies with small batches on their own, then their average.

    ``large(model)`` trains in place to a target accuracy short of the end; ``worker(copy, k)`` goes on with batches of
    its own order; ``batches`` serve to compute the batch-norm statistics anew. Source: Gupta, Serrano & DeCoste 2020.
    """
    whole("workers", workers, least=1)
    large(model)
    copies = [copy.deepcopy(model) for _ in range(workers)]
    for k, one in enumerate(copies):
        worker(one, k)
    mean = average_models(copies)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(mean[name])
    return Swapped(model, tuple(copies), recompute_batch_norm(model, batches, forward=forward))
