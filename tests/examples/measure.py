"""Run the examples under plain Python, seeds 0, 1 and 2, and write the tables of ``examples/README.md`` anew.

    python tests/examples/measure.py            everything (about half an hour on one core)
    python tests/examples/measure.py wine rnn   only rows whose file name contains one of the words

A row that is not measured now keeps its figures.
"""

from __future__ import annotations

import ast
import math
import sys
import tempfile
from pathlib import Path

from score import EXAMPLES, plain, truths

README = EXAMPLES / "README.md"
SEEDS = (0, 1, 2)


def sentence(script: str) -> str:
    """What the script trains, from its docstring, without the period."""
    return (ast.get_docstring(ast.parse((EXAMPLES / script).read_text())) or "").rstrip(".").replace("\n", " ")


def figures(script: str, folder: Path) -> str:
    """The final metric for each seed, as ``0.96 · 0.95 · 0.97``."""
    shown = []
    for seed in SEEDS:
        status, metric, errors = plain(script, seed, folder=folder)
        if status != 0 or metric is None:
            raise SystemExit(f"{script} --seed {seed} ended with status {status}: {errors[-500:]}")
        shown.append("nan" if math.isnan(metric) else f"{metric:.3g}" if abs(metric) < 1000 else f"{metric:.1g}")
    print(script, *shown, flush=True)
    return " · ".join(shown)


def kept_rows() -> dict[str, list[str]]:
    """The rows that the README has now, by file name."""
    rows = {}
    for line in README.read_text().splitlines() if README.exists() else ():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) > 1:
            rows[cells[0].strip("`")] = cells
    return rows


def between(text: str, name: str, table: str) -> str:
    """``text`` with the part between the two marks of that name replaced."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, rest = text.split(start)
    return before + start + table + end + rest.split(end, 1)[1]


def main(words: list[str]) -> None:
    known, metrics = kept_rows(), {Path(t.script).name: t.metric for t in truths()}
    codes = {Path(t.script).name: t.codes[0] for t in truths() if t.sick}
    pairs = "| script | sickness | trains | metric | sick, seeds 0 · 1 · 2 | mended |\n|---|---|---|---|---|---|\n"
    well = "| script | does | last figure, seeds 0 · 1 · 2 |\n|---|---|---|\n"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, code in codes.items():
            if not words or name not in known or any(word in name for word in words):
                sick, mended = figures(f"sick/{name}", folder), figures(f"mended/{name}", folder)
            else:
                sick, mended = known[name][4:6]
            line = (f"`{name}`", code, sentence(f"sick/{name}"), metrics[name]["name"], sick, mended)
            pairs += "| " + " | ".join(line) + " |\n"
        for truth in truths():
            name = Path(truth.script).name
            if truth.script.startswith("healthy/"):
                again = not words or name not in known or any(word in name for word in words)
                shown = figures(truth.script, folder) if again else known[name][2]
                well += f"| `{name}` | {sentence(truth.script)} | {shown} |\n"
    README.write_text(between(between(README.read_text(), "pairs", pairs), "healthy", well))


if __name__ == "__main__":
    main(sys.argv[1:])
