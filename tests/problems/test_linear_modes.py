"""The linear network's loss, slope, curvature and learning curve against roads of their own."""

import pytest
import torch

from unstuck.curvature import dense_spectrum, hessian
from unstuck.problems.linear_modes import learned_by, linear_modes


def test_the_written_slope_is_the_loss_slope():
    problem = linear_modes()
    place = torch.randn(problem.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = problem.objective(place).gradient(place).vector
    assert torch.allclose(found, problem.slope(place), atol=1e-12)


def test_singular_values_and_zero_loss_at_the_target():
    problem = linear_modes((2.0, 1.0))
    assert torch.linalg.svdvals(problem.target)[:2].tolist() == pytest.approx([2.0, 1.0])
    first, second = problem.right @ torch.diag(torch.tensor([2.0, 1.0]).double()), problem.left
    weights = torch.zeros(problem.size, dtype=torch.float64)
    one, two = problem.parts(weights)
    one[:2], two[:, :2] = first.T, second
    assert float(problem.loss(weights)) == pytest.approx(0, abs=1e-24)


def test_at_zero_each_strength_is_a_pair_of_curvatures():
    problem = linear_modes()
    with problem.objective(torch.zeros(problem.size, dtype=torch.float64)).at() as point:
        values = dense_spectrum(hessian(point)).values
    assert float(values[0]) == pytest.approx(-3.0) and float(values[-1]) == pytest.approx(3.0)
    assert int((values < -1e-9).sum()) == 3 * problem.hidden


def test_the_learning_curve_solves_its_equation():
    time = torch.linspace(0, 3, 4001, dtype=torch.float64)
    learned = learned_by(1.5, 0.01, time)
    speed = (learned[2:] - learned[:-2]) / (time[2] - time[0])
    middle = learned[1:-1]
    assert float((speed - 2 * middle * (1.5 - middle)).abs().max()) < 1e-5
