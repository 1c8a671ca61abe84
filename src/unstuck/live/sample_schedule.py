"""When a step is sampled: the first ones in full, later ones as the budget allows, gradient norms in between."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import torch

from unstuck.live.budget import FULL_SAMPLES, clock
from unstuck.live.fast_path import Track
from unstuck.live.own_work import OwnWork
from unstuck.live.pulse import BURST, Pulse

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

# Seconds of the first samples' allowance that are left for the first evaluations: a hundred losses at a millisecond.
EVALUATIONS_KEPT = 0.1
STAGES = 2  # later optimizers whose first steps are sampled as those of the first: more of them are folds or a search


class SampleSchedule:
    """Whether the step under way is sampled, and when the budget is asked again."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.sampling = True  # the step under way is sampled
        self.first_done = False
        self.in_stage = False  # the first steps of a later optimizer are sampled
        self.full = 0  # samples taken
        self.light = 0
        self.burst_left = 0
        self.next_sample = 0  # total steps at which the budget is asked again
        self.light_every = 0
        self.next_light = 0
        self.pulse = Pulse(watcher)

    def stage_begins(self, track: Track) -> bool:
        """Whether an optimizer that was made later has stepped for the first time: what it trains was not seen yet, so
        its first steps are sampled as well."""
        watcher = self.watcher
        begins = track.steps == 1 and self.first_done and watcher.budget.stages < STAGES and not watcher.compiled_models
        if begins:
            watcher.budget.stages += 1
            self.in_stage = True
            self._begin_burst(FULL_SAMPLES)
        return begins

    def sampled(self, track: Track) -> None:
        """A sampled step is over: go on sampling, or look again later?"""
        watcher = self.watcher
        if watcher.works("biopsy"):
            began = clock()
            try:
                watcher.biopsy.step_ended()
            except Exception as error:
                watcher.crashed("biopsy", error)
            watcher.sampler.booked += clock() - began
        now = clock()
        watcher.cuts.forget()
        track.full += 1
        self.full += 1
        streams = max(1, len(watcher.tracks))
        if self.first_done:
            self.burst_left -= 1
            if self.burst_left <= 0 or (self.in_stage and not watcher.budget.allows_first(watcher.sampler.price)):
                if self.in_stage:
                    watcher.sampler.first_samples_over()
                self.in_stage = False
                self._end_burst(now)
            return
        least = min((t.full for t in watcher.tracks.values()), default=track.full)
        # A stream that steps rarely is waited for, but not for ever.
        wanted = least < FULL_SAMPLES and self.full < FULL_SAMPLES * (streams + 2)
        if wanted and watcher.budget.allows_first(
            watcher.sampler.price + min(EVALUATIONS_KEPT, 0.1 * watcher.budget.most_first)
        ):
            return
        watcher.sampler.first_samples_over()
        watcher.cuts.close()
        watcher.taps.hear_outputs(False)
        watcher.taps.hear_conversions(False)  # the data are prepared, and what a loop converts is the same each time
        self.first_done = True
        watcher.budget.close_first(clock())
        self._end_burst(now)

    def _end_burst(self, now: float) -> None:
        watcher = self.watcher
        self.sampling = False
        watcher.sampler.rest()
        watcher.biopsy.captures.let_go()
        if not watcher.evaluation.listening:
            watcher.taps.hear_modules(False)
        if not watcher.keep_step_begins:
            watcher.taps.hear_step_begins(False)
        # Samples thin out as the run grows: the journal stays bounded by the logarithm of the steps.
        steps = watcher.fast.steps
        self.next_sample = steps + max(2, steps // 100)
        self._plan_light(now)

    def look(self, optimizer: torch.optim.Optimizer | None, track: Track, step: int, now: float) -> None:
        """Something may be affordable at this step: a gradient norm, or the next steps in full."""
        watcher = self.watcher
        steps = watcher.fast.steps
        if optimizer is not None and self._gradients_stopped(optimizer, track, step):
            return
        credit = watcher.credit(now)
        if steps >= self.next_light and optimizer is not None:
            if credit >= watcher.sampler.light_price and watcher.works("gradient_norm"):
                self._light(optimizer, track, step)
                credit -= watcher.sampler.light_price
            self.next_light = steps + self.light_every
        if steps >= self.next_sample:
            # Two steps in a row of every stream, when they can be had: noise is told from neighbors.
            streams = max(1, min(len(watcher.tracks), 4))
            wanted = watcher.sampler.price * streams
            if credit >= wanted:
                self._begin_burst(streams * (2 if credit >= 2 * wanted else 1))
                return
            seconds_per_step = max(now - watcher.budget.began, 1e-6) / max(1, steps)
            gain = max(watcher.budget.share * seconds_per_step * 0.5, 1e-9)
            self.next_sample = steps + max(1, min(int((wanted - credit) / gain), 10_000))
            self._plan_light(now)
        watcher.fast.next_look = min(self.next_light, self.next_sample, self.pulse.next)

    def _gradients_stopped(self, optimizer: torch.optim.Optimizer, track: Track, step: int) -> bool:
        """Whether what this optimizer holds gets no gradient any more: what is trained instead was not seen yet, so the
        next steps are sampled, as those of a later optimizer are."""
        watcher = self.watcher
        stopped = False
        if watcher.works("pulse"):
            with OwnWork(watcher, "pulse"):
                stopped = self.pulse.stopped(optimizer, track, step)
        else:
            self.pulse.next = sys.maxsize
        if not stopped or watcher.budget.stages >= STAGES or watcher.compiled_models:
            return False
        watcher.budget.stages += 1
        self.in_stage = True
        self._begin_burst(BURST)
        return True

    def _begin_burst(self, steps: int) -> None:
        watcher = self.watcher
        self.burst_left = steps
        self.sampling = True
        watcher.fast.on = False
        watcher.fast.flush()
        if not watcher.compiled_models:
            watcher.taps.hear_modules(True)
        watcher.taps.hear_step_begins(True)

    def _plan_light(self, now: float) -> None:
        """How often a gradient norm can be had between samples, from a quarter of what may be spent."""
        watcher = self.watcher
        steps = watcher.fast.steps
        per_step = max(now - watcher.budget.began, 1e-6) / max(1, steps)
        spare = watcher.budget.share * per_step * 0.25
        price = watcher.sampler.light_price
        self.light_every = 1 if spare >= price else min(10_000, math.ceil(price / max(spare, 1e-9)))
        self.next_light = steps + self.light_every
        watcher.fast.next_look = min(self.next_light, self.next_sample, self.pulse.next)
        watcher.fast.on = watcher.may_be_fast()

    def _light(self, optimizer: torch.optim.Optimizer, track: Track, step: int) -> None:
        watcher = self.watcher
        with OwnWork(watcher, "gradient_norm"):
            norm = watcher.sampler.gradient_norm(optimizer)
            if norm is not None:
                self.light += 1
                watcher.journal.record({"e": "light", "o": track.number, "s": step, "g": norm})
