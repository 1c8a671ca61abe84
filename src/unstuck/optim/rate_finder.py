"""Learning-rate range test: which rates make this model, on this data, from where it stands, go down."""

from __future__ import annotations

import copy
import math
import random
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput
from unstuck.launch.unwatched import unwatched
from unstuck.optim.bounds import positive, whole
from unstuck.optim.optimizer import Optimizer


@dataclass(frozen=True)
class Trial:
    """One sweep: rates, the losses met at them, and the losses smoothed; shorter when it blew up (at ``diverged``)."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smooth: tuple[float, ...]
    diverged: float | None
    falls: float | None
    steepest: float | None
    fades: float | None
    lowest: float | None


@dataclass(frozen=True)
class RateRange:
    """What :func:`find_rate` found. ``low`` and ``high`` are None when no rate lowered the loss beyond its noise.

    ``rate`` is where the loss fell fastest (median of the trials), ``interval`` the smallest and largest such rate.
    """

    low: float | None
    high: float | None
    rate: float | None
    interval: tuple[float, float] | None
    diverges: float | None
    reason: str
    trials: tuple[Trial, ...]

    def __str__(self) -> str:
        return self.reason

    def svg(self) -> str:
        """The trials as a picture: loss over rate (logarithmic), the range shaded, the rate marked."""
        from unstuck.optim.rate_picture import draw

        return draw(self)

    def draw(self, path: str | Path) -> Path:
        """Write the picture to an SVG file."""
        target = Path(path)
        target.write_text(self.svg(), encoding="utf-8")
        return target


def _generators(loader: Any) -> list[torch.Generator]:
    """The random generators that a loader draws from."""
    found: list[torch.Generator] = []
    places = [loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)]
    places.append(getattr(places[2], "sampler", None))
    for place in places:
        generator = getattr(place, "generator", None)
        if isinstance(generator, torch.Generator) and all(generator is not one for one in found):
            found.append(generator)
    return found


@contextmanager
def _unchanged(model: nn.Module, optimizer: torch.optim.Optimizer, loader: Any) -> Iterator[Callable[[], None]]:
    """Everything a sweep touches is put back at the end, and whenever the function that is handed out is called."""
    tensors: list[Tensor] = [*model.parameters(), *model.buffers()]
    for group in optimizer.param_groups:  # parameters of the loss, say, that the model does not have
        tensors.extend(p for p in group["params"] if all(p is not t for t in tensors))
    values = [t.detach().clone() for t in tensors]
    gradients = [(t, t.grad, None if t.grad is None else t.grad.clone()) for t in tensors]
    modes = [(module, module.training) for module in model.modules()]
    saved = copy.deepcopy(optimizer.state_dict())
    groups = [{k: copy.copy(v) for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    own_generators = [(g, g.get_state()) for g in _generators(loader)]
    states = (random.getstate(), np.random.get_state(), torch.get_rng_state())
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    schedules = optimizer.schedules if isinstance(optimizer, Optimizer) else None

    def restore() -> None:
        with torch.no_grad():
            for t, value in zip(tensors, values, strict=True):
                t.copy_(value)
            for t, grad, kept_grad in gradients:
                t.grad = grad
                if grad is not None and kept_grad is not None:
                    grad.copy_(kept_grad)
        for module, mode in modes:
            module.training = mode
        optimizer.load_state_dict(copy.deepcopy(saved))
        for group, kept in zip(optimizer.param_groups, groups, strict=True):
            for key in [k for k in group if k not in kept and k != "params"]:
                del group[key]
            group.update({k: copy.copy(v) for k, v in kept.items()})
        for generator, state in own_generators:
            generator.set_state(state)
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if devices:
            torch.cuda.set_rng_state_all(devices)

    try:
        if schedules is not None:
            optimizer.schedules = {}  # type: ignore[attr-defined]
        yield restore
    finally:
        restore()
        if schedules is not None:
            optimizer.schedules = schedules  # type: ignore[attr-defined]


def _endless(loader: Any) -> Iterator[Any]:
    """Batches for as long as they are wanted, without touching a loader's own iterator."""
    if isinstance(loader, torch.utils.data.DataLoader):
        loader = copy.copy(loader)
        loader._iterator = None
    while True:
        empty = True
        for batch in loader:
            empty = False
            yield batch
        if empty:
            raise BadInput("loader", got="no batch", want="at least one batch")


def _forward(model: nn.Module, loss_fn: Callable[..., Tensor], batch: Any) -> Tensor:
    if isinstance(batch, (list, tuple)) and len(batch) == 2:
        return loss_fn(model(batch[0]), batch[1])
    raise BadInput(
        "batch",
        got=type(batch).__name__,
        want="(inputs, targets)",
        hint="give forward=lambda model, loss_fn, batch: loss",
    )


def find_rate(
    model: nn.Module,
    loss_fn: Callable[..., Tensor],
    loader: Iterable[Any],
    optimizer: torch.optim.Optimizer,
    *,
    low: float = 1e-7,
    high: float = 10.0,
    updates: int = 100,
    replicates: int = 3,
    accumulate: int = 1,
    autocast: torch.dtype | None = None,
    forward: Callable[[nn.Module, Callable[..., Tensor], Any], Tensor] = _forward,
    blow_up: float = 4.0,
    seed: int = 0,
) -> RateRange:
    """Sweep the rate upwards from ``low`` to ``high``, a few times over, and say where the loss falls.

    Each replicate starts from the same weights with batches of another order (random states from ``seed`` + k).
    ``accumulate`` batches make an update; ``autocast`` is the type to compute in, float16 with a gradient scaler.
    Groups keep the ratios of their rates; schedules are set aside. A sweep ends when the loss exceeds its start
    by ``blow_up`` times what it had fallen, or is not finite.

    Afterwards weights, buffers, gradients, modes, optimizer, loader generators and global random states are as before,
    also when an error ends the search. The loader must be one that can be iterated again.
    Cost: ``replicates`` · ``updates`` · ``accumulate`` gradients, one copy of model and optimizer state.
    Source: Smith 2017, section 3.3.
    """
    positive("low", low)
    if not positive("high", high) > low:
        raise BadInput("high", got=high, want=f"more than low, {low}")
    whole("updates", updates, least=10)
    whole("replicates", replicates, least=1)
    whole("accumulate", accumulate, least=1)
    if hasattr(loader, "__next__"):  # iter(loader) would draw from its generator
        raise BadInput(
            "loader",
            got="an iterator",
            want="something that can be iterated again",
            hint="pass the DataLoader itself, or a list of batches: an iterator cannot be put back",
        )
    bases = [float(group["lr"]) for group in optimizer.param_groups]
    lead = next((base for base in bases if base > 0), 0.0)
    shares = [base / lead if lead else 1.0 for base in bases]
    device = next(model.parameters()).device.type
    trials = []
    with unwatched(), _unchanged(model, optimizer, loader) as restore:
        for k in range(replicates):
            restore()
            torch.manual_seed(seed + k)
            np.random.seed((seed + k) % 2**32)
            random.seed(seed + k)
            for generator in _generators(loader):
                generator.manual_seed(seed + k)
            model.train()
            scaler = torch.amp.GradScaler(device) if autocast is torch.float16 else None
            batches = _endless(loader)
            rates: list[float] = []
            losses: list[float] = []
            diverged = None
            for i in range(updates):
                rate = low * (high / low) ** (i / (updates - 1))
                for group, share in zip(optimizer.param_groups, shares, strict=True):
                    group["lr"] = rate * share
                mine = [next(batches) for _ in range(accumulate)]

                def closure(mine: list[Any] = mine, scaler: Any = scaler) -> Tensor:
                    optimizer.zero_grad()
                    total = torch.zeros(())
                    for batch in mine:
                        with torch.autocast(device, dtype=autocast) if autocast else nullcontext():
                            loss = forward(model, loss_fn, batch) / len(mine)
                        (scaler.scale(loss) if scaler else loss).backward()
                        total = total + loss.detach().float().cpu()
                    return total

                loss = _update(optimizer, closure, scaler)
                if not math.isfinite(loss):
                    diverged = rate
                    break
                rates.append(rate)
                losses.append(loss)
                recent = sorted(losses[-3:])[1] if i >= 2 else loss  # one bad batch ends nothing
                start = statistics.median(losses[:5])
                fallen = max(start - min(losses), 0.1 * abs(start))
                if i >= 5 and recent > start + blow_up * fallen:
                    diverged = rate
                    break
            trials.append(_judged(rates, losses, diverged))
    return _ranged(trials, low, high)


def _update(optimizer: torch.optim.Optimizer, closure: Callable[[], Tensor], scaler: Any) -> float:
    from unstuck.optim.sharpness_aware import SAM

    if isinstance(optimizer, SAM):
        value = optimizer.step(closure, scaler=scaler)
        if scaler is not None:
            scaler.update()
        return float(value)
    ahead = isinstance(optimizer, Optimizer) and any(rule.direction.looks_ahead for rule in optimizer.rules())
    if ahead or isinstance(optimizer, torch.optim.LBFGS):
        if scaler is not None:
            raise BadInput("autocast", got="float16", want="bfloat16 for an optimizer that calls a closure")
        return float(optimizer.step(closure))  # type: ignore[arg-type]
    value = closure()
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()
    return float(value)


def _smoothed(losses: list[float], reach: int) -> list[float]:
    """Means over ``reach`` losses before and after: centered, because an average that lags names rates too high."""
    smooth = []
    for i in range(len(losses)):
        side = min(reach, i, len(losses) - 1 - i)
        smooth.append(statistics.fmean(losses[i - side : i + side + 1]))
    return smooth


def _judged(rates: list[float], losses: list[float], diverged: float | None) -> Trial:
    """Where one sweep begins to fall, falls fastest and is lowest; None where the fall is within the noise."""
    falls = steepest = fades = lowest = None
    reach = max(2, len(losses) // 25)
    smooth = _smoothed(losses, reach)
    if len(rates) >= 10:
        early = losses[: max(10, len(losses) // 10)]
        start = statistics.fmean(early)
        bottom = min(range(len(smooth)), key=smooth.__getitem__)
        # what the losses scatter by while the rate is still too small to matter, after smoothing
        noise = statistics.pstdev(early) / (2 * reach + 1) ** 0.5
        fall = start - smooth[bottom]
        if fall > max(3 * noise, 1e-3 * abs(start)):
            lowest = rates[bottom]
            mark = start - 0.1 * fall
            last_above = max((i for i in range(bottom + 1) if smooth[i] > mark), default=-1)
            falls = rates[min(last_above + 1, bottom)]
            logs = [math.log(rate) for rate in rates]
            width = reach
            inside = range(width, bottom - width + 1)
            slopes = {i: (smooth[i + width] - smooth[i - width]) / (logs[i + width] - logs[i - width]) for i in inside}
            at = min(slopes, key=slopes.__getitem__) if slopes else bottom
            steepest = rates[at] if slopes else math.sqrt(falls * lowest)
            # the sweep reaches a rate only after all lower ones have done their part, so that the lowest loss lies at
            # rates that would not be stable for long: the range ends where the fall is down to a quarter
            slow = [i for i in sorted(slopes) if i > at and slopes[i] > 0.25 * slopes[at]]
            fades = rates[slow[0]] if slow else lowest
    return Trial(tuple(rates), tuple(losses), tuple(smooth), diverged, falls, steepest, fades, lowest)


def _ranged(trials: list[Trial], low: float, high: float) -> RateRange:
    """The trials as one range, with the sentence that says why."""
    found = [(t.falls, t.steepest, t.fades) for t in trials if t.falls and t.steepest and t.fades]
    blown = [t.diverged for t in trials if t.diverged is not None]
    diverges = statistics.median(blown) if blown else None
    ending = f", and blows up at {diverges:.2g}" if diverges else f", and does not blow up below {high:.2g}"
    if len(found) * 2 <= len(trials):
        reason = (
            f"no range: in {len(trials) - len(found)} of {len(trials)} sweeps from {low:.2g} to {high:.2g} the loss "
            f"did not fall by more than its noise{ending}"
        )
        return RateRange(None, None, None, None, diverges, reason, tuple(trials))
    falls = statistics.median(one[0] for one in found)
    rate = statistics.median(one[1] for one in found)
    fades = statistics.median(one[2] for one in found)
    interval = (min(one[1] for one in found), max(one[1] for one in found))
    top = max(min(fades, diverges / 2) if diverges else fades, rate)
    reason = (
        f"rates from {falls:.2g} to {top:.2g}: the loss begins to fall at {falls:.2g} (a tenth of the way), "
        f"falls fastest at {rate:.2g} ({interval[0]:.2g} to {interval[1]:.2g} over {len(trials)} sweeps), "
        f"at less than a quarter of that pace from {fades:.2g}"
        f"{ending}"
    )
    return RateRange(min(falls, rate), top, rate, interval, diverges, reason, tuple(trials))
