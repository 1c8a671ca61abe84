"""What a rule's step means against a curvature: where it stops being stable, how far it goes, in which metric.

On a quadratic of curvature λ a rule with a constant scale σ is a linear recursion; it is stable while η·λ/σ stays below
a limit that depends on the direction alone: 2 for the gradient, 2 + 2ρ for heavy balls, (2 + 2ρ)/(1 + 2ρ) for Nesterov,
(2 + 2β)/(1 − β) for an average (Adam: 38). With a scale that differs by coordinate, λ is the largest eigenvalue of
D^−½·H·D^−½, D the denominators: the preconditioned sharpness (Cohen et al. 2022).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim.optimizer import Optimizer
from unstuck.optim.rule import Now, Rule, Tensors
from unstuck.optim.scales import One
from unstuck.optim.sharpness_aware import SAM


@dataclass(frozen=True)
class StepSize:
    """A rule's step against curvature.

    ``limit`` is the largest stable η·λ (λ preconditioned); ``rate`` the rate in use; ``gain`` how many of its steps a
    constant gradient adds up to; ``sharpness_limit`` = limit/rate, the largest curvature this rate stands.
    """

    limit: float
    rate: float
    gain: float

    @property
    def sharpness_limit(self) -> float:
        """Curvature above which the iterates grow; infinite at rate zero."""
        return self.limit / self.rate if self.rate > 0 else math.inf

    @property
    def effective_rate(self) -> float:
        """η·gain: the distance a constant gradient of size one carries a parameter at each step, in the long run."""
        return self.rate * self.gain


def stability_limit(rule: Rule) -> float:
    """The largest η·λ for which the rule does not grow on a quadratic, λ the curvature over the scale.

    A rule that rescales layers (LARS, LAMB) has none: its step does not shrink with the gradient.

    >>> from unstuck.optim import Adam, Rule, directions
    >>> round(stability_limit(Rule(directions.Momentum(0.9))), 6)
    3.8
    """
    if rule.trust is not None:
        raise BadInput(
            "rule",
            got=rule.formula,
            want="a rule without trust ratios",
            hint="their step has the size of the weights, whatever the curvature",
        )
    return rule.direction.stability_limit()


def step_size(rule: Rule, *, lr: float | None = None) -> StepSize:
    """Limit, rate and gain of a rule; ``lr`` in place of the rule's own."""
    return StepSize(stability_limit(rule), rule.lr if lr is None else lr, rule.direction.gain())


def step_sizes(optimizer: torch.optim.Optimizer) -> list[StepSize]:
    """Limit, rate and gain for each parameter group, at the rates of the last step; torch's own optimizers are read."""
    from unstuck.optim.reading import read

    if isinstance(optimizer, SAM):
        optimizer = optimizer.base
    if isinstance(optimizer, Optimizer):
        rates = [used["lr"] for used in optimizer.used] or [float(g["lr"]) for g in optimizer.param_groups]
        return [step_size(rule, lr=lr) for rule, lr in zip(optimizer.rules(), rates, strict=True)]
    rules = read(optimizer).rules
    return [step_size(rule, lr=float(g["lr"])) for rule, g in zip(rules, optimizer.param_groups, strict=True)]


@torch.no_grad()
def preconditioner(optimizer: torch.optim.Optimizer) -> list[list[Tensor | None]]:
    """D for each parameter of each group, in order: an update moves by η·m/D, all corrections in D.

    New tensors like the parameters (pairs of reals for complex ones); ones for a rule without a scale; None where the
    parameter has had no update. Torch's own optimizers are read. Cost: one pass over the state.
    """
    from unstuck.optim.reading import read

    if isinstance(optimizer, SAM):
        optimizer = optimizer.base
    reading = None if isinstance(optimizer, Optimizer) else read(optimizer)
    rules = optimizer.rules() if isinstance(optimizer, Optimizer) else reading.rules  # type: ignore[union-attr]
    answer: list[list[Tensor | None]] = []
    for rule, group in zip(rules, optimizer.param_groups, strict=True):
        row: list[Tensor | None] = []
        for p in group["params"]:
            state = optimizer.state.get(p, {})
            if reading is not None:
                state = reading.renamed(state)
            flat = torch.view_as_real(p) if p.is_complex() else p
            if isinstance(rule.scale, One):
                row.append(torch.ones_like(flat, requires_grad=False))
                continue
            if not all(name in state for name in rule.scale.slots):
                row.append(None)
                continue
            kept = {
                name: [torch.view_as_real(state[name]) if p.is_complex() else state[name]] for name in rule.scale.slots
            }
            scratch: dict[str, Tensors] = {}

            def spare(name: str, flat: Tensor = flat, scratch: dict[str, Tensors] = scratch) -> Tensors:
                return scratch.setdefault(name, [torch.empty_like(flat, requires_grad=False)])

            age = max(int(state.get("step", 1)), 1)
            now = Now(age, float(group["lr"]), float(group["lr"]), [flat], spare)
            below = rule.scale.denominator(kept, now)
            one = torch.ones_like(flat, requires_grad=False) if below is None else below[0].clone()
            row.append(one.div_(rule.scale.factor(now)))
        answer.append(row)
    return answer


def measured_limit(rule: Rule, *, steps: int = 4000, tolerance: float = 1e-4) -> float:
    """The limit by bisection on ½x²: the rate at which the iterates begin to grow. Cost: about 20 runs of ``steps``."""
    from dataclasses import replace

    from unstuck.optim import eager

    bare = replace(rule, scale=One(), decay=None, before=None, noise=None, schedule=None)

    def grows(lr: float) -> bool:
        x = torch.ones((), dtype=torch.float64)
        state = {name: [torch.full_like(x, fill)] for name, fill in bare.slots.items()}
        scratch: dict[str, Tensors] = {}
        spare: Callable[[str], Tensors] = lambda name: scratch.setdefault(name, [torch.empty_like(x)])  # noqa: E731
        # the start, where averages are corrected, may throw the iterate far: only late growth counts
        windows = [0.0, 0.0]
        for t in range(1, steps + 1):
            ahead = getattr(bare.direction, "rho", 0.0) * state["velocity"][0] if bare.direction.looks_ahead else 0.0
            eager.advance(bare, [x - ahead], state, Now(t, lr, lr, [x], spare))
            size = abs(float(x))
            if size > 1e100 or size < 1e-200:
                return size > 1.0
            if t > steps // 2:
                half = int(t > 3 * steps // 4)
                windows[half] = max(windows[half], size)
        return windows[1] > windows[0]

    low, high = 0.0, 1.0
    while not grows(high):
        low, high = high, 2 * high
        if high > 1e6:
            raise BadInput("rule", got=rule.formula, want="a rule that some rate makes unstable")
    while high - low > tolerance * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if grows(middle) else (middle, high)
    return 0.5 * (low + high)


def best_momentum(condition: float) -> tuple[float, float]:
    """Polyak's momentum and rate·λ_max for a quadratic of condition κ: ((√κ−1)/(√κ+1))², 4κ/(√κ+1)².

    The iterates shrink by √ρ = (√κ−1)/(√κ+1) a step. Source: Polyak 1964.
    """
    if not condition >= 1:
        raise BadInput("condition", got=condition, want="a number of at least 1")
    root = math.sqrt(condition)
    return ((root - 1) / (root + 1)) ** 2, 4 * condition / (root + 1) ** 2
