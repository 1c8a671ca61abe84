"""Rectifiers between layers that follow each other without anything nonlinear: together they are one linear layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant
from unstuck.treatment.stage import MATRICES

NAME = "nonlinearity"
ANSWERS = ("T703",)
TEXT = "Put a nonlinearity between the layers."
RISK = "Factors that are linear by design (low rank, tied codes) no longer are."
SPECIFIC = True
MORE_COMPUTE = False

_NONLINEAR = ("LSTM", "GRU", "RNN", "Attention", "Transformer", "MaxPool", "Norm")


def variants(known: Known) -> Sequence[Variant]:
    """Where two layers or more were met in a forward pass, and no activation between them."""
    tail = [t["name"] for t in known.get("tail") or ()]
    hidden = [name for name, count in (known.get("activations") or {}).items() if count > tail.count(name)]
    other = [name for name in known.get("modules") or () if any(part in name for part in _NONLINEAR)]
    fits = int(known.get("layers") or 0) >= 2 and not hidden and not other
    return (Variant("ReLU between the layers", {"layers": int(known["layers"])}),) if fits else ()


def treat(treatment: Treatment) -> None:
    """After every layer of a forward pass but the last."""
    from torch.nn import functional as F

    last = int(treatment.options["layers"])
    stage = treatment.stage

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def rectified(*args: Any, **kwargs: Any) -> Any:
            result = inner(*args, **kwargs)
            if not stage.depth or stage.layers >= last:
                return result
            treatment.done("layers rectified")
            return F.relu(result)

        return rectified

    stage.wrap(" ".join(sorted(MATRICES)), make)


def change(known: Known, options: Options) -> Change:
    """In the model."""
    return Change("nn.ReLU()  # after every layer but the last")
