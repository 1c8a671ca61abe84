"""Loss surfaces and small networks whose answers are known."""

from unstuck.problems.damped_sine import damped_sine
from unstuck.problems.digits import Digits, digits
from unstuck.problems.exclusive_or import exclusive_or
from unstuck.problems.five_points import five_points
from unstuck.problems.known_point import KnownPoint
from unstuck.problems.linear_autoencoder import baldi_hornik
from unstuck.problems.linear_chain import linear_chain, linear_chain_network, linear_chain_slopes
from unstuck.problems.plane import (
    BEALE,
    LONG_VALLEY,
    MONKEY_SADDLE,
    ROSENBROCK,
    SADDLE,
    STEEP_SADDLE,
    TWO_VALLEYS,
    WORST_NETWORK,
)
from unstuck.problems.small_networks import SMALL_NETWORKS, SmallNetwork
from unstuck.problems.surface import Surface
from unstuck.problems.teacher_student import safran_shamir
from unstuck.problems.toy_surfaces import toy_surfaces
from unstuck.problems.valley import valley, valley_data

__all__ = [
    "BEALE",
    "LONG_VALLEY",
    "MONKEY_SADDLE",
    "ROSENBROCK",
    "SADDLE",
    "SMALL_NETWORKS",
    "STEEP_SADDLE",
    "TWO_VALLEYS",
    "WORST_NETWORK",
    "Digits",
    "KnownPoint",
    "SmallNetwork",
    "Surface",
    "baldi_hornik",
    "damped_sine",
    "digits",
    "exclusive_or",
    "five_points",
    "linear_chain",
    "linear_chain_network",
    "linear_chain_slopes",
    "safran_shamir",
    "toy_surfaces",
    "valley",
    "valley_data",
]
