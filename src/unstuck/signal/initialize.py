"""Initial weights by the rule that fits the activation behind each layer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from unstuck.core.errors import BadInput
from unstuck.signal.gains import Rule, activation_name, fans, negative_slope, weight_std

LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


@dataclass(frozen=True)
class Initialized:
    """What was done to one layer."""

    name: str
    activation: str
    fan_in: int
    fan_out: int
    std: float


def initialize(
    model: nn.Module,
    *,
    rule: Rule = "auto",
    gain: float = 1.0,
    activation: str | Mapping[str, str] | None = None,
    seed: int = 0,
) -> list[Initialized]:
    """Draw every linear and convolution weight anew from N(0, std²), biases zero; each layer by the activation behind it.

    The activation is the next one in the order of the model's modules; behind the last layer there is none
    (``identity``). Modules do not show an activation that ``forward`` calls as a function, or one made before its
    layer: for such a model ``activation`` names it, one name for behind every layer but the last, or a mapping from
    layers' names for some of them. ``gain`` multiplies every std. No global random number is drawn. See
    :func:`weight_std` for rules.

    Warns: when a layer in the midst of a module with its own ``forward`` seems to have no activation behind it.
    Errors: ``BadInput`` for a model without such layers, for a name of no layer or of no activation.
    *Cost*: one draw a weight.

    >>> model = nn.Sequential(nn.Linear(50, 20), nn.ReLU(), nn.Linear(20, 1))
    >>> [(done.name, done.activation, round(done.std, 4)) for done in initialize(model)]
    [('0', 'relu', 0.2), ('2', 'identity', 0.2236)]
    >>> [done.activation for done in initialize(nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 1)), activation="tanh")]
    ['tanh', 'identity']
    """
    layers = _named(_layers(model), activation)
    if not layers:
        raise BadInput("model", got=type(model).__name__, want="at least one linear or convolution layer")
    bare = [found.name for found in layers[:-1] if found.activation == "identity" and not found.in_sequence]
    if bare and activation is None:
        warnings.warn(
            f"no activation module stands behind {', '.join(bare)}: initialized as if there were none; where forward "
            "calls one as a function, name it: initialize(model, activation='relu')",
            stacklevel=2,
        )
    source = torch.Generator().manual_seed(seed)
    done = []
    for found in layers:
        fan_in, fan_out = fans(found.layer)
        std = weight_std(fan_in, fan_out, activation=found.activation, rule=rule, gain=gain, slope=found.slope)
        weight, bias = found.layer.weight, found.layer.bias
        assert isinstance(weight, torch.Tensor)
        with torch.no_grad():
            # Drawn in double precision on the CPU: the same numbers on every device.
            weight.copy_(torch.randn(weight.shape, generator=source, dtype=torch.float64) * std)
            if isinstance(bias, torch.Tensor):
                bias.zero_()
        done.append(Initialized(found.name, found.activation, fan_in, fan_out, std))
    return done


@dataclass(frozen=True)
class _Layer:
    """A layer with the activation behind it. ``in_sequence``: it stands in a ``Sequential``, whose order is known."""

    name: str
    layer: nn.Module
    in_sequence: bool
    activation: str = "identity"
    slope: float | None = None


def _layers(model: nn.Module) -> list[_Layer]:
    """In the order in which they were made; one used in several places counts once, an activation everywhere."""
    found: list[_Layer] = []
    waiting = False
    for name, module in model.named_modules(remove_duplicate=False):
        behind = activation_name(module)
        if behind is not None and waiting:
            found[-1] = replace(found[-1], activation=behind, slope=negative_slope(module))
            waiting = False
        elif isinstance(module, LAYERS):
            waiting = all(module is not other.layer for other in found)
            if waiting:
                parent = model.get_submodule(name.rpartition(".")[0])
                found.append(_Layer(name, module, isinstance(parent, nn.Sequential)))
    return found


def _named(found: list[_Layer], activation: str | Mapping[str, str] | None) -> list[_Layer]:
    """With the activations that the caller knows better."""
    if activation is None:
        return found
    if isinstance(activation, str):
        activation = {layer.name: activation for layer in found[:-1]} | {layer.name: "identity" for layer in found[-1:]}
    unknown = sorted(set(activation) - {layer.name for layer in found})
    if unknown:
        raise BadInput(
            "activation", got=", ".join(unknown), want="names of layers: " + ", ".join(x.name for x in found)
        )
    return [
        replace(layer, activation=activation[layer.name], slope=None) if layer.name in activation else layer
        for layer in found
    ]
