"""A rule through ``torch.compile``, on request: one loop over memory for rules that no kernel fits.

Every direction is one linear recursion, v ← a·v + b·g, m = c·v + d·g, and nearly every scale another, s ← e·s + f·g²;
a rule is its numbers a … f with ε, the decay and the rate. They enter the compiled function as one tensor, so that a
change of rate compiles nothing again: two graphs for a structure, whatever the schedule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim import directions as way
from unstuck.optim import scales as size
from unstuck.optim.rule import Now, Rule, State, Tensors
from unstuck.optim.scales import epsilon
from unstuck.optim.trust import GradientRatio, StepRatio

BACKEND = "inductor"


@dataclass(frozen=True)
class Shape:
    """What is compiled in: which recursions there are, where ε stands, which ratio."""

    memory: str | None
    square: str | None
    eps_at: str
    largest: bool
    scale_first: bool
    trust: str | None


def shape(rule: Rule) -> Shape | None:
    """The structure of a rule, or None where it has no compiled form (Adamax, Adadelta, a centered scale, ε = 0)."""
    scale = rule.scale
    plain = isinstance(scale, (size.One, size.SumOfSquares, size.RootMeanSquare, size.MovingSquare, size.Rectified))
    if not plain or getattr(scale, "centered", False) or (scale.slots and not getattr(scale, "eps", 0.0)):
        return None
    trust = {GradientRatio: "gradient", StepRatio: "step", type(None): None}[type(rule.trust)]
    return Shape(
        next(iter(rule.direction.slots), None),
        next(iter(scale.slots), None),
        "inside" if getattr(scale, "eps_at", "") == "inside" else getattr(scale, "eps_at", "outside"),
        bool(getattr(scale, "largest", False)),
        rule.scale_first,
        trust,
    )


def recursion(rule: Rule, now: Now) -> tuple[float, float, float, float]:
    """a, b, c, d of the direction at this update; its move is already multiplied by the rate where it carries it."""
    d = rule.direction
    if isinstance(d, way.Momentum):
        return d.rho, 1.0 if now.t == 1 else 1.0 - d.dampening, 1.0, 0.0
    if isinstance(d, way.Nesterov):
        return d.rho, 1.0, d.rho, 1.0
    if isinstance(d, (way.Velocity, way.LookAhead)):
        return d.rho, now.lr, 1.0, 0.0
    if isinstance(d, way.NesterovVelocity):
        return d.rho, now.lr, d.rho, now.lr
    if isinstance(d, way.Average):
        return d.beta, 1.0 - d.beta, d.correction(now.t), 0.0
    if isinstance(d, way.NesterovAverage):
        t = now.t
        return (
            d.beta,
            1.0 - d.beta,
            d.weight(t + 1) / (1.0 - d.product(t + 1)),
            (1.0 - d.weight(t)) / (1.0 - d.product(t)),
        )
    return 0.0, 0.0, 0.0, 1.0


def squares(rule: Rule, now: Now) -> tuple[float, float, float, bool]:
    """e, f, ε beside the uncorrected root, and whether the scale is used at this update."""
    s = rule.scale
    if isinstance(s, size.SumOfSquares):
        return 1.0, 1.0, s.eps, True
    if isinstance(s, size.RootMeanSquare):
        return 1.0, 1.0, epsilon.lifted(s.eps_at, s.eps, now.t), True
    if isinstance(s, size.MovingSquare):
        eps = epsilon.lifted(s.eps_at, s.eps, s.correction(now.t))
        return (0.0, 1.0, eps, True) if now.t == 1 and s.start == "gradient" else (s.beta, 1.0 - s.beta, eps, True)
    if isinstance(s, size.Rectified):
        return s.beta, 1.0 - s.beta, s.eps, s.rectification(now.t) is not None
    return 0.0, 0.0, 0.0, False


@lru_cache(maxsize=64)
def _compiled(form: Shape, scaled: bool, bounds: tuple[float, float], backend: str) -> Callable[..., None]:
    """The compiled update of one structure."""

    def ratio(top: Tensor, bottom: Tensor) -> Tensor:
        return torch.where((top > 0) & (bottom > 0), top / bottom, torch.ones_like(top))

    def update(params: Tensors, grads: Tensors, memory: Tensors, square: Tensors, peak: Tensors, k: Tensor) -> None:
        for i, p in enumerate(params):
            a, b, c, d, e, f, eps, sign, coupled, keep, factor, rate, trust, decay = k.to(p.dtype).unbind()
            g = sign * grads[i] + coupled * p
            if form.trust == "gradient":
                w, size_of_g = torch.linalg.vector_norm(p), torch.linalg.vector_norm(g)
                share = ratio(w, size_of_g + decay * w) * trust
                g = torch.where((w > 0) & (size_of_g > 0), share, torch.ones_like(w)) * (g + decay * p)

            below = None
            if form.square is not None:
                s = e * square[i] + f * g * g
                square[i].copy_(s)
                if form.largest:
                    s = torch.maximum(peak[i], s)
                    peak[i].copy_(s)
                if scaled:
                    if form.eps_at == "inside":
                        below = (s + eps).sqrt()
                    else:
                        below = torch.maximum(s.sqrt(), eps) if form.eps_at == "clamp" else s.sqrt() + eps
            taken = factor * g / below if form.scale_first and below is not None else g
            if form.memory is not None:
                v = a * memory[i] + b * taken
                memory[i].copy_(v)
                step = c * v + d * taken
            else:
                step = taken
            if not form.scale_first:
                step = factor * (step / below if below is not None else step)
            if form.trust == "step":
                step = step + decay * p
                step = step * ratio(torch.linalg.vector_norm(p).clamp(*bounds), torch.linalg.vector_norm(step))
            p.copy_(keep * p - rate * step)

    return torch.compile(update, backend=backend, dynamic=False)


def compiled(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    """As :func:`unstuck.optim.eager.advance`. Cost: seconds at the first updates, one pass over memory after."""
    form = shape(rule)
    if form is None:
        raise BadInput("lowering", got="compile", want="auto or eager", hint=f"no compiled form for {rule.formula}")
    e, f, eps, scaled = squares(rule, now)
    coupled = rule.decay.rate if rule.decay is not None and rule.decay.coupled else 0.0
    keep = 1.0 - rule.decay.amount(now) if rule.decay is not None and not rule.decay.coupled else 1.0
    trust: Any = rule.trust
    a, b, c, d = recursion(rule, now)
    sign = -1.0 if rule.maximize else 1.0
    rate = 1.0 if rule.direction.carries_rate else now.lr
    ratio, decay = getattr(trust, "coefficient", 1.0), getattr(trust, "decay", 0.0)
    numbers = [a, b, c, d, e, f, eps, sign, coupled, keep, rule.scale.factor(now), rate, ratio, decay]
    bounds = (trust.least, trust.most) if isinstance(trust, StepRatio) else (0.0, 0.0)
    k = torch.tensor(numbers, dtype=torch.float64).to(now.params[0].device)
    update = _compiled(form, scaled, bounds, BACKEND)
    memory = state[form.memory] if form.memory else []
    square = state[form.square] if form.square else []
    update(now.params, grads, memory, square, state["max_exp_avg_sq"] if form.largest else [], k)
