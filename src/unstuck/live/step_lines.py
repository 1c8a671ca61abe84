"""The lines of steps that take the long way; on an accelerator their numbers are read some steps later, together."""

from __future__ import annotations

from typing import Any

import torch

from unstuck.live.budget import clock
from unstuck.live.fast_path import FastPath
from unstuck.record.journal import Journal

MAX_DEFERRED = 32  # losses on an accelerator that are read together


class StepLines:
    """Writes steps to the journal, those that wait for a device after the others have come."""

    def __init__(self, journal: Journal, fast: FastPath) -> None:
        self.journal = journal
        self.fast = fast
        self.deferred: list[tuple[dict[str, Any], list[Any], int]] = []

    def write(self, line: dict[str, Any], losses: list[Any]) -> None:
        """Write a step; on an accelerator its numbers are read some steps later, together."""
        known = [v for v in losses if v is not None]
        waiting = [v for v in [*known, line.get("c")] if isinstance(v, torch.Tensor)]
        if not waiting and not self.deferred:
            if known:
                line["l"] = sum(known) / len(known)
            self.journal.record(line)
            return
        self.deferred.append((line, known, len(waiting)))
        if len(self.deferred) >= MAX_DEFERRED or clock() - self.fast.last_flush > 0.5:
            self.read()

    def read(self) -> None:
        """Read the losses that wait on an accelerator, with one transfer a device, and write their steps."""
        deferred, self.deferred = self.deferred, []
        tensors = [v for line, known, _ in deferred for v in [*known, line.get("c")] if isinstance(v, torch.Tensor)]
        by_device: dict[Any, list[torch.Tensor]] = {}
        for tensor in tensors:
            by_device.setdefault(tensor.device, []).append(tensor)
        numbers: dict[int, float] = {}
        with torch.no_grad():
            for group in by_device.values():
                values = torch.stack([t.detach().reshape(()).double().float() for t in group]).tolist()
                numbers.update((id(t), v) for t, v in zip(group, values, strict=True))
        for line, known, _ in deferred:
            plain = [numbers[id(v)] if isinstance(v, torch.Tensor) else v for v in known]
            if plain:
                line["l"] = sum(plain) / len(plain)
            if isinstance(line.get("c"), torch.Tensor):
                line["c"] = numbers[id(line["c"])]
            self.journal.record(line)
        self.fast.last_flush = clock()
