"""An objective from a formula: a function of one flat vector that returns the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.objective.layout import Layout
from unstuck.objective.pieces import PieceObjective


class _FormulaPiece:
    def __init__(self, formula: Callable[[Tensor], Tensor]) -> None:
        self._formula = formula

    def loss(self, leaves: Sequence[Tensor]) -> Tensor:
        result = self._formula(leaves[0])
        if not isinstance(result, Tensor) or result.numel() != 1:
            raise BadInput("formula", got=type(result).__name__, want="a tensor of one number")
        return result.reshape(())

    def split(self, leaves: Sequence[Tensor]) -> tuple[list[Tensor], Callable[[list[Tensor]], Tensor]]:
        raise BadInput("ggn", got="a formula", want="an objective made from a model and a loss of its output")

    def examples(self, leaves: Sequence[Tensor]) -> tuple[Tensor, float]:
        raise BadInput("empirical_fisher", got="a formula", want="an objective with a loss for each example")


class FormulaObjective(PieceObjective):
    """A loss given as a function of one flat vector, at a starting point.

    Several formulas are the parts of a whole (their mean is the loss): then the gradient's noise can be told.

    >>> bowl = FormulaObjective(lambda w: (w * w).sum(), torch.tensor([3.0, 4.0], dtype=torch.float64))
    >>> bowl.value(bowl.start()), bowl.at().hvp(torch.tensor([1.0, 0.0], dtype=torch.float64)).tolist()
    (25.0, [2.0, 0.0])
    """

    def __init__(
        self, *formulas: Callable[[Tensor], Tensor] | Tensor, name: str = "formula", memory_bytes: int | None = None
    ) -> None:
        functions = [formula for formula in formulas if not isinstance(formula, Tensor)]
        points = [formula for formula in formulas if isinstance(formula, Tensor)]
        if len(points) != 1 or not functions:
            raise BadInput(
                "formulas", got=f"{len(functions)} functions and {len(points)} points", want="functions, then one point"
            )
        start = points[0].detach().clone().reshape(-1)
        self._functions, self._name = functions, name
        super().__init__(
            layout=Layout(("w",), ((start.numel(),),)),
            start=start,
            pieces=[_FormulaPiece(function) for function in functions],
            weights=[1.0 / len(functions)] * len(functions),
            about={"made_from": "formula", "name": name, "dtype": str(start.dtype).removeprefix("torch.")},
            memory_bytes=memory_bytes,
        )

    def in_double(self) -> FormulaObjective:
        if self.dtype == torch.float64:
            return self
        return FormulaObjective(*self._functions, self._start.double(), name=self._name)

    def moved(self, parameters: Tensor) -> FormulaObjective:
        """The same formula, starting elsewhere."""
        return FormulaObjective(*self._functions, parameters, name=self._name)
