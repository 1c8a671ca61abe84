"""A model in float64 throughout, whatever single-precision tensors its code makes or keeps for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from unstuck.objective.batches import map_tensors

_CASTS = ("float", "to", "type", "type_as")
_AS_THEY_ARE = ("__get__", "__set__", "__delete__", "__setitem__", "backward")


class InDouble(TorchFunctionMode):
    """While it is on, float32 tensors that torch's functions get or give in this thread are widened to float64.

    A first state made by ``torch.zeros`` in ``forward``, a mask that is no buffer, a call of ``.float()``: each of them
    would otherwise meet float64 parameters and fail. What is written in place stays as wide as it is.

    >>> with InDouble():
    ...     (torch.zeros(2) + torch.ones(2).float()).dtype
    torch.float64
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _AS_THEY_ARE:
            return func(*args, **given)
        in_place = (name.endswith("_") and (not name.endswith("__") or name.startswith("__i"))) or "out" in given
        if in_place:  # the place keeps its width, and what is written into a wide one is widened
            place = given.get("out", args[0] if args else None)
            if isinstance(place, Tensor) and place.dtype is torch.float64:
                args, given = map_tensors((args, given), _wide)
            return func(*args, **given)
        args, given = map_tensors((args, given), _wide)
        result = func(*args, **given)
        if name in _CASTS and isinstance(result, Tensor) and result.dtype is torch.float32:
            before = args[0]
            if isinstance(before, Tensor) and before.dtype is torch.float64:
                return before.to(result.device)  # narrowed and widened again, the digits would be lost
        if isinstance(result, tuple) and type(result).__module__ == "torch.return_types":
            return type(result)([map_tensors(part, _wide) for part in result])
        return map_tensors(result, _wide)


def _wide(tensor: Tensor) -> Tensor:
    return tensor.double() if tensor.dtype is torch.float32 else tensor
