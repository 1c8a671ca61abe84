"""Curvature of the running training, within the budget: on the live graph against the step, on kept batches for verdicts.

The live graph of a step gives the largest and the smallest curvature at that point and what they say of the step's length;
nothing of the script runs again. A verdict (saddle, minimum, flat) needs steps: those are taken on a copy of the model with
kept batches, at the end of the run, or in it when the loss stands still and the budget has the time.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from typing import TYPE_CHECKING, Any

import torch

from unstuck.core.errors import BadInput
from unstuck.live.budget import FULL_SAMPLES, clock
from unstuck.live.captures import MOST, Captures
from unstuck.live.copy_probes import PROBE_BATCHES

if TYPE_CHECKING:
    from unstuck.live.captures import Kept
    from unstuck.live.exam import Exam
    from unstuck.live.registry import Model
    from unstuck.live.watcher import Watcher
    from unstuck.objective.captured import CapturedCall
    from unstuck.objective.local import LocalObjective

LOCAL_AT = (2, FULL_SAMPLES - 2)  # full samples after which the live graph is looked into
CAPTURE_AT = tuple(range(1, FULL_SAMPLES - 2))  # and those whose batches are kept
FEWEST_PRODUCTS, MOST_PRODUCTS = 8, 40
GRADIENTS_EACH = 2.5  # of a product
MOST_PARAMETERS = 20_000_000  # of a live graph: forty vectors of that size are 3 GB
VECTOR_BYTES = 256 << 20  # for the Krylov space
END_SECONDS = 1.0  # the look at the end may always last that long (and no longer after Ctrl-C),
MOST_STRETCHED = 2.0  # times these seconds on a machine that others use too; more would be felt after a short run
STUCK_SECONDS = 5.0  # and that long when a run has not come far, for then somebody will ask where it stands:
STUCK = 0.4  # of the first loss remains; chosen, not measured
RESERVED = 1 / 3  # of the running budget, for looks at kept batches: the samples, which most rules read, keep the rest
# Of the loss on the kept batches: a fall of less, while the steps doubled, is standing still. A loss that falls with so
# small a power of the steps as their tenth root still falls by 7 % meanwhile.
STANDS = 0.02


class Biopsy:
    """Decides when curvature is affordable, and writes what it says as ``biopsy`` events."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.probe = watcher.probe
        self.captures = Captures(PROBE_BATCHES if self.probe else MOST)
        self.local_seconds = 0.0  # of the last look into a live graph
        self.next_local = 0  # steps
        self.next_check = 0
        self.last_value: float | None = None  # of the batches checked last, at that time
        self.checked: list[CapturedCall] = []
        self.peak_rate = 0.0
        self.optimizer: torch.optim.Optimizer | None = None
        self.seconds = 0.0  # spent at the end
        self.spent = 0.0  # on looks at kept batches while the run went on
        self.tensor_hooks = 0  # set by the script since the last backward pass
        self.gaps: deque[float] = deque(maxlen=9)  # between losses, own time taken out
        self.first_loss: float | None = None
        self.last_heard = 0.0
        self.last_own = 0.0
        self.told: set[str] = set()
        self.brought = self.brought_rules = False

    # -- what is heard, on sampled steps only ------------------------------------------------------------------------

    def _bring(self) -> None:
        """Import what the looks need, once; booked as starting, for it is no part of any sample."""
        if self.brought:
            return
        self.brought = True
        start = clock()
        import unstuck.curvature.single_questions
        import unstuck.objective  # noqa: F401

        self._book_as_starting(clock() - start)

    def _bring_rules(self) -> None:
        """Import what reads an optimizer. It brings in torch's compiler, as making an optimizer does: 1.5 s of imports
        that a script which updates by hand never needs."""
        if self.brought_rules:
            return
        self.brought_rules = True
        start = clock()
        import unstuck.optim.stability  # noqa: F401

        self._book_as_starting(clock() - start)

    def _book_as_starting(self, seconds: float) -> None:
        budget = self.watcher.budget
        budget.starting += seconds
        if self.watcher.schedule.first_done:  # the caller books the whole call: take it out again
            budget.running -= seconds
        else:
            budget.first -= seconds

    def model_called(self, model: Model, module: torch.nn.Module, args: tuple, kwargs: Any) -> None:
        """A model is about to run with gradient."""
        if self.watcher.budget.share > 0:
            self._bring()
        self.captures.model_called(model.number, module, args, kwargs, wanted=self._wants_batch(model))

    def loss_heard(self, loss: torch.Tensor, named: list[tuple[str, torch.Tensor]]) -> None:
        """A sampled step's first backward pass is about to run."""
        now = clock()
        own = self.watcher.budget.total
        if self.last_heard:
            self.gaps.append(max(1e-5, now - self.last_heard - (own - self.last_own)))
        self.last_heard, self.last_own = now, own
        hooked, self.tensor_hooks = self.tensor_hooks, 0
        if self.first_loss is None and loss.numel() == 1 and loss.device.type == "cpu":
            self.first_loss = float(loss.detach())
        self.captures.loss_heard(loss)
        if self.captures.reason and self.captures.kept is None:
            self._unseen("batches", self.captures.reason)
        seconds = self._local_due()
        if seconds is not None:
            if hooked:
                self._unseen("live", "the script has hooks on tensors of this graph: products would run them")
            else:
                self._look_at_live(loss, named, seconds)
            self.captures.take_off()

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer is about to step, on a sampled step."""
        self.captures.take_off()
        if len(self.watcher.tracks) > 1:  # nothing is looked at any more, and nothing of the script's held
            return
        if self.watcher.budget.share > 0:
            self._bring_rules()
        self.optimizer = optimizer
        rate = max((float(group["lr"]) for group in optimizer.param_groups if "lr" in group), default=0.0)
        self.peak_rate = max(self.peak_rate, rate)

    def step_ended(self) -> None:
        """A sampled step is over."""
        self.captures.step_begins()
        if self.watcher.schedule.first_done and self.captures.kept is not None:
            self._check()

    def release(self) -> None:
        """Let go of everything that is the script's: the watching ends, or another optimizer has come."""
        self.captures.forget()
        self.checked, self.last_value = [], None
        self.optimizer = None

    # -- when --------------------------------------------------------------------------------------------------------

    def _allowance(self) -> float:
        """Seconds that the first samples leave over."""
        budget = self.watcher.budget
        left = max(0, FULL_SAMPLES - self.watcher.schedule.full)
        return budget.most_first - budget.first - left * self.watcher.sampler.price

    def reserve(self, now: float) -> float:
        """Seconds of the running budget that are kept for looks at the kept batches: a third, less what they took."""
        budget = self.watcher.budget
        if self.captures.kept is None or not budget.began:
            return 0.0
        return max(0.0, RESERVED * budget.share * (now - budget.began) - self.spent)

    def _batches(self) -> int:
        kept = self.captures.kept
        return 0 if kept is None else len(kept.calls) + kept.again

    def _step_seconds(self) -> float:
        return statistics.median(self.gaps) if self.gaps else 0.01

    def _wants_batch(self, model: Model) -> bool:
        watcher = self.watcher
        if model.compiled or watcher.compiled_models or len(watcher.tracks) > 1 or watcher.budget.share <= 0:
            return False
        if not watcher.schedule.first_done:
            return (
                watcher.schedule.full in CAPTURE_AT and self._allowance() > 0 and self._batches() < self.captures.most
            )
        return watcher.credit(clock(), reserve=False) > 3 * self._step_seconds()

    def _local_due(self) -> float | None:
        """Seconds for a look into this live graph, or None for no look."""
        watcher = self.watcher
        if len(watcher.tracks) > 1 or watcher.budget.share <= 0:
            return None
        least = FEWEST_PRODUCTS * 2 * self._step_seconds()
        if not watcher.schedule.first_done:
            if watcher.schedule.full not in LOCAL_AT:
                return None
            spare = self._allowance() * (0.2 if watcher.schedule.full == LOCAL_AT[0] else 0.8)
            return spare if spare > least else None
        if watcher.fast.steps < self.next_local:
            return None
        credit = watcher.credit(clock(), reserve=False)
        if credit < max(least, self.local_seconds):
            return None
        self.next_local = 2 * watcher.fast.steps
        return max(self.local_seconds, least) if self.local_seconds else credit

    # -- the live graph ----------------------------------------------------------------------------------------------

    def _look_at_live(self, loss: torch.Tensor, named: list[tuple[str, torch.Tensor]], seconds: float) -> None:
        trained = [(name, p) for name, p in named if p.requires_grad and p.layout == torch.strided]
        reason = self._why_not_live(trained)
        if reason is None:
            from unstuck.objective.local import NoLocalObjective, local_objective

            start = clock()
            with torch.enable_grad():
                local = local_objective(loss, trained)
            if isinstance(local, NoLocalObjective):
                reason = local.reason
            else:
                try:
                    reason = self._measure(local, trained, seconds, start)
                except BadInput as problem:  # a product that overflows, where the loss itself is still finite
                    reason = str(problem)
                finally:
                    local.close()
        if reason is not None:
            self._unseen("live", reason)

    def _why_not_live(self, trained: list[tuple[str, torch.Tensor]]) -> str | None:
        size = sum(p.numel() for _, p in trained)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return "several processes train together"
        if self.watcher.compiled_models:
            return "compiled graphs have no second derivative"
        if not trained:
            return "the loss reaches no trainable parameter"
        if size > MOST_PARAMETERS:
            return f"{size} parameters are too many to look into while training"
        return None

    def _measure(
        self, local: LocalObjective, trained: list[tuple[str, torch.Tensor]], seconds: float, start: float
    ) -> str | None:
        """Both ends of the spectrum, and the largest curvature as the optimizer meets it; or why not."""
        from unstuck.curvature.operators import hessian
        from unstuck.curvature.single_questions import extremes
        from unstuck.live.rates import reach_of

        if not (math.isfinite(local.value) and bool(local.gradient.isfinite().all())):
            return "the loss or its gradient is not finite"
        size = local.gradient.numel()
        before = clock()  # what ran first may have been slow for being the first
        local.hvp(local.gradient)
        once = max(1e-6, clock() - before) / GRADIENTS_EACH
        reach = reach_of(self.optimizer, [p for _, p in trained]) if self.optimizer is not None else None
        runs = 2 if reach is not None and not reach.plain else 1
        most = min(
            MOST_PRODUCTS,
            int((seconds - (before - start)) / (GRADIENTS_EACH * once)) // runs,
            VECTOR_BYTES // (4 * size),
        )
        if most < FEWEST_PRODUCTS:
            return "a look at the curvature would cost more than the budget allows"
        found = extremes(hessian(local), largest=1, smallest=1, tolerance=1e-2, max_products=most)
        top, bottom = found.largest[0], found.smallest[0]
        data: dict[str, Any] = {
            "look": "live",
            "loss": local.value,
            "gradient_norm": float(local.gradient.double().norm()),
            "largest": top.value,
            "largest_residual": top.residual,
            "smallest": bottom.value,
            "smallest_residual": bottom.residual,
            "products": found.products,
            "parameters": size,
        }
        if reach is not None:
            steep = reach.steepest(local, top.value, products=most)
            data |= {
                "rate": reach.rate,
                "rate_times_curvature": steep,
                "stable_limit": reach.limit,
                "rule": reach.rule,
            }
        self.local_seconds = clock() - start
        self.watcher.event("biopsy", step=self.watcher.current_step() or 0, seconds=self.local_seconds, **_finite(data))
        return None

    # -- the kept batches --------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Has the loss on the kept batches stood still while the steps doubled? Then look closely, if affordable."""
        watcher = self.watcher
        steps = watcher.fast.steps
        kept = self.captures.kept
        if steps < self.next_check or kept is None or len(kept.calls) < 2:
            return
        start = clock()
        if self.reserve(start) < len(kept.calls) * self._step_seconds():
            return
        from unstuck.live.exam import Exam

        self.next_check = 2 * steps
        exam = Exam(kept)
        still = False
        if self.checked and self.checked[0].model is not kept.twin:  # of another model, kept before this one
            self.checked, self.last_value = [], None
        if self.last_value is not None:  # on the very batches of the last check
            still = not exam.value(self.checked) < self.last_value * (1 - STANDS)
        self.checked = list(kept.calls)
        self.last_value = exam.value(self.checked)
        if still:
            self._examine(exam, self.reserve(start), "stands-still")
        self.spent += clock() - start

    def end(self, run_seconds: float, *, hurried: bool = False) -> None:
        """The run is over: say where it stands. ``hurried``: somebody waits for it to be gone (Ctrl-C)."""
        kept = self.captures.kept
        self.captures.let_go()
        watcher = self.watcher
        if kept is None or watcher.budget.share <= 0 or len(watcher.tracks) > 1:
            return
        start = clock()
        from unstuck.live.exam import Exam

        exam = Exam(kept)
        shared = min(MOST_STRETCHED, watcher.budget.contention)
        seconds = END_SECONDS if hurried else max(END_SECONDS * shared, watcher.budget.share * run_seconds)
        value = exam.value()
        if not hurried and self.first_loss is not None and not value < STUCK * self.first_loss:
            seconds = max(STUCK_SECONDS * shared, seconds)
        self._examine(exam, seconds, "end")
        if self.probe and not hurried:
            self._probe(kept)
        self.seconds = clock() - start

    def _examine(self, exam: Exam, seconds: float, when: str) -> None:
        start = clock()
        step = self.watcher.current_step() or 0
        found = exam.take(self.optimizer, seconds=seconds, peak_rate=self.peak_rate)
        data = {"look": "kept", "when": when, "seconds": clock() - start, **found}
        self.watcher.event("biopsy", step=step, **_finite(data))

    def _probe(self, kept: Kept) -> None:
        """Trials on fresh copies, when they were asked for."""
        from unstuck.live.copy_probes import probe_copies

        for name, result in probe_copies(kept).items():
            self.watcher.event("probe", step=self.watcher.current_step() or 0, name=name, result=_finite(result))

    def _unseen(self, look: str, reason: str) -> None:
        if (look + reason) not in self.told and len(self.told) < 8:
            self.told.add(look + reason)
            self.watcher.event("biopsy", step=self.watcher.current_step() or 0, look=look, unseen=reason)


def _finite(thing: Any) -> Any:
    """The same with numbers that are not finite as None: the journal is plain JSON."""
    if isinstance(thing, dict):
        return {key: _finite(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_finite(value) for value in thing]
    if isinstance(thing, float) and not math.isfinite(thing):
        return None
    return thing
