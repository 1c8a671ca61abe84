"""How long one update takes, against ``torch.optim``: one process, one thread, entrants in turn, medians.

    python benchmarks/optim/step_time.py                    all sizes on this machine's processor, and on a GPU if any
    python benchmarks/optim/step_time.py --sizes small      25k parameters in 4 tensors only
    python benchmarks/optim/step_time.py --json out.json

Every entrant moves the same parameters by the same gradients, and all tensors are made anew several times at the larger sizes.
Times on the processor are process CPU time, because a wall clock measures the neighbors too; on a GPU they are events.
Bytes are those the kernel must move for each float32 parameter; the bandwidth is that of ``p.add_(g)`` in the same run,
so that ``of limit`` says how near a rule is to the memory: above 1 the tensors stay in cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from unstuck import optim

SIZES = {"small": (25_000, 4, 300), "medium": (1_000_000, 100, 20), "large": (25_000_000, 300, 1)}
BUILDS = {"small": 1, "medium": 2, "large": 5}  # times that all tensors are made anew
PEERS = ("default", "foreach", "fused")


@dataclass(frozen=True)
class Row:
    """One rule at one size: microseconds a step, ours and torch's, and their ratio."""

    device: str
    size: str
    rule: str
    ours_us: float
    torch_us: dict[str, float]
    ratio_to_fused: float | None
    fused_to_itself: float | None  # two copies of torch's fused form: what the placement in memory alone makes
    ratio_to_best: float
    bytes_per_parameter: int | None
    share_of_limit: float | None


def _flags(peer: str) -> dict[str, bool]:
    return {} if peer == "default" else {peer: True}


def _torch(cls: Any, **options: Any) -> dict[str, Callable[[Any], torch.optim.Optimizer]]:
    """torch's forms of a rule, those it has."""
    made = {}
    for peer in PEERS:
        try:
            cls([torch.nn.Parameter(torch.zeros(1))], **options, **_flags(peer))
        except TypeError:
            continue
        made[peer] = lambda p, peer=peer: cls(p, **options, **_flags(peer))
    return made


T = torch.optim
RULES: list[tuple[str, Callable[[Any], torch.optim.Optimizer], dict[str, Any], int | None]] = [
    ("SGD", lambda p: optim.SGD(p), _torch(T.SGD), 12),
    ("momentum, rate outside", lambda p: optim.SGD(p, momentum=0.9), _torch(T.SGD, momentum=0.9), 20),
    ("momentum, rate inside", lambda p: optim.Momentum(p, rate="inside"), _torch(T.SGD, momentum=0.9), 20),
    ("Nesterov", lambda p: optim.Nesterov(p), _torch(T.SGD, momentum=0.9, nesterov=True), 20),
    ("AdaGrad, sum", lambda p: optim.AdaGrad(p), _torch(T.Adagrad), 20),
    ("AdaGrad, mean", lambda p: optim.AdaGradMean(p), _torch(T.Adagrad), 20),
    ("RMSProp", lambda p: optim.RMSProp(p), _torch(T.RMSprop), 20),
    ("Adam", lambda p: optim.Adam(p), _torch(T.Adam), 28),
    ("AdamW", lambda p: optim.AdamW(p), _torch(T.AdamW), 28),
    ("RAdam", lambda p: optim.RAdam(p), _torch(T.RAdam), 28),
    ("NAdam", lambda p: optim.NAdam(p), _torch(T.NAdam), None),
    ("Adamax", lambda p: optim.Adamax(p), _torch(T.Adamax), None),
    ("Adadelta", lambda p: optim.Adadelta(p), _torch(T.Adadelta), None),
]


def _params(count: int, tensors: int, device: str) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    params = []
    for _ in range(tensors):
        p = torch.nn.Parameter(torch.randn(count // tensors, generator=generator).to(device))
        p.grad = (0.01 * torch.randn(count // tensors, generator=generator)).to(device)
        params.append(p)
    return params


def _entrants(
    ours: Callable[[Any], torch.optim.Optimizer],
    theirs: dict[str, Any],
    params: list[torch.nn.Parameter],
    *,
    turned: int,
) -> dict[str, Callable[[], Any]]:
    """Every entrant moves the same parameters by the same gradients: where tensors lie in memory makes 6 % and more.

    Only their states lie apart; ``turned`` begins with another entrant, so that each gets each place.
    """
    makers = {"ours": ours, **theirs}
    if "fused" in theirs:
        makers["again"] = theirs["fused"]
    names = list(makers)
    names = names[turned % len(names) :] + names[: turned % len(names)]
    entrants: dict[str, Callable[[], Any]] = {name: makers[name](params).step for name in names}
    gradients = [p.grad for p in params]

    def add() -> None:
        with torch.no_grad():
            torch._foreach_add_(params, gradients, alpha=-1e-6)

    return {**entrants, "add": add}


def _clock(device: str) -> Callable[[Callable[[], Any], int], float]:
    """A function that runs a step so many times and gives microseconds for one."""

    def processor(step: Callable[[], Any], times: int) -> float:
        begin = time.process_time_ns()
        for _ in range(times):
            step()
        return (time.process_time_ns() - begin) / times / 1e3

    def gpu(step: Callable[[], Any], times: int) -> float:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        start.record()
        for _ in range(times):
            step()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / times * 1e3

    return gpu if device == "cuda" else processor


def measure(device: str, size: str, *, rounds: int, only: list[str]) -> list[Row]:
    """All rules at one size. Every entrant of a rule, and the bare addition, is timed once in each round."""
    count, tensors, times = SIZES[size]
    clock = _clock(device)
    rows = []
    for name, ours, theirs, moved in RULES:
        if only and name not in only:
            continue
        taken: dict[str, list[float]] = {}
        for build in range(BUILDS[size]):
            entrants = _entrants(ours, theirs, _params(count, tensors, device), turned=build)
            for step in entrants.values():
                for _ in range(7):  # past probing, first allocations and RAdam's first updates
                    step()
            for k in range(rounds):
                order = list(entrants)
                for peer in order[k % len(order) :] + order[: k % len(order)]:
                    taken.setdefault(peer, []).append(clock(entrants[peer], times))
        middle = {peer: statistics.median(values) for peer, values in taken.items()}
        mine, add_time = middle.pop("ours"), middle.pop("add")
        middle.pop("again", None)
        limit = moved / 12 * add_time if moved else None
        rows.append(
            Row(
                device,
                size,
                name,
                round(mine, 1),
                {peer: round(value, 1) for peer, value in middle.items()},
                _paired(taken, "fused"),
                _paired(taken, "fused", "again"),
                _paired(taken, min(middle, key=middle.__getitem__)) or 0.0,
                moved,
                round(limit / mine, 2) if limit else None,
            )
        )
        _print(rows[-1], add_time, count)
    return rows


def _paired(taken: dict[str, list[float]], peer: str, mine: str = "ours") -> float | None:
    """The median over the rounds of ours over a peer's: a round's neighbors in time meet the same machine."""
    if peer not in taken:
        return None
    return round(statistics.median(a / b for a, b in zip(taken[mine], taken[peer], strict=True)), 3)


def _print(row: Row, add_time: float, count: int) -> None:
    peers = "  ".join(f"{peer} {row.torch_us.get(peer, float('nan')):>9.1f}" for peer in PEERS)
    fused = f"{row.ratio_to_fused:.2f}" if row.ratio_to_fused is not None else "  — "
    itself = f" (itself {row.fused_to_itself:.2f})" if row.fused_to_itself is not None else " " * 14
    limit = f"{row.share_of_limit:.2f}" if row.share_of_limit is not None else " — "
    size = f"{row.bytes_per_parameter:>3}" if row.bytes_per_parameter else "  —"
    bandwidth = 12 * count / add_time / 1e3
    print(
        f"{row.device:4} {row.size:6} {row.rule:23} ours {row.ours_us:>9.1f}  {peers}  of fused {fused}{itself}  of best "
        f"{row.ratio_to_best:.2f}  bytes {size}  of limit {limit}  (add_: {bandwidth:.0f} GB/s)",
        flush=True,
    )


def main() -> None:
    """Measure and print; write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--rules", nargs="+", default=[])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Row] = []
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        for size in options.sizes:
            rows.extend(measure(device, size, rounds=options.rounds, only=options.rules))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
