"""Rules as calls of torch's fused kernels, by the choice of scalars alone.

Three kernels carry twelve rules, because direction and scale of a rule differ from SGD's, AdaGrad's or Adam's only in
numbers that are computed once a step. A step count of 10¹² switches Adam's bias corrections off, so that any correction
can be put into the rate and into ε: η·w₁·c and ε·c, with w₁ = 1/(1−β₁ᵗ), c = √(1−β₂ᵗ).

The entry points ``torch._fused_*`` are private: looked for at import, and each use is compared once with
:mod:`unstuck.optim.eager` before it is trusted (:mod:`unstuck.optim.planner`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.optim.directions import Average, Gradient, LookAhead, Momentum, Nesterov, Velocity
from unstuck.optim.eager import advance, copied, shrink
from unstuck.optim.rule import Now, Rule, State, Tensors
from unstuck.optim.scales import MovingSquare, One, Rectified, RootMeanSquare, SumOfSquares

Advance = Callable[[Rule, Tensors, State, Now], None]

_sgd = getattr(torch, "_fused_sgd_", None)
_adam = getattr(torch, "_fused_adam_", None)
_adamw = getattr(torch, "_fused_adamw_", None)
_adagrad = getattr(torch, "_fused_adagrad_", None)

FAR = 1e12  # a step so late that β^FAR is zero


@dataclass(frozen=True)
class Kernel:
    """A kernel that fits a rule; ``advance`` as in ``eager``, ``bytes_moved`` for each float32 parameter."""

    name: str
    advance: Advance
    bytes_moved: int


def _coupled(rule: Rule) -> float:
    return rule.decay.rate if rule.decay is not None and rule.decay.coupled else 0.0


def _plain_sgd(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    if rule.decay is not None:
        shrink(rule, now)
    _sgd(
        now.params,
        grads,
        [],
        weight_decay=_coupled(rule),
        momentum=0.0,
        lr=now.lr,
        dampening=0.0,
        nesterov=False,
        maximize=rule.maximize,
        is_first_step=False,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]


def _momentum_sgd(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    if rule.decay is not None:
        shrink(rule, now)
    d: Momentum = rule.direction  # type: ignore[assignment]
    _sgd(
        now.params,
        grads,
        state["momentum_buffer"],
        weight_decay=_coupled(rule),
        momentum=d.rho,
        lr=now.lr,
        dampening=0.0 if now.t == 1 else d.dampening,
        nesterov=False,
        maximize=rule.maximize,
        is_first_step=False,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]


def _nesterov_sgd(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    if rule.decay is not None:
        shrink(rule, now)
    d: Nesterov = rule.direction  # type: ignore[assignment]
    _sgd(
        now.params,
        grads,
        state["momentum_buffer"],
        weight_decay=_coupled(rule),
        momentum=d.rho,
        lr=now.lr,
        dampening=0.0,
        nesterov=True,
        maximize=rule.maximize,
        is_first_step=False,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]


def _velocity_sgd(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    # u ← ρ·u + (1 − dampening)·g with dampening = 1 − η, then θ ← θ − 1·u
    if rule.decay is not None:
        shrink(rule, now)
    d: Velocity = rule.direction  # type: ignore[assignment]
    _sgd(
        now.params,
        grads,
        state["velocity"],
        weight_decay=_coupled(rule),
        momentum=d.rho,
        lr=1.0,
        dampening=1.0 - now.lr,
        nesterov=False,
        maximize=rule.maximize,
        is_first_step=False,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]


def _average_sgd(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    if rule.decay is not None:
        shrink(rule, now)
    d: Average = rule.direction  # type: ignore[assignment]
    _sgd(
        now.params,
        grads,
        state["exp_avg"],
        weight_decay=_coupled(rule),
        momentum=d.beta,
        lr=now.lr * d.correction(now.t),
        dampening=d.beta,
        nesterov=False,
        maximize=rule.maximize,
        is_first_step=False,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]


def _steps(grads: Tensors) -> Tensors:
    """A late step count for every tensor: one and the same tensor, on the device of the gradients."""
    device = grads[0].device
    if device not in _FAR:
        _FAR[device] = torch.tensor(FAR, dtype=torch.float32, device=device)
    return [_FAR[device]] * len(grads)


_FAR: dict[torch.device, Tensor] = {}


def _sum_adagrad(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    if rule.decay is not None:
        shrink(rule, now)
    s: SumOfSquares = rule.scale  # type: ignore[assignment]
    _adagrad(
        now.params,
        grads,
        state["sum"],
        _steps(grads),
        lr=now.lr * s.factor(now),
        lr_decay=0.0,
        weight_decay=_coupled(rule),
        eps=s.eps,
        maximize=rule.maximize,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]


def _mean_adagrad(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    if rule.decay is not None:
        shrink(rule, now)
    s: RootMeanSquare = rule.scale  # type: ignore[assignment]
    late = float(now.t) ** 0.5
    _adagrad(
        now.params,
        grads,
        state["sum"],
        _steps(grads),
        lr=now.lr * late,
        lr_decay=0.0,
        weight_decay=_coupled(rule),
        eps=s.eps * late,
        maximize=rule.maximize,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]


def _squared(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    """Adam's kernel for every (gradient or average) × (moving square, corrected or not, rectified or not)."""
    scale = rule.scale
    if isinstance(scale, Rectified):
        if scale.rectification(now.t) is None:
            return advance(rule, grads, state, now)  # the first few updates have no scale
        beta2, eps, lift, largest = scale.beta, scale.eps, scale.factor(now), False
    else:
        assert isinstance(scale, MovingSquare)
        if now.t == 1 and scale.start == "gradient":
            return advance(rule, grads, state, now)
        beta2, lift, largest = scale.beta, scale.factor(now), scale.largest
        eps = scale.eps if scale.eps_at == "hat" else scale.eps * lift
    lr, decay, kernel = now.lr * lift, _coupled(rule), _adam
    direction = rule.direction
    if isinstance(direction, Average):
        beta1, first = direction.beta, state["exp_avg"]
        lr *= direction.correction(now.t)
    else:
        beta1 = 0.0
        # with β₁ = 0 the kernel writes back the gradient it has read. On the processor, tensor by tensor, it may write
        # it where it is (8 bytes a parameter less); it must not where it would write another value over the user's own
        if decay or rule.maximize or grads[0].device.type != "cpu":
            grads = first = copied(grads, now)
        else:
            first = grads
    if rule.decay is not None and not rule.decay.coupled:
        amount = rule.decay.amount(now)
        if lr > 0:
            kernel, decay = _adamw, amount / lr
        elif amount:
            shrink(rule, now)
    kernel(
        now.params,
        grads,
        first,
        state["exp_avg_sq"],
        state["max_exp_avg_sq"] if largest else [],
        _steps(grads),
        lr=lr,
        beta1=beta1,
        beta2=beta2,
        weight_decay=decay,
        eps=eps,
        amsgrad=largest,
        maximize=rule.maximize,
        grad_scale=None,
        found_inf=None,
    )  # type: ignore[misc]
    return None


def fitting(rule: Rule) -> Kernel | None:
    """The kernel for a rule, or None: LARS, LAMB, Nesterov with the rate inside, ε inside the root, ε = 0 and more."""
    d, s = rule.direction, rule.scale
    if rule.trust is not None or rule.scale_first:
        return None
    kind, scale = type(d), type(s)
    if scale is One and _sgd is not None:
        if kind is Gradient:
            return Kernel("SGD", _plain_sgd, 12)
        if kind is Momentum and d.rho > 0:  # type: ignore[attr-defined]
            return Kernel("SGD", _momentum_sgd, 20)
        if kind is Nesterov:
            return Kernel("SGD, nesterov", _nesterov_sgd, 20)
        if kind in (Velocity, LookAhead) and d.rho > 0:  # type: ignore[attr-defined]
            return Kernel("SGD, dampening 1−η", _velocity_sgd, 20)
        if kind is Average and d.beta > 0:  # type: ignore[attr-defined]
            return Kernel("SGD, dampening β", _average_sgd, 20)
    eps = getattr(s, "eps", 0.0)
    if kind is Gradient and _adagrad is not None and eps > 0 and getattr(s, "eps_at", "") == "outside":
        if scale is SumOfSquares:
            return Kernel("AdaGrad", _sum_adagrad, 20)
        if scale is RootMeanSquare:
            return Kernel("AdaGrad, rate η√t", _mean_adagrad, 20)
    if kind in (Gradient, Average) and _adam is not None and _adamw is not None and eps > 0:
        name = "Adam" if kind is Average else "Adam, β₁ = 0"
        size = 28 if kind is Average else 20
        if scale is Rectified:
            return Kernel(f"{name}, rate η·r_t", _squared, size)
        if scale is MovingSquare and not s.centered and s.eps_at in ("outside", "hat"):  # type: ignore[attr-defined]
            return Kernel(name, _squared, size + (8 if s.largest else 0))  # type: ignore[attr-defined]
    return None
