"""Differences of two tensors, heard while somebody listens: ``((model(x) - y) ** 2).mean()`` is a loss written out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch

from unstuck.launch.tensor_methods import Replaced, looked_at


def differences(told: Callable[[torch.Tensor, torch.Tensor], None]) -> Replaced:
    """While it stands, ``told`` gets both sides of every ``a - b`` of tensors; what it raises is dropped.

    >>> heard = []
    >>> ear = differences(lambda a, b: heard.append((float(a), float(b))))
    >>> ear.stand(True)
    >>> _ = torch.tensor(3.0) - torch.tensor(1.0)
    >>> ear.stand(False)
    >>> _ = torch.tensor(3.0) - torch.tensor(2.0)
    >>> heard
    [(3.0, 1.0)]
    """

    def make(original: Any) -> Any:
        def difference(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            with contextlib.suppress(Exception):
                a, b = args[0], args[1] if len(args) > 1 else kwargs["other"]
                # Subclasses and modes of the script would be asked for whatever is read of their tensors.
                if type(a) is torch.Tensor and type(b) is torch.Tensor and not looked_at():
                    told(a, b)
            return result

        return difference

    return Replaced(("__sub__", "sub", "subtract"), make)
