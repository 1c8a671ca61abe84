import numpy as np
import pytest
import torch

from unstuck.linalg.lanczos import Lanczos, plain_lanczos
from unstuck.linalg.quadrature import gauss
from unstuck.linalg.random_start import generator, random_unit


def _matrix(values, seed=0):
    source = torch.Generator().manual_seed(seed)
    turn, _ = torch.linalg.qr(torch.randn(len(values), len(values), generator=source, dtype=torch.float64))
    return turn @ torch.diag(torch.as_tensor(values, dtype=torch.float64)) @ turn.T


def _start(size, seed=3):
    return random_unit(size, like=torch.zeros(1, dtype=torch.float64), source=generator(seed))


def test_defining_relation_and_orthogonality_on_halving_eigenvalues():
    # One pass of Gram-Schmidt ends here with an orthogonality error near 1.
    matrix = _matrix(0.5 ** np.arange(60))
    run = Lanczos(lambda v: matrix @ v, _start(60), capacity=60)
    run.extend(40)
    basis, projected = run.basis, torch.from_numpy(run.projected)
    count = basis.shape[0]
    assert float((basis @ basis.T - torch.eye(count)).abs().max()) < 1e-13
    gap = basis @ matrix - projected @ basis
    assert float(gap[:-1].norm()) < 1e-12
    assert abs(float(gap[-1].norm()) - run.coupling) < 1e-12


@pytest.mark.parametrize("capacity", [15, 20])
def test_thick_restart_keeps_the_relation_and_finds_both_ends(capacity):
    values = np.linspace(-3, 10, 300)
    matrix = _matrix(values)
    keep = lambda ritz: np.r_[np.arange(3), np.arange(len(ritz.values) - 5, len(ritz.values))]  # noqa: E731
    run = Lanczos(lambda v: matrix @ v, _start(300), capacity=capacity, keep=keep)
    run.extend(250)
    assert run.restarts > 5 and run.basis.shape[0] <= capacity
    basis, projected = run.basis, torch.from_numpy(run.projected)
    gap = basis @ matrix - projected @ basis
    assert float(gap[:-1].norm()) < 1e-10
    ritz = run.ritz()
    assert abs(ritz.values[-1] - 10) < 1e-8 and abs(ritz.values[0] + 3) < 1e-8


def test_residual_estimates_are_true_residuals():
    matrix = _matrix(np.r_[np.linspace(0, 1, 80), 5.0, 9.0])
    run = Lanczos(lambda v: matrix @ v, _start(82), capacity=82)
    run.extend(15)
    ritz = run.ritz()
    vectors = run.vectors(ritz.coordinates)
    true = (vectors @ matrix - torch.from_numpy(ritz.values)[:, None] * vectors).norm(dim=1)
    assert np.allclose(true.numpy(), ritz.residuals, atol=1e-12)


def test_an_invariant_space_ends_the_run():
    matrix = _matrix(np.r_[np.zeros(47), 1.0, 2.0, 3.0])
    run = Lanczos(lambda v: matrix @ v, _start(50), capacity=50)
    assert run.extend(50) == 4 and run.exhausted
    assert np.allclose(run.ritz().values, [0, 1, 2, 3], atol=1e-12)


def test_a_run_beside_known_vectors_never_sees_them():
    values = np.r_[np.linspace(0, 1, 60), 50.0]
    source = torch.Generator().manual_seed(0)
    turn, _ = torch.linalg.qr(torch.randn(61, 61, generator=source, dtype=torch.float64))
    matrix = turn @ torch.diag(torch.from_numpy(values)) @ turn.T
    outside = turn[:, -1:].T.contiguous()
    start = random_unit(61, like=matrix[0], source=generator(0), outside=outside)
    run = Lanczos(lambda v: matrix @ v, start, capacity=30, outside=outside)
    run.extend(30)
    assert run.ritz().values[-1] < 1.001


def test_plain_lanczos_keeps_the_moments():
    values = np.linspace(-1, 2, 200)
    matrix = _matrix(values)
    start = _start(200)
    rule = gauss(plain_lanczos(lambda v: matrix @ v, start, 60))
    for power in range(1, 6):
        exact = float(start @ torch.linalg.matrix_power(matrix, power) @ start)
        assert abs(float((rule.weights * rule.nodes**power).sum()) - exact) < 1e-10
