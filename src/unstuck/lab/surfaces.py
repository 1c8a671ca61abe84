"""Surfaces written once and read twice: by the laboratory in Python and by the page in the browser."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass

from unstuck.core.errors import BadInput

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
    names = dict(zip(("x", "y"), place, strict=False))
    return float(eval(compile(text, "surface", "eval"), {"__builtins__": {}, **FUNCTIONS}, names))
