"""Every unit's sum normalized over the batch before its hidden activation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "batch-norm"
ANSWERS = ("G304", "G306", "G301", "G303", "G302", "C504")
TEXT = "Normalize each layer's sums over the batch before the activation."
RISK = "Small batches make it noisy; training and evaluation mode must then be set with care."
SPECIFIC = False
MORE_COMPUTE = False

_HIDDEN = ("relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softsign")
MOMENTUM = 0.1  # torch's own default for batch-norm layers


def variants(known: Known) -> Sequence[Variant]:
    """Where there are hidden activations and no normalization yet."""
    normalized = any("Norm" in name for name in known.get("modules") or ())
    tail = [t["name"] for t in known.get("tail") or ()]
    met = known.get("activations") or {}
    hidden = [name for name in _HIDDEN if met.get(name, 0) > tail.count(name)]
    return (Variant("batch-norm before the activations", {"names": hidden}),) if hidden and not normalized else ()


def treat(treatment: Treatment) -> None:
    """Without scale and shift of its own: no parameters are added, so any optimizer still fits."""
    import torch
    from torch.nn import functional as F

    ends = {(t["name"], t["count"]) for t in treatment.known.get("tail") or ()}
    running: dict[tuple[int, str, int], tuple[torch.Tensor, torch.Tensor]] = {}
    stage = treatment.stage

    def make_for(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def make(inner: Callable[..., Any]) -> Callable[..., Any]:
            def normalized(given: Any, *args: Any, **kwargs: Any) -> Any:
                count = stage.counts.get(name, 0)
                if not stage.depth or (name, count) in ends or not isinstance(given, torch.Tensor) or given.dim() < 2:
                    return inner(given, *args, **kwargs)
                key = (id(stage.root), name, count)
                units = given.shape[1]
                if key not in running or len(running[key][0]) != units:
                    running[key] = (given.new_zeros(units).detach(), given.new_ones(units).detach())
                training = torch.is_grad_enabled() and given.numel() > units
                mean, variance = running[key]
                treatment.done("sums normalized")
                return inner(F.batch_norm(given, mean, variance, training=training, momentum=MOMENTUM), *args, **kwargs)

            return normalized

        return make

    for name in treatment.options["names"]:
        stage.wrap(name, make_for(name))


def change(known: Known, options: Options) -> Change:
    """In the model."""
    return Change("nn.BatchNorm1d(units)  # (2d for images) before each hidden activation; model.eval() to evaluate")
