"""Short ways to write sampled losses with their terms, heads, targets and inputs, for the rules on data and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unstuck.record.recording import Event, Recording

LINE = {"file": "/home/me/train.py", "line": 21, "function": "main", "text": "loss.backward()"}
TEN = {str(c): 8 for c in range(10)}  # eighty examples, ten classes: ln 10 = 2.303
EVEN_STEPS = (*range(20), 40, 60, 80, 98, 99)
"""Steps at which the tests sample a run of a hundred: the first twenty and a few later ones."""


def active(
    kind: str, *, dim: int | None = None, size: int | None = None, own: bool = False, **more: Any
) -> dict[str, Any]:
    """One activation of a head."""
    return {
        "kind": kind,
        "dim": dim,
        "size": size,
        "shape": None,
        "name": None,
        **({"own": True} if own else {}),
        **more,
    }


OWN = active("log_softmax", dim=1, size=10, own=True)
"""The log-softmax that cross-entropy applies itself."""


def output(shape: Sequence[int] = (80, 10), **stats: Any) -> dict[str, Any]:
    """What enters a loss: raw scores unless said otherwise."""
    return {
        "shape": list(shape), "mean": 0.0, "std": 1.0, "rms": 1.0, "min": -3.0, "max": 3.0, "nonfinite": 0,
        "row_sum_one": 0.0, "in_unit": False, "varies": 0.5, **stats,
    }  # fmt: skip


PROBABILITIES = {"mean": 0.1, "std": 0.1, "min": 0.0, "max": 0.9, "row_sum_one": 1.0, "in_unit": True}
"""What a softmax makes of scores for ten classes."""
IN_UNIT = {"mean": 0.5, "std": 0.2, "min": 0.01, "max": 0.99, "in_unit": True}
"""What a sigmoid makes of scores."""


def labels(counts: Mapping[str, int] = TEN, **stats: Any) -> dict[str, Any]:
    """Class indices."""
    n = sum(counts.values())
    return {
        "shape": [n], "dtype": "int64", "integer": True, "distinct": len(counts), "classes": dict(counts), "mean": 4.5,
        "std": 2.9, "min": 0, "max": len(counts) - 1, "nonfinite": 0, "one_hot": False, "binary": len(counts) <= 2,
        "batch_equal": False, **stats,
    }  # fmt: skip


def one_hot(counts: Mapping[str, int] = TEN, **stats: Any) -> dict[str, Any]:
    """One-hot rows."""
    return {
        **labels(counts), "shape": [sum(counts.values()), len(counts)], "dtype": "float32", "one_hot": True, "binary": True,
        "distinct": 2, "mean": 1 / len(counts), "std": 0.3, "min": 0.0, "max": 1.0, **stats,
    }  # fmt: skip


def yes_no(ones: float = 0.5, shape: Sequence[int] = (32, 1), **stats: Any) -> dict[str, Any]:
    """Targets that are 0 or 1, in one column."""
    n = shape[0]
    return {
        "shape": list(shape), "dtype": "float32", "integer": True, "distinct": 2, "binary": True, "one_hot": False,
        "classes": {k: v for k, v in (("0", n - round(ones * n)), ("1", round(ones * n))) if v}, "mean": ones,
        "std": (ones * (1 - ones)) ** 0.5, "min": 0.0, "max": 1.0, "nonfinite": 0, "batch_equal": False, **stats,
    }  # fmt: skip


def amounts(mean: float = 0.0, std: float = 1.0, shape: Sequence[int] = (32, 1), **stats: Any) -> dict[str, Any]:
    """Targets that are numbers."""
    return {
        "shape": list(shape), "dtype": "float32", "integer": False, "distinct": 32, "binary": False, "one_hot": False,
        "classes": None, "mean": mean, "std": std, "min": mean - 2 * std, "max": mean + 2 * std, "nonfinite": 0,
        "batch_equal": False, **stats,
    }  # fmt: skip


def term(kind: str, head: Sequence[Mapping[str, Any]] | None = (), **more: Any) -> dict[str, Any]:
    """One data term. ``head=None``: its activations could not be read."""
    return {
        "kind": kind, "reduction": "mean", "weight": 1.0, "op": [], "broadcast": None, "accuracy": None, "r2": None,
        "class_dim": 1 if kind == "nll" else None, "head": None if head is None else [dict(a) for a in head], **more,
    }  # fmt: skip


def cross_entropy(*before: Mapping[str, Any], counts: Mapping[str, int] = TEN, **more: Any) -> dict[str, Any]:
    """A cross-entropy on class indices, with what stands before it."""
    given = {"output": output((sum(counts.values()), len(counts))), "target": labels(counts), **more}
    own = {**OWN, "size": len(counts)}
    return term("nll", (own, *before), **given)


def squared(*before: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A squared error on numbers."""
    return term("mse", before, **{"output": output((32, 1)), "target": amounts(), **more})


def binary(kind: str, *before: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A binary cross-entropy (``bce`` or ``bce_logits``)."""
    return term(kind, before, **{"output": output((32, 1)), "target": yes_no(), **more})


def whole(
    *terms: Mapping[str, Any], value: float = 1.0, line: Mapping[str, Any] | None = LINE, **more: Any
) -> dict[str, Any]:
    """The loss of one backward pass."""
    return {
        "value": value, "line": line, "sum_over": 1, "sign": 1, "factor": 1.0, "terms": [dict(t) for t in terms], **more
    }  # fmt: skip


def features(**stats: Any) -> dict[str, Any]:
    """One floating input, standardized unless said otherwise."""
    return {
        "model": "net", "name": "x", "shape": [32, 8], "dtype": "float32", "mean": 0.0, "std": 1.0, "min": -3.0, "max": 3.0,
        "nonfinite": 0, "zero_share": 0.0, "batch_equal": False, "features": 8, "feature_std_min": 0.9,
        "feature_std_median": 1.0, "feature_std_max": 1.1, "feature_mean_max": 0.1, "mean_to_std": 0.1,
        "constant_share": 0.0, "examples": 640, **stats,
    }  # fmt: skip


def sampled(step: int, *losses: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """A sampled step with these losses."""
    return {
        "e": "sample", "o": 0, "s": step, "full": True, "losses": [dict(x) for x in losses], "inputs": [], "params": {},
        "acts": [], "layers": [], "unseen": [], **parts,
    }  # fmt: skip


FALLING = [0.1 + 2.2 * 0.95**i for i in range(100)]
"""From 2.3 to 0.11: a classifier of ten classes that learned well."""
STANDING = [2.303] * 100
"""The loss of always giving the shares of ten equal classes."""


def run(
    *losses: Mapping[str, Any],
    loss: Sequence[float] = STANDING,
    steps: Sequence[int] = EVEN_STEPS,
    optimizer: str = "SGD",
    learning_rate: float = 0.1,
    groups: Sequence[Mapping[str, Any]] | None = None,
    parts: Mapping[str, Any] | None = None,
    events: Sequence[Event] = (),
    models: Sequence[Mapping[str, Any]] = (),
    end: Mapping[str, Any] | None = None,
) -> Recording:
    """A run with the same losses in every sample."""
    return Recording.of(
        loss=loss,
        learning_rate=learning_rate,
        samples=[sampled(s, *losses, **dict(parts or {})) for s in steps],
        events=events,
        models=models,
        optimizer={
            "o": 0,
            "kind": optimizer,
            "groups": [dict(g) for g in groups or ({"lr": learning_rate, "params": ["w"]},)],
        },
        end=end,
    )


UNSEEN = run(parts={"unseen": [{"what": "compiled", "why": "a compiled part hides its operations"}]})
"""A run whose losses could not be read."""
EMPTY = Recording()
"""No step at all."""
NO_SAMPLES = Recording.of(loss=FALLING)
"""Losses, but no sampled step."""
