"""Trials on fresh copies: what they answer where the answer is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.live import copy_probes
from unstuck.live.captures import Captures
from unstuck.live.copy_probes import PROBE_BATCHES, probe_copies


@pytest.fixture(autouse=True)
def by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound by steps alone: a busy machine must not change what is found."""
    monkeypatch.setattr(copy_probes, "SECONDS", 600.0)
    monkeypatch.setattr(copy_probes, "MOST_STEPS", 120)


def kept(model: nn.Module, x: Tensor, y: Tensor, *, batch: int = 32) -> Any:
    captures = Captures(PROBE_BATCHES)
    for part in torch.arange(len(x)).split(batch):
        captures.step_begins()
        captures.model_called(0, model, (x[part],), {}, wanted=True)
        captures.loss_heard(F.cross_entropy(model(x[part]), y[part]))
        captures.take_off()
    assert captures.kept is not None, captures.reason
    return captures.kept


def clouds(rows: int = 256) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 4, (rows,), generator=generator)
    return torch.eye(4)[y] * 3 + torch.randn(rows, 4, generator=generator), y


def network(width: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Dropout(0.5), nn.Linear(width, 4))


def test_labels_that_belong_and_labels_that_do_not() -> None:
    x, y = clouds()
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(1))
    right = probe_copies(kept(network(16), x, y), only=["shuffled-labels"])["shuffled-labels"]
    wrong = probe_copies(kept(network(16), x, y[order]), only=["shuffled-labels"])["shuffled-labels"]
    assert right["shuffled_loss"] - right["loss"] > 4 * right["standard_error"]
    assert abs(wrong["shuffled_loss"] - wrong["loss"]) < 3 * wrong["standard_error"]
    assert 1.2 < right["constant_loss"] < 1.4  # about ln 4


def test_a_wide_network_fits_a_batch_and_a_narrow_one_does_not() -> None:
    x, y = clouds()
    name = "overfit-one-batch"
    bottleneck = nn.Sequential(nn.Linear(4, 1), nn.ReLU(), nn.Linear(1, 4))
    wide = probe_copies(kept(network(64), x, y), only=[name])[name]
    narrow = probe_copies(kept(bottleneck, x, y), only=[name])[name]
    assert wide["last_loss"] < 0.1 * wide["constant_loss"] and wide["accuracy"] > 0.95
    assert narrow["last_loss"] > 0.2 * narrow["constant_loss"]


def test_nothing_of_the_script_changes() -> None:
    x, y = clouds()
    model = network(8)
    held = kept(model, x, y)
    before = [p.detach().clone() for p in model.parameters()], torch.get_rng_state()
    probe_copies(held)
    assert all(torch.equal(a, b) for a, b in zip(before[0], model.parameters(), strict=True))
    assert torch.equal(before[1], torch.get_rng_state())


def test_why_a_probe_cannot_be_made() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 4))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.weight

    x, y = clouds(64)
    found = probe_copies(kept(Own(), x, y))
    assert "weight cannot be drawn anew" in found["overfit-one-batch"]["unseen"]
    assert "batches were kept" in found["shuffled-labels"]["unseen"]
