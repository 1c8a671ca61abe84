"""What an evaluation measures: the loss and the right answers of one call of a loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from unstuck.probes.loss_modules import loss_module_terms
from unstuck.probes.plain import plain
from unstuck.probes.quiet import quiet
from unstuck.probes.statistics import LIMIT


def evaluated(
    module: nn.Module, inputs: Sequence[Any], *, value: Tensor | None = None, limit: int = LIMIT
) -> dict[str, Any] | None:
    """The data of the event ``evaluation_loss`` in docs/recording.md; None for a module that is no loss of torch's.

    ``value`` is what the loss gave, where that is known; otherwise it is computed again from the arguments of the call,
    output first and target second. Cost: the loss, and a few passes over ``limit`` elements. Errors: those of the loss,
    for arguments that it does not take.

    >>> import torch
    >>> found = evaluated(nn.CrossEntropyLoss(), (torch.eye(3) * 9, torch.tensor([0, 1, 1])))
    >>> round(found["accuracy"], 3), found["examples"], found["loss_kind"]
    (0.667, 3, 'nll')
    >>> found = evaluated(nn.MSELoss(reduction="sum"), (torch.zeros(5, 2), torch.ones(5, 2)))
    >>> found["value"], found["each"]
    (10.0, 1.0)
    """
    if type(module).__module__ != "torch.nn.modules.loss" or len(inputs) < 2:
        return None
    output, target = inputs[0], inputs[1]
    if not isinstance(output, Tensor) or not isinstance(target, Tensor) or output.numel() == 0:
        return None
    with quiet():
        given = (output.detach(), target.detach(), *inputs[2:])
        result = type(module).forward(module, *given) if value is None else value
        if not isinstance(result, Tensor):
            return None
        number = float(plain(result).double().mean())
        terms = loss_module_terms(module, given, None, limit=limit)
    term = terms["terms"][0] if terms is not None else {}
    about = term.get("target") or {}
    classes = about.get("classes") or {}
    counted = sum(classes.values())
    reduction = str(getattr(module, "reduction", "mean"))
    summed = float(term.get("sum_over") or 1) * (1.0 - float(about.get("ignored") or 0.0))
    return {
        "loss_kind": term.get("kind"),
        "value": number,
        "reduction": reduction,
        "each": number / summed if reduction == "sum" and summed > 0 else number,
        "accuracy": term.get("accuracy"),
        "r2": term.get("r2"),
        "examples": int(output.shape[0]) if output.dim() else 1,
        "target_mean": about.get("mean"),
        "target_std": about.get("std"),
        "commonest": max(classes.values()) / counted if counted else None,
    }
