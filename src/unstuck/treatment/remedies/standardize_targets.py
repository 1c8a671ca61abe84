"""Targets to zero mean and unit variance: the model's output is mapped back, the loss is taken in standard units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "standardize-targets"
ANSWERS = ("D104", "L208", "U401", "G302")
TEXT = "Standardize the regression targets, and map predictions back."
RISK = "Predictions are in standard units until they are mapped back."
SPECIFIC = True
MORE_COMPUTE = False

WIDE = 1.0  # |mean| in units of one, or deviation off by e: less is within reach of an output bias and a step


def variants(known: Known) -> Sequence[Variant]:
    """For numbers that are not already standard."""
    if next((m.get("kind") for m in known.get("meetings") or ()), None) != "numbers":
        return ()
    mean, deviation = known["target"]["mean"], known["target"]["std"]
    if not deviation or (abs(mean) < WIDE and 1 / 2.718 < deviation < 2.718):
        return ()
    return (Variant("standardized targets"),)


def treat(treatment: Treatment) -> None:
    """output → mean + deviation · output, loss → loss / deviation²: what standard targets would give, in old units."""
    import torch

    mean, deviation = float(treatment.known["target"]["mean"]), float(treatment.known["target"]["std"])
    function = (treatment.known.get("meetings") or [{}])[0].get("function")
    power = 1 if function in ("l1_loss", "smooth_l1_loss", "huber_loss") else 2
    last: dict[str, Any] = {}

    def ended(module: torch.nn.Module, output: Any) -> Any:
        if not isinstance(output, torch.Tensor) or not output.is_floating_point():
            return output
        last["root"] = module
        treatment.done("targets standardized")
        return output * deviation + mean

    treatment.stage.hear.root_ended.append(ended)
    treatment.stage.hear.backward.append(lambda loss: loss / deviation**power)


def change(known: Known, options: Options) -> Change:
    """Where the data are made: its line is not known."""
    mean, deviation = known["target"]["mean"], known["target"]["std"]
    return Change(f"y = (y - {mean:.6g}) / {deviation:.6g}  # the training targets' mean and deviation")
