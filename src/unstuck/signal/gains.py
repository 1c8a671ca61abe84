"""How large initial weights must be so that neither the signal nor its gradient grows or fades with depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.core.errors import BadInput

Rule = Literal["auto", "lecun", "he", "glorot", "kept"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "prelu": lambda z: F.leaky_relu(z, 0.25),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
# Where the lecture says 1/n: the slope at zero is 1 (tanh), or the rule is used as it stands (sigmoid, linear).
_LECUN = {"identity", "tanh", "sigmoid", "selu"}
_SLOPED = ("leaky_relu", "prelu")


@cache
def kept_gain(activation: str, *, slope: float | None = None) -> float:
    """1/√E[f(z)²] for a standard normal z: with weights of variance gain²/fan_in the pre-activations keep variance 1.

    √2 for ReLU (He's rule), 1 for the identity, 1.593 for tanh. Computed by quadrature, for any known activation.
    ``slope``: of the negative side, for ``leaky_relu`` and ``prelu``, where it is not torch's first value.

    Errors: ``BadInput`` for an unknown activation, or a slope of one that has none.
    *Source*: He et al. 2015, equations 10 and 15: √(2/(1 + slope²)).

    >>> round(kept_gain("relu"), 6), round(kept_gain("tanh"), 4), kept_gain("identity")
    (1.414214, 1.5925, 1.0)
    >>> round(kept_gain("prelu", slope=1.0), 6)
    1.0
    """
    if activation not in ACTIVATIONS:
        raise BadInput("activation", got=activation, want=", ".join(ACTIVATIONS))
    if slope is not None and activation not in _SLOPED:
        raise BadInput(
            "slope", got=f"{slope} for {activation}", want="None", hint=f"only {', '.join(_SLOPED)} have one"
        )
    if activation == "identity":
        return 1.0
    # Halves apart: ReLU and its kin have a corner at zero, and Gauss's rule wants smooth functions.
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = torch.as_tensor(6.0 * (nodes + 1.0))  # 0 … 12 standard deviations
    bell = torch.exp(-half.pow(2) / 2) / (2 * torch.pi) ** 0.5 * torch.as_tensor(6.0 * weights)
    f = ACTIVATIONS[activation] if slope is None else lambda z: F.leaky_relu(z, slope)
    return float((bell * (f(half).pow(2) + f(-half).pow(2))).sum() ** -0.5)


def weight_std(
    fan_in: int,
    fan_out: int,
    *,
    activation: str = "relu",
    rule: Rule = "auto",
    gain: float = 1.0,
    slope: float | None = None,
) -> float:
    """Standard deviation of a layer's initial weights; ``activation`` is what follows the layer.

    ``lecun`` √(1/fan_in); ``he`` √(2/fan_in); ``glorot`` √(2/(fan_in + fan_out)); ``kept`` kept_gain/√fan_in;
    ``auto``: lecun for tanh, sigmoid, SELU and no activation, he for ReLU, kept for the others. ``gain`` multiplies: a
    number to be tuned, 1 as it stands. ``slope`` as in :func:`kept_gain`.

    *Source*: LeCun et al. 1998; Glorot and Bengio 2010; He et al. 2015; Andrew Ng, Weight initialization.

    >>> weight_std(50, 10, activation="relu"), weight_std(100, 10, activation="tanh")
    (0.2, 0.1)
    """
    if min(fan_in, fan_out) < 1:
        raise BadInput("fan", got=(fan_in, fan_out), want="at least 1")
    if not gain > 0:
        raise BadInput("gain", got=gain, want="a positive number")
    if activation not in ACTIVATIONS:
        raise BadInput("activation", got=activation, want=", ".join(ACTIVATIONS))
    chosen = rule
    if rule == "auto":
        chosen = "lecun" if activation in _LECUN else "he" if activation == "relu" else "kept"
    variance = {
        "lecun": 1.0 / fan_in,
        "he": 2.0 / fan_in,
        "glorot": 2.0 / (fan_in + fan_out),
        "kept": kept_gain(activation, slope=slope) ** 2 / fan_in,
    }
    if chosen not in variance:
        raise BadInput("rule", got=rule, want="auto, " + ", ".join(variance))
    return float(gain * variance[chosen] ** 0.5)


def fans(module: nn.Module) -> tuple[int, int]:
    """(fan_in, fan_out) of a linear or convolution layer: how many numbers enter one output, leave one input.

    A transposed convolution with a stride sets its field down at every stride-th place only, so that on average a
    field/stride enters one output.

    >>> fans(nn.Conv2d(4, 6, 3)), fans(nn.Linear(5, 2)), fans(nn.ConvTranspose2d(4, 6, 4, stride=2))
    ((36, 54), (5, 2), (16, 96))
    """
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        field = module.weight[0][0].numel()
        return module.weight.shape[1] * field, module.out_channels // module.groups * field
    if isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        field = module.weight[0][0].numel()
        entering = module.in_channels // module.groups * field / prod(module.stride)
        return max(1, round(entering)), module.out_channels // module.groups * field
    raise BadInput("module", got=type(module).__name__, want="a linear or convolution layer")


_NAMES: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky_relu",
    nn.PReLU: "prelu",
    nn.ELU: "elu",
    nn.SELU: "selu",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Softplus: "softplus",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
}


def activation_name(module: nn.Module) -> str | None:
    """The name under which :func:`weight_std` knows this module, or None for what is no activation."""
    return next((name for kind, name in _NAMES.items() if isinstance(module, kind)), None)


def negative_slope(module: nn.Module) -> float | None:
    """The slope of the negative side of a leaky or learned ReLU as it stands (the mean over channels); else None.

    >>> negative_slope(nn.LeakyReLU(0.2)), negative_slope(nn.PReLU()), negative_slope(nn.ReLU())
    (0.2, 0.25, None)
    """
    if isinstance(module, nn.LeakyReLU):
        return float(module.negative_slope)
    return float(module.weight.detach().mean()) if isinstance(module, nn.PReLU) else None
