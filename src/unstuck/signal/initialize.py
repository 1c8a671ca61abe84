"""Initial weights by the rule that fits the activation behind each layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from unstuck.core.errors import BadInput
from unstuck.signal.gains import Rule, activation_name, fans, weight_std

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Initialized:
    """What was done to one layer."""

    name: str
    activation: str
    fan_in: int
    fan_out: int
    std: float


def initialize(model: nn.Module, *, rule: Rule = "auto", gain: float = 1.0, seed: int = 0) -> list[Initialized]:
    """Draw every linear and convolution weight anew from N(0, std²), biases zero; each layer by the activation behind it.

    The activation is the next one in the order of the model's modules; behind the last layer there is none
    (``identity``). ``gain`` multiplies every std. No global random number is drawn. See :func:`weight_std` for rules.

    Errors: ``BadInput`` for a model without such layers. *Cost*: one draw a weight.

    >>> model = nn.Sequential(nn.Linear(50, 20), nn.ReLU(), nn.Linear(20, 1))
    >>> [(done.name, done.activation, round(done.std, 4)) for done in initialize(model)]
    [('0', 'relu', 0.2), ('2', 'identity', 0.2236)]
    """
    source = torch.Generator().manual_seed(seed)
    done = []
    for name, layer, activation in _layers(model):
        fan_in, fan_out = fans(layer)
        std = weight_std(fan_in, fan_out, activation=activation, rule=rule, gain=gain)
        weight, bias = layer.weight, layer.bias
        assert isinstance(weight, torch.Tensor)
        with torch.no_grad():
            # Drawn in double precision on the CPU: the same numbers on every device.
            weight.copy_(torch.randn(weight.shape, generator=source, dtype=torch.float64) * std)
            if isinstance(bias, torch.Tensor):
                bias.zero_()
        done.append(Initialized(name, activation, fan_in, fan_out, std))
    if not done:
        raise BadInput("model", got=type(model).__name__, want="at least one linear or convolution layer")
    return done


def _layers(model: nn.Module) -> Iterator[tuple[str, nn.Module, str]]:
    waiting: tuple[str, nn.Module] | None = None
    for name, module in model.named_modules():
        activation = activation_name(module)
        if activation is not None and waiting is not None:
            yield *waiting, activation
            waiting = None
        elif isinstance(module, LAYERS):
            if waiting is not None:
                yield *waiting, "identity"
            waiting = name, module
    if waiting is not None:
        yield *waiting, "identity"
