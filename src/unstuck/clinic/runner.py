"""Cases run under ``unstuck run``, some at a time, each in a scratch folder; kept reports are read instead of run again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unstuck.clinic.corpus import Case
from unstuck.core.errors import BadInput
from unstuck.report.document import LARGEST_BYTES

TIMEOUT_SECONDS = 600
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Outcome:
    """What became of one case with one seed. ``report`` is None when there was none; ``stood`` the step from which the
    right first finding stood (None: not known, or never)."""

    case: Case
    seed: int
    report: dict[str, Any] | None
    seconds: float
    stood: int | None = None
    problem: str = ""

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Findings above ``info``, the first first; symptoms are left under their causes."""
        found = (self.report or {}).get("findings") or []
        return [f for f in found if f.get("severity") in ("warning", "error")]

    @property
    def codes(self) -> list[str]:
        """Their codes."""
        return [str(f["code"]) for f in self.findings]

    @property
    def verdict(self) -> str:
        """The state the run was given."""
        return str(((self.report or {}).get("verdict") or {}).get("state", "-"))

    @property
    def overhead(self) -> float | None:
        """Share of the step time that watching took, after the first samples."""
        share = (((self.report or {}).get("run") or {}).get("overhead") or {}).get("steady_share")
        return float(share) if isinstance(share, int | float) else None


def run_cases(
    cases: Sequence[Case],
    *,
    seeds: Sequence[int] = (0,),
    jobs: int = 1,
    keep: Path | None = None,
    stood: bool = True,
    again: bool = False,
    done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Run every case with every seed, ``jobs`` at a time with one thread each; in the order of cases and seeds.

    ``keep``: a folder for reports and recordings; what is there already is read, not run again, so an interrupted
    clinic goes on. ``again``: judge the kept recordings with the rules of today; only scripts that have none are run.
    ``stood``: also find the step from which the right finding stood, by judging the beginnings of the recording.
    """
    tasks = [(case, seed) for case in cases for seed in seeds]
    outcomes: dict[tuple[str, int], Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="unstuck-clinic-") as scratch:
        folder = keep if keep is not None else Path(scratch) / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            waiting = [pool.submit(_one, case, seed, folder, stood, again) for case, seed in tasks]
            for finished in as_completed(waiting):
                outcome = finished.result()
                outcomes[outcome.case.key, outcome.seed] = outcome
                if done is not None:
                    done(outcome)
    return [outcomes[case.key, seed] for case, seed in tasks]


def _one(case: Case, seed: int, folder: Path, stood: bool, again: bool) -> Outcome:
    """One case with one seed; what cannot be read or judged is that case's problem, and the others go on."""
    try:
        return _made(case, seed, folder, stood, again)
    except BadInput as problem:
        return Outcome(case, seed, None, 0.0, problem=str(problem))


def _made(case: Case, seed: int, folder: Path, stood: bool, again: bool) -> Outcome:
    kept = folder / f"{case.kind}-{case.name}-{seed}.json"
    recorded = kept.with_suffix("")
    data = _read(kept) if kept.is_file() else None
    if data is not None:
        if again and recorded.is_dir():
            return _judged(case, seed, kept, float(data["seconds"]), stood)
        if not again:
            return Outcome(case, seed, data["report"], float(data["seconds"]), data.get("stood"))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="unstuck-case-") as scratch:
        place = Path(scratch)
        command = [sys.executable, "-m", "unstuck", "run", "--quiet", "--dir", str(place / "runs"), "--json",
                   str(place / "report.json"), *case.options, str(case.script.absolute()), "--seed", str(seed)]  # fmt: skip
        try:
            made = subprocess.run(
                command, cwd=scratch, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True,
                timeout=TIMEOUT_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome(case, seed, None, time.monotonic() - began, problem=f"took over {TIMEOUT_SECONDS} s")
        seconds = time.monotonic() - began
        report = _read(place / "report.json")
        if report is None:
            return Outcome(case, seed, None, seconds, problem=made.stderr.strip()[-300:] or f"status {made.returncode}")
        found = [p.parent for p in (place / "runs").glob("**/journal-*.jsonl")]
        if found:
            shutil.rmtree(recorded, ignore_errors=True)
            shutil.copytree(found[0], recorded, ignore=shutil.ignore_patterns("report.*"))
        step = _stood(case, recorded) if stood and case.kind == "sick" else None
        return _kept(case, seed, kept, report, seconds, step)


def _judged(case: Case, seed: int, kept: Path, seconds: float, stood: bool) -> Outcome:
    """A kept recording, judged by the rules of today."""
    from unstuck.findings.judge import judge
    from unstuck.live.assemble import assemble
    from unstuck.record.reader import read_run

    recorded = kept.with_suffix("")
    recordings = read_run(recorded)
    if not recordings:
        return Outcome(case, seed, None, seconds, problem=f"no recording can be read in {recorded}")
    report = assemble(recordings, judge(recordings[0]), source=recorded)
    step = _stood(case, recorded) if stood and case.kind == "sick" else None
    return _kept(case, seed, kept, report, seconds, step)


def _kept(case: Case, seed: int, kept: Path, report: Mapping[str, Any], seconds: float, step: int | None) -> Outcome:
    slim = {key: report.get(key) for key in ("verdict", "findings", "checks", "run")}
    _write(kept, {"report": slim, "seconds": seconds, "stood": step})
    return Outcome(case, seed, slim, seconds, step)


def _stood(case: Case, recorded: Path) -> int | None:
    """The earliest looked-at step from which on the first finding is a right one, at every later look too."""
    from unstuck.clinic.beginnings import beginnings
    from unstuck.findings.judge import judge
    from unstuck.record.reader import read_run

    recordings = read_run(recorded) if recorded.is_dir() else []
    if not recordings:
        return None
    since: int | None = None
    for step, part in beginnings(recordings[0]):
        first = next((f.code for f in judge(part).findings if f.fired.severity != "info"), None)
        right = first in case.codes
        since = (step if since is None else since) if right else None
    return since


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _write(path: Path, data: dict[str, Any]) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(data), encoding="utf-8")
    part.replace(path)
