"""Larger batches: the gradients of several steps are averaged before one step is made."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "larger-batch"
ANSWERS = ("B601", "B603", "U404")
TEXT = "Average the gradients of several batches before each step."
RISK = "So many fewer steps are made with the same examples."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where there are steps enough to do with fewer."""
    enough = known.get("optimizers") and known.get("steps", 0) >= 80
    return (Variant("batches 8 × as large", {"factor": 8}),) if enough else ()


def treat(treatment: Treatment) -> None:
    """Keep sums of the gradients; at every k-th step put their mean in place and step, else pass over it."""

    factor = int(treatment.options["factor"])

    def made(optimizer: torch.optim.Optimizer) -> None:
        inner = type(optimizer).step
        sums: dict[int, torch.Tensor] = {}
        count = [0]

        def step(self: Any, closure: Any = None) -> Any:
            if closure is not None:
                return inner(self, closure)
            count[0] += 1
            with treatment.stage.aside():
                for group in self.param_groups:
                    for parameter in group["params"]:
                        if parameter.grad is None or parameter.grad.is_sparse:
                            continue
                        total = sums.get(id(parameter))
                        sums[id(parameter)] = parameter.grad.clone() if total is None else total.add_(parameter.grad)
                if count[0] % factor:
                    return None
                for group in self.param_groups:
                    for parameter in group["params"]:
                        if id(parameter) in sums and parameter.grad is not None:
                            parameter.grad.copy_(sums[id(parameter)] / factor)
                sums.clear()
            treatment.done(f"gradients of {factor} batches averaged")
            return inner(self)

        optimizer.step = types.MethodType(step, optimizer)  # type: ignore[method-assign]

    treatment.stage.hear.optimizer_made.append(made)


def change(known: Known, options: Options) -> Change:
    """In the loop."""
    k = options["factor"]
    return Change(
        f"(loss / {k}).backward()\nif (step + 1) % {k} == 0:\n    optimizer.step()\n    optimizer.zero_grad()"
    )
