"""Recurrent layers that a library runs as one operation over the whole sequence: where time lies in them, and what
gradient reaches each of its steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node
from unstuck.probes.recurrence import Again, Recurrence, norm_of, positions

_EXAMPLES = 8  # that a fused layer is run again for: their norm stands for all within a factor, which is what is asked
_PRODUCTS = 500_000_000  # multiplications that this may take: some tenths of a second on one core


def by_time(gradient: Tensor | None, at: Sequence[int], time: int, reverse: bool) -> list[Tensor | None]:
    """Norms of the gradient of a layer's input at some time steps."""
    if gradient is None:
        return [None] * len(at)
    steps = gradient.shape[time]
    return [norm_of(gradient.select(time, steps - 1 - t if reverse else t)) for t in at]


def is_whole(node: Node) -> bool:
    """Whether the node is a recurrent layer in one operation."""
    return node.kind in ("MkldnnRnnLayer", "CudnnRnn")


def whole_recurrence(graph: Graph, node: Node, fewest: int) -> Recurrence | None:
    """The recurrence of a fused layer; None for one that is too short or cannot be told apart by time."""
    entering = graph.saved(node, "input")
    if entering is None:
        return None
    if graph.attribute(node, "batch_sizes"):
        graph.note("gradient through time", "packed sequences run as one operation")
        return None
    again = None
    if not _input_has_gradient(node):
        again = _backward_again(graph, node) if _is_affordable(graph, node, entering) else None
        if again is None:
            graph.note("gradient through time", "the data that enter a fused layer have no gradient")
            return None
    steps = int(entering.shape[time_dimension(node)])
    if steps < fewest:
        return None
    leaves = [leaf.leaf for leaf in graph.parameters_of(node) if leaf.leaf is not None]
    known = [graph.names.get(id(leaf), "weight") for leaf in leaves if leaf.dim() >= 2]
    weight = next((name for name in known if "weight_hh" in name), known[0] if known else "weight")
    return Recurrence(weight, steps, positions(steps), [node], whole=True, again=again)


def _input_has_gradient(node: Node) -> bool:
    return bool(node.edges) and node.edges[0][0] is not None


def _is_affordable(graph: Graph, node: Node, entering: Tensor) -> bool:
    """Whether the gradient of the input may be computed apart."""
    weights = sum(leaf.leaf.numel() for leaf in graph.parameters_of(node) if leaf.leaf is not None)
    rows = entering.shape[0] * min(_EXAMPLES, entering.shape[1])
    return rows * weights <= _PRODUCTS


def time_dimension(node: Node) -> int:
    """Where time lies in a fused layer's input: the one of the CPU is always given the time first."""
    return 1 if node.kind == "CudnnRnn" and bool(getattr(node.raw, "_saved_batch_first", False)) else 0


def is_reversed(node: Node) -> bool:
    """Whether the layer reads the sequence from its end."""
    return bool(getattr(node.raw, "_saved_reverse", False))


def _backward_again(graph: Graph, node: Node) -> Again | None:
    """A function from the gradients of a fused layer's results to that of its input; None where it is not known how.

    The layer's own operation runs once more, forward and backward, for the first few examples: they do not meet inside
    it. No random numbers are drawn.
    """
    if node.kind != "MkldnnRnnLayer" or graph.is_hooked(node):
        return None
    entering = graph.saved(node, "input")
    weights = [graph.saved(node, f"weight{i}") for i in range(4)]
    states = [graph.saved(node, key) for key in ("hx_", "cx_")]
    names = [
        "reverse",
        "batch_sizes",
        "mode",
        "hidden_size",
        "num_layers",
        "has_biases",
        "bidirectional",
        "batch_first",
    ]
    kept = entering is not None and all(t is not None for t in (*weights, *states))
    if not kept or not all(hasattr(node.raw, f"_saved_{name}") for name in names):
        return None
    share = max(1.0, entering.shape[-2] / _EXAMPLES) if entering is not None else 1.0  # as if all had been run
    option = {name: getattr(node.raw, f"_saved_{name}") for name in names}

    def some(tensor: Tensor | None) -> Tensor | None:
        """Its first examples: they lie along the second dimension of a sequence, and the one before last of a state."""
        return None if tensor is None else tensor.narrow(-2, 0, min(_EXAMPLES, tensor.shape[-2])).contiguous()

    def backward(outward: tuple[Tensor | None, ...]) -> Tensor | None:
        given = [some(entering), *weights, *(some(state) for state in states)]
        # It keeps what its backward pass needs only where gradients are on; none of these tensors has one: no graph.
        before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(True)
        try:
            made = torch.ops.aten.mkldnn_rnn_layer(*given, *option.values(), True)
        finally:
            torch._C._set_grad_enabled(before)
        gradients = [some(g) for g in [*outward, None, None, None][:3]]
        sizes = [option[k] for k in ("reverse", "mode", "hidden_size", "num_layers", "has_biases")]
        layout = [option[k] for k in ("bidirectional", "batch_sizes", "batch_first")]
        found = torch.ops.aten.mkldnn_rnn_layer_backward(*given, *made[:3], *gradients, *sizes, True, *layout, made[3])
        gradient: Tensor = found[0]
        return gradient * math.sqrt(share)

    return backward
