"""Trainings in torch.func's style: no tensor asks for a gradient and no optimizer steps, so the loss alone is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from unstuck.live.fast_path import BY_HAND, Track
from unstuck.live.own_work import OwnWork

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

HELD_BACK = (
    20  # calls until it is believed: before that they may be derivatives inside of an ordinary training's first step
)
WHY = "torch.func's transforms hide the graph: of such a training the loss alone is judged"


class FunctionalGradients:
    """Each call of ``torch.func.grad`` or ``grad_and_value`` outside of other transforms is a step, where nothing else is."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.held: list[tuple[float, float]] = []
        self.track: Track | None = None

    def heard(self, value: Any) -> None:
        """A gradient was computed, of a function that gave this value."""
        watcher = self.watcher
        if not watcher.active or watcher.busy:
            return
        if watcher.tracks or watcher.fast.loss_number or watcher.more_backwards or watcher.by_hand is not self.track:
            self.held.clear()
            return
        with OwnWork(watcher, "functional"):
            if not isinstance(value, torch.Tensor) or value.numel() != 1 or _inside_a_transform(value):
                return
            if self.track is None:
                self.held.append((float(value.detach()), watcher.now()))
                if len(self.held) < HELD_BACK:
                    return
                self.track = watcher.by_hand = Track(BY_HAND, None)
                watcher.event("unseen", what="the graph of the loss", why=WHY)
                for loss, at in self.held:
                    watcher.step_by_hand(self.track, loss, at)
                self.held.clear()
                watcher.schedule.sampled(self.track)
                return
            watcher.step_by_hand(self.track, float(value.detach()), watcher.now())
            if watcher.schedule.sampling:
                watcher.schedule.sampled(self.track)


def _inside_a_transform(value: torch.Tensor) -> bool:
    """A value of torch.func's own, which stands for many or for a derivative still to be taken."""
    wrapped = getattr(getattr(torch._C, "_functorch", None), "is_functorch_wrapped_tensor", None)
    return bool(wrapped(value)) if wrapped is not None else True
