"""What an update rule is: a direction, a scale and a schedule, with named places for everything around them.

The order of a step is fixed by the names of the places, never by a position in a list:

1. ``noise`` is added to the gradient, ``before`` clips it, ``decay`` (coupled) adds its part;
2. ``trust`` (a ratio on the gradient) rescales each layer;
3. ``direction`` and ``scale`` take it in, ``scale_first`` says in which order;
4. ``decay`` (decoupled) shrinks the parameter, ``trust`` (a ratio on the step) rescales the step of each layer;
5. the parameter moves by η_t.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim.bounds import not_negative

if TYPE_CHECKING:
    from unstuck.optim.clipping import Clip
    from unstuck.optim.decay import Decay
    from unstuck.optim.noise import GradientNoise
    from unstuck.optim.optimizer import Optimizer
    from unstuck.optim.trust import GradientRatio, StepRatio

Tensors = list[Tensor]
State = Mapping[str, Tensors]
Scheduled = Callable[[int], float]


@dataclass(slots=True)
class Now:
    """One update: its number ``t`` (from 1), its rate, and the tensors at hand; ``spare`` hands out scratch by name."""

    t: int
    lr: float
    base_lr: float
    params: Tensors
    spare: Callable[[str], Tensors]


@dataclass(slots=True)
class Move:
    """A direction: ``factor`` times the tensors, which belong to the state or the scratch and must not be written."""

    tensors: Tensors
    factor: float = 1.0


class Direction(Protocol):
    """Which way: takes gradients in, hands a move out."""

    carries_rate: ClassVar[bool]  # the rate is already inside the move
    looks_ahead: ClassVar[bool]  # wants the gradient at a point ahead, so a closure

    @property
    def slots(self) -> Mapping[str, float]:
        """Names of the tensors kept for each parameter, with the value they start from."""

    @property
    def text(self) -> str:
        """The recursion, as a formula."""

    def update(self, grads: Tensors, state: State, now: Now) -> Move:
        """Take the gradients in; the state changes in place."""

    def stability_limit(self) -> float:
        """The largest η·λ on a quadratic of curvature λ for which the iterates do not grow (scale one)."""

    def gain(self) -> float:
        """The move under a gradient that never changes, in units of that gradient, after many steps."""


class Scale(Protocol):
    """How far: a denominator for each coordinate."""

    @property
    def slots(self) -> Mapping[str, float]:
        """Names of the tensors kept for each parameter, with the value they start from."""

    @property
    def text(self) -> str:
        """The recursion, as a formula; empty when the scale is one."""

    def update(self, grads: Tensors, state: State, now: Now) -> None:
        """Take the gradients in; the state changes in place."""

    def factor(self, now: Now) -> float:
        """A number that multiplies the move beside the denominator."""

    def denominator(self, state: State, now: Now) -> Tensors | None:
        """σ for each coordinate, in scratch or state (not to be written); None is one everywhere."""


@dataclass(frozen=True)
class Rule:
    """A whole update rule, θ ← θ − η_t · m_t / σ_t, as a frozen record of its parts.

    ``schedule`` multiplies ``lr``; ``schedules`` multiplies any other number by its name (``"direction.rho"``).

    >>> from unstuck.optim.directions import Momentum
    >>> from unstuck.optim.scales import RootMeanSquare
    >>> rule = Rule(direction=Momentum(0.9), scale=RootMeanSquare(), lr=0.1)
    >>> print(rule.formula)
    v ← 0.9·v + g; S ← S + g², σ = √(S/t) + 1e-10; θ ← θ − η·v/σ
    """

    direction: Direction
    scale: Scale = None  # type: ignore[assignment]  # filled below: One()
    schedule: Scheduled | None = None
    lr: float = 1e-3
    before: Clip | None = None
    noise: GradientNoise | None = None
    decay: Decay | None = None
    trust: GradientRatio | StepRatio | None = None
    scale_first: bool = False
    maximize: bool = False
    schedules: Mapping[str, Scheduled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scale is None:
            from unstuck.optim.scales.one import One

            object.__setattr__(self, "scale", One())
        for name, protocol in (("direction", "stability_limit"), ("scale", "denominator")):
            if isinstance(getattr(self, name), type) or not hasattr(getattr(self, name), protocol):
                raise BadInput(
                    name,
                    got=getattr(self, name),
                    want=f"a {name} of unstuck.optim.{name}s",
                    hint="a part is an instance: Momentum(0.9), not Momentum",
                )
        not_negative("lr", self.lr)
        for name in ("schedule",):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise BadInput(name, got=getattr(self, name), want="a function of the step", hint="see optim.schedules")
        if self.scale_first and self.direction.looks_ahead:
            raise BadInput("scale_first", got=True, want="False with a look-ahead", hint="its shift is not scaled")
        both = set(self.direction.slots) & set(self.scale.slots)
        if both:
            raise BadInput("scale", got=sorted(both), want="other state names than the direction's")

    @cached_property
    def slots(self) -> dict[str, float]:
        """Every tensor kept for each parameter, with the value it starts from."""
        return {**self.direction.slots, **self.scale.slots}

    @cached_property
    def formula(self) -> str:
        """The whole rule in one line."""
        steps: list[str] = []
        if self.maximize:
            steps.append("g ← −g")
        if self.noise is not None:
            steps.append(self.noise.text)
        if self.before is not None:
            steps.append(self.before.text)
        if self.decay is not None and self.decay.coupled:
            steps.append(self.decay.text)
        if self.trust is not None and self.trust.on_gradient:
            steps.append(self.trust.text)
        parts = [self.direction.text, self.scale.text]
        steps.extend(text for text in (reversed(parts) if self.scale_first else parts) if text)
        if self.decay is not None and not self.decay.coupled:
            steps.append(self.decay.text)
        move = getattr(self.direction, "symbol", "g")
        scaled = bool(self.scale.text)
        over = f"{move}/σ" if scaled and not self.scale_first else move
        if scaled and self.scale_first:
            steps = [text.replace("g", "g/σ") if text == self.direction.text else text for text in steps]
            over = f"{move}" if self.direction.text else "g/σ"
        if self.trust is not None and not self.trust.on_gradient:
            steps.append(self.trust.text.replace("STEP", over))
            over = "r"
        rate = "" if self.direction.carries_rate else "η·"
        steps.append(f"θ ← θ − {rate}{over}")
        return "; ".join(steps)

    def optimizer(self, params: Iterable[Any], *, lowering: str = "auto") -> Optimizer:
        """This rule as a ``torch.optim.Optimizer`` over the parameters."""
        from unstuck.optim.optimizer import Optimizer

        return Optimizer(params, self, lowering=lowering)
