"""Cost of a product and of the whole exam against the number of parameters and of examples; writes a figure.

    python benchmarks/curvature/linear_cost.py --figure docs/curvature-cost.svg [--out cost.json]

CPU time of this process on one thread. The line to compare with has slope 1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from unstuck.curvature import hessian, spectrum_exam
from unstuck.objective import ModelObjective


def measure(width: int, examples: int, *, exam: bool) -> dict[str, Any]:
    """One network of three layers: parameters, examples, CPU seconds of a product, products and seconds of the exam."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 10))
    batches = [(torch.randn(64, 64), torch.randint(0, 10, (64,))) for _ in range(examples // 64)]
    objective = ModelObjective(model, nn.CrossEntropyLoss(), batches)
    found: dict[str, Any] = {"parameters": objective.size, "examples": examples}
    with objective.at() as point:
        vector = torch.randn(objective.size)
        point.hvp(vector)
        spent = []
        for _ in range(5):
            began = time.process_time()
            point.hvp(vector)
            spent.append(time.process_time() - began)
        found["product_seconds"] = statistics.median(spent)
        if exam:
            began = time.process_time()
            report = spectrum_exam(hessian(point))
            found["exam_seconds"] = time.process_time() - began
            found["exam_products"] = report.products
    return found


def slope(points: list[dict[str, Any]], x: str, y: str) -> float:
    """Slope of the last points on double-logarithmic axes, where fixed costs no longer count."""
    tail = points[-4:]
    return float(np.polyfit(np.log([p[x] for p in tail]), np.log([p[y] for p in tail]), 1)[0])


def figure(rows: list[tuple[str, str, list[dict[str, Any]]]], path: Path) -> None:
    """Both sweeps side by side."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "unstuck"
    picture, panes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for pane, (x, label, points) in zip(panes, rows, strict=True):
        at = np.array([p[x] for p in points], dtype=float)
        for key, name in (("product_seconds", "one product"), ("exam_seconds", "the whole exam")):
            seen = [p for p in points if key in p]
            pane.loglog([p[x] for p in seen], [p[key] for p in seen], "o-", label=name)
        last = points[-1]["product_seconds"]
        pane.loglog(at, last * at / at[-1], ":", color="gray", label="slope 1")
        pane.set_xticks([p[x] for p in points][:: 1 if x == "examples" else 2])
        pane.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        pane.xaxis.set_minor_formatter(lambda value, _: "")
        pane.set_xlabel(label)
        pane.set_ylabel("CPU seconds, one thread")
        pane.legend()
    picture.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    by_size = [measure(width, 256, exam=width <= 1024) for width in (64, 128, 256, 512, 1024, 2048)]
    by_data = [measure(128, examples, exam=True) for examples in (256, 512, 1024, 2048, 4096, 8192)]
    for p in (*by_size, *by_data):
        print(p)
    found = {
        "by_size": by_size,
        "by_data": by_data,
        "slope_in_parameters": slope(by_size, "parameters", "product_seconds"),
        "slope_in_examples": slope(by_data, "examples", "product_seconds"),
    }
    print("slopes:", found["slope_in_parameters"], found["slope_in_examples"])
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))
    if options.figure:
        figure([("parameters", "parameters", by_size), ("examples", "examples", by_data)], options.figure)


if __name__ == "__main__":
    main()
