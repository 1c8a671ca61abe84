"""The certificate of both ends: what the recurrence says, checked by one product."""

from __future__ import annotations

import pytest
import torch

from unstuck.curvature import extremes, spectrum_exam
from unstuck.curvature.krylov_ends import Wish, run_until
from unstuck.curvature.operators import Operator, matrix_operator
from unstuck.linalg.lanczos import Lanczos
from unstuck.linalg.random_start import generator, random_unit


class TestCertificate:
    """The one product that checks all residuals."""

    def spread(self) -> torch.Tensor:
        return torch.diag(torch.linspace(-1.0, 40.0, 60, dtype=torch.float64) ** 3 / 40**2)

    def test_one_product_beyond_the_run(self) -> None:
        operator = matrix_operator(self.spread())
        found = extremes(operator, largest=3, smallest=1, tolerance=1e-6)
        run = Lanczos(operator.product, random_unit(60, like=operator.like, source=generator(0)), capacity=60)
        alone = run_until(run, Wish(3, 1, 1e-6), max_products=300, stride=1)
        assert found.products == run.products + 1
        said = alone.residuals[Wish(3, 1, 1e-6).places(alone)]
        pairs = [*found.largest, *found.smallest]
        assert not any(pair.checked for pair in pairs)
        for pair, recurrence in zip(pairs, said, strict=True):
            true = float((self.spread() @ pair.vector - pair.value * pair.vector).norm())
            assert true == pytest.approx(recurrence, rel=1e-3, abs=1e-10)
            assert pair.residual >= true * (1 - 1e-9) - 1e-12

    @pytest.mark.parametrize("error", [1e-1, 1e-3])
    def test_an_operator_that_changes_is_noticed(self, error: float) -> None:
        """After the run has ended the products come from another matrix: each pair is measured by itself, and said."""
        matrix = self.spread()
        other = matrix + error * torch.eye(60, dtype=torch.float64)
        steps = extremes(matrix_operator(matrix), largest=3, smallest=1, tolerance=1e-6).products - 1
        asked = 0

        def product(v: torch.Tensor) -> torch.Tensor:
            nonlocal asked
            asked += 1
            return (matrix if asked <= steps else other) @ v

        found = extremes(
            Operator(product, 60, matrix[0], "changing"), largest=3, smallest=1, tolerance=1e-6, max_products=steps
        )
        pairs = [*found.largest, *found.smallest]
        assert found.products == steps + 1 + 4
        assert all(pair.checked and not pair.converged for pair in pairs)
        for pair in pairs:
            assert pair.residual == pytest.approx(error, rel=0.01)

    def test_a_matrix_of_zeros(self) -> None:
        """A loss whose Hessian vanishes: nothing to be missed, and no number that is none."""
        found = extremes(matrix_operator(torch.zeros(50, 50, dtype=torch.float64)), largest=2, smallest=1)
        assert all(pair.converged and pair.residual == 0.0 for pair in (*found.largest, *found.smallest))

    def test_an_end_that_is_one_value_many_times(self) -> None:
        matrix = torch.diag(torch.tensor([5.0, *[-2.0] * 499], dtype=torch.float64))
        told = spectrum_exam(matrix_operator(matrix), largest=1, smallest=2, dense_below=0)
        assert told.top == pytest.approx(5.0) and told.bottom == pytest.approx(-2.0)
