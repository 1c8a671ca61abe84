"""No scale: every coordinate alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unstuck.optim.rule import Now, State, Tensors


@dataclass(frozen=True)
class One:
    """σ = 1."""

    @property
    def slots(self) -> Mapping[str, float]:
        return {}

    @property
    def text(self) -> str:
        return ""

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        return

    def factor(self, now: Now) -> float:
        return 1.0

    def denominator(self, state: State, now: Now) -> Tensors | None:
        return None
