"""Statistics of what enters a model, over one batch and over all samples so far."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unstuck.probes.plain import plain, shape_of, strides_for, thinned, wide
from unstuck.probes.quiet import quiet
from unstuck.probes.statistics import LIMIT, numbers
from unstuck.probes.term_statistics import batch_equal

_MAXIMUM_FEATURES = 100_000
_MAXIMUM_INPUTS = 4


def flattened(arguments: Any, *, maximum: int = 16) -> Iterator[tuple[str, Tensor]]:
    """Tensors inside nested tuples, lists, mappings and objects with fields, with a name for each.

    >>> [name for name, _ in flattened((torch.ones(1), {"mask": torch.ones(1)}))]
    ['0', '1.mask']
    """
    stack: list[tuple[str, Any, int]] = [("", arguments, 0)]
    given = 0
    while stack and given < maximum:
        name, value, depth = stack.pop()
        if isinstance(value, Tensor):
            given += 1
            yield name or "0", value
            continue
        if depth > 4:
            continue
        inner: list[tuple[str, Any]] = []
        if isinstance(value, Mapping):
            inner = [(str(key), item) for key, item in list(value.items())[:64]]
        elif isinstance(value, tuple) and hasattr(value, "_fields"):
            inner = list(zip(value._fields, value, strict=False))
        elif isinstance(value, list | tuple):
            inner = [(str(i), item) for i, item in enumerate(value[:64])]
        elif hasattr(value, "__dataclass_fields__"):
            inner = [(key, getattr(value, key, None)) for key in value.__dataclass_fields__]
        elif isinstance(getattr(value, "data", None), Tensor) and isinstance(
            getattr(value, "batch_sizes", None), Tensor
        ):
            inner = [("data", value.data)]  # a packed sequence
        for key, item in reversed(inner):
            stack.append((f"{name}.{key}" if name else key, item, depth + 1))


@dataclass
class _Moments:
    """Counts, means and sums of squared deviations of each feature, merged batch by batch (Chan's formula)."""

    count: float = 0.0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    square: np.ndarray = field(default_factory=lambda: np.zeros(0))
    low: np.ndarray = field(default_factory=lambda: np.zeros(0))
    high: np.ndarray = field(default_factory=lambda: np.zeros(0))
    examples: int = 0

    def merge(
        self, count: int, mean: np.ndarray, square: np.ndarray, low: np.ndarray, high: np.ndarray, examples: int
    ) -> None:
        if self.mean.shape != mean.shape:
            self.count, self.examples = 0.0, 0
        if self.count == 0:
            self.count, self.mean, self.square, self.low, self.high = float(count), mean, square, low, high
        else:
            total = self.count + count
            delta = mean - self.mean
            self.mean = self.mean + delta * (count / total)
            self.square = self.square + square + delta * delta * (self.count * count / total)
            self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
            self.count = total
        self.examples += examples


@dataclass
class InputStatistics:
    """The entries ``inputs`` of docs/recording.md; features are judged over all batches seen.

    Features are channels for images (N, C, H, W), columns for tables (N, F), the last dimension for sequences
    (N, T, F). Memory: five numbers a feature, 100 000 features at most.

    >>> seen = InputStatistics()
    >>> found = seen.update("model", (torch.tensor([[0.0, 5.0], [2.0, 5.0]]),))
    >>> found[0]["features"], found[0]["constant_share"], found[0]["feature_std_max"], found[0]["examples"]
    (2, 0.5, 1.0, 2)
    """

    limit: int = LIMIT
    _moments: dict[tuple[str, str], _Moments] = field(default_factory=dict)

    def update(self, model: str, arguments: Any, *, maximum: int = _MAXIMUM_INPUTS) -> list[dict[str, Any]]:
        """Add one batch of arguments: the entries for its first tensors. Cost: a few passes over ``limit``."""
        found: list[dict[str, Any]] = []
        with quiet():
            for name, tensor in flattened(arguments):
                if len(found) >= maximum:
                    break
                try:
                    found.append(self._one(model, name, tensor))
                except (RuntimeError, TypeError, ValueError, NotImplementedError):  # a tensor of a kind nobody can read
                    found.append({"model": model, "name": name, "shape": shape_of(tensor), "dtype": _dtype(tensor)})
        return found

    def compared_with(self, other: InputStatistics, model: str, name: str) -> dict[str, Any] | None:
        """How these statistics of an input differ from another's (the training's), feature by feature.

        ``shift``: median over the features of the distance between the means, in the other's deviations; ``scale``:
        median of this deviation over the other's; ``apart``: share of the features whose shift exceeds 3 or whose
        scale lies outside of a third to three; ``features``: how many vary in the other; ``examples``: rows of both.
        None where either is unknown, or nothing varies in the other.

        >>> training, evaluation = InputStatistics(), InputStatistics()
        >>> pixels = torch.tensor([[0.0, 100.0], [200.0, 300.0]])
        >>> _ = training.update("net", {"x": (pixels - 100) / 100}), evaluation.update("net", {"x": pixels})
        >>> found = evaluation.compared_with(training, "net", "x")
        >>> found["scale"], found["shift"], found["apart"]
        (100.0, 149.5, 1.0)
        """
        mine, theirs = self._moments.get((model, name)), other._moments.get((model, name))
        if mine is None or theirs is None or mine.mean.shape != theirs.mean.shape:
            return None
        if not mine.count or not theirs.count:
            return None
        moving = theirs.high > theirs.low
        if not moving.any():
            return None
        deviation = np.sqrt(np.maximum(theirs.square[moving], 0.0) / theirs.count)
        with np.errstate(all="ignore"):
            shift = np.abs(mine.mean[moving] - theirs.mean[moving]) / deviation
            scale = np.sqrt(np.maximum(mine.square[moving], 0.0) / mine.count) / deviation
        known = np.isfinite(shift) & np.isfinite(scale)
        if not known.any():
            return None
        shift, scale = shift[known], scale[known]
        apart = (shift > 3) | (scale > 3) | (scale < 1 / 3)
        return {
            "shift": float(np.median(shift)),
            "scale": float(np.median(scale)),
            "apart": float(apart.mean()),
            "features": int(shift.size),
            "examples": [mine.examples, theirs.examples],
        }

    def _one(self, model: str, name: str, tensor: Tensor) -> dict[str, Any]:
        entry: dict[str, Any] = {"model": model, "name": name, "shape": shape_of(tensor), "dtype": _dtype(tensor)}
        whole = plain(tensor)
        if not (tensor.is_floating_point() or tensor.is_complex()):
            if whole.numel():
                low, high = torch.aminmax(whole)
                entry["min"], entry["max"] = int(low), int(high)
                entry["sum"] = int(whole.sum())
            else:
                entry["min"] = entry["max"] = None
            return entry
        if tensor.requires_grad:
            entry["live"] = True  # another network's output, not data
        found = numbers(whole, limit=self.limit)
        entry.update({key: found[key] for key in ("mean", "std", "min", "max", "nonfinite")})
        entry["batch_equal"] = batch_equal(whole)
        feature_dim = _feature_dim(tuple(whole.shape))
        keep = (feature_dim,) if feature_dim is not None and whole.shape[feature_dim] <= self.limit else ()
        part = thinned(whole, strides_for(tuple(whole.shape), self.limit, keep=keep))
        entry["zero_share"] = 1.0 - float(torch.count_nonzero(part)) / part.numel() if part.numel() else None
        entry.update(self._features(model, name, part, feature_dim, whole, found["nonfinite"]))
        return entry

    def _features(
        self, model: str, name: str, part: Tensor, feature_dim: int | None, whole: Tensor, nonfinite: int
    ) -> dict[str, Any]:
        empty: dict[str, Any] = {
            "features": None, "feature_std_min": None, "feature_std_median": None, "feature_std_max": None,
            "feature_mean_max": None, "mean_to_std": None, "constant_share": None, "examples": None,
        }  # fmt: skip
        if feature_dim is None or part.numel() == 0:
            return empty
        rows = wide(part.cpu()).movedim(feature_dim, -1).reshape(-1, part.shape[feature_dim])
        if rows.shape[1] > _MAXIMUM_FEATURES:
            return empty
        if rows.shape[0] == 0:
            return empty
        if nonfinite:
            rows = rows[torch.isfinite(rows).all(1)]
            if rows.shape[0] == 0:
                return empty
        mean = rows.mean(0)
        low, high = rows.amin(0), rows.amax(0)
        mean = torch.where(low == high, low, mean)  # no rounding where nothing varies
        square = ((rows - mean) ** 2).sum(0)
        moments = self._moments.setdefault((model, name), _Moments())
        moments.merge(
            rows.shape[0],
            mean.numpy(),
            square.numpy(),
            low.numpy(),
            high.numpy(),
            int(whole.shape[0]) if whole.dim() else 1,
        )
        return _summary(moments)


def _summary(moments: _Moments) -> dict[str, Any]:
    count = moments.mean.size
    deviation = np.sqrt(np.maximum(moments.square, 0.0) / moments.count)
    moving = deviation[moments.high > moments.low]
    moving.sort()
    root_mean = math.sqrt(float(np.dot(moments.mean, moments.mean)) / count)
    root_deviation = math.sqrt(float(np.dot(deviation, deviation)) / count)
    return {
        "features": count,
        "feature_std_min": float(moving[0]) if moving.size else None,
        "feature_std_median": float(moving[(moving.size - 1) // 2] + moving[moving.size // 2]) / 2
        if moving.size
        else None,
        "feature_std_max": float(moving[-1]) if moving.size else None,
        "feature_mean_max": max(-float(moments.mean.min()), float(moments.mean.max())),
        "mean_to_std": root_mean / root_deviation if root_deviation > 0 else (math.inf if root_mean > 0 else 0.0),
        "constant_share": 1.0 - moving.size / count,
        "examples": moments.examples,
    }


def _feature_dim(shape: tuple[int, ...]) -> int | None:
    """Channels of images and volumes, else the last dimension; None for a scalar.

    >>> _feature_dim((8, 3, 32, 32)), _feature_dim((8, 10)), _feature_dim((8, 7, 10)), _feature_dim((8,))
    (1, 1, 2, None)
    """
    if len(shape) >= 4:
        return 1
    return len(shape) - 1 if len(shape) >= 2 else None


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
