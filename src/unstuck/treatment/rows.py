"""The training rows of a script: inputs and targets as they came by, each kept once, to be drawn in another order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from unstuck.treatment.stage import Met, Stage

LARGEST_BYTES = 128 * 2**20
MOST_ROWS = 50_000
MOST_FEATURES = 512  # of which correlations are taken: an eigenproblem of a tenth of a second
SETTLED = 2  # passes over all known rows without a new one: there are no others


class RowKeeper:
    """Collects the rows during the replay in which nothing is changed."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.inputs: list[torch.Tensor] = []
        self.targets: list[torch.Tensor] = []
        self.known: set[tuple[bytes, bytes]] = set()
        self.bytes = 0
        self.first: torch.Tensor | None = None  # the input of the last training call of a model
        self.broken = False
        self.orders: list[list[float]] = []  # target means by batch: sorted data swing
        self.full = False
        self.since_new = 0  # rows that came by since the last new one
        stage.hear.root_begins.append(self._begins)
        stage.hear.met.append(self._met)

    def _begins(self, module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if not torch.is_grad_enabled() or self.broken:
            return
        first = args[0] if args else None
        if not isinstance(first, torch.Tensor) or self.stage.derived(first) or len(args) > 1 or kwargs:
            self.first = None
            return
        self.first = first

    def _met(self, meeting: Met) -> None:
        first = self.first
        if first is None or not meeting.gradient or self.broken:
            return
        self.first = None
        target = meeting.target
        if first.dim() < 1 or target.dim() < 1 or first.shape[0] != target.shape[0] or target is first:
            self.broken = True
            return
        with self.stage.aside():
            self._keep(first.detach().cpu(), target.detach().cpu())

    def _keep(self, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        # Hashing each row of each batch cost ten times what a step of a small network does.
        if self.full or self.since_new > SETTLED * len(self.known) > 0:
            return
        values = targets.double().reshape(len(targets), -1)
        self.orders.append([float(values.mean()), float(values.var()) if values.numel() > 1 else 0.0])
        new = []
        for i in range(len(inputs)):
            key = (_bytes(inputs[i]), _bytes(targets[i]))
            if key not in self.known:
                self.known.add((key[0], key[1]))
                new.append(i)
        self.since_new = 0 if new else self.since_new + len(inputs)
        if new:
            kept_inputs, kept_targets = inputs[new].clone(), targets[new].clone()
            self.inputs.append(kept_inputs)
            self.targets.append(kept_targets)
            self.bytes += kept_inputs.numel() * kept_inputs.element_size()
        if self.bytes > LARGEST_BYTES or len(self.known) > MOST_ROWS:
            self.full = self.broken = True  # an unfinished set is no set to draw from

    def plain(self, folder: Path) -> dict[str, Any] | None:
        """Save the rows; what the plan needs to know of them, or None."""
        if self.broken or not self.inputs:
            return None
        try:
            inputs, targets = torch.cat(self.inputs), torch.cat(self.targets)
        except RuntimeError:  # rows of several shapes: sequences of different lengths
            return None
        file = folder / "rows.pt"
        torch.save({"inputs": inputs, "targets": targets}, file)
        values = targets.double().reshape(len(targets), -1)
        spread = float(values.var()) if values.numel() > 1 else 0.0
        means = torch.tensor([m for m, _ in self.orders], dtype=torch.float64)
        within = sum(v for _, v in self.orders) / len(self.orders)
        counts = (
            torch.unique(targets, return_counts=True)[1].tolist()
            if not targets.is_floating_point() or _few(targets)
            else []
        )
        return {
            "file": str(file),
            "rows": len(inputs),
            # 1 for batches drawn at random; towards 0 when the batches are sorted by their target
            "mixed": within / spread if spread > 0 else 1.0,
            "swing": float(means.var()) if len(means) > 1 else 0.0,
            "class_counts": counts,
            "condition": _condition(inputs),
        }


def _condition(inputs: torch.Tensor) -> float | None:
    """The condition number of the features' correlations; None where rows are no lists of numbers, or too few."""
    if inputs.dim() != 2 or not inputs.is_floating_point() or not 2 <= inputs.shape[1] <= MOST_FEATURES:
        return None
    if len(inputs) < 2 * inputs.shape[1] or not bool(torch.isfinite(inputs).all()):
        return None
    varying = inputs.double()[:, inputs.double().std(0) > 0]
    if varying.shape[1] < 2:
        return None
    values = torch.linalg.eigvalsh(torch.corrcoef(varying.T))
    return float(values[-1] / values[0].clamp(min=1e-12))


def _few(targets: torch.Tensor) -> bool:
    return targets.dim() == 1 and torch.unique(targets).numel() <= 20


def _bytes(row: torch.Tensor) -> bytes:
    import hashlib

    return hashlib.blake2b(row.contiguous().numpy().tobytes(), digest_size=12).digest()


class RowDealer:
    """Deals the kept rows in an order of its own in place of the script's batches: every row once before any twice."""

    def __init__(self, stage: Stage, file: str, *, generator: torch.Generator, balanced: bool = False) -> None:
        kept = torch.load(file, weights_only=True)
        self.stage = stage
        self.inputs, self.targets = kept["inputs"], kept["targets"]
        self.generator = generator
        self.weights = _weights(self.targets) if balanced else None
        self.order = torch.empty(0, dtype=torch.long)
        self.dealt: torch.Tensor | None = None
        self.used = 0
        # An evaluation under gradient looks like training; its rows are not among those trained on.
        self.members = {_bytes(row) for row in self.inputs}
        stage.hear.root_begins.append(self._begins)
        stage.hear.met.insert(0, self._met)  # before the yardstick: a dealt row is judged by its own target

    def _draw(self, count: int) -> torch.Tensor:
        if self.weights is not None:
            return torch.multinomial(self.weights, count, replacement=True, generator=self.generator)
        while len(self.order) < count:
            self.order = torch.cat([self.order, torch.randperm(len(self.inputs), generator=self.generator)])
        drawn, self.order = self.order[:count], self.order[count:]
        return drawn

    def _begins(self, module: torch.nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        self.dealt = None
        if not torch.is_grad_enabled() or len(args) != 1 or not isinstance(args[0], torch.Tensor):
            return None
        given = args[0]
        if given.shape[1:] != self.inputs.shape[1:] or given.dtype != self.inputs.dtype or self.stage.derived(given):
            return None
        with self.stage.aside():
            if not len(given) or _bytes(given[0].detach().cpu()) not in self.members:
                return None
            rows = self._draw(len(given))
            inputs = self.inputs[rows].to(given.device)
            self.dealt = self.targets[rows].to(given.device)
        self.used += 1
        return (inputs,), kwargs

    def _met(self, meeting: Met) -> torch.Tensor | None:
        if self.dealt is None or not meeting.gradient:
            return None
        if meeting.target.shape != self.dealt.shape or meeting.target.dtype != self.dealt.dtype:
            return None
        return self.dealt


def _weights(targets: torch.Tensor) -> torch.Tensor:
    _, inverse, counts = torch.unique(targets, return_inverse=True, return_counts=True)
    weights: torch.Tensor = 1.0 / counts[inverse].double().reshape(-1)
    return weights
