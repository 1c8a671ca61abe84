"""How far to go in each coordinate: one, AdaGrad's two forms, RMSProp's and Adam's squares, RAdam, Adamax, Adadelta."""

from unstuck.optim.scales.largest_gradient import LargestGradient
from unstuck.optim.scales.moving_delta import MovingDelta
from unstuck.optim.scales.moving_square import MovingSquare
from unstuck.optim.scales.one import One
from unstuck.optim.scales.rectified import Rectified
from unstuck.optim.scales.root_mean_square import RootMeanSquare
from unstuck.optim.scales.sum_of_squares import SumOfSquares

__all__ = ["LargestGradient", "MovingDelta", "MovingSquare", "One", "Rectified", "RootMeanSquare", "SumOfSquares"]
