"""Update rules: direction × scale × schedule, as ``torch.optim`` optimizers.

>>> from unstuck.optim import Rule, directions, scales
>>> from unstuck.optim.schedules import cosine, warmup
>>> rule = Rule(directions.Momentum(0.9), scales.RootMeanSquare(), warmup(500) >> cosine(10_000), lr=0.1)
"""

from unstuck.optim import directions, scales, schedules
from unstuck.optim.clipping import ClipNorm, ClipValue
from unstuck.optim.decay import Coupled, Decoupled
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
from unstuck.optim.rule import Rule
from unstuck.optim.trust import GradientRatio, StepRatio

__all__ = [
    "LAMB",
    "LARS",
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
    "Rule",
    "StepRatio",
    "directions",
    "scales",
    "schedules",
]
