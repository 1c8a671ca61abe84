"""What happens without gradient: evaluations, and the mode that the model is in then."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch

from unstuck import probes
from unstuck.launch.frames import DEMO_SCRIPTS, user_line
from unstuck.launch.loss_functions import LOSS_MODULES
from unstuck.live.budget import clock
from unstuck.live.norm_looks import NormLooks
from unstuck.live.registry import Model, batch_modules
from unstuck.live.written_out import WrittenOut

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

# Looks thin out by an eighth (see _planned): sixty of them reach over some two thousand blocks or evaluations.
MAX_LOOKS = 60  # blocks without gradient that are looked into, whatever happens in them
MAX_EVALUATIONS = 60  # evaluations (blocks with no step between them) whose losses are looked at
# Evaluations are compared with each other: of each the same first batches are enough, more would only cost more.
BLOCKS_PER_EVALUATION = 4  # of their blocks: a set each, or a batch each
PASSES_PER_LOOK = 3  # forward passes looked at in each block: one batch that comes again is told from several
LOSSES_PER_LOOK = 4
LOSSES_PER_EVALUATION = 8
MAX_PLACES = 1000  # lines of the script: a bound for code that is made anew again and again
EMPTY_LOOKS = 3  # at a line, without any model's forward pass: a number is computed there, and nothing evaluated
MAX_IN_VAIN = 3  # times that eval() was followed by training all the same
MOST_MODES = 40  # calls of train() and eval() that are written down: twenty evaluations show the habit
FREE_LOOKS = 4  # on the allowance of the first samples: some milliseconds, and the mode shows in the first passes
FREE_LOSSES = 120  # on it too: at a millisecond each an eighth of it
LOSSES_KEPT = 0.15  # part of the running budget that is theirs: evaluations are rare, and what they measured is gone

_BELOW = (str(Path(torch.__file__).parent) + os.sep, str(Path(__file__).resolve().parent.parent) + os.sep)


class EvaluationWatch:
    """Looks into a bounded number of ``no_grad`` blocks for forward passes of known models."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.looks = 0
        self.planned_looks = 0
        self.blocks = 0
        self.depth = 0
        self.passes = 0
        self.listening = False
        self.steps_at_last_pass: dict[int, int] = {}
        self.in_row: dict[int, int] = {}
        self.evaluated: set[int] = set()
        self.asked: dict[int, tuple[Model, bool]] = {}  # the mode that was asked for last, by the model's number
        self.described = 0
        self.price = 0.002
        self.last_model: Model | None = None
        self.evaluations = 0
        self.next_evaluation = 0
        self.chosen = False  # this evaluation's losses are looked at
        self.block_at: tuple[str, int] | None = None  # where the script entered the block
        self.empty: dict[tuple[str, int] | None, int] = {}  # looks there without any forward pass; −1: there was one
        self.turn = -1  # of the block in its evaluation
        self.at_step = -1  # steps made before this evaluation
        self.losses = 0  # looked at in this block
        self.losses_before = 0  # in this evaluation's blocks before this one
        self.losses_wanted = False
        # Evaluations that forget ``no_grad``: ``eval()`` of this model was called, and no backward pass came since.
        self.by_mode: Model | None = None
        # Losses since then are held back: what follows shows whether they are an evaluation's.
        self.held: list[dict[str, Any]] = []
        self.in_vain = 0
        self.norms = NormLooks(self)
        self.written_out = WrittenOut(self)

    def without_gradient(self, entered: bool) -> None:
        """A block without gradient was entered or left."""
        watcher = self.watcher
        if entered:
            self.depth += 1
            if self.depth > 1 or watcher.compiled_models or not watcher.backwards:
                return
            self.block_at = _entered_at()
            empty = self.empty.get(self.block_at, 0)
            if empty >= EMPTY_LOOKS:
                self.empty[self.block_at] = empty + 1
                if empty & (empty - 1):  # looked at again at the 4th, 8th, 16th, … time
                    return
                self.losses_wanted = False
            elif not self._plan():
                return
            self.looks += 1
            self.passes = 0
            self.last_model = None
            if self.losses_wanted:
                watcher.taps.hear_losses(True)
                self.written_out.listen(True)
            self.norms.block_begins()
            self.listening = True
            watcher.taps.hear_modules(True)
        else:
            self.depth = max(0, self.depth - 1)
            if self.depth == 0 and self.listening:
                self.listening = self.norms.wanted = False
                self._enough_losses()
                if not watcher.schedule.sampling:  # before anything that could fail: hooks must not stay
                    watcher.taps.hear_modules(False)
                self._was_empty(not self.passes)
                self.norms.write()

    next_block = 0

    def _plan(self) -> bool:
        """Whether a block that begins is looked into, and its losses."""
        if self.by_mode is not None and not self.held:
            self.mode_over()
        self._count_evaluation()
        self.blocks += 1
        planned = self.planned_looks < MAX_LOOKS and _planned(self.blocks, self.next_block)
        if planned:
            self.planned_looks += 1
            self.next_block = self.blocks + max(1, self.blocks // 8)
        self.losses_wanted = self._losses_wanted()
        return planned or self.losses_wanted

    def _was_empty(self, empty: bool) -> None:
        """Blocks that never hold a forward pass (an accuracy at every step, say) must not use up the looks."""
        if not empty:
            self.empty[self.block_at] = -1  # for good
        elif 0 <= self.empty.get(self.block_at, 0) < EMPTY_LOOKS and len(self.empty) < MAX_PLACES:
            self.empty[self.block_at] = self.empty.get(self.block_at, 0) + 1

    def _count_evaluation(self) -> None:
        """Blocks with no step between them are one evaluation; the first ones are looked at, then ever fewer."""
        steps = self.watcher.backwards
        self.turn += 1
        if steps == self.at_step:
            return
        self.at_step, self.turn, self.losses_before, self.losses = steps, 0, 0, 0
        self.evaluations += 1
        self.chosen = self.next_evaluation >= 0 and _planned(self.evaluations, self.next_evaluation)
        if self.chosen:
            self.next_evaluation = self.evaluations + max(1, self.evaluations // 8)
            self.chosen_evaluations += 1
            if self.chosen_evaluations >= MAX_EVALUATIONS:
                self.next_evaluation = -1

    chosen_evaluations = 0

    def _losses_wanted(self) -> bool:
        """Whether the losses of a block that begins are looked at."""
        self.losses_before, self.losses = self.losses_before + self.losses, 0
        if not self.chosen or self.turn >= BLOCKS_PER_EVALUATION or self.losses_before >= LOSSES_PER_EVALUATION:
            return False
        return self._loss_on_allowance() or self._loss_affordable()

    def _loss_on_allowance(self) -> bool:
        return self.loss_looks < FREE_LOSSES and self.watcher.budget.allows_first(self.loss_price)

    def _loss_affordable(self) -> bool:
        budget, now = self.watcher.budget, clock()
        kept = LOSSES_KEPT * budget.share * (now - budget.began) if budget.began else 0.0
        if self.loss_seconds + self.loss_price <= kept:
            return True
        return self.watcher.credit(now, reserve=False) >= self.loss_price

    def model_called(self, model: Model, module: torch.nn.Module, args: tuple, kwargs: dict[str, Any]) -> bool:
        """A model's forward pass without gradient; True for the first few, which are paid from the allowance."""
        watcher = self.watcher
        if watcher.backwards == 0:
            return False
        self.passes += 1
        self.last_model = model
        step = watcher.fast.steps
        if self.steps_at_last_pass.get(model.number) != step:
            self.in_row[model.number] = 0
            self.steps_at_last_pass[model.number] = step
        self.in_row[model.number] += 1
        parts = batch_modules(module)
        in_training = sum(part.training for _, part in parts)
        # The first passes are described in any case (they tell the mode); later ones when there is time for it.
        start = clock()
        first = self.described < FREE_LOOKS and watcher.budget.allows_first(self.price)
        affordable = first or watcher.credit(start, reserve=False) >= self.price
        values = watcher.sampler.describe_inputs(model, args, kwargs) if affordable else []
        if affordable:
            self.described += 1
            self.price = clock() - start
        watcher.event(
            "forward_without_gradient",
            step=watcher.current_step(),
            limit=240,
            model=model.name,
            training=module.training,
            batch_modules=in_training,
            of_batch_modules=len(parts),
            in_row=self.in_row[model.number],
            inputs=values,
            line=user_line(),
        )
        if self.passes >= PASSES_PER_LOOK and self.listening and not watcher.schedule.sampling:
            watcher.taps.hear_modules(False)
        if not first:  # a pass is heard for the sake of the losses that follow: they pay for it
            self.loss_seconds += clock() - start
        return first

    def loss_called(self, module: torch.nn.Module, args: tuple, kwargs: dict[str, Any]) -> bool:
        """A loss module of torch's was called without gradient, after a forward pass: what an evaluation measures.

        Most are heard when they call their function (:meth:`loss_function_called`), with the value that it gave. Of the
        others the loss is computed a second time, from the same arguments; it draws nothing and changes nothing. True
        for the first few, which are paid from the allowance.
        """
        if type(module).__module__ != LOSS_MODULES or probes.calls_a_function(module):
            return False
        return self.look_at_loss(lambda: _evaluated_module(module, args, kwargs))

    def loss_function_called(
        self, name: str, args: tuple, kwargs: dict[str, Any], result: Any, module: torch.nn.Module | None
    ) -> bool:
        """A loss function of torch's was called and gave ``result``, by the script or by a ``module`` of torch's."""
        if not isinstance(result, torch.Tensor):
            return False
        if module is not None and type(module).__module__ != LOSS_MODULES:
            return False  # a class made from one of torch's: what it makes of the value is not known
        if self.listening:
            if torch.is_grad_enabled():
                return False
        elif self.by_mode is not None and not self.losses_wanted and not self._begin_by_mode(self.by_mode):
            return False
        return self.look_at_loss(lambda: _evaluated_call(name, args, kwargs, result))

    def look_at_loss(self, look: Callable[[], dict[str, Any] | None]) -> bool:
        """An evaluation's loss is at hand: write what ``look`` tells of it, where there is time for that."""
        watcher, model = self.watcher, self.last_model
        if model is None or not self.losses_wanted or not (self.listening or self.by_mode is not None):
            return False
        start = clock()
        first = self._loss_on_allowance()
        if not first and not self._loss_affordable():
            self._enough_losses()  # later batches alone would not tell what the first ones do
            return False
        self.loss_looks += 1
        self.losses += 1
        place = self.losses
        if self.losses >= LOSSES_PER_LOOK:
            self._enough_losses()
        found = look()
        self.loss_price = clock() - start
        if not first:
            self.loss_seconds += self.loss_price
        if found is None:
            return first
        root = model.module()
        told = {
            "step": watcher.current_step(),
            "model": model.name,
            "training": root.training if root is not None else None,
            "look": self.looks,
            "turn": self.turn + 1,
            "place": place,
            "line": user_line(),
            **found,
        }
        if self.listening:
            watcher.event("evaluation_loss", limit=500, **told)
        else:
            self.held.append(told)
        return first

    def _enough_losses(self) -> None:
        self.losses_wanted = False
        self.watcher.taps.hear_losses(False)
        self.written_out.listen(False)

    loss_looks = 0
    loss_price = 0.001
    loss_seconds = 0.0  # spent on them, and on passes, out of the running budget

    def is_news(self, model: Model, training: bool, before: bool) -> bool:
        """Whether a call changes anything; a script may call ``train()`` at every step."""
        last = self.asked.get(model.number)
        return not training or before is not training or self.by_mode is not None or last is None or not last[1]

    def mode_changed(self, model: Model, training: bool, before: bool) -> None:
        """``train()`` or ``eval()`` was called on a model."""
        if before:
            self._restored(model)
        self.asked[model.number] = (model, training)
        if training:
            self.mode_over()
        else:
            self.evaluated.add(model.number)
            self._listen_by_mode(model)
        watcher = self.watcher
        if watcher.has_room("mode", MOST_MODES):  # finding the line costs more than all the rest
            line, step = user_line(), watcher.current_step()
            watcher.event("mode", step=step, limit=MOST_MODES, model=model.name, training=training, line=line)

    def last_modes(self) -> None:
        """At the end: the models that are in training mode again though nobody called ``train()``."""
        for model, _ in list(self.asked.values()):
            module = model.module()
            if module is not None and module.training:
                self._restored(model)

    def _restored(self, model: Model) -> None:
        """In training mode after ``eval()``, without a call: frameworks set the attribute of every part themselves."""
        last = self.asked.get(model.number)
        if last is None or last[1]:
            return
        self.asked[model.number] = (model, True)
        step = self.watcher.current_step()
        self.watcher.event(
            "mode", step=step, limit=MOST_MODES, model=model.name, training=True, line=None, called=False
        )

    def _listen_by_mode(self, model: Model) -> None:
        """From ``eval()`` on losses are heard, with gradient too: until ``train()``, or a backward pass.

        Of compiled models all evaluations are heard like this; hooks on modules would be traced into their code.
        """
        watcher = self.watcher
        if self.by_mode is not None or self.in_vain >= MAX_IN_VAIN or not watcher.backwards:
            return
        if self.depth and not watcher.compiled_models:  # blocks are not watched where a model was compiled
            return
        self.by_mode, self.losses_wanted = model, False
        watcher.fast.on = False  # the next backward pass must be heard
        watcher.taps.hear_losses(True)

    def _begin_by_mode(self, model: Model) -> bool:
        """The first loss after ``eval()``, outside of any block without gradient. True when it is looked at."""
        self._count_evaluation()
        self.losses_wanted = self._losses_wanted()
        if self.losses_wanted:
            self.looks += 1
            self.last_model = model
        else:
            self._enough_losses()
        return self.losses_wanted

    def mode_over(self, *, trained: bool = False) -> None:
        """``train()`` was called, the script ends, or a backward pass begins: then those losses were no evaluation's."""
        if self.by_mode is None:
            return
        watcher = self.watcher
        self.by_mode, held, self.held = None, self.held, []
        if not self.listening:
            self._enough_losses()
        watcher.fast.on = watcher.may_be_fast()
        if trained:
            self.in_vain += bool(held)
            return
        for told in held:
            watcher.event("evaluation_loss", limit=500, **told)


def _entered_at() -> tuple[str, int] | None:
    """File and line where a block without gradient is entered: the innermost frame that is neither torch's nor ours.

    It may be a library's: every place of a framework counts for itself, not the script's one line that started it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_below(frame.f_code.co_filename):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else None


def _is_below(filename: str) -> bool:
    return filename.startswith(_BELOW) and not filename.startswith(DEMO_SCRIPTS)


def _planned(number: int, following: int) -> bool:
    """Whether this one is looked at: all of the first, then ever fewer (16, 18, 20, 22, 24, 27, …)."""
    return number <= 16 or number >= following


def _evaluated_module(module: torch.nn.Module, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """What a loss module is called with, in the order of its ``forward``."""
    given = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    return probes.evaluated(module, tuple(given.values()))


def _evaluated_call(name: str, args: tuple, kwargs: dict[str, Any], result: torch.Tensor) -> dict[str, Any] | None:
    call = probes.called_loss(name, args, kwargs)
    return probes.evaluated(call.module, call.inputs, value=result) if call is not None else None
