import math

import pytest
import torch
from torch import nn

from unstuck.core.errors import BadInput
from unstuck.signal import initialize, profile


def chain(factor, depth=10):
    layers = []
    for _ in range(depth):
        layer = nn.Linear(2, 2, bias=False, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(factor * torch.eye(2))
        layers.append(layer)
    return nn.Sequential(*layers)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_a_chain_of_scaled_identities_is_known_exactly(factor):
    found = profile(chain(factor), torch.ones(3, 2, dtype=torch.float64), loss=lambda out: out.sum())
    assert [row.second_moment for row in found.rows] == pytest.approx([factor ** (2 * k) for k in range(1, 11)])
    assert [row.gradient for row in found.rows] == pytest.approx([factor ** (10 - k) for k in range(1, 11)])
    assert found.signal_ratio == pytest.approx(factor**2) and found.gradient_ratio == pytest.approx(factor)


def test_nothing_of_the_model_is_changed():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    profile(model, torch.randn(8, 3), loss=lambda out: out.pow(2).mean())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_dead_units_count_as_zero_and_the_picture_has_both_lines():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        model[0].bias.fill_(-100)
    found = profile(model, torch.rand(8, 3), loss=lambda out: out.sum())
    assert found.rows[1].zero_share == 1.0
    initialize(model)
    picture = profile(model, torch.rand(8, 3), loss=lambda out: out.sum()).svg()
    assert picture.count("<path") > 2 and "gradient" in picture and "NaN" not in picture
    # A page in the dark is served too, and both axes say what they count.
    assert "light-dark(" in picture and "size (log scale)" in picture and "depth (modules)" in picture


def test_without_a_loss_there_is_no_gradient():
    found = profile(nn.Linear(2, 2), torch.ones(4, 2))
    assert found.rows[0].gradient is None and math.isnan(found.gradient_ratio)


def test_a_model_without_layers_is_refused():
    with pytest.raises(BadInput):
        profile(nn.Identity(), torch.ones(2, 2))
