"""Statistics of what enters a loss: the model's output, its target, and how well they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.plain import plain, shape_of, strides_for, thinned, wide
from unstuck.probes.statistics import LIMIT, count_nonfinite, numbers

_MAXIMUM_CLASSES = 64
_DISTINCT = 65
_EXACT_CLASSES = 1 << 20  # elements of which classes are counted one by one


def output_statistics(
    output: Tensor,
    *,
    class_dim: int | None = None,
    centered: bool = False,
    log_normalized: bool = False,
    limit: int = LIMIT,
) -> dict[str, Any]:
    """The statistics of a model's output as docs/recording.md gives them under ``output``.

    ``class_dim`` is the dimension that the classes lie on (default: the last one of a tensor with two or more
    columns). ``centered`` says that the values are known only up to a constant in each row.
    """
    whole = plain(output)
    bad = count_nonfinite(whole)
    rows_dim = class_dim if class_dim is not None else (whole.dim() - 1 if whole.dim() >= 2 else None)
    keep = (rows_dim,) if rows_dim is not None and rows_dim < whole.dim() else ()
    part = wide(thinned(whole, strides_for(tuple(whole.shape), limit, keep=keep)).cpu())
    found: dict[str, Any] = {"shape": shape_of(output), **numbers(part, limit=part.numel(), nonfinite=bad)}
    inside = bad == 0 and part.numel() > 0 and found["min"] >= 0
    found["in_unit"] = inside and found["max"] <= 1 and not centered
    found["row_sum_one"] = None
    if keep and part.shape[keep[0]] >= 2 and not centered and part.numel():
        right = (part.sum(keep[0]) - 1).abs() <= 1e-3
        if not inside:
            right &= part.amin(keep[0]) >= 0
        found["row_sum_one"] = int(torch.count_nonzero(right)) / right.numel()
    found["varies"] = 0.0 if found["std"] == 0 and part.dim() and part.shape[0] > 1 else _varies(part, class_dim)
    if centered:
        found["centered"] = True
    if log_normalized and keep and part.numel():
        right = part.logsumexp(keep[0]).abs() <= 1e-3
        found["log_normalized"] = int(torch.count_nonzero(right)) / right.numel()
    return found


def _varies(part: Tensor, class_dim: int | None) -> float | None:
    """Largest standard deviation over the batch of any output unit; None when there is one example only."""
    if part.dim() == 0 or part.numel() == 0 or (class_dim == 0 and part.dim() == 1):
        return None
    if class_dim is not None and 0 < class_dim < part.dim() and part.dim() > 2 and part.shape[0] == 1:
        part = part.movedim(class_dim, -1).reshape(-1, part.shape[class_dim])  # positions are examples
    if part.shape[0] < 2:
        return None
    low, high = part.amin(0), part.amax(0)
    moving = low < high
    if not bool(moving.any()):
        return 0.0 if not bool(torch.isnan(low).any()) else math.nan
    centered = part - part.mean(0)
    return math.sqrt(float(torch.where(moving, (centered * centered).mean(0), 0.0).max()))


def target_statistics(target: Tensor, *, ignore_index: int | None = None, limit: int = LIMIT) -> dict[str, Any]:
    """The statistics of targets as docs/recording.md gives them under ``target``; ignored positions are left out."""
    whole = plain(target)
    if whole.device.type != "cpu":
        whole = thinned(whole, strides_for(tuple(whole.shape), _EXACT_CLASSES)).cpu()
    found: dict[str, Any] = {"shape": shape_of(target), "dtype": str(target.dtype).removeprefix("torch.")}
    values = whole
    if ignore_index is not None and not whole.is_floating_point():
        kept = whole != ignore_index
        if not bool(kept.all()):
            values = whole[kept]
            found["ignored"] = 1.0 - values.numel() / max(1, whole.numel())
    found.update({k: v for k, v in numbers(values, limit=limit).items() if k != "rms"})
    part = thinned(
        values, strides_for(tuple(values.shape), limit, keep=(values.dim() - 1,) if values.dim() >= 2 else ())
    )
    flat = part.reshape(-1)
    finite = flat[torch.isfinite(flat)] if found["nonfinite"] and flat.is_floating_point() else flat
    whole_numbers = bool(finite.numel()) and (not finite.is_floating_point() or bool((finite == finite.round()).all()))
    found["integer"] = whole_numbers
    low, high = found["min"], found["max"]
    counts: dict[str, int] | None = None
    if whole_numbers and finite.numel() and math.isfinite(low) and high - low < 65_536:
        everything, first = finite.reshape(-1), int(low)
        if values.numel() > finite.numel() and not values.is_floating_point() and values.numel() <= _EXACT_CLASSES:
            everything = values.reshape(-1)
            first = int(everything.min())
        tally = _tally(everything, first)
        found["distinct"] = min(_DISTINCT, len(tally))
        if len(tally) > _MAXIMUM_CLASSES:  # the most frequent ones
            tally = dict(sorted(tally.items(), key=lambda item: -item[1])[:_MAXIMUM_CLASSES])
        counts = {str(c): n for c, n in tally.items()}
    else:
        sample = thinned(finite, strides_for(tuple(finite.shape), 4096))
        found["distinct"] = min(_DISTINCT, int(torch.unique(sample).numel())) if sample.numel() else 0
    found["binary"] = bool(finite.numel()) and whole_numbers and low >= 0 and high <= 1
    found["one_hot"] = _one_hot(part) if found["binary"] and whole.shape == values.shape else False
    found["batch_equal"] = batch_equal(whole)
    if found["one_hot"]:
        dim = class_dim_of(part)
        columns = part.to(torch.int64).sum([d for d in range(part.dim()) if d != dim])
        few = columns.numel() <= _MAXIMUM_CLASSES
        counts = {str(i): n for i, n in enumerate(columns.tolist()) if n} if few else None
    found["classes"] = counts
    return found


def _tally(values: Tensor, first: int) -> dict[int, int]:
    """How often each whole number occurs."""
    bins = torch.bincount(values.to(torch.int64) - first)
    if bins.numel() <= 1024:
        return {c + first: n for c, n in enumerate(bins.tolist()) if n}
    present = bins.nonzero().reshape(-1)
    return {c + first: n for c, n in zip(present.tolist(), bins[present].tolist(), strict=True)}


def class_dim_of(target: Tensor) -> int:
    """The dimension on which one-hot rows lie: 1 in (N, C, ...) if that sums to one, else the last."""
    if target.dim() > 2 and target.shape[1] >= 2 and bool((target.sum(1) == 1).all()):
        return 1
    return target.dim() - 1


def _one_hot(part: Tensor) -> bool:
    if part.dim() < 2 or part.numel() == 0:
        return False
    if part.shape[-1] >= 2 and bool((part.sum(-1) == 1).all()):
        return True
    return part.dim() > 2 and part.shape[1] >= 2 and bool((part.sum(1) == 1).all())


def batch_equal(whole: Tensor) -> bool | None:
    """Every example has the same target; None when there is one example only."""
    if whole.dim() == 0 or whole.shape[0] < 2 or whole.numel() == 0:
        return None
    if not bool((whole[1] == whole[0]).all()):  # nearly always the end of it
        return False
    return bool((whole == whole[:1]).all())


def accuracy(
    output: Tensor,
    target: Tensor,
    *,
    kind: str,
    class_dim: int | None = None,
    ignore_index: int | None = None,
    limit: int = LIMIT,
) -> float | None:
    """Share of right classes in this batch; None where classes are not defined.

    Class indices and one-hot rows compare the largest output; binary targets compare with one half (``bce``) or zero
    (``bce_logits``).
    """
    out, want = plain(output), plain(target)
    if out.numel() == 0 or want.numel() == 0:
        return None
    if class_dim is not None and want.dim() == out.dim() - 1 and not want.is_floating_point():
        steps = strides_for(tuple(out.shape), limit, keep=(class_dim,))
        out = thinned(out, steps).cpu()
        want = thinned(want, tuple(s for d, s in enumerate(steps) if d != class_dim)).cpu()
        if out.shape[:class_dim] + out.shape[class_dim + 1 :] != want.shape:
            return None
        right = out.argmax(class_dim) == want
        if ignore_index is not None:
            right = right[want != ignore_index]
        return float(right.double().mean()) if right.numel() else None
    if out.shape != want.shape:
        return None
    dim = class_dim if class_dim is not None else out.dim() - 1
    steps = strides_for(tuple(out.shape), limit, keep=(dim,) if out.dim() else ())
    out, want = thinned(out, steps).cpu(), thinned(want, steps).cpu()
    rows = out.dim() >= 2 and out.shape[dim] >= 2
    binary = bool(((want == 0) | (want == 1)).all())
    if kind == "cross_entropy_soft":
        return float((out.argmax(dim) == want.argmax(dim)).double().mean()) if rows else None
    if rows and binary and bool((want.sum(dim) == 1).all()):
        return float((out.argmax(dim) == want.argmax(dim)).double().mean())
    if kind in ("bce", "bce_logits") and binary:
        return float(((out > (0.5 if kind == "bce" else 0.0)) == (want > 0.5)).double().mean())
    return None


def explained(output: Tensor, target: Tensor, *, limit: int = LIMIT) -> float | None:
    """r²: 1 − squared error / variance of the targets over this batch, per column; None when they do not vary."""
    out, want = plain(output), plain(target)
    if out.shape != want.shape or out.dim() == 0 or out.shape[0] < 2 or out.numel() == 0:
        return None
    steps = strides_for(tuple(out.shape), limit)
    out, want = wide(thinned(out, steps).cpu()), wide(thinned(want, steps).cpu())
    spread = float(((want - want.mean(0)) ** 2).sum())
    if not math.isfinite(spread) or spread <= 0:
        return None
    found = 1.0 - float(((out - want) ** 2).sum()) / spread
    return found if math.isfinite(found) else None


def constant_answer(target: Tensor, kind: str, *, limit: int = LIMIT) -> float | None:
    """Mean loss of the best answer that is the same for all examples of a batch, column by column.

    For ``mse`` the variance, for ``bce`` and ``bce_logits`` the entropy of the mean; both corrected for the size of the
    batch. None for other kinds, for targets outside of [0, 1] where these are wanted, and for fewer than two examples.

    >>> round(constant_answer(torch.tensor([[0.0, 1.0], [2.0, 1.0]]), "mse"), 4)
    1.0
    """
    whole = plain(target)
    if kind not in ("mse", "bce", "bce_logits") or whole.dim() == 0 or whole.shape[0] < 2 or whole.numel() == 0:
        return None
    if not whole.is_floating_point() and kind == "mse":
        return None
    part = wide(thinned(whole, strides_for(tuple(whole.shape), limit, keep=(0,))).cpu())
    part = part.reshape(part.shape[0], -1).double()
    spread = part.var(0)
    if kind == "mse":
        found = float(spread.mean())
    else:
        mean = part.mean(0)
        if not bool(((part >= 0) & (part <= 1)).all()):
            return None
        entropy = -(torch.xlogy(mean, mean) + torch.xlogy(1 - mean, 1 - mean))
        # The entropy of the mean of n is too low, by half of that mean's variance over p (1 − p).
        moving = spread > 0
        lost = torch.where(moving, spread / (2 * part.shape[0] * torch.where(moving, mean * (1 - mean), 1.0)), 0.0)
        found = float((entropy + lost).mean())
    return found if math.isfinite(found) else None


def elements(shape: Any) -> int:
    """Number of elements of a shape."""
    return math.prod(int(n) for n in shape)


def broadcast_of(output: Any, target: Any, joint: Any) -> Mapping[str, list[int]] | None:
    """The three shapes when the joint one has more elements than both, else None.

    >>> broadcast_of((8, 1), (8,), (8, 8)) is not None, broadcast_of((8, 3), (3,), (8, 3))
    (True, None)
    """
    if output is None or target is None or joint is None:
        return None
    if elements(joint) <= max(elements(output), elements(target)):
        return None
    return {"output": list(output), "target": list(target), "joint": list(joint)}


__all__ = [
    "accuracy",
    "broadcast_of",
    "class_dim_of",
    "constant_answer",
    "count_nonfinite",
    "explained",
    "output_statistics",
    "target_statistics",
]
