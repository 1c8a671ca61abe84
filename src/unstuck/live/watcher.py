"""The watcher: hears what happens in the training loop, keeps every step, samples what it can afford.

The path taken on every step is short on purpose: a step of a tiny network lasts 200 µs, and 3 % of that is 6 µs.
Everything dear is done by the :class:`~unstuck.live.sampler.Sampler`, on sampled steps only.
"""

from __future__ import annotations

import math
import os
import weakref
from pathlib import Path
from typing import Any

import torch

from unstuck import probes
from unstuck.launch.frames import user_line
from unstuck.launch.taps import Taps
from unstuck.launch.unwatched import listens
from unstuck.live.biopsy import Biopsy
from unstuck.live.budget import UNSEEN_SECONDS, Budget, clock
from unstuck.live.cuts import Cuts
from unstuck.live.evaluation import EvaluationWatch
from unstuck.live.fast_path import FastPath, Track
from unstuck.live.functional import FunctionalGradients
from unstuck.live.loaders import Loaders
from unstuck.live.own_work import OwnWork
from unstuck.live.plateaus import Plateaus
from unstuck.live.registry import Registry, has_parameters, optimizer_options
from unstuck.live.sample_schedule import SampleSchedule
from unstuck.live.sampler import Sampler
from unstuck.live.step_lines import StepLines
from unstuck.live.steps_by_hand import StepsByHand
from unstuck.live.whole_numbers import WholeNumbers
from unstuck.record.journal import Journal

MAX_CRASHES = 3
JUST_NOW = 0.02  # seconds since steps were written: writing them again before an evaluation saves next to nothing


_watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()


def _silence_after_fork() -> None:
    for watcher in list(_watchers):
        watcher.after_fork()


if hasattr(os, "register_at_fork"):  # once for the process: what is registered stays for good
    os.register_at_fork(after_in_child=_silence_after_fork)


class Watcher:
    """Listens to the taps of one process and writes its journal."""

    def __init__(
        self,
        journal: Journal,
        *,
        overhead: float = 0.03,
        allowance: float = 1.0,
        only: tuple[torch.optim.Optimizer, ...] = (),
        probe: bool = False,
        contention: float = 1.0,
    ) -> None:
        started = clock()
        self.probe = probe  # trials on copies at the end were asked for
        self.journal = journal
        self.pid = os.getpid()
        self.active = True
        self.busy = False  # our own code runs: taps it sets off are not the script's
        self.depth = 0  # of backward passes that go the long way: the outermost counts
        self.step_stack: list[int] = []
        self.step_depth = 0
        self.keep_step_begins = False
        self.zero = started
        self.budget = Budget(overhead, allowance, contention)
        self.registry = Registry()
        self.tracks: dict[int, Track] = {}
        self.only = {id(o) for o in only}
        self.more_backwards = 0  # beyond one a step: accumulation, several losses
        self.crashes: dict[str, int] = {}
        self.scaled: dict[int, tuple[Any, Any]] = {}
        self.scaler_seen = False
        self.value_clip: float | None = None  # the bound of the last clip_grad_value_
        self.paused = 0
        self.on_accelerator = False
        self.last_losses: list[Any] = []
        self.last_examples = 0
        self.compiled_models = False
        self.finished = False
        self.nested_classes: dict[type, bool] = {}
        self.events_written: dict[str, int] = {}

        self.schedule = SampleSchedule(self)
        self.fast = FastPath(self.zero, self.schedule.look)
        self.fast.attach(journal)
        self.taps = Taps(self, make_backward=self.fast.make_backward, make_step_hook=self.fast.make_step_hook)
        self.step_lines = StepLines(journal, self.fast)
        self.loaders = Loaders(self)
        self.plateaus = Plateaus(self)
        self.whole_numbers = WholeNumbers(self)
        self.by_hand = StepsByHand(self)
        self.functional = FunctionalGradients(self)
        self.sampler = Sampler(self)
        self.evaluation = EvaluationWatch(self)
        self.biopsy = Biopsy(self)
        self.cuts = Cuts(self)
        self.taps.install()
        self.taps.hear_modules(True)
        self.taps.hear_outputs(True)
        self.taps.hear_step_begins(True)
        _watchers.add(self)
        listens(self)
        self.budget.starting = clock() - started

    def pause(self) -> None:
        """What happens now is no part of the run (a trial of our own inside the script)."""
        self.paused += 1
        if self.paused == 1 and self.active:
            self.fast.on = False
            self.fast.flush()
            self.active = False

    def resume(self) -> None:
        """The run goes on."""
        self.paused = max(0, self.paused - 1)
        if not self.paused and not self.finished and os.getpid() == self.pid:
            self.active = True
            self.fast.on = self.may_be_fast()

    # -- the journal -------------------------------------------------------------------------------------------------

    def event(self, kind: str, *, stream: int = 0, step: int | None = None, limit: int = 200, **data: Any) -> None:
        """Write an event; at most ``limit`` of a kind."""
        if not self.has_room(kind, limit):
            return
        self.events_written[kind] = self.events_written.get(kind, 0) + 1
        self.journal.record({"e": "event", "kind": kind, "o": stream, "s": step, "data": data})

    def has_room(self, kind: str, limit: int = 200) -> bool:
        """Whether an event of this kind would still be written."""
        return self.events_written.get(kind, 0) < limit

    def crashed(self, probe: str, error: Exception) -> None:
        """A probe raised: note it; one that keeps raising is not asked again."""
        self.crashes[probe] = self.crashes.get(probe, 0) + 1
        if self.crashes[probe] <= MAX_CRASHES:
            text = f"{type(error).__name__}: {error}"[:500]
            self.event("crashed", probe=probe, error=text, where=_place(error))

    def works(self, probe: str) -> bool:
        """Whether a probe may still be asked."""
        return self.crashes.get(probe, 0) < MAX_CRASHES

    def now(self) -> float:
        """Seconds since the watcher began."""
        return clock() - self.zero

    def spent(self, seconds: float) -> None:
        """Book own time."""
        if self.schedule.first_done and not self.schedule.in_stage:
            self.budget.running += seconds
        else:
            self.budget.first += seconds

    def credit(self, now: float, *, reserve: bool = True) -> float:
        """Seconds of the running budget that may be spent now, what the fast path took already taken off.

        ``reserve``: less what is kept for looks at the kept batches; samples leave that untouched.
        """
        credit = self.budget.credit(now) - self.fast.own
        return credit - self.biopsy.reserve(now) if reserve else credit

    @property
    def backwards(self) -> int:
        """Backward passes heard."""
        by_hand = 0 if self.functional.written else self.by_hand.count
        return self.fast.loss_number + self.more_backwards + by_hand + len(self.fast.values)

    def current_step(self) -> int | None:
        """The step under way in the longest stream."""
        by_hand = self.by_hand.track
        return max((t.steps for t in self.tracks.values()), default=by_hand.steps if by_hand else None)

    # -- backward ----------------------------------------------------------------------------------------------------

    def backward_begins(self, tensors: Any) -> None:
        """A backward pass is about to start."""
        self.depth += 1
        if self.depth > 1 or not self.active or self.busy:
            return
        try:
            self._mode_over()
            with OwnWork(self, "backward", UNSEEN_SECONDS):
                self._hear_loss(tensors)
        except BaseException:  # Ctrl-C: this pass is never made, and nobody will tell of its end
            self.depth -= 1
            raise

    def _mode_over(self) -> None:
        """Something is trained: what came after ``eval()`` was no evaluation."""
        if self.evaluation.by_mode is not None:
            with OwnWork(self, "mode"):
                self.evaluation.mode_over(trained=True)

    def backward_ended(self) -> None:
        """A backward pass is over, or raised."""
        self.depth = max(0, self.depth - 1)
        if self.schedule.sampling and self.depth == 0 and self.active and not self.busy:
            with OwnWork(self, "after_backward"):
                self.sampler.after_backward()

    def gradients_asked(self, outputs: Any, inputs: Any, create_graph: bool) -> bool:
        """``torch.autograd.grad`` was called; True when it is the training's own gradient."""
        if not self.busy:
            self._mode_over()
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

    def gradients_got(self, inputs: Any, gradients: Any) -> None:
        """What ``torch.autograd.grad`` returned for a loss of the training."""
        if self.schedule.sampling and self.active and not self.busy and not self.tracks:
            with OwnWork(self, "gradients_got"):
                asked = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
                self.sampler.gradients_got(asked, gradients)

    def functional_gradient(self, value: Any) -> None:
        """``torch.func.grad`` or ``grad_and_value`` gave the gradient of a function with this value."""
        self.functional.heard(value)

    def _hear_loss(self, tensors: Any) -> None:
        several = () if isinstance(tensors, torch.Tensor) else tuple(tensors)
        root = tensors if isinstance(tensors, torch.Tensor) else several[0] if len(several) == 1 else None
        value: Any = None
        examples = 0
        if root is not None:
            scaled = self.scaled.pop(id(root), None) if self.scaled else None
            loss = root if scaled is None else scaled[0]
            value = self._value(loss)
            examples = self.sampler.hear_loss(loss) if self.schedule.sampling else self._quick_examples(loss)
            self.scaled.clear()
        elif several and all(isinstance(t, torch.Tensor) and t.numel() == 1 for t in several):
            values = [self._value(t) for t in several]
            value = sum(values) if not any(isinstance(v, torch.Tensor) for v in values) else torch.stack(values).sum()
            if self.schedule.sampling:
                examples = self.sampler.hear_loss(several[0])
        self.fast.values.append(value)
        self.fast.examples.append(examples)
        if not self.tracks and self.step_depth == 0:
            self.by_hand.heard(value, examples)

    def _value(self, loss: torch.Tensor) -> Any:
        if loss.numel() != 1:
            return None
        if loss.device.type == "cpu":
            value = loss.item()
            return value.real if isinstance(value, complex) else float(value)
        self.on_accelerator = True
        return loss.detach()  # read later, with others: reading it now would make the host wait for the device

    def _quick_examples(self, loss: torch.Tensor) -> int:
        """The batch size of an unsampled step, read off the loss's graph the way the last sample showed."""
        read = self.fast.read_examples
        node = loss.grad_fn
        if type(node) is not self.fast.node_type:
            return 0
        try:
            return read(node)
        except Exception:
            self.fast.node_type = None
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
        if self.step_depth > 1 or not self.schedule.sampling or not self.active or self.busy:
            return
        if self.only and key not in self.only:
            return
        try:
            with OwnWork(self, "before_step"):
                track = self._track(optimizer)
                self.biopsy.step_begins(optimizer)
                self.sampler.before_step(optimizer, track)
        except BaseException:  # Ctrl-C: the step is not made
            self.step_stack.pop()
            self.step_depth = len(self.step_stack)
            raise

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer's step is over."""
        if self.step_stack:
            self.step_stack.pop()
            self.step_depth = len(self.step_stack)
            if self.step_depth:
                return
        if not self.active or self.busy or (self.only and id(optimizer) not in self.only):
            return
        now = clock()
        with OwnWork(self, "step", UNSEEN_SECONDS):
            self._hear_step(optimizer, now)

    def _track(self, optimizer: torch.optim.Optimizer) -> Track:
        key = id(optimizer)
        track = self.tracks.get(key)
        if track is not None and track.ref() is optimizer:
            return track
        number = max((t.number for t in self.tracks.values()), default=-1) + 1
        # Nothing of the script is held longer than it is needed: a script may train one model after another.
        if number == 0:
            self.sampler.forget_hand()
        else:
            self.biopsy.release()
        track = Track(number, weakref.ref(optimizer))
        self.tracks[key] = track
        # A subclass that calls super().step() fires the hooks twice: its depth must be counted at every step.
        kind = type(optimizer)
        hooked = [c for c in kind.__mro__ if "step" in c.__dict__ and getattr(c.__dict__["step"], "hooked", False)]
        self.nested_classes[kind] = len(hooked) > 1
        if self.nested_classes[kind]:
            self.keep_step_begins = True
            self.taps.hear_step_begins(True)
        return track

    def _hear_step(self, optimizer: torch.optim.Optimizer, now: float) -> None:
        track = self._track(optimizer)
        fast = self.fast
        fast.flush()
        step = track.steps
        track.steps = step + 1
        fast.steps += 1
        losses: list[Any]
        if fast.values:
            losses, examples = list(fast.values), sum(fast.examples)
            fast.values.clear()
            fast.examples.clear()
            fast.loss_number += 1
            self.more_backwards += len(losses) - 1
            self.by_hand.held.clear()
            self.last_losses, self.last_examples = losses, examples
            fast.last_loss = math.nan
        elif track.loss_number != fast.loss_number:  # a second optimizer on the same backward pass
            if fast.last_loss == fast.last_loss:
                losses, examples = [fast.last_loss], fast.last_examples
            else:
                losses, examples = self.last_losses, self.last_examples
        else:
            losses, examples = [], 0
        track.loss_number = fast.loss_number

        line: dict[str, Any] = {"e": "step", "o": track.number, "s": step, "t": round(now - self.zero, 6)}
        if examples:
            line["b"] = examples
        if len(losses) > 1:
            line["n"] = len(losses)
        rates = _rates(optimizer)
        if rates != track.rates and all(r is not None for r in rates):
            line["lr"] = [float(r) for r in rates if r is not None]
        track.rates = rates
        track.rate = rates[0]
        if fast.clip is not None:
            norm, maximum = fast.clip
            fast.clip = None
            line["cm"] = float(maximum)
            if isinstance(norm, torch.Tensor) and norm.device.type != "cpu":
                line["c"] = norm  # read with the deferred losses
            else:
                line["c"] = float(norm)
        if not track.described:
            self._describe(track, optimizer)
        self.step_lines.write(line, losses)
        self._admit(track, optimizer)
        if self.schedule.sampling:
            self.sampler.after_step(optimizer, track, step)
            self.schedule.sampled(track)
        elif self.schedule.stage_begins(track):
            track.described = False  # its model is known from the next step on: named again then
        elif fast.steps >= fast.next_look:
            self.schedule.look(optimizer, track, step, now)

    def _admit(self, track: Track, optimizer: torch.optim.Optimizer) -> None:
        """Let this optimizer's plain steps take the fast path."""
        # Where a schedule of the optimizer's own makes the rate, it is not read on the fast path.
        own = bool(getattr(optimizer, "schedules", None)) and hasattr(optimizer, "used")
        if type(track.rate) in (float, int) and not self.keep_step_begins and not own:
            if track.number < 64:
                self.fast.tracks[id(optimizer)] = track
        else:
            self.fast.tracks.pop(id(optimizer), None)

    def may_be_fast(self) -> bool:
        """Whether plain steps may take the short way now."""
        return (
            self.active
            and not self.finished
            and not self.schedule.sampling
            and bool(self.fast.tracks)
            and not self.scaler_seen
            and not self.on_accelerator
            and not self.keep_step_begins
            and not self.compiled_models
        )

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

    # -- the rest of what is heard -----------------------------------------------------------------------------------

    def module_called(self, module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        """A module's forward pass begins (only heard on sampled steps and in watched evaluations)."""
        if self.busy or not self.active or torch.compiler.is_compiling():
            return
        with OwnWork(self, "module") as own:
            own.first = self._hear_module(own, module, args, kwargs)
        if self.cuts.put_out and self.works("cuts"):
            with OwnWork(self, "cuts"):
                self.cuts.entered(module, args, kwargs)

    def module_ended(self, module: torch.nn.Module, output: Any) -> None:
        """A module's forward pass is over (only heard on the first sampled steps, and where an evaluation is looked at)."""
        if self.busy or not self.active or torch.compiler.is_compiling():
            return
        if self.evaluation.written_out.listening:
            with OwnWork(self, "evaluation_loss"):
                self.evaluation.written_out.model_ended(module, output)
        if not self.cuts.listening:
            return
        if self.works("cuts"):
            with OwnWork(self, "cuts"):
                self.cuts.left(module, output)

    def _hear_module(self, own: OwnWork, module: torch.nn.Module, args: tuple, kwargs: dict) -> bool:
        """True where the time goes to the allowance of the first samples: the first evaluations are looked at on it."""
        registry = self.registry
        model = registry.root(module)
        if model is None:
            member = registry.member(module)
            norm = probes.keeps_statistics(module)
            if member and (norm or has_parameters(module)):
                if norm and self.evaluation.norms.wanted and not torch.is_grad_enabled():
                    own.probe = "evaluation_norms"
                    return self.works("evaluation_norms") and self.evaluation.norms.part_called(module, args)
                return False
            if not member:
                model = registry.add(module)
            if model is None and not torch.is_grad_enabled():
                return self.evaluation.loss_called(module, args, kwargs)
            if model is None:
                if self.schedule.sampling:
                    self.sampler.module_without_parameters(module, args, kwargs)
                return False
        own.probe = "inputs"
        if not torch.is_grad_enabled():
            return self.evaluation.model_called(model, module, args, kwargs)
        if self.schedule.sampling:
            self.sampler.model_called(model, module, args, kwargs)
            if self.works("biopsy"):
                self.biopsy.model_called(model, module, args, kwargs)
        return False

    def loss_function_called(self, name: str, args: tuple, kwargs: dict, result: Any, module: Any) -> None:
        """A loss function was called (only heard in watched evaluations)."""
        if self.busy or not self.active or not self.works("evaluation_loss"):
            return
        with OwnWork(self, "evaluation_loss") as own:
            own.first = self.evaluation.loss_function_called(name, args, kwargs, result, module)

    def difference_made(self, a: torch.Tensor, b: torch.Tensor) -> None:
        """Two tensors were subtracted (only heard in watched evaluations)."""
        if not self.busy and self.active and self.works("evaluation_loss"):
            with OwnWork(self, "evaluation_loss") as own:
                own.first = self.evaluation.written_out.difference_made(a, b)

    def mode_changed(self, module: torch.nn.Module, training: bool, before: bool) -> None:
        """``train()`` or ``eval()`` was called; ``before``: whether the module was in training mode until then."""
        if not self.active or self.busy:
            return
        # Asked first: torch calls this for every part of a model as well.
        model = self.registry.root(module)
        if model is None or not self.evaluation.is_news(model, training, before):
            return
        if not training:  # an evaluation may last: what was held back is written before it
            self._write_held_back()
        with OwnWork(self, "mode"):
            self.evaluation.mode_changed(model, training, before)

    def without_gradient(self, entered: bool) -> None:
        """``no_grad`` or ``inference_mode`` was entered or left."""
        if not self.active:
            return
        if entered:
            self._write_held_back()
        if self.busy or self.step_depth or self.depth:
            return
        try:
            with OwnWork(self, "without_gradient"):
                self.evaluation.without_gradient(entered)
        except BaseException:  # Ctrl-C: a block that was about to begin does not
            if entered:
                self.evaluation.depth = max(0, self.evaluation.depth - 1)
            raise

    def _write_held_back(self) -> None:
        """Write the steps that the fast path holds back, unless that was done just now. It books its own time."""
        if not self.fast.rows or clock() - self.fast.last_flush <= JUST_NOW:
            return
        try:
            self.fast.flush()
        except Exception as error:
            self.crashed("flush", error)

    def loss_scaled(self, outputs: Any, scaled: Any) -> None:
        """A gradient scaler multiplied the loss: remember the loss itself."""
        if self.active and isinstance(outputs, torch.Tensor) and isinstance(scaled, torch.Tensor):
            if len(self.scaled) > 16:
                self.scaled.clear()
            self.scaled[id(scaled)] = (outputs, scaled)
            self.scaler_seen = True
            self.fast.on = False

    def scaler_stepped(self, optimizer: torch.optim.Optimizer, scaler: Any) -> None:
        """A gradient scaler stepped an optimizer, or skipped the step because of non-finite gradients."""
        if not self.active or not self.fast.values:
            return
        with OwnWork(self, "scaler"):
            track = self.tracks.get(id(optimizer))
            self.fast.values.clear()
            self.fast.examples.clear()
            scale = float(scaler.get_scale())
            self.event(
                "scaler_skipped", stream=track.number if track else 0, step=track.steps if track else 0, scale=scale
            )

    def gradients_clipped(self, norm: Any, maximum: float) -> None:
        """``clip_grad_norm_`` was called."""
        if self.active and not self.busy:
            self.fast.clip = (norm, maximum)

    def values_clipped(self, bound: Any) -> None:
        """``clip_grad_value_`` was called."""
        if self.active and not self.busy:
            with OwnWork(self, "clip"):
                self.value_clip = float(bound)

    def compiled(self, target: Any) -> None:
        """``torch.compile`` was called: module hooks would be traced into the compiled code, so there are none any more."""
        if not self.active:
            return
        self.compiled_models = True
        self.fast.on = False
        with OwnWork(self, "compiled"):
            self.taps.hear_modules(False)
            self.taps.hear_outputs(False)
            self.cuts.close()
            module = target if isinstance(target, torch.nn.Module) else getattr(target, "__self__", None)
            model = self.registry.add(module, compiled=True) if isinstance(module, torch.nn.Module) else None
            self.event("compiled", model=model.name if model else None, line=user_line())

    def saved_tensor_hooks(self, entered: bool) -> None:
        """Hooks on saved tensors (checkpointing, offloading): reading a saved tensor would run the script's code."""
        with OwnWork(self, "saved_tensor_hooks"):
            self.sampler.saved_tensor_hooks(entered)

    def tensor_hooked(self) -> None:
        """The script set a hook on a tensor, or asked to keep its gradient: a product through it would run that."""
        if not self.busy:
            self.biopsy.tensor_hooks += 1

    def loader_started(self, loader: Any) -> None:
        """A pass over a data loader begins."""
        if self.active and not self.busy:
            self._write_held_back()
            with OwnWork(self, "loader"):
                self.loaders.started(loader)

    def schedule_made(self, schedule: Any) -> None:
        """A schedule of the learning rate was made: its kind and numbers."""
        if not self.active or self.busy:
            return
        with OwnWork(self, "schedule"):
            numbers = {
                name: value
                for name, value in vars(schedule).items()
                if not name.startswith("_") and name != "last_epoch" and isinstance(value, int | float | str)
            }
            self.event("schedule", limit=20, name=type(schedule).__name__, options=numbers, line=user_line())

    def schedule_measured(self, schedule: Any, measure: Any, before: list[Any], after: list[Any]) -> None:
        """A schedule that waits for a measure to stand still was called."""
        if self.active and not self.busy:
            with OwnWork(self, "plateau"):
                self.plateaus.measured(schedule, measure, before, after)

    def whole_numbers_made(self, before: torch.Tensor, after: torch.Tensor) -> None:
        """A tensor was converted to whole numbers."""
        if self.active and not self.busy:
            with OwnWork(self, "whole_numbers"):
                self.whole_numbers.made(before, after)

    # -- the end -----------------------------------------------------------------------------------------------------

    def finish(
        self, *, status: int | None, error: BaseException | None = None, line: dict[str, Any] | None = None
    ) -> None:
        """Write what is known only at the end, close the journal and take the taps out."""
        if self.finished or os.getpid() != self.pid:
            return
        self.finished = True
        start = clock()
        self.fast.on = False
        self.busy = True
        words = (self.step_lines.read, self.evaluation.mode_over, self.evaluation.last_modes, self.sampler.last_words)
        for part in (*words, self.plateaus.report, self.functional.report):
            try:
                part()
            except Exception as problem:
                self.crashed("last_words", problem)
        self.spent(clock() - start)
        ended = clock()  # of the run itself
        if error is None or isinstance(error, KeyboardInterrupt | SystemExit):
            try:
                self.biopsy.end(ended - self.zero, hurried=isinstance(error, KeyboardInterrupt))
            except Exception as problem:
                self.crashed("biopsy", problem)
            except KeyboardInterrupt:  # pressed again: leave now
                self.biopsy.seconds = clock() - ended
        start = clock()
        self.active = False
        last = (self.sampler.rest, self.sampler.forget_hand, self.biopsy.release, self.taps.remove, self.fast.close)
        for part in last:
            try:
                part()
            except Exception as problem:
                self.crashed("finish", problem)
        self.scaled.clear()
        self.last_losses = []
        exception = None
        if error is not None and not isinstance(error, SystemExit):
            exception = {"type": type(error).__name__, "message": str(error)[:2000], "line": line}
        self.spent(clock() - start)
        now = ended
        self.journal.record(
            {
                "e": "end",
                "status": status,
                "exception": exception,
                "seconds": now - self.zero,
                "steps": self.fast.steps,
                "watcher_seconds": self.budget.total + self.fast.own,
                "allowance_seconds": self.budget.first,
                "start_seconds": self.budget.starting,
                "exam_seconds": self.biopsy.seconds,
                "running_seconds": self.budget.running + self.fast.own,
                "measured_seconds": max(0.0, now - self.budget.began) if self.budget.began else 0.0,
                "samples": self.schedule.full,
                "light_samples": self.schedule.light,
                "backwards": self.backwards,
            }
        )
        self.journal.close()

    def after_fork(self) -> None:
        """In a forked child: be silent. A loader's worker never trains; the parent's journal is the parent's."""
        self.active = False
        self.finished = True
        self.fast.on = False
        self.fast.tail = self.fast.ring = None
        self.fast.journal = None
        self.taps.remove()


def _rates(optimizer: torch.optim.Optimizer) -> list[Any]:
    """The rate of each group in the step just made: as used, where the optimizer tells, else the group's own."""
    groups = [group.get("lr") for group in optimizer.param_groups]
    used = getattr(optimizer, "used", None)
    if isinstance(used, list) and len(used) == len(groups) and all(isinstance(one, dict) for one in used):
        return [one.get("lr", rate) for one, rate in zip(used, groups, strict=True)]
    return groups


def _place(error: Exception) -> str:
    """The innermost frame of an error inside Unstuck, for a bug report."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
