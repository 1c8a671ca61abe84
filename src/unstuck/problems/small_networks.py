"""Six small networks with data, small enough that their whole Hessian is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class SmallNetwork:
    """A model, its loss, and batches (the last one shorter)."""

    name: str
    model: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    batches: list[tuple[Tensor, Tensor]]


def _cut(x: Tensor, y: Tensor, size: int = 20) -> list[tuple[Tensor, Tensor]]:
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


def _blobs(count: int, size: int, classes: int) -> tuple[Tensor, Tensor]:
    target = torch.arange(count) % classes
    centers = torch.randn(classes, size)
    return centers[target] + 0.7 * torch.randn(count, size), target


def _mlp() -> SmallNetwork:
    x, y = _blobs(50, 6, 3)
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 3))
    return SmallNetwork("mlp", model, F.cross_entropy, _cut(x, y))


def _relu() -> SmallNetwork:
    x, y = _blobs(50, 6, 3)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 10), nn.ReLU(), nn.Linear(10, 3))
    return SmallNetwork("relu", model, F.cross_entropy, _cut(x, y))


def _cnn() -> SmallNetwork:
    y = torch.arange(50) % 2
    x = torch.randn(50, 1, 6, 6) + y[:, None, None, None].float() * torch.linspace(-1, 1, 6)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.SiLU(), nn.Conv2d(4, 6, 3), nn.GroupNorm(2, 6), nn.SiLU(), nn.Flatten(), nn.Linear(24, 2)
    )
    return SmallNetwork("cnn", model, F.cross_entropy, _cut(x, y))


def _batch_norm() -> SmallNetwork:
    x, y = _blobs(50, 6, 3)
    model = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Linear(12, 3))
    return SmallNetwork("batch norm", model, F.cross_entropy, _cut(x, y))


class _TinyTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.letters = nn.Embedding(5, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.block(self.letters(x)))
        return out.transpose(1, 2)


def _transformer() -> SmallNetwork:
    x = torch.randint(0, 5, (26, 7))
    return SmallNetwork("transformer", _TinyTransformer(), F.cross_entropy, _cut(x, x.cumsum(1) % 5, 10))


def _deep_linear() -> SmallNetwork:
    x = torch.randn(50, 5)
    y = x @ torch.randn(5, 3) + 0.1 * torch.randn(50, 3)
    layers = [nn.Linear(5, 6, bias=False), nn.Linear(6, 6, bias=False), nn.Linear(6, 3, bias=False)]
    return SmallNetwork("deep linear", nn.Sequential(*layers), F.mse_loss, _cut(x, y))


_MAKERS = {
    "mlp": _mlp,
    "relu": _relu,
    "cnn": _cnn,
    "batch norm": _batch_norm,
    "transformer": _transformer,
    "deep linear": _deep_linear,
}


def _made(maker: Callable[[], SmallNetwork], seed: int, steps: int, dtype: torch.dtype) -> SmallNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = maker()
        optimizer = torch.optim.Adam(network.model.parameters(), lr=1e-2)
        for step in range(steps):
            x, y = network.batches[step % len(network.batches)]
            optimizer.zero_grad()
            torch.autograd.backward(network.loss(network.model(x), y))
            optimizer.step()
    batches = [
        (x.to(dtype) if x.is_floating_point() else x, y.to(dtype) if y.is_floating_point() else y)
        for x, y in network.batches
    ]
    return SmallNetwork(network.name, network.model.to(dtype).eval(), network.loss, batches)


class _Networks:
    """Makes a network by name, trained for some steps."""

    names = tuple(_MAKERS)

    def __call__(
        self, name: str, *, seed: int = 0, steps: int = 30, dtype: torch.dtype = torch.float64
    ) -> SmallNetwork:
        return _made(_MAKERS[name], seed, steps, dtype)


SMALL_NETWORKS = _Networks()
