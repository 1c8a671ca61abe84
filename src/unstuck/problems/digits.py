"""1,797 handwritten digits of 8 × 8 pixels, as they come with scikit-learn: real data that fit into a second."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from unstuck.core.errors import BadInput


@dataclass(frozen=True)
class Digits:
    """Pixels (n, 64) in 0 … 1 and classes (n), split into training and test."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


def digits(*, train: int = 1400, seed: int = 0, dtype: torch.dtype = torch.float32) -> Digits:
    """The digits, shuffled by the seed; the first ``train`` are for training, the others for testing.

    Errors: ``BadInput`` without scikit-learn (``pip install "unstuck[lab]"``).

    >>> found = digits()
    >>> tuple(found.x.shape), len(found.test_y), sorted(set(found.y.tolist())) == list(range(10))
    ((1400, 64), 397, True)
    """
    x, y = _loaded()
    if not 0 < train <= len(y):
        raise BadInput("train", got=train, want=f"1 to {len(y)}")
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    x, y = (x[order] / 16).to(dtype), y[order]
    return Digits(x[:train], y[:train], x[train:], y[train:])


@cache
def _loaded() -> tuple[Tensor, Tensor]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as problem:
        raise BadInput("scikit-learn", got="not installed", want='pip install "unstuck[lab]"') from problem
    pixels, classes = load_digits(return_X_y=True)
    return torch.tensor(pixels, dtype=torch.float64), torch.tensor(classes, dtype=torch.long)
