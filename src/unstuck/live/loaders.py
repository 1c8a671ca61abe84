"""The data loaders that a script passes over, and whether they shuffle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from unstuck.launch.frames import user_line

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

MOST = 8  # training, validation and test with room to spare


class Loaders:
    """Those that passes began over, the first few."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.seen: dict[int, dict[str, Any]] = {}

    def started(self, loader: Any) -> None:
        """A pass over a data loader begins."""
        known = self.seen.get(id(loader))
        if known is not None:
            known["passes"] += 1
            return
        if len(self.seen) < MOST:
            sampler = getattr(loader, "sampler", None)
            try:
                length: int | None = len(loader.dataset)
            except Exception:
                length = None
            self.seen[id(loader)] = {
                "sampler": type(sampler).__name__,
                "examples": length,
                "batch": getattr(loader, "batch_size", None),
                "training": bool(self.watcher.schedule.sampling and torch.is_grad_enabled()),
                "passes": 1,
                "line": user_line(),
            }

    def report(self) -> None:
        """Write what was seen of them."""
        if self.seen:
            listed = list(self.seen.values())
            training = next((entry for entry in listed if entry["training"]), listed[0])
            self.watcher.event("shuffle", step=self.watcher.current_step(), sampler=training["sampler"], loaders=listed)
