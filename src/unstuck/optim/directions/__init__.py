"""Which way to go: gradient, momentum in its forms, averages, Nesterov in its forms."""

from unstuck.optim.directions.average import Average, NesterovAverage
from unstuck.optim.directions.gradient import Gradient
from unstuck.optim.directions.momentum import Momentum
from unstuck.optim.directions.nesterov import LookAhead, Nesterov, NesterovVelocity
from unstuck.optim.directions.velocity import Velocity

__all__ = [
    "Average",
    "Gradient",
    "LookAhead",
    "Momentum",
    "Nesterov",
    "NesterovAverage",
    "NesterovVelocity",
    "Velocity",
]
