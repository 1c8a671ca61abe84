import pytest
import torch

from unstuck.problems.spurious_minima import all_units_on, standardized_valley_data, three_points


@pytest.mark.parametrize("point", [all_units_on(), three_points()], ids=lambda p: p.name)
def test_it_is_critical_has_its_loss_and_nothing_near_is_lower(point):
    found = point.objective.gradient(point.objective.start())
    assert found.value == pytest.approx(point.loss, abs=1e-12)
    assert float(found.vector.norm()) < 1e-12
    source = torch.Generator().manual_seed(0)
    changes = 1e-2 * torch.randn(300, point.objective.size, generator=source, dtype=torch.float64)
    assert min(point.objective.values(point.objective.start() + changes)) >= point.loss - 1e-13


def test_units_that_switch_off_let_the_loss_fall():
    point = all_units_on()
    x, y = standardized_valley_data()
    bends = torch.stack([torch.relu(x - 0.181), torch.relu(0.181 - x), torch.ones_like(x)], dim=1)
    left, right, middle = torch.linalg.lstsq(bends, y[:, None]).solution.flatten().tolist()
    lower = torch.tensor([1.0, -1.0, -0.181, 0.181, left, right, middle], dtype=torch.float64)
    assert point.objective.value(lower) < 0.5 * point.loss
