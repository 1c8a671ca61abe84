"""The curvature exam beside curvlinops, hessian-eigenthings, PyHessian and landscaper, in one interleaved run.

    python benchmarks/curvature/against_peers.py [--rounds 3] [--only MLP] [--out results.json]

Time is this process' CPU time on one thread; every figure is a multiple of one gradient over the same data, measured in the
same round. Peers get their best settings: iteration counts found by a sweep that knows the truth (recorded in the output).
Errors: true relative residuals by float64 products of Unstuck's dense-checked Hessian, Wasserstein distance to a long-run
density, relative error of the trace against a long-run value. Needs the peers installed; absent ones are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import workloads

from unstuck.curvature import density, extremes, hessian, spectrum_exam, trace
from unstuck.curvature.measures import Probe, density_of
from unstuck.linalg.lanczos import Lanczos
from unstuck.linalg.random_start import generator, random_unit
from unstuck.objective import ModelObjective

TOLERANCE = 1e-3
REFERENCE_PROBES = 3
PEER_PROBES = 10  # of the peers' density; with --density-runs fewer are timed and the time is scaled up
TIMED = {"probes": PEER_PROBES}


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds and the result, with chatter swallowed."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        began = time.process_time()
        result = work()
        return time.process_time() - began, result


class Truth:
    """Long-run answers in float64, to measure errors by."""

    def __init__(self, work: workloads.Workload) -> None:
        self.work = work
        self.objective = ModelObjective(work.model, work.loss, work.batches)
        self.exact = self.objective.in_double()
        self.point = self.exact.at()
        self.operator = hessian(self.point)
        # Long runs in the model's own precision, residuals in float64.
        single = self.objective.at()
        quick = hessian(single)
        self.ends = extremes(quick, largest=10, smallest=1, tolerance=1e-4, max_products=200)
        self.values = np.array([p.value for p in self.ends.largest])
        self.low = self.ends.smallest[0].value
        vectors = torch.stack([p.vector for p in self.ends.largest])
        source = generator(12345)
        probes = []
        for _ in range(REFERENCE_PROBES):  # of 80 steps each, beside the ten largest
            start = random_unit(quick.size, like=vectors[0], source=source, outside=vectors)
            run = Lanczos(quick, start, capacity=80, outside=vectors)
            run.extend(80)
            probes.append(Probe(run.first_cycle))
        self.density = density_of(self.values, probes, self.operator.size)
        long = trace(quick, products=80 * REFERENCE_PROBES, seed=777)
        single.close()
        self.trace = long.moments.trace
        self.grid = np.linspace(min(self.low, 0) * 1.05, self.values[0] * 1.02, 4001)
        self.cumulative = self.density.cumulative(self.grid)

    def residual(self, value: float, vector: torch.Tensor) -> float:
        """True relative residual, in float64."""
        v = vector.detach().double().reshape(-1)
        v = v / v.norm()
        return float((self.operator(v) - value * v).norm()) / max(abs(value), 1e-2 * self.values[0])

    def density_error(self, nodes: np.ndarray, weights: np.ndarray) -> float:
        """Wasserstein distance to the long run, relative to the range."""
        order = np.argsort(nodes)
        sums = np.concatenate([[0.0], np.cumsum(weights[order])])
        at = sums[np.searchsorted(nodes[order], self.grid, side="right")]
        return float(np.abs(at - self.cumulative).mean())


def ours(truth: Truth) -> dict[str, Callable[[], dict[str, Any]]]:
    """Unstuck's answers; building the graph is part of each time."""
    work = truth.work

    def asked(question: Callable[[Any], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        def run() -> dict[str, Any]:
            objective = ModelObjective(work.model, work.loss, work.batches)
            with objective.at() as point:
                return question(hessian(point))

        return run

    def ends(op: Any, largest: int, smallest: int) -> dict[str, Any]:
        found = extremes(op, largest=largest, smallest=smallest, tolerance=TOLERANCE)
        return {"pairs": [(p.value, p.vector) for p in (*found.largest, *found.smallest)], "products": found.products}

    def the_density(op: Any) -> dict[str, Any]:
        found = density(op, steps=40)
        return {"density": (found.density.nodes, found.density.weights), "products": found.products}

    def the_trace(op: Any) -> dict[str, Any]:
        found = trace(op, products=60, seed=1)
        return {"trace": found.moments.trace.value, "products": found.products}

    def exam(op: Any) -> dict[str, Any]:
        r = spectrum_exam(op, tolerance=TOLERANCE, dense_below=0)
        return {
            "pairs": [(p.value, p.vector) for p in (*r.largest, *r.smallest)],
            "density": (r.density.nodes, r.density.weights),
            "trace": r.trace.value,
            "products": r.products,
            "vectors": r.stored_vectors,
            "negative": [r.shares.negative.value, r.shares.negative.low, r.shares.negative.high],
        }

    return {
        "largest": asked(lambda op: ends(op, 1, 0)),
        "top five": asked(lambda op: ends(op, 5, 0)),
        "smallest": asked(lambda op: ends(op, 1, 1)),
        "both ends": asked(lambda op: ends(op, 5, 1)),
        "density": asked(the_density),
        "trace": asked(the_trace),
        "exam": asked(exam),
    }


def eigenthings(truth: Truth) -> tuple[dict[str, Callable[[], dict[str, Any]]], dict[str, Any]]:
    """hessian-eigenthings with the fewest iterations that reach the tolerance (found by a sweep that knows the truth)."""
    import hessian_eigenthings as peer

    work = truth.work
    counted = {"products": 0}

    def operator() -> Any:
        op = peer.HessianOperator(work.model, work.batches, lambda model, batch: work.loss(model(batch[0]), batch[1]))
        plain = op.matvec

        def matvec(v: torch.Tensor) -> torch.Tensor:
            counted["products"] += 1
            return plain(v)

        op.matvec = matvec
        counted["products"] = 0
        return op

    def run(k: int, which: str, iterations: int) -> dict[str, Any]:
        found = peer.lanczos(operator(), k=k, max_iter=iterations, which=which, seed=0, reorthogonalize=True)
        pairs = [(float(v), u) for v, u in zip(found.eigenvalues, found.eigenvectors, strict=True)]
        return {"pairs": pairs, "products": counted["products"]}

    settings: dict[str, Any] = {}
    for name, k, which, sweep in (
        ("largest", 1, "LA", (6, 8, 10, 12, 15, 20, 30)),
        ("top five", 5, "LA", (10, 12, 15, 18, 21, 25, 30, 40)),
        ("smallest", 1, "SA", (20, 25, 30, 35, 40, 50, 60, 75, 90)),
    ):
        settings[name] = sweep[-1]
        for iterations in sweep:
            _, result = cpu(lambda k=k, which=which, iterations=iterations: run(k, which, iterations))
            if all(truth.residual(*pair) <= TOLERANCE for pair in result["pairs"]):
                settings[name] = iterations
                break

    def the_density() -> dict[str, Any]:
        """The package returns a smoothed curve; its own Lanczos kernel gives the nodes of the same rule."""
        op = operator()
        nodes, weights = [], []
        for index in range(TIMED["probes"]):
            start = torch.randn(op.size, generator=torch.Generator().manual_seed(index))
            found = peer.lanczos_tridiagonal(op, start, 80)
            matrix = np.diag(np.array(found.alphas)) + np.diag(np.array(found.betas)[: len(found.alphas) - 1], 1)
            matrix = matrix + np.triu(matrix, 1).T
            values, vectors = np.linalg.eigh(matrix)
            nodes.append(values)
            weights.append(vectors[0] ** 2 / TIMED["probes"])
        return {"density": (np.concatenate(nodes), np.concatenate(weights)), "products": counted["products"]}

    def the_trace() -> dict[str, Any]:
        found = peer.trace(operator(), num_matvecs=99, seed=0)
        return {"trace": found.estimate, "products": counted["products"]}

    return {
        "largest": lambda: run(1, "LA", settings["largest"]),
        "top five": lambda: run(5, "LA", settings["top five"]),
        "smallest": lambda: run(1, "SA", settings["smallest"]),
        "density": the_density,
        "trace": the_trace,
    }, settings


def curvlinops(truth: Truth) -> tuple[dict[str, Callable[[], dict[str, Any]]], dict[str, Any]]:
    """curvlinops' operator under scipy's eigsh, and its XTrace."""
    from curvlinops import HessianLinearOperator, xtrace
    from scipy.sparse.linalg import LinearOperator, eigsh

    work = truth.work
    counted = {"products": 0}

    class Mean(torch.nn.Module):
        """The loss in the form the package wants; sequences flattened."""

        reduction = "mean"

    def operator() -> Any:
        model, batches = work.model, work.batches
        if work.loss is workloads.sequence_loss:
            model = torch.nn.Sequential(work.model, torch.nn.Flatten(0, 1))
            batches = [(x, y.reshape(-1)) for x, y in work.batches]
        parameters = [p for p in model.parameters() if p.requires_grad]
        counted["products"] = 0
        return HessianLinearOperator(model, torch.nn.CrossEntropyLoss(), parameters, batches, check_deterministic=False)

    def ends(k: int, which: str, ncv: int | None) -> dict[str, Any]:
        op = operator()
        size = op.shape[0]

        def matvec(v: np.ndarray) -> np.ndarray:
            counted["products"] += 1
            return (op @ torch.from_numpy(v.astype(np.float32).reshape(-1))).numpy().astype(np.float64)

        start = np.random.default_rng(0).normal(size=size)
        wrapped = LinearOperator((size, size), matvec=matvec, dtype=np.float64)
        values, vectors = eigsh(wrapped, k=k, which=which, tol=TOLERANCE, v0=start, ncv=ncv)
        pairs = [(float(v), torch.from_numpy(vectors[:, i].copy())) for i, v in enumerate(values)]
        return {"pairs": pairs, "products": counted["products"]}

    def the_trace() -> dict[str, Any]:
        torch.manual_seed(0)
        found = xtrace(operator(), 98)
        return {"trace": float(found), "products": 98}

    return {
        "largest": lambda: ends(1, "LA", None),
        "top five": lambda: ends(5, "LA", None),
        "smallest": lambda: ends(1, "SA", 40),
        "trace": the_trace,
    }, {"tol": TOLERANCE, "ncv": {"largest": 20, "smallest": 40}}


def pyhessian(truth: Truth, package: str) -> tuple[dict[str, Callable[[], dict[str, Any]]], dict[str, Any]]:
    """PyHessian, and landscaper's form of it with kept graphs; the tolerance is the loosest of a sweep that reaches ours."""
    work = truth.work

    def criterion(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return work.loss(output, target)

    def made() -> Any:
        if package == "pyhessian":
            from pyhessian import hessian as peer

            return peer(work.model, criterion, dataloader=work.batches, cuda=False)
        from landscaper.hessian import PyHessian

        return PyHessian(work.model, criterion, work.batches, "cpu", try_cache=True)

    def ends(k: int, tolerance: float) -> dict[str, Any]:
        try:
            found = made().eigenvalues(maxIter=300, tol=tolerance, top_n=k)
        finally:
            work.model.zero_grad(set_to_none=True)
        values, vectors = found[0], found[1]
        pairs = [
            (float(v), torch.cat([part.detach().reshape(-1) for part in u]))
            for v, u in zip(values, vectors, strict=True)
        ]
        return {"pairs": pairs, "products": None}

    settings: dict[str, Any] = {}
    for name, k in (("largest", 1), ("top five", 5)):
        for tolerance in (1e-3, 1e-4, 1e-5, 1e-6):
            settings[name] = tolerance
            _, result = cpu(lambda k=k, tolerance=tolerance: ends(k, tolerance))
            if all(truth.residual(*pair) <= TOLERANCE for pair in result["pairs"]):
                break

    def the_density() -> dict[str, Any]:
        nodes, weights = (
            made().density(80, TIMED["probes"])
            if package != "pyhessian"
            else made().density(iter=80, n_v=TIMED["probes"])
        )
        nodes, weights = np.array(nodes).reshape(-1), np.array(weights).reshape(-1)
        work.model.zero_grad(set_to_none=True)
        return {"density": (nodes, weights / weights.sum()), "products": 80 * TIMED["probes"]}

    answers: dict[str, Callable[[], dict[str, Any]]] = {
        "largest": lambda: ends(1, settings["largest"]),
        "top five": lambda: ends(5, settings["top five"]),
    }
    if package != "pyhessian":  # the released PyHessian calls torch.eig, which is gone
        answers["density"] = the_density
    return answers, settings


def gradient_of(work: workloads.Workload) -> Callable[[], None]:
    """One eager gradient over all batches: the unit."""

    def run() -> None:
        for x, y in work.batches:
            (work.loss(work.model(x), y) / len(work.batches)).backward()
        work.model.zero_grad(set_to_none=True)

    return run


def judged(truth: Truth, result: dict[str, Any]) -> dict[str, Any]:
    """The errors of an answer."""
    found: dict[str, Any] = {"products": result.get("products")}
    if "pairs" in result:
        found["worst_residual"] = max(truth.residual(*pair) for pair in result["pairs"])
        found["values"] = [pair[0] for pair in result["pairs"]]
    if "density" in result:
        found["density_error"] = truth.density_error(*result["density"])
    if "trace" in result:
        found["trace_error"] = abs(result["trace"] - truth.trace.value) / abs(truth.trace.value)
    if "negative" in result:
        found["negative"] = result["negative"]
    if "vectors" in result:
        found["vectors"] = result["vectors"]
    return found


def compare(work: workloads.Workload, rounds: int, heavy: int, skip: set[str]) -> dict[str, Any]:
    """All tools in turn, ``rounds`` times; density of the peers ``heavy`` times (it takes minutes)."""
    truth = Truth(work)
    tools: dict[str, dict[str, Callable[[], dict[str, Any]]]] = {"unstuck": ours(truth)}
    settings: dict[str, Any] = {}
    for name, make in (
        ("hessian-eigenthings", eigenthings),
        ("curvlinops", curvlinops),
        ("pyhessian", lambda t: pyhessian(t, "pyhessian")),
        ("landscaper", lambda t: pyhessian(t, "landscaper")),
    ):
        if name in skip:
            continue
        try:
            tools[name], settings[name] = make(truth)
        except ImportError as error:
            settings[name] = f"not installed: {error}"
        except Exception as error:
            settings[name] = f"failed: {error}"
    unit_work = gradient_of(work)
    cpu(unit_work)
    times: dict[str, dict[str, list[float]]] = {tool: {q: [] for q in questions} for tool, questions in tools.items()}
    results: dict[str, dict[str, Any]] = {tool: {} for tool in tools}
    products: list[float] = []
    for turn in range(rounds):
        for tool, questions in tools.items():
            unit = statistics.median(cpu(unit_work)[0] for _ in range(5))
            for question, ask in questions.items():
                if question == "density" and tool != "unstuck" and turn >= heavy:
                    continue
                try:
                    spent, result = cpu(ask)
                except Exception as error:
                    results[tool][question] = {"failed": str(error)[:200]}
                    continue
                scaled = PEER_PROBES / TIMED["probes"] if question == "density" and tool != "unstuck" else 1.0
                times[tool][question].append(spent / unit * scaled)
                results[tool][question] = judged(truth, result)
            if tool == "unstuck":
                with ModelObjective(work.model, work.loss, work.batches).at() as point:
                    v = torch.randn(point.size)
                    point.hvp(v)
                    for _ in range(7):
                        one = statistics.median(cpu(unit_work)[0] for _ in range(3))
                        products.append(cpu(lambda point=point, v=v: point.hvp(v))[0] / one)
    table = {
        tool: {
            q: {
                **results[tool].get(q, {}),
                "gradients": statistics.median(spent) if spent else None,
                "runs": len(spent),
            }
            for q, spent in asked.items()
        }
        for tool, asked in times.items()
    }
    return {
        "parameters": truth.operator.size,
        "product_in_gradients": statistics.median(products),
        "truth": {"largest": truth.values.tolist(), "smallest": truth.low, "trace": truth.trace.value},
        "settings": settings,
        "table": table,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--heavy", type=int, default=1)
    parser.add_argument("--density-runs", type=int, default=PEER_PROBES)
    parser.add_argument("--only", choices=sorted(workloads.ALL))
    parser.add_argument("--skip", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    TIMED["probes"] = options.density_runs
    found = {}
    for name, make in workloads.ALL.items():
        if options.only and name != options.only:
            continue
        found[name] = compare(make(), options.rounds, options.heavy, set(options.skip))
        for tool, row in found[name]["table"].items():
            for question, cell in row.items():
                print(name, tool, question, {k: v for k, v in cell.items() if k != "values"}, flush=True)
        print(
            name, "one product:", found[name]["product_in_gradients"], "gradients;", found[name]["settings"], flush=True
        )
        if options.out:
            options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
