"""Round clouds of points on a circle, one for each class: data whose number of clusters is known."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unstuck.core.errors import BadInput


def blobs(classes: int = 2, *, count: int = 200, spread: float = 0.7, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points (count, 2) and their classes (count), equally many of each; two classes stand at (1, 1) and (−1, −1).

    >>> x, y = blobs(count=400, spread=0.1)
    >>> [round(float(v)) for v in x[y == 0].mean(dim=0)], int((y == 1).sum())
    ([1, 1], 200)
    """
    if classes < 2 or count < classes:
        raise BadInput("classes, count", got=(classes, count), want="two classes at least, a point for each")
    angle = 2 * math.pi * torch.arange(classes, dtype=torch.float64) / classes + math.pi / 4
    centers = math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], dim=1)
    y = torch.arange(count) % classes
    source = torch.Generator().manual_seed(seed)
    return centers[y] + spread * torch.randn(count, 2, generator=source, dtype=torch.float64), y
