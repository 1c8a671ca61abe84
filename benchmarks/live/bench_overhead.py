"""What watching costs: the same training loop with and without the watcher, in turn, in one process.

Each round times a block of steps without taps, then the same number with a watcher that has done its first twenty full
samples and keeps to its budget. Printed for each style: the step, the ratio of wall times and of processor times (medians over
the rounds, with the quartiles), what the watcher says of itself, and how many samples it took.

    python benchmarks/live/bench_overhead.py [--rounds 15] [--style tiny]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal

Step = Callable[[], object]


def tiny() -> Step:
    """An MLP of 2 400 parameters: a step of a fraction of a millisecond."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(32, 64), torch.randint(0, 10, (32,))
    return lambda: train(model, optimizer, x, y)


def cnn() -> Step:
    """A batch-norm CNN of 0.3 million parameters on 16 × 16 images."""
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.Flatten(), nn.Linear(2048, 100), nn.ReLU(),
        nn.Linear(100, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = torch.randn(64, 3, 16, 16), torch.randint(0, 10, (64,))
    return lambda: train(model, optimizer, x, y)


class Transformer(nn.Module):
    """Five layers of width 128: one million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(96, 128)
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 5, enable_nested_tensor=False)
        self.head = nn.Linear(128, 96)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(self.embed(tokens))).flatten(0, 1)


def transformer() -> Step:
    """A transformer with AdamW, clipping and a schedule, 16 × 64 tokens."""
    model = Transformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10_000)
    x = torch.randint(0, 96, (16, 64))
    y = torch.randint(0, 96, (16 * 64,))

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()

    return step


def accumulating() -> Step:
    """Four small batches a step."""
    model = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.randn(32, 64), torch.randint(0, 10, (32,))

    def step() -> None:
        optimizer.zero_grad()
        for _ in range(4):
            (F.cross_entropy(model(x), y) / 4).backward()
        optimizer.step()

    return step


def two() -> Step:
    """A generator and a discriminator, an optimizer each."""
    generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 16))
    judge = nn.Sequential(nn.Linear(16, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    first = torch.optim.Adam(judge.parameters(), lr=1e-3)
    second = torch.optim.Adam(generator.parameters(), lr=1e-3)
    real, ones, zeros = torch.randn(64, 16), torch.ones(64, 1), torch.zeros(64, 1)

    def step() -> None:
        fake = generator(torch.randn(64, 8))
        first.zero_grad()
        loss = F.binary_cross_entropy_with_logits(judge(real), ones)
        (loss + F.binary_cross_entropy_with_logits(judge(fake.detach()), zeros)).backward()
        first.step()
        second.zero_grad()
        F.binary_cross_entropy_with_logits(judge(fake), ones).backward()
        second.step()

    return step


def train(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> None:
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()


STYLES: dict[str, tuple[Callable[[], Step], float]] = {
    "tiny": (tiny, 0.6),
    "cnn": (cnn, 2.0),
    "transformer": (transformer, 3.0),
    "accumulating": (accumulating, 0.6),
    "two": (two, 0.6),
}


def timed(step: Step, steps: int) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    return time.perf_counter() - wall, time.process_time() - processor


def compare(name: str, rounds: int) -> None:
    torch.manual_seed(0)
    make, seconds = STYLES[name]
    step = make()
    timed(step, 5)
    one = min(timed(step, 10)[0] for _ in range(3)) / 10
    steps = max(20, int(seconds / one))
    walls, processors, shares, samples, plain = [], [], [], 0, []
    for _ in range(rounds):
        alone = timed(step, steps)
        with tempfile.TemporaryDirectory() as folder:
            watcher = Watcher(Journal(Path(folder) / "journal-0-1.jsonl"), allowance=60.0)
            while not watcher.schedule.first_done:
                step()
            watcher.budget.close_first(time.perf_counter())
            before = watcher.budget.running + watcher.fast.own
            first = watcher.schedule.full
            watched = timed(step, steps)
            shares.append((watcher.budget.running + watcher.fast.own - before) / watched[0])
            samples += watcher.schedule.full - first
            watcher.finish(status=0)
        walls.append(watched[0] / alone[0])
        processors.append(watched[1] / alone[1])
        plain.append(alone[0] / steps)
    print(
        f"{name:13s} step {statistics.median(plain) * 1e3:7.3f} ms × {steps:5d}   wall {quartiles(walls)}   "
        f"processor {quartiles(processors)}   says itself {statistics.median(shares):6.2%}   "
        f"full samples {samples / rounds:.1f}",
        flush=True,
    )


def quartiles(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle - 1:+.2%} [{low - 1:+.2%}, {high - 1:+.2%}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--style", choices=STYLES, action="append")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for style in options.style or STYLES:
        compare(style, options.rounds)
