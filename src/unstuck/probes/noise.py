"""Gradient noise from the gradients of consecutive steps, on a fixed small set of coordinates."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.plain import plain, readable
from unstuck.probes.quiet import quiet


@dataclass
class GradientNoise:
    """How much of the gradient is signal: its agreement with the gradient of the step before.

    Gradients of two steps rest on different batches, so the mean of their inner product estimates the squared length
    of the mean gradient; divided by the mean squared length that is ``share``: 1 without noise, 0 for noise alone.
    Coordinates are spread evenly over all parameters, at most ``coordinates`` of them, always the same ones.
    Cost: one small operation a parameter and one synchronization a step.

    >>> noise = GradientNoise()
    >>> weight = torch.ones(3, requires_grad=True)
    >>> for step in range(3):
    ...     weight.grad = torch.tensor([1.0, 2.0, 2.0])
    ...     found = noise.update([("w", weight)], step=step)
    >>> found["norm"], found["share"], found["pairs"]
    (3.0, 1.0, 2)
    """

    coordinates: int = 4096
    pairs: int = 8
    _layout: tuple[tuple[str, tuple[int, ...]], ...] = ()
    _previous: Tensor | None = None
    _step: int | None = None
    _products: deque[tuple[float, float]] = field(default_factory=deque)

    def update(self, parameters: Iterable[tuple[str, Tensor]], *, step: int, scale: float = 1.0) -> dict[str, Any]:
        """Add the gradients of one step and get the entry ``noise`` of docs/recording.md.

        ``scale`` is a factor in the gradients that is no part of the loss (the gradient scale), divided out. A changed
        set of parameters, or a step that does not follow the last one, starts a new pair; pairs made before stay,
        unless the set changed.
        """
        with quiet():
            present = [
                (name, p.grad)
                for name, p in parameters
                if readable(p) and p.grad is not None and p.grad.layout == torch.strided
            ]
            present = [(name, g) for name, g in present if g.is_floating_point() or g.is_complex()]
            layout = tuple((name, tuple(g.shape)) for name, g in present)
            if layout != self._layout:
                self._layout, self._previous = layout, None
                self._products.clear()
            now = self._sketch([g for _, g in present])
            found: dict[str, Any] = {"cos": None, "norm": None, "share": None, "pairs": len(self._products)}
            if now is None:
                self._previous, self._step = None, step
                return found
            if scale != 1.0:
                now = now / scale
            norm = float(torch.linalg.vector_norm(now))
            found["norm"] = norm
            if self._previous is not None and self._step == step - 1 and math.isfinite(norm):
                product = float(torch.dot(now, self._previous))
                before = float(torch.linalg.vector_norm(self._previous))
                if math.isfinite(product) and math.isfinite(before):
                    found["cos"] = product / (norm * before) if norm > 0 and before > 0 else None
                    self._products.append((product, (norm * norm + before * before) / 2))
                    while len(self._products) > self.pairs:
                        self._products.popleft()
            self._previous, self._step = now, step
            found["pairs"] = len(self._products)
            length = sum(square for _, square in self._products)
            if length > 0:
                found["share"] = min(1.0, max(0.0, sum(product for product, _ in self._products) / length))
            return found

    def _sketch(self, gradients: list[Tensor]) -> Tensor | None:
        flats = [_flat(g) for g in gradients]
        total = sum(f.numel() for f in flats)
        if total == 0:
            return None
        stride = max(1, math.ceil(total / self.coordinates))
        parts: dict[torch.device, list[Tensor]] = {}
        offset = 0
        for flat in flats:
            # The stride runs on from one parameter to the next, so that small ones are met in proportion.
            size = flat.numel()
            if offset < size:
                part = flat[offset::stride]
                parts.setdefault(part.device, []).append(part.float() if part.dtype != torch.float64 else part)
                offset += stride * part.numel()
            offset -= size
        return torch.cat([torch.cat(of_device).to("cpu", torch.float64) for of_device in parts.values()])


def _flat(gradient: Tensor) -> Tensor:
    """All entries in one row, in any fixed order, without a copy wherever memory has no gaps."""
    found = plain(gradient)
    if not found.is_contiguous() and found.dim() == 4 and found.is_contiguous(memory_format=torch.channels_last):
        return found.as_strided((found.numel(),), (1,), found.storage_offset())
    return found.reshape(-1)
