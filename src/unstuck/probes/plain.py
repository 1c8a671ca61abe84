"""A tensor of any kind as a plain, detached, strided one, and a bounded piece of it."""

from __future__ import annotations

import torch
from torch import Tensor

_ORDINARY = frozenset(
    {
        torch.float32, torch.float64, torch.float16, torch.bfloat16,
        torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    }
)  # fmt: skip
_COMPRESSED = (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


def plain(tensor: Tensor) -> Tensor:
    """The tensor without graph, as strided real numbers; shares memory wherever that is possible.

    Sparse tensors give their stored values, quantized ones are dequantized, complex ones get a last dimension of
    two (real and imaginary part), booleans become bytes, distributed ones give what lies on this process.

    >>> plain(torch.ones(3, dtype=torch.complex64)).shape
    torch.Size([3, 2])
    """
    if hasattr(tensor, "_local_tensor"):
        tensor = tensor._local_tensor  # a distributed tensor: asking for the whole would communicate
    found = tensor.detach()
    if found.layout is torch.strided and found.dtype in _ORDINARY and not found.is_nested:
        return found
    if found.layout != torch.strided:
        if found.layout == torch.sparse_coo:
            found = (found if found.is_coalesced() else found.coalesce()).values()
        elif found.layout in _COMPRESSED or getattr(found, "is_nested", False):
            found = found.values()
        else:
            found = found.to_dense()
    elif getattr(found, "is_nested", False):
        found = torch.cat([part.reshape(-1) for part in found.unbind()])
    if found.is_quantized:
        found = found.dequantize()
    if found.is_complex():
        found = torch.view_as_real(found.resolve_conj())
    if found.dtype not in _ORDINARY:  # booleans, unsigned and eight-bit numbers, of which torch knows few operations
        small = found.dtype == torch.bool
        found = found.to(torch.uint8 if small else torch.float32 if found.is_floating_point() else torch.int64)
    return found


def readable(tensor: Tensor) -> bool:
    """Whether there are numbers behind it: not on the meta device, and initialized."""
    return tensor.device.type != "meta" and not hasattr(tensor, "cls_to_become")


def shape_of(tensor: Tensor) -> list[int | None]:
    """The shape as plain numbers; None for a ragged dimension.

    >>> shape_of(torch.ones(2, 3))
    [2, 3]
    """
    try:
        return [n if type(n) is int else None for n in tensor.shape]
    except RuntimeError:  # nested tensors of the older kind
        return []


def wide(tensor: Tensor) -> Tensor:
    """The same numbers in float64, or in float32 on a device that has no float64."""
    return tensor.to(torch.float32 if tensor.device.type == "mps" else torch.float64)


def strides_for(shape: tuple[int, ...], limit: int, *, keep: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Steps for each dimension so that at most about ``limit`` elements remain; dimensions in ``keep`` stay whole.

    The longest dimension is thinned first, so the first (the examples) and the positions share the loss.

    >>> strides_for((1000, 10), 500, keep=(1,))
    (32, 1)
    """
    steps = [1] * len(shape)
    left = list(shape)
    total = 1
    for extent in shape:
        total *= extent
    while total > limit:
        free = [dim for dim in range(len(left)) if dim not in keep and left[dim] > 1]
        if not free:
            break
        dim = max(free, key=lambda d: left[d])
        steps[dim] *= 2
        total //= left[dim]
        left[dim] = -(-shape[dim] // steps[dim])
        total *= left[dim]
    return tuple(steps)


def thinned(tensor: Tensor, steps: tuple[int, ...]) -> Tensor:
    """Every ``steps[d]``-th element along each dimension: a view.

    >>> thinned(torch.arange(6).view(3, 2), (2, 1)).tolist()
    [[0, 1], [4, 5]]
    """
    if all(step == 1 for step in steps):
        return tensor
    return tensor[tuple(slice(None, None, step) for step in steps)]


def piece(tensor: Tensor, limit: int, *, keep: tuple[int, ...] = ()) -> Tensor:
    """At most about ``limit`` elements of a plain tensor, evenly spread; always the same ones."""
    if tensor.numel() <= limit:
        return tensor
    return thinned(tensor, strides_for(tuple(tensor.shape), limit, keep=keep))
