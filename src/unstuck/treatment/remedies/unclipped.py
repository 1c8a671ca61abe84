"""No clipping: where nearly every gradient is clipped, the limit is the step length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "unclipped"
ANSWERS = ("U407",)
TEXT = "Leave out the clipping, or raise its limit."
RISK = "One wild batch can throw the parameters far."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where the script clips."""
    return (Variant("no clipping"),) if known.get("clipped") else ()


def treat(treatment: Treatment) -> None:
    """The clipping functions still give the norm, and change nothing."""
    import torch

    def norm_only(parameters: Any, *args: Any, **kwargs: Any) -> Any:
        treatment.done("gradients left unclipped")
        several = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
        norms = [p.grad.detach().norm() for p in several if p.grad is not None]
        return torch.stack(norms).norm() if norms else torch.tensor(0.0)

    def nothing(parameters: Any, *args: Any, **kwargs: Any) -> None:
        treatment.done("gradients left unclipped")

    torch.nn.utils.clip_grad_norm_ = torch.nn.utils.clip_grad.clip_grad_norm_ = norm_only
    torch.nn.utils.clip_grad_value_ = torch.nn.utils.clip_grad.clip_grad_value_ = nothing


def change(known: Known, options: Options) -> Change:
    """Leave the line out."""
    return Change("# leave out clip_grad_norm_(...), or raise its limit above the usual norm")
