"""Where a point lies on the loss surface and how to leave it: critical points, escape, gradient check, slices."""

from unstuck.landscape.critical_point import Standing, classify
from unstuck.landscape.elsewhere import Elsewhere, search_elsewhere
from unstuck.landscape.escape import Escape, leave, newton_step
from unstuck.landscape.gradient_check import GradientCheck, check_objective_gradient
from unstuck.landscape.longer_step import longer_step
from unstuck.landscape.nearby import nearby_minimum
from unstuck.landscape.slices import (
    LineSlice,
    PlaneSlice,
    filter_plane,
    line_along,
    line_between,
    plane,
    trajectory_plane,
)

__all__ = [
    "Elsewhere",
    "Escape",
    "GradientCheck",
    "LineSlice",
    "PlaneSlice",
    "Standing",
    "check_objective_gradient",
    "classify",
    "filter_plane",
    "leave",
    "line_along",
    "line_between",
    "longer_step",
    "nearby_minimum",
    "newton_step",
    "plane",
    "search_elsewhere",
    "trajectory_plane",
]
