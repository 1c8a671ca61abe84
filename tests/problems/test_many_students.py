import pytest
import torch

from unstuck.problems import safran_shamir
from unstuck.problems.many_students import student_gradients, student_losses

D = torch.float64


def test_losses_and_gradients_are_those_of_the_single_student():
    objective = safran_shamir().objective
    source = torch.Generator().manual_seed(0)
    places = objective.start() + 0.1 * torch.randn(3, 49, generator=source, dtype=D)
    students, teacher = places.reshape(3, 7, 7), torch.eye(7, dtype=D)
    assert student_losses(students, teacher).tolist() == pytest.approx(objective.values(places), abs=1e-12)
    wanted = torch.stack([objective.gradient(place).vector for place in places])
    assert torch.allclose(student_gradients(students, teacher).reshape(3, 49), wanted, atol=1e-12)


def test_the_closed_form_is_the_mean_over_inputs():
    source = torch.Generator().manual_seed(1)
    students, teacher = torch.randn(1, 3, 2, generator=source, dtype=D), torch.eye(2, dtype=D)
    x = torch.randn(400_000, 2, generator=source, dtype=D)
    gap = torch.relu(x @ students[0].T).sum(1) - torch.relu(x @ teacher.T).sum(1)
    assert float(student_losses(students, teacher)) == pytest.approx(float(gap.pow(2).mean()) / 2, rel=0.01)
