"""One score for each class and cross-entropy, where class numbers were fitted as if they were amounts.

The last layer with one output gives way to one with an output for each class. To the script it still returns one number
for each example, the expected class number in training and the likeliest in evaluation, so that its other lines hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Met

NAME = "class-scores"
ANSWERS = ("L210",)
TEXT = "Give the model one output for each class and train it by cross-entropy."
RISK = "Where the numbers are amounts (counts, grades), their order is no longer used."
SPECIFIC = True
MORE_COMPUTE = False

FEWEST = 3  # of two classes one number says all


def variants(known: Known) -> Sequence[Variant]:
    """Where one output meets targets that are 0, 1, 2, … and few."""
    first = (known.get("meetings") or [{}])[0]
    values = list((known.get("target") or {}).get("values") or ())
    single = first.get("kind") == "numbers" and _one_for_each(first.get("output") or ())
    counted = (
        len(values) >= FEWEST and values == [values[0] + i for i in range(len(values))] and values[0] == int(values[0])
    )
    if not single or not counted or known.get("tail"):
        return ()
    return (Variant(f"one score for each of {len(values)} classes", {"values": values}),)


def _one_for_each(shape: Sequence[int]) -> bool:
    return len(shape) == 1 or (len(shape) > 1 and shape[-1] == 1)


def treat(treatment: Treatment) -> None:
    """The last single-output layer of the model, its parameters in the optimizer, and the loss."""
    import torch
    from torch.nn import functional as F

    from unstuck.treatment.own_parameters import train_along

    values = [float(value) for value in treatment.options["values"]]
    stage = treatment.stage
    heads: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # by the weight it replaces
    given: list[torch.Tensor] = []  # scores since the last backward pass
    targets: list[torch.Tensor] = []

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if heads or stage.tick:
            return
        single = [m for m in module.modules() if isinstance(m, torch.nn.Linear) and m.out_features == 1]
        if not single:
            return
        old = single[-1].weight
        bound = old.shape[1] ** -0.5
        drawn = torch.rand(len(values), old.shape[1], generator=treatment.generator, dtype=torch.float64)
        weight = ((2 * drawn - 1) * bound).to(old).requires_grad_()
        heads[id(old)] = (weight, torch.zeros(len(values)).to(old).requires_grad_())

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def linear(entered: Any, weight: Any, *args: Any, **kwargs: Any) -> Any:
            head = heads.get(id(weight))
            if head is None:
                return inner(entered, weight, *args, **kwargs)
            scores = inner(entered, *head)
            amounts = scores.new_tensor(values)
            if not torch.is_grad_enabled():
                return amounts[scores.argmax(-1, keepdim=True)]
            given.append(scores.reshape(-1, len(values)))
            treatment.done(f"{len(values)} scores")
            return scores.softmax(-1) @ amounts.unsqueeze(1)

        return linear

    def meets(meeting: Met) -> None:
        if meeting.gradient and len(targets) < len(given) and meeting.target.numel() == len(given[-1]):
            targets.append(meeting.target)

    def backward(loss: torch.Tensor) -> Any:
        pairs = list(zip(given, targets, strict=False)) if len(given) == len(targets) else []
        given.clear()
        targets.clear()
        if not pairs:
            return loss
        return torch.stack(
            [F.cross_entropy(scores, (target.reshape(-1) - values[0]).long()) for scores, target in pairs]
        ).mean()

    hear = stage.hear
    hear.root_begins.append(begins)
    hear.met.append(meets)
    hear.backward.append(backward)
    train_along(stage, lambda parameter: heads.get(id(parameter), ()))
    stage.wrap("linear", make)


def change(known: Known, options: Options) -> Change:
    """The layer, the loss and the reading of the answer."""
    count = len(options["values"])
    first = (known.get("meetings") or [{}])[0]
    scores, target = first.get("output_name") or "scores", first.get("target_name") or "target"
    least = int(options["values"][0])
    shift = f" - {least}" if least else ""
    back = f" + {least}" if least else ""
    lines = (
        f"nn.Linear(width, {count})  # in place of nn.Linear(width, 1) at the model's end",
        f"loss = torch.nn.functional.cross_entropy({scores}, {target}.long(){shift})",
        f"guess = {scores}.argmax(1){back}",
    )
    return Change("\n".join(lines))
