"""The update rules that have a name, each as a sentence over the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypedDict, Unpack

from unstuck.core.errors import BadInput
from unstuck.optim import directions as way
from unstuck.optim import scales as size
from unstuck.optim.bounds import choice, not_negative
from unstuck.optim.clipping import ClipNorm
from unstuck.optim.decay import Coupled, Decay, Decoupled
from unstuck.optim.optimizer import Optimizer
from unstuck.optim.rule import Rule, Scheduled
from unstuck.optim.trust import GradientRatio, StepRatio


class Around(TypedDict, total=False):
    """What every named rule takes besides its own numbers, by keyword.

    ``schedule`` multiplies the rate, ``schedules`` any other number by its name (``{"momentum": …}``, ``"beta1"``);
    ``clip_norm`` clips the norm over all parameters; ``maximize`` climbs; ``lowering`` as in ``Optimizer``.
    """

    schedule: Scheduled | None
    schedules: Mapping[str, Scheduled]
    clip_norm: float | None
    maximize: bool
    lowering: str


class Named(Optimizer):
    """A rule with a name: its numbers are the keys of its parameter groups, spelled as in torch where torch has it."""

    def __init__(self, params: Iterable[Any], values: dict[str, Any], around: Around) -> None:
        self._template = None
        unknown = set(around) - set(Around.__annotations__)
        if unknown:
            raise BadInput(
                sorted(unknown)[0],
                got=around[sorted(unknown)[0]],  # type: ignore[literal-required]
                want="one of " + ", ".join([*values, *Around.__annotations__]),
            )
        schedules = dict(around.get("schedules") or {})
        schedule = around.get("schedule")
        if schedule is not None:
            schedules["lr"] = schedule
        values = {**values, "clip_norm": around.get("clip_norm"), "maximize": around.get("maximize", False)}
        self._begin(params, values, schedules, around.get("lowering", "auto"))

    rule: ClassVar[Callable[..., Rule]]
    """The rule that the values describe, by keyword."""

    def rule_of(self, values: Mapping[str, Any]) -> Rule:
        own = dict(values)
        clip, maximize = own.pop("clip_norm"), own.pop("maximize")
        rule = type(self).rule(**own)
        if clip is None and not maximize:
            return rule
        return replace(rule, before=None if clip is None else ClipNorm(clip), maximize=maximize)


def _decay(rate: float, *, decoupled: bool = False, follows: str = "rate") -> Decay | None:
    not_negative("weight_decay", rate)
    if rate == 0:
        return None
    return Decoupled(rate, follows) if decoupled else Coupled(rate)


def _betas(betas: Any) -> tuple[float, float]:
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise BadInput("betas", got=betas, want="two numbers in [0, 1)")
    return betas[0], betas[1]


class SGD(Named):
    """Gradient descent, with momentum if asked for, as ``torch.optim.SGD``: v ← ρv + g, θ ← θ − η·v.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = SGD([w], lr=0.25)
    >>> w.square().sum().backward(); optimizer.step(); w.item()
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
            },
            around,
        )

    @staticmethod
    def rule(*, lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool) -> Rule:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise BadInput("nesterov", got=(momentum, dampening), want="a momentum above 0 and no dampening")
        direction: Any = way.Momentum(momentum, dampening) if momentum else way.Gradient()
        return Rule(way.Nesterov(momentum) if nesterov else direction, lr=lr, decay=_decay(weight_decay))


class Momentum(Named):
    """Heavy ball. ``rate="outside"``: v ← ρv + g, θ ← θ − ηv; ``"inside"``: v ← ρv − ηg, θ ← θ + v (the lecture's)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        rho: float = 0.9,
        weight_decay: float = 0.0,
        *,
        rate: str = "outside",
        **around: Unpack[Around],
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "weight_decay": weight_decay, "rate": rate}, around)

    @staticmethod
    def rule(*, lr: float, rho: float, weight_decay: float, rate: str) -> Rule:
        inside = choice("rate", rate, ("outside", "inside")) == "inside"
        return Rule(way.Velocity(rho) if inside else way.Momentum(rho), lr=lr, decay=_decay(weight_decay))


class Nesterov(Named):
    """Nesterov's momentum.

    ``form``: ``"torch"`` (rate outside), ``"keras"`` (rate inside), ``"ahead"`` (the gradient is
    taken at the look-ahead point; needs ``step(closure)``).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        rho: float = 0.9,
        weight_decay: float = 0.0,
        *,
        form: str = "torch",
        **around: Unpack[Around],
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "weight_decay": weight_decay, "form": form}, around)

    @staticmethod
    def rule(*, lr: float, rho: float, weight_decay: float, form: str) -> Rule:
        forms: dict[str, Any] = {"torch": way.Nesterov, "keras": way.NesterovVelocity, "ahead": way.LookAhead}
        return Rule(forms[choice("form", form, tuple(forms))](rho), lr=lr, decay=_decay(weight_decay))


class AdaGrad(Named):
    """AdaGrad over the sum of squares, as ``torch.optim.Adagrad``: θ ← θ − η·g/(√Σg² + ε)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        eps_at: str = "outside",
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "eps_at": eps_at,
            },
            around,
        )

    @staticmethod
    def rule(
        *, lr: float, lr_decay: float, weight_decay: float, initial_accumulator_value: float, eps: float, eps_at: str
    ) -> Rule:
        scale = size.SumOfSquares(eps, initial_accumulator_value, lr_decay, eps_at)
        return Rule(way.Gradient(), scale, lr=lr, decay=_decay(weight_decay))


class AdaGradMean(Named):
    """The lecture's AdaGrad over the mean of squares: σ_t = √(Σg²/t). Under a constant rate it bursts; under η/√t it is
    :class:`AdaGrad`."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        weight_decay: float = 0.0,
        eps: float = 1e-10,
        *,
        eps_at: str = "outside",
        **around: Unpack[Around],
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "eps": eps, "eps_at": eps_at}, around)

    @staticmethod
    def rule(*, lr: float, weight_decay: float, eps: float, eps_at: str) -> Rule:
        return Rule(way.Gradient(), size.RootMeanSquare(eps, eps_at), lr=lr, decay=_decay(weight_decay))


class RMSProp(Named):
    """Gradients over the root of their fading mean square, as ``torch.optim.RMSprop``; momentum acts on g/σ, as there.

    ``start="gradient"`` begins at σ = |g| as the lecture does, ``correct=True`` divides by 1 − αᵗ,
    ``eps_at="inside"`` is Keras', ``decoupled=True`` takes the decay out of the gradient.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        start: str = "zero",
        correct: bool = False,
        eps_at: str = "outside",
        decoupled: bool = False,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "start": start,
                "correct": correct,
                "eps_at": eps_at,
                "decoupled": decoupled,
            },
            around,
        )

    @staticmethod
    def rule(
        *,
        lr: float,
        alpha: float,
        eps: float,
        weight_decay: float,
        momentum: float,
        centered: bool,
        start: str,
        correct: bool,
        eps_at: str,
        decoupled: bool,
    ) -> Rule:
        scale = size.MovingSquare(alpha, eps, correct, start, centered, eps_at=eps_at)
        direction: Any = way.Momentum(momentum) if momentum else way.Gradient()
        decay = _decay(weight_decay, decoupled=decoupled)
        return Rule(direction, scale, lr=lr, decay=decay, scale_first=bool(momentum))


class Adam(Named):
    """Average gradient over the root of the average square, both corrected for their start, as ``torch.optim.Adam``.

    ``amsgrad``: over the largest average so far. ``eps_at="hat"``: Keras' ε̂.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        decoupled_weight_decay: bool = False,
        eps_at: str = "outside",
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "decoupled_weight_decay": decoupled_weight_decay,
                "eps_at": eps_at,
            },
            around,
        )

    @staticmethod
    def rule(
        *,
        lr: float,
        betas: Any,
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        decoupled_weight_decay: bool,
        eps_at: str,
    ) -> Rule:
        first, second = _betas(betas)
        scale = size.MovingSquare(second, eps, correct=True, largest=amsgrad, eps_at=eps_at)
        decay = _decay(weight_decay, decoupled=decoupled_weight_decay)
        return Rule(way.Average(first), scale, lr=lr, decay=decay)


class AdamAlmost(Named):
    """Adam without its corrections, note 004's first version: the first step is η(1−β₁)/√(1−β₂), 3.16·η."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}, around)

    @staticmethod
    def rule(*, lr: float, betas: Any, eps: float, weight_decay: float) -> Rule:
        first, second = _betas(betas)
        scale = size.MovingSquare(second, eps)
        return Rule(way.Average(first, correct=False), scale, lr=lr, decay=_decay(weight_decay))


class AdamW(Named):
    """Adam with decay beside the step, as ``torch.optim.AdamW``.

    ``follows``: the decay is ``"rate"`` η_t·λ, ``"schedule"`` λ·η_t/η or ``"corrected"`` λ·η_t²/η.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        follows: str = "rate",
        eps_at: str = "outside",
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "follows": follows,
                "eps_at": eps_at,
            },
            around,
        )

    @staticmethod
    def rule(
        *, lr: float, betas: Any, eps: float, weight_decay: float, amsgrad: bool, follows: str, eps_at: str
    ) -> Rule:
        first, second = _betas(betas)
        scale = size.MovingSquare(second, eps, correct=True, largest=amsgrad, eps_at=eps_at)
        decay = _decay(weight_decay, decoupled=True, follows=follows)
        return Rule(way.Average(first), scale, lr=lr, decay=decay)


class RAdam(Named):
    """Adam that uses its scale only once enough gradients were seen, as ``torch.optim.RAdam``; ``threshold`` 5 or 4."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        threshold: float = 5.0,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "threshold": threshold,
            },
            around,
        )

    @staticmethod
    def rule(
        *, lr: float, betas: Any, eps: float, weight_decay: float, decoupled_weight_decay: bool, threshold: float
    ) -> Rule:
        first, second = _betas(betas)
        decay = _decay(weight_decay, decoupled=decoupled_weight_decay)
        return Rule(way.Average(first), size.Rectified(second, eps, threshold), lr=lr, decay=decay)


class NAdam(Named):
    """Adam with Nesterov's look at the next average, as ``torch.optim.NAdam``."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
            around,
        )

    @staticmethod
    def rule(
        *, lr: float, betas: Any, eps: float, weight_decay: float, momentum_decay: float, decoupled_weight_decay: bool
    ) -> Rule:
        first, second = _betas(betas)
        decay = _decay(weight_decay, decoupled=decoupled_weight_decay)
        scale = size.MovingSquare(second, eps, correct=True)
        return Rule(way.NesterovAverage(first, momentum_decay), scale, lr=lr, decay=decay)


class Adamax(Named):
    """Adam over the largest gradient of late, as ``torch.optim.Adamax``."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}, around)

    @staticmethod
    def rule(*, lr: float, betas: Any, eps: float, weight_decay: float) -> Rule:
        first, second = _betas(betas)
        return Rule(way.Average(first), size.LargestGradient(second, eps), lr=lr, decay=_decay(weight_decay))


class Adadelta(Named):
    """Steps in the units of the parameters, as ``torch.optim.Adadelta``."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}, around)

    @staticmethod
    def rule(*, lr: float, rho: float, eps: float, weight_decay: float) -> Rule:
        return Rule(way.Gradient(), size.MovingDelta(rho, eps), lr=lr, decay=_decay(weight_decay))


class LARS(Named):
    """Momentum over gradients rescaled in each layer to its weights, the rate inside the velocity, as in the paper."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust_coefficient": trust_coefficient},
            around,
        )

    @staticmethod
    def rule(*, lr: float, momentum: float, weight_decay: float, trust_coefficient: float) -> Rule:
        return Rule(way.Velocity(momentum), lr=lr, trust=GradientRatio(trust_coefficient, weight_decay))


class LAMB(Named):
    """Adam whose step is rescaled in each layer to its weights; decay and corrections are inside the ratio."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        least: float = 0.0,
        most: float = 10.0,
        **around: Unpack[Around],
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "least": least, "most": most},
            around,
        )

    @staticmethod
    def rule(*, lr: float, betas: Any, eps: float, weight_decay: float, least: float, most: float) -> Rule:
        first, second = _betas(betas)
        scale = size.MovingSquare(second, eps, correct=True)
        return Rule(way.Average(first), scale, lr=lr, trust=StepRatio(weight_decay, least, most))
