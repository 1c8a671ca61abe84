"""Examine the curvature of a network of more than a hundred million parameters within 16 GiB, on the CPU.

    python benchmarks/curvature/hundred_million.py [--vectors 15]

Prints the exam and the peak memory of this process.
"""

from __future__ import annotations

import argparse
import resource
import time

import torch
from torch import nn

from unstuck.curvature import hessian, spectrum_exam
from unstuck.objective import ModelObjective


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=15)
    parser.add_argument("--width", type=int, default=10_000)
    parser.add_argument("--examples", type=int, default=16)
    parser.add_argument("--products", type=int, default=90, help="of the Lanczos run, at most")
    parser.add_argument("--steps", type=int, default=10, help="of gradient descent before the exam")
    options = parser.parse_args()
    torch.manual_seed(0)
    width = options.width
    model = nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 10))
    data = (torch.randn(options.examples, 64), torch.randint(0, 10, (options.examples,)))
    for _ in range(options.steps):
        loss = nn.functional.cross_entropy(model(data[0]), data[1])
        for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True):
            p.data.sub_(g, alpha=0.1)
    del loss, p, g
    began, cpu = time.perf_counter(), time.process_time()
    objective = ModelObjective(model, nn.CrossEntropyLoss(), data)
    with objective.at() as point:
        report = spectrum_exam(
            hessian(point),
            largest=3,
            smallest=1,
            max_vectors=options.vectors,
            trace_probes=4,
            max_products=options.products,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"parameters          {objective.size:,}")
    print(f"stored vectors      {report.stored_vectors} ({report.restarts} restarts)")
    print(f"products            {report.products}")
    for pair in (*report.largest, *report.smallest):
        print(f"eigenvalue          {pair.value:.6g}, residual {pair.residual:.1e}, converged {pair.converged}")
    print(f"trace               {report.trace.value:.4g} ({report.trace.low:.4g} to {report.trace.high:.4g})")
    print(f"none below          {report.lower_bound.value:.4g}, wrong with probability {report.lower_bound.failure:g}")
    for note in report.notes:
        print(f"note                {note}")
    print(f"peak memory         {peak:.1f} GiB")
    print(f"time                {time.perf_counter() - began:.0f} s, CPU {time.process_time() - cpu:.0f} s")


if __name__ == "__main__":
    main()
