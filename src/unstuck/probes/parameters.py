"""Norms of parameters, gradients and of the change a step made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.equal_rows import equal_rows
from unstuck.probes.graph import Graph, layer_of
from unstuck.probes.plain import plain, readable
from unstuck.probes.quiet import quiet
from unstuck.probes.scalars import read_scalars

_SNAPSHOT = 8_000_000  # entries copied before a step; of more, evenly spread runs
_RUN = 256  # entries that lie side by side and are copied together
_ROLES = {
    "batch_norm": "norm",
    "layer_norm": "norm",
    "group_norm": "norm",
    "rms_norm": "norm",
    "embedding": "embedding",
}


@dataclass(frozen=True)
class Placement:
    """Where a parameter is used: place in the forward pass, its layer's name and its role."""

    order: int | None
    layer: str
    role: str


@dataclass
class Snapshot:
    """Parameters and gradients as they were before a step."""

    names: list[str] = field(default_factory=list)
    parameters: list[Tensor] = field(default_factory=list)
    before: list[Tensor] = field(default_factory=list)  # copies, thinned by ``strides``
    gradients: list[Tensor | None] = field(default_factory=list)  # the gradients themselves
    strides: list[int] = field(default_factory=list)
    sums: list[Tensor | None] = field(default_factory=list)  # of the bits, where only a part was copied


@dataclass(frozen=True)
class Change:
    """What a step did to one parameter."""

    norm: float | None  # of the change
    cosine: float | None  # between the change and the gradient
    moved: bool


def placements(graph: Graph) -> dict[int, Placement]:
    """Where each parameter of a walked graph is used first, by ``id(parameter)``.

    >>> from unstuck.probes.graph import walk
    >>> layer = torch.nn.Linear(2, 4)
    >>> names = {id(layer.weight): "fc.weight", id(layer.bias): "fc.bias"}
    >>> found = placements(walk(layer(torch.ones(3, 2)).mean(), names=names))
    >>> found[id(layer.bias)].role, found[id(layer.bias)].layer
    ('bias', 'fc')
    """
    found: dict[int, Placement] = {}
    order = 0
    for node in graph.nodes:
        own = (
            [n for n in graph.parameters_of(node) if n.leaf is not None and id(n.leaf) not in found]
            if node.data and _uses(node)
            else []
        )
        if not own:
            continue
        for leaf in own:
            assert leaf.leaf is not None
            name = graph.names.get(id(leaf.leaf), "")
            role = _ROLES.get(node.parametric) or ("bias" if leaf.leaf.dim() <= 1 else "weight")
            if not node.parametric and leaf.leaf.dim() <= 1 and node.kind != "Add":
                role = "other"  # a scale, a temperature
            found[id(leaf.leaf)] = Placement(order, layer_of(name), role)
        order += 1
    return found


def _uses(node: Any) -> bool:
    return any(child is not None and not child.data for child, _ in node.edges)


def parameter_statistics(
    parameters: Sequence[tuple[str, Tensor]],
    *,
    places: Mapping[int, Placement] | None = None,
    scale: float = 1.0,
    rows: bool = False,
    optimizers: Mapping[int, int] | None = None,
    carried: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Any]]:
    """The entries of ``params`` in docs/recording.md by name, ``u`` and ``d`` still null.

    ``scale`` is a factor in the gradients that is no part of the loss (the gradient scale), divided out of ``g``.
    ``rows`` measures ``eq``, ``geq``, ``ceq`` and ``cgeq``. ``places`` come from :func:`placements`, ``optimizers`` maps
    ``id(parameter)`` to the number of its optimizer. ``carried`` comes from :func:`carried_gradients`, taken before
    the first backward pass of the step; without it ``stale`` is null.
    Cost: four passes over parameters and gradients and two synchronizations in all.

    >>> weight = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]))
    >>> weight.grad = torch.tensor([[0.0, 2.0]])
    >>> found = parameter_statistics([("w", weight)])["w"]
    >>> found["w"], found["g"], found["gz"]
    (5.0, 2.0, 0.5)
    """
    with quiet():
        parameters = [(name, p) for name, p in parameters if readable(p)]
        weights = [plain(p) for _, p in parameters]
        gradients = [None if p.grad is None else p.grad for _, p in parameters]
        dense = [None if g is None else plain(g) for g in gradients]
        floating = [w.is_floating_point() and w.numel() > 0 for w in weights]
        weight_norms = _norms([w if ok else None for w, ok in zip(weights, floating, strict=True)])
        gradient_norms = _norms([g if g is not None and g.numel() > 0 else None for g in dense])
        sums = read_scalars(
            [
                w.sum(dtype=torch.float32 if w.element_size() < 4 else None) if ok else None
                for w, ok in zip(weights, floating, strict=True)
            ]
        )
        along = read_scalars([_along(w, g) for w, g in zip(weights, dense, strict=True)])
        alive = read_scalars([torch.count_nonzero(g) if g is not None and g.numel() > 0 else None for g in dense])
        found: dict[str, dict[str, Any]] = {}
        for i, (name, parameter) in enumerate(parameters):
            weight, gradient, stored = weights[i], gradients[i], dense[i]
            n = weight.numel()
            w, g = weight_norms[i], gradient_norms[i]
            place = (places or {}).get(id(parameter))
            entry: dict[str, Any] = {
                "w": w,
                "wstd": None,
                "g": None if gradient is None else (g or 0.0) / scale,
                "gz": None,
                "gw": None,
                "gn": 0,
                "wn": 0,
                "u": None,
                "d": None,
                "eq": None,
                "geq": None,
                "ceq": None,
                "cgeq": None,
                "n": parameter.numel(),
                "stale": None,
                "o": (optimizers or {}).get(id(parameter)),
                "order": place.order if place is not None else None,
                "layer": place.layer if place is not None else layer_of(name),
                "role": place.role if place is not None else _role(name, parameter),
            }
            if w is not None and n:
                mean = (sums[i] or 0.0) / n
                entry["wstd"] = math.sqrt(max(0.0, w * w / n - mean * mean)) if math.isfinite(w) else math.nan
                if abs(mean) > 0 and entry["wstd"] < 1e-3 * abs(mean):  # the difference above lost its digits
                    entry["wstd"] = (
                        float(weight.double().std(correction=0))
                        if weight.device.type != "mps"
                        else float(weight.std(correction=0))
                    )
                if not math.isfinite(w):
                    entry["wn"] = int((~torch.isfinite(weight)).sum())
                    if not entry["wn"]:
                        entry["w"] = float(torch.linalg.vector_norm(weight, dtype=torch.float64))
            if gradient is not None and stored is not None:
                whole = gradient.numel() * (2 if gradient.is_complex() else 1)
                product = along[i]
                if product is not None and w and g and math.isfinite(quotient := product / w / g):
                    entry["gw"] = max(-1.0, min(1.0, quotient))
                entry["gz"] = 1.0 - (alive[i] or 0.0) / whole if whole else None
                if g is not None and not math.isfinite(g):
                    entry["gn"] = int((~torch.isfinite(stored)).sum())
                    if not entry["gn"]:
                        entry["g"] = float(torch.linalg.vector_norm(stored, dtype=torch.float64)) / scale
            if rows and weight.dim() >= 2:
                entry["eq"] = equal_rows(weight)
                if gradient is not None and gradient.layout == torch.strided:
                    entry["geq"] = equal_rows(gradient, skip_zero=True)
                if weight.dim() == 2:
                    entry["ceq"] = equal_rows(weight.t())
                    if gradient is not None and gradient.layout == torch.strided:
                        entry["cgeq"] = equal_rows(plain(gradient).t(), skip_zero=True)
            if carried is not None and entry["g"] is not None:
                before, now = carried.get(name, 0.0), entry["g"] * scale
                entry["stale"] = min(1.0, before / now) if now > 0 else (1.0 if before > 0 else 0.0)
            found[name] = entry
        return found


def carried_gradients(parameters: Iterable[tuple[str, Tensor]]) -> dict[str, float]:
    """Norms of the gradients that stand there before a backward pass: what was not cleared since the last step.

    Parameters with no gradient, or one of zeros, are left out. Cost: one pass over the gradients, one synchronization.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> carried_gradients([("w", weight), ("v", torch.nn.Parameter(torch.ones(1)))])
    {'w': 5.0}
    """
    with quiet():
        present = [(name, p.grad) for name, p in parameters if readable(p) and p.grad is not None]
        norms = _norms([plain(g) if g.numel() else None for _, g in present])
        return {name: norm for (name, _), norm in zip(present, norms, strict=True) if norm}


def gradient_norms(parameters: Iterable[Tensor]) -> dict[int, float]:
    """Norms of the gradients that are there, by ``id(parameter)``; sparse ones are left out.

    Cost: one pass over the gradients, one synchronization.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> list(gradient_norms([weight]).values())
    [5.0]
    """
    with quiet():
        present = [p for p in parameters if readable(p) and p.grad is not None and p.grad.layout == torch.strided]
        norms = _norms([plain(p.grad) if p.grad is not None and p.grad.numel() else None for p in present])
        return {id(p): norm for p, norm in zip(present, norms, strict=True) if norm is not None}


def _along(weight: Tensor, gradient: Tensor | None) -> Tensor | None:
    """The inner product of a weight and its gradient: a penalty's gradient points along the weight."""
    if gradient is None or weight.dim() < 2 or gradient.shape != weight.shape or not weight.is_floating_point():
        return None
    if gradient.device != weight.device or gradient.layout != torch.strided:
        return None
    return torch.dot(_float(weight).reshape(-1), _float(gradient).reshape(-1).to(_float(weight).dtype))


def _role(name: str, parameter: Tensor) -> str:
    last = name.rpartition(".")[2]
    if last.startswith("bias"):
        return "bias"
    return "weight" if parameter.dim() >= 2 else "other"


def _norms(tensors: Sequence[Tensor | None]) -> list[float | None]:
    """Euclidean norms, read in one transfer for each device."""
    present = [(i, t) for i, t in enumerate(tensors) if t is not None and t.is_floating_point()]
    norms: list[Tensor | None] = [None] * len(tensors)
    groups: dict[tuple[torch.device, torch.dtype], list[tuple[int, Tensor]]] = {}
    for i, t in present:
        groups.setdefault((t.device, t.dtype), []).append((i, t))
    for (_, dtype), group in groups.items():
        if dtype in (torch.float16, torch.bfloat16):  # a sum of squares overflows, or loses small ones
            values: Sequence[Tensor] = [torch.linalg.vector_norm(t, dtype=torch.float32) for _, t in group]
        else:
            values = torch._foreach_norm([t for _, t in group])
        for (i, _), value in zip(group, values, strict=True):
            norms[i] = value
    return read_scalars(norms)


def before_step(parameters: Iterable[tuple[str, Tensor]], *, limit: int = _SNAPSHOT) -> Snapshot:
    """Copy parameters before a step, at most ``limit`` entries in all; :func:`after_step` tells what the step did.

    Of larger models evenly spread runs of entries are copied, and a sum over the bits of all tells whether anything moved.
    Cost: one copy of the parameters.
    """
    taken = Snapshot()
    with quiet():
        listed = [(name, p) for name, p in parameters if readable(p)]
        total = sum(p.numel() for _, p in listed)
        stride = max(1, math.ceil(total / limit)) if limit > 0 else 1
        for name, parameter in listed:
            whole = plain(parameter)
            mine = stride if whole.numel() >= 16 * _RUN else 1
            taken.names.append(name)
            taken.parameters.append(parameter)
            taken.strides.append(mine)
            taken.before.append(_part(whole, mine).clone())
            taken.sums.append(_bits(whole) if mine > 1 else None)
            taken.gradients.append(parameter.grad)
    return taken


def keep_gradients(taken: Snapshot, gradients: Mapping[int, Tensor], *, limit: int = _SNAPSHOT) -> None:
    """Let a snapshot hold copies of gradients that came after it, by ``id(parameter)``: the script may change its own.

    More than ``limit`` entries in all are not kept. Cost: one copy of the gradients.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> taken = before_step([("w", weight)])
    >>> keep_gradients(taken, {id(weight): torch.tensor([3.0, 4.0])})
    >>> weight.data += torch.tensor([3.0, 4.0])
    >>> round(after_step(taken)["w"].cosine, 4)
    1.0
    """
    if sum(g.numel() for g in gradients.values()) > limit:
        return
    with quiet():
        for i, parameter in enumerate(taken.parameters):
            gradient = gradients.get(id(parameter))
            if gradient is not None:
                taken.gradients[i] = gradient.detach().clone()


def after_step(taken: Snapshot) -> dict[str, Change]:
    """What the step did to each parameter of a snapshot: norm of the change, cosine with the gradient, moved or not.

    The cosine is −1 for steepest descent. Where a part was copied, norms are scaled up from it.
    Cost: three passes over the copies, one synchronization.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> taken = before_step([("w", weight)])
    >>> _ = torch.optim.SGD([weight], lr=0.1).step()
    >>> found = after_step(taken)["w"]
    >>> round(found.norm, 4), round(found.cosine, 4), found.moved
    (0.5, -1.0, True)
    """
    with quiet():
        numbers: list[Tensor | None] = []
        for i, parameter in enumerate(taken.parameters):
            whole = plain(parameter)
            if whole.numel() == 0 or whole.layout != torch.strided:
                numbers += [None, None, None, None]
                continue
            now = _part(whole, taken.strides[i])
            before = taken.before[i]
            if now.shape != before.shape or now.device != before.device or now.dtype != before.dtype:
                numbers += [None, None, None, None]
                continue
            change = _float(now) - _float(before)
            flat = change.reshape(-1)
            numbers.append(torch.dot(flat, flat))
            product = gradient_square = None
            gradient = taken.gradients[i]
            if gradient is not None and gradient.layout == torch.strided and gradient.shape == parameter.shape:
                g = plain(gradient)
                g = _float(_part(g, taken.strides[i])).reshape(-1)
                if g.dtype == flat.dtype and g.device == flat.device:
                    product, gradient_square = torch.dot(flat, g), torch.dot(g, g)
            elif (
                gradient is not None
                and gradient.layout == torch.sparse_coo
                and gradient.shape == parameter.shape
                and taken.strides[i] == 1
            ):
                product, gradient_square = _sparse_products(change, gradient)
            numbers += [product, gradient_square]
            stored = taken.sums[i]
            numbers.append((_bits(whole) != stored).to(torch.float32) if stored is not None else None)
        read = read_scalars(numbers)
    found: dict[str, Change] = {}
    for i, name in enumerate(taken.names):
        square, product_, gradient_square_, bits = read[4 * i : 4 * i + 4]
        if square is None:
            found[name] = Change(None, None, _differs(taken, i))
            continue
        entries = plain(taken.parameters[i]).numel()
        share = entries / taken.before[i].numel() if taken.strides[i] > 1 else 1.0
        norm = math.sqrt(square * share) if math.isfinite(square) else math.nan
        cosine = None
        if product_ is not None and gradient_square_ is not None and square > 0 and gradient_square_ > 0:
            quotient = product_ / math.sqrt(square) / math.sqrt(gradient_square_)
            cosine = max(-1.0, min(1.0, quotient)) if math.isfinite(quotient) else None
        # A change too small for its square to be told from zero is a change all the same.
        moved = square > 0 or not math.isfinite(square) or bool(bits) or (square == 0 and _differs(taken, i))
        found[name] = Change(norm, cosine, moved)
    return found


def _part(whole: Tensor, stride: int) -> Tensor:
    """Every ``stride``-th run of entries: runs are read much faster than single entries."""
    if stride == 1:
        return whole
    flat = whole.reshape(-1)
    count = flat.numel() // _RUN
    return flat[: count * _RUN].view(count, _RUN)[::stride]


def _float(tensor: Tensor) -> Tensor:
    return (
        tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) or not tensor.is_floating_point() else tensor
    )


def _differs(taken: Snapshot, i: int) -> bool:
    with quiet():
        whole = plain(taken.parameters[i])
        now = _part(whole, taken.strides[i])
        before = taken.before[i]
        if now.shape != before.shape or now.dtype != before.dtype or now.device != before.device:
            return True
        return not bool(torch.equal(now, before))


def _sparse_products(change: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    whole = gradient.detach()
    whole = whole if whole.is_coalesced() else whole.coalesce()
    values = _float(whole.values()).reshape(-1)
    dims = whole.sparse_dim()
    picked = change[tuple(whole.indices()[d] for d in range(dims))].reshape(-1).to(values.dtype)
    return torch.dot(picked, values), torch.dot(values, values)


def _bits(whole: Tensor) -> Tensor:
    """A sum over the bits of all entries: it tells a change nearly surely, without a copy."""
    flat = whole.reshape(-1)
    size = flat.element_size()
    if (flat.numel() * size) % 8 == 0 and (flat.storage_offset() * size) % 8 == 0:
        return flat.view(torch.int64).sum()  # twice as fast; it wraps around, which does no harm
    kinds = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return flat.view(kinds[size]).sum(dtype=torch.int64)
