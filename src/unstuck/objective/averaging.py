"""Over what a loss averages, read from its graph: so that batches of unequal size or mask get the right weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput

_PASS = {
    "NegBackward0",
    "CloneBackward0",
    "ViewBackward0",
    "UnsafeViewBackward0",
    "ReshapeAliasBackward0",
    "SqueezeBackward0",
    "SqueezeBackward1",
    "UnsqueezeBackward0",
    "ToCopyBackward0",
    "AliasBackward0",
}
_REDUCED = {
    "NllLossBackward0",
    "NllLoss2DBackward0",
    "MseLossBackward0",
    "SmoothL1LossBackward0",
    "HuberLossBackward0",
    "BinaryCrossEntropyBackward0",
    "BinaryCrossEntropyWithLogitsBackward0",
    "SoftMarginLossBackward0",
    "MultiMarginLossBackward0",
    "MultilabelMarginLossBackward0",
}
# A term made of these alone, over parameters, holds no data: a penalty.
_PENALTY = _PASS | {
    "PowBackward0",
    "SumBackward0",
    "SumBackward1",
    "MeanBackward0",
    "AbsBackward0",
    "NormBackward0",
    "NormBackward1",
    "LinalgVectorNormBackward0",
    "MulBackward0",
    "MulBackward1",
    "DivBackward0",
    "DivBackward1",
    "AddBackward0",
    "SqrtBackward0",
    "StackBackward0",
    "CatBackward0",
    "torch::autograd::AccumulateGrad",
}


@dataclass(frozen=True)
class Averaging:
    """``kind``: ``mean`` (over ``count`` things), ``sum``, or ``unknown``; ``by`` names the operator that told."""

    kind: str
    count: float
    by: str


def read_averaging(loss: Tensor) -> list[Averaging]:
    """One entry for each data term of a scalar loss; penalties are left out.

    >>> x = torch.ones(4, 3, requires_grad=True)
    >>> read_averaging((x * torch.ones(4, 3)).sum() / 4)[0].count
    4.0
    """
    if loss.grad_fn is None:
        return [Averaging("unknown", 1.0, "no graph")]
    terms: list[Averaging] = []
    penalties = 0
    stack: list[tuple[Any, float]] = [(loss.grad_fn, 1.0)]
    while stack:
        node, divisor = stack.pop()
        name = node.name()
        branches = [child for child, _ in node.next_functions if child is not None]
        if name in _PASS or name in ("AddBackward0", "SubBackward0", "StackBackward0", "MulBackward1"):
            stack.extend((child, divisor) for child in branches)
        elif name in ("DivBackward0", "DivBackward1", "MulBackward0") and len(branches) == 1 and _scalar_other(node):
            other = float(node._saved_other)
            factor = other if name != "MulBackward0" else (1 / other if other else 1.0)
            stack.append((branches[0], divisor * factor))
        elif _is_penalty(node):
            penalties += 1
        else:
            terms.append(_reduction(node, name, divisor))
    if not terms and penalties:  # everything looks like a penalty: then that is the data term
        return [_reduction(loss.grad_fn, loss.grad_fn.name(), 1.0)]
    return terms or [Averaging("unknown", 1.0, "no term")]


def _scalar_other(node: Any) -> bool:
    other = getattr(node, "_saved_other", None)
    return isinstance(other, int | float) or (isinstance(other, Tensor) and other.numel() == 1)


def _reduction(node: Any, name: str, divisor: float) -> Averaging:
    if name in ("SumBackward0", "SumBackward1"):
        if divisor > 1.0:
            return Averaging("mean", divisor, name)
        return Averaging("sum", 1.0, name)
    if name == "MeanBackward0":
        return Averaging("mean", float(node._saved_self_sym_numel), name)
    if name in _REDUCED:
        reduction = node._saved_reduction
        if reduction == 2:
            return Averaging("mean", divisor, name) if divisor > 1.0 else Averaging("sum", 1.0, name)
        if reduction == 1:
            if name.startswith("NllLoss"):
                return Averaging("mean", float(node._saved_total_weight), name)
            # Broadcast operands average over their joint shape.
            shapes = [getattr(node, key).shape for key in ("_saved_self", "_saved_target") if _is_tensor(node, key)]
            return Averaging("mean", float(_joint(shapes).numel()), name)
    return Averaging("unknown", 1.0, name)


def _joint(shapes: list[torch.Size]) -> torch.Size:
    empty = [torch.empty(shape, device="meta") for shape in shapes]
    return empty[0].shape if len(empty) == 1 else (empty[0] + empty[1]).shape


def _is_tensor(node: Any, key: str) -> bool:
    return isinstance(getattr(node, key, None), Tensor)


def _is_penalty(node: Any) -> bool:
    seen: set[Any] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        name = current.name()
        if name not in _PENALTY:
            return False
        if name in ("MulBackward0", "DivBackward0", "SubBackward0"):
            children = [child for child, _ in current.next_functions if child is not None]
            if len(children) == 1 and not _scalar_other(current):
                return False  # a factor that is not a number and not a parameter: data
        stack.extend(child for child, _ in current.next_functions if child is not None)
    return True


@dataclass(frozen=True)
class Weighting:
    """Weights of the batches, and in words what they rest on."""

    weights: tuple[float, ...]
    kind: str
    text: str


def weigh(per_batch: Sequence[Sequence[Averaging]], examples: Sequence[int]) -> Weighting:
    """Weights from what every batch's loss averages over; they add up to 1 for means and are 1 each for sums.

    >>> two = [[Averaging("mean", 30.0, "NllLossBackward0")], [Averaging("mean", 10.0, "NllLossBackward0")]]
    >>> weigh(two, [8, 8]).weights
    (0.75, 0.25)
    """
    count = len(per_batch)
    kinds = {term.kind for terms in per_batch for term in terms}
    if kinds == {"sum"}:
        return Weighting((1.0,) * count, "sum", "the loss sums; batches are added")
    if kinds == {"mean"} and len({len(terms) for terms in per_batch}) == 1:
        shares = []
        for term in range(len(per_batch[0])):
            counts = [terms[term].count for terms in per_batch]
            total = sum(counts)
            if total <= 0:
                continue
            shares.append(tuple(c / total for c in counts))
        if not shares:
            raise BadInput("data", got="nothing to average over", want="at least one target that counts")
        first = shares[0]
        if any(max(abs(a - b) for a, b in zip(first, other, strict=True)) > 1e-6 for other in shares[1:]):
            raise BadInput(
                "loss_fn",
                got="several terms that average over different things in batches of different make-up",
                want="one common weight for each batch",
                hint="pass weight=, a function of the batch, or one batch only",
            )
        counts = [terms[0].count for terms in per_batch]
        return Weighting(
            first, "mean", f"the loss averages; batches are weighted by what counts ({sum(counts):g} in all)"
        )
    total = float(sum(examples))
    kind = "mean" if count > 1 else "single"
    text = "what the loss averages over could not be read; batches are weighted by their examples"
    if count == 1:
        text = "one batch"
    return Weighting(tuple(n / total for n in examples), kind, text)
