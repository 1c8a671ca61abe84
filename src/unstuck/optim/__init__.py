"""Update rules: direction × scale × schedule, as ``torch.optim`` optimizers.

>>> from unstuck.optim import Rule, directions, scales
>>> from unstuck.optim.schedules import cosine, warmup
>>> rule = Rule(directions.Momentum(0.9), scales.RootMeanSquare(), warmup(500) >> cosine(10_000), lr=0.1)
"""

from unstuck.optim import directions, scales, schedules
from unstuck.optim.averaging import Swapped, WeightAverage, swap
from unstuck.optim.batch_norm import recompute_batch_norm
from unstuck.optim.clipping import ClipNorm, ClipValue
from unstuck.optim.decay import Coupled, Decoupled
from unstuck.optim.large_batch import noise_limited_rate, scale_rate
from unstuck.optim.named_rules import (
    LAMB,
    LARS,
    SGD,
    Adadelta,
    AdaGrad,
    AdaGradMean,
    Adam,
    AdamAlmost,
    Adamax,
    AdamW,
    Momentum,
    NAdam,
    Nesterov,
    RAdam,
    RMSProp,
)
from unstuck.optim.noise import GradientNoise
from unstuck.optim.optimizer import Optimizer
from unstuck.optim.rate_finder import RateRange, find_rate
from unstuck.optim.reading import Reading, read
from unstuck.optim.rule import Rule
from unstuck.optim.schedule_free import ScheduleFree
from unstuck.optim.sharpness_aware import SAM
from unstuck.optim.stability import StepSize, preconditioner, stability_limit, step_size, step_sizes
from unstuck.optim.trust import GradientRatio, StepRatio

__all__ = [
    "LAMB",
    "LARS",
    "SAM",
    "SGD",
    "AdaGrad",
    "AdaGradMean",
    "Adadelta",
    "Adam",
    "AdamAlmost",
    "AdamW",
    "Adamax",
    "ClipNorm",
    "ClipValue",
    "Coupled",
    "Decoupled",
    "GradientNoise",
    "GradientRatio",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Optimizer",
    "RAdam",
    "RMSProp",
    "RateRange",
    "Reading",
    "Rule",
    "ScheduleFree",
    "StepRatio",
    "StepSize",
    "Swapped",
    "WeightAverage",
    "directions",
    "find_rate",
    "noise_limited_rate",
    "preconditioner",
    "read",
    "recompute_batch_norm",
    "scale_rate",
    "scales",
    "schedules",
    "stability_limit",
    "step_size",
    "step_sizes",
    "swap",
]
