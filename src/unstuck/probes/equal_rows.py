"""Rows of a matrix that equal another row exactly: exact, and cheap where there are none."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from unstuck.probes.plain import plain

_FIRST = 16  # columns looked at first: rows that differ there are different
_LIMIT = 1_000_000
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def equal_rows(matrix: Tensor, *, skip_zero: bool = False, limit: int = _LIMIT) -> float | None:
    """Share of the rows (first dimension) that equal another row bit for bit; None for less than two rows.

    ``skip_zero`` leaves rows of zeros out of the count (units without gradient are equal, but not for symmetry).
    More than ``limit`` entries give None. Cost: a sort of the rows by sixteen of their columns, and by all of them
    only for rows that agree there.

    >>> equal_rows(torch.tensor([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    0.5
    """
    whole = plain(matrix)
    if whole.dim() < 2 or whole.shape[0] < 2 or whole.numel() > limit or whole.numel() == 0:
        return None
    rows = whole.reshape(whole.shape[0], -1)
    count = rows.shape[0]
    step = max(1, rows.shape[1] // _FIRST)
    candidates = _repeated(_keys(rows[:, ::step][:, :_FIRST]))
    if candidates.numel() == 0:
        return 0.0
    chosen = rows.index_select(0, candidates)
    if skip_zero:
        chosen = chosen[(chosen != 0).any(1)]
        if chosen.shape[0] < 2:
            return 0.0
    keys = _keys(chosen)
    order = torch.argsort(keys)
    ranked = chosen.index_select(0, order)
    # Equal keys are nearly surely equal rows; compare the rows themselves all the same.
    same = (keys[order][1:] == keys[order][:-1]) & (ranked[1:] == ranked[:-1]).all(1)
    member = torch.zeros(ranked.shape[0], dtype=torch.bool, device=same.device)
    member[1:] |= same
    member[:-1] |= same
    return float(member.sum()) / count


def _keys(rows: Tensor) -> Tensor:
    """One number a row: equal rows have equal ones. Integer arithmetic, so no rounding can part them."""
    if rows.is_floating_point():
        rows = (rows + 0.0).contiguous().view(_BITS[rows.element_size()])  # −0 becomes 0
    rows = rows.to(torch.int64)
    return (rows * _multipliers(rows.shape[1], rows.device)).sum(1)


@functools.lru_cache(maxsize=8)
def _multipliers(count: int, device: torch.device) -> Tensor:
    """Odd factors from a linear congruence: fixed, and independent of any generator of the script."""
    few = min(count, 4096)
    found = []
    state = 0x9E3779B97F4A7C15
    for _ in range(few):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        found.append(((state ^ (state >> 29)) | 1) - (1 << 63))
    table = torch.tensor(found, dtype=torch.int64, device=device)
    if count > few:
        blocks = torch.arange(-(-count // few), device=device, dtype=torch.int64) * 2 + 1
        table = (table[None, :] * blocks[:, None]).reshape(-1)[:count]
    return table


def _repeated(keys: Tensor) -> Tensor:
    """Positions of keys that occur more than once."""
    ranked, order = torch.sort(keys)
    same = ranked[1:] == ranked[:-1]
    member = torch.zeros(keys.numel(), dtype=torch.bool, device=keys.device)
    member[1:] |= same
    member[:-1] |= same
    return order[member]
