"""What a loss module measures in an evaluation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unstuck.probes import evaluated


def test_a_classifier() -> None:
    torch.manual_seed(0)
    scores, classes = torch.randn(50, 4), torch.randint(0, 4, (50,))
    found = evaluated(nn.CrossEntropyLoss(), (scores, classes))
    assert found is not None
    assert found["value"] == pytest.approx(float(nn.functional.cross_entropy(scores, classes)))
    assert found["accuracy"] == pytest.approx(float((scores.argmax(1) == classes).double().mean()))
    assert found["commonest"] == pytest.approx(int(classes.bincount().max()) / 50)
    assert (found["examples"], found["reduction"]) == (50, "mean")


def test_numbers() -> None:
    output, target = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[1.0], [2.0], [4.0]])
    found = evaluated(nn.MSELoss(), (output, target))
    assert found is not None
    assert found["value"] == pytest.approx(1 / 3)
    assert found["r2"] == pytest.approx(1 - 1 / float(((target - target.mean()) ** 2).sum()))
    assert found["target_mean"] == pytest.approx(7 / 3) and found["commonest"] is not None


def test_others_are_left_alone() -> None:
    class Mine(nn.MSELoss):
        def forward(self, *_: torch.Tensor) -> torch.Tensor:
            raise AssertionError("code of the script's own must not run twice")

    assert evaluated(Mine(), (torch.ones(2), torch.ones(2))) is None
    assert evaluated(nn.Linear(2, 1), (torch.ones(2),)) is None


def test_nothing_is_drawn_and_nothing_changes() -> None:
    output = torch.randn(8, 3, requires_grad=True)
    before, state = output.detach().clone(), torch.get_rng_state()
    evaluated(nn.CrossEntropyLoss(label_smoothing=0.1), (output, torch.zeros(8, dtype=torch.long)))
    assert torch.equal(output, before) and output.grad is None
    assert torch.equal(torch.get_rng_state(), state)
