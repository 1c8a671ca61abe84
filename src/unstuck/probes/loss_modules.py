"""The second road to a loss's terms: the arguments of a loss module, for graphs that are opaque."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unstuck.probes.graph import walk
from unstuck.probes.heads import head_of
from unstuck.probes.loss_kinds import Match, prefers_a_class
from unstuck.probes.loss_terms import compare, name_head
from unstuck.probes.quiet import quiet
from unstuck.probes.statistics import LIMIT

# First that fits wins: subclasses before their parents.
_KINDS: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.CrossEntropyLoss, "nll"),
    (nn.NLLLoss, "nll"),
    (nn.MSELoss, "mse"),
    (nn.L1Loss, "l1"),
    (nn.SmoothL1Loss, "smooth_l1"),
    (nn.HuberLoss, "huber"),
    (nn.BCEWithLogitsLoss, "bce_logits"),
    (nn.MultiLabelSoftMarginLoss, "bce_logits"),
    (nn.BCELoss, "bce"),
    (nn.KLDivLoss, "kl"),
    (nn.SoftMarginLoss, "soft_margin"),
    (nn.MultiMarginLoss, "hinge"),
    (nn.MultiLabelMarginLoss, "hinge"),
)


def loss_module_terms(
    module: nn.Module,
    inputs: Sequence[Any],
    output: Tensor | None,
    *,
    names: Mapping[int, str] | None = None,
    saved_hooks_active: bool = False,
    limit: int = LIMIT,
) -> dict[str, Any] | None:
    """The entry of ``losses`` in docs/recording.md from what a loss module of torch's got and gave; None for others.

    For graphs that do not tell (``torch.compile``): a forward hook on the module has all three at hand. ``inputs`` are
    its positional arguments, the model's output first and the target second; ``output`` is the loss.
    What becomes of the loss afterwards (factors, further terms) is not in it. Cost: as for a term of ``loss_terms``.

    >>> found = loss_module_terms(nn.MSELoss(), (torch.zeros(4, 1), torch.ones(4)), None)
    >>> found["terms"][0]["kind"], found["terms"][0]["broadcast"]["joint"]
    ('mse', [4, 4])
    """
    kind = next((name for cls, name in _KINDS if isinstance(module, cls)), None)
    if kind is None or len(inputs) < 2 or not all(isinstance(t, Tensor) for t in inputs[:2]):
        return None
    out, target = inputs[0], inputs[1]
    with quiet():
        joint = _joint(out, target) if kind in ("mse", "l1", "smooth_l1", "huber") else tuple(out.shape)
        class_dim = (0 if out.dim() == 1 else 1) if isinstance(module, nn.CrossEntropyLoss | nn.NLLLoss) else None
        if isinstance(module, nn.MultiMarginLoss):
            class_dim = out.dim() - 1
        if kind == "nll" and target.is_floating_point():
            kind = "cross_entropy_soft"
        reduction = str(getattr(module, "reduction", "mean"))
        graph = walk(out, names=names, saved_hooks_active=saved_hooks_active) if out.grad_fn is not None else None
        head = head_of(graph, graph.roots[0][0], graph.roots[0][1]) if graph is not None and graph.roots else None
        entry: dict[str, Any] = {
            "kind": kind,
            "reduction": "mean" if reduction == "batchmean" else reduction,
            "sign": 0 if kind in ("kl", "hinge") else 1,
            "weight": 1.0,
            "sum_over": 1,
            "sum_over_batch": 1,
            "op": [type(module).__name__, *(head.path[:16] if head is not None else ())],
            "head": [],
            "output": None,
            "target": None,
            "broadcast": None,
            "accuracy": None,
            "r2": None,
            "class_dim": class_dim,
            "layer": head.layer if head is not None else None,
        }
        if reduction == "sum":
            counted = target.numel() if class_dim is None else out.numel() // max(1, out.shape[class_dim])
            entry["sum_over"] = max(1, counted)
            entry["sum_over_batch"] = max(1, out.shape[0] if out.dim() > (1 if class_dim is not None else 0) else 1)
        if isinstance(module, nn.CrossEntropyLoss) and class_dim is not None:
            size = int(out.shape[class_dim])
            entry["head"].append(
                {
                    "kind": "log_softmax",
                    "dim": class_dim,
                    "size": size,
                    "shape": list(out.shape),
                    "name": None,
                    "own": True,
                }
            )
            if module.label_smoothing:
                entry["label_smoothing"] = float(module.label_smoothing)
        if head is not None and graph is not None:
            name_head(graph, head.entries, head.nodes)
            entry["head"] += head.entries
        with_weights = isinstance(module, nn.CrossEntropyLoss | nn.NLLLoss | nn.BCELoss | nn.BCEWithLogitsLoss)
        weight, positive = (getattr(module, key, None) for key in ("weight", "pos_weight"))
        if with_weights and prefers_a_class(weight, positive):
            entry["class_weights"] = True
        ignore = getattr(module, "ignore_index", None)
        match = Match(
            kind,
            node=None,
            output=out.detach(),
            target=target.detach(),
            class_dim=class_dim,
            ignore_index=ignore if isinstance(ignore, int) else None,
            output_shape=tuple(out.shape),
            target_shape=tuple(target.shape),
            joint=joint,
        )
        compare(entry, match, limit)
        found: dict[str, Any] = {
            "value": float(output.detach()) if isinstance(output, Tensor) and output.numel() == 1 else None,
            "sum_over": entry["sum_over"],
            "sum_over_batch": entry["sum_over_batch"],
            "sign": 1,
            "factor": 1.0,
            "terms": [entry],
            "source": "module",
        }
        return found


def _joint(output: Tensor, target: Tensor) -> tuple[int, ...] | None:
    try:
        return tuple(torch.broadcast_shapes(output.shape, target.shape))  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None
