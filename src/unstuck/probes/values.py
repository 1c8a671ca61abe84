"""What an operation put out, when the graph still knows it: saved by it, by a view of it, or cheap to compute again."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node, normalized_dim

# Multiplications that computing the last layer's output again may cost.
PRODUCTS = 8_000_000
# Operations that save their own result.
_RESULT = frozenset(
    {"Relu", "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Exp", "Sqrt", "Rsqrt", "Reciprocal", "Logsumexp", "LinalgVectorNorm", "Norm", "Expm1", "Cumprod", "Prod", "Pdist"}
)  # fmt: skip
_SAME_ORDER = frozenset(
    {"View", "ReshapeAlias", "UnsafeView", "Squeeze", "Unsqueeze", "Flatten", "Reshape", "ViewAs", "Unflatten"}
)
_SAME = frozenset({"Alias", "Clone", "Contiguous", "Detach", "LiftFresh", "Lift"})


def value_of(graph: Graph, node: Node, output: int = 0, *, products: int = PRODUCTS, depth: int = 24) -> Tensor | None:
    """The tensor that an operation put out, detached; None when the graph does not know it.

    Read from what it or a view of it saved; a matrix product of a saved input with the present weight is computed
    again if that takes at most ``products`` multiplications (equal up to rounding).
    """
    if depth <= 0 or output != 0:
        return None
    if node.leaf is not None:
        return node.leaf.detach()
    kind = node.kind
    if kind in _RESULT:
        found = graph.saved(node, "result")
        return _checked(found, node)
    if kind in ("LeakyRelu", "Elu", "Celu", "Hardtanh"):
        found = graph.saved(node, "result") if hasattr(node.raw, "_saved_result") else None
        if found is not None:
            return _checked(found, node)
    if not node.edges or node.edges[0][0] is None:
        return None
    shape = node.shape()
    child, nr = node.edges[0]
    if kind in _SAME_ORDER:
        inner = value_of(graph, child, nr, products=products, depth=depth - 1)
        return (
            inner.reshape(shape) if inner is not None and shape is not None and inner.numel() == node.numel() else None
        )
    if kind in _SAME:
        return _checked(value_of(graph, child, nr, products=products, depth=depth - 1), node)
    if kind == "ToCopy":
        inner = value_of(graph, child, nr, products=products, depth=depth - 1)
        dtype = node.dtype()
        return inner.to(dtype) if inner is not None and dtype is not None else inner
    if kind in ("T", "Transpose", "Permute", "Select", "Slice", "Expand"):
        inner = value_of(graph, child, nr, products=products, depth=depth - 1)
        return _checked(_viewed(graph, node, inner), node) if inner is not None else None
    if kind in ("Addmm", "Mm"):
        return _checked(_product(graph, node, products), node)
    return None


def input_of(graph: Graph, node: Node, **options: Any) -> Tensor | None:
    """The tensor that enters an operation by its first edge: saved by it, or put out by the operation before it."""
    for key in ("self", "mat1", "input"):
        found = graph.saved(node, key) if hasattr(type(node.raw), f"_saved_{key}") else None
        if found is not None:
            return found
    if node.edges and node.edges[0][0] is not None:
        return value_of(graph, node.edges[0][0], node.edges[0][1], **options)
    return None


def _checked(found: Tensor | None, node: Node) -> Tensor | None:
    """Only a tensor of the shape that the graph says came out."""
    shape = node.shape()
    return found if found is not None and (shape is None or tuple(found.shape) == shape) else None


def _viewed(graph: Graph, node: Node, inner: Tensor) -> Tensor | None:
    kind = node.kind
    if kind == "T":
        return inner.t() if inner.dim() <= 2 else None
    if kind == "Transpose":
        first, second = graph.attribute(node, "dim0"), graph.attribute(node, "dim1")
        if first is None or second is None:
            return None
        return inner.transpose(normalized_dim(first, inner.dim()), normalized_dim(second, inner.dim()))
    if kind == "Permute":
        dims = graph.attribute(node, "dims")
        return inner.permute([normalized_dim(d, inner.dim()) for d in dims]) if dims is not None else None
    if kind == "Select":
        dim, index = graph.attribute(node, "dim"), graph.attribute(node, "index")
        if dim is None or index is None:
            return None
        dim = normalized_dim(dim, inner.dim())
        return inner.select(dim, normalized_dim(index, inner.shape[dim]))
    if kind == "Slice":
        parts = [graph.attribute(node, key) for key in ("dim", "start", "end", "step")]
        if any(part is None for part in parts):
            return None
        dim = normalized_dim(parts[0], inner.dim())
        extent = inner.shape[dim]
        start, end = (min(max(normalized_dim(p, extent), 0), extent) for p in parts[1:3])
        index = [slice(None)] * inner.dim()
        index[dim] = slice(start, end, int(parts[3]))
        return inner[tuple(index)]
    shape = node.shape()
    return inner.expand(shape) if kind == "Expand" and shape is not None else None


def _product(graph: Graph, node: Node, products: int) -> Tensor | None:
    left_key, right_key = ("mat1", "mat2") if node.kind == "Addmm" else ("self", "mat2")
    edges = node.edges[-2:]
    shape = node.shape()
    if shape is None or len(shape) != 2:
        return None
    left = graph.saved(node, left_key)
    if left is None and edges[0][0] is not None:
        left = value_of(graph, edges[0][0], edges[0][1], depth=4)
    if left is None or left.dim() != 2 or left.shape[0] * left.shape[1] * shape[1] > products:
        return None
    right = graph.saved(node, right_key)
    if right is None and edges[1][0] is not None:
        right = value_of(graph, edges[1][0], edges[1][1], depth=4)
    if right is None or right.dim() != 2 or right.dtype != left.dtype or left.layout != torch.strided:
        return None
    if node.kind == "Mm":
        return left @ right
    if graph.attribute(node, "alpha") not in (1, 1.0) or graph.attribute(node, "beta") not in (1, 1.0):
        return None
    bias_node, bias_nr = node.edges[0]
    bias = value_of(graph, bias_node, bias_nr, depth=4) if bias_node is not None else None
    if bias is None or bias.dtype != left.dtype:
        return None
    return torch.addmm(bias, left, right)
