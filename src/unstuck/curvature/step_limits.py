"""The longest step that curvature allows: 2/λmax, and its forms under momentum and Adam."""

from __future__ import annotations

from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.curvature.operators import Operator


def stable_rate(largest: float, *, momentum: float = 0.0, averaged: bool = False) -> float:
    """The learning rate above which gradient descent on that curvature grows instead of shrinking; infinite without
    one.

    Plain: 2/λ. With momentum m ← βm + g: 2(1 + β)/λ. With an averaged momentum m ← βm + (1 − β)g, as Adam has it:
    2(1 + β)/((1 − β)λ). For Adam λ is the largest eigenvalue of the :func:`preconditioned` Hessian.

    *Source*: Cohen et al. 2021, sec. 2; Cohen et al. 2022, eq. 3.

    >>> stable_rate(4.0), stable_rate(4.0, momentum=0.9), round(stable_rate(1.0, momentum=0.9, averaged=True), 6)
    (0.5, 0.95, 38.0)
    """
    if not 0 <= momentum < 1:
        raise BadInput("momentum", got=momentum, want="a number in [0, 1)")
    if largest <= 0:
        return float("inf")
    plain = 2.0 * (1.0 + momentum) / largest
    return plain / (1.0 - momentum) if averaged else plain


def preconditioned(operator: Operator, denominator: Tensor) -> Operator:
    """D^−½ A D^−½ for a positive diagonal D (n): what an adaptive rule with denominators D sees of the curvature.

    For Adam: D = √v̂ + ε. *Cost*: that of a product.

    >>> import torch
    >>> from unstuck.curvature.operators import matrix_operator
    >>> scaled = preconditioned(matrix_operator(torch.diag(torch.tensor([8.0, 1.0]))), torch.tensor([4.0, 1.0]))
    >>> scaled(torch.tensor([1.0, 0.0])).tolist()
    [2.0, 0.0]
    """
    if denominator.numel() != operator.size or not bool((denominator > 0).all()):
        raise BadInput("denominator", got=tuple(denominator.shape), want=f"{operator.size} positive numbers")
    root = denominator.reshape(-1).to(operator.like).rsqrt()
    return Operator(
        lambda v: root * operator(root * v), operator.size, operator.like, f"preconditioned {operator.name}"
    )
