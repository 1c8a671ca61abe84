"""Fractions that the script cuts to whole numbers: ``labels.long()`` of labels that were scaled on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unstuck.launch.frames import user_line

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

MOST = 24  # conversions that are looked at: preparation comes first, and one in the loop is the same each time
FEWEST, LARGEST = 2, 10_000_000  # entries of a tensor
PEEK = 4096  # entries, which tell measurements from a few different values
DISTINCT = 1024  # values beyond which they are no labels


class WholeNumbers:
    """Notes conversions that lost fractions, where there are few different values: how many there were, and what is left."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.looked = 0

    def made(self, before: torch.Tensor, after: torch.Tensor) -> None:
        """A tensor of floating point was converted. *Cost*: a sort of its entries, for the first conversions only."""
        if self.looked >= MOST or before.device.type != "cpu" or not FEWEST <= before.numel() <= LARGEST:
            return
        self.looked += 1
        peek = before.detach().reshape(-1)[:PEEK]
        if not bool(peek.isfinite().all()) or torch.unique(peek).numel() > DISTINCT:
            return
        values = torch.unique(before.detach())
        if values.numel() > DISTINCT or not bool((values != values.trunc()).any()):
            return
        left, counts = torch.unique(after.detach(), return_counts=True)
        self.watcher.event(
            "cut_to_whole",
            limit=MOST,
            entries=before.numel(),
            distinct=values.numel(),
            values=[float(v) for v in values[:8]],
            lowest=float(values[0]),
            highest=float(values[-1]),
            left={str(int(v)): int(c) for v, c in zip(left[:64], counts[:64], strict=True)},
            distinct_left=left.numel(),
            line=user_line(),
        )
