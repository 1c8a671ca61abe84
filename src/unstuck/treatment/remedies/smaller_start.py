"""Every parameter at a tenth of where it began: what is learned is then built up from little, not added to noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "smaller-start"
ANSWERS = ("G306", "C505", "T702", "G302", "G304")
TEXT = "Begin with all weights scaled down."
RISK = "Deep networks may first have to leave flat ground around zero."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Never over loaded weights."""
    if known.get("loaded") or not known.get("modules"):
        return ()
    return tuple(Variant(f"weights at the start × {factor:g}", {"factor": factor}) for factor in (0.1, 0.01))


def treat(treatment: Treatment) -> None:
    """At a model's first call, before any step; scales of normalizations stay."""
    factor = float(treatment.options["factor"])
    seen: set[int] = set()

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if treatment.stage.tick:
            return
        with treatment.stage.aside():
            for part in module.modules():
                if "Norm" in type(part).__name__:
                    continue
                for parameter in part.parameters(recurse=False):
                    if parameter.requires_grad and parameter.is_floating_point() and id(parameter) not in seen:
                        seen.add(id(parameter))
                        parameter.mul_(factor)
                        treatment.done(f"weights × {factor:g}")

    treatment.stage.hear.root_begins.append(begins)


def change(known: Known, options: Options) -> Change:
    """Before the optimizer is made."""
    lines = (
        "with torch.no_grad():",
        "    for part in model.modules():",
        '        if "Norm" not in type(part).__name__:',
        "            for parameter in part.parameters(recurse=False):",
        f"                parameter.mul_({options['factor']:g})",
    )
    return Change("\n".join(lines))
