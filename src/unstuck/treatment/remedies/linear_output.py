"""No activation at the model's end: its range or its flat ends keep the output from the targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "linear-output"
ANSWERS = ("L201", "L203", "L206", "L207", "L208", "G304", "L212")
TEXT = "Leave out the activation at the model's end (or put the right one there)."
RISK = "Code after the model that expects probabilities must apply them itself."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """One for each thing that can stand there instead."""
    tail = known.get("tail") or []
    if not tail:
        return ()
    first = tail[0]
    kind = next((m.get("kind") for m in known.get("meetings") or ()), None)
    where = {"name": first["name"], "count": first["count"]}
    if first["name"] in ("softmax", "log_softmax"):
        if first.get("size") == 1 and kind == "numbers":
            return (Variant(f"no {first['name']} over one unit", {**where, "instead": "nothing"}),)
        if first.get("size") == 1:
            return (Variant("sigmoid in place of the softmax over one unit", {**where, "instead": "sigmoid"}),)
        dims = first.get("dim")
        if dims is not None and dims not in (1, -1, len(first["shape"]) - 1):
            return (Variant(f"{first['name']} over dimension 1", {**where, "instead": "dimension 1"}),)
        return (Variant(f"no {first['name']} at the end", {**where, "instead": "nothing"}),)
    functions = [m.get("function") for m in known.get("meetings") or ()]
    twice = first["name"] == "sigmoid" and "binary_cross_entropy_with_logits" in functions
    if "binary_cross_entropy" in functions:  # it takes nothing but probabilities
        return ()
    if kind == "numbers" or twice or first["name"] in ("relu", "tanh"):
        return (Variant(f"no {first['name']} at the end", {**where, "instead": "nothing"}),)
    return ()


def treat(treatment: Treatment) -> None:
    """Step in at the activation of that name and number in the model's forward pass."""
    import torch

    name, count = str(treatment.options["name"]), int(treatment.options["count"])
    instead = str(treatment.options["instead"])

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def activation(given: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if not treatment.stage.depth or treatment.stage.counts.get(name) != count:
                return inner(given, *args, **kwargs)
            treatment.done(f"{name} at the end: {instead}")
            if instead == "sigmoid":
                return torch.sigmoid(given)
            if instead == "dimension 1":
                return inner(given, dim=1)
            return given

        return activation

    treatment.stage.wrap(name, make)


def change(known: Known, options: Options) -> Change:
    """In words: the line stands inside the model."""
    text = {
        "sigmoid": "torch.sigmoid(x)  # in place of the softmax over one unit",
        "dimension 1": f"{options['name']}(x, dim=1)  # over the classes, not over the batch",
        "nothing": f"# leave out the {options['name']} at the model's end",
    }[str(options["instead"])]
    return Change(text)
