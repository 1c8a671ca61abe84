"""A call of a loss function and the module made from it compute the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unstuck.launch.loss_functions import NAMES
from unstuck.probes import called_loss, called_losses, calls_a_function, evaluated, loss_modules
from unstuck.treatment.stage import LOSSES

torch.manual_seed(0)
SCORES, CLASSES, WEIGHT = torch.randn(12, 4), torch.randint(0, 4, (12,)), torch.tensor([1.0, 2.0, 0.5, 1.0])
A, B = torch.rand(12, 3), torch.rand(12, 3)
SIGNS = torch.randint(0, 2, (12, 3)) * 2.0 - 1.0
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("cross_entropy", (SCORES, CLASSES), {}),
    ("cross_entropy", (SCORES, CLASSES, WEIGHT), {"label_smoothing": 0.1}),
    ("cross_entropy", (SCORES,), {"target": CLASSES, "ignore_index": 2, "reduction": "sum"}),
    ("cross_entropy", (SCORES, SCORES.softmax(1)), {}),
    ("nll_loss", (SCORES.log_softmax(1), CLASSES, WEIGHT), {"ignore_index": 1}),
    ("mse_loss", (A, B), {"reduction": "sum"}),
    ("l1_loss", (), {"input": A, "target": B}),
    ("smooth_l1_loss", (A, B), {"beta": 0.2}),
    ("huber_loss", (A, B, "sum", 0.3), {}),
    ("binary_cross_entropy", (A, (B > 0.5).float()), {"weight": B}),
    ("binary_cross_entropy_with_logits", (A, (B > 0.5).float()), {"pos_weight": torch.tensor([1.0, 2.0, 3.0])}),
    ("kl_div", (A.log_softmax(1), B.log_softmax(1)), {"reduction": "batchmean", "log_target": True}),
    ("soft_margin_loss", (A, SIGNS), {}),
    ("multi_margin_loss", (SCORES, CLASSES), {"p": 2, "margin": 0.5}),
    ("multilabel_margin_loss", (SCORES, torch.tensor([[1, 2, -1, 0]] * 12)), {}),
    ("multilabel_soft_margin_loss", (A, (B > 0.5).float()), {"reduction": "sum"}),
]


@pytest.mark.parametrize("name, args, kwargs", CALLS)
def test_the_same_number(name: str, args: tuple[Tensor, ...], kwargs: dict[str, Any]) -> None:
    value = getattr(F, name)(*args, **kwargs)
    call = called_loss(name, args, kwargs)
    assert call is not None
    assert torch.equal(call.module(*call.inputs), value)
    told, computed = evaluated(call.module, call.inputs, value=value), evaluated(call.module, call.inputs)
    assert told == computed is not None and told["loss_kind"] is not None
    assert told["value"] == pytest.approx(float(value))


@pytest.mark.parametrize(
    "name, args, kwargs",
    [
        ("mse_loss", (A, B), {"size_average": False}),
        ("cross_entropy", (SCORES, CLASSES), {"reduce": False}),
        ("mse_loss", (A, B), {"weight": B}),
        ("mse_loss", (A,), {}),
        ("mse_loss", (A, B), {"goal": B}),
        ("mse_loss", (A, 1.0), {}),
        ("linear", (A, B), {}),
    ],
)
def test_what_has_no_module(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    assert called_loss(name, args, kwargs) is None


@pytest.mark.parametrize(
    "name, args, kwargs",
    [
        ("cross_entropy", (SCORES, CLASSES), {"ignore_index": 2}),
        ("cross_entropy", (SCORES, SCORES.softmax(1)), {"label_smoothing": 0.1}),
        ("nll_loss", (SCORES.log_softmax(1), CLASSES), {}),
        ("mse_loss", (A, B), {}),
        ("smooth_l1_loss", (A, B), {"beta": 0.2}),
        ("binary_cross_entropy", (A, (B > 0.5).float()), {}),
        ("multi_margin_loss", (SCORES, CLASSES), {}),
    ],
)
def test_a_sum_comes_down_to_each_element(name: str, args: tuple[Tensor, ...], kwargs: dict[str, Any]) -> None:
    call = called_loss(name, args, {**kwargs, "reduction": "sum"})
    assert call is not None
    found = evaluated(call.module, call.inputs)
    assert found is not None
    assert found["each"] == pytest.approx(float(getattr(F, name)(*args, **kwargs)), rel=1e-5)


def test_every_list_of_losses_names_the_same() -> None:
    assert set(called_losses._MODULES) == set(NAMES)
    assert {kind for kind, _ in loss_modules._KINDS} == set(called_losses._MODULES.values())
    assert set(NAMES) <= LOSSES
    assert all(calls_a_function(kind()) for kind in called_losses._MODULES.values())
    assert not calls_a_function(torch.nn.PoissonNLLLoss())
