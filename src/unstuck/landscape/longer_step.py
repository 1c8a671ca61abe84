"""Whether a run's own step pays for many times its length: the loss at multiples of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from unstuck.objective.contract import Objective

MULTIPLES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


@dataclass(frozen=True)
class LongerStep:
    """Losses at multiples of the step. ``best`` is the multiple with the lowest loss; ``gain`` what it lowered
    beside what the
    step itself did (infinite when the step itself did not lower the loss)."""

    multiples: tuple[float, ...]
    losses: tuple[float, ...]
    before: float
    best: float
    gain: float


def longer_step(objective: Objective, origin: Tensor, update: Tensor) -> LongerStep:
    """The loss along one update of the run, at ½ to 64 times its length. *Cost*: at most 9 forward passes.

    >>> import torch
    >>> from unstuck.objective import FormulaObjective
    >>> bowl = FormulaObjective(lambda w: (w * w).sum(), torch.ones(1, dtype=torch.float64))
    >>> longer_step(bowl, torch.ones(1), torch.tensor([-0.125])).best
    8.0
    """
    place, way = objective.check(origin), objective.check(update)
    before = objective.value(place)
    losses: list[float] = []
    for multiple in MULTIPLES:
        losses.append(objective.value(place + multiple * way))
        if not math.isfinite(losses[-1]) or (len(losses) > 3 and losses[-1] > max(losses[-2], before)):
            break
    used = MULTIPLES[: len(losses)]
    index = min(range(len(losses)), key=lambda i: losses[i] if math.isfinite(losses[i]) else math.inf)
    own = before - losses[1] if len(losses) > 1 else 0.0
    drop = before - losses[index]
    gain = drop / own if own > 0 else (math.inf if drop > 0 else 0.0)
    return LongerStep(used, tuple(losses), before, used[index] if drop > 0 else 0.0, gain)
