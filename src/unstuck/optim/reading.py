"""An optimizer and a scheduler of torch, read as a rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.optim import lr_scheduler as theirs

from unstuck.core.errors import BadInput
from unstuck.optim import named_rules as named
from unstuck.optim import schedules as mine
from unstuck.optim.optimizer import Optimizer, _plain
from unstuck.optim.rule import Rule, Scheduled
from unstuck.optim.schedules import Schedule

# torch's class: ours, keys that are spelled differently (theirs: ours), state that is named differently (theirs: ours)
_KNOWN: dict[type, tuple[type[named.Named], dict[str, str], dict[str, str]]] = {
    torch.optim.SGD: (named.SGD, {}, {}),
    torch.optim.Adagrad: (named.AdaGrad, {}, {}),
    torch.optim.RMSprop: (named.RMSProp, {}, {"square_avg": "exp_avg_sq"}),
    torch.optim.Adam: (named.Adam, {}, {"max_exp_avg_sq": "max_exp_avg_sq"}),
    torch.optim.AdamW: (named.AdamW, {}, {"max_exp_avg_sq": "max_exp_avg_sq"}),
    torch.optim.RAdam: (named.RAdam, {}, {}),
    torch.optim.NAdam: (named.NAdam, {}, {}),
    torch.optim.Adamax: (named.Adamax, {}, {}),
    torch.optim.Adadelta: (named.Adadelta, {}, {}),
}
_DEFAULTS = {
    "eps_at": "outside",
    "start": "zero",
    "correct": False,
    "decoupled": False,
    "threshold": 5.0,
    "follows": "rate",
}


@dataclass(frozen=True)
class Reading:
    """What :func:`read` found: a rule for each parameter group, and ``notes`` on what it could not carry.

    ``updates`` is where the scheduler stands; ``name`` the class of ours with the same rule, None for a free rule.
    """

    rules: tuple[Rule, ...]
    schedules: Mapping[str, Scheduled]
    updates: int
    notes: tuple[str, ...]
    name: type[named.Named] | None = None
    values: tuple[Mapping[str, Any], ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)

    @property
    def rule(self) -> Rule:
        """The rule of the first group."""
        return self.rules[0]

    def renamed(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """A parameter's state under our names."""
        return {self.renames.get(key, key): value for key, value in state.items()}

    def resume(self, optimizer: torch.optim.Optimizer, *, lowering: str = "auto") -> Optimizer:
        """An optimizer of ours over the same parameters that goes on where the other stands; its state is copied."""
        if self.name is None:
            raise BadInput("optimizer", got=type(optimizer).__name__, want="an optimizer of torch that was read")
        groups = [
            {"params": list(group["params"]), **values}
            for group, values in zip(optimizer.param_groups, self.values, strict=True)
        ]
        make: Any = self.name
        ours: Optimizer = make(groups, schedules=dict(self.schedules), lowering=lowering)
        for group, own in zip(optimizer.param_groups, ours.param_groups, strict=True):
            ages = [0]
            for p in group["params"]:
                if optimizer.state.get(p):
                    state = self.renamed(optimizer.state[p])
                    slots = ours.rules()[0].slots
                    ours.state[p] = {k: v.clone() for k, v in state.items() if k in slots and isinstance(v, Tensor)}
                    # torch's SGD counts nothing; its first update is over as soon as there is a buffer
                    age = int(state["step"]) if "step" in state else max(self.updates, 1)
                    ours.state[p]["step"] = torch.tensor(float(age))
                    ages.append(age)
            own["updates"] = self.updates or max(ages)
        return ours


def read(optimizer: torch.optim.Optimizer, scheduler: Any = None, *, updates_per_epoch: int = 1) -> Reading:
    """A torch optimizer, and its scheduler if any, as rules; one of ours gives its own.

    ``updates_per_epoch``: how many updates there are between two calls of ``scheduler.step()``. A scheduler that reacts
    to a measure (``ReduceLROnPlateau``) is no function of the step: it is noted and left out.

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> adam = torch.optim.AdamW([weight], lr=0.01)
    >>> read(adam, torch.optim.lr_scheduler.StepLR(adam, 30)).rule.schedule(30)
    0.1
    """
    notes: list[str] = []
    schedules: dict[str, Scheduled] = {}
    updates = 0
    if scheduler is not None:
        if isinstance(scheduler, theirs.ReduceLROnPlateau):
            notes.append("ReduceLROnPlateau answers to a measure: the rate is read as it is now, without a schedule")
            scheduler = None
        else:
            found, more = _schedules(scheduler, optimizer)
            schedules = {"lr": found, **more}
            inner = scheduler._schedulers[0] if isinstance(scheduler, theirs.ChainedScheduler) else scheduler
            updates = inner.last_epoch * updates_per_epoch
            if updates_per_epoch > 1:
                schedules = {k: mine.Stretched(_pure(v), updates_per_epoch) for k, v in schedules.items()}
    if isinstance(optimizer, Optimizer):
        both = {**optimizer.schedules}
        for key, one in schedules.items():
            both[key] = _pure(both[key]) * one if key in both else one
        rules = [
            replace(rule, schedule=both.get("lr"), schedules={k: v for k, v in both.items() if k != "lr"})
            for rule in optimizer.rules()
        ]
        return Reading(tuple(rules), both, optimizer.param_groups[0]["updates"], tuple(notes))
    if type(optimizer) not in _KNOWN:
        raise BadInput(
            "optimizer",
            got=type(optimizer).__name__,
            want="one of " + ", ".join(sorted(kind.__name__ for kind in _KNOWN)) + " or of unstuck.optim",
        )
    name, keys, renames = _KNOWN[type(optimizer)]
    values, rules = [], []
    for group in optimizer.param_groups:
        own = {keys.get(k, k): _plain(v, k) for k, v in group.items() if k not in ("params", "param_names")}
        if scheduler is not None:
            own["lr"] = _base_rate(scheduler, group)
            if "momentum" in schedules:
                own["momentum"] = _plain(group["max_momentum"])
            if "beta1" in schedules:
                own["betas"] = (_plain(group["max_momentum"]), own["betas"][1])
        wanted = list(name.rule.__annotations__)
        own = {k: own.get(k, _DEFAULTS.get(k)) for k in wanted if k != "return"} | {"maximize": bool(group["maximize"])}
        if "centered" in own:
            own["centered"] = bool(own["centered"])
        values.append(own)
        bare = {k: v for k, v in own.items() if k != "maximize"}
        rules.append(
            replace(
                name.rule(**bare),
                maximize=own["maximize"],
                schedule=schedules.get("lr"),
                schedules={k: v for k, v in schedules.items() if k != "lr"},
            )
        )
        for flag in ("capturable", "differentiable"):
            if group.get(flag):
                notes.append(f"{flag}=True has no counterpart here")
    return Reading(tuple(rules), schedules, updates, tuple(dict.fromkeys(notes)), name, tuple(values), renames)


def _pure(schedule: Scheduled) -> Schedule:
    return schedule if isinstance(schedule, Schedule) else mine.constant() * schedule


def _base_rate(scheduler: Any, group: Mapping[str, Any]) -> float:
    if isinstance(scheduler, theirs.OneCycleLR):
        return float(group["max_lr"])
    return float(_plain(group["initial_lr"]))


def _schedules(scheduler: Any, optimizer: torch.optim.Optimizer) -> tuple[Scheduled, dict[str, Scheduled]]:
    """The factor of the rate, and those of other values."""
    if isinstance(scheduler, theirs.OneCycleLR):
        return _one_cycle(scheduler, optimizer)
    return _schedule(scheduler), {}


class _Wave(Schedule):
    """torch's cosine, which rises again after T_max."""

    def __init__(self, half: int, end: float) -> None:
        self.half, self.end = half, end

    def value(self, t: float) -> float:
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + math.cos(math.pi * t / self.half))

    def __repr__(self) -> str:
        return f"cosine, up again after {self.half}"


class _Restarts(Schedule):
    """Cosines one after the other, each ``longer`` times as long as the one before."""

    def __init__(self, first: int, longer: int, end: float) -> None:
        self.first, self.longer, self.end = first, longer, end

    def value(self, t: float) -> float:
        length = self.first
        while t >= length:
            t -= length
            length *= self.longer
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + math.cos(math.pi * t / length))

    def __repr__(self) -> str:
        return f"cosine with restarts, first {self.first}"


def _relative(least: float, bases: list[float], what: str) -> float:
    """A rate as a share of the base rate, which must be the same share in every group."""
    shares = {least / base if base else 0.0 for base in bases}
    if len(shares) > 1 and least:
        raise BadInput(
            "scheduler",
            got=f"{what}={least} over base rates {bases}",
            want="one base rate, or 0",
            hint="an absolute end is another factor in each group; read the groups one by one",
        )
    return shares.pop()


def _schedule(s: Any) -> Scheduled:
    bases = [float(_plain(one)) for one in s.base_lrs] if hasattr(s, "base_lrs") else []
    kind = type(s)
    if kind is theirs.LambdaLR:
        if len({id(one) for one in s.lr_lambdas}) > 1:
            raise BadInput("scheduler", got="a LambdaLR with several functions", want="one function for all groups")
        function: Callable[[int], float] = s.lr_lambdas[0]
        return function
    if kind is theirs.StepLR:
        return mine.step_every(s.step_size, gamma=s.gamma)
    if kind is theirs.MultiStepLR:
        return mine.step(sorted(s.milestones.elements()), gamma=s.gamma)
    if kind is theirs.ConstantLR:
        return mine.constant(s.factor, length=s.total_iters) >> mine.constant()
    if kind is theirs.LinearLR:
        return mine.linear(s.start_factor, s.end_factor, s.total_iters)
    if kind is theirs.ExponentialLR:
        return mine.exponential(s.gamma)
    if kind is theirs.PolynomialLR:
        return mine.polynomial(s.total_iters, power=s.power)
    if kind is theirs.CosineAnnealingLR:
        return _Wave(s.T_max, _relative(s.eta_min, bases, "eta_min"))
    if kind is theirs.CosineAnnealingWarmRestarts:
        return _Restarts(s.T_0, s.T_mult, _relative(s.eta_min, bases, "eta_min"))
    if kind is theirs.SequentialLR:
        marks = [0, *s._milestones]
        schedule: Schedule = _pure(_schedule(s._schedulers[-1]))
        for one, start, stop in reversed(list(zip(s._schedulers[:-1], marks[:-1], marks[1:], strict=True))):
            schedule = mine.Then(mine.Cut(_pure(_schedule(one)), stop - start), schedule)
        return schedule
    if kind is theirs.ChainedScheduler:
        product: Schedule = mine.constant()
        for one in s._schedulers:
            if type(one) in (theirs.CosineAnnealingLR, theirs.CosineAnnealingWarmRestarts, theirs.OneCycleLR):
                raise BadInput(
                    "scheduler",
                    got="a chain with a cosine",
                    want="multiplying schedulers in a chain",
                    hint="torch's cosine in a chain depends on what the others did",
                )
            product = product * _pure(_schedule(one))
        return product
    raise BadInput(
        "scheduler",
        got=kind.__name__,
        want="a scheduler that is a function of the step",
        hint="LambdaLR, StepLR, MultiStepLR, ConstantLR, LinearLR, ExponentialLR, PolynomialLR, "
        "CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR, SequentialLR, ChainedScheduler",
    )


def _one_cycle(s: Any, optimizer: torch.optim.Optimizer) -> tuple[Scheduled, dict[str, Scheduled]]:
    if len(s._schedule_phases) != 2:
        raise BadInput("scheduler", got="OneCycleLR in three phases", want="two phases")
    group = optimizer.param_groups[0]
    rise = (s._schedule_phases[0]["end_step"] + 1) / s.total_steps
    straight = s._anneal_func_type == "linear"
    top = float(group["max_lr"])
    rate = mine.one_cycle(
        s.total_steps,
        rise=rise,
        start=float(group["initial_lr"]) / top,
        end=float(group["min_lr"]) / top,
        linear=straight,
    )
    if not s.cycle_momentum:
        return rate, {}
    high, low = group["max_momentum"], group["base_momentum"]
    other = mine.one_cycle(s.total_steps, rise=rise, start=1.0, top=low / high, end=1.0, linear=straight)
    return rate, {"beta1" if s.use_beta1 else "momentum": other}
