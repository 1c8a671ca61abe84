"""The whole cure of one script: watch it, replay it, compare, and write everything into one run's folder."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unstuck.core.errors import BadInput
from unstuck.record.runs import RunFolder, list_runs, new_run
from unstuck.treatment import catalog, scores
from unstuck.treatment.compare import Comparison, compare, plain
from unstuck.treatment.diagnosis import codes_of, weigh
from unstuck.treatment.isolation import removed, warnings_for
from unstuck.treatment.replay import Arm, Setup, replay, watch
from unstuck.treatment.trial import FIRST_SHARE, Findings, Tell, Trial

SETTINGS = "cure.json"
DIAGNOSIS = "diagnosis.json"
ROWS_USED = {"shuffle", "balance", "escape", "decorrelate-inputs"}  # remedies that go on needing the training rows


@dataclass(frozen=True)
class Cure:
    """What came out: the report as a dictionary, the run's folder, and the comparison behind it."""

    report: dict[str, Any]
    folder: Path
    compared: Comparison
    found: Findings
    setup: Setup

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        return str(self.report["treatment"]["sentence"])

    @property
    def recommended(self) -> str | None:
        """The remedy that was measured to help most, or None: none helped."""
        label = self.report["treatment"]["recommended"]
        return None if label is None else str(label)


def cure_script(
    target: str,
    arguments: Sequence[str] = (),
    *,
    module: bool = False,
    base: Path | None = None,
    budget: float = 600.0,
    steps: int | None = None,
    trials: int = 10,
    seeds: int = 3,
    jobs: int | None = None,
    only: Sequence[str] = (),
    network: bool = False,
    random_edits: bool = True,
    codes: Sequence[str] | None = None,
    diagnosis: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
    warn: Callable[[str], None] | None = None,
) -> Cure:
    """Replay a script with one change at a time, against controls, and say which change helped.

    ``budget``: seconds for everything. ``steps``: cut every replay after so many backward passes. ``trials``: replays of
    remedies (controls are counted apart). ``seeds``: replays of the controls and of the best remedies. ``codes``: try
    remedies in the order of these findings instead of those that watching the script gives.
    ``diagnosis``: a report on the same script, made before; it is then not watched again.

    The same command started again after an interruption goes on where it stopped. Cost: at most
    1 + 2 · seeds + 2 · trials runs of the script, spread over ``jobs`` processes.

    Raises BadInput for a script that cannot be started, does not train, or is not supervised.
    """
    for name, value, least in (
        ("budget", budget, 1.0),
        ("trials", trials, 1),
        ("seeds", seeds, 1),
        ("steps", steps or 1, 1),
    ):
        if value < least:
            raise BadInput(name, got=value, want=f"at least {least:g}")
    for name in only:
        catalog.remedy(name)
    path = Path(target)
    if not module and not path.is_file():
        raise BadInput("script", got=target, want="a Python file")
    text = path.read_text(encoding="utf-8", errors="replace") if not module else ""
    for warning in warnings_for(text):
        (warn or (lambda text: None))(warning)
    jobs = max(1, jobs if jobs is not None else os.cpu_count() or 1)
    known = {
        "target": target if module else str(path.absolute()),
        "text": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        "arguments": list(arguments),
        "cwd": str(Path.cwd()),
        "steps": steps,
        "trials": trials,
        "seeds": seeds,
        "only": sorted(only),
        "network": network,
        "random": random_edits,
        "codes": None if codes is None else list(codes),
        "budget": budget,
    }
    base = (base or Path(".unstuck")).absolute()
    place = _unfinished(base, known) or _begun(base, target, known)
    setup = Setup(
        str(known["target"]),
        tuple(arguments),
        module,
        place.path,
        Path.cwd(),
        network=network,
        steps=steps,
        limit_seconds=max(60.0, budget * FIRST_SHARE),
    )
    began = time.perf_counter()
    report = _diagnosed(setup, tell) if diagnosis is None else json.loads(json.dumps(diagnosis))
    setup.limit_seconds = max(60.0, budget)
    left = max(1.0, budget - (time.perf_counter() - began))
    trial = Trial(
        setup, seeds=seeds, trials=trials, jobs=jobs, budget=left, only=only, with_random=random_edits, tell=tell
    )
    found = trial.go(codes if codes is not None else codes_of(report["findings"]))
    compared = compare(found)
    report["treatment"] = plain(found, compared)
    weigh(report, report["treatment"])
    (place.path / SETTINGS).write_text(json.dumps({**known, "finished": True}), encoding="utf-8")
    recommended = {c.name for o in compared.recommended for c in o.row.changes}
    if not recommended & ROWS_USED:
        (place.path / "rows.pt").unlink(missing_ok=True)
    removed(place.path / "scratch")
    removed(place.path / "arms")
    return Cure(report, place.path, compared, found, setup)


def measure_script(
    target: str, arguments: Sequence[str] = (), *, like: Cure, seeds: int = 3, folder: Path | None = None
) -> list[float]:
    """What a script reaches by itself, by the yardstick of a cure: to compare a cured run with a mended twin.

    ``folder``: where its replays may put their files; by default the cure's own. Cost: ``seeds`` runs of the script.
    """
    setup = Setup(
        str(Path(target).absolute()),
        tuple(arguments),
        False,
        folder or like.folder,
        Path.cwd(),
        threads=like.setup.threads,
        network=like.setup.network,
        limit_seconds=like.setup.limit_seconds,
    )
    found = []
    for seed in range(seeds):
        measured = replay(setup, Arm((), seed)).get("measured") or {}
        found.append(scores.score(measured, like.found.yard, like.found.kind).value)
    for part in ("scratch", "arms"):
        removed(setup.folder / part)
    return found


def _begun(base: Path, target: str, known: dict[str, Any]) -> RunFolder:
    place = new_run(base, target)
    (place.path / SETTINGS).write_text(json.dumps({**known, "finished": False}), encoding="utf-8")
    return place


def _unfinished(base: Path, known: dict[str, Any]) -> RunFolder | None:
    """The folder of the same command that was interrupted, if any."""
    for run in reversed(list_runs(base)):
        file = run.path / SETTINGS
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if kept == {**json.loads(json.dumps(known)), "finished": False}:
            return run
    return None


def _diagnosed(setup: Setup, tell: Tell | None) -> dict[str, Any]:
    """The report on the script as it is; made once."""
    from unstuck.findings.judge import judge
    from unstuck.live.assemble import assemble
    from unstuck.record.reader import read_run
    from unstuck.record.recording import Recording

    kept = setup.folder / DIAGNOSIS
    if kept.is_file():
        report: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return report
    for journal in setup.folder.glob("journal-*"):
        journal.unlink()
    if tell is not None:
        tell("the script, watched", 0, 0)
    status = watch(setup)
    recordings = read_run(setup.folder) or [Recording(complete=False)]
    for recording in recordings:
        if recording.end is None:
            recording.extras["status"] = status
    report = assemble(recordings, judge(recordings[0]), source=setup.folder)
    half = kept.with_suffix(".half")
    half.write_text(json.dumps(report), encoding="utf-8")
    half.replace(kept)
    return report


def cure(train: Callable[..., Any], **options: Any) -> Cure:
    """Try remedies on a function that trains, as ``unstuck cure`` does on a script; the options are ``cure_script``'s.

    The function is called in fresh processes, with the seed 0 when it takes an argument (every replay shifts the global
    seeds by its own number), so it must be found again there: defined at the top of a file, which may be
    the running script when that guards its own call by ``if __name__ == "__main__":``.

    Raises BadInput for a function that only exists in this process (a closure, a lambda, a notebook's cell).
    """
    options.setdefault("base", None)
    name, file = getattr(train, "__qualname__", ""), inspect.getsourcefile(train) if inspect.isfunction(train) else None
    if not name.isidentifier() or file is None or not Path(file).is_file():
        raise BadInput(
            "train",
            got=name or type(train).__name__,
            want="a function at the top of a file",
            hint="move it into a module",
        )
    takes = any(
        p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in inspect.signature(train).parameters.values()
    )
    place = Path(str(options["base"] or ".unstuck")).absolute()
    folder = place / "functions"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.blake2b(f"{file}:{name}".encode(), digest_size=4).hexdigest()
    driver = folder / f"{Path(file).stem}_{name}_{digest}.py"
    driver.write_text(
        f'"""Calls {name} of {Path(file).name}, for `unstuck.cure`."""\n\n'
        "import runpy\nimport sys\n\n"
        f"sys.path[:0] = {[str(Path(file).parent), *[p for p in sys.path if p]]!r}\n"
        f"made = runpy.run_path({file!r}, run_name='unstuck_cure')\n"
        f"made[{name!r}]({'0' if takes else ''})\n",
        encoding="utf-8",
    )
    return cure_script(str(driver), **options)
