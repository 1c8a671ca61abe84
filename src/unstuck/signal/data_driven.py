"""Initial weights measured instead of derived: each layer is scaled until its outputs on real data have variance 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput
from unstuck.signal.initialize import LAYERS


@dataclass(frozen=True)
class DataFit:
    """One layer: standard deviation of its outputs before and after, and the passes it took."""

    name: str
    before: float
    after: float
    passes: int


def initialize_from_data(
    model: nn.Module, batch: Tensor, *, tolerance: float = 0.02, passes: int = 10, center: bool = False, seed: int = 0
) -> list[DataFit]:
    """Orthonormal weights, zero biases, then layer by layer, first to last, a factor that gives outputs of std 1 ± tolerance.

    Works whatever the activations, shortcuts or widths are. ``center``: biases are set so that each unit's mean is zero.
    Layers that the batch does not reach, or whose outputs are constant, are left and said (``after`` 0). The model's
    mode is kept; dropout and batch norm act as in that mode.

    *Cost*: one forward pass a layer and try, about two a layer.
    *Source*: Mishkin and Matas 2016 (LSUV).

    >>> model = nn.Sequential(nn.Linear(20, 50), nn.ReLU(), nn.Linear(50, 3))
    >>> batch = torch.randn(64, 20, generator=torch.Generator().manual_seed(1))
    >>> all(abs(fit.after - 1) < 0.02 for fit in initialize_from_data(model, batch))
    True
    """
    if batch.shape[0] < 2:
        raise BadInput("batch", got=f"{batch.shape[0]} examples", want="at least 2", hint="some hundred are good")
    layers: list[tuple[str, nn.Module]] = [
        (name, module) for name, module in model.named_modules() if isinstance(module, LAYERS)
    ]
    if not layers:
        raise BadInput("model", got=type(model).__name__, want="at least one linear or convolution layer")
    source = torch.Generator().manual_seed(seed)
    for _, layer in layers:
        _orthonormal(layer, source)
    order = _reached(model, layers, batch)
    return [_fit(model, name, layer, batch, tolerance, passes, center) for name, layer in order]


def _orthonormal(layer: nn.Module, source: torch.Generator) -> None:
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    flat = torch.randn(weight.shape[0], weight[0].numel(), generator=source, dtype=torch.float64)
    frame, triangle = torch.linalg.qr(flat if flat.shape[0] >= flat.shape[1] else flat.T)
    frame = frame * torch.sign(torch.diagonal(triangle))  # else the draw is not uniform over rotations
    with torch.no_grad():
        weight.copy_((frame if flat.shape[0] >= flat.shape[1] else frame.T).reshape(weight.shape))
        if isinstance(bias, Tensor):
            bias.zero_()


def _reached(model: nn.Module, layers: list[tuple[str, nn.Module]], batch: Tensor) -> list[tuple[str, nn.Module]]:
    """Layers in the order in which data come to them; the unreached last."""
    seen: list[nn.Module] = []
    hooks = [layer.register_forward_pre_hook(lambda module, _: seen.append(module)) for _, layer in layers]
    try:
        with torch.no_grad():
            model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    place = {id(module): index for index, module in reversed(list(enumerate(seen)))}
    return sorted(layers, key=lambda pair: place.get(id(pair[1]), len(seen)))


def _fit(
    model: nn.Module, name: str, layer: nn.Module, batch: Tensor, tolerance: float, passes: int, center: bool
) -> DataFit:
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    before = spread = _outputs_std(model, layer, batch, bias if center else None)
    used = 1
    while spread > 0 and abs(spread - 1.0) > tolerance and used < passes:
        with torch.no_grad():
            weight /= spread
        spread = _outputs_std(model, layer, batch, bias if center else None)
        used += 1
    return DataFit(name, before, spread, used)


def _outputs_std(model: nn.Module, layer: nn.Module, batch: Tensor, bias: object) -> float:
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.detach()))
    try:
        with torch.no_grad():
            model(batch)
    finally:
        hook.remove()
    if not kept:
        return 0.0
    if isinstance(bias, Tensor):
        units = kept[0].movedim(-1 if isinstance(layer, nn.Linear) else 1, -1).reshape(-1, bias.numel())
        with torch.no_grad():
            bias -= units.mean(dim=0)
        kept[0] = units - units.mean(dim=0)
    spread = float(kept[0].double().std(correction=0))
    return spread if spread == spread and spread != float("inf") else 0.0
