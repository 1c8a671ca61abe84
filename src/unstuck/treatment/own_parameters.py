"""Parameters that a remedy adds to a training: held by the script's optimizer from the first step on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Stage


def train_along(stage: Stage, beside: Callable[[torch.Tensor], Iterable[torch.Tensor]]) -> None:
    """Before every step the group that holds ``p`` takes ``beside(p)`` in, and their gradients are cleared after it.

    No ``zero_grad()`` of the model's knows of them.
    """

    def step_begins(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            held = {id(p) for p in group["params"]}
            for parameter in list(group["params"]):
                fresh = [p for p in beside(parameter) if id(p) not in held]
                group["params"].extend(fresh)
                held.update(id(p) for p in fresh)

    def step_ended(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                for own in beside(parameter):
                    own.grad = None

    stage.hear.step_begins.append(step_begins)
    stage.hear.step_ended.append(step_ended)
