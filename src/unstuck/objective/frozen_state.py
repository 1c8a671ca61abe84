"""Contexts under which a model is evaluated: modes, random numbers and kernels fixed, everything put back
afterwards."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Literal

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm

from unstuck.core.errors import BadInput

Mode = Literal["eval", "train", "as-is"]
BatchNorm = Literal["running", "batch"]


def wanted_flags(model: nn.Module, mode: Mode, batch_norm: BatchNorm | None) -> dict[str, bool]:
    """The training flag every module shall have, by name."""
    if mode not in ("eval", "train", "as-is"):
        raise BadInput("mode", got=mode, want="'eval', 'train' or 'as-is'")
    if batch_norm not in (None, "running", "batch"):
        raise BadInput("batch_norm", got=batch_norm, want="'running', 'batch' or nothing")
    flags = {}
    for name, module in model.named_modules():
        flag = module.training if mode == "as-is" else mode == "train"
        if batch_norm is not None and isinstance(module, _BatchNorm):
            flag = batch_norm == "batch"
        flags[name] = flag
    return flags


@contextmanager
def modes(model: nn.Module, flags: Mapping[str, bool]) -> Iterator[None]:
    """Modules carry these training flags inside, and their own again outside."""
    changed: list[tuple[nn.Module, bool]] = []
    try:
        for name, module in model.named_modules():
            want = flags.get(name, module.training)
            if module.training != want:
                changed.append((module, module.training))
                module.training = want
        yield
    finally:
        for module, was in changed:
            module.training = was


@contextmanager
def random_numbers(
    seed: int | None, devices: Sequence[torch.device], states: Sequence[torch.Tensor] = ()
) -> Iterator[None]:
    """Random numbers start from ``seed`` (or from the given CPU and device states) inside; outside nothing moved."""
    cuda = [device for device in devices if device.type == "cuda"]
    with torch.random.fork_rng(devices=cuda):
        if states:
            torch.set_rng_state(states[0])
            for device, state in zip(cuda, states[1:], strict=False):
                torch.cuda.set_rng_state(state, device)
        elif seed is not None:
            torch.default_generator.manual_seed(seed)
            for device in cuda:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
        yield


def has_recurrent(model: nn.Module) -> bool:
    """Fused recurrent kernels have no second derivative: they are switched off where such a layer is."""
    return any(isinstance(module, nn.RNNBase) for module in model.modules())


@contextmanager
def differentiable_kernels(*, recurrent: bool) -> Iterator[None]:
    """Attention by plain products, no fast paths that exist only without gradients, no fused recurrent layers."""
    with ExitStack() as stack:
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        if recurrent:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*TF32 acceleration.*")
            yield
