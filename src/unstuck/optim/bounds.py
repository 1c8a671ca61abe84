"""Checks of hyper-parameters: each says what was got, what is wanted and why."""

from __future__ import annotations

import math
from typing import Any

import torch

from unstuck.core.errors import BadInput


def number(name: str, value: Any) -> float:
    """The value as a float; a tensor must hold one element."""
    if isinstance(value, torch.Tensor):
        if value.numel() != 1:
            raise BadInput(name, got=tuple(value.shape), want="one number", hint="a tensor must be 1-element")
        return float(value.item())
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadInput(name, got=value, want="a number") from None


def not_negative(name: str, value: Any) -> float:
    """A finite number of zero or more."""
    got = number(name, value)
    if not 0.0 <= got < math.inf:
        raise BadInput(name, got=got, want="a finite number, zero or more")
    return got


def positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    got = number(name, value)
    if not 0.0 < got < math.inf:
        raise BadInput(name, got=got, want="a finite number above zero")
    return got


def share(name: str, value: Any) -> float:
    """A number in [0, 1): the part of the past that an average keeps."""
    got = number(name, value)
    if not 0.0 <= got < 1.0:
        raise BadInput(name, got=got, want="a number in [0, 1)", hint="at 1 the past would never fade")
    return got


def choice(name: str, value: str, among: tuple[str, ...]) -> str:
    """One word of a short list."""
    if value not in among:
        raise BadInput(name, got=value, want="one of " + ", ".join(among))
    return value


def whole(name: str, value: Any, *, least: int = 0) -> int:
    """A whole number of at least ``least``."""
    if isinstance(value, bool) or int(value) != value or value < least:
        raise BadInput(name, got=value, want=f"a whole number, {least} or more")
    return int(value)
