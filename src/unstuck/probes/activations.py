"""Activation functions met in the graph: range, zeros, dead and saturated units; and what enters each layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unstuck.probes.graph import VIEWS, Graph, Node, normalized_dim
from unstuck.probes.heads import kind_of, layer_feeding
from unstuck.probes.linear_chains import linear_sources
from unstuck.probes.plain import piece, plain, strides_for, thinned
from unstuck.probes.quiet import quiet
from unstuck.probes.scalars import read_scalars
from unstuck.probes.sharp_rows import allowed_entries, row_counts
from unstuck.probes.values import value_of

_LIMIT = 32_768  # elements of an activation that its statistics look at
_CHECKED = 1 << 23  # elements that may be read to prove that a unit is dead
_ROWS = frozenset({"softmax", "log_softmax"})
# Flat ends: a |value| or a pair of bounds beyond which the slope is below about a thousandth.
_FLAT: dict[str, tuple[float, float]] = {
    "tanh": (-0.999, 0.999),
    "sigmoid": (0.001, 0.999),
    "hardsigmoid": (0.0, 1.0),
    "relu6": (-math.inf, 6.0),
}
_CLAMPS = frozenset({"Clamp", "ClampMin"})
_BOUNDS_INCLUDED = frozenset({"hardsigmoid", "relu6", "hardtanh"})
_FROM_INPUT: dict[str, Callable[[Tensor, dict[str, Any]], Tensor]] = {
    "leaky_relu": lambda x, o: F.leaky_relu(x, o.get("negative_slope", 0.01)),
    "gelu": lambda x, o: F.gelu(x, approximate=o.get("approximate", "none")),
    "silu": lambda x, o: F.silu(x),
    "mish": lambda x, o: F.mish(x),
    "hardtanh": lambda x, o: x.clamp(o.get("min_val", -1.0), o.get("max_val", 1.0)),
    "relu6": lambda x, o: x.clamp(0.0, 6.0),
    "hardsigmoid": lambda x, o: F.hardsigmoid(x),
    "hardswish": lambda x, o: F.hardswish(x),
    "softplus": lambda x, o: F.softplus(x, o.get("beta", 1), o.get("threshold", 20)),
    "celu": lambda x, o: F.celu(x, o.get("alpha", 1.0)),
    "elu": lambda x, o: F.elu(x, o.get("alpha", 1.0)),
    "selu": lambda x, o: F.selu(x),
    "relu": lambda x, o: x.clamp(min=0),
    "threshold": lambda x, o: torch.where(x > o.get("threshold", 0.0), x, torch.zeros_like(x)),
    "log_sigmoid": lambda x, o: F.logsigmoid(x),
    "hardshrink": lambda x, o: F.hardshrink(x, o.get("lambd", 0.5)),
    "softshrink": lambda x, o: F.softshrink(x, o.get("lambd", 0.5)),
}
_OPTIONS = ("negative_slope", "approximate", "min_val", "max_val", "beta", "threshold", "alpha", "lambd")


@dataclass
class DeadUnits:
    """Which units of each activation were zero in every sample so far. Memory: a byte a unit, at most 4 million."""

    zero: dict[str, Tensor] = field(default_factory=dict)
    limit: int = 4_000_000

    def update(self, name: str, dead: Tensor) -> Tensor:
        """Add one sample's mask of dead units; the mask of those dead in all samples comes back."""
        known = self.zero.get(name)
        if known is not None and known.shape == dead.shape and known.device == dead.device:
            dead = known & dead
        if known is not None or sum(t.numel() for t in self.zero.values()) + dead.numel() <= self.limit:
            self.zero[name] = dead
        return dead


@dataclass
class _Measured:
    entry: dict[str, Any]
    keys: tuple[str, ...] = ()
    scalars: tuple[Tensor, ...] = ()  # sums and counts, on the activation's device, read together at the end
    sizes: tuple[int, ...] = ()  # what each is to be divided by
    values: Tensor | None = None


@dataclass(frozen=True)
class _Rows:
    """A softmax whose result weighs data: its rows are counted. ``allowed`` is what a mask leaves, where known."""

    allowed: Tensor | None


def activations(
    graph: Graph,
    *,
    dead_units: DeadUnits | None = None,
    modules: dict[str, str] | None = None,
    limit: int = _LIMIT,
    maximum: int = 96,
    repeats: int = 3,
) -> list[dict[str, Any]]:
    """The entries of ``acts`` in docs/recording.md, in forward order; call it after :func:`loss_terms`.

    Activations that belong to the loss function (``graph.own``) and those applied to parameters alone are left out.
    An activation that the same layer feeds again and again (a recurrent net) is measured ``repeats`` times.
    ``modules`` maps ``relu after fc1`` to a name to use instead. ``limit`` bounds the elements looked at for each;
    that a unit is dead is proven on all entries (up to eight million).
    Cost: about twenty small operations each and one synchronization in all.

    >>> from unstuck.probes.graph import walk
    >>> layer = torch.nn.Linear(2, 4)
    >>> graph = walk(layer(torch.ones(3, 2)).relu().mean(), names={id(layer.weight): "fc.weight"})
    >>> found = activations(graph)[0]
    >>> found["name"], found["kind"], found["units"], found["hidden"]
    ('relu after fc', 'relu', 4, False)
    """
    with quiet():
        followed = _followed_by_layer(graph)
        names: dict[str, int] = {}
        measured: list[_Measured] = []
        skipped = 0
        for order, node in enumerate(graph.nodes):
            if node.kind.startswith("ScaledDotProduct"):
                graph.note("attention weights", "a fused kernel keeps none")
                continue
            kind = kind_of(graph, node)
            if kind is None or not node.data or node in graph.own:
                continue
            if node.kind in _CLAMPS and node not in followed:
                continue  # a bound in the loss, not an activation
            layer_node, layer = layer_feeding(graph, node)
            base = f"{kind} after {layer}" if layer is not None else kind
            base = (modules or {}).get(base, base)
            names[base] = names.get(base, 0) + 1
            if names[base] > repeats or len(measured) >= maximum:
                skipped += 1
                continue
            name = base if names[base] == 1 else f"{base} ({names[base]})"
            entry: dict[str, Any] = {
                "name": name,
                "after": layer,
                "kind": kind,
                "order": order,
                "shape": list(node.shape() or ()),
                "hidden": node in followed,
                "feeds": _fed_layer(graph, node) if node in followed else None,
            }
            measured.append(_measure(graph, node, kind, entry, layer_node, dead_units, limit))
        _read(measured)
        if skipped and len(measured) >= maximum:
            graph.note("budget", f"{skipped} more activations were not measured")
        return [m.entry for m in measured]


def _followed_by_layer(graph: Graph) -> set[Node]:
    """Nodes whose result enters, at last, a layer with weights."""
    found: set[Node] = set()
    for node in reversed(graph.nodes):
        if any(consumer.parametric or consumer in found for consumer in node.consumers):
            found.add(node)
    return found


_ON_THE_WAY = VIEWS | {
    "NativeDropout", "FusedDropout", "MaxPool2DWithIndices", "AvgPool2D", "AdaptiveAvgPool2D", "AdaptiveMaxPool2D",
    "Mean",
}  # fmt: skip


def _fed_layer(graph: Graph, node: Node, *, limit: int = 12) -> str | None:
    """The layer that takes the result as its only data, through views, pooling and dropout; None when it goes elsewhere.

    An attention's weights multiply data, a gate multiplies data: neither feeds a layer.
    """
    at = node
    for _ in range(limit):
        consumers = [c for c in at.consumers if c.data]
        if len(consumers) != 1:
            return None
        at = consumers[0]
        if sum(1 for child, _ in at.edges if child is not None and child.data) != 1:
            return None
        if at.parametric:
            return graph.layer_name(at) if at.parametric != "embedding" else None
        # Dropout multiplies by a constant mask, outside of accelerators.
        if at.kind not in _ON_THE_WAY and not (at.kind in ("Mul", "Div") and len(at.live()) == 1):
            return None
    return None


def _values(graph: Graph, node: Node, kind: str) -> tuple[Tensor | None, Callable[[Tensor], Tensor] | None]:
    """The activation's result; or its input and the function that makes the result of it."""
    found = value_of(graph, node)
    if found is not None:
        return found, None
    if kind in ("prelu", "rrelu"):
        before = graph.saved(node, "self")
        slope = graph.saved(node, "weight" if kind == "prelu" else "noise")
        if before is None or slope is None:
            return None, None
        return torch.where(before > 0, before, before * slope), None
    if kind == "glu":
        before = graph.saved(node, "self")
        return (
            (F.glu(before, normalized_dim(graph.attribute(node, "dim") or 0, before.dim())), None)
            if before is not None
            else (None, None)
        )
    before = graph.saved(node, "self")
    make = _FROM_INPUT.get(kind)
    if before is None or make is None:
        return None, None
    options = {key: graph.attribute(node, key) for key in _OPTIONS}
    options = {key: value for key, value in options.items() if value is not None}
    return before, lambda x: make(x, options)


def _unit_dim(shape: tuple[int, ...], kind: str, node: Node, graph: Graph, layer: Node | None) -> int:
    """Channels for what convolutions put out, the last dimension otherwise."""
    if kind in _ROWS:
        return normalized_dim(graph.attribute(node, "dim") or 0, len(shape))
    if len(shape) >= 3 and (_convolutional(layer) if layer is not None else len(shape) >= 4):
        return 1
    return len(shape) - 1


def _convolutional(layer: Node) -> bool:
    if layer.parametric == "conv":
        return True
    if layer.parametric in ("batch_norm", "group_norm"):
        shape = layer.shape()
        return shape is not None and len(shape) >= 3
    return False


def _measure(
    graph: Graph,
    node: Node,
    kind: str,
    entry: dict[str, Any],
    layer: Node | None,
    dead_units: DeadUnits | None,
    limit: int,
) -> _Measured:
    empty = {
        "units": None,
        "mean": None,
        "std": None,
        "zero": None,
        "dead": None,
        "dead_so_far": None,
        "saturated": None,
        "vary": None,
        "nonfinite": None,
    }
    entry.update(empty)
    try:
        whole, make = _values(graph, node, kind)
        if whole is None:
            return _Measured(entry)
        whole = plain(whole)
        if whole.numel() == 0 or not whole.is_floating_point():
            return _Measured(entry)
        shape = tuple(whole.shape)
        entry["shape"] = list(shape)
        unit = _unit_dim(shape, kind, node, graph, layer) if shape else 0
        if not shape:
            whole, shape, unit = whole.reshape(1, 1), (1, 1), 1
        elif len(shape) == 1 and kind not in _ROWS:
            # (N,): one unit of N examples where the layer put out a column, else N units of one example
            column = layer is not None and (layer.shape() or ())[-1:] == (1,)
            whole = whole.reshape(-1, 1) if column else whole.reshape(1, -1)
            shape, unit = tuple(whole.shape), 1
        entry["units"] = shape[unit]
        if kind in _ROWS:
            entry["dim"] = unit
        weighs = kind == "softmax" and entry["hidden"] and entry["feeds"] is None
        return _numbers(
            whole,
            make,
            kind,
            unit,
            entry,
            dead_units,
            limit,
            graph.attribute(node, "max_val"),
            graph.attribute(node, "min_val"),
            _Rows(allowed_entries(graph, node)) if weighs else None,
        )
    except (RuntimeError, TypeError, ValueError) as error:
        graph.note(
            f"activation {entry['name']}", str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        )
        return _Measured(entry)


def _numbers(
    whole: Tensor,
    make: Callable[[Tensor], Tensor] | None,
    kind: str,
    unit: int,
    entry: dict[str, Any],
    dead_units: DeadUnits | None,
    limit: int,
    upper: Any,
    lower: Any,
    rows: _Rows | None = None,
) -> _Measured:
    strides = strides_for(tuple(whole.shape), limit, keep=(unit,))
    part = thinned(whole, strides)
    if make is not None:
        part = make(part)
    if part.dtype in (torch.float16, torch.bfloat16):
        part = part.float()
    examples = part.shape[0] if unit != 0 else 1
    moved = part.movedim(unit, -1)
    flat = moved.reshape(examples, -1, moved.shape[-1])  # examples, positions, units
    size, units = flat.numel(), flat.shape[-1]
    total = flat.sum()
    centered = (flat - total / size).reshape(-1)
    found: list[tuple[str, Tensor, int]] = [
        ("mean", total, size),
        ("std", torch.dot(centered, centered), size),
        ("zero", torch.count_nonzero(flat), size),
    ]
    if examples > 1:
        vary = flat.amax(0) > flat.amin(0)  # faster than aminmax along a dimension
        found.append(("vary", torch.count_nonzero(vary.any(0)), units))
    if kind in _ROWS:
        bound = 0.9999 if kind == "softmax" else math.log(0.9999)
        top = flat.amax(-1)
        found.append(("saturated", torch.count_nonzero(top > bound), top.numel()))
        if rows is not None and unit != 0:
            allowed = None if rows.allowed is None else thinned(rows.allowed, strides).movedim(unit, -1)
            counts = row_counts(moved, allowed)
            found += [("rows", counts.rows, 1), ("sharp", counts.sharp, 1)]
    else:
        bounds = _FLAT.get(kind)
        if kind == "hardtanh" and isinstance(upper, int | float) and isinstance(lower, int | float):
            bounds = (float(lower), float(upper))
        if bounds is not None:
            if kind in _BOUNDS_INCLUDED:
                slope = (flat < bounds[1]) & (flat > bounds[0])
            else:
                slope = (flat <= bounds[1]) & (flat >= bounds[0])
            found.append(("saturated", torch.count_nonzero(slope), size))
        dead = _dead(whole, make, flat, unit)
        found.append(("dead", torch.count_nonzero(dead), units))
        if dead_units is not None:
            found.append(("dead_so_far", torch.count_nonzero(dead_units.update(entry["name"], dead)), units))
    keys, scalars, sizes = zip(*found, strict=True)
    return _Measured(entry, keys, scalars, sizes, flat)


def _dead(whole: Tensor, make: Callable[[Tensor], Tensor] | None, flat: Tensor, unit: int) -> Tensor:
    """Mask of the units that are zero everywhere: suspected in the piece, proven on all entries."""
    suspects = _zero(flat, (0, 1))
    if whole.numel() == flat.numel():
        return suspects
    dims = tuple(d for d in range(whole.dim()) if d != unit)
    if whole.device.type == "cpu":
        where = suspects.nonzero().reshape(-1)
        if where.numel() == 0:
            return suspects
        rest = whole.index_select(unit, where) if where.numel() < suspects.numel() else whole
        rest = piece(rest, _CHECKED, keep=(unit,))
        suspects = suspects.clone()
        suspects[where] = _zero(rest if make is None else make(rest), dims)
        return suspects
    rest = piece(whole, _CHECKED, keep=(unit,))
    return _zero(rest if make is None else make(rest), dims)


def _zero(values: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Where all entries along some dimensions are zero; a NaN is not."""
    return (values.amax(dims) == 0) & (values.amin(dims) == 0)


def _read(measured: list[_Measured]) -> None:
    """One transfer for all numbers of a device."""
    values = iter(read_scalars([scalar for m in measured for scalar in m.scalars]))
    for m in measured:
        for key, size in zip(m.keys, m.sizes, strict=True):
            m.entry[key] = (next(values) or 0.0) / size
        if m.values is None:
            continue
        entry = m.entry
        entry["std"] = math.sqrt(entry["std"]) if entry["std"] >= 0 else math.nan
        entry["zero"] = 1.0 - entry["zero"]
        if entry["saturated"] is not None and entry["kind"] not in _ROWS:
            entry["saturated"] = 1.0 - entry["saturated"]
        if "rows" in entry:
            entry["rows"] = int(entry["rows"])
            entry["sharp"] = entry["sharp"] / entry["rows"] if entry["rows"] else None
        entry["nonfinite"] = 0 if math.isfinite(entry["mean"]) else int((~torch.isfinite(m.values)).sum())


def layers(graph: Graph, *, limit: int = 16_384, maximum: int = 256) -> list[dict[str, Any]]:
    """The entries of ``layers`` in docs/recording.md: one per layer with weights, in forward order.

    What enters a layer is read from what its node saved; null where it is not kept (frozen weights).
    A layer that is used many times appears once, with its first use. Cost: five small operations each.

    >>> from unstuck.probes.graph import walk
    >>> layer = torch.nn.Linear(2, 4)
    >>> found = layers(walk(layer(torch.ones(3, 2)).mean(), names={id(layer.weight): "fc.weight"}))
    >>> found[0]["name"], found[0]["kind"], found[0]["fan_in"], found[0]["in_mean"]
    ('fc', 'linear', 2, 1.0)
    """
    with quiet():
        measured: list[_Measured] = []
        seen: set[str] = set()
        for order, node in enumerate(graph.nodes):
            if not node.parametric:
                continue
            name = graph.layer_name(node)
            if name is None or name in seen:
                continue
            seen.add(name)
            if len(measured) >= maximum:
                graph.note("budget", f"more than {maximum} layers")
                break
            measured.append(_layer(graph, node, name, order, limit))
        _read_layers(measured)
        linear = linear_sources(graph)
        for m in measured:
            if m.entry["name"] in linear:
                m.entry["after_linear"] = linear[m.entry["name"]]
        return [m.entry for m in measured]


def _layer(graph: Graph, node: Node, name: str, order: int, limit: int) -> _Measured:
    entry: dict[str, Any] = {
        "name": name,
        "kind": node.parametric,
        "order": order,
        "in_std": None,
        "in_mean": None,
        "in_rms": None,
        "in_nonfinite": None,
        "in_zero": None,
        "fan_in": None,
        "in_shape": None,
    }
    try:
        entry["fan_in"] = _fan_in(graph, node)
        found = _entering(graph, node)
        if found is None:
            return _Measured(entry)
        entry["in_shape"] = list(found.shape)
        whole = plain(found)
        if not whole.is_floating_point() or whole.numel() == 0:
            return _Measured(entry)
        # Whole runs of memory are read faster than single entries.
        keep = (whole.dim() - 1,) if whole.dim() > 1 and 16 * whole.shape[-1] <= limit else ()
        part = piece(whole, limit, keep=keep).reshape(-1)
        if part.dtype in (torch.float16, torch.bfloat16):
            part = part.float()
        size = part.numel()
        total = part.sum()
        centered = part - total / size
        measured = _Measured(
            entry,
            ("in_mean", "in_std", "in_zero"),
            (total, torch.dot(centered, centered), torch.count_nonzero(part)),
            (size, size, size),
            part,
        )
        if node.parametric == "batch_norm":
            _add_drift(graph, node, measured)
        return measured
    except (RuntimeError, TypeError, ValueError) as error:
        graph.note(f"layer {name}", str(error).splitlines()[0][:120] if str(error) else type(error).__name__)
        return _Measured(entry)


def _add_drift(graph: Graph, node: Node, measured: _Measured) -> None:
    """How far a batch normalization's running statistics stand from this batch's: medians over the channels."""
    entry = measured.entry
    training = graph.attribute(node, "training")
    if not isinstance(training, bool):
        return
    entry["training"] = training
    shape = entry["in_shape"]
    if not training or graph.is_hooked(node) or len(shape) < 2:
        return
    entry["values_per_channel"] = math.prod(shape) // shape[1] if shape[1] else None
    try:
        mean, inverse = node.raw._saved_result1, node.raw._saved_result2
        running_mean, running_var = node.raw._saved_running_mean, node.raw._saved_running_var
    except (AttributeError, RuntimeError):  # another backend's, or used twice and so changed in place
        return
    kept = (mean, inverse, running_mean, running_var)
    if any(not isinstance(t, Tensor) or t.numel() == 0 or t.shape != mean.shape for t in kept):
        return
    mean, inverse, running_mean, running_var = (t.detach().float() for t in kept)
    eps = graph.attribute(node, "eps") or graph.attribute(node, "epsilon") or 1e-5
    shift = ((running_mean - mean) * inverse).abs().median()
    ratio = ((running_var + eps).sqrt() * inverse).median()
    measured.keys += ("running_shift", "running_ratio")
    measured.scalars += (shift, ratio)
    measured.sizes += (1, 1)


def _fan_in(graph: Graph, node: Node) -> int | None:
    weights = [leaf.leaf for leaf in graph.parameters_of(node) if leaf.leaf is not None]
    weights = [w for w in weights if w.dim() >= 2]
    if node.parametric == "conv" and weights:
        return int(math.prod(weights[0].shape[1:]))
    if node.parametric == "linear":
        mine = node.edges[-1][0]
        shape = mine.shape(node.edges[-1][1]) if mine is not None else None
        if shape is not None and len(shape) >= 2 and mine is not None and not mine.data:
            return int(shape[-2])
        return int(weights[0].shape[-1]) if weights else None
    if node.parametric == "recurrent" and weights:
        return int(weights[0].shape[-1])
    return None


def _entering(graph: Graph, node: Node) -> Tensor | None:
    for key in ("mat1", "input", "self", "indices"):
        if hasattr(type(node.raw), f"_saved_{key}") or hasattr(node.raw, f"_saved_{key}_sym_sizes"):
            found = graph.saved(node, key)
            if found is not None:
                return found
    for child, nr in node.edges:
        if child is not None and child.data:
            return value_of(graph, child, nr)
    return None


def _read_layers(measured: list[_Measured]) -> None:
    values = iter(read_scalars([scalar for m in measured for scalar in m.scalars]))
    for m in measured:
        if m.values is None:
            continue
        found = {key: (next(values) or 0.0) / size for key, size in zip(m.keys, m.sizes, strict=True)}
        mean, square = found.pop("in_mean"), found.pop("in_std")
        m.entry.update(found)
        m.entry["in_zero"] = 1.0 - found["in_zero"]
        std = math.sqrt(square) if square >= 0 else math.nan
        m.entry.update({"in_mean": mean, "in_std": std, "in_rms": math.hypot(mean, std)})
        m.entry["in_nonfinite"] = 0 if math.isfinite(mean) else int((~torch.isfinite(m.values)).sum())
