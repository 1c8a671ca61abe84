"""Data as people hold it: loaders, tuples, dictionaries, tensors; made into a list of batches on one device and
precision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput

TARGET_KEYS = ("labels", "label", "target", "targets", "y")


def map_tensors(thing: Any, change: Any) -> Any:
    """The same nested thing (dict, list, tuple, named tuple, data class) with every tensor changed.

    >>> map_tensors({"a": (torch.ones(1), "x")}, lambda t: t + 1)
    {'a': (tensor([2.]), 'x')}
    """
    if isinstance(thing, Tensor):
        return change(thing)
    if isinstance(thing, Mapping):
        changed = {key: map_tensors(value, change) for key, value in thing.items()}
        try:
            return type(thing)(changed)  # type: ignore[call-arg]
        except TypeError:
            return changed
    if isinstance(thing, tuple) and hasattr(thing, "_fields"):
        return type(thing)(*(map_tensors(value, change) for value in thing))
    if isinstance(thing, list | tuple):
        return type(thing)(map_tensors(value, change) for value in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(thing, **{f.name: map_tensors(getattr(thing, f.name), change) for f in fields(thing)})
    return thing


def tensors_in(thing: Any) -> Iterator[Tensor]:
    """Every tensor in a nested thing, in order."""
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from tensors_in(value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from tensors_in(value)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for f in fields(thing):
            yield from tensors_in(getattr(thing, f.name))


def examples_in(batch: Any) -> int:
    """Number of examples: the first dimension of the first tensor that has one."""
    for tensor in tensors_in(batch):
        if tensor.dim() > 0:
            return int(tensor.shape[0])
    return 1


def collect(data: Any, *, limit: int | None) -> list[Any]:
    """A list of batches from a loader, a list of batches, one ``(inputs, targets)`` pair, or one dictionary.

    Drawing from a loader leaves the global random state as it was.
    """
    if isinstance(data, Mapping | Tensor):
        return [data]
    if isinstance(data, tuple) and data and all(isinstance(part, Tensor | Mapping) for part in data):
        return [data]
    if not isinstance(data, Iterable):
        raise BadInput("data", got=type(data).__name__, want="a loader, a list of batches, or one batch")
    batches: list[Any] = []
    with torch.random.fork_rng(devices=[]):
        for batch in data:
            if limit is not None and len(batches) >= limit:
                break
            batches.append(batch)
    if not batches:
        raise BadInput("data", got="no batch", want="at least one batch", hint="a generator can be read only once")
    return batches


def place(batch: Any, *, device: torch.device, dtype: torch.dtype) -> Any:
    """The batch on the device, its floating tensors in the precision; whole numbers stay whole."""
    return map_tensors(
        batch,
        lambda t: t.detach().to(device=device, dtype=dtype if t.is_floating_point() else None),
    )


@dataclass(frozen=True)
class Parts:
    """What goes into the model and what the loss compares with."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    target: Any
    has_target: bool


def divide(batch: Any, *, loss_is_given: bool) -> Parts:
    """Inputs and target of a batch: ``(x, y)``, ``((x1, x2), y)``, ``(x1, x2, y)``, ``({…}, y)`` or a dictionary.

    >>> divide((1, 2, 3), loss_is_given=True).args
    (1, 2)
    """
    if isinstance(batch, Mapping):
        if not loss_is_given:
            return Parts((), batch, None, False)
        for key in TARGET_KEYS:
            if key in batch:
                return Parts((), {k: v for k, v in batch.items() if k != key}, batch[key], True)
        raise BadInput(
            "batch", got=sorted(map(str, batch)), want=f"one of the keys {', '.join(TARGET_KEYS)}", hint="or pass call="
        )
    if isinstance(batch, list | tuple):
        if not loss_is_given:
            return _called_with(batch[0] if len(batch) == 1 else tuple(batch), None, False)
        if len(batch) < 2:
            raise BadInput("batch", got=f"{len(batch)} part", want="inputs and a target", hint="or pass call=")
        inputs = batch[0] if len(batch) == 2 else tuple(batch[:-1])
        return _called_with(inputs, batch[-1], True)
    if loss_is_given:
        raise BadInput(
            "batch", got=type(batch).__name__, want="inputs and a target", hint="or pass call=(model, batch)"
        )
    return _called_with(batch, None, False)


def _called_with(inputs: Any, target: Any, has_target: bool) -> Parts:
    if isinstance(inputs, Mapping):
        return Parts((), inputs, target, has_target)
    if isinstance(inputs, list | tuple):
        return Parts(tuple(inputs), {}, target, has_target)
    return Parts((inputs,), {}, target, has_target)


def cut(batch: Any, parts: int) -> list[Any]:
    """The batch cut along its first dimension into about equal parts; tensors of another length go whole into each."""
    total = examples_in(batch)
    parts = min(parts, total)
    edges = [round(index * total / parts) for index in range(parts + 1)]
    return [
        map_tensors(batch, lambda t, a=a, b=b: t[a:b] if t.dim() > 0 and t.shape[0] == total else t)
        for a, b in pairwise(edges)
    ]
