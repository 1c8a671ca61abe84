"""Runs one script with torchmortem attached from outside, and prints what it found as the last line, in JSON.

    python torchmortem_child.py SCRIPT --seed 0

It attaches to the first model that is called in training, as its README has a user do by hand: `step(loss=…)` after every
step of the optimizer, with the loss that the last backward pass began from.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torchmortem import Autopsy

watched: dict[str, Any] = {"autopsy": None, "optimizer": None, "loss": None}


def _remember_optimizer() -> None:
    original = torch.optim.Optimizer.__init__

    def init(optimizer: Any, *args: Any, **kwargs: Any) -> None:
        original(optimizer, *args, **kwargs)
        watched["optimizer"] = optimizer

    torch.optim.Optimizer.__init__ = init


def _remember_loss() -> None:
    original = torch.autograd.backward

    def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        first = tensors[0] if isinstance(tensors, (list, tuple)) else tensors
        if first.numel() == 1:
            watched["loss"] = float(first.detach())
        return original(tensors, *args, **kwargs)

    torch.autograd.backward = backward


def _called(module: torch.nn.Module, args: Any) -> None:
    """Attach to the first module in training that holds most of what the optimizer moves, or all there is."""
    if watched["autopsy"] is not None or not torch.is_grad_enabled() or watched["optimizer"] is None:
        return
    if not any(p.requires_grad for p in module.parameters()) or not next(iter(module.children()), None):
        return
    watched["autopsy"] = Autopsy(module, optimizer=watched["optimizer"])
    watched["autopsy"].attach()


def _stepped(optimizer: Any, args: Any, kwargs: Any) -> None:
    if watched["autopsy"] is not None and watched["loss"] is not None:
        watched["autopsy"].step(loss=watched["loss"])


def main() -> None:
    script, sys.argv = sys.argv[1], sys.argv[1:]
    _remember_optimizer()
    _remember_loss()
    torch.nn.modules.module.register_module_forward_pre_hook(_called)
    register_optimizer_step_post_hook(_stepped)
    problem = None
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            runpy.run_path(script, run_name="__main__")
        except BaseException as error:
            problem = f"{type(error).__name__}: {error}"
        found = []
        if watched["autopsy"] is not None:
            watched["autopsy"].detach()
            found = [
                {"severity": f.severity.name, "category": f.category, "title": f.title}
                for f in watched["autopsy"]._report.findings
            ]
    print(json.dumps({"findings": found, "problem": problem}))


if __name__ == "__main__":
    main()
