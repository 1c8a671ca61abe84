"""Every parameter that gets a gradient in the optimizer: parts that were left out, hidden in a list, or made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "all-parameters"
ANSWERS = ("U409", "G307")
TEXT = "Give the optimizer all parameters that get a gradient."
RISK = "Parts that were left out by design are trained too."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where parameters with a gradient stood outside every optimizer."""
    if not known.get("optimizers") or not known.get("outside_optimizers"):
        return ()
    return (Variant("all parameters in the optimizer"),)


def treat(treatment: Treatment) -> None:
    """After a backward pass, add what has a gradient and belongs to no optimizer, with the first group's options."""
    stage = treatment.stage
    parts: dict[int, torch.nn.Module] = {}

    def called(module: torch.nn.Module) -> None:
        if id(module) not in parts and len(parts) < 5000:
            parts[id(module)] = module

    def ended() -> None:
        alive = stage.alive()
        if not alive or stage.tick > 200:
            return
        held = {id(p) for o in alive for g in o.param_groups for p in g["params"]}
        missing = []
        for part in parts.values():
            for parameter in part.parameters(recurse=False):
                if parameter.grad is not None and id(parameter) not in held:
                    held.add(id(parameter))
                    missing.append(parameter)
        if missing:
            with stage.aside():
                for parameter in missing:  # gradients summed up before it was held are no gradient of this step
                    if stage.tick > 1 and parameter.grad is not None:
                        parameter.grad.zero_()
            alive[0].param_groups[0]["params"].extend(missing)
            treatment.done(f"{len(missing)} parameters added")

    stage.hear.part_called.append(called)
    stage.hear.backward_ended.append(ended)


def change(known: Known, options: Options) -> Change:
    """Where the model and its optimizer are made."""
    kind = (known.get("optimizers") or [{}])[0].get("kind", "Adam")
    note = "  # lists of layers as nn.ModuleList, the optimizer made last" if known.get("unregistered") else ""
    return Change(f"optimizer = torch.optim.{kind}(model.parameters(), ...){note}")
