"""The watcher: hears what happens in the training loop, keeps every step, samples what it can afford.

The path taken on every step is short on purpose: a step of a tiny network lasts 200 µs, and 3 % of that is 6 µs.
Everything dear is done by the :class:`~unstuck.watch.sampler.Sampler`, on sampled steps only.
"""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Callable
from typing import Any

import torch

from unstuck.launch.frames import user_line
from unstuck.launch.taps import Taps
from unstuck.record.journal import Journal
from unstuck.watch.budget import FULL_SAMPLES, UNSEEN_SECONDS, Budget, clock
from unstuck.watch.evaluation import EvaluationWatch
from unstuck.watch.registry import Registry, optimizer_options
from unstuck.watch.sampler import Sampler

BY_HAND = -1  # the stream of updates made without an optimizer
HELD_BACK = 64  # backward passes without a step before they are written as a stream of their own
MAX_CRASHES = 3


class Track:
    """What the watcher keeps of one stream between steps."""

    __slots__ = ("burst", "described", "full", "groups", "last_sampled", "number", "rates", "ref", "steps")

    def __init__(self, number: int, optimizer: torch.optim.Optimizer | None) -> None:
        self.number = number
        self.ref = weakref.ref(optimizer) if optimizer is not None else None
        self.steps = 0
        self.full = 0
        self.rates: list[Any] = []
        self.groups = 0
        self.described = False
        self.last_sampled = -1
        self.burst = 0


class Watcher:
    """Listens to the taps of one process and writes its journal."""

    def __init__(
        self,
        open_journal: Callable[[], Journal],
        *,
        overhead: float = 0.03,
        allowance: float = 1.0,
        only: tuple[torch.optim.Optimizer, ...] = (),
    ) -> None:
        started = clock()
        self._open_journal = open_journal
        self._journal: Journal | None = None
        self.pid = os.getpid()
        self.active = True
        self.busy = False  # our own code runs: taps it sets off are not the script's
        self.depth = 0  # of backward passes: the outermost counts
        self.step_stack: list[int] = []
        self.step_depth = 0
        self.keep_step_begins = False
        self.zero = started
        self.budget = Budget(overhead, allowance)
        self.registry = Registry()
        self.tracks: dict[int, Track] = {}
        self.by_hand: Track | None = None
        self.only = {id(o) for o in only}
        self.pending: list[float] = []  # losses of the backward passes since the last step
        self.pending_batch = 0
        self.shared: tuple[list[float], int] = ([], 0)  # the losses of the step before, for an optimizer that shares them
        self.shared_with: set[int] = set()
        self.unstepped = 0  # backward passes since the last step of any optimizer
        self.backwards = 0
        self.total_steps = 0
        self.held: list[tuple[float, int, float]] = []  # backward passes not yet known to be steps by hand
        self.sampling = True  # the step under way is sampled
        self.next_look = 0  # total steps at which the budget is asked again
        self.light_every = 0
        self.next_light = 0
        self.crashes: dict[str, int] = {}
        self.scaled: dict[int, tuple[Any, Any]] = {}
        self.clip: tuple[Any, float] | None = None
        self.compiled_models = False
        self.fast: tuple[type, Callable[[Any], int]] | None = None  # how to read the batch size off a loss
        self.finished = False
        self.first_samples_done = False
        self.burst_left = 0
        self.light_samples = 0
        self.full_samples = 0
        self.nested_classes: dict[type, bool] = {}
        self.events_written: dict[str, int] = {}

        self.taps = Taps(self)
        self.sampler = Sampler(self)
        self.evaluation = EvaluationWatch(self)
        self.taps.install()
        self.taps.hear_modules(True)
        self.taps.hear_step_begins(True)
        os.register_at_fork(after_in_child=self._after_fork)
        self.budget.starting = clock() - started

    # -- the journal -------------------------------------------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        if self._journal is None:
            self._journal = self._open_journal()
        return self._journal

    def event(self, kind: str, *, stream: int = 0, step: int | None = None, limit: int = 200, **data: Any) -> None:
        """Write an event; at most ``limit`` of a kind."""
        count = self.events_written.get(kind, 0)
        if count >= limit:
            return
        self.events_written[kind] = count + 1
        self.journal.record({"e": "event", "kind": kind, "o": stream, "s": step, "data": data})

    def crashed(self, probe: str, error: Exception) -> None:
        """A probe raised: note it; one that keeps raising is not asked again."""
        self.crashes[probe] = self.crashes.get(probe, 0) + 1
        if self.crashes[probe] <= MAX_CRASHES:
            text = f"{type(error).__name__}: {error}"[:500]
            self.event("crashed", probe=probe, error=text)

    def works(self, probe: str) -> bool:
        return self.crashes.get(probe, 0) < MAX_CRASHES

    def now(self) -> float:
        return clock() - self.zero

    def spent(self, seconds: float) -> None:
        if self.first_samples_done:
            self.budget.running += seconds
        else:
            self.budget.first += seconds

    def current_step(self) -> int | None:
        """The step under way in the stream that stepped last."""
        return max((t.steps for t in self.tracks.values()), default=None)

    # -- backward ----------------------------------------------------------------------------------------------------

    def backward_begins(self, tensors: Any) -> None:
        """A backward pass is about to start."""
        self.depth += 1
        if self.depth > 1 or not self.active or self.busy:
            return
        start = clock()
        try:
            root = tensors if isinstance(tensors, torch.Tensor) else tensors[0] if len(tensors) == 1 else None
            self._hear_loss(root, tensors)
        except Exception as error:
            self.crashed("backward", error)
        self.spent(clock() - start + UNSEEN_SECONDS)

    def backward_ended(self) -> None:
        """A backward pass is over, or raised."""
        self.depth -= 1
        if self.sampling and self.depth == 0 and self.active and not self.busy:
            start = clock()
            try:
                self.sampler.after_backward()
            except Exception as error:
                self.crashed("after_backward", error)
            self.spent(clock() - start)

    def gradients_asked(self, outputs: Any, inputs: Any, create_graph: bool) -> bool:
        """``torch.autograd.grad`` was called; True when it is the training's own gradient."""
        if self.depth or self.busy or not self.active or create_graph:
            return False
        try:
            output = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
            asked = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
            # A gradient penalty asks for the gradient of inputs or keeps the graph; a training loop asks for leaves.
            if output.numel() != 1 or not asked or not all(t.is_leaf and t.requires_grad for t in asked):
                return False
            if torch._C._functorch.maybe_current_level() is not None:
                return False
        except Exception:
            return False
        self.backward_begins(output)
        return True

    def _hear_loss(self, root: torch.Tensor | None, tensors: Any) -> None:
        self.backwards += 1
        self.unstepped += 1
        value = math.nan
        batch = 0
        if root is not None:
            scaled = self.scaled.pop(id(root), None) if self.scaled else None
            loss = root if scaled is None else scaled[0]
            if loss.numel() == 1:
                value = loss.item()
            if self.sampling:
                self.scaled.clear()
                batch = self.sampler.hear_loss(loss)
            else:
                batch = self._quick_batch(loss)
        elif isinstance(tensors, list | tuple) and all(isinstance(t, torch.Tensor) and t.numel() == 1 for t in tensors):
            value = sum(float(t) for t in tensors)
            if self.sampling and tensors:
                batch = self.sampler.hear_loss(tensors[0])
        self.pending.append(value)
        self.pending_batch += batch
        if not self.tracks and self.step_depth == 0:
            self._maybe_by_hand(value, batch)

    def _quick_batch(self, loss: torch.Tensor) -> int:
        """The batch size of an unsampled step, read off the loss's graph the way the last sample showed."""
        fast = self.fast
        node = loss.grad_fn
        if fast is None or type(node) is not fast[0]:
            return 0
        try:
            return fast[1](node)
        except Exception:
            self.fast = None
            return 0

    # -- steps -------------------------------------------------------------------------------------------------------

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer's step is about to start."""
        key = id(optimizer)
        if key in self.step_stack and not self.nested_classes.get(type(optimizer), False):
            self.step_stack.clear()  # a step that raised never came to its end
        self.step_stack.append(key)
        self.step_depth = len(self.step_stack)
        if self.step_depth > 1 and self.step_stack[0] != key:
            self.keep_step_begins = True  # an optimizer that steps another one: the outer one counts
        if self.step_depth > 1 or not self.sampling or not self.active or self.busy:
            return
        if self.only and id(optimizer) not in self.only:
            return
        start = clock()
        try:
            self.sampler.before_step(optimizer, self._track(optimizer))
        except Exception as error:
            self.crashed("before_step", error)
        self.spent(clock() - start)

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer's step is over."""
        if self.step_stack:
            self.step_stack.pop()
            self.step_depth = len(self.step_stack)
            if self.step_depth:
                return
        if not self.active or self.busy or (self.only and id(optimizer) not in self.only):
            return
        start = clock()
        try:
            self._hear_step(optimizer, start)
        except Exception as error:
            self.crashed("step", error)
        self.spent(clock() - start + UNSEEN_SECONDS)

    def _track(self, optimizer: torch.optim.Optimizer) -> Track:
        track = self.tracks.get(id(optimizer))
        if track is None or track.ref is None or track.ref() is not optimizer:
            track = Track(len(self.tracks), optimizer)
            key = id(optimizer)
            self.tracks[key] = track
            self._look_for_nested_steps(type(optimizer))
        return track

    def _look_for_nested_steps(self, kind: type) -> None:
        # A subclass that calls super().step() fires the hooks twice: its depth must be counted at every step.
        hooked = [c for c in kind.__mro__ if "step" in c.__dict__ and getattr(c.__dict__["step"], "hooked", False)]
        self.nested_classes[kind] = len(hooked) > 1
        if self.nested_classes[kind]:
            self.keep_step_begins = True
            self.taps.hear_step_begins(True)

    def _hear_step(self, optimizer: torch.optim.Optimizer, now: float) -> None:
        track = self.tracks.get(id(optimizer))
        if track is None or track.ref is None or track.ref() is not optimizer:
            track = self._track(optimizer)
        step = track.steps
        track.steps = step + 1
        self.total_steps += 1
        if self.unstepped:
            losses, batch = self.pending, self.pending_batch
            self.shared = (losses, batch)
            self.shared_with.clear()
            self.pending = []
            self.pending_batch = 0
            self.unstepped = 0
            if self.held:
                self.held.clear()
        elif track.number not in self.shared_with:
            losses, batch = self.shared
        else:
            losses, batch = [], 0
        self.shared_with.add(track.number)

        groups = optimizer.param_groups
        rates = None
        if len(groups) == 1:
            rate = groups[0]["lr"] if "lr" in groups[0] else None
            if track.groups != 1 or rate is not track.rates[0]:
                rates = self._new_rates(track, groups)
        elif track.groups != len(groups) or [g.get("lr") for g in groups] != track.rates:
            rates = self._new_rates(track, groups)

        count = len(losses)
        if count == 1:
            loss = losses[0]
        else:
            loss = sum(losses) / count if count else None
        journal = self._journal if self._journal is not None else self.journal
        extra = None
        if rates is not None or self.clip is not None:
            extra = self._extra(rates)
        if not track.described:
            self._describe(track, optimizer)
        if not self.sampling and self.next_light and self.total_steps >= self.next_light:
            extra = self._light(optimizer, extra, now)
        if extra is None and loss == loss:
            journal.step(track.number, step, now - self.zero, loss, batch, count or 1)
        else:
            self._write_step(track.number, step, now - self.zero, loss, batch, count, extra)
        if self.sampling:
            self.sampler.after_step(optimizer, track, step)
            self._after_sample(track)
        elif self.total_steps >= self.next_look:
            self._consider(now)

    def _new_rates(self, track: Track, groups: list[dict[str, Any]]) -> list[float] | None:
        raw = [g.get("lr") for g in groups]
        track.rates = raw
        track.groups = len(groups)
        if any(r is None for r in raw):
            return None
        return [float(r) for r in raw]  # type: ignore[arg-type]

    def _extra(self, rates: list[float] | None) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        if rates is not None:
            extra["lr"] = rates
        if self.clip is not None:
            norm, maximum = self.clip
            self.clip = None
            if not (isinstance(norm, torch.Tensor) and norm.device.type != "cpu"):  # reading it would stall the device
                extra["c"] = float(norm)
            extra["cm"] = float(maximum)
        return extra

    def _describe(self, track: Track, optimizer: torch.optim.Optimizer) -> None:
        track.described = True
        groups = []
        for group in optimizer.param_groups:
            names = [self.registry.name_parameter(p, f"parameter{i}") for i, p in enumerate(group["params"][:2000])]
            groups.append({**optimizer_options(group), "params": names})
        self.journal.record(
            {
                "e": "optimizer",
                "o": track.number,
                "kind": type(optimizer).__name__,
                "module": type(optimizer).__module__,
                "groups": groups,
                "line": user_line(),
            }
        )

    def _write_step(
        self, stream: int, step: int, at: float, loss: float | None, batch: int, count: int, extra: dict[str, Any] | None
    ) -> None:
        line: dict[str, Any] = {"e": "step", "o": stream, "s": step, "t": round(at, 6)}
        if loss is not None:
            line["l"] = loss
        if batch:
            line["b"] = batch
        if count > 1:
            line["n"] = count
        if extra:
            line.update(extra)
        self.journal.record(line)

    # -- by hand -----------------------------------------------------------------------------------------------------

    def _maybe_by_hand(self, loss: float, batch: int) -> None:
        """A backward pass, and no optimizer has stepped yet: accumulation, updates by hand, or no updates at all."""
        track = self.by_hand
        if track is None:
            if self.sampler.leaves_moved() or len(self.held) >= HELD_BACK:
                track = self.by_hand = Track(BY_HAND, None)
                for value, size, at in self.held:
                    self._write_by_hand(track, value, size, at)
                self.held.clear()
            else:
                self.held.append((loss, batch, self.now()))
                return
        self._write_by_hand(track, loss, batch, self.now())
        self.pending.clear()
        self.pending_batch = 0
        if self.sampling:
            self._after_sample(track)
        elif self.total_steps >= self.next_look:
            self._consider(clock())

    def _write_by_hand(self, track: Track, loss: float, batch: int, at: float) -> None:
        self._write_step(BY_HAND, track.steps, at, loss, batch, 1, None)
        track.steps += 1
        self.total_steps += 1

    # -- sampling ----------------------------------------------------------------------------------------------------

    def _after_sample(self, track: Track) -> None:
        """A sampled step is over: go on sampling, or look again later?"""
        now = clock()
        track.full += 1
        track.burst += 1
        self.full_samples += 1
        if not self.first_samples_done:
            tracks = [*self.tracks.values()] or [track]
            live = [t for t in tracks if t.full < FULL_SAMPLES]
            recent = [t for t in live if self.total_steps - t.steps < FULL_SAMPLES * 4]
            price = self.sampler.price
            if recent and self.budget.allows_first(price):
                return
            self.first_samples_done = True
            self.budget.close_first(now)
            self.sampler.first_samples_over(enough=not recent)
            self._end_burst(now)
            return
        # Two steps in a row of every stream: the noise is told from neighbors.
        streams = max(1, len(self.tracks))
        self.burst_left -= 1
        if self.burst_left <= 0 or streams > 8:
            self._end_burst(now)

    def _end_burst(self, now: float) -> None:
        self.sampling = False
        self.sampler.rest()
        self.taps.hear_modules(False)
        if not self.keep_step_begins:
            self.taps.hear_step_begins(False)
        # Samples thin out as the run grows: the journal stays bounded by the logarithm of the steps.
        self.next_look = self.total_steps + max(2, self.total_steps // 100)
        self._plan_light(now)

    def _consider(self, now: float) -> None:
        """Take samples now, or say when to ask again."""
        credit = self.budget.credit(now)
        streams = max(1, len(self.tracks))
        wanted = self.sampler.price * 2 * streams
        if credit >= wanted:
            self.burst_left = 2 * streams
            self.sampling = True
            if not self.compiled_models:
                self.taps.hear_modules(True)
            self.taps.hear_step_begins(True)
            return
        elapsed = max(now - self.budget.began, 1e-6)
        steps_since = max(1, self.total_steps)
        seconds_per_step = elapsed / steps_since
        gain = max(self.budget.share * seconds_per_step * 0.5, 1e-9)
        wait = int((wanted - credit) / gain) + 1
        self.next_look = self.total_steps + min(max(wait, 1), 10_000)
        self._plan_light(now)

    def _plan_light(self, now: float) -> None:
        """How often a gradient norm can be had between samples, from what is left of the budget."""
        price = self.sampler.light_price
        if not self.budget.began:
            return
        elapsed = max(now - self.budget.began, 1e-6)
        per_step = elapsed / max(1, self.total_steps)
        spare = self.budget.share * per_step * 0.25
        self.light_every = 1 if spare >= price else min(10_000, math.ceil(price / max(spare, 1e-9)))
        self.next_light = self.total_steps + self.light_every

    def _light(self, optimizer: torch.optim.Optimizer, extra: dict[str, Any] | None, now: float) -> dict[str, Any] | None:
        self.next_light = self.total_steps + self.light_every
        if self.budget.credit(now) < self.sampler.light_price:
            return extra
        norm = self.sampler.gradient_norm(optimizer)
        if norm is None:
            return extra
        self.light_samples += 1
        return {**(extra or {}), "g": norm}

    # -- the rest of what is heard -----------------------------------------------------------------------------------

    def module_called(self, module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        """A module's forward pass begins (only heard on sampled steps and in watched evaluations)."""
        if self.busy or not self.active or torch.compiler.is_compiling():
            return
        registry = self.registry
        model = registry.root(module)
        if model is None:
            if registry.member(module) and next(iter(module.parameters()), None) is not None:
                return
            start = clock()
            try:
                if not registry.member(module):
                    model = registry.add(module)
                self.sampler.module_without_parameters(module, args, kwargs) if model is None else None
            except Exception as error:
                self.crashed("module", error)
            if model is None:
                self.spent(clock() - start)
                return
            self.spent(clock() - start)
        start = clock()
        try:
            if torch.is_grad_enabled():
                if self.sampling:
                    self.sampler.model_called(model, module, args, kwargs)
            else:
                self.evaluation.model_called(model, module, args, kwargs)
        except Exception as error:
            self.crashed("inputs", error)
        self.spent(clock() - start)

    def mode_changed(self, module: torch.nn.Module, training: bool) -> None:
        """``train()`` or ``eval()`` was called."""
        if not self.active or self.busy:
            return
        model = self.registry.root(module)
        if model is None:
            return
        try:
            self.evaluation.mode_changed(model, training)
        except Exception as error:
            self.crashed("mode", error)

    def without_gradient(self, entered: bool) -> None:
        """``no_grad`` or ``inference_mode`` was entered or left."""
        if self.active and not self.busy and self.step_depth == 0 and self.depth == 0:
            self.evaluation.without_gradient(entered)

    def loss_scaled(self, outputs: Any, scaled: Any) -> None:
        """A gradient scaler multiplied the loss: remember the loss itself."""
        if self.active and isinstance(outputs, torch.Tensor) and isinstance(scaled, torch.Tensor):
            if len(self.scaled) > 16:
                self.scaled.clear()
            self.scaled[id(scaled)] = (outputs, scaled)

    def scaler_stepped(self, optimizer: torch.optim.Optimizer, scaler: Any) -> None:
        """A gradient scaler stepped an optimizer, or skipped the step because of non-finite gradients."""
        if not self.active or not self.unstepped:
            return
        track = self.tracks.get(id(optimizer))
        self.pending.clear()
        self.pending_batch = 0
        self.unstepped = 0
        try:
            scale = float(scaler.get_scale())
            self.event("scaler_skipped", stream=track.number if track else 0, step=track.steps if track else 0, scale=scale)
        except Exception as error:
            self.crashed("scaler", error)

    def gradients_clipped(self, norm: Any, maximum: float) -> None:
        """``clip_grad_norm_`` was called."""
        if self.active and not self.busy:
            self.clip = (norm, maximum)

    def compiled(self, target: Any) -> None:
        """``torch.compile`` was called: module hooks would be traced into the compiled code, so there are none any more."""
        if not self.active:
            return
        self.compiled_models = True
        self.taps.hear_modules(False)
        try:
            module = target if isinstance(target, torch.nn.Module) else getattr(target, "__self__", None)
            model = self.registry.add(module, compiled=True) if isinstance(module, torch.nn.Module) else None
            self.event("compiled", model=model.name if model else None, line=user_line())
        except Exception as error:
            self.crashed("compiled", error)

    def saved_tensor_hooks(self) -> None:
        """Hooks on saved tensors (checkpointing, offloading): reading a saved tensor would run the script's code."""
        self.sampler.saved_hooks_active = True

    def loader_started(self, loader: Any) -> None:
        """A pass over a data loader begins."""
        if self.active and not self.busy:
            try:
                self.sampler.loader_started(loader)
            except Exception as error:
                self.crashed("loader", error)

    # -- the end -----------------------------------------------------------------------------------------------------

    def finish(self, *, status: int | None, error: BaseException | None = None, line: dict[str, Any] | None = None) -> None:
        """Write what is known only at the end, close the journal and take the taps out."""
        if self.finished or os.getpid() != self.pid:
            return
        self.finished = True
        start = clock()
        try:
            self.sampler.last_words()
            self.evaluation.last_words()
        except Exception as problem:
            self.crashed("last_words", problem)
        self.active = False
        self.taps.remove()
        exception = None
        if error is not None and not isinstance(error, SystemExit):
            exception = {"type": type(error).__name__, "message": str(error)[:2000], "line": line}
        self.spent(clock() - start)
        if self._journal is None and exception is None and self.backwards == 0 and not self.registry.models:
            return
        self.journal.record(
            {
                "e": "end",
                "status": status,
                "exception": exception,
                "seconds": self.now(),
                "steps": self.total_steps,
                "watcher_seconds": self.budget.total,
                "allowance_seconds": self.budget.first,
                "start_seconds": self.budget.starting,
                "running_seconds": self.budget.running,
                "measured_seconds": max(0.0, clock() - self.budget.began) if self.budget.began else 0.0,
                "samples": self.full_samples,
                "light_samples": self.light_samples,
                "backwards": self.backwards,
            }
        )
        self.journal.close()

    def _after_fork(self) -> None:
        """In a forked child: be silent. A loader's worker never trains; the parent's journal is the parent's."""
        self.active = False
        self.finished = True
        self._journal = None
        self.taps.remove()
