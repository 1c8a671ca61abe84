"""One update of any rule in plain torch, tensor list by tensor list: the reading that every kernel is held to."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.optim.rule import Now, Rule, State, Tensors


def copied(grads: Tensors, now: Now) -> Tensors:
    """The gradients in scratch, free to be changed: ``p.grad`` is the user's."""
    own = now.spare("gradient")
    if own is not grads:
        torch._foreach_copy_(own, grads)
    return own


def prepare(rule: Rule, grads: Tensors, now: Now, *, coefficient: Tensor | None, update: int, stream: int) -> Tensors:
    """Noise and clipping, on copies; the gradients themselves where the rule asks for neither."""
    if rule.noise is None and rule.before is None:
        return grads
    own = copied(grads, now)
    if rule.noise is not None:
        rule.noise.apply(own, update, stream=stream)
    if rule.before is not None:
        rule.before.apply(own, coefficient)
    return own


def shrink(rule: Rule, now: Now) -> None:
    """Decoupled decay."""
    if rule.decay is not None and not rule.decay.coupled:
        amount = rule.decay.amount(now)
        if amount:
            torch._foreach_mul_(now.params, 1.0 - amount)


def advance(rule: Rule, grads: Tensors, state: State, now: Now) -> None:
    """Move ``now.params`` by one update. Cost: a pass over memory for each operation."""
    g = grads
    if rule.maximize:
        g = copied(g, now)
        torch._foreach_neg_(g)
    if rule.decay is not None and rule.decay.coupled and rule.decay.rate:
        g = copied(g, now)
        torch._foreach_add_(g, now.params, alpha=rule.decay.rate)
    if rule.trust is not None and rule.trust.on_gradient:
        g = copied(g, now)
        rule.trust.apply(g, now.params)

    direction, scale = rule.direction, rule.scale
    if rule.scale_first:
        scale.update(g, state, now)
        sigma, factor = scale.denominator(state, now), scale.factor(now)
        if sigma is not None or factor != 1.0:
            g = copied(g, now)
        if sigma is not None:
            torch._foreach_div_(g, sigma)
        if factor != 1.0:
            torch._foreach_mul_(g, factor)
        sigma, factor = None, 1.0
        move = direction.update(g, state, now)
    else:
        move = direction.update(g, state, now)
        scale.update(g, state, now)
        sigma, factor = scale.denominator(state, now), scale.factor(now)
        feed = getattr(scale, "feed", None)
        if feed is not None and sigma is not None:
            feed(g, sigma, state, now)

    rate = (1.0 if direction.carries_rate else now.lr) * move.factor * factor
    shrink(rule, now)
    if rule.trust is not None and not rule.trust.on_gradient:
        step = now.spare("step")
        torch._foreach_copy_(step, move.tensors)
        torch._foreach_mul_(step, move.factor * factor)
        if sigma is not None:
            torch._foreach_div_(step, sigma)
        rule.trust.apply(step, now.params)
        torch._foreach_add_(now.params, step, alpha=-(1.0 if direction.carries_rate else now.lr))
    elif sigma is None:
        torch._foreach_add_(now.params, move.tensors, alpha=-rate)
    else:
        torch._foreach_addcdiv_(now.params, move.tensors, sigma, value=-rate)
