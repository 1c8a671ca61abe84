import math

import torch

from unstuck.linalg.accurate_dots import dot, norm, orthogonalize, project


def test_float32_dots_over_many_entries_keep_seven_digits():
    source = torch.Generator().manual_seed(0)
    a = torch.rand(3_000_000, generator=source)
    exact = float((a.double() * a.double()).sum())
    assert abs(dot(a, a) - exact) / exact < 1e-7
    assert math.isclose(norm(a), exact**0.5, rel_tol=1e-7)


def test_projection_equals_float64_matrix_product():
    source = torch.Generator().manual_seed(1)
    basis, vector = torch.randn(5, 100_000, generator=source), torch.randn(100_000, generator=source)
    exact = basis.double() @ vector.double()
    assert torch.allclose(project(basis, vector), exact, atol=1e-4)
    assert project(basis, vector).dtype == torch.float64


def test_two_passes_remove_what_one_leaves():
    source = torch.Generator().manual_seed(2)
    basis = torch.linalg.qr(torch.randn(500, 20, generator=source, dtype=torch.float64))[0].T.contiguous()
    inside = torch.randn(20, generator=source, dtype=torch.float64) @ basis
    tiny = 1e-9 * torch.randn(500, generator=source, dtype=torch.float64)
    left = {}
    for passes in (1, 2):
        vector = inside + tiny
        orthogonalize(vector, basis, passes=passes)
        left[passes] = float((basis @ vector).norm() / vector.norm())
    assert left[2] < 1e-14 < left[1]
