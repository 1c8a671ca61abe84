"""A close look at where a run stands, on a copy of its model with batches it trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import torch

from unstuck.core.errors import BadInput
from unstuck.live.budget import clock
from unstuck.live.fresh_weights import another_start
from unstuck.live.kept_calls import answers, listening, pairs
from unstuck.live.rates import reach_of
from unstuck.live.side_effects import quiet
from unstuck.probes.dependence import Dependence, dependence

if TYPE_CHECKING:
    from unstuck.landscape.critical_point import Standing
    from unstuck.live.captures import Kept
    from unstuck.live.rates import Reach
    from unstuck.objective.captured import CapturedCall, CapturedObjective
    from unstuck.objective.contract import Objective

VERDICT_GRADIENTS = 320  # what a spectrum, a descent in float64 and a rate trial cost together, measured 180 to 400
LEAST_GRADIENTS = 150
FEWEST_PARTS = 4  # batches that tell a gradient's noise
VECTOR_BYTES = 512 << 20
TRIAL_STEPS = 20
SMALL = 20_000  # parameters up to which everything is done in float64: a curvature of 1e-4 of the largest then shows
AT_LENGTH = 2.5  # seconds that may be spent, from which on a minimum is looked for: the run is stuck, or was long
ENOUGH = 0.1  # of the loss here; a start that leads so far settles it
PATIENCE = 2.0  # times the seconds that were foreseen (right within a third, see above): then the look is given up


def _seconds(objective: Objective) -> float:
    start = clock()
    objective.gradient(objective.start())
    return clock() - start


class OutOfTime(Exception):
    """The machine is busier than foreseen."""


class Exam:
    """The loss of the kept batches at the parameters as they are now, and what it says of the place."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.place = {name: p.detach().clone() for name, p in kept.live}
        self.deadline = math.inf

    def _objective(self, calls: list[Any]) -> CapturedObjective:
        from unstuck.objective.captured import captured_objective

        timed = [replace(call, loss=self._timed(call.loss)) for call in calls]
        return captured_objective(timed, parameters=[n for n, _ in self.kept.live], at=self.place, proved=True)

    def _timed(self, loss: Callable[[Any], torch.Tensor] | None) -> Callable[[Any], Any]:
        def timed(output: Any) -> Any:
            if clock() > self.deadline:
                raise OutOfTime
            return output if loss is None else loss(output)

        return timed

    def value(self, calls: Sequence[CapturedCall] | None = None) -> float:
        """The mean loss of the kept batches, or of these. *Cost*: two forward passes of each."""
        with quiet(), torch.enable_grad():
            objective = self._objective(list(self.kept.calls if calls is None else calls))
            return objective.value(objective.start())

    def answers(self) -> dict[str, list[int]]:
        """Of each class, the kept examples and those answered rightly; empty where that is not known.

        *Cost*: two forward passes of each kept batch.
        """
        total: dict[str, list[int]] = {}
        for call in self.kept.calls:
            seen: list[Any] = []
            heard = replace(call, loss=listening(call.loss, seen))
            self.value([heard])
            found = answers(call, seen[-1]) if seen else None
            if found is None:
                return {}
            for label, (count, right) in found.items():
                kept = total.setdefault(label, [0, 0])
                kept[0] += count
                kept[1] += right
        return total

    def dependence(self) -> Dependence | None:
        """Whether the kept targets depend on the kept inputs, as far as neighbors and straight lines can see."""
        found = pairs(self.kept.calls)
        return None if found is None else dependence(*found)

    def take(self, optimizer: torch.optim.Optimizer | None, *, seconds: float, peak_rate: float) -> dict[str, Any]:
        """Verdict, spectrum, the step against the curvature, and whether another rate falls faster.

        ``seconds``: what may be spent; fewer batches are used where all would take longer.
        """
        if not all(bool(p.isfinite().all()) for p in self.place.values()):
            return {"unseen": "the parameters are not finite"}
        self.deadline = clock() + PATIENCE * seconds
        data: dict[str, Any] = {}
        with quiet(), torch.enable_grad():
            try:
                told = self.answers()
                if told:
                    data["answers"] = told
                related = self.dependence()
                if related is not None:
                    data["dependence"] = asdict(related)
                self._take(data, optimizer, seconds=seconds, peak_rate=peak_rate)
            except OutOfTime:
                data.setdefault("unseen", f"it took longer than twice the {seconds:.1f} s that were foreseen for it")
            except (
                BadInput,
                RuntimeError,
                TypeError,
            ) as error:  # a model that cannot run in float64, an operator without ...
                data.setdefault("unseen", f"made again, the model failed: {type(error).__name__}: {error}"[:240])
        return data

    def _take(
        self, data: dict[str, Any], optimizer: torch.optim.Optimizer | None, *, seconds: float, peak_rate: float
    ) -> None:
        from unstuck.landscape.critical_point import classify
        from unstuck.objective.batches import examples_in

        calls = self.kept.calls
        if len(calls) < 2 and not self.kept.again:
            data["unseen"] = "only one batch was kept: it cannot tell signal from noise"
            return
        probe = self._objective(calls[-1:])
        each = max(1e-6, min(_seconds(probe) for _ in range(4)))  # the first is slow, others may be interrupted
        count = min(len(calls), int(seconds / (VERDICT_GRADIENTS * each)))
        least = min(2, len(calls))
        if count < least:
            if seconds < LEAST_GRADIENTS * least * each:
                data["unseen"] = (
                    f"a verdict would take about {VERDICT_GRADIENTS * least * each:.1f} s, more than the "
                    f"{seconds:.1f} s that may be spent on it"
                )
                return
            count = least
        used = calls[-count:]
        objective: Objective = self._objective(used)
        if objective.size <= SMALL:
            objective = objective.in_double()
        products = max(40, min(300, int(0.5 * seconds / (2.5 * each * count))))
        vectors = max(12, min(products, VECTOR_BYTES // (4 * max(1, objective.size))))
        reach = reach_of(optimizer, [p for _, p in self.kept.live]) if optimizer is not None else None
        if self.kept.own_functions:
            data["gradient_check"] = self._gradient_check(used[-1:])
        plain = reach is not None and reach.plain
        standing = classify(
            objective,
            lr=reach.rate if plain and reach is not None else None,
            max_products=products,
            max_vectors=None if vectors >= products else vectors,
        )
        told = standing.as_json()
        spectrum = standing.spectrum
        data |= {
            "state": standing.state,
            "sentence": standing.sentence,
            "evidence": told["evidence"],
            "batches": count,
            "examples": sum(examples_in((call.args, dict(call.kwargs))) for call in used),
        }
        if spectrum is not None:
            data |= {
                "largest": spectrum.top,
                "smallest": spectrum.bottom,
                "largest_five": [pair.value for pair in spectrum.largest],
                "negative_share": spectrum.shares.negative.value,
                "products": spectrum.products,
            }
        if reach is not None and spectrum is not None:
            data |= self._against_step(objective, reach, spectrum.top, peak_rate)
        if reach is not None and count >= FEWEST_PARTS:
            data["steps_at_rest"] = self._steps_at_rest(used, reach)
        # A rate that its schedule has brought down by design is not asked whether it could be longer.
        if reach is not None and reach.rate > 0.01 * peak_rate:
            data["trial"] = self._trial(used, reach, peak_rate)
        if seconds >= AT_LENGTH:
            try:
                self._minimum(data, objective, standing, clock() + 0.5 * seconds)
            except OutOfTime:
                pass
            except Exception as error:  # a model's own code, at places where it never was: what was found before stands
                data["other_starts_unseen"] = f"{type(error).__name__}: {error}"[:200]

    def _minimum(self, data: dict[str, Any], objective: Objective, standing: Standing, until: float) -> None:
        """Whether a minimum is next to this place, and whether other starts of the model lead to a lower loss.

        Models of few parameters only: a descent takes them some hundredths of a second.
        """
        from unstuck.landscape.elsewhere import search_elsewhere
        from unstuck.landscape.nearby import MOST, nearby_minimum

        if objective.size > MOST:
            return
        self.deadline = min(self.deadline, until + 1.0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            near = nearby_minimum(objective, standing, going=lambda: clock() < until)
            if near is not None:
                data |= {"state": near.state, "sentence": near.sentence, "evidence": near.as_json()["evidence"]}
            elif standing.state != "minimum":
                return
            here = objective.start()
            found = search_elsewhere(
                objective,
                here,
                lambda: another_start(self.kept).to(here),
                going=lambda: clock() < until,
                enough=ENOUGH * max(0.0, objective.value(here)) or -math.inf,
            )
            if found is not None:
                data["elsewhere"] = found.as_json()

    def _against_step(self, objective: Objective, reach: Reach, top: float, peak_rate: float) -> dict[str, Any]:
        sharpness = reach.rate * top
        if not reach.plain:
            with objective.at() as point:
                sharpness = reach.to(objective.dtype).steepest(point, top)
        rise = peak_rate / reach.rate if reach.rate > 0 else math.nan
        return {
            "rate": reach.rate,
            "peak_rate": peak_rate,
            "rate_times_curvature": sharpness,
            "peak_rate_times_curvature": sharpness * rise,
            "stable_limit": reach.limit,
            "gain": reach.gain,
            "rule": reach.rule,
        }

    def _steps_at_rest(self, used: list[Any], reach: Reach) -> dict[str, float]:
        """Squares of single batches' gradients as the rule weighs them (rate over denominator for each parameter): their
        mean, and the part of it that is the mean gradient's. Noise keeps up a quarter of the former where a run rests."""
        scale = reach.scale.double() * reach.gain
        total = torch.zeros_like(scale)
        squares = 0.0
        for call in used:
            with self._objective([call]).at() as point:
                gradient = point.gradient.double()
            total += gradient
            squares += float((scale * gradient**2).sum())
        parts = len(used)
        square = squares / parts
        together = float((scale * (total / parts) ** 2).sum())
        signal = max(0.0, (parts * together - square) / (parts - 1))
        return {"square": square, "signal": signal, "parts": parts}

    def _gradient_check(self, calls: list[Any]) -> dict[str, Any]:
        """Backward passes that the script wrote itself, against differences of the loss."""
        from unstuck.landscape.block_check import check_blocks

        functions = list(self.kept.own_functions[:8])
        try:
            checks = check_blocks(self._objective(calls))
        except (RuntimeError, TypeError, ValueError) as error:
            return {"functions": functions, "unseen": f"{type(error).__name__}: {error}"[:200]}
        return {"functions": functions, "parameters": [asdict(check) for check in checks[:12]]}

    def _trial(self, used: list[Any], reach: Reach, peak_rate: float) -> dict[str, Any]:
        from unstuck.landscape.rate_trial import rate_trial

        half = len(used) // 2
        training = self._objective(used[half:] if half else used)
        judging = self._objective(used[:half] if half else used)
        scale = reach.scale * (reach.gain * peak_rate / reach.rate)
        trial = rate_trial(training, judging, training.start(), scale, steps=TRIAL_STEPS)
        return {**trial.as_json(), "separate": bool(half)}
