"""The batch normalizations of a model in evaluation: their running statistics against the batch that enters them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from unstuck import probes
from unstuck.live.budget import clock

if TYPE_CHECKING:
    from unstuck.live.evaluation import EvaluationWatch

NORM_LAYERS = 64  # batch normalizations whose statistics are compared with a batch; a ResNet of 50 layers has 53
FREE_LOOKS = 4  # on the allowance of the first samples: some milliseconds each


class NormLooks:
    """Looks at the batch normalizations of one block without gradient after the other."""

    def __init__(self, evaluation: EvaluationWatch) -> None:
        self.evaluation = evaluation
        self.found: dict[str, dict[str, Any]] = {}  # of this block, by the layer's name
        self.names: dict[int, dict[int, str]] = {}  # of each model: id of a part, its name
        self.price = 0.002  # of one block
        self.looks = 0
        self.wanted = False

    def block_begins(self) -> None:
        """A block is looked into: at its normalizations too, where that can be afforded."""
        watcher = self.evaluation.watcher
        self.found = {}
        free = self.looks < FREE_LOOKS and watcher.budget.allows_first(self.price)
        self.wanted = free or watcher.credit(clock(), reserve=False) >= self.price

    def part_called(self, part: torch.nn.Module, args: tuple) -> bool:
        """A part of a model is called without gradient: a batch normalization is compared with what enters it.

        True while that is paid from the allowance.
        """
        model = self.evaluation.last_model
        if model is None or not self.wanted or not probes.keeps_statistics(part):
            return False
        if part.training or not args or not isinstance(args[0], torch.Tensor) or len(self.found) >= NORM_LAYERS:
            return False
        names = self.names.get(model.number)
        if names is None:
            root = model.module()
            names = {id(m): name for name, m in root.named_modules()} if root is not None else {}
            self.names[model.number] = names
        name = names.get(id(part))
        if name is None or name in self.found:  # the first pass of a block tells enough
            return False
        start = clock()
        told = probes.running_statistics(part, args[0])
        if told is not None:
            self.found[name] = {"name": f"{model.name}.{name}" if name else model.name, **told}
            self.price = max(self.price, len(self.found) * (clock() - start))
        return self.looks < FREE_LOOKS

    def write(self) -> None:
        """The block is left: what was found in it becomes an event."""
        if not self.found:
            return
        self.looks += 1
        watcher, model = self.evaluation.watcher, self.evaluation.last_model
        watcher.event(
            "evaluation_norms",
            step=watcher.current_step(),
            limit=40,
            model=model.name if model is not None else "",
            layers=list(self.found.values()),
        )
        self.found = {}
