"""What a kept forward pass and its loss tell: how many examples, their labels, what was answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from unstuck.live.loss_tape import Program

if TYPE_CHECKING:
    from unstuck.objective.captured import CapturedCall

MOST_CLASSES = 100


def rows(call: CapturedCall) -> int:
    """Examples of a call."""
    from unstuck.objective.batches import examples_in

    return examples_in((call.args, dict(call.kwargs)))


def targets(call: CapturedCall) -> list[Tensor]:
    """Constants of the loss with one row an example."""
    from unstuck.objective.batches import TARGET_KEYS, tensors_in

    if not isinstance(call.loss, Program):
        return [t for key, t in call.kwargs.items() if key in TARGET_KEYS and isinstance(t, Tensor)]
    count = rows(call)
    constants = [t for _, args, kwargs, _ in call.loss.steps for t in tensors_in((args, kwargs))]
    return [t for t in constants if t.dim() > 0 and t.shape[0] == count]


def labels(call: CapturedCall) -> Tensor | None:
    """Its class indices, where one constant of the loss can be nothing else."""
    whole = [t for t in targets(call) if not t.is_floating_point() and t.dtype != torch.bool and t.dim() == 1]
    return whole[0] if len(whole) == 1 else None


def pairs(calls: Sequence[CapturedCall]) -> tuple[Tensor, Tensor] | None:
    """Inputs and targets of all calls, one row an example: the model's first input with the one constant of the loss that
    can be its target. None where that is not one tensor each of one shape."""
    from unstuck.objective.batches import tensors_in

    inputs, wanted = [], []
    for call in calls:
        count = rows(call)
        given = [t for t in tensors_in((call.args, dict(call.kwargs))) if t.dim() > 0 and t.shape[0] == count]
        told = labels(call)
        if told is None:
            floats = [t for t in targets(call) if t.is_floating_point() and not any(t is g for g in given)]
            told = floats[0] if len(floats) == 1 else None
        given = [t for t in given if t is not told]
        if not given or told is None:
            return None
        inputs.append(given[0].detach().cpu())
        wanted.append(told.detach().cpu())
    if len({t.shape[1:] for t in inputs}) != 1 or len({t.shape[1:] for t in wanted}) != 1:
        return None
    return torch.cat(inputs), torch.cat(wanted)


def listening(loss: Callable[[Any], Tensor] | None, seen: list[Any]) -> Callable[[Any], Any]:
    """The same loss, which also keeps the outputs it gets."""

    def listened(output: Any) -> Any:
        seen.append(output.detach() if isinstance(output, Tensor) else output)
        return output if loss is None else loss(output)

    return listened


def answers(call: CapturedCall, output: Any) -> dict[str, list[int]] | None:
    """Of each class, how many examples there were and how many were answered rightly; None where that is not known.

    Class indices with a score for each class, or yes and no with one score each.
    """
    if not isinstance(output, Tensor) or not isinstance(call.loss, Program):
        return None
    used = {getattr(f, "__name__", "") for f, *_ in call.loss.steps}
    truth = labels(call)
    if truth is not None and used & {"cross_entropy", "nll_loss"}:
        if output.dim() != 2 or output.shape[0] != len(truth):
            return None
        told = output.argmax(1)
    elif used & {"binary_cross_entropy", "binary_cross_entropy_with_logits"}:
        floats = [t for t in targets(call) if t.is_floating_point()]
        if (
            len(floats) != 1
            or floats[0].numel() != output.numel()
            or not bool(((floats[0] == 0) | (floats[0] == 1)).all())
        ):
            return None
        truth = floats[0].reshape(-1).long()
        told = (output.reshape(-1) > (0.5 if "binary_cross_entropy" in used else 0.0)).long()
    else:
        return None
    found: dict[str, list[int]] = {}
    for label in torch.unique(truth).tolist()[:MOST_CLASSES]:
        here = truth == label
        found[str(label)] = [int(here.sum()), int((told[here] == label).sum())]
    return found
