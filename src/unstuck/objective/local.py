"""The loss around one live step of somebody's training loop: value, gradient and Hessian products, at that point only.

It reads the graph the script has just built, before the script's own backward pass, and leaves it as it was. It can say
how sharp and how negative; it can take no step, and so never says ``saddle`` or ``minimum``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from unstuck.objective.contract import Point, Work
from unstuck.objective.layout import Layout

_NO_SECOND = (
    "ScaledDotProductFlashAttention",
    "ScaledDotProductEfficientAttention",
    "ScaledDotProductCudnnAttention",
    "ScaledDotProductFusedAttention",
    "FlashAttention",
    "EfficientAttention",
    "CompiledFunction",
    "MkldnnRnn",
    "CudnnRnn",
    "HardsigmoidBackward",
    "EmbeddingBag",
)
_REPLAYED = ("CheckpointFunction", "_CheckpointFrame")


@dataclass(frozen=True)
class NoLocalObjective:
    """Why this live graph was not touched."""

    reason: str


class LocalObjective(Point):
    """Value, gradient and Hessian products of a live loss. Use it before the script's backward pass, then close it."""

    noise = None

    def __init__(self, loss: Tensor, parameters: Sequence[Tensor], layout: Layout) -> None:
        self.layout = layout
        self.work = Work(gradients=1)
        self._leaves = list(parameters)
        self._versions = [p._version for p in parameters]
        gradients = torch.autograd.grad(loss, self._leaves, create_graph=True, allow_unused=True)
        self.value = float(loss.detach())
        self.gradient = self._flat(gradients)
        kept = [(g, place) for place, g in enumerate(gradients) if g is not None and g.requires_grad]
        self._outputs = [g for g, _ in kept]
        self._which = [place for _, place in kept]
        self.kept_bytes = 0

    def _flat(self, tensors: Sequence[Tensor | None]) -> Tensor:
        return torch.cat(
            [
                torch.zeros_like(leaf).reshape(-1) if tensor is None else tensor.detach().reshape(-1)
                for tensor, leaf in zip(tensors, self._leaves, strict=True)
            ]
        )

    def hvp(self, vector: Tensor) -> Tensor:
        if [p._version for p in self._leaves] != self._versions:
            raise RuntimeError("the parameters have moved since the loss was computed: its graph is stale")
        self.work.products += 1
        if not self._outputs:
            return torch.zeros_like(self.gradient)
        parts = self.layout.split(vector.detach())
        seconds = torch.autograd.grad(
            self._outputs,
            self._leaves,
            [parts[place].to(self._leaves[place].dtype) for place in self._which],
            retain_graph=True,
            allow_unused=True,
        )
        return self._flat(seconds)

    def close(self) -> None:
        self._outputs, self._which = [], []


def local_objective(loss: Tensor, parameters: Iterable[tuple[str, Tensor]]) -> LocalObjective | NoLocalObjective:
    """The live loss as an objective at its own point, or the reason why it is left alone.

    Left alone are graphs whose products would run the script's own hooks or its forward pass again (tensor hooks,
    checkpointed regions, saved-tensor hooks), and kernels without a second derivative (fused attention, compiled
    graphs):
    a live graph's kernels are never changed, for that would change the run.

    *Cost*: one gradient and its graph in memory. Random numbers, ``.grad`` and hooks of the run stay untouched.

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> local = local_objective((w ** 3).sum(), [("w", w)])
    >>> local.hvp(torch.tensor([1.0, 0.0])).tolist()
    [6.0, 0.0]
    """
    named = [(name, p) for name, p in parameters if p.requires_grad]
    if not named:
        return NoLocalObjective("no trainable parameter")
    if loss.numel() != 1:
        return NoLocalObjective("the loss is not one number")
    if loss.grad_fn is None:
        return NoLocalObjective("no path leads from the loss to the parameters")
    if torch.is_inference_mode_enabled() or not torch.is_grad_enabled():
        return NoLocalObjective("gradients are switched off here")
    if _saved_tensor_hooks_present():
        return NoLocalObjective("hooks on saved tensors are active: products would run them")
    for name, p in named:
        if p._backward_hooks:
            return NoLocalObjective(f"the script has a hook on {name}: products would run it")
    reason = _obstacle(loss)
    if reason:
        return NoLocalObjective(reason)
    layout = Layout(tuple(name for name, _ in named), tuple(tuple(p.shape) for _, p in named))
    try:
        local = LocalObjective(loss, [p for _, p in named], layout)
        if local._outputs:
            local.hvp(torch.zeros_like(local.gradient))
    except (RuntimeError, NotImplementedError) as error:
        return NoLocalObjective(f"no second derivative: {str(error).splitlines()[0][:160]}")
    return local


def _saved_tensor_hooks_present() -> bool:
    try:
        return torch._C._autograd._top_saved_tensors_default_hooks(True) is not None
    except (RuntimeError, AttributeError, TypeError):
        return False


def _obstacle(loss: Tensor) -> str | None:
    stack: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        name = node.name()
        if any(part in name for part in _NO_SECOND):
            return f"{name} has no second derivative"
        if any(part in name for part in _REPLAYED):
            return f"{name}: a product would run the checkpointed forward pass again"
        if isinstance(node, BackwardCFunction):
            return f"{type(node).__name__.removesuffix('Backward')} is a function of the script's own: products would run it"
        if "AccumulateGrad" in name:
            variable = getattr(node, "variable", None)
            if variable is not None and variable._backward_hooks:
                return "the script has a hook on a tensor of this graph: products would run it"
        stack.extend(child for child, _ in node.next_functions)
    return None
