"""Mean, deviation, range and non-finite count of a tensor, as plain numbers."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.plain import piece, plain, shape_of, wide
from unstuck.probes.quiet import quiet

LIMIT = 65_536  # elements a statistic looks at; beyond, evenly spread ones
_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def describe(tensor: Tensor, *, limit: int = LIMIT) -> dict[str, Any]:
    """Shape, mean, standard deviation (of the population), range, root mean square and non-finite entries of a tensor.

    Numbers are sums in float64 over at most ``limit`` evenly spread elements; ``nonfinite`` counts in all of them.
    Entries that are not finite are left out of the other numbers (all ``nan`` when none is left).
    Cost: one pass over ``limit`` elements, one pass over all for the count, one synchronization.

    >>> found = describe(torch.tensor([1.0, 3.0]))
    >>> found["mean"], found["std"], found["min"], found["max"]
    (2.0, 1.0, 1.0, 3.0)
    """
    with quiet():
        whole = plain(tensor)
        return {"shape": shape_of(tensor), **numbers(whole, limit=limit)}


def numbers(whole: Tensor, *, limit: int = LIMIT, nonfinite: int | None = None) -> dict[str, Any]:
    """The numbers of :func:`describe` for a plain tensor; ``nonfinite`` is their count, when it is known already."""
    bad = count_nonfinite(whole) if nonfinite is None else nonfinite
    flat = wide(piece(whole, limit).cpu()).reshape(-1)
    if bad:
        flat = flat[torch.isfinite(flat)]
    count = flat.numel()
    if count == 0:
        nan = math.nan
        return {"mean": nan, "std": nan, "min": nan, "max": nan, "nonfinite": bad, "rms": nan}
    low, high = (float(x) for x in torch.aminmax(flat))
    if low == high:  # rounding of the mean must not make a constant vary
        return {"mean": low, "std": 0.0, "min": low, "max": high, "nonfinite": bad, "rms": abs(low)}
    mean = float(flat.sum()) / count
    centered = flat - mean
    std = math.sqrt(float(torch.dot(centered, centered)) / count)
    return {"mean": mean, "std": std, "min": low, "max": high, "nonfinite": bad, "rms": math.hypot(mean, std)}


def count_nonfinite(whole: Tensor) -> int:
    """How many entries are NaN or infinite; exact. Cost: one pass, two more when there may be some.

    >>> count_nonfinite(torch.tensor([1.0, float("nan"), float("inf")]))
    2
    """
    if not whole.is_floating_point() or whole.numel() == 0:
        return 0
    total = whole.sum(dtype=torch.float32 if whole.dtype in (torch.float16, torch.bfloat16) else None)
    if math.isfinite(float(total)):
        return 0
    return int((~torch.isfinite(whole)).sum())  # a sum also overflows: then this is 0
