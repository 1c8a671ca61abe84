"""Run scripts with and without the watcher, as a user would, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str
    report: dict[str, Any] | None
    folder: Path | None

    def journal(self, number: int = 0) -> list[dict[str, Any]]:
        assert self.folder is not None
        path = sorted(self.folder.glob("journal-*.jsonl"))[number]
        return [json.loads(line) for line in path.read_text().splitlines() if line.strip("\0")]

    def codes(self, *severities: str) -> list[str]:
        assert self.report is not None
        return [f["code"] for f in self.report["findings"] if not severities or f["severity"] in severities]


def plain(script: Path | str, *arguments: str, cwd: Path, timeout: int = 120, **environment: str) -> Ran:
    """``python script``."""
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=cwd, env={**ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr, None, None)


def watched(
    *command: str | Path, cwd: Path, options: tuple[str, ...] = (), timeout: int = 180, **environment: str
) -> Ran:
    """``unstuck run [options] script``; the project folder is inside ``cwd``."""
    out = cwd / "unstuck-report.json"
    out.unlink(missing_ok=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "unstuck", "run", "--json", str(out), "--dir", str(cwd / ".unstuck")),
            *options,
            *map(str, command),
        ],
        cwd=cwd, env={**ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    runs = sorted((cwd / ".unstuck" / "runs").glob("*")) if (cwd / ".unstuck" / "runs").is_dir() else []
    report = json.loads(out.read_text()) if out.exists() else None
    return Ran(done.returncode, done.stdout, done.stderr, report, runs[-1] if runs else None)
