"""The surfaces of one and two numbers that the lectures, and everyone, try optimizers on; with their slopes by hand.

Every slope is held against differences of its loss in the tests.
"""

from __future__ import annotations

from unstuck.problems.surface import Surface

# The smallest deep network, (1 − w₁w₂)²: a saddle at 0 with eigenvalues ±2, minima along w₁w₂ = 1.
WORST_NETWORK = Surface("(1 - x*y)**2", "-2*y*(1 - x*y)", "-2*x*(1 - x*y)")
# A shallow minimum at −0.9143, a hill at −0.1531, a deeper minimum at 1.0679.
TWO_VALLEYS = Surface("x**4/4 - x**2/2 - 0.15*x", "x**3 - x - 0.15")
SADDLE = Surface("x**2 - y**2", "2*x", "-2*y")
# Dauphin et al. 2014, figure 1: a saddle of unlike curvatures, and one whose curvature vanishes.
STEEP_SADDLE = Surface("5*x**2 - y**2", "10*x", "-2*y")
MONKEY_SADDLE = Surface("x**3 - 3*x*y**2", "3*x**2 - 3*y**2", "-6*x*y")
# Beale 1958: minimum 0 at (3, ½), behind flat ground and steep corners.
BEALE = Surface(
    "(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2",
    "2*(1.5 - x + x*y)*(y - 1) + 2*(2.25 - x + x*y**2)*(y**2 - 1) + 2*(2.625 - x + x*y**3)*(y**3 - 1)",
    "2*(1.5 - x + x*y)*x + 4*(2.25 - x + x*y**2)*x*y + 6*(2.625 - x + x*y**3)*x*y**2",
)
# Rosenbrock 1960: minimum 0 at (1, 1) in a curved valley.
ROSENBROCK = Surface("(1 - x)**2 + 100*(y - x**2)**2", "2*(x - 1) - 400*x*(y - x**2)", "200*(y - x**2)")
# A hundred times as curved across as along; minimum 0 at (0, 0).
LONG_VALLEY = Surface("0.01*x**2 + y**2", "0.02*x", "2*y")
