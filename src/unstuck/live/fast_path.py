"""What is done on a step that is not sampled, and nothing more.

A step of a tiny network lasts 200 µs, 3 % of which is 6 µs; with the caches cold between torch's kernels every line
of Python costs several times what a warm loop shows. So the two functions here are closures over a few cells, write a
step as 40 bytes into shared memory (``record.tail``), and leave formatting to :meth:`FastPath.flush`, about once a
second. Anything unusual (another optimizer, several losses, a scaler) goes the long way through the watcher.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from unstuck.record.journal import Journal
from unstuck.record.tail import RECORD_BYTES, SLOTS, Tail

FLUSH_SECONDS = 0.5
# Time of one fast step that its own two clock readings do not see: both calls, the loss, the return.
# Measured as the difference of process time with and without taps on a 230 µs step: 3 to 5 µs.
UNSEEN_SECONDS = 4e-6

MOST_PENDING = 512  # losses held for a step that does not come

Row = tuple[
    int, int, float, float, int, Any, Any, Any
]  # stream, step, seconds, loss, examples, rate, clip norm, clip maximum


class Track:
    """What is kept of one stream between its steps."""

    __slots__ = ("described", "full", "loss_number", "number", "rate", "rates", "ref", "steps")

    def __init__(self, number: int, ref: Callable[[], Any] | None) -> None:
        self.number = number
        self.ref = ref
        self.steps = 0
        self.full = 0  # full samples taken
        self.rate: Any = None  # of the first group
        self.rates: list[Any] = []  # of all groups
        self.loss_number = 0  # which loss it stepped on last
        self.described = False


class FastPath:
    """State shared by the closures and the watcher."""

    __slots__ = (
        "clip", "depth", "examples", "journal", "last_examples", "last_flush", "last_loss", "look", "loss_number",
        "next_look", "node_type", "on", "own", "read_examples", "rows", "slot", "steps", "tail", "tracks", "values", "zero",
    )  # fmt: skip

    def __init__(self, zero: float, look: Callable[[Any, Track, int, float], None]) -> None:
        self.on = False  # whether a step may go this way now
        self.depth = 0  # of backward passes
        self.values: list[float] = []  # losses since the last step
        self.examples: list[int] = []
        self.rows: list[Row] = []
        self.tracks: dict[int, Track] = {}
        self.clip: tuple[Any, Any] | None = None
        self.node_type: type | None = None
        self.read_examples: Callable[[Any], int] = _unknown
        self.steps = 0
        self.next_look = 0
        self.look = look
        self.loss_number = 0  # losses that a step was made on
        self.last_loss = math.nan
        self.last_examples = 0
        self.own = 0.0
        self.zero = zero
        self.last_flush = perf_counter()
        self.slot = 0
        self.tail: Tail | None = None
        self.journal: Journal | None = None

    def attach(self, journal: Journal) -> None:
        """Use this journal, with a ring beside it when there can be one."""
        self.journal = journal
        try:
            self.tail = Tail(journal.path)
        except OSError:  # without the ring the steps since the last flush die with the process
            self.tail = None

    def make_backward(self, original: Any, begins: Callable[[Any], None], ended: Callable[[], None]) -> Any:
        """The wrapper around ``torch.autograd.backward``."""
        state = self
        values, examples = self.values, self.examples
        compiling = torch.compiler.is_compiling

        def backward(*args: Any, **kwargs: Any) -> Any:
            if state.on and not state.depth and len(values) < MOST_PENDING and not compiling():
                state.depth = 1
                try:
                    root = args[0]
                    values.append(root.item())
                    node = root.grad_fn
                    examples.append(state.read_examples(node) if type(node) is state.node_type else 0)
                except Exception:
                    state.depth = 0
                    del values[len(examples) :]
                else:
                    try:
                        return original(*args, **kwargs)
                    finally:
                        state.depth = 0
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
        state = self
        values, examples, rows, tracks = self.values, self.examples, self.rows, self.tracks
        compiling = torch.compiler.is_compiling
        clock = perf_counter

        def hook(optimizer: Any, args: Any, kwargs: Any) -> None:
            if compiling():
                return
            track = tracks.get(id(optimizer))
            if track is None or not state.on or len(values) != 1 or track.ref() is not optimizer:
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
                state.steps += 1
                at = now - state.zero
                clip = state.clip
                if clip is None:
                    rows.append((track.number, step, at, loss, size, new, None, None))
                else:
                    rows.append((track.number, step, at, loss, size, new, clip[0], clip[1]))
                    state.clip = None
                tail = state.tail
                if tail is not None:
                    slot = state.slot
                    tail.pack(tail.map, slot * RECORD_BYTES, track.number, size, at, loss, rate, step + 1)
                    state.slot = slot + 1
                if len(rows) >= SLOTS or now - state.last_flush > FLUSH_SECONDS:
                    state.flush()
                if state.steps >= state.next_look:
                    state.look(optimizer, track, step, now)
            except Exception:  # whatever it is, the training goes on; the long way reports it
                state.on = False
                slow(optimizer)
            state.own += clock() - now + UNSEEN_SECONDS

        return hook

    def flush(self) -> None:
        """Write the steps held back as lines of the journal."""
        self.slot = 0
        self.last_flush = perf_counter()
        rows = self.rows
        journal = self.journal
        if not rows or journal is None:
            return
        write = journal.step
        for stream, step, at, loss, size, rate, norm, maximum in rows:
            if rate is None and maximum is None:
                write(stream, step, at, loss, size or None)
            else:
                write(
                    stream,
                    step,
                    at,
                    loss,
                    size or None,
                    lr=None if rate is None else [rate],
                    clip_norm=None if norm is None else _number(norm),
                    clip_maximum=None if maximum is None else float(maximum),
                )
        rows.clear()

    def close(self) -> None:
        """Flush, and take the ring away."""
        self.on = False
        self.flush()
        if self.tail is not None:
            self.tail.close()
            self.tail = None


def _unknown(node: Any) -> int:
    return 0


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return math.nan
