"""Any rule as a ``torch.optim.Optimizer``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from itertools import repeat
from operator import is_, is_not, itemgetter
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from unstuck.core.errors import BadInput
from unstuck.optim import eager, sparse
from unstuck.optim.bounds import choice, not_negative, number
from unstuck.optim.bucket import Bucket
from unstuck.optim.planner import LOWERINGS
from unstuck.optim.rule import Rule, Scheduled, Tensors

_SLOTS = ("direction", "scale", "before", "noise", "decay", "trust")
_PAIRS = {"beta1": ("betas", 0), "beta2": ("betas", 1)}


def _ready(lists: _Lists, grads: list[Tensor | None]) -> list[Tensors] | None:
    """The gradients of each bucket as kernels want them; None if one has become sparse."""
    if lists.single:
        whole = lists.buckets[0].usable(grads)  # type: ignore[arg-type]  # all are there
        return None if whole is None else [whole]
    ready = []
    for bucket in lists.buckets:
        mine = bucket.usable([grads[i] for i in bucket.where])  # type: ignore[misc]
        if mine is None:
            return None
        ready.append(mine)
    return ready


class _Lists:
    """The buckets of one group, and what they were built from."""

    def __init__(self, params: list[Tensor], have: list[bool], buckets: list[Bucket], known: int) -> None:
        self.params = params
        self.have = have
        self.all = all(have)
        self.buckets = buckets
        self.single = len(buckets) == 1 and self.all
        self.known = known  # how many parameters had a state when the lists were built


class Optimizer(torch.optim.Optimizer):
    """A torch optimizer that follows a :class:`~unstuck.optim.rule.Rule`.

    Every number of the rule is a key of the parameter groups (``lr``, ``direction.rho``, …) and may differ between
    groups or be changed at any time. A schedule multiplies the group's value, as a function of the group's count of
    updates, so that it resumes exactly; ``used`` holds the values of the last step. ``lowering``: ``"auto"`` (a fused
    kernel of torch where one fits), ``"fused"``, ``"eager"``, ``"compile"``.

    >>> from unstuck.optim.directions import Velocity
    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = Optimizer([weight], Rule(direction=Velocity(0.9), lr=0.5))
    >>> (0.5 * weight**2).sum().backward()
    >>> optimizer.step()
    >>> weight.item()
    0.5
    """

    _straight: tuple[dict[str, Any], tuple[Any, ...], _Lists, Bucket] | None
    _moving: bool  # some value is a tensor, which may change in place: the rule is built anew at each step
    _looks_ahead: bool | None

    def __init__(self, params: Iterable[Any], rule: Rule, *, lowering: str = "auto") -> None:
        if not isinstance(rule, Rule):
            raise BadInput("rule", got=rule, want="an unstuck.optim.Rule", hint="or use a name: unstuck.optim.Adam")
        self._template: Rule | None = rule
        schedules = dict(rule.schedules)
        if rule.schedule is not None:
            schedules["lr"] = rule.schedule
        self._begin(params, _flat(rule), schedules, lowering)

    def _begin(
        self,
        params: Iterable[Any],
        defaults: dict[str, Any],
        schedules: Mapping[str, Scheduled],
        lowering: str,
    ) -> None:
        self.lowering = choice("lowering", lowering, LOWERINGS)
        self.schedules = dict(schedules)
        self._forget()
        self._keys = tuple(k for k in defaults if k != "lr")
        self._pick = itemgetter(*self._keys, "maximize")  # two names at least, so that a tuple comes out
        for name, schedule in self.schedules.items():
            if not callable(schedule):
                raise BadInput(
                    f"schedules[{name!r}]",
                    got=schedule,
                    want="a function of the step",
                    hint="see unstuck.optim.schedules",
                )
            if name not in defaults and _PAIRS.get(name, ("", 0))[0] not in defaults:
                raise BadInput("schedules", got=name, want="one of " + ", ".join(defaults))
        super().__init__(params, {**defaults, "updates": 0})

    # ---- rules of groups

    def rule_of(self, values: Mapping[str, Any]) -> Rule:
        """The rule that the values of a group describe."""
        assert self._template is not None
        return _shaped(self._template, values)

    def rules(self) -> list[Rule]:
        """The rule of each group, at the values its group has now (before any schedule)."""
        return [self.rule_of({k: _plain(group[k]) for k in ("lr", *self._keys)}) for group in self.param_groups]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with values of their own where given."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            values = {k: _plain(group[k], k) for k in ("lr", *self._keys)}
            not_negative("lr", values["lr"])
            self.rule_of(values)
            for p in group["params"]:
                if not (p.is_floating_point() or p.is_complex()):
                    raise BadInput("params", got=str(p.dtype), want="floating point or complex parameters")
        except BaseException:
            self.param_groups.pop()
            raise
        self._forget()

    def _values(self, index: int, group: dict[str, Any]) -> tuple[Rule, float, float]:
        """Rule, rate and base rate of a group for the coming update, checked."""
        base = group["lr"]
        if type(base) is not float:
            base = number("lr", base)
        update = group["updates"]
        lr = base
        schedules = self.schedules
        if schedules:
            schedule = schedules.get("lr")
            if schedule is not None:
                lr = base * _factor("lr", schedule, update)
        if not 0.0 <= lr < math.inf:
            raise BadInput(
                "lr",
                got=lr,
                want="a finite number, zero or more",
                hint=f"group {index}, update {update}; no parameter was moved",
            )
        raw = self._pick(group)
        known = self._rules.get(index)
        others = schedules and schedules.keys() != {"lr"}
        if known is None or known[0] != raw or others or self._moving:
            values: dict[str, Any] = {"lr": base}
            for key in self._keys:
                values[key] = _plain(group[key], key)
            for name, schedule in schedules.items():
                if name == "lr":
                    continue
                factor = _factor(name, schedule, update)
                if name in values:
                    values[name] = values[name] * factor
                else:
                    key, place = _PAIRS[name]
                    pair = list(values[key])
                    pair[place] *= factor
                    values[key] = tuple(pair)
            known = (raw, self.rule_of(values))
            self._rules[index] = known
            self._moving = any(
                isinstance(one, Tensor) or (isinstance(one, tuple) and any(isinstance(x, Tensor) for x in one))
                for one in raw
            )
        return known[1], lr, base

    # ---- tensor lists

    def _forget(self) -> None:
        self._cache: dict[int, _Lists] = {}
        self._rules: dict[int, tuple[tuple[Any, ...], Rule]] = {}
        self._moving = False
        self._looks_ahead = None
        self._straight = None
        self.used: list[dict[str, float]] = []

    def _lists(self, index: int, params: list[Tensor], grads: list[Tensor | None]) -> _Lists:
        """The group's buckets; built anew only when parameters, gradients' presence, ages or state tensors changed."""
        lists = self._cache.get(index)
        if lists is not None and lists.known == len(self.state) and len(lists.params) == len(params):
            if lists.all:
                same = all(map(is_not, grads, repeat(None)))
            else:
                same = lists.have == [g is not None and not g.is_sparse for g in grads]
            if same and all(map(is_, lists.params, params)):
                if lists.single:
                    if not lists.buckets[0].stale():
                        return lists
                elif not any(bucket.stale() for bucket in lists.buckets):
                    return lists
        have = [g is not None and not g.is_sparse for g in grads]
        apart: dict[tuple[Any, ...], list[int]] = {}
        for place, (p, present) in enumerate(zip(params, have, strict=True)):
            if present:
                state = self.state[p]
                age = int(state["step"]) if "step" in state else 0
                apart.setdefault((p.device, p.dtype, age), []).append(place)
        buckets = [
            Bucket(where, [params[i] for i in where], [self.state[params[i]] for i in where], key[2])
            for key, where in apart.items()
        ]
        lists = _Lists(list(params), have, buckets, len(self.state))
        self._cache[index] = lists
        return lists

    # ---- the step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One update of every parameter that has a gradient; the closure, if any, computes loss and gradients anew.

        Wrong values (a negative rate, a schedule that returns NaN, state on another device) raise
        :class:`~unstuck.core.errors.BadInput` before any parameter is moved.
        """
        if torch.compiler.is_compiling():
            return _step_outside(self, closure)
        if (
            _global_optimizer_pre_hooks
            or _global_optimizer_post_hooks
            or self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or torch.autograd._profiler_enabled()  # type: ignore[attr-defined]
        ):
            return _heard_step(self, closure)
        if closure is None and self._straight is not None and self._straight_step():
            return None
        return self._step(closure)

    step.hooked = True  # type: ignore[attr-defined]  # torch wraps a step that does not say so, at 6 µs a call

    def _straight_step(self) -> bool:
        """The update of one bucket by a fused kernel; False, with nothing done, unless all is as at the last step.

        The same checks as on the general road, without its lists: 1 to 2 µs, a tenth of a small network's update.
        """
        assert self._straight is not None
        group, raw, lists, bucket = self._straight
        params, lr = group["params"], group["lr"]
        grads = [p.grad for p in params]
        groups = self.param_groups
        if not (
            len(groups) == 1
            and groups[0] is group
            and not self.schedules
            and type(lr) is float
            and 0.0 <= lr < math.inf
            and self._pick(group) == raw
            and lists.known == len(self.state)
            and len(params) == len(lists.params)
            and all(map(is_, lists.params, params))
            and all(map(is_not, grads, repeat(None)))
            and not bucket.stale()
            and bucket.usable(grads) is grads
            and bucket.lowered(self.lowering)
        ):
            self._straight = None
            return False
        bucket.take(grads, lr, lr, group["updates"], 0)
        gradients_were_on = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)
        try:
            bucket.advance()
        finally:
            torch._C._set_grad_enabled(gradients_were_on)
        group["updates"] += 1
        self.used = [{"lr": lr}]
        return True

    def _find_straight(self) -> None:
        """Remember the one bucket of an optimizer whose updates are a kernel's call and nothing beside."""
        lists = self._cache.get(0)
        known = self._rules.get(0)
        if len(self.param_groups) != 1 or self.schedules or self._moving or lists is None or known is None:
            return
        bucket = lists.buckets[0] if lists.single else None
        if bucket is not None and bucket.contiguous and not bucket.complex and bucket.kind == "fused":
            self._straight = (self.param_groups[0], known[0], lists, bucket)

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        self._straight = None  # the buckets may be built anew below: an old one would go on with its old age
        loss = None
        if self._looks_ahead is None:
            self._looks_ahead = any(rule.direction.looks_ahead for rule in self.rules())
        if self._looks_ahead:
            loss = self._ahead(closure)
        elif closure is not None:
            with torch.enable_grad():
                loss = closure()
        gradients_were_on = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)  # torch.no_grad() takes a microsecond more
        try:
            work: list[Bucket] = []
            thin: list[tuple[Rule, Tensor, Tensor, float]] = []
            used = []
            plain = True
            for index, group in enumerate(self.param_groups):
                params = group["params"]
                grads = [p.grad for p in params]
                rule, lr, base = self._values(index, group)
                used.append({"lr": lr})
                lists = self._lists(index, params, grads)
                ready = _ready(lists, grads)
                if ready is None:  # dense so far, sparse from now on
                    del self._cache[index]
                    lists = self._lists(index, params, grads)
                    ready = _ready(lists, grads) or []
                if not lists.all:
                    for p, g in zip(params, grads, strict=True):
                        if g is not None and g.is_sparse:
                            sparse.check(rule)
                            thin.append((rule, p, g, lr))
                for bucket, usable in zip(lists.buckets, ready, strict=True):
                    bucket.ready(rule, self.lowering)
                    lists.known = len(self.state)
                    if bucket.complex:
                        usable = bucket.real(usable)
                    if rule.before is not None or rule.noise is not None:
                        plain = False
                    bucket.take(usable, lr, base, group["updates"], index)
                    work.append(bucket)
            if not plain:
                _prepare(work)
            elif not self._looks_ahead:
                self._find_straight()
            for bucket in work:
                bucket.advance()
            for rule, p, g, lr in thin:
                sparse.advance(rule, p, g, self.state[p], lr)
            for group in self.param_groups:
                group["updates"] += 1
            self.used = used
        finally:
            torch._C._set_grad_enabled(gradients_were_on)
        return loss

    def _ahead(self, closure: Callable[[], Any] | None) -> Any:
        """The closure's loss and gradients at θ − ρ·u, with the parameters back in their place afterwards."""
        if closure is None:
            raise BadInput(
                "closure",
                got=None,
                want="a closure",
                hint="a look-ahead takes its gradient ahead of the "
                "parameters: step(lambda: loss), or use NesterovVelocity, which needs none",
            )
        held: list[tuple[Tensor, Tensor]] = []
        with torch.no_grad():
            for index, group in enumerate(self.param_groups):
                rho = self._values(index, group)[0].direction.rho  # type: ignore[attr-defined]
                for p in group["params"]:
                    velocity = self.state.get(p, {}).get("velocity")
                    if velocity is not None:
                        held.append((p, p.detach().clone()))
                        p.sub_(velocity, alpha=rho)
        try:
            with torch.enable_grad():
                return closure()
        finally:
            with torch.no_grad():
                for p, kept in held:
                    p.copy_(kept)

    # ---- saving

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_template": self._template,
            "lowering": self.lowering,
            "schedules": self.schedules,
            "_keys": self._keys,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.defaults.pop("differentiable", None)
        self._forget()
        self._pick = itemgetter(*self._keys, "maximize")
        for group in self.param_groups:
            for key, value in self.defaults.items():
                group.setdefault(key, value)
            if group["updates"] == 0:  # a state of torch's own optimizers counts by parameter
                ages = [float(self.state[p].get("step", 0)) for p in group["params"] if p in self.state]
                group["updates"] = int(max(ages, default=0.0))

    # ---- words

    def plans(self) -> list[str]:
        """How each bucket is computed, in words; empty before the first step."""
        return [b._plan.text for lists in self._cache.values() for b in lists.buckets if b._plan is not None]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for index, (group, rule) in enumerate(zip(self.param_groups, self.rules(), strict=True)):
            lines.append(f"Parameter Group {index}")
            lines.append(f"    formula: {rule.formula}")
            lists = self._cache.get(index)
            texts = [b._plan.text for b in lists.buckets if b._plan is not None] if lists else []
            lines.append(
                "    lowering: " + ("; ".join(dict.fromkeys(texts)) or f"{self.lowering}, chosen at the first step")
            )
            lines.extend(f"    {key}: {group[key]}" for key in sorted(group) if key != "params")
        for name, schedule in self.schedules.items():
            lines.append(f"{name} is multiplied by {schedule}")
        return "\n".join([*lines, ")"])


_heard_step = torch.optim.Optimizer.profile_hook_step(Optimizer._step)  # with hooks and the profiler's label


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _step_outside(optimizer: Optimizer, closure: Callable[[], Any] | None) -> Any:
    return _heard_step(optimizer, closure)


def _prepare(work: list[Bucket]) -> None:
    """Noise for all, then one norm over all that share a clip, then the clip."""
    norms: dict[Any, list[Tensor]] = {}
    for bucket in work:
        rule = bucket.rule
        if rule.noise is not None or rule.before is not None:
            bucket.grads = eager.copied(bucket.grads, bucket.now)
            if rule.noise is not None:
                rule.noise.apply(bucket.grads, bucket.update, stream=bucket.stream)
            if rule.before is not None:
                norms.setdefault(rule.before, []).extend(bucket.grads)
    sizes = {clip: clip.coefficient(grads) for clip, grads in norms.items()}
    for bucket in work:
        if bucket.rule.before is not None:
            bucket.rule.before.apply(bucket.grads, sizes[bucket.rule.before])


def _factor(name: str, schedule: Scheduled, update: int) -> float:
    """The schedule's value, checked."""
    value = schedule(update)
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise BadInput(
            f"schedule of {name}",
            got=value,
            want="a finite number, zero or more",
            hint=f"at update {update}; no parameter was moved",
        )
    return float(value)


def _plain(value: Any, name: str = "value") -> Any:
    """A group's value without tensors."""
    if isinstance(value, Tensor):
        return number(name, value)
    if isinstance(value, (tuple, list)):
        return tuple(_plain(one, name) for one in value)
    return value


def _flat(rule: Rule) -> dict[str, Any]:
    """A rule's numbers and switches by name: ``direction.rho``."""
    values: dict[str, Any] = {"lr": rule.lr, "maximize": rule.maximize}
    for slot in _SLOTS:
        part = getattr(rule, slot)
        if part is not None:
            values.update({f"{slot}.{f.name}": getattr(part, f.name) for f in fields(part)})
    return values


def _shaped(rule: Rule, values: Mapping[str, Any]) -> Rule:
    """The rule with other numbers."""
    changed: dict[str, Any] = {"lr": values["lr"], "maximize": values["maximize"]}
    for slot in _SLOTS:
        part = getattr(rule, slot)
        if part is not None:
            changed[slot] = type(part)(**{f.name: values[f"{slot}.{f.name}"] for f in fields(part)})
    return replace(rule, **changed)
