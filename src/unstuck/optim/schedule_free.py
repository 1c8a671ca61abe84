"""Schedule-free: no schedule, no end to name; an average in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim.bounds import share
from unstuck.optim.named_rules import SGD
from unstuck.optim.optimizer import Optimizer


class ScheduleFree(torch.optim.Optimizer):
    """Any rule without momentum, run on z, with gradients at y = β·x + (1−β)·z and the answer in the average x.

    z ← rule(z, ∇f(y)); x ← (1−c)·x + c·z, c = η_t²/Σ η_i²: equal weights under a constant rate, little weight for a
    warm-up. In training the parameters are y; ``eval()`` puts x in their place, ``train()`` puts y back, and a step in
    between is refused. Cost: one copy of the parameters. Source: Defazio et al. 2024.

    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = ScheduleFree([w], SGD, beta=0.9, lr=0.5)
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     w.square().sum().backward()
    ...     optimizer.step()
    >>> optimizer.eval()
    >>> bool(w.abs() < 0.02)
    True
    """

    def __init__(
        self, params: Iterable[Any], base: Callable[..., Optimizer] = SGD, *, beta: float = 0.9, **options: Any
    ) -> None:
        share("beta", beta)
        if beta == 0:
            raise BadInput(
                "beta", got=0, want="a number in (0, 1)", hint="at 0 the gradient is taken at z: use the base"
            )
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        super().__init__([dict(group) for group in groups], {"beta": beta})
        copies = []
        for given, group in zip(groups, self.param_groups, strict=True):
            zs = [p.detach().clone() for p in group["params"]]
            for p, z in zip(group["params"], zs, strict=True):
                self.state[p]["z"] = z
            copies.append({**{k: v for k, v in given.items() if k not in ("params", "beta")}, "params": zs})
        self.base = base(copies, **options)
        for rule in self.base.rules():
            if getattr(rule.direction, "beta", 0.0) or getattr(rule.direction, "rho", 0.0):
                raise BadInput(
                    "base",
                    got=rule.formula,
                    want="a rule without momentum",
                    hint="β takes its part: momentum=0, betas=(0.0, …)",
                )
        for group, inner in zip(self.param_groups, self.base.param_groups, strict=True):
            group.update({"lr": inner["lr"], "weight": 0.0})
        self.training = True

    def _zs(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return list(zip(self.param_groups, self.base.param_groups, strict=True))

    @torch.no_grad()
    def _mix(self, weight_of_z: Callable[[float], float]) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                p.lerp_(self.state[p]["z"], weight_of_z(group["beta"]))

    def eval(self) -> None:
        """Put the average x into the parameters."""
        if self.training:
            self._mix(lambda beta: 1.0 - 1.0 / beta)
            self.training = False

    def train(self) -> None:
        """Put y, where gradients are taken, into the parameters."""
        if not self.training:
            self._mix(lambda beta: 1.0 - beta)
            self.training = True

    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One update of z, x and y."""
        if not self.training:
            raise BadInput("step", got="parameters that hold the average", want="train() before a step")
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            live: list[list[tuple[Tensor, Tensor]]] = []
            for group, inner in self._zs():
                inner["lr"] = group["lr"]  # schedulers and users write here
                pairs = []
                for p, z in zip(group["params"], inner["params"], strict=True):
                    z.grad = p.grad
                    if p.grad is not None:
                        pairs.append((p, z))
                live.append(pairs)
            before = [[z.clone() for _, z in pairs] for pairs in live]
            self.base._step(None)
            for (group, _), pairs, olds, used in zip(self._zs(), live, before, self.base.used, strict=True):
                weight = used["lr"] ** 2
                group["weight"] += weight
                c, beta = (weight / group["weight"] if group["weight"] else 0.0), group["beta"]
                for (y, z), old in zip(pairs, olds, strict=True):
                    y.sub_(old, alpha=1.0 - beta).mul_(1.0 - c).add_(z, alpha=beta * c + 1.0 - beta)
                    z.grad = None
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Parameters' z, weights, mode and the base's state."""
        return {**super().state_dict(), "base": self.base.state_dict(), "training": self.training}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what :meth:`state_dict` gave; the parameters must be those of the same checkpoint."""
        own = dict(state_dict)
        inner, training = own.pop("base"), own.pop("training")
        super().load_state_dict(own)
        self.base.load_state_dict(inner)
        for group, below in self._zs():
            for p, z in zip(group["params"], below["params"], strict=True):
                z.copy_(self.state[p]["z"])
                self.state[p]["z"] = z
        self.training = training

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "base": self.base, "training": self.training}

    def __repr__(self) -> str:
        return f"ScheduleFree (β {self.param_groups[0]['beta']:g}) around {self.base!r}"
