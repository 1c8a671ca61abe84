"""Matrices with chosen eigenvalues, for the tests of this folder."""

import numpy as np
import torch

from unstuck.curvature import Operator


def operator_with(values, *, dtype=torch.float64):
    """An operator with exactly these eigenvalues. Diagonal: a start uniform on the sphere cannot tell it from any other."""
    diagonal = torch.as_tensor(np.asarray(values, dtype=float)).to(dtype)
    return Operator(lambda v: diagonal * v, len(values), diagonal, "diagonal", lambda rows: rows * diagonal)


def network_like(size=500, *, seed=0, top=(12.0, 9.0, 7.0, 4.0, 3.0)):
    """A bulk at zero with a few large eigenvalues and a thin negative tail."""
    rng = np.random.default_rng(seed)
    bulk = np.abs(rng.normal(size=size - len(top))) * 0.05
    bulk[: size // 10] *= -0.4
    return np.sort(np.concatenate([bulk, top]))
