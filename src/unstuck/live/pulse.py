"""Whether what an optimizer holds still gets a gradient, late in the run too: a look every so many steps.

Full samples of a short run are those of its beginning. A model that is made anew later on (after a checkpoint was loaded)
leaves its optimizer with the tensors of the old one; from then on they get no gradient, and this is seen here.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from unstuck.live.fast_path import Track

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

PARAMETERS = 8  # of each optimizer that are looked at, evenly spread
ENTRIES = 64  # of each gradient, and of each parameter to see whether it moves
EVERY = 17  # steps at least; odd, so that optimizers that step by turns are looked at by turns
SHARE = 10  # and a tenth of the steps made: a long run is looked at as often as a short one, on a scale of logarithms
BURST = 4  # full samples when a gradient went missing: the model that is trained instead is seen then


@dataclass
class _Stream:
    """What the looks at one optimizer have shown."""

    gradients: dict[int, tuple[weakref.ref[torch.Tensor], int]] = field(default_factory=dict)  # at the last look
    alive: bool = False  # had a gradient in some look
    since: int | None = None  # the step of the first of the last looks in a row that found none
    until: int = 0
    of: int = 0  # parameters of the optimizer
    moved: bool = False  # some of them changed since then
    values: list[tuple[weakref.ref[torch.Tensor], torch.Tensor]] = field(default_factory=list)  # at that first look


class Pulse:
    """Looks at the gradients that an optimizer stepped with, and tells at the end where they stopped."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.streams: dict[int, _Stream] = {}
        self.next = 0  # total steps at which to look again

    def stopped(self, optimizer: torch.optim.Optimizer, track: Track, step: int) -> bool:
        """Look, if it is time; True at the first look that finds no new gradient where there were some before."""
        steps = self.watcher.fast.steps
        if steps < self.next:
            return False
        self.next = steps + max(EVERY, steps // SHARE) // 2 * 2 + 1
        stream = self.streams.setdefault(track.number, _Stream())
        parameters = _some(optimizer)
        if _alive(parameters, stream):
            stream.alive, stream.since = True, None
            stream.values.clear()
            return False
        seen = stream.alive or bool(self.watcher.sampler.ownership.live.get(track.number))
        if not seen:
            return False  # never had one: the first samples tell of that
        stream.until = step
        stream.of = sum(len(group["params"]) for group in optimizer.param_groups)
        with torch.no_grad():
            if stream.since is not None:
                # Now, not at the end: the script may have let go of everything by then.
                held = [(ref(), before) for ref, before in stream.values]
                stream.moved |= any(p is not None and not torch.equal(_first(p), before) for p, before in held)
                return False
            stream.since, stream.moved = step, False
            stream.values = [(weakref.ref(p), _first(p).clone()) for p in parameters]
        return True

    def without(self, stream: int) -> bool:
        """Whether this stream's optimizer was without a new gradient at the last look."""
        seen = self.streams.get(stream)
        return seen is not None and seen.since is not None

    def report(self) -> None:
        """The run ends: which optimizers went on without a gradient."""
        made = {track.number: track.steps for track in self.watcher.tracks.values()}
        for number, stream in self.streams.items():
            if stream.since is None or stream.until <= stream.since:
                continue
            self.watcher.event(
                "gradients_stopped",
                stream=number,
                step=stream.since,
                limit=20,
                **{
                    "o": number,
                    "from": stream.since,
                    "to": stream.until,
                    "steps": made.get(number, stream.until + 1),
                    "of": stream.of,
                    "moved": stream.moved,
                },
            )
        self.streams.clear()


def _some(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    held = [p for group in optimizer.param_groups for p in group["params"]]
    return held[:: max(1, -(-len(held) // PARAMETERS))]


def _first(parameter: torch.Tensor) -> torch.Tensor:
    # A slice of the first dimension only is a view in any memory layout.
    values = parameter.detach()
    if not values.dim():
        return values.reshape(1)
    rows = max(1, ENTRIES // max(1, values[:1].numel()))
    return values[:rows].reshape(-1)[:ENTRIES]


def _alive(parameters: list[torch.Tensor], stream: _Stream) -> bool:
    """Any of them has a gradient that is new since the last look and not zero."""
    before = stream.gradients
    now: dict[int, tuple[weakref.ref[Any], int]] = {}
    alive = False
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None:
            continue
        if gradient.layout != torch.strided:
            alive = True
            continue
        key, version = id(parameter), gradient._version
        known = before.get(key)
        now[key] = (weakref.ref(gradient), version)
        if alive or (known is not None and known[0]() is gradient and known[1] == version):
            continue  # the very same: nobody cleared it and nothing was added
        # On an accelerator a value would make the host wait for the device.
        # Of a large table of embeddings the first rows are seldom asked for: all of it is looked at then.
        alive = gradient.device.type != "cpu" or bool(_first(gradient).any()) or bool(gradient.any())
    stream.gradients = now
    return alive
