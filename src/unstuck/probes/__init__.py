"""Probes: live torch objects in, plain numbers out, in the shapes of docs/recording.md. They never change the run."""

from unstuck.probes.activations import DeadUnits, activations, layers
from unstuck.probes.called_losses import CalledLoss, called_loss, calls_a_function
from unstuck.probes.denominators import denominators
from unstuck.probes.evaluated import evaluated
from unstuck.probes.graph import Graph, Node, layer_of, sequence_number, walk
from unstuck.probes.inputs import InputStatistics, flattened
from unstuck.probes.loss_modules import loss_module_terms
from unstuck.probes.loss_terms import loss_terms
from unstuck.probes.noise import GradientNoise
from unstuck.probes.parameters import (
    Change,
    Placement,
    Snapshot,
    after_step,
    before_step,
    carried_gradients,
    gradient_norms,
    keep_gradients,
    parameter_statistics,
    placements,
)
from unstuck.probes.quiet import quiet
from unstuck.probes.running_statistics import keeps_statistics, running_statistics
from unstuck.probes.statistics import describe
from unstuck.probes.through_time import TimeGradients

__all__ = [
    "CalledLoss",
    "Change",
    "DeadUnits",
    "GradientNoise",
    "Graph",
    "InputStatistics",
    "Node",
    "Placement",
    "Snapshot",
    "TimeGradients",
    "activations",
    "after_step",
    "before_step",
    "called_loss",
    "calls_a_function",
    "carried_gradients",
    "denominators",
    "describe",
    "evaluated",
    "flattened",
    "gradient_norms",
    "keep_gradients",
    "keeps_statistics",
    "layer_of",
    "layers",
    "loss_module_terms",
    "loss_terms",
    "parameter_statistics",
    "placements",
    "quiet",
    "running_statistics",
    "sequence_number",
    "walk",
]
