"""Common seeds: the same script starts from the same random states in every arm with the same seed number.

Calls by which a script seeds itself get the arm's number added, so arm 0 is the script's own run; a script that
does not seed itself is seeded before it begins. Seeds that come from the clock are noted in the first replay and given
again, in the order of the calls, in all later ones.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

UNSEEDED = 20_000  # where scripts begin that never call a seed function


class Seeds:
    """Offsets of the seed functions in one process."""

    def __init__(self, offset: int, known: dict[str, list[int]] | None = None) -> None:
        self.offset = offset
        self.known = known or {}
        self.given: dict[str, list[int]] = {}  # as the script gave them, by function

    def start(self) -> None:
        """Seed Python's generator and see to its seed function."""
        seed = random.seed
        seed(UNSEEDED + self.offset)
        self._replace(random, "seed", "random.seed", lambda: UNSEEDED)

    def numpy_imported(self, numpy: ModuleType) -> None:
        """The same for NumPy's global generator, and for generators made without a seed."""
        numpy.random.seed(UNSEEDED + self.offset)
        self._replace(numpy.random, "seed", "numpy.random.seed", lambda: UNSEEDED)
        make = numpy.random.default_rng
        made = 0

        def default_rng(seed: Any = None) -> Any:
            nonlocal made
            if seed is not None:
                return make(seed)
            made += 1
            return make([UNSEEDED, made, self.offset])

        numpy.random.default_rng = default_rng

    def torch_imported(self, torch: Any) -> None:
        """The same for torch's global generators."""
        torch.manual_seed(UNSEEDED + self.offset)
        manual = torch.manual_seed

        def fresh() -> int:
            manual(UNSEEDED + self.offset)
            return UNSEEDED

        self._replace(torch, "manual_seed", "torch.manual_seed", fresh)
        torch.random.manual_seed = torch.manual_seed
        torch.seed = torch.random.seed = fresh

    def _replace(self, owner: Any, name: str, key: str, fresh: Callable[[], int]) -> None:
        original = getattr(owner, name)

        def seed(value: Any = None, *args: Any, **kwargs: Any) -> Any:
            value = kwargs.pop("seed", kwargs.pop("a", value))
            asked = fresh() if value is None else value
            if not isinstance(asked, int):
                try:
                    asked = int(asked)
                except (TypeError, ValueError):
                    return original(value, *args, **kwargs)
            if _from_library():
                return original(asked, *args, **kwargs)
            calls = self.given.setdefault(key, [])
            earlier = self.known.get(key, [])
            if len(calls) < len(earlier):
                asked = earlier[len(calls)]
            calls.append(asked)
            return original((asked + self.offset) % 2**32, *args, **kwargs)

        setattr(owner, name, seed)


def _from_library() -> bool:
    """Whether the caller of a seed function is an installed library (a data loader's worker), not the script."""
    from unstuck.launch.frames import is_users

    frame = sys._getframe(2)
    name = frame.f_code.co_filename
    # Training frameworks seed on the script's behalf; torch's own machinery does so for its workers.
    return not is_users(name) and "/torch/" in name
