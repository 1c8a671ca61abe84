"""The three networks of the curvature benchmark, partly trained: an MLP, a ResNet-20 with batch norm, a small GPT."""

from __future__ import annotations

import argparse as text_source
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass
class Workload:
    """A model in evaluation mode with its loss and batches."""

    name: str
    model: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    batches: list[tuple[Tensor, Tensor]]


def _train(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], batches: list, steps: int, lr: float) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    for step in range(steps):
        x, y = batches[step % len(batches)]
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    model.eval()


def _digits() -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits

    data = load_digits()
    return torch.tensor(data.data / 16.0, dtype=torch.float32), torch.tensor(data.target)


def mlp(steps: int = 150) -> Workload:
    """tanh 64-128-128-10, 26,122 parameters, 7 × 256 digits."""
    torch.manual_seed(0)
    x, y = _digits()
    model = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 10))
    batches = [(x[i : i + 256], y[i : i + 256]) for i in range(0, 1792, 256)]
    _train(model, F.cross_entropy, batches, steps, 1e-3)
    return Workload("MLP", model, F.cross_entropy, batches)


class _Residual(nn.Module):
    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.norm_one = nn.BatchNorm2d(outer)
        self.two = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.norm_two = nn.BatchNorm2d(outer)
        self.short = nn.Sequential()
        if stride != 1 or inner != outer:
            self.short = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x: Tensor) -> Tensor:
        inside = F.relu(self.norm_one(self.one(x)))
        return F.relu(self.norm_two(self.two(inside)) + self.short(x))


def resnet(steps: int = 60) -> Workload:
    """ResNet-20 with batch norm in evaluation mode, about 0.27M parameters, 2 × 128 digits of 16 × 16."""
    torch.manual_seed(0)
    x, y = _digits()
    x = F.interpolate(x.reshape(-1, 1, 8, 8), scale_factor=2.0)
    layers: list[nn.Module] = [nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inner = 16
    for outer, stride in ((16, 1), (32, 2), (64, 2)):
        for index in range(3):
            layers.append(_Residual(inner, outer, stride if index == 0 else 1))
            inner = outer
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    batches = [(x[i : i + 128], y[i : i + 128]) for i in (0, 128)]
    _train(model, F.cross_entropy, batches, steps, 1e-3)
    return Workload("ResNet-20", model, F.cross_entropy, batches)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, length: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_one, self.norm_two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("mask", torch.tril(torch.ones(length, length)).bool())

    def forward(self, x: Tensor) -> Tensor:
        b, t, c = x.shape
        q, k, v = (p.reshape(b, t, self.heads, -1).transpose(1, 2) for p in self.qkv(self.norm_one(x)).split(c, dim=2))
        scores = (q @ k.transpose(-2, -1)) / (c // self.heads) ** 0.5
        scores = scores.masked_fill(~self.mask[:t, :t], float("-inf"))
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c))
        return x + self.down(F.gelu(self.up(self.norm_two(x))))


class Gpt(nn.Module):
    """Five blocks of width 128; returns logits of shape (batch, length, letters)."""

    def __init__(self, letters: int, *, width: int = 128, layers: int = 5, heads: int = 4, length: int = 64) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(_Block(width, heads, length) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.letters(x) + self.places(torch.arange(x.shape[1], device=x.device))
        return self.head(self.norm(self.blocks(inside)))


def sequence_loss(output: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy over all letters."""
    return F.cross_entropy(output.reshape(-1, output.shape[-1]), target.reshape(-1))


def gpt(steps: int = 80) -> Workload:
    """GPT 5 × 128 with LayerNorm and plain attention, about 1M parameters, 2 × 16 × 64 letters of program text."""
    torch.manual_seed(0)
    text = inspect.getsource(text_source)
    letters = sorted(set(text))
    codes = torch.tensor([letters.index(c) for c in text])
    starts = torch.randint(0, len(codes) - 65, (8, 16))
    batches = [
        (torch.stack([codes[s : s + 64] for s in row]), torch.stack([codes[s + 1 : s + 65] for s in row]))
        for row in starts
    ]
    model = Gpt(len(letters))
    _train(model, sequence_loss, batches, steps, 1e-3)
    return Workload("GPT", model, sequence_loss, batches[:2])


ALL = {"MLP": mlp, "ResNet-20": resnet, "GPT": gpt}
