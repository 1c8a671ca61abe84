"""Surfaces of one or two numbers, written once as plain arithmetic: read by Python, by torch and by a page's script."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.objective.formula import FormulaObjective

FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "abs": abs,
    "max": max,
    "min": min,
}
_TENSOR_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "max": lambda a, b: torch.maximum(torch.as_tensor(a), torch.as_tensor(b)),
    "min": lambda a, b: torch.minimum(torch.as_tensor(a), torch.as_tensor(b)),
}
_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.operator,
    ast.unaryop,
)


@dataclass(frozen=True)
class Surface:
    """A loss of one or two numbers, with its slope, as expressions in ``x`` and ``y``.

    Only + − * / ** and parentheses, numbers, and exp, log, sqrt, sin, cos, tanh, abs, max, min: Python and JavaScript
    read them alike. A sign before a power needs parentheses: ``-(x**2)``.

    >>> worst = Surface("(1 - x*y)**2", "-2*y*(1 - x*y)", "-2*x*(1 - x*y)")
    >>> worst.value(0.5, 1.0), worst.slope(0.5, 1.0)
    (0.25, (-1.0, -0.5))

    Errors: ``BadInput`` for anything that is not plain arithmetic of these names.
    """

    formula: str
    slope_x: str
    slope_y: str | None = None

    def __post_init__(self) -> None:
        for text in (self.formula, self.slope_x, self.slope_y):
            if text is not None:
                _checked(text, {"x", "y"} if self.slope_y is not None else {"x"})

    @property
    def dimensions(self) -> int:
        return 1 if self.slope_y is None else 2

    def value(self, *place: float) -> float:
        """The loss at (x) or (x, y)."""
        return _evaluated(self.formula, place)

    def slope(self, *place: float) -> tuple[float, ...]:
        """The gradient at (x) or (x, y)."""
        texts = [self.slope_x] if self.slope_y is None else [self.slope_x, self.slope_y]
        return tuple(_evaluated(text, place) for text in texts)

    def tensor(self, w: Tensor) -> Tensor:
        """The loss at ``w`` (1 or 2, …), differentiable; further dimensions are places side by side.

        >>> Surface("x**2 + 10*y**2", "2*x", "20*y").tensor(torch.tensor([[1.0, 2.0], [0.0, 1.0]])).tolist()
        [1.0, 14.0]
        """
        loss: Tensor = _computed(self.formula, tuple(w), _TENSOR_FUNCTIONS)
        return loss

    def slope_tensor(self, w: Tensor) -> Tensor:
        """The gradient at ``w`` (1 or 2, …), of its shape: for :func:`unstuck.lab.descent.follow` and its like."""
        texts = [self.slope_x] if self.slope_y is None else [self.slope_x, self.slope_y]
        parts = [_computed(text, tuple(w), _TENSOR_FUNCTIONS) for text in texts]
        return torch.stack([p if isinstance(p, Tensor) else torch.full_like(w[0], p) for p in parts])

    def objective(self, *start: float) -> FormulaObjective:
        """As an objective that stands at this place, in float64.

        >>> Surface("x**2 - y**2", "2*x", "-2*y").objective(1.0, 0.5).at().gradient.tolist()
        [2.0, -1.0]
        """
        return FormulaObjective(self.tensor, torch.tensor(start, dtype=torch.float64), name=self.formula)


def _checked(text: str, names: set[str]) -> None:
    for node in ast.walk(ast.parse(text, mode="eval")):
        allowed = isinstance(node, _ALLOWED) and (not isinstance(node, ast.Name) or node.id in names | set(FUNCTIONS))
        if not allowed or _sign_before_power(text, node):
            raise BadInput("formula", got=text, want="plain arithmetic of x and y", hint="write -(x**2), not -x**2")


def _sign_before_power(text: str, node: ast.AST) -> bool:
    """JavaScript refuses ``-x**2``."""
    if not (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.BinOp)):
        return False
    between = text[node.col_offset + 1 : node.operand.col_offset]
    return isinstance(node.operand.op, ast.Pow) and "(" not in between


def _evaluated(text: str, place: tuple[float, ...]) -> float:
    return float(_computed(text, place, FUNCTIONS))


def _computed(text: str, place: tuple[Any, ...], functions: Mapping[str, Callable[..., Any]]) -> Any:
    names = dict(zip(("x", "y"), place, strict=False))
    return eval(_code(text), {"__builtins__": {}, **functions}, names)


@cache
def _code(text: str) -> CodeType:
    return compile(text, "surface", "eval")
