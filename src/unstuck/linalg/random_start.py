"""Random unit vectors from an own generator, so that nobody's global random state moves."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.linalg.accurate_dots import norm, orthogonalize


def generator(seed: int) -> torch.Generator:
    """A CPU generator; vectors are drawn there and moved, so that a seed means the same on every device."""
    return torch.Generator().manual_seed(seed)


def random_unit(size: int, *, like: Tensor, source: torch.Generator, outside: Tensor | None = None) -> Tensor:
    """A vector uniform on the unit sphere of ``size`` dimensions, or on the part of it orthogonal to ``outside``' rows.

    >>> v = random_unit(5, like=torch.zeros(1), source=generator(0))
    >>> round(norm(v), 5)
    1.0
    """
    vector = torch.randn(size, generator=source, dtype=torch.float32).to(like)
    if outside is not None and outside.shape[0]:
        orthogonalize(vector, outside)
    return vector / norm(vector)
