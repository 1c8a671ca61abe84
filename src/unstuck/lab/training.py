"""Trains small networks: batches by the seed, every update told to whoever watches, no global random number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.signal import initialize
from unstuck.signal.gains import Rule as InitialRule

Loss = Callable[[Tensor, Tensor], Tensor]


def batches(count: int, size: int, *, seed: int = 0) -> Iterator[Tensor]:
    """Indices of one batch after the other without end: every example once an epoch, each epoch shuffled anew; the last
    batch of an epoch may be shorter.

    >>> two = batches(5, 2)
    >>> sorted(torch.cat([next(two) for _ in range(3)]).tolist())
    [0, 1, 2, 3, 4]
    """
    source = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(count, generator=source)
        yield from (order[start : start + size] for start in range(0, count, size))


@dataclass(frozen=True)
class Trained:
    """Loss of each update's batch; ``finite`` is False when training ended early on one that was not."""

    losses: list[float]
    finite: bool


def train(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    batch: int,
    updates: int,
    loss: Loss = F.cross_entropy,
    seed: int = 0,
    watch: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train for a number of updates. ``watch(step, loss)`` is called after each backward pass, before the update.

    *Cost*: one gradient of the batch an update.
    """
    losses: list[float] = []
    source = batches(len(x), batch, seed=seed)
    for step in range(updates):
        rows = next(source)
        optimizer.zero_grad()
        out = loss(model(x[rows]), y[rows])
        torch.autograd.backward(out)
        losses.append(float(out.detach()))
        if not losses[-1] < float("inf"):
            return Trained(losses, False)
        if watch is not None:
            watch(step, losses[-1])
        optimizer.step()
    return Trained(losses, True)


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of rows whose largest output is their class, in evaluation mode; the mode is put back."""
    was = model.training
    model.eval()
    with torch.no_grad():
        share = float((model(x).argmax(dim=1) == y).double().mean())
    model.train(was)
    return share


def multilayer(
    sizes: tuple[int, ...],
    activation: Callable[[], nn.Module] = nn.ReLU,
    *,
    rule: InitialRule = "auto",
    gain: float = 1.0,
    norm: Callable[[int], nn.Module] | None = None,
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> nn.Sequential:
    """Linear layers with activations between, initialized by :func:`unstuck.signal.initialize`; ``norm`` goes between a
    hidden layer and its activation.

    >>> [type(part).__name__ for part in multilayer((4, 8, 2))]
    ['Linear', 'ReLU', 'Linear']
    """
    parts: list[nn.Module] = []
    for index, (entering, leaving) in enumerate(pairwise(sizes)):
        with torch.random.fork_rng(devices=[]):  # torch draws weights of its own at first
            parts.append(nn.Linear(entering, leaving, dtype=dtype))
        if index < len(sizes) - 2:
            if norm is not None:
                parts.append(norm(leaving).to(dtype))
            parts.append(activation())
    model = nn.Sequential(*parts)
    initialize(model, rule=rule, gain=gain, seed=seed)
    return model


def gradient_norm(model: nn.Module) -> float:
    """Length of the whole gradient as it stands in ``.grad``."""
    squares = [parameter.grad.double().pow(2).sum() for parameter in model.parameters() if parameter.grad is not None]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0
