"""Run the clinic's scripts under plain Python and compare their last figure with ``truth.json``.

    python clinic/measure.py                       everything, seed 0 (about a quarter of an hour on one core)
    python clinic/measure.py --seeds 0,1,2 wine    scripts whose path contains one of the words
    python clinic/measure.py --half held-out       one half of the corpus: held-out or tuning
    python clinic/measure.py --corpus DIR          another folder of the same form
    python clinic/measure.py --write               keep the figures in truth.json

One script at a time, one thread each. The status is 1 when a figure is out of its bounds or a script fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def held_out(name: str) -> bool:
    """Whether the scripts of this name (no folder, no ``.py``) belong to the half that no threshold was set on."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 1


@dataclass(frozen=True)
class Case:
    """One script and the bounds of its last figure."""

    kind: str
    """``sick``, ``mended`` or ``healthy``."""
    name: str
    metric: dict[str, Any]

    @property
    def script(self) -> str:
        """Relative to the corpus, such as ``sick/rent_line.py``."""
        return f"{self.kind}/{self.name}.py"

    def as_said(self, figure: float) -> bool:
        """Whether the figure keeps the bound; NaN is sick."""
        if self.kind == "sick":
            return math.isnan(figure) or figure <= float(self.metric["sick_at_most"])
        return figure >= float(self.metric["mended_at_least" if self.kind == "mended" else "at_least"])


@dataclass(frozen=True)
class Run:
    """What a script did."""

    status: int
    name: str
    figure: float | None
    seconds: float
    errors: str


def cases(corpus: Path = CORPUS) -> list[Case]:
    """Every script that ``truth.json`` names, sick and mended side by side."""
    table = json.loads((corpus / "truth.json").read_text())
    found = []
    for name, entry in table["sick"].items():
        found += [Case(kind, name, entry["metric"]) for kind in ("sick", "mended")]
    return found + [Case("healthy", name, entry["metric"]) for name, entry in table["healthy"].items()]


def last_line(output: str) -> tuple[str, float | None]:
    """The name and the figure that a script prints last."""
    words = output.strip().splitlines()[-1].split() if output.strip() else []
    try:
        return words[0], float(words[-1])
    except (IndexError, ValueError):
        return "", None


def run(script: Path, seed: int, *, seconds: float = 300) -> Run:
    """``python SCRIPT --seed SEED`` in an empty folder of its own."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(script), "--seed", str(seed)],
            cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
    name, figure = last_line(done.stdout)
    return Run(done.returncode, name, figure, time.monotonic() - start, done.stderr[-2000:])


def keep(corpus: Path, case: Case, seed: int, figure: float) -> None:
    """Write one figure into ``truth.json``, beside the bounds."""
    path = corpus / "truth.json"
    table = json.loads(path.read_text())
    side = "healthy" if case.kind == "healthy" else "sick"
    measured = table[side][case.name]["metric"].setdefault("measured", {})
    measured.setdefault(case.kind, {})[str(seed)] = "nan" if math.isnan(figure) else float(f"{figure:.4g}")
    path.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only scripts whose path contains one of these")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--seeds", default="0", help="such as 0,1,2")
    parser.add_argument("--half", choices=("held-out", "tuning"))
    parser.add_argument("--write", action="store_true", help="keep the figures in truth.json")
    options = parser.parse_args()
    odd = 0
    for case in cases(options.corpus):
        if options.words and not any(word in case.script for word in options.words):
            continue
        if options.half and held_out(case.name) != (options.half == "held-out"):
            continue
        for seed in map(int, options.seeds.split(",")):
            done = run(options.corpus / case.script, seed)
            well = done.status == 0 and done.figure is not None and case.as_said(done.figure)
            odd += not well
            shown = "-" if done.figure is None else f"{done.figure:.4g}"
            print(
                f"{'ok' if well else 'NO':3} {case.script:44} {seed} {done.name:>18} {shown:>10} {done.seconds:5.1f} s",
                flush=True,
            )
            if done.status:
                print(done.errors)
            if options.write and done.figure is not None:
                keep(options.corpus, case, seed, done.figure)
    print("every figure keeps its bounds" if not odd else f"{odd} runs are not as said")
    return 1 if odd else 0


if __name__ == "__main__":
    sys.exit(main())
