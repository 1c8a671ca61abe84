"""Running statistics against the batch that is normalized by them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unstuck.probes import keeps_statistics, running_statistics


def test_against_direct_computation() -> None:
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(5)
    for _ in range(40):
        layer(torch.randn(20, 5, 6, 6) * 2 + 1)
    layer.eval()
    x = torch.randn(30, 5, 6, 6) * 4 + 7
    found = running_statistics(layer, x)
    assert found is not None
    flat = x.movedim(1, -1).reshape(-1, 5)
    assert found["shift"] == pytest.approx(
        float(((flat.mean(0) - layer.running_mean).abs() / flat.std(0, correction=0)).median()), rel=1e-4
    )
    assert found["ratio"] == pytest.approx(0.5, rel=0.05)
    assert (found["values"], found["examples"]) == (30 * 36, 30)


def test_what_has_nothing_to_compare() -> None:
    x = torch.randn(8, 3)
    assert running_statistics(nn.BatchNorm1d(3), x) is None  # in training mode it takes the batch's
    assert running_statistics(nn.BatchNorm1d(3, track_running_stats=False).eval(), x) is None
    assert running_statistics(nn.BatchNorm1d(3).eval(), x[:1]) is None
    assert running_statistics(nn.BatchNorm1d(3).eval(), torch.ones(8, 3)) is None
    assert running_statistics(nn.LayerNorm(3).eval(), x) is None
    assert running_statistics(nn.BatchNorm1d(4).eval(), x) is None


def test_the_layer_stays_as_it_is() -> None:
    layer = nn.BatchNorm1d(3).eval()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    running_statistics(layer, torch.randn(8, 3))
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


class _Written(torch.nn.Module):
    """A batch normalization of the script's own, with a row of statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(1, 2))
        self.register_buffer("running_var", torch.ones(1, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.running_mean) / self.running_var.sqrt()


def test_a_normalization_that_the_script_wrote_itself():
    layer = _Written().eval()
    found = running_statistics(layer, torch.tensor([[4.0, 0.0], [8.0, 0.0]]))
    assert found is not None and round(found["shift"], 3) == 3.0 and round(found["ratio"], 3) == 0.5
    assert keeps_statistics(layer) and not keeps_statistics(torch.nn.InstanceNorm1d(2, track_running_stats=True))
