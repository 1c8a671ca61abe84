"""A call of a loss function of torch's as the loss module that does the same."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

_MODULES: Mapping[str, type[nn.Module]] = {
    "cross_entropy": nn.CrossEntropyLoss,
    "nll_loss": nn.NLLLoss,
    "mse_loss": nn.MSELoss,
    "l1_loss": nn.L1Loss,
    "smooth_l1_loss": nn.SmoothL1Loss,
    "huber_loss": nn.HuberLoss,
    "binary_cross_entropy": nn.BCELoss,
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss,
    "kl_div": nn.KLDivLoss,
    "soft_margin_loss": nn.SoftMarginLoss,
    "multi_margin_loss": nn.MultiMarginLoss,
    "multilabel_margin_loss": nn.MultiLabelMarginLoss,
    "multilabel_soft_margin_loss": nn.MultiLabelSoftMarginLoss,
}
_OUT_OF_USE = ("size_average", "reduce")  # they overrule ``reduction``; torch itself warns of them


@dataclass(frozen=True)
class CalledLoss:
    """A loss module, and what it is to be called with: the model's output first, the target second."""

    module: nn.Module
    inputs: tuple[Tensor, Tensor]


def called_loss(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> CalledLoss | None:
    """The module that computes the same as ``torch.nn.functional.<name>(*args, **kwargs)``; None where there is none.

    There is none for other functions, for the old arguments ``size_average`` and ``reduce``, and for arguments that the
    module does not have (the ``weight`` of ``mse_loss``). Nothing is computed. Cost: about 30 µs.

    >>> found = called_loss("cross_entropy", (torch.eye(2),), {"target": torch.tensor([0, 1]), "reduction": "sum"})
    >>> found.module.reduction, round(float(found.module(*found.inputs)), 4)
    ('sum', 0.6265)
    """
    kind = _MODULES.get(name)
    if kind is None:
        return None
    try:
        given = dict(_signature(name).bind(*args, **kwargs).arguments)
    except TypeError:
        return None
    output, target = given.pop("input", None), given.pop("target", None)
    if not isinstance(output, Tensor) or not isinstance(target, Tensor):
        return None
    options = {key: value for key, value in given.items() if value is not None}
    if any(key in options for key in _OUT_OF_USE) or not options.keys() <= _options(name):
        return None
    return CalledLoss(kind(**options), (output, target))


def calls_a_function(module: nn.Module) -> bool:
    """Whether a loss module of torch's computes its loss by one of the functions that :func:`called_loss` knows."""
    return isinstance(module, tuple(_MODULES.values()))


@lru_cache(maxsize=64)
def _signature(name: str) -> inspect.Signature:
    return inspect.signature(getattr(torch.nn.functional, name))


@lru_cache(maxsize=64)
def _options(name: str) -> frozenset[str]:
    return frozenset(inspect.signature(_MODULES[name]).parameters)
