"""The clinic under torchmortem, scored like our own reports: same scripts, same truth, same arithmetic.

    pip install torchmortem
    python benchmarks/clinic/against_torchmortem.py --half tuning --jobs 2 --json torchmortem.json

Its titles are read generously: each stands for all codes of the catalog that a reader could take it for, and counts as
right when one of them is. Findings of several layers count once. Verdicts are not scored, for it gives none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from unstuck.clinic.corpus import Case, read_corpus
from unstuck.clinic.runner import Outcome
from unstuck.clinic.score import parts, plain
from unstuck.clinic.tables import line, print_scores

CHILD = Path(__file__).with_name("torchmortem_child.py")
MEANS = {  # the beginning of a title, and what it may be taken for
    "Dead units": ("G303",),
    "Vanishing gradients": ("G301", "G306", "U409"),
    "Exploding gradients": ("G302", "G306", "L209", "U410"),
    "Gradient stalling": ("G307", "G301", "U409"),
    "High gradient noise": ("B601", "D106"),
    "Training divergence": ("U401", "G308", "L211"),
    "Loss plateau": ("C501", "C502", "C503", "U402", "U405"),
    "Catapult phase": ("U401", "U403"),
    "Edge of stability": ("U401",),
    "Rank collapse": ("G305",),
    "Activation saturation": ("G304",),
    "Update ratio too low": ("U402", "U405", "U409", "U411", "U412"),
    "Update ratio too high": ("U401", "U403", "U406"),
    "Weight norm explosion": ("G306", "U401"),
    "Stagnant weight norms": ("U402", "U405", "U409", "U411"),
    "Inter-layer weight norm imbalance": ("G306",),
}
CONFIDENCE = 0.5  # it gives none


def run(case: Case, seed: int) -> Outcome:
    """One script, in a process and a folder of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        made = subprocess.run(
            [sys.executable, str(CHILD), str(case.script.absolute()), "--seed", str(seed)],
            cwd=scratch, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=600,
            check=False,
        )  # fmt: skip
    seconds = time.monotonic() - began
    try:
        told = json.loads(made.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return Outcome(case, seed, None, seconds, problem=made.stderr[-200:])
    found: list[dict[str, object]] = []
    names: set[str] = set()
    for finding in told["findings"]:
        name = next((k for k in MEANS if finding["title"].startswith(k)), finding["title"])
        if finding["severity"] == "INFO" or name in names:
            continue
        names.add(name)
        codes = MEANS.get(name, ())
        right = next((c for c in codes if c in (*case.codes, *case.also)), None)
        code = right or (codes[0] if codes else "other")
        found.append({"code": code, "severity": "warning", "confidence": CONFIDENCE})
    return Outcome(case, seed, {"findings": found, "checks": []}, seconds)


def main() -> None:
    """Run, print the table, write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--corpus", type=Path, default=Path("clinic"))
    parser.add_argument("--half", choices=["all", "tuning", "held-out"], default="all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = read_corpus(options.corpus).chosen(options.words)
    cases = [c for c in chosen if options.half == "all" or c.held_out == (options.half == "held-out")]
    console = Console(stderr=True)

    def one(case: Case) -> Outcome:
        outcome = run(case, options.seed)
        console.print(line(outcome), highlight=False, soft_wrap=True)
        return outcome

    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        outcomes = list(pool.map(one, cases))
    scores = parts(outcomes)
    print_scores(scores, Console(width=150))
    if options.json:
        data = {"scores": [s.as_json() for s in scores], "runs": [plain(o) for o in outcomes]}
        options.json.write_text(json.dumps(data, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
