"""The parameters of a network of bare tensors, found in the graph of its loss."""

from __future__ import annotations

import torch

from unstuck.probes.graph import walk


def leaves_of(loss: torch.Tensor) -> list[torch.Tensor]:
    """The tensors whose gradients a backward pass of ``loss`` would fill, each once; of at most 20,000 operations.

    >>> w, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> len(leaves_of((w * w + b).sum()))
    2
    """
    entering = (child.leaf for node in walk(loss).nodes for child, _ in node.edges if child is not None)
    return list({id(leaf): leaf for leaf in entering if leaf is not None}.values())
