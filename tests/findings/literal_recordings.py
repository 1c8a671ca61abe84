"""Short ways to write literal samples, so that a test shows only the numbers it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unstuck.record.recording import Event, Recording

TEN = {str(c): 8 for c in range(10)}  # eight examples of each of ten classes: ln 10 = 2.303


def weight(
    *,
    w: float = 1.0,
    g: float | None = 0.1,
    order: int | None = 0,
    layer: str = "",
    role: str = "weight",
    u: float | None = 0.001,
    gz: float | None = None,
    eq: float | None = None,
    geq: float | None = None,
    ceq: float | None = None,
    cgeq: float | None = None,
    stale: float | None = None,
    o: int | None = 0,
    n: int = 100,
    wstd: float | None = 0.1,
) -> dict[str, Any]:
    """Statistics of one parameter in one sample."""
    if gz is None:
        gz = None if g is None else float(g == 0)
    return {
        "w": w, "g": g, "gz": gz, "gn": 0, "wn": 0, "u": u, "d": -0.9, "eq": eq, "geq": geq, "ceq": ceq,
        "cgeq": cgeq, "stale": stale,
        "o": o, "n": n, "order": order, "layer": layer, "role": role, "wstd": wstd,
    }  # fmt: skip


def chain(gradients: Sequence[float | None], **common: Any) -> dict[str, dict[str, Any]]:
    """The weights of layers net.0, net.1, … in forward order with these gradient norms."""
    return {f"net.{i}.weight": weight(g=g, order=i, layer=f"net.{i}", **common) for i, g in enumerate(gradients)}


def act(name: str, kind: str = "relu", *, order: int = 0, hidden: bool = True, **stats: Any) -> dict[str, Any]:
    """One activation function in one sample."""
    return {
        "name": name, "kind": kind, "order": order, "hidden": hidden, "after": f"net.{order}", "units": 64,
        "shape": [80, 64], "mean": 0.3, "std": 0.5, "zero": 0.5, "dead": 0.0, "dead_so_far": 0.0,
        "saturated": 0.0, "vary": 1.0, "nonfinite": 0, **stats,
    }  # fmt: skip


def through_time(first: float, last: float, *, steps: int = 30, weight: str = "net.rnn.weight_hh_l0") -> dict[str, Any]:
    """The gradient of one recurrence that goes from ``first`` at the first time step to ``last``, by equal factors."""
    at = [*range(0, steps, 2), steps - 1]
    g = [
        first * (last / first) ** (t / (steps - 1)) if first and last else (last if t == steps - 1 else first)
        for t in at
    ]
    return {"layer": weight.rpartition(".")[0], "weight": weight, "steps": steps, "at": at, "g": g}


def classes(accuracy: float, counts: Mapping[str, int] = TEN, **more: Any) -> dict[str, Any]:
    """A cross-entropy on class indices with so many right answers."""
    n = sum(counts.values())
    return {
        "kind": "nll", "reduction": "mean", "weight": 1.0, "op": "NllLoss", "class_dim": 1,
        "head": [{"kind": "log_softmax", "own": True, "dim": 1, "size": len(counts)}],
        "output": {"shape": [n, len(counts)], "mean": 0.0, "std": 1.0, "rms": 1.0, "min": -3.0, "max": 3.0,
                   "nonfinite": 0, "varies": 0.5},
        "target": {"shape": [n], "integer": True, "distinct": len(counts), "classes": dict(counts), "mean": 4.5,
                   "std": 2.9, "min": 0, "max": 9, "nonfinite": 0},
        "broadcast": None, "accuracy": accuracy, "r2": None, **more,
    }  # fmt: skip


def numbers(r2: float, *, std: float = 1.0, **more: Any) -> dict[str, Any]:
    """A squared error that explains so much of the variance."""
    return {
        "kind": "mse", "reduction": "mean", "weight": 1.0, "head": [],
        "output": {"shape": [32, 1], "mean": 0.0, "std": 1.0, "rms": 1.0, "nonfinite": 0, "varies": 0.5},
        "target": {"shape": [32, 1], "integer": False, "mean": 0.0, "std": std, "nonfinite": 0},
        "broadcast": None, "accuracy": None, "r2": r2, **more,
    }  # fmt: skip


def sample(
    s: int,
    *,
    params: Mapping[str, Any] | None = None,
    acts: Sequence[Mapping[str, Any]] = (),
    layers: Sequence[Mapping[str, Any]] = (),
    term: Mapping[str, Any] | None = None,
    noise: Mapping[str, Any] | None = None,
    loss: Mapping[str, Any] | None = None,
    recurrent: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A sampled step."""
    found: dict[str, Any] = {"e": "sample", "o": 0, "s": s, "full": True, "inputs": [], "unseen": []}
    found["params"] = dict(params or {})
    found["acts"] = list(acts)
    found["layers"] = list(layers)
    found["recurrent"] = list(recurrent)
    if term is not None:
        whole = {"value": 1.0, "sign": 1, "factor": 1.0, "sum_over": 1, "terms": [dict(term)], **(loss or {})}
        found["losses"] = [whole]
    if noise is not None:
        found["noise"] = dict(noise)
    return found


def event(kind: str, step: int | None = 0, stream: int = 0, **data: Any) -> Event:
    """Something that happened."""
    return Event(kind, step, data, stream)


STUCK_AT_LN_10 = [2.303] * 60
"""The loss of a network that answers the same for everything."""


def stuck(samples: Sequence[Mapping[str, Any]], **more: Any) -> Recording:
    """A run that stands at the loss of a constant answer over ten classes, with a tenth of the answers right."""
    told = [s if s.get("losses") else {**s, "losses": sample(0, term=classes(0.1))["losses"]} for s in samples]
    return Recording.of(loss=more.pop("loss", STUCK_AT_LN_10), samples=told, **more)


def learned(samples: Sequence[Mapping[str, Any]], **more: Any) -> Recording:
    """A run that went from 2.3 to .1, with 97 % of the answers right."""
    told = [s if s.get("losses") else {**s, "losses": sample(0, term=classes(0.97))["losses"]} for s in samples]
    loss = more.pop("loss", [0.1 + 2.2 * 0.9**i for i in range(60)])
    return Recording.of(loss=loss, samples=told, **more)


STEPS = (0, 1, 2, 5, 10, 20, 40, 50, 59)
"""Steps at which the tests sample a run of sixty."""


def batch_norm(shape: Sequence[int], name: str = "net.bn", *, training: bool = True, **more: Any) -> dict[str, Any]:
    """A batch-normalization layer that gets a batch of this shape, its running statistics close to it."""
    values = 1
    for i, extent in enumerate(shape):
        values *= extent if i != 1 else 1
    return {
        "name": name, "kind": "batch_norm", "order": 1, "in_shape": list(shape), "training": training,
        "values_per_channel": values, "running_shift": 0.1, "running_ratio": 1.0, **more,
    }  # fmt: skip
