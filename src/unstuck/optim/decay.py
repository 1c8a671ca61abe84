"""Weight decay, by what it passes through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unstuck.optim.bounds import choice, not_negative
from unstuck.optim.rule import Now


@dataclass(frozen=True)
class Coupled:
    """g ← g + λ·θ before the direction: the gradient of ½λ‖θ‖², rescaled by whatever rescales g."""

    rate: float

    coupled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        not_negative("weight_decay", self.rate)

    @property
    def text(self) -> str:
        return f"g ← g + {self.rate:g}·θ"

    def amount(self, now: Now) -> float:
        return self.rate


@dataclass(frozen=True)
class Decoupled:
    """θ ← θ·(1 − a_t) beside the step.

    ``follows``: ``"rate"`` a = η_t·λ (torch's AdamW) · ``"schedule"`` a = λ·η_t/η, the schedule's multiplier without
    the rate (Loshchilov & Hutter 2019, Algorithm 2) · ``"corrected"`` a = λ·η_t²/η, with which the weights settle at a
    size that does not depend on the schedule (Defazio 2025); η is the rate before the schedule.
    """

    rate: float
    follows: str = "rate"

    coupled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        not_negative("weight_decay", self.rate)
        choice("follows", self.follows, ("rate", "schedule", "corrected"))

    @property
    def text(self) -> str:
        amount = {"rate": "η_t", "schedule": "η_t/η", "corrected": "η_t²/η"}[self.follows]
        return f"θ ← θ·(1 − {self.rate:g}·{amount})"

    def amount(self, now: Now) -> float:
        """a_t."""
        if self.follows == "rate" or self.rate == 0:
            return now.lr * self.rate
        if now.base_lr == 0:
            return 0.0
        share = now.lr / now.base_lr
        return self.rate * share if self.follows == "schedule" else self.rate * share * now.lr


Decay = Coupled | Decoupled
