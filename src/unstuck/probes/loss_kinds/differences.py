"""Squared and absolute differences written by hand, and the targets that they hide."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node
from unstuck.probes.loss_kinds.match import PART, Edge, Match, before_expand, numel, through_views
from unstuck.probes.plain import piece, strides_for, thinned
from unstuck.probes.values import value_of


def power(graph: Graph, node: Node, offset: bool) -> Match | None:
    exponent = graph.attribute(node, "exponent")
    if not isinstance(exponent, int | float) or exponent != 2:
        return None
    inside = through_views(node.edges[0][0])
    if inside is not None and inside.kind == "Abs":  # |output - target|²
        found = difference_of(graph, node, inside.edges[0], "mse", graph.saved(inside, "self"))
        if found is not None:
            found.consumed.append(inside)
        return found
    return difference_of(graph, node, node.edges[0], "mse", graph.saved(node, "self"))


def absolute(graph: Graph, node: Node, offset: bool) -> Match | None:
    return difference_of(graph, node, node.edges[0], "l1", graph.saved(node, "self"))


def norm(graph: Graph, node: Node, offset: bool) -> Match | None:
    """``norm(output − target)``: the root of a sum of squares."""
    order = graph.attribute(node, "ord")
    order = graph.attribute(node, "p") if order is None else order
    if order not in (None, 2, 2.0):
        return None
    found = difference_of(graph, node, node.edges[0], "mse", graph.saved(node, "self"))
    if found is None or found.extra.get("target_live"):
        return None  # a distance between two outputs
    found.extra["root"] = True
    return found


def _product_of_two(graph: Graph, node: Node, first: Node, second: Node) -> Match | None:
    same = first is second or (
        first.kind == second.kind in ("Sub", "Rsub") and first.edges == second.edges and _same_values(graph, node)
    )
    if same:
        found = difference_of(graph, node, node.edges[0], "mse", graph.saved(node, "self"))
        if found is not None:
            found.consumed.append(second)
        return found
    return None


def _same_values(graph: Graph, node: Node) -> bool:
    left, right = graph.saved(node, "self"), graph.saved(node, "other")
    if left is None or right is None or left.shape != right.shape:
        return False
    return bool(torch.equal(piece(left, PART), piece(right, PART)))


def difference_of(graph: Graph, node: Node, edge: Edge, kind: str, values: Tensor | None) -> Match | None:
    """A function of ``output − target``: find both sides, and the target from the values of the difference."""
    sub = through_views(edge[0])
    scaled = None
    if sub is not None and sub.kind in ("Mul", "Div") and len(sub.live()) == 1 and sub.edges[0][0] is not None:
        # relative errors: (output - target) / scale
        scaled = sub
        constant = graph.saved(sub, "other")
        if values is not None and constant is not None:
            values = values * constant if sub.kind == "Div" else values / constant
        else:
            values = None
        sub = through_views(sub.edges[0][0])
    if sub is None or sub.kind not in ("Sub", "Rsub", "Add") or (sub.kind == "Add" and len(sub.edges) != 2):
        return None
    if sub.kind == "Add" and not any(child is not None and child.kind == "Neg" for child, _ in sub.edges):
        return None
    if graph.attribute(sub, "alpha") not in (None, 1, 1.0):
        return None
    sides = list(sub.edges)
    if sub.kind == "Rsub":  # rsub(self, other) is other − self
        sides = [sides[1] if len(sides) > 1 else (None, 0), sides[0]]
    elif len(sides) == 1:
        sides.append((None, 0))
    carrying = [i for i, (child, _) in enumerate(sides) if child is not None and child.data]
    if not carrying:
        carrying = [i for i, (child, _) in enumerate(sides) if child is not None]
    if not carrying:
        return None
    first = carrying[0]
    inner = sides[first]
    other = sides[1 - first]
    assert inner[0] is not None
    joint = sub.shape()
    found = Match(kind, node, inner=inner, consumed=[node, sub], joint=joint)
    if scaled is not None:
        found.consumed.append(scaled)
        found.extra["weighted"] = True
    found.output_shape = before_expand(inner, joint)
    if len(carrying) > 1:
        found.extra["target_live"] = True
    output = value_of(graph, inner[0], inner[1])
    found.output = output
    if values is not None and joint is not None and values.numel() == numel(joint):
        values = values.reshape(joint)
    else:
        values = None
    if other[0] is not None:
        found.target = value_of(graph, other[0], other[1])
        found.target_shape = before_expand(other, joint)
        return found
    if values is None or joint is None:
        return found
    if output is not None:
        steps = strides_for(joint, PART)
        wide_output = output.expand(joint) if output.dim() <= len(joint) else output
        mine, theirs = thinned(wide_output, steps), thinned(values, steps)
        found.target = _whole_when_close(mine - theirs if first == 0 else mine + theirs, theirs, mine)
        found.reconstructed = True
        found.target_shape = found.whole_target = joint
        if any(step > 1 for step in steps):
            found.output, found.whole_output = mine, tuple(output.shape)
    bigger = joint is not None and found.output_shape is not None and numel(joint) > numel(found.output_shape)
    if bigger and not _explicitly_unsqueezed(inner, joint):
        narrow = _outer_shape(values, found.output_shape or ())
        if narrow is not None:
            found.target_shape = found.whole_target = narrow
            if found.target is not None:
                found.target = _narrowed(found.target, narrow)
    return found


def _explicitly_unsqueezed(edge: Edge, joint: tuple[int, ...] | None) -> bool:
    """Somebody who writes ``x[:, :, None] - y[:, None, :]`` means all pairs."""
    return edge[0] is not None and edge[0].kind == "Unsqueeze" and joint is not None and len(joint) > 2


def _outer_shape(values: Tensor, output_shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The target's shape, if the difference of an output of this shape is all pairs of it with a smaller target.

    With ``d[i, j] = o[i] − t[j]`` the differences ``d[i, j] − d[0, j]`` do not depend on ``j``.
    """
    joint = tuple(values.shape)
    padded = (1,) * (len(joint) - len(output_shape)) + tuple(output_shape)
    own = [d for d in range(len(joint)) if padded[d] == joint[d] and joint[d] > 1]
    spread = [d for d in range(len(joint)) if padded[d] != joint[d]]
    if not own or not spread:
        return None
    part = values[tuple(slice(0, 64) for _ in joint)]
    if not part.is_floating_point():
        return None
    rounding = torch.finfo(part.dtype).eps
    part = part.double() if part.device.type != "mps" else part.float()
    if not bool(torch.isfinite(part).all()):
        return None
    base = part
    for d in own:
        base = base.narrow(d, 0, 1)
    steps = part - base
    flat = steps
    for d in spread:
        flat = flat.narrow(d, 0, 1)
    tolerance = 16 * rounding * float(part.abs().max())
    if float((steps - flat).abs().max()) > tolerance:
        return None
    narrow = [1 if d in own else joint[d] for d in range(len(joint))]
    while len(narrow) > 1 and narrow[0] == 1:
        narrow.pop(0)
    return tuple(narrow)


def _narrowed(target: Tensor, shape: tuple[int, ...]) -> Tensor:
    padded = (1,) * (target.dim() - len(shape)) + shape
    for d, extent in enumerate(padded):
        if extent == 1 and target.shape[d] > 1:
            target = target.narrow(d, 0, 1)
    while target.dim() > len(shape):
        target = target.squeeze(0)
    return target


def _whole_when_close(target: Tensor, values: Tensor, output: Tensor) -> Tensor:
    """Undo the rounding of ``output − (output − target)`` where the targets are plainly whole numbers."""
    if not target.is_floating_point() or target.numel() == 0:
        return target
    whole = target.round()
    size = max(1.0, float(output.abs().max()), float(values.abs().max()))
    tolerance = 8 * torch.finfo(target.dtype).eps * size
    if tolerance < 0.01 and bool(((target - whole).abs() <= tolerance).all()):
        return whole
    return target
