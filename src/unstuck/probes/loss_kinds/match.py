"""What a recognized loss function is, and how its parts are reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from unstuck.probes.graph import VIEWS, Graph, Node

PART = 1 << 18  # entries of an output that are looked at
Edge = tuple["Node | None", int]


@dataclass
class Match:
    """A loss function found at a node: what enters it and how it reduces."""

    kind: str
    node: Node | None
    inner: Edge | None = None  # what enters it, seen from the model: the head starts here
    output: Tensor | None = None
    target: Tensor | None = None
    class_dim: int | None = None
    own: Node | None = None  # the log-softmax that belongs to the loss
    reduction: int | None = None  # torch's number: 0 none, 1 mean, 2 sum
    natural: int = 1  # the sign with which it stands in a loss that is minimized
    ignore_index: int | None = None
    centered: bool = False
    reconstructed: bool = False
    output_shape: tuple[int, ...] | None = None
    target_shape: tuple[int, ...] | None = None
    joint: tuple[int, ...] | None = None
    compared: Tensor | None = None  # the targets that belong to ``output``, where that is only a part of the whole
    whole_output: tuple[int, ...] | None = None  # shapes of the whole, where only parts are at hand
    whole_target: tuple[int, ...] | None = None
    rowwise: bool = False  # a sum over classes belongs to the loss and not to the batch
    consumed: list[Node] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


def through_views(node: Node | None) -> Node | None:
    """The first node inward that is no view."""
    for _ in range(32):
        if node is None or node.kind not in VIEWS or not node.edges:
            return node
        node = node.edges[0][0]
    return node


def numel(shape: tuple[int, ...]) -> int:
    total = 1
    for extent in shape:
        total *= extent
    return total


def reduction_of(graph: Graph, node: Node) -> int | None:
    found = graph.attribute(node, "reduction")
    return int(found) if isinstance(found, int) else None


def before_expand(edge: Edge, joint: tuple[int, ...] | None) -> tuple[int, ...] | None:
    node, nr = edge
    if node is None:
        return joint
    if node.kind == "Expand" and node.edges:
        child, child_nr = node.edges[0]
        return child.shape(child_nr) if child is not None else None
    return node.shape(nr)
