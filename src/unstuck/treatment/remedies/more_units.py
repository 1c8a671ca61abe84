"""A hidden layer beside a model that is too narrow, or has none: its outputs are added to the model's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "more-units"
ANSWERS = ("T703",)
TEXT = "Give the model a hidden layer of more units."
RISK = "More parameters fit noise more easily; a narrow layer that is meant as a bottleneck is gone round."
SPECIFIC = True
MORE_COMPUTE = False

UNITS = 64
NARROW = 8  # units of a hidden layer, up to which it may be what holds the model back
MOST_FEATURES = 4096


def variants(known: Known) -> Sequence[Variant]:
    """Where numbers go in, raw scores come out, and the model has no hidden layer or one of few units."""
    first = (known.get("meetings") or [{}])[0]
    entered, left = (known.get("input") or {}).get("shape") or [], first.get("output") or []
    wide = list((known.get("widths") or {}).values())
    features, outputs = math.prod(entered[1:]), math.prod(left[1:])
    fits = (
        len(known.get("optimizers") or ()) == 1
        and 0 < features <= MOST_FEATURES
        and entered[:1] == left[:1]
        and (features != outputs or first.get("kind") == "classes")  # else it may be given back, through a bottleneck
        and len(left) <= 2  # places or times of a longer output must not see each other
        and not known.get("tail")
        and first.get("derived_is_output")
        and bool(wide)
        # A narrow layer of a model that gives numbers may be a bottleneck that is meant.
        and (len(wide) == 1 or (min(wide[:-1]) <= NARROW and first.get("kind") in ("classes", "one-hot", "binary")))
    )
    return (Variant(f"a hidden layer of {UNITS} units", {"features": features, "outputs": outputs}),) if fits else ()


def treat(treatment: Treatment) -> None:
    """Beside the model, from its own input; drawn as torch draws its layers."""
    import torch
    from torch.nn import functional as F

    from unstuck.treatment.own_parameters import train_along

    features, outputs = int(treatment.options["features"]), int(treatment.options["outputs"])
    stage = treatment.stage
    layers: list[torch.Tensor] = []
    owner: list[torch.nn.Module] = []
    given: list[torch.Tensor] = []
    mate: list[torch.Tensor] = []

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        given.clear()
        if args and isinstance(args[0], torch.Tensor) and args[0].is_floating_point() and args[0].dim() > 1:
            given.append(args[0])
        return

    def ended(module: torch.nn.Module, output: Any) -> Any:
        if not given or not isinstance(output, torch.Tensor) or (owner and owner[0] is not module):
            return output
        rows = given[0].flatten(1)
        if rows.shape[1] != features or output.numel() != len(rows) * outputs or output.shape[0] != len(rows):
            return output
        if not layers:
            owner.append(module)
            layers.extend(_drawn(features, outputs, output, treatment.generator))
        weight, bias, last = layers
        treatment.done(f"{UNITS} hidden units beside")
        return output + F.linear(F.relu(F.linear(rows.to(weight.dtype), weight, bias)), last).reshape(output.shape)

    def beside(parameter: torch.Tensor) -> Sequence[torch.Tensor]:
        if owner and not mate and any(parameter is p for p in owner[0].parameters()):
            mate.append(parameter)  # the first of the model's that an optimizer holds
        return layers if mate and parameter is mate[0] else ()

    stage.hear.root_begins.append(begins)
    stage.hear.root_ended.append(ended)
    train_along(stage, beside)


def _drawn(features: int, outputs: int, like: torch.Tensor, generator: torch.Generator) -> list[torch.Tensor]:
    import torch

    bound = features**-0.5
    weight, bias = (
        (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1) * bound
        for shape in ((UNITS, features), (UNITS,))
    )
    last = (2 * torch.rand((outputs, UNITS), generator=generator, dtype=torch.float64) - 1) * UNITS**-0.5
    return [t.to(dtype=like.dtype, device=like.device).requires_grad_() for t in (weight, bias, last)]


def change(known: Known, options: Options) -> Change:
    """In the model."""
    lines = (
        "# in __init__:",
        "self.beside = nn.Sequential(",
        f"    nn.Flatten(), nn.Linear({options['features']}, {UNITS}), nn.ReLU(), nn.Linear({UNITS}, {options['outputs']})",
        ")",
        "# at the end of forward:",
        "return output + self.beside(x)  # (or make the narrow layers wider)",
    )
    return Change("\n".join(lines))
