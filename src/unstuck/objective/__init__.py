"""The loss as a deterministic function of the parameters: its value, gradient and Hessian products at a point."""

from unstuck.objective.captured import CapturedCall, captured_objective
from unstuck.objective.contract import Objective, Point, Work
from unstuck.objective.formula import FormulaObjective
from unstuck.objective.local import LocalObjective, NoLocalObjective, local_objective
from unstuck.objective.model import ModelObjective

__all__ = [
    "CapturedCall",
    "FormulaObjective",
    "LocalObjective",
    "ModelObjective",
    "NoLocalObjective",
    "Objective",
    "Point",
    "Work",
    "captured_objective",
    "local_objective",
]
