"""The parameters of a network of bare tensors, found in the graph of its loss."""

from __future__ import annotations

import torch

MOST_NODES = 20_000  # of a graph; a longer one is no network written out by hand


def leaves_of(loss: torch.Tensor) -> list[torch.Tensor]:
    """The tensors whose gradients a backward pass of ``loss`` would fill, each once, in the order the graph shows them.

    >>> w, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> len(leaves_of((w * w + b).sum()))
    2
    """
    found: dict[int, torch.Tensor] = {}
    seen: set[object] = set()
    stack = [loss.grad_fn]
    while stack and len(seen) < MOST_NODES:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, torch.Tensor):
            found.setdefault(id(variable), variable)
        stack.extend(child for child, _ in node.next_functions)
    return list(found.values())
