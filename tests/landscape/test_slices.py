import xml.etree.ElementTree as xml

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.core.errors import BadInput
from unstuck.landscape import filter_plane, line_along, line_between, longer_step, plane, trajectory_plane
from unstuck.landscape.slices import filter_normalized
from unstuck.objective import FormulaObjective, ModelObjective


def _bowl():
    return FormulaObjective(lambda w: (w * w).sum(), torch.zeros(3, dtype=torch.float64))


def test_a_line_ends_at_its_ends():
    a, b = torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 2, 0])
    line = line_between(_bowl(), a, b, points=5)
    assert line.losses[0] == 1 and line.losses[-1] == 4
    xml.fromstring(line.svg())


def test_along_a_direction_the_middle_is_the_point():
    line = line_along(_bowl(), torch.ones(3), torch.tensor([0.0, 0, 5]), reach=1.0, points=3)
    assert line.losses == (2.0, 3.0, 6.0)
    with pytest.raises(BadInput):
        line_along(_bowl(), torch.ones(3), torch.zeros(3), reach=1.0)


def test_the_middle_of_a_plane_is_the_point_itself():
    square = plane(_bowl(), torch.ones(3), torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]), points=5)
    assert square.losses[2][2] == 3.0 and square.losses[2][4] == 6.0
    xml.fromstring(square.svg())


def test_filter_normalization_has_the_filters_lengths_and_both_signs():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    x, y = torch.randn(6, 1, 4, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    objective = ModelObjective(model, F.cross_entropy, (x, y))
    origin = objective.start()
    direction = filter_normalized(objective, origin)
    for part, own in zip(objective.layout.split(direction), objective.layout.split(origin), strict=True):
        if own.dim() > 1:
            assert torch.allclose(part.flatten(1).norm(dim=1), own.flatten(1).norm(dim=1), rtol=1e-5)
    assert (direction < 0).any() and (direction > 0).any()
    picture = filter_plane(objective, origin, points=5)
    assert picture.losses[2][2] == pytest.approx(objective.value(origin), rel=1e-6)


def test_rescaling_a_relu_network_does_not_change_the_picture():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)).double()
    x, y = torch.randn(6, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1, 2])
    before = filter_plane(ModelObjective(model, F.cross_entropy, (x, y)), _flat(model), points=5)
    with torch.no_grad():
        model[0].weight.mul_(10)
        model[2].weight.div_(10)
    after = filter_plane(ModelObjective(model, F.cross_entropy, (x, y)), _flat(model), points=5)
    for a, b in zip(before.losses, after.losses, strict=True):
        assert a == pytest.approx(b, rel=1e-9)


def _flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def test_a_trajectory_lies_in_its_plane():
    times = torch.linspace(0, 1, 8, dtype=torch.float64)
    trajectory = torch.stack([times, times**2, 0 * times], dim=1)
    picture = trajectory_plane(_bowl(), trajectory, points=5)
    assert sum(picture.explained) == pytest.approx(1.0) and picture.path[-1] == (0.0, 0.0)
    assert picture.across[0] < min(p[0] for p in picture.path)
    xml.fromstring(picture.svg())
    with pytest.raises(BadInput):
        trajectory_plane(_bowl(), trajectory[:, :1] * torch.ones(1, 3, dtype=torch.float64))


def test_a_longer_step_is_measured():
    short = longer_step(_bowl(), torch.ones(3), -0.02 * torch.ones(3))
    assert short.best == 64.0 or short.best == 32.0
    assert short.gain > 10
    wrong = longer_step(_bowl(), torch.ones(3), 0.1 * torch.ones(3))
    assert wrong.best == 0.0 and wrong.gain == 0.0
