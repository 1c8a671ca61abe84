"""What is done on a step that is not sampled, and nothing more.

A step of a tiny network lasts 200 µs, 3 % of which is 6 µs; with the caches cold between torch's kernels every line
of Python costs several times what a warm loop shows (measured on such a step: reading the loss 3 µs, the batch size off
the graph 9 µs, 40 bytes into shared memory 5 µs). So the two functions here are closures over a few cells, and formatting
is left to :meth:`FastPath.flush`, several times a second. On steps of less than a millisecond the batch size is read
on one step in sixteen, and steps go into the ring of ``record.tail`` only where a millisecond or more is spent on each.
Anything unusual (another optimizer, several losses, a scaler) goes the long way through the watcher.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from unstuck.record.journal import Journal
from unstuck.record.tail import RECORD_BYTES, SLOTS, Tail

FLUSH_SECONDS = 0.25
SHORT_STEP_SECONDS = 1e-3
TIMED = 15  # of sixteen steps one is timed, and stands for all
# Time of one fast step that its own two clock readings do not see: both calls, the loss, the return.
# Measured as the difference of thread time with and without taps on a 230 µs step, less what the readings saw.
UNSEEN_SECONDS = 5e-6
MOST_PENDING = 512  # losses held for a step that does not come

Row = tuple[int, int, float, float, int, Any, Any]  # stream, step, seconds, loss, examples, rate, clip (norm, maximum)

BY_HAND = -1  # the stream of updates made without an optimizer


class Track:
    """What is kept of one stream between its steps."""

    __slots__ = ("described", "full", "loss_number", "number", "rate", "rates", "ref", "steps")

    def __init__(self, number: int, ref: Callable[[], Any] | None) -> None:
        self.number = number
        self.ref: Callable[[], Any] = ref if ref is not None else _nobody
        self.steps = 0
        self.full = 0  # full samples taken
        self.rate: Any = None  # of the first group
        self.rates: list[Any] = []  # of all groups
        self.loss_number = 0  # which loss it stepped on last
        self.described = False


class FastPath:
    """State shared by the closures and the watcher."""

    def __init__(self, zero: float, look: Callable[[Any, Track, int, float], None]) -> None:
        self._on = [False]  # a cell of its own: the first thing both closures read
        self.values: deque[Any] = deque(maxlen=MOST_PENDING)  # losses since the last step
        self.examples: deque[int] = deque(maxlen=MOST_PENDING)
        self.rows: list[Row] = []
        self.tracks: dict[int, Track] = {}
        self.clip: tuple[Any, Any] | None = None
        self.node_type: type | None = None
        self.read_examples: Callable[[Any], int] = _unknown
        self.steps = 0
        self.next_look = 0
        self.loss_number = 0  # losses that a step was made on
        self.last_loss = math.nan
        self.last_examples = 0
        self.look = look
        self.own = 0.0
        self.zero = zero
        self.last_flush = perf_counter()
        self.slot = 0
        self.mask = 0  # which steps have their batch size read: those with no bit of it in their number
        self.ring: Tail | None = None
        self.tail: Tail | None = None  # the ring, while steps are long enough for it
        self.journal: Journal | None = None

    @property
    def on(self) -> bool:
        """Whether a step may go this way now."""
        return self._on[0]

    @on.setter
    def on(self, wanted: bool) -> None:
        self._on[0] = wanted

    def attach(self, journal: Journal) -> None:
        """Use this journal, with a ring beside it when there can be one."""
        self.journal = journal
        try:
            self.ring = self.tail = Tail(journal.path)  # until the first flush shows how long a step is
        except OSError:  # without the ring the steps since the last flush die with the process
            self.ring = None

    def make_backward(self, original: Any, begins: Callable[[Any], None], ended: Callable[[], None]) -> Any:
        """The wrapper around ``torch.autograd.backward``."""
        state, on = self, self._on
        take_value, take_examples = self.values.append, self.examples.append
        compiling = torch.compiler.is_compiling

        def backward(*args: Any, **kwargs: Any) -> Any:
            if on[0]:
                on[0] = False  # what happens inside is not another loss
                try:
                    root = args[0]
                    value = root.item()
                    if state.steps & state.mask:
                        size = 0
                    else:
                        node = root.grad_fn
                        size = state.read_examples(node) if type(node) is state.node_type else 0
                    take_value(value)
                    take_examples(size)
                except Exception:
                    on[0] = True
                else:
                    try:
                        return original(*args, **kwargs)
                    finally:
                        on[0] = True
            if compiling():
                return original(*args, **kwargs)
            begins(args[0] if args else kwargs.get("tensors"))
            try:
                return original(*args, **kwargs)
            finally:
                ended()

        return backward

    def make_step_hook(self, slow: Callable[[Any], None]) -> Any:
        """The global hook after an optimizer's step."""
        state, on = self, self._on
        values, examples, rows, tracks = self.values, self.examples, self.rows, self.tracks
        compiling = torch.compiler.is_compiling
        clock = perf_counter

        def hook(optimizer: Any, args: Any, kwargs: Any) -> None:
            track = tracks.get(id(optimizer)) if on[0] else None
            if track is None or len(values) != 1 or track.ref() is not optimizer:
                if not compiling():
                    slow(optimizer)
                return
            now = clock()
            try:
                groups = optimizer.param_groups
                rate = groups[0]["lr"]
                new = None
                if rate is not track.rate and rate != track.rate:
                    if type(rate) is not float:
                        slow(optimizer)
                        return
                    new = track.rate = rate
                if len(groups) > 1 and [group["lr"] for group in groups] != track.rates:
                    slow(optimizer)
                    return
                loss = state.last_loss = values.pop()
                size = state.last_examples = examples.pop()
                track.loss_number = state.loss_number = state.loss_number + 1
                step = track.steps
                track.steps = step + 1
                steps = state.steps = state.steps + 1
                at = now - state.zero
                rows.append((track.number, step, at, loss, size, new, state.clip))
                state.clip = None
                tail = state.tail
                if tail is not None:
                    slot = state.slot
                    tail.pack(tail.map, slot * RECORD_BYTES, track.number, size, at, loss, rate, step + 1)
                    state.slot = slot + 1
                if now - state.last_flush > FLUSH_SECONDS or len(rows) >= SLOTS:
                    state.flush()
                if steps >= state.next_look:
                    state.look(optimizer, track, step, now)
            except Exception:  # whatever it is, the training goes on; the long way reports it
                on[0] = False
                slow(optimizer)
            if not state.steps & TIMED:
                state.own += (TIMED + 1) * (clock() - now + UNSEEN_SECONDS)

        return hook

    def flush(self) -> None:
        """Write the steps held back as lines of the journal."""
        self.slot = 0
        self.last_flush = perf_counter()
        rows = self.rows
        journal = self.journal
        if not rows or journal is None:
            return
        if len(rows) >= 2:
            long = rows[-1][2] - rows[0][2] > SHORT_STEP_SECONDS * (len(rows) - 1)
            self.mask = 0 if long else TIMED
            self.tail = self.ring if long else None
        write = journal.step
        for stream, step, at, loss, size, rate, clip in rows:
            if rate is None and clip is None:
                write(stream, step, at, loss, size or None)
            else:
                write(
                    stream,
                    step,
                    at,
                    loss,
                    size or None,
                    lr=None if rate is None else [rate],
                    clip_norm=None if clip is None else _number(clip[0]),
                    clip_maximum=None if clip is None else float(clip[1]),
                )
        rows.clear()
        # Formatting is done every so many steps: it is booked whole, not by the sixteenth.
        self.own += perf_counter() - self.last_flush

    def close(self) -> None:
        """Flush, and take the ring away."""
        self.on = False
        self.flush()
        self.tail = None
        if self.ring is not None:
            self.ring.close()
            self.ring = None


def _nobody() -> None:
    return None


def _unknown(node: Any) -> int:
    return 0


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return math.nan
