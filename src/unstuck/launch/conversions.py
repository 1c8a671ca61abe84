"""Conversions of fractions to whole numbers, heard while somebody listens: ``labels.long()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from unstuck.launch.tensor_methods import Replaced, looked_at

_FRACTIONS = frozenset((torch.float16, torch.bfloat16, torch.float32, torch.float64))
_WHOLE = frozenset((torch.int16, torch.int32, torch.int64, torch.uint8, torch.int8))


def conversions(told: Callable[[torch.Tensor, torch.Tensor], None]) -> Replaced:
    """While it stands, ``told`` gets a tensor of fractions and the whole numbers that it was converted to.

    Cost: half a microsecond for every call of ``to``, ``long``, ``int`` and ``type``.

    >>> heard = []
    >>> ear = conversions(lambda before, after: heard.append((before.tolist(), after.tolist())))
    >>> ear.stand(True)
    >>> _ = torch.tensor([0.5, 1.0]).long(), torch.tensor([1]).long()
    >>> ear.stand(False)
    >>> heard
    [([0.5, 1.0], [0, 1])]
    """
    modes = getattr(torch._C, "_len_torch_function_stack", lambda: 0)

    def make(original: Any) -> Any:
        def convert(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            # Most calls (to another device, of labels that are whole numbers already) end here. Of subclasses nothing
            # is read, for reading asks their own code.
            if type(result) is torch.Tensor and not modes() and result.dtype in _WHOLE:
                before = args[0]
                if type(before) is torch.Tensor and before.dtype in _FRACTIONS and not looked_at():
                    told(before, result)
            return result

        return convert

    return Replaced(("long", "int", "to", "type"), make)
