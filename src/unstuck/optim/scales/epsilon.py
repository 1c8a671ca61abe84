"""Where ε stands: the four places in use, which differ as soon as gradients are as small as ε."""

from __future__ import annotations

import torch

from unstuck.optim.rule import Now, Tensors

PLACES = ("outside", "inside", "hat", "clamp")
"""√ŝ + ε (torch, Adam's Algorithm 1) · √(ŝ + ε) (Keras' RMSprop and Adagrad) · (√s + ε)/√c (Keras' Adam, torch's
RAdam) · max(√ŝ, ε); with ŝ = s/c and c the bias correction (1 without)."""


def text(place: str, eps: float, square: str) -> str:
    """The denominator as a formula."""
    if eps == 0:
        return f"√{square}"
    if place == "inside":
        return f"√({square} + {eps:g})"
    if place == "clamp":
        return f"max(√{square}, {eps:g})"
    return f"√{square} + {eps:g}" + (" (ε̂)" if place == "hat" else "")


def lifted(place: str, eps: float, correction: float) -> float:
    """The ε to use beside the uncorrected square, when the factor √c is applied to the whole fraction."""
    if place == "hat":
        return eps
    return eps * correction if place == "inside" else eps * correction**0.5


def root(squares: Tensors, place: str, eps: float, now: Now, *, ready: bool = False) -> Tensors:
    """√ of the squares with ε in its place, in scratch; with ε = 0 a coordinate never touched gets 1, so that 0/0 is 0.

    ``ready`` says that the squares already are the scratch.
    """
    out = now.spare("scale")
    if not ready:
        torch._foreach_copy_(out, squares)
    if place == "inside" and eps:
        torch._foreach_add_(out, eps)
    torch._foreach_sqrt_(out)
    if eps == 0:
        for one in out:
            one.masked_fill_(one == 0, 1.0)
    elif place == "clamp":
        torch._foreach_clamp_min_(out, eps)
    elif place != "inside":
        torch._foreach_add_(out, eps)
    return out
