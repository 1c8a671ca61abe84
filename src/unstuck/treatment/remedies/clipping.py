"""The whole gradient no longer than a limit: one wild batch cannot throw the parameters far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "clipping"
ANSWERS = ("G302", "U406", "U401")
TEXT = "Clip the gradient's norm before each step."
RISK = "A limit below the usual norm sets the step length by itself."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """At one, and at a tenth of the typical norm when that is above one."""
    norm = known.get("gradient_norm") or {}
    if not known.get("optimizers") or not norm:
        return ()
    found = [Variant("gradient norm at most 0.2", {"norm": 0.2}), Variant("gradient norm at most 1", {"norm": 1.0})]
    return tuple(found)


def treat(treatment: Treatment) -> None:
    """Scale the gradients right before the step."""
    import torch

    limit = float(treatment.options["norm"])

    def begins(optimizer: torch.optim.Optimizer) -> None:
        with treatment.stage.aside():
            grads = [
                p.grad
                for g in optimizer.param_groups
                for p in g["params"]
                if p.grad is not None and not p.grad.is_sparse
            ]
            if not grads:
                return
            norm = torch.stack([g.double().norm() for g in grads]).norm()
            factor = float(limit / (norm + 1e-12))
            if factor < 1.0:
                treatment.done(f"gradients clipped at {limit:g}")
                for gradient in grads:
                    gradient.mul_(factor)

    treatment.stage.hear.step_begins.append(begins)


def change(known: Known, options: Options) -> Change:
    """Between backward pass and step."""
    return Change(f"torch.nn.utils.clip_grad_norm_(model.parameters(), {options['norm']})  # before optimizer.step()")
