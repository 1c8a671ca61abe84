import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.curvature import dense_spectrum, hessian
from unstuck.landscape import classify
from unstuck.landscape.deep_linear import decide_deep_linear, recognized
from unstuck.objective import FormulaObjective, ModelObjective
from unstuck.problems import (
    baldi_hornik,
    exclusive_or,
    five_points,
    linear_chain,
    linear_chain_network,
    safran_shamir,
    toy_surfaces,
    valley,
)
from unstuck.problems.exclusive_or import exclusive_or_data

KNOWN = {point.name: point for point in [*toy_surfaces(), *five_points(), *baldi_hornik(), safran_shamir()]}
CHAINS = [
    ((0.0, 0.0), "saddle"),
    ((1.0, 1.0), "minimum"),
    ((2.0, 0.5), "minimum"),
    ((0.0, 0.0, 0.0), "saddle"),
    ((0.0, 0.0, 0.7), "saddle"),
    ((1.0, 1.0, 1.0), "minimum"),
    ((1.0, 2.0, 0.5), "minimum"),
]


@pytest.mark.parametrize("name", KNOWN)
def test_known_points(name):
    known = KNOWN[name]
    standing = classify(known.objective)
    assert standing.state == known.truth, standing.sentence
    if known.loss is not None:
        assert standing.evidence["loss"] == pytest.approx(known.loss, abs=1e-6)
    if known.negative is not None:
        with known.objective.at() as point:
            values = dense_spectrum(hessian(point)).values
        scale = max(float(values.abs().max()), 1e-12)
        assert int((values < -1e-8 * scale).sum()) == known.negative
        assert int((values.abs() <= 1e-8 * scale).sum()) == known.zero
    if standing.state == "saddle":
        direction, step = standing.descent
        place = known.objective.start()
        assert known.objective.value(place + step * direction) < known.objective.value(place)


@pytest.mark.parametrize(("weights", "truth"), CHAINS)
def test_linear_chains_as_formula_and_as_network(weights, truth):
    assert classify(linear_chain(weights)).state == truth
    assert classify(linear_chain_network(weights)).state == truth


def test_the_stored_teacher_student_minimum():
    with safran_shamir().objective.at() as point:
        assert float(dense_spectrum(hessian(point)).values[0]) == pytest.approx(0.01406, abs=1e-5)
        assert float(point.gradient.norm()) < 1e-9


def test_the_worst_network_has_eigenvalues_two_and_minus_two():
    with linear_chain([0.0, 0.0]).at() as point:
        assert dense_spectrum(hessian(point)).values.tolist() == pytest.approx([-2.0, 2.0], abs=1e-12)


def test_the_kink_is_recognized_and_decided_by_sampling():
    standing = classify(five_points()[0].objective)
    assert standing.evidence["kinked"] and "sampling" in standing.evidence["decided_by"]
    smooth = classify(linear_chain([1.0, 1.0]))
    assert not smooth.evidence["kinked"]


def test_a_kinked_point_with_a_way_down_is_no_minimum():
    ridge = FormulaObjective(lambda w: w[0].abs() - 2 * torch.relu(w[1]) ** 2, torch.zeros(2, dtype=torch.float64))
    assert classify(ridge).state != "minimum"


def test_deep_linear_theory_decides_where_nothing_can_be_measured():
    # Forty factors: within any small ball the loss is 1 to the last bit.
    objective = linear_chain_network([0.0] * 40)
    assert recognized(objective).minimum is False
    assert classify(objective).state in ("unknown", "saddle")
    assert classify(linear_chain_network([0.0] * 11)).state == "saddle"
    one = torch.ones(1, 1, dtype=torch.float64)
    x = torch.eye(3, dtype=torch.float64)
    y = torch.diag(torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64))
    into, out = torch.zeros(1, 3, dtype=torch.float64), torch.zeros(3, 1, dtype=torch.float64)
    into[0, 0], out[0, 0] = 3.0, 1.0
    assert decide_deep_linear([into, out], x, y).minimum  # the best matrix of rank 1
    into[0, 0], into[0, 1], out[0, 0], out[1, 0] = 0.0, 2.0, 0.0, 1.0
    assert not decide_deep_linear([into, out], x, y).minimum
    assert decide_deep_linear([one, one], one, one).minimum


def test_exclusive_or_with_absolute_error_is_a_saddle_at_the_point_and_where_training_stalls():
    assert classify(exclusive_or()).state == "saddle"
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid()).double()
    with torch.no_grad():
        for layer, size in ((model[0], 0.05), (model[2], 0.5)):
            layer.weight.mul_(size)
        model[0].bias.copy_(torch.tensor([0.5, -0.8, 1.0, -0.3]))
    data = exclusive_or_data()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        F.l1_loss(model(data[0]), data[1]).backward()
        optimizer.step()
    standing = classify(ModelObjective(model, nn.L1Loss(), data))
    assert standing.state == "saddle" and standing.evidence["loss"] > 0.45


def test_a_dead_network_is_flat():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)).double()
    x = torch.rand(10, 2, dtype=torch.float64)
    y = torch.randn(10, 1, dtype=torch.float64)
    with torch.no_grad():
        model[0].bias.fill_(-50.0)
        model[2].bias.fill_(float(y.mean()))
    assert classify(ModelObjective(model, nn.MSELoss(), (x, y))).state == "flat"


def test_not_critical_says_why():
    slope = classify(valley())
    assert slope.state == "descending" and slope.evidence["line_search_drop"] > 0
    bouncing = classify(valley(intercept=-188.0, slope=2.7), lr=1.3e-6)
    assert bouncing.state == "bouncing" and "2/λmax" in bouncing.sentence
    best = classify(valley(intercept=-188.43319666, slope=2.66945497))
    assert best.state in ("minimum", "descending")


def test_no_path_and_not_finite_are_said():
    x, y = torch.rand(6, 2), torch.rand(6, 1)
    detached = ModelObjective(nn.Linear(2, 1), lambda output, target: F.mse_loss(output.detach(), target), (x, y))
    assert classify(detached).state == "no-gradient"
    overflow = ModelObjective(nn.Linear(2, 1), lambda output, target: (1e30 * output).pow(2).mean(), (x, y))
    assert classify(overflow).state == "unknown"


def _digits_like(seed):
    source = torch.Generator().manual_seed(seed)
    centers = torch.randn(10, 24, generator=source)
    y = torch.randint(0, 10, (700,), generator=source)
    return centers[y] + 1.2 * torch.randn(700, 24, generator=source), y


def _healthy(seed, epochs):
    torch.manual_seed(seed)
    kinds = [
        lambda: nn.Sequential(nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 10)),
        lambda: nn.Sequential(nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 10)),
        lambda: nn.Sequential(nn.Linear(24, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 10)),
        lambda: nn.Sequential(
            nn.Unflatten(1, (1, 4, 6)), nn.Conv2d(1, 6, 3), nn.SiLU(), nn.Flatten(), nn.Linear(48, 10)
        ),
        lambda: nn.Sequential(nn.Linear(24, 20), nn.LayerNorm(20), nn.GELU(), nn.Linear(20, 10)),
    ]
    model = kinds[seed % 5]()
    x, y = _digits_like(seed)
    rates = {
        0: torch.optim.Adam(model.parameters(), lr=3e-3),
        1: torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
    }
    optimizer = rates[seed % 2]
    for _ in range(epochs):
        order = torch.randperm(700)
        for i in range(0, 700, 50):
            rows = order[i : i + 50]
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return ModelObjective(model, F.cross_entropy, [(x[i : i + 100], y[i : i + 100]) for i in range(0, 700, 100)])


@pytest.mark.parametrize(("seed", "epochs"), [(0, 5), (1, 25)])
def test_healthy_networks_are_no_saddles(seed, epochs):
    standing = classify(_healthy(seed, epochs))
    assert standing.state in ("descending", "converged")
    json.dumps(standing.as_json(), allow_nan=False)


@pytest.mark.slow
def test_thirty_healthy_networks_are_never_called_saddles():
    negative = 0
    for seed in range(30):
        standing = classify(_healthy(seed, (4, 20, 80)[seed // 10]))
        assert standing.state not in ("saddle", "maximum", "flat"), standing.sentence
        negative += standing.evidence["smallest_eigenvalue"] < 0
    assert negative >= 20  # so the test is not empty: most have negative curvature
