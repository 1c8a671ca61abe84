import pytest
import torch

from unstuck.core.errors import BadInput
from unstuck.curvature import hessian
from unstuck.landscape import leave, newton_step
from unstuck.objective import FormulaObjective
from unstuck.problems import baldi_hornik, exclusive_or, linear_chain, toy_surfaces, valley


def _at(formula, *point):
    return FormulaObjective(formula, torch.tensor(point, dtype=torch.float64))


def test_the_worst_network_is_left_with_a_lower_loss():
    found = leave(linear_chain([0.0, 0.0]))
    assert found.escaped and found.loss_after < 0.35 and found.curvature == pytest.approx(-2.0)
    assert abs(float(found.parameters[0]) - float(found.parameters[1])) < 1e-6  # along (1, 1)


@pytest.mark.parametrize("point", [p for p in baldi_hornik() if p.truth == "saddle"], ids=lambda p: p.name)
def test_every_autoencoder_saddle_is_left(point):
    assert leave(point.objective).escaped


def test_exclusive_or_is_left_and_solved_by_repeating():
    objective = exclusive_or()
    once, often = leave(objective), leave(objective, steps=6)
    assert once.escaped and often.loss_after < once.loss_after < 0.5


@pytest.mark.parametrize("surface", [s for s in toy_surfaces() if s.truth in ("minimum", "flat")], ids=lambda s: s.name)
def test_nothing_is_claimed_where_there_is_no_way_down(surface):
    found = leave(surface.objective)
    assert not found.escaped and torch.equal(found.parameters, surface.objective.start())


def test_newton_goes_to_the_saddle_and_saddle_free_newton_leaves_it():
    formula = lambda w: 5 * w[0] ** 2 - w[1] ** 2  # noqa: E731
    start = _at(formula, 1.0, 0.01)
    with start.at() as point:
        step = newton_step(hessian(point), point.gradient, absolute=False)
    assert torch.allclose(start.start() + step.step, torch.zeros(2, dtype=torch.float64), atol=1e-12)
    free = leave(start, method="saddle-free-newton", steps=5)
    assert free.loss_after == pytest.approx(-0.1024, abs=1e-6)
    monkey = _at(lambda w: w[0] ** 3 - 3 * w[0] * w[1] ** 2, 0.3, 0.2)
    assert leave(monkey, method="saddle-free-newton", steps=5).loss_after < -1
    assert abs(leave(monkey, method="newton", steps=10).loss_before) < 0.1


def test_newton_solves_the_valley_in_one_step():
    with valley().at() as point:
        step = newton_step(hessian(point), point.gradient, absolute=False)
    end = valley().start() + step.step
    assert torch.allclose(end, torch.tensor([-188.43319666, 2.66945497], dtype=torch.float64), atol=1e-5)
    assert step.products <= 2


def test_newton_without_gradient_or_along_a_singular_direction_says_so():
    saddle = linear_chain([0.0, 0.0])
    found = leave(saddle, method="newton")
    assert not found.escaped and "exactly zero" in found.sentence
    with _at(lambda w: w[0] ** 2 + w[1], 1.0, 0.0).at() as point:
        assert newton_step(hessian(point), point.gradient, absolute=False).singular


def test_noise_then_descent_leaves_a_saddle():
    found = leave(linear_chain([0.0, 0.0]), method="perturbed-gradient")
    assert found.escaped and found.loss_after < 1e-3
    with pytest.raises(BadInput):
        leave(linear_chain([0.0, 0.0]), method="prayer")


def test_newton_of_a_single_parameter() -> None:
    from unstuck.curvature.operators import matrix_operator
    from unstuck.landscape.escape import newton_step

    valley, hill = (matrix_operator(torch.full((1, 1), c, dtype=torch.float64)) for c in (2.0, -2.0))
    slope = torch.tensor([4.0], dtype=torch.float64)
    assert newton_step(valley, slope, absolute=False).step.tolist() == [-2.0]
    assert newton_step(hill, slope, absolute=False).step.tolist() == [2.0]
    assert newton_step(hill, slope, absolute=True).step.tolist() == [-2.0]
    assert newton_step(valley, slope, absolute=False, damping=1.0).step.tolist() == [-1.0]
    flat = newton_step(matrix_operator(torch.zeros((1, 1), dtype=torch.float64)), slope, absolute=True)
    assert flat.singular and flat.step.tolist() == [0.0] and flat.products == 1
