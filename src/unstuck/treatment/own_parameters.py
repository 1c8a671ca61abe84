"""Parameters that a remedy adds to a training: held by the script's optimizer from the first step on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Stage


def train_along(stage: Stage, beside: Callable[[torch.Tensor], Iterable[torch.Tensor]]) -> None:
    """Before every backward pass the group that holds ``p`` takes ``beside(p)`` in; gradients are cleared after the step.

    Before the pass, so that whatever is done to gradients between it and the step (scaling, clipping) is done to these;
    no ``zero_grad()`` of the model's knows of them.
    """

    def backward(loss: torch.Tensor) -> torch.Tensor:
        for optimizer in stage.alive():
            for group in optimizer.param_groups:
                held = {id(p) for p in group["params"]}
                for parameter in list(group["params"]):
                    fresh = [p for p in beside(parameter) if id(p) not in held]
                    group["params"].extend(fresh)
                    held.update(id(p) for p in fresh)
        return loss

    def step_ended(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                for own in beside(parameter):
                    own.grad = None

    stage.hear.backward.append(backward)
    stage.hear.step_ended.append(step_ended)
