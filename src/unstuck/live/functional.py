"""Trainings in torch.func's style: no tensor asks for a gradient and no optimizer steps, so the loss alone is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from unstuck.live.own_work import OwnWork

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

# Calls until it is believed: fewer may be derivatives inside of something else.
FEWEST = 20
MOST = 100_000  # calls that are kept
WHY = "torch.func's transforms hide the graph: of such a training the loss alone is judged"


class FunctionalGradients:
    """Each call of ``torch.func.grad`` or ``grad_and_value`` outside of other transforms is a step, where no other was made.

    That is known when the script has ended, so the values are kept until then; nothing else of the watcher hears of them.
    """

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.kept: list[tuple[Any, float]] = []
        self.written = False

    def heard(self, value: Any) -> None:
        """A gradient was computed, of a function that gave this value."""
        watcher = self.watcher
        if not watcher.active or watcher.busy or len(self.kept) >= MOST:
            return
        if self._other_training():
            self.kept.clear()
            return
        with OwnWork(watcher, "functional"):
            if isinstance(value, torch.Tensor) and value.numel() == 1 and not _inside_a_transform(value):
                # On an accelerator it is read later: reading it now would make the host wait for the device.
                on_host = value.device.type == "cpu"
                self.kept.append((float(value.detach()) if on_host else value.detach(), watcher.now()))

    def _other_training(self) -> bool:
        watcher = self.watcher
        by_hand = watcher.by_hand.held or watcher.by_hand.track is not None
        backward = watcher.fast.loss_number or watcher.more_backwards or by_hand
        return bool(watcher.tracks) or bool(backward)

    def report(self) -> None:
        """The script has ended: if there was no other training, these were its steps."""
        watcher = self.watcher
        if len(self.kept) >= FEWEST and not self._other_training():
            self.written = True
            watcher.by_hand.begin()
            watcher.event("unseen", what="the graph of the loss", why=WHY)
            for loss, at in self.kept:
                watcher.by_hand.write(float(loss), at)
        self.kept.clear()


def _inside_a_transform(value: torch.Tensor) -> bool:
    """A value of torch.func's own, which stands for many or for a derivative still to be taken."""
    wrapped = getattr(getattr(torch._C, "_functorch", None), "is_functorch_wrapped_tensor", None)
    return bool(wrapped(value)) if wrapped is not None else True
