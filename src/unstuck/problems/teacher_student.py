"""A ReLU student of a ReLU teacher, expected loss over Gaussian inputs in closed form: a spurious minimum, stored."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective
from unstuck.problems.known_point import KnownPoint

# The student with seven units, teacher the identity: one unit points the wrong way, six nearly fit. Rounded to ten
# digits.
_WRONG, _RIGHT = -0.6327039049, 0.9969227988
_WRONG_ROW, _WRONG_COLUMN, _AMONG = 0.1859910463, 0.2616910758, -0.0350801559


def safran_shamir() -> KnownPoint:
    """The spurious minimum of seven students of seven teachers: loss 0.0232027, smallest curvature 0.014059.

    *Source*: Safran and Shamir 2018.

    >>> round(safran_shamir().objective.value(safran_shamir().objective.start()), 5)
    0.0232
    """
    count = 7
    teachers = torch.eye(count, dtype=torch.float64)
    students = torch.full((count, count), _AMONG, dtype=torch.float64)
    students.fill_diagonal_(_RIGHT)
    students[0, :], students[:, 0] = _WRONG_ROW, _WRONG_COLUMN
    students[0, 0] = _WRONG

    def loss(w: Tensor) -> Tensor:
        rows = w.reshape(count, count)
        others = ~torch.eye(count, dtype=torch.bool)
        i, j = torch.nonzero(others, as_tuple=True)
        own = rows.pow(2).sum() / 2 + _pairwise(rows[i], rows[j]).sum()
        k, m = torch.meshgrid(torch.arange(count), torch.arange(count), indexing="ij")
        cross = _pairwise(rows[k.reshape(-1)], teachers[m.reshape(-1)]).sum()
        fixed = teachers.pow(2).sum() / 2 + _pairwise(teachers[i], teachers[j]).sum()
        return own / 2 - cross + fixed / 2

    return KnownPoint(
        "Safran-Shamir, 7 students of 7 teachers",
        FormulaObjective(loss, students.reshape(-1), name="teacher-student"),
        "minimum",
        "Safran and Shamir 2018",
        negative=0,
        zero=0,
        loss=0.0232027,
    )


def _pairwise(a: Tensor, b: Tensor) -> Tensor:
    """E[relu(a·x) relu(b·x)] for standard normal x, row by row.

    *Source*: Cho and Saul 2009, arc-cosine kernel of order 1.
    """
    lengths = a.norm(dim=1) * b.norm(dim=1)
    cosine = (a * b).sum(dim=1) / lengths
    angle = torch.acos(cosine.clamp(-1 + 1e-15, 1 - 1e-15))
    value: Tensor = lengths * (torch.sin(angle) + (math.pi - angle) * cosine) / (2 * math.pi)
    return value
