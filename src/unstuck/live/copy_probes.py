"""Short trials on fresh copies of the model, made when asked for (``--probe``), once the script has ended.

Can the model fit one batch at all? Do the labels say more than shuffled ones? Does a flatter place do better on batches
that were left out? Copies start from newly drawn weights; the script's own model is not touched.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unstuck.live import kept_calls
from unstuck.live.budget import clock
from unstuck.live.fresh_weights import drawn_anew
from unstuck.live.loss_tape import Program
from unstuck.live.side_effects import quiet

if TYPE_CHECKING:
    from unstuck.live.captures import Kept
    from unstuck.objective.captured import CapturedCall, CapturedObjective

PROBE_BATCHES = 32  # kept instead of eight when probes were asked for
SECONDS = 8.0  # for each probe: all three together stay under half a minute
MOST_STEPS = 400  # at one rate; beyond, the time is better spent on the next rate. Chosen, not measured
RATE = 3e-3  # of Adam, for copies
RADIUS = 0.05  # of the sharpness-aware steps; their authors' default
REPEATS = 2
FITS = 0.05  # of a constant answer's loss: far below what any rule that ignores the inputs reaches, so learned by heart


class NoProbe(Exception):
    """Why a probe cannot be made here."""


@dataclass(frozen=True)
class _Batches:
    """Captured calls of which some train the copies and others judge them."""

    training: Sequence[CapturedCall]
    judging: Sequence[CapturedCall]


def probe_copies(kept: Kept, *, only: Sequence[str] = (), seed: int = 0) -> dict[str, dict[str, Any]]:
    """All probes by name, or only some; one that cannot be made says so under ``unseen``.

    *Cost*: up to 8 s each.
    """
    probes: dict[str, Callable[[Kept, int], dict[str, Any]]] = {
        "overfit-one-batch": _overfit,
        "shuffled-labels": _shuffled,
        "flatter-alternative": _flatter,
    }
    results: dict[str, dict[str, Any]] = {}
    with quiet(), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        for name, probe in probes.items():
            if only and name not in only:
                continue
            torch.manual_seed(seed)
            try:
                results[name] = probe(kept, seed)
            except NoProbe as reason:
                results[name] = {"unseen": str(reason)}
            except (RuntimeError, TypeError, ValueError) as error:
                results[name] = {"unseen": f"{type(error).__name__}: {error}"[:200]}
    return results


# -- the three probes ----------------------------------------------------------------------------------------------------


def _overfit(kept: Kept, seed: int) -> dict[str, Any]:
    call = _without_dropout(min(kept.calls, key=kept_calls.rows))
    start = _fresh(kept)
    objective = _objective(kept, [call], start)
    first = objective.value(start)
    constant = _constant_loss(call)
    end, steps = start, 0
    for rate in (RATE, 10 * RATE, RATE / 10):  # one that fits is enough
        place, taken = _train(objective, start, rate=rate, seconds=SECONDS / 3)
        if steps == 0 or objective.value(place) < objective.value(end):
            end, steps = place, taken
        if constant is not None and objective.value(end) < FITS * constant:
            break
    labels = kept_calls.labels(call)
    result: dict[str, Any] = {
        "examples": kept_calls.rows(call),
        "steps": steps,
        "first_loss": first,
        "last_loss": objective.value(end),
        "constant_loss": constant,
        "distinct_inputs": _distinct(call),
    }
    output = _output(kept, call, end)
    if labels is not None and output is not None and output.dim() == 2 and output.shape[0] == len(labels):
        result["accuracy"] = float((output.argmax(1) == labels).double().mean())
    return result


def _shuffled(kept: Kept, seed: int) -> dict[str, Any]:
    if not all(kept_calls.targets(call) for call in kept.calls):
        raise NoProbe("no tensor of the loss has a row for each example: the labels were not found")
    parts = _split(kept)
    generator = torch.Generator().manual_seed(seed)
    differences: list[float] = []
    own_losses: list[float] = []
    shuffled_losses: list[float] = []
    steps = 0
    for repeat in range(REPEATS):
        torch.manual_seed(seed + repeat)
        start = _fresh(kept)
        pairs = []
        for wrong in (False, True):
            change = (lambda c: _shuffle(c, generator)) if wrong else (lambda c: c)
            training = _objective(kept, [change(_without_dropout(c)) for c in parts.training], start)
            end, steps = _train(training, start, rate=RATE / 3, seconds=SECONDS / (2 * REPEATS), limit=150)
            pairs.append([_objective(kept, [change(_without_dropout(c))], start).value(end) for c in parts.judging])
        own_losses += pairs[0]
        shuffled_losses += pairs[1]
        differences += [b - a for a, b in zip(*pairs, strict=True)]
    constants = [c for c in map(_constant_loss, parts.judging) if c is not None]
    return {
        "loss": statistics.fmean(own_losses),
        "shuffled_loss": statistics.fmean(shuffled_losses),
        "standard_error": statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else None,
        "constant_loss": statistics.fmean(constants) if len(constants) == len(parts.judging) else None,
        "steps": steps,
        "repeats": REPEATS,
        "examples": sum(kept_calls.rows(c) for c in parts.training),
    }


def _flatter(kept: Kept, seed: int) -> dict[str, Any]:
    from unstuck.curvature.operators import hessian
    from unstuck.curvature.single_questions import extremes

    parts = _split(kept)
    start = _fresh(kept)
    training = _objective(kept, [_without_dropout(c) for c in parts.training], start)
    judges = [_objective(kept, [_without_dropout(c)], start) for c in parts.judging]
    found = []
    level = -math.inf
    # The plain copy stops at the training loss that the other one ended with: at the same loss the two are compared.
    for radius in (RADIUS, 0.0):
        end, steps = _train(training, start, rate=RATE, seconds=SECONDS / 2, radius=radius, level=level)
        with training.at(end) as point:
            top = extremes(hessian(point), largest=1, smallest=0, tolerance=1e-2, max_products=40).largest[0].value
        level = training.value(end)
        found.append((top, level, [judge.value(end) for judge in judges], steps))
    flat, plain = found
    differences = [a - b for a, b in zip(plain[2], flat[2], strict=True)]
    return {
        "sharpness": plain[0],
        "flatter_sharpness": flat[0],
        "training": plain[1],
        "flatter_training": flat[1],
        "evaluation": statistics.fmean(plain[2]),
        "flatter_evaluation": statistics.fmean(flat[2]),
        "error": statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf,
        "steps": min(plain[3], flat[3]),
        "batches": len(judges),
    }


# -- copies --------------------------------------------------------------------------------------------------------------


def _fresh(kept: Kept) -> Tensor:
    """New weights for the twin, by its layers' own first drawing; as one vector."""
    vector, missing = drawn_anew(kept)
    if missing:
        raise NoProbe(f"{missing[0]} cannot be drawn anew: its module has no reset_parameters")
    return vector


def _objective(kept: Kept, calls: Sequence[CapturedCall], start: Tensor) -> CapturedObjective:
    from unstuck.objective.captured import captured_objective

    place, at = 0, {}
    for name, p in kept.live:
        at[name] = start[place : place + p.numel()].reshape(p.shape)
        place += p.numel()
    return captured_objective(calls, parameters=[n for n, _ in kept.live], at=at, proved=True)


def _train(
    objective: CapturedObjective,
    start: Tensor,
    *,
    rate: float,
    seconds: float,
    limit: int | None = None,
    radius: float = 0.0,
    level: float = -math.inf,
) -> tuple[Tensor, int]:
    """Adam on the vector of all parameters; with a radius the gradient is that of the steepest point nearby."""
    place = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([place], lr=rate)
    until = clock() + seconds
    limit = MOST_STEPS if limit is None else limit
    steps = 0
    best, lowest = start, math.inf
    while steps < limit and clock() <= until:
        here = objective.gradient(place.detach())
        if not math.isfinite(here.value):
            break
        if here.value <= level:
            return place.detach(), steps
        if here.value < lowest:
            best, lowest = place.detach().clone(), here.value
        vector = here.vector
        if radius:
            length = float(vector.double().norm())
            if length > 0:
                vector = objective.gradient(place.detach() + radius / length * vector).vector
        place.grad = vector.to(place.dtype)
        optimizer.step()
        steps += 1
    return (place.detach(), steps) if radius else (best, steps)


def _split(kept: Kept) -> _Batches:
    if len(kept.calls) < 4:
        raise NoProbe(f"only {len(kept.calls)} different batches were kept: some must train, others judge")
    return _Batches(kept.calls[::2], kept.calls[1::2])


# -- captured calls ------------------------------------------------------------------------------------------------------


def _without_dropout(call: CapturedCall) -> CapturedCall:
    kinds = (nn.modules.dropout._DropoutNd,)
    off = {name for name, module in call.model.named_modules() if isinstance(module, kinds)}
    return replace(call, flags={name: flag and name not in off for name, flag in call.flags.items()})


def _shuffle(call: CapturedCall, generator: torch.Generator) -> CapturedCall:
    from unstuck.objective.batches import TARGET_KEYS, map_tensors

    rows = kept_calls.rows(call)
    order = torch.randperm(rows, generator=generator)

    def moved(t: Tensor) -> Tensor:
        return t[order.to(t.device)] if t.dim() > 0 and t.shape[0] == rows else t

    if isinstance(call.loss, Program):
        steps = tuple((f, map_tensors(a, moved), map_tensors(k, moved), p) for f, a, k, p in call.loss.steps)
        return replace(call, loss=Program(steps, call.loss.answer))
    changed = {k: moved(v) if k in TARGET_KEYS and isinstance(v, Tensor) else v for k, v in call.kwargs.items()}
    return replace(call, kwargs=changed)


def _constant_loss(call: CapturedCall) -> float | None:
    """The loss of the best constant answer, where the loss is one that is known."""
    if not isinstance(call.loss, Program):
        return None
    used = {getattr(f, "__name__", "") for f, *_ in call.loss.steps}
    labels = kept_calls.labels(call)
    if used & {"cross_entropy", "nll_loss"} and labels is not None:
        counts = torch.bincount(labels.clamp_min(0)).double()
        shares = counts[counts > 0] / counts.sum()
        return float(-(shares * shares.log()).sum())
    targets = [t for t in kept_calls.targets(call) if t.is_floating_point()]
    if used & {"binary_cross_entropy", "binary_cross_entropy_with_logits"} and len(targets) == 1:
        share = targets[0].double().mean(0)
        return float((torch.special.entr(share) + torch.special.entr(1 - share)).mean())
    if used == {"mse_loss"}:
        return float(targets[0].double().var(dim=0, unbiased=False).mean()) if len(targets) == 1 else None
    return None


def _distinct(call: CapturedCall) -> bool:
    from unstuck.objective.batches import tensors_in

    first = next((t for t in tensors_in((call.args, dict(call.kwargs))) if t.dim() > 0), None)
    return first is None or len(torch.unique(first.reshape(first.shape[0], -1), dim=0)) == first.shape[0]


def _output(kept: Kept, call: CapturedCall, place: Tensor) -> Tensor | None:
    seen: list[Any] = []
    _objective(kept, [replace(call, loss=kept_calls.listening(call.loss, seen))], place).value(place)
    return seen[-1] if seen and isinstance(seen[-1], Tensor) else None
