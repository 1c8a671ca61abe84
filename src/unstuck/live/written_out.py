"""Losses that an evaluation writes out: the difference of a model's output and a tensor of the same shape."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from unstuck import probes

if TYPE_CHECKING:
    from unstuck.live.evaluation import EvaluationWatch

FEWEST = 2  # entries
WORST = -2.0  # of the variance explained; a constant answer has 0, and what was learned by heart hardly less than −1
MOST = 8  # outputs that are known at a time


class WrittenOut:
    """In a watched evaluation: knows the memory of the model's outputs (weakly), and hears what is subtracted from it.

    Each output tells once: ``(out - y) ** 2`` and ``(out - y).abs()`` say the same of the run. What is told is the mean
    squared difference, whatever the script makes of it.
    """

    def __init__(self, evaluation: EvaluationWatch) -> None:
        self.evaluation = evaluation
        self.listening = False
        self.outputs: list[StorageWeakRef] = []

    def listen(self, wanted: bool) -> None:
        """An evaluation whose losses are looked at begins, or no more of it is needed."""
        if wanted == self.listening:
            return
        self.listening = wanted
        self.outputs.clear()
        watcher = self.evaluation.watcher
        watcher.taps.hear_differences(wanted)
        if wanted:
            watcher.taps.hear_outputs(True)
        elif not watcher.cuts.listening:
            watcher.taps.hear_outputs(False)

    def model_ended(self, module: torch.nn.Module, output: Any) -> None:
        """A module's forward pass is over; only that of a whole model counts."""
        model = self.evaluation.last_model
        if model is None or model.module() is not module or torch.is_grad_enabled():
            return
        if isinstance(output, torch.Tensor) and output.is_floating_point():
            self.outputs = [*self.outputs[1 - MOST :], StorageWeakRef(output.untyped_storage())]  # type: ignore[no-untyped-call]

    def difference_made(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        """Two tensors were subtracted; True where a loss was looked at, on the allowance of the first ones."""
        if not self.outputs or a.shape != b.shape or a.numel() < FEWEST:
            return False
        if torch.is_grad_enabled() or not (a.is_floating_point() and b.is_floating_point()):
            return False
        for output, target in ((a, b), (b, a)):
            storage = output.untyped_storage()._cdata
            known = next((ref for ref in self.outputs if ref.cdata == storage and _lives(ref)), None)
            if known is not None:
                self.outputs.remove(known)
                return self.evaluation.look_at_loss(partial(_told, output, target))
        return False


def _told(output: torch.Tensor, target: torch.Tensor) -> dict[str, Any] | None:
    found = probes.evaluated(torch.nn.MSELoss(), (output, target))
    # So far from it is no answer to these targets: a residual that is still to be added to something.
    return None if found is not None and (found.get("r2") or 0.0) < WORST else found


def _lives(ref: StorageWeakRef) -> bool:
    return not ref.expired()  # type: ignore[no-untyped-call]
