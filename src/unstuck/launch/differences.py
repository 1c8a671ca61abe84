"""Differences of two tensors, heard while somebody listens: ``((model(x) - y) ** 2).mean()`` is a loss written out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch

from unstuck.launch.tensor_methods import as_a_method, looked_at

NAMES = ("__sub__", "sub", "subtract")


class Differences:
    """While it listens, ``told`` gets both sides of every ``a - b`` of tensors; what it raises is dropped.

    The methods are replaced only meanwhile, so nothing is slower at other times.

    >>> heard = []
    >>> ear = Differences(lambda a, b: heard.append((float(a), float(b))))
    >>> ear.listen(True)
    >>> _ = torch.tensor(3.0) - torch.tensor(1.0)
    >>> ear.listen(False)
    >>> _ = torch.tensor(3.0) - torch.tensor(2.0)
    >>> heard
    [(3.0, 1.0)]
    """

    def __init__(self, told: Callable[[torch.Tensor, torch.Tensor], None]) -> None:
        self._told = told
        self._patches: list[tuple[str, Any, Any]] = []  # name, what stood there itself (None: inherited), ours

    def listen(self, wanted: bool) -> None:
        """Hear differences from now on, or no longer; a method that somebody else has replaced since then stays."""
        if wanted and not self._patches:
            for name in NAMES:
                own = torch.Tensor.__dict__.get(name)
                ours = self._heard(getattr(torch.Tensor, name), name)
                setattr(torch.Tensor, name, ours)
                self._patches.append((name, own, ours))
        elif not wanted:
            for name, own, ours in self._patches:
                if torch.Tensor.__dict__.get(name) is ours:
                    if own is None:
                        delattr(torch.Tensor, name)
                    else:
                        setattr(torch.Tensor, name, own)
            self._patches.clear()

    def _heard(self, original: Any, name: str) -> Any:
        def difference(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            with contextlib.suppress(Exception):
                a, b = args[0], args[1] if len(args) > 1 else kwargs["other"]
                # Subclasses and modes of the script would be asked for whatever is read of their tensors.
                if type(a) is torch.Tensor and type(b) is torch.Tensor and not looked_at():
                    self._told(a, b)
            return result

        return as_a_method(difference, original, name)
