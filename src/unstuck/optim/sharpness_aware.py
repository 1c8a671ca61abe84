"""SAM: the gradient of the worst point nearby."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput
from unstuck.optim.batch_norm import Statistics, has_statistics
from unstuck.optim.bounds import not_negative
from unstuck.optim.named_rules import SGD
from unstuck.optim.optimizer import Optimizer


class _Inner:
    """The base rule as a gradient scaler sees it: groups and a step, without hooks, which are the wrapper's."""

    def __init__(self, base: torch.optim.Optimizer) -> None:
        self.base = base

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return self.base.param_groups

    def step(self) -> None:
        base = self.base
        if isinstance(base, Optimizer):
            base._step(None)
        else:
            bare = getattr(type(base).step, "__wrapped__", type(base).step)
            bare(base)


class SAM(torch.optim.Optimizer):
    """Any optimizer, with the gradient taken at θ + ρ·g/‖g‖ instead of at θ (the norm over all groups).

    ``adaptive``: the neighborhood is measured in units of each weight (ASAM): θ + ρ·θ²g/‖θg‖. ``step(closure)`` calls
    the closure twice; batch-norm statistics are those of the first pass. Without a closure: ``climb()`` after the first
    backward, then ``step()`` after the second, with ``model=`` given for its batch norms. With a gradient scaler:
    ``step(closure, scaler=scaler)`` in place of ``scaler.step``, then ``scaler.update()``.

    Cost: two gradients a step, one copy of the parameters. Source: Foret et al. 2021, Algorithm 1.

    >>> w = nn.Parameter(torch.tensor([2.0]))
    >>> sam = SAM([w], SGD, rho=0.5, lr=0.1)
    >>> def closure():
    ...     sam.zero_grad()
    ...     loss = 0.5 * w.square().sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = sam.step(closure)  # the gradient at 2.5
    >>> w.item()
    1.75
    """

    def __init__(
        self,
        params: Iterable[Any],
        base: Callable[..., torch.optim.Optimizer] = SGD,
        *,
        rho: float = 0.05,
        adaptive: bool = False,
        model: nn.Module | None = None,
        **options: Any,
    ) -> None:
        not_negative("rho", rho)
        self.base = base(params, **options)
        self.model = model
        self._held: list[tuple[Tensor, Tensor]] | None = None
        self._kept: Statistics | None = None
        super().__init__(self.base.param_groups, {**self.base.defaults, "rho": rho, "adaptive": adaptive})
        self._join()

    def _join(self) -> None:
        """One list of groups and one state, the base's."""
        for group in self.base.param_groups:
            for key in ("rho", "adaptive"):
                group.setdefault(key, self.defaults[key])
        self.param_groups = self.base.param_groups
        self.state = self.base.state

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters to the base."""
        if len(self.param_groups) < len(self.base.param_groups):  # called by torch while the wrapper is being made
            self.param_groups.append(param_group)
            return
        self.base.add_param_group(param_group)
        self._join()

    @torch.no_grad()
    def climb(self) -> bool:
        """Put the parameters at the worst point nearby; False, and no move, when the gradients are not finite."""
        if self._held is not None:
            raise BadInput("climb", got="a second call", want="step() in between")
        terms = []
        for group in self.param_groups:
            not_negative("rho", group["rho"])
            for p in group["params"]:
                if p.grad is not None:
                    terms.append(torch.linalg.vector_norm(p.grad * p.abs() if group["adaptive"] else p.grad).double())
        if not terms:
            raise BadInput("gradients", got=None, want="a backward pass before climb()")
        norm = torch.linalg.vector_norm(torch.stack([one.to(terms[0].device) for one in terms])).item()
        self._held = []
        if self.model is not None:
            self._kept = Statistics([m for m in self.model.modules() if has_statistics(m)])
        if not norm < float("inf"):
            return False
        for group in self.param_groups:
            reach = (-1.0 if group.get("maximize", False) else 1.0) * group["rho"] / max(norm, 1e-300)
            for p in group["params"]:
                if p.grad is not None:
                    self._held.append((p, p.detach().clone()))
                    p.add_(p.square() * p.grad if group["adaptive"] else p.grad, alpha=reach if norm > 0 else 0.0)
        return True

    @torch.no_grad()
    def _return(self) -> None:
        for p, kept in self._held or []:
            p.copy_(kept)
        self._held = None
        if self._kept is not None:
            self._kept.restore()
            self._kept = None

    def step(self, closure: Callable[[], Any] | None = None, *, scaler: Any = None) -> Any:  # type: ignore[override]
        """One update of the base from the gradient of the worst point nearby; returns the loss of the first pass."""
        loss = None
        if closure is not None:
            ran: list[nn.Module] = []

            def note(module: nn.Module, _: Any) -> None:
                if has_statistics(module) and module not in ran:
                    ran.append(module)

            handle = nn.modules.module.register_module_forward_pre_hook(note)
            try:
                with torch.enable_grad():
                    loss = closure()
            finally:
                handle.remove()
            after_first = Statistics(ran)
            try:
                if self.climb():
                    with torch.enable_grad():
                        closure()
            finally:
                after_first.restore()
                self._return()
        elif self._held is None:
            raise BadInput(
                "closure", got=None, want="a closure, or climb() after a first backward", hint="SAM needs two gradients"
            )
        else:
            self._return()
        inner = _Inner(self.base)
        if scaler is None:
            inner.step()
        else:
            scaler.step(inner)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The base's state; SAM has none of its own between steps."""
        return self.base.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what :meth:`state_dict` gave."""
        self.base.load_state_dict(state_dict)
        self._join()

    def __getstate__(self) -> dict[str, Any]:
        return {"base": self.base, "defaults": self.defaults, "model": None, "_held": None, "_kept": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        base = state["base"]
        super().__setstate__({**state, "state": base.state, "param_groups": base.param_groups})

    def __repr__(self) -> str:
        group = self.param_groups[0]
        return f"SAM (g at θ + {group['rho']:g}·g/‖g‖{', adaptive' if group['adaptive'] else ''}) around {self.base!r}"
