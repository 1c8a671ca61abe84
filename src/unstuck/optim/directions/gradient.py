"""The gradient itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from unstuck.optim.rule import Move, Now, State, Tensors


@dataclass(frozen=True)
class Gradient:
    """m = g: no memory. Source: Cauchy 1847; any text on gradient descent."""

    carries_rate: ClassVar[bool] = False
    looks_ahead: ClassVar[bool] = False
    symbol: ClassVar[str] = "g"

    @property
    def slots(self) -> Mapping[str, float]:
        return {}

    @property
    def text(self) -> str:
        return ""

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        return Move(grads)

    def stability_limit(self) -> float:
        return 2.0

    def gain(self) -> float:
        return 1.0
