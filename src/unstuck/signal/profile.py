"""Variance and gradient through the depth of a network, measured on one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput
from unstuck.signal.gains import activation_name
from unstuck.signal.initialize import LAYERS


@dataclass(frozen=True)
class ProfileRow:
    """One module's output. ``gradient``: root mean square of ∂loss/∂output, None without a loss."""

    name: str
    kind: str
    mean: float
    std: float
    second_moment: float
    zero_share: float
    gradient: float | None


@dataclass(frozen=True)
class Profile:
    """Rows in the order in which the data came by.

    ``signal_ratio``: by which factor a layer's second moment changes from one activation to the next (geometric mean;
    1 is kept, 0.5 halves). ``gradient_ratio``: by which factor the gradient changes a step towards the input.
    """

    rows: tuple[ProfileRow, ...]

    @property
    def signal_ratio(self) -> float:
        return _mean_ratio([row.second_moment for row in self._kept()])

    @property
    def gradient_ratio(self) -> float:
        return _mean_ratio([row.gradient for row in reversed(self._kept()) if row.gradient is not None])

    def svg(self, *, width: int = 640, height: int = 300) -> str:
        """Picture: std of outputs and size of gradients by depth, on a logarithmic axis; light or dark as its page is."""
        series = [("std of the output", _COLORS[0], [row.std for row in self.rows])]
        gradients = [row.gradient for row in self.rows if row.gradient is not None]
        if gradients:
            series.append(("gradient", _COLORS[1], gradients))
        return _svg(series, width, height)

    def _kept(self) -> list[ProfileRow]:
        """One row a layer: the activations where there are some, else the layers."""
        activations = [row for row in self.rows if row.kind in _ACTIVATION_KINDS]
        return activations if len(activations) > 1 else [row for row in self.rows if row.kind not in _ACTIVATION_KINDS]


# On a page with colors of its own for series, those; each falls back to a pair that stands out from white and black.
_COLORS = ("var(--series-1, light-dark(#2a5f92, #7db4e8))", "var(--series-2, light-dark(#b4541a, #f0985c))")
_ACTIVATION_KINDS = {"ReLU", "LeakyReLU", "PReLU", "ELU", "SELU", "GELU", "SiLU", "Softplus", "Tanh", "Sigmoid"}


def profile(model: nn.Module, batch: Tensor, *, loss: Callable[[Tensor], Tensor] | None = None) -> Profile:
    """Measure every layer's and activation's output, and with ``loss(output)`` the gradient that comes back to it.

    The model is left as it was: mode, buffers, gradients, hooks.

    Errors: ``BadInput`` when the batch reaches no layer. *Cost*: one forward pass, with ``loss`` one backward pass.

    >>> model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> [row.name for row in profile(model, torch.ones(3, 4)).rows]
    ['0', '1', '2']
    """
    kept: list[tuple[str, str, Tensor]] = []
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    hooks = []

    def keeper(name: str, kind: str) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda module, inputs, output: kept.append((name, kind, output))

    for name, module in model.named_modules():
        if isinstance(module, LAYERS) or activation_name(module) is not None:
            hooks.append(module.register_forward_hook(keeper(name, type(module).__name__)))
    gradients: Sequence[Tensor | None] = []
    try:
        with torch.set_grad_enabled(loss is not None):
            out = model(batch)
            if loss is not None and kept:
                gradients = torch.autograd.grad(loss(out), [output for _, _, output in kept], allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
        with torch.no_grad():  # after the backward pass, which may need the buffers as they were
            for name, buffer in model.named_buffers():
                buffer.copy_(buffers[name])
    if not kept:
        raise BadInput("model", got="no layer was reached", want="linear or convolution layers, or activations")
    rows = [
        _row(name, kind, output.detach().double(), gradient)
        for (name, kind, output), gradient in zip(kept, gradients or [None] * len(kept), strict=True)
    ]
    return Profile(tuple(rows))


def _row(name: str, kind: str, output: Tensor, gradient: Tensor | None) -> ProfileRow:
    return ProfileRow(
        name,
        kind,
        float(output.mean()),
        float(output.std(correction=0)),
        float(output.pow(2).mean()),
        float((output == 0).double().mean()),
        None if gradient is None else float(gradient.double().pow(2).mean().sqrt()),
    )


def _mean_ratio(values: Sequence[float]) -> float:
    if len(values) < 2 or values[0] <= 0:
        return math.nan
    if values[-1] <= 0:
        return 0.0
    return float((values[-1] / values[0]) ** (1 / (len(values) - 1)))


def _svg(series: Sequence[tuple[str, str, Sequence[float]]], width: int, height: int) -> str:
    left, right, top, bottom = 76, 12, 30, 38
    positive = [value for _, _, values in series for value in values if value > 0 and math.isfinite(value)]
    low = math.floor(math.log10(min(positive))) if positive else -1
    high = max(low + 1, math.ceil(math.log10(max(positive)))) if positive else 0
    longest = max(len(values) for _, _, values in series)

    def place(index: int, value: float) -> tuple[float, float]:
        across = left + (width - left - right) * index / max(1, longest - 1)
        share = (math.log10(value) - low) / (high - low)
        return across, height - bottom - share * (height - top - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12" fill="currentColor" role="img" aria-label="signal and gradient through depth">'
    ]
    every = max(1, (high - low) // 6)
    for power in range(low, high + 1, every):
        y = place(0, 10.0**power)[1]
        parts.append(f'<path d="M{left} {y:.1f}H{width - right}" stroke="currentColor" stroke-opacity=".15"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">1e{power}</text>')
    for index, (label, color, values) in enumerate(series):
        shown = [(i, v) for i, v in enumerate(values) if v > 0 and math.isfinite(v)]
        line = "L".join("{:.1f} {:.1f}".format(*place(i, v)) for i, v in shown)
        # As a style: a presentation attribute knows no var() and no light-dark().
        parts.append(f'<path d="M{line}" style="fill:none;stroke:{color};stroke-width:2"/>' if shown else "")
        parts.append(f'<text x="{left + 170 * index}" y="18" style="fill:{color}">{label}</text>')
    middle = (top + height - bottom) / 2
    parts.append(
        f'<text transform="translate(16 {middle:.1f}) rotate(-90)" text-anchor="middle">size (log scale)</text>'
    )
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">depth (modules)</text>')
    return "".join([*parts, "</svg>"])
