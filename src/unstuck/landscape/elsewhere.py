"""Whether another start leads lower: descents from drawn places, on the same loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from unstuck.landscape.descent import descend
from unstuck.objective.contract import Objective

MOST_STARTS = 64
MATERIAL = 0.01
"""Of the loss here: what another end must be lower by to count; descents stop within a small part of that."""


@dataclass(frozen=True)
class Elsewhere:
    """The lowest loss that descents from other starts came to, of how many, and how many were lower than ``here`` by 1 %."""

    here: float
    lowest: float
    starts: int
    lower: int
    place: Tensor

    def as_json(self) -> dict[str, float | int]:
        """Plain numbers, without the place."""
        return {"here": self.here, "lowest": self.lowest, "starts": self.starts, "lower": self.lower}


def search_elsewhere(
    objective: Objective,
    here: Tensor,
    draw: Callable[[], Tensor],
    *,
    going: Callable[[], bool] = lambda: True,
    enough: float = -math.inf,
    starts: int = MOST_STARTS,
) -> Elsewhere | None:
    """Descend from places that ``draw`` gives (flat vectors), as long as ``going()``; None when none came to an end.

    ``enough``: a loss at which the search is over. *Cost*: up to 200 iterations of BFGS for each start.

    >>> import torch
    >>> from unstuck.objective import FormulaObjective
    >>> two = FormulaObjective(lambda w: (w[0] ** 2 - 1) ** 2 + 0.3 * w[0], torch.tensor([1.0], dtype=torch.float64))
    >>> found = search_elsewhere(two, two.start(), lambda: torch.tensor([-2.0], dtype=torch.float64), starts=1)
    >>> found.lower, round(found.lowest, 3)
    (1, -0.305)
    """
    level = objective.value(here)
    lowest, place, ended, lower = math.inf, here, 0, 0
    while ended < starts and going():
        end, value = descend(objective, draw(), going=going)
        is_lower = level - value > MATERIAL * abs(level)
        ended += going() or is_lower  # one that time cut short tells nothing, unless it is lower already
        lower += is_lower
        if value < lowest:
            lowest, place = value, end
        if lowest <= enough:
            break
    return Elsewhere(level, lowest, ended, lower, place) if ended and math.isfinite(lowest) else None
