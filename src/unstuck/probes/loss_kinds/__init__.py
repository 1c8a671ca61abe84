"""Recognizing loss functions in the autograd graph: torch's own, and those written by hand."""

from __future__ import annotations

from collections.abc import Callable

from unstuck.probes.graph import Graph, Node
from unstuck.probes.loss_kinds.differences import absolute, norm, power
from unstuck.probes.loss_kinds.margins import ramp, softplus
from unstuck.probes.loss_kinds.match import Match, through_views
from unstuck.probes.loss_kinds.picked import gather, logarithm
from unstuck.probes.loss_kinds.summed import summands
from unstuck.probes.loss_kinds.torch_losses import kl, multi_margin, nll, pair, prefers_a_class
from unstuck.probes.loss_kinds.weighted import product

__all__ = ["LOSS_NODES", "Match", "prefers_a_class", "recognize", "through_views"]

_FINDERS: dict[str, Callable[[Graph, Node, bool], Match | None]] = {
    "NllLoss": nll,
    "NllLoss2D": nll,
    "MseLoss": pair("mse", symmetric=True),
    "SmoothL1Loss": pair("smooth_l1", symmetric=True),
    "HuberLoss": pair("huber", symmetric=True),
    "BinaryCrossEntropy": pair("bce", symmetric=False),
    "BinaryCrossEntropyWithLogits": pair("bce_logits", symmetric=False),
    "SoftMarginLoss": pair("soft_margin", symmetric=False),
    "MultiMarginLoss": multi_margin,
    "MultilabelMarginLoss": pair("hinge", symmetric=False),
    "KlDiv": kl,
    "Log": logarithm,
    "LinalgVectorNorm": norm,
    "Norm": norm,
    "Pow": power,
    "Abs": absolute,
    "Mul": product,
    "Add": summands,
    "Sub": summands,
    "Rsub": summands,
    "Gather": gather,
    "Index": gather,
    "Select": gather,
    "ClampMin": ramp,
    "Clamp": ramp,
    "Relu": ramp,
    "Softplus": softplus,
}
LOSS_NODES = frozenset(
    kind for kind in _FINDERS if kind.endswith(("Loss", "Loss2D", "Div")) or kind.startswith("Binary")
)


def recognize(graph: Graph, node: Node, *, offset: bool = False) -> Match | None:
    """The loss function at this node, if it is one. ``offset``: a constant was added to it on the way here."""
    finder = _FINDERS.get(node.kind)
    return finder(graph, node, offset) if finder is not None else None
