"""Products with curvature and what a Krylov space tells of their spectrum, each number with its certificate."""

from unstuck.curvature.dense import DenseSpectrum, dense_matrix, dense_spectrum
from unstuck.curvature.exam import spectrum_exam
from unstuck.curvature.operators import Operator, empirical_fisher, fisher, gauss_newton, hessian, matrix_operator
from unstuck.curvature.results import Eigenpair, Shares, SpectrumReport
from unstuck.curvature.single_questions import density, extremes, trace
from unstuck.curvature.step_limits import preconditioned, stable_rate

__all__ = [
    "DenseSpectrum",
    "Eigenpair",
    "Operator",
    "Shares",
    "SpectrumReport",
    "dense_matrix",
    "dense_spectrum",
    "density",
    "empirical_fisher",
    "extremes",
    "fisher",
    "gauss_newton",
    "hessian",
    "matrix_operator",
    "preconditioned",
    "spectrum_exam",
    "stable_rate",
    "trace",
]
