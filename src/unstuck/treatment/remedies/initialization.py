"""Weights drawn anew before the first step, at a scale that suits the activations; biases at zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "initialization"
ANSWERS = ("G305", "G306", "G302", "G303", "G301", "G304", "C501", "C503", "C502")
TEXT = "Draw the initial weights anew at the scale that suits the activations."
RISK = "Weights that were loaded or set by design are overwritten; not for pre-trained models."
SPECIFIC = False
MORE_COMPUTE = False

LABELS = {"he": "He", "glorot": "Glorot", "orthogonal": "orthogonal", "smaller": "smaller (Glorot / 3)"}


def variants(known: Known) -> Sequence[Variant]:
    """He for rectifiers, Glorot for the others, then orthogonal and a smaller one; never over loaded weights.

    Where only some weights have a scale that is not in use, those alone come second: the others stay as they were. Where
    a network is recurrent, the weights from one time step to the next come first, orthogonal, gate by gate.
    """
    if known.get("loaded") or (known.get("modules") and known.get("weights") == 0):
        return ()
    if not known.get("modules"):  # bare tensors: which side is the input is not known, and these two need not know
        matrices = known.get("optimizers") or any(dimensions >= 2 for dimensions in known.get("bare") or ())
        schemes = ("glorot", "orthogonal") if matrices else ()
        return tuple(Variant(f"{LABELS[scheme]} initialization", {"scheme": scheme}) for scheme in schemes)
    squashing = any(name in (known.get("activations") or {}) for name in ("tanh", "sigmoid", "softsign"))
    rectified = any(name in (known.get("activations") or {}) for name in ("relu", "leaky_relu", "gelu", "silu", "elu"))
    order = ["glorot", "he"] if squashing and not rectified else ["he", "glorot"]
    found = [Variant(f"{LABELS[s]} initialization", {"scheme": s}) for s in (*order, "orthogonal", "smaller")]
    odd = list(known.get("odd_weights") or ())
    if odd:
        named = odd[0] if len(odd) == 1 else f"{odd[0]} and {len(odd) - 1} more"
        found.insert(1, Variant(f"{LABELS[order[0]]} initialization of {named}", {"scheme": order[0], "only": odd}))
    through_time = list(known.get("recurrent_weights") or ())
    if through_time:  # what one time step hands to the next keeps its length
        label = "orthogonal initialization of the recurrent weights"
        found.insert(0, Variant(label, {"scheme": "orthogonal", "only": through_time}))
    return tuple(found)


def treat(treatment: Treatment) -> None:
    """At a model's first call, before any step: its tensors of two or more dimensions, each by its own fan."""
    import torch

    from unstuck.treatment.leaves import leaves_of

    scheme = str(treatment.options["scheme"])
    only = treatment.options.get("only")
    seen: set[int] = set()
    first: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # leaves of the first loss, as they were

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if id(module) in seen or treatment.stage.tick:
            return
        seen.add(id(module))
        with treatment.stage.aside():
            chosen = None if only is None else {id(p) for name, p in module.named_parameters() if name in only}
            parts = list(module.modules())
            parts += [p for m in list(parts) for p in _hidden(m)]
            for part in parts:
                if (
                    isinstance(part, torch.nn.Embedding)
                    or id(part) in seen - {id(module)}
                    or "Norm" in type(part).__name__
                ):
                    continue
                for name, parameter in part.named_parameters(recurse=False):
                    if chosen is not None and id(parameter) not in chosen:
                        continue
                    if parameter.dim() >= 2:
                        _draw(parameter, scheme, treatment.generator, transposed=_transposed(part, name))
                    elif name.startswith("b"):  # biases; other vectors may be scales
                        parameter.zero_()
        treatment.done(f"{scheme} initialization")
        return

    def made(optimizer: torch.optim.Optimizer) -> None:
        if treatment.stage.tick or not treatment.stage.by_hand or treatment.known.get("modules"):
            return
        with treatment.stage.aside():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.dim() >= 2:
                        _draw(parameter, scheme, treatment.generator, transposed=False)
        treatment.done(f"{scheme} initialization")

    def backward(loss: torch.Tensor) -> torch.Tensor:
        """Without an optimizer the tensors show in the graph of the first loss; those that the script has changed when the
        second one comes are its weights, the others are inputs. The graph belongs to the old weights: no step by it."""
        if not treatment.known.get("bare") or treatment.stage.tick > 2:
            return loss
        leaves = leaves_of(loss)
        with treatment.stage.aside():
            if treatment.stage.tick == 1:
                first.update({id(leaf): (leaf, leaf.detach().clone()) for leaf in leaves if leaf.dim() >= 2})
                return loss
            moved = [leaf for leaf, before in first.values() if not torch.equal(leaf, before)]
            first.clear()
            for leaf in moved:
                _draw(leaf.data, scheme, treatment.generator, transposed=False)
        if not moved:
            return loss
        treatment.done(f"{scheme} initialization")
        return torch.stack([leaf.sum() for leaf in leaves]).sum() * 0.0

    treatment.stage.hear.root_begins.append(begins)
    treatment.stage.hear.optimizer_made.append(made)
    treatment.stage.hear.backward.append(backward)


def _hidden(module: torch.nn.Module) -> list[torch.nn.Module]:
    """Layers that a module keeps in a plain list."""
    import torch

    return [
        layer
        for value in vars(module).values()
        if isinstance(value, list)
        for layer in value
        if isinstance(layer, torch.nn.Module)
    ]


def _transposed(part: torch.nn.Module, name: str) -> bool:
    """Weights that a module of the user's own made multiply from the right: (inputs, outputs)."""
    return type(part).__module__.split(".")[0] != "torch"


def _draw(parameter: Any, scheme: str, generator: torch.Generator, *, transposed: bool) -> None:
    import torch

    receptive = parameter[0][0].numel() if parameter.dim() > 2 else 1
    fan_out, fan_in = parameter.shape[0] * receptive, parameter.shape[1] * receptive
    if transposed and parameter.dim() == 2:
        fan_in, fan_out = fan_out, fan_in
    if scheme == "orthogonal":
        for block in _gates(parameter):
            flat = torch.randn(block.shape[0], block[0].numel(), generator=generator, dtype=torch.float64)
            tall = flat if flat.shape[0] >= flat.shape[1] else flat.T
            q, r = torch.linalg.qr(tall)
            q = q * torch.diagonal(r).sign()
            block.copy_((q if flat.shape[0] >= flat.shape[1] else q.T).reshape(block.shape))
        return
    variance = 2.0 / fan_in if scheme == "he" else 2.0 / (fan_in + fan_out)
    if scheme == "smaller":
        variance /= 9.0
    drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * variance**0.5
    parameter.copy_(drawn)


def _gates(parameter: Any) -> Sequence[Any]:
    """The square blocks that gated recurrent layers stack in one tensor; any other tensor as it is."""
    rows, columns = parameter.shape[0], parameter.shape[1]
    stacked = parameter.dim() == 2 and rows in (3 * columns, 4 * columns)
    return parameter.split(columns) if stacked else (parameter,)


def change(known: Known, options: Options) -> Change:
    """Before the optimizer is made."""
    call = {
        "he": "torch.nn.init.kaiming_normal_(parameter)",
        "glorot": "torch.nn.init.xavier_normal_(parameter)",
        "orthogonal": "torch.nn.init.orthogonal_(parameter)",
        "smaller": "torch.nn.init.xavier_normal_(parameter, gain=1 / 3)",
    }[str(options["scheme"])]
    if options.get("only"):
        names = ", ".join(repr(name) for name in options["only"])
        lines: tuple[str, ...] = (
            "for name, parameter in model.named_parameters():",
            f"    if name in ({names},):",
            f"        {call}",
        )
        return Change("\n".join(lines))
    lines = (
        "for parameter in model.parameters():",
        "    if parameter.dim() >= 2:",
        f"        {call}",
        "    else:",
        "        torch.nn.init.zeros_(parameter)",
    )
    return Change("\n".join(lines))
