"""`unstuck cure` on the clinic's sick scripts, beside their mended twins and random edits.

    python benchmarks/treatment/cure_on_clinic.py --corpus clinic/others --sample 20 --keep cured --jobs 1

For every script: at most ten trials of remedies, three seeds, controls counted apart; the mended twin is measured by the
same yardstick on as many seeds. A script counts as cured when the mean of the recommended remedy is no further below the
twin's mean than twice the twin's own deviation, or than the least effect that the comparison calls one. The best
random edit (as many trials, drawn from the same remedies) is held against the same line. A script that is at the line as
it is counts for neither. What is kept is not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from unstuck.clinic.corpus import read_corpus
from unstuck.clinic.score import Share
from unstuck.core.errors import UnstuckError
from unstuck.treatment.cure import cure_script, measure_script

COLUMNS = {"as it is": "nothing", "cured": "values", "random": "random", "twin": "twin"}


def cured(sick: Path, mended: Path, place: Path, *, jobs: int, budget: float) -> dict[str, Any]:
    """Cure one script and measure its twin; plain numbers."""
    arguments = ["--seed", "0"]
    try:
        made = cure_script(str(sick), arguments, base=place, budget=budget, trials=10, seeds=3, jobs=jobs)
    except UnstuckError as error:
        return {"problem": str(error)}
    told = made.report["treatment"]
    best = next((row for row in told["remedies"] if row["label"] == told["recommended"]), None)
    return {
        "recommended": told["recommended"],
        "values": best["values"] if best else [],
        "nothing": told["nothing"]["values"],
        "random": (told.get("random") or {}).get("values") or [],
        "twin": measure_script(str(mended), arguments, like=made, seeds=3),
        "least_effect": told["yardstick"]["least_effect"],
        "yardstick": f"{told['yardstick']['kind']} on {told['yardstick']['measured_on']}",
        "trials": told["trials"],
        "tried": {row["label"]: row["values"] for row in told["remedies"]},
        "seconds": told["seconds"],
        "first_finding": next((f["code"] for f in made.report["findings"]), None),
    }


def line_of(found: dict[str, Any]) -> float | None:
    """What a run must reach to count as cured; None where the twin could not be measured."""
    twin = [v for v in found.get("twin") or () if v is not None and math.isfinite(v)]
    if len(twin) < 2:
        return None
    return statistics.fmean(twin) - max(2 * statistics.stdev(twin), found.get("least_effect") or 0.0)


def reached(values: list[float | None], line: float) -> bool:
    """Whether the mean of these runs is at the line; a run that ended not finite is below it. None: not run."""
    run = [v for v in values if v is not None]
    return bool(run) and all(map(math.isfinite, run)) and statistics.fmean(run) >= line


def main() -> None:
    """Run, then print one line a script and the shares."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--corpus", type=Path, default=Path("clinic"))
    options.add_argument(
        "--sample", type=int, default=0, help="so many scripts, in the order of a hash of their names; 0: all"
    )
    options.add_argument("--keep", type=Path, default=Path("cured"))
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--budget", type=float, default=300.0, help="seconds for one script")
    given = options.parse_args()
    truth = read_corpus(given.corpus)
    names = sorted(
        (c.name for c in truth.cases if c.kind == "sick"), key=lambda n: hashlib.sha256(n.encode()).hexdigest()
    )
    names = names[: given.sample or None]
    given.keep.mkdir(parents=True, exist_ok=True)
    kept: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(names, 1):
        file = given.keep / f"{name}.json"
        if not file.is_file():
            sick, mended = (given.corpus / side / f"{name}.py" for side in ("sick", "mended"))
            found = cured(sick.absolute(), mended.absolute(), given.keep / name, jobs=given.jobs, budget=given.budget)
            file.write_text(json.dumps(found), encoding="utf-8")
        kept[name] = json.loads(file.read_text(encoding="utf-8"))
        print(f"{number}/{len(names)} {told(name, kept[name])}", flush=True)
    summary(kept)


def told(name: str, found: dict[str, Any]) -> str:
    """One script in a line."""
    line = line_of(found)
    if line is None:
        return f"{name}: {found.get('problem') or 'its twin could not be measured'}"

    def mean(values: list[float | None]) -> str:
        known = [v for v in values if v is not None]
        return f"{statistics.fmean(known):.3f}" if known else "—"

    mark = "✔" if reached(found["values"], line) else "✖"
    means = {label: mean(found[key]) for label, key in COLUMNS.items()}
    return (
        f"{mark} {name}: {found['recommended'] or 'nothing recommended'}; {found['yardstick']}: "
        + ", ".join(f"{label} {value}" for label, value in means.items())
        + f" (line {line:.3f}); {found['trials']} trials, {found['seconds']:.0f} s"
    )


def summary(kept: dict[str, dict[str, Any]]) -> None:
    """Shares with Wilson's interval, and the paired difference to random edits with its interval."""
    lines = {name: line for name, found in kept.items() if (line := line_of(found)) is not None}
    well = [name for name, line in lines.items() if reached(kept[name]["nothing"], line)]
    for name in well:  # its fault does not show in this yardstick: there is nothing to reach
        del lines[name]
    ours = [reached(kept[name]["values"], line) for name, line in lines.items()]
    chance = [reached(kept[name]["random"], line) for name, line in lines.items()]
    n = len(lines)
    if n < 2:
        sys.exit("fewer than two scripts could be measured")
    for label, marks in (("cured", ours), ("random edits", chance)):
        share = Share(sum(marks), n)
        low, high = share.interval
        print(f"{label}: {share.hits} of {n} ({share.value:.0%}; {low:.0%}–{high:.0%})")
    differences = [float(a) - float(b) for a, b in zip(ours, chance, strict=True)]
    mean, error = statistics.fmean(differences), statistics.stdev(differences) / math.sqrt(n)
    low, high = mean - 1.96 * error, mean + 1.96 * error
    print(
        f"difference: {mean:+.0%}, 95 % interval {low:+.0%} … {high:+.0%}; left out: at the line as it is {len(well)}, twin not "
        f"measured {len(kept) - n - len(well)}"
    )


if __name__ == "__main__":
    main()
