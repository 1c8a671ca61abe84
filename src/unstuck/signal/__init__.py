"""What becomes of data and gradients on their way through a network: standardize, initialize, normalize, look."""

from unstuck.signal.batch_norm import BatchNorm, lecture_p
from unstuck.signal.data_driven import DataFit, initialize_from_data
from unstuck.signal.gains import kept_gain, weight_std
from unstuck.signal.initialize import Initialized, initialize
from unstuck.signal.profile import Profile, ProfileRow, profile
from unstuck.signal.standardize import Standardize

__all__ = [
    "BatchNorm",
    "DataFit",
    "Initialized",
    "Profile",
    "ProfileRow",
    "Standardize",
    "initialize",
    "initialize_from_data",
    "kept_gain",
    "lecture_p",
    "profile",
    "weight_std",
]
