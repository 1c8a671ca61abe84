"""Many scalars read at once: a value on an accelerator costs a synchronization each time it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def read_scalars(scalars: Sequence[Tensor | None]) -> list[float | None]:
    """Tensors of one element, of any device and dtype, as numbers; one transfer for each accelerator and dtype.

    >>> read_scalars([torch.tensor(1.5), None, torch.tensor(3)])
    [1.5, None, 3.0]
    """
    found: list[float | None] = [None] * len(scalars)
    groups: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    for i, scalar in enumerate(scalars):
        if scalar is None:
            continue
        if scalar.device.type == "cpu":
            found[i] = float(scalar.item())
        else:
            groups.setdefault((scalar.device, scalar.dtype), []).append(i)
    for indices in groups.values():
        stacked = torch.stack([s for i in indices if (s := scalars[i]) is not None])
        for i, value in zip(indices, stacked.tolist(), strict=True):
            found[i] = float(value)
    return found
