import pytest
import torch

from unstuck.core.errors import BadInput
from unstuck.curvature import extremes, matrix_operator, preconditioned, stable_rate


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("averaged", [False, True])
def test_descent_grows_above_the_limit_and_shrinks_below(momentum, averaged):
    limit = stable_rate(3.0, momentum=momentum, averaged=averaged)
    for factor, grows in ((0.98, False), (1.02, True)):
        w, m = 1.0, 0.0
        for _ in range(3000):
            m = momentum * m + (1 - momentum if averaged else 1.0) * 3.0 * w
            w -= factor * limit * m
        assert (abs(w) > 1) == grows


def test_adams_limit_is_that_of_the_preconditioned_matrix():
    matrix = torch.diag(torch.tensor([100.0, 1.0, 0.5, 0.1, 0.1], dtype=torch.float64))
    denominators = torch.tensor([50.0, 0.1, 1.0, 1.0, 1.0], dtype=torch.float64)
    found = extremes(preconditioned(matrix_operator(matrix), denominators), tolerance=1e-10)
    assert found.largest[0].value == pytest.approx(10.0)
    with pytest.raises(BadInput):
        preconditioned(matrix_operator(matrix), -denominators)
    with pytest.raises(BadInput):
        stable_rate(1.0, momentum=1.0)
    assert stable_rate(-1.0) == float("inf")
