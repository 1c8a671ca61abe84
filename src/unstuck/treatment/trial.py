"""The trial: controls, screening, combination, confirmation; every finished replay is a line in the run's folder."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unstuck.core.errors import BadInput
from unstuck.treatment import scores
from unstuck.treatment.forkserver import ForkServer
from unstuck.treatment.plan import Candidate, candidates, random_edits
from unstuck.treatment.replay import Arm, Setup, fork_server, replay
from unstuck.treatment.search import HELPS, Row, next_changes, that_helped

HALVED = ("learning-rate", {"factor": 0.5})
CONFIRMED = 3  # remedies at most that are run on the other seeds too
FIRST_TRIED = 0.625  # of the screened: remedies by themselves before anything is combined
AT_A_TIME = 2  # tried after that, before it is asked again what to try
FIRST_SHARE = 0.15  # of the budget: a longer first replay is cut there, and all others at the same step

Tell = Callable[[str, int, int], None]  # what is running, how many replays are done, how many are planned


@dataclass
class Findings:
    """Everything a trial found: the controls and the rows, not yet compared."""

    yard: scores.Yard
    kind: str
    nothing: Row
    halved: Row | None
    tried: list[Row]
    random: list[Row]
    known: dict[str, Any]
    seconds: float = 0.0
    replays: int = 0
    trials: int = 0
    out_of_time: bool = False
    steps: int | None = None
    warnings: list[str] = field(default_factory=list)


class Trial:
    """Runs the replays of one script, each at most once, and remembers them in ``arms.jsonl``."""

    def __init__(
        self,
        setup: Setup,
        *,
        seeds: int = 3,
        trials: int = 10,
        jobs: int = 1,
        budget: float = 600.0,
        only: Sequence[str] = (),
        with_random: bool = True,
        random_seed: int = 0,
        tell: Tell | None = None,
    ) -> None:
        self.setup = setup
        self.seeds = seeds
        self.trials = trials
        self.jobs = jobs
        self.budget = budget
        self.only = only
        self.with_random = with_random
        self.random_seed = random_seed
        self.tell = tell or (lambda text, done, planned: None)
        self.journal = setup.folder / "arms.jsonl"
        self.done: dict[str, dict[str, Any]] = _read(self.journal)
        self.spent = sum(float(r.get("wall_seconds", 0.0)) for r in self.done.values()) / jobs
        self.began = time.perf_counter()
        self.servers: queue.Queue[ForkServer | None] = queue.Queue()
        self.modules: list[str] = []
        self.lock = threading.Lock()
        self.yard: scores.Yard = "none"
        self.kind = "balanced accuracy"
        self.planned = 0
        self.cancelled = False
        self.started: list[ForkServer] = []

    # -- replays -----------------------------------------------------------------------------------------------------

    def run(self, arms: Sequence[Arm], what: str) -> list[dict[str, Any]]:
        """The results of some arms, in their order; those already in the journal are not run again."""
        missing = list({a.key: a for a in arms if a.key not in self.done}.values())
        if missing:
            with ThreadPoolExecutor(max_workers=self.jobs) as pool:
                try:
                    for result in pool.map(lambda arm: self._one(arm, what), missing):
                        assert result is not None
                except BaseException:  # an interruption must not wait for the replays under way
                    self.cancelled = True
                    pool.shutdown(wait=False, cancel_futures=True)
                    for server in self.started:
                        server.close()
                    raise
        return [self.done[a.key] for a in arms]

    def _one(self, arm: Arm, what: str) -> dict[str, Any]:
        self.tell(what, len(self.done), self.planned)
        server = self.servers.get()
        try:
            result = replay(self.setup, arm, server=server)
        except OSError:  # the server has gone: start the replay by itself
            if self.cancelled:
                raise
            if server is not None:
                server.close()
            server = None
            result = replay(self.setup, arm)
        finally:
            self.servers.put(server)
        self._keep(result)
        return result

    def _keep(self, result: dict[str, Any]) -> None:
        line = json.dumps(result, default=str) + "\n"
        with self.lock:
            self.done[result["key"]] = result
            with self.journal.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())

    def out_of_time(self) -> bool:
        """Whether the budget is spent (the time before an interruption counts)."""
        return self.spent + time.perf_counter() - self.began > self.budget

    # -- the trial ---------------------------------------------------------------------------------------------------

    def first(self) -> dict[str, Any]:
        """The untouched replay by which everything else is planned; BadInput when it cannot serve."""
        arm = Arm()
        key = "first " + arm.key
        if key not in self.done:
            self.tell("the script, unchanged", 0, 0)
            seconds = self.budget * FIRST_SHARE
            result = replay(self.setup, arm, collect=True, seconds=seconds)
            result["key"] = key
            self._keep(result)
            # It is the first of the controls as well.
            self._keep({k: v for k, v in result.items() if k not in ("known", "modules")} | {"key": arm.key})
        found = self.done[key]
        problem = found.get("error") or found.get("problem")
        measured = found.get("measured") or {}
        if not measured.get("ticks"):
            tail = str(found.get("tail", "")).strip().splitlines()
            hint = problem or (tail[-1] if tail else "")
            raise BadInput(
                "cure", got="a replay without a backward pass", want="a script that trains with PyTorch", hint=hint
            )
        if measured.get("unsupervised"):
            raise BadInput("cure", got=measured["unsupervised"], want="a supervised training")
        if found.get("stopped") == "time":
            self.setup.steps = int(measured["ticks"]) - 1
        self.setup.known = found.get("known") or {}
        self.setup.seeds = found.get("seeds") or {}
        # Ten times as long is the longest remedy; beyond half as much again a replay hangs.
        self.setup.limit_seconds = max(60.0, 15.0 * float(found["wall_seconds"]))
        self.modules = found.get("modules") or []
        self.yard = scores.yard_of(measured)
        last = scores.validation(measured) if self.yard == "validation" else scores.training(measured)
        if last is not None:
            self.kind = last.kind
        return found

    def go(self, codes: Sequence[str] = ()) -> Findings:
        """Everything: the controls, the remedies, the random edits. ``codes``: findings, most important first."""
        first = self.first()
        known = self.setup.known
        if self.yard == "none":
            raise BadInput(
                "cure",
                got="outputs and targets that never meet where they can be counted",
                want="a supervised training",
                hint="classes, yes or no, or numbers to be predicted",
            )
        self.planned = self.seeds * 2 + self.trials * (2 if self.with_random else 1)
        for _ in range(self.jobs):
            server = fork_server(self.setup, self.modules)
            self.servers.put(server)
            self.started += [server] if server is not None else []
        try:
            nothing = self._row((), range(self.seeds), "nothing changed")
            order = candidates(known, codes, only=self.only)
            order = _worth(order, known, affordable=10.0 * float(first["wall_seconds"]) < 0.3 * self.budget)
            tried = self._search(order, nothing)
            halved = self._halved(known)
            random = self._random(len(tried), nothing, known) if self.with_random else []
        finally:
            for server in self.started:
                server.close()
        return Findings(
            self.yard,
            self.kind,
            nothing,
            halved,
            tried,
            random,
            known,
            seconds=self.spent + time.perf_counter() - self.began,
            replays=len(self.done) - 1,
            trials=sum(len(r.reached()) for r in tried),
            out_of_time=self.out_of_time(),
            steps=self.setup.steps,
            warnings=_warnings(first, list(self.done.values())),
        )

    def _halved(self, known: dict[str, Any]) -> Row | None:
        if not known.get("optimizers") or self.out_of_time():
            return None
        name, options = HALVED
        return self._row(
            (Candidate(name, "learning rate halved", dict(options)),), range(self.seeds), "learning rate halved"
        )

    def _row(self, changes: tuple[Candidate, ...], seeds: Sequence[int], what: str) -> Row:
        arms = [Arm.of([(c.name, c.options) for c in changes], seed) for seed in seeds]
        results = self.run(arms, what)
        row = Row(changes, [None] * self.seeds)
        return self._filled(row, dict(zip(seeds, results, strict=True)))

    def _filled(self, row: Row, results: dict[int, dict[str, Any]]) -> Row:
        for seed, result in results.items():
            measured = result.get("measured") or {}
            row.values[seed] = scores.score(measured, self.yard, self.kind).value
            row.seconds += float(result.get("wall_seconds", 0.0))
            row.curves.append(scores.curve(measured))
            notes = [f"{name}: {', '.join(said)}" for name, said in (result.get("notes") or {}).items() if said]
            row.notes = row.notes or tuple(notes)
            row.problem = row.problem or result.get("problem") or result.get("error")
        return row

    def _search(self, order: list[Candidate], nothing: Row) -> list[Row]:
        """Screen on the first seed, by and by; confirm the best on the other seeds, and go on where it was luck."""
        rows: list[Row] = []
        reserve = self.seeds - 1  # replays kept for confirming the best
        first = max(1, round(FIRST_TRIED * (self.trials - reserve)))
        while not self.out_of_time():
            count = min(AT_A_TIME, self._left(rows) - reserve)
            chosen = next_changes(rows, order, nothing, first=first, count=count) if count > 0 or not rows else []
            if chosen:
                rows += self._screen(chosen, "remedies together, and others" if rows else "remedies on the first seed")
            elif not self._confirm_next(rows, nothing, "the best on other seeds"):
                break
        return rows

    def _left(self, rows: Sequence[Row]) -> int:
        # Whatever was asked for, one remedy can be run on all seeds.
        return max(self.trials, self.seeds) - sum(len(row.reached()) for row in rows)

    def _confirm_next(self, rows: Sequence[Row], nothing: Row, what: str) -> bool:
        """Run the best row that lacks a seed on that seed, as far as the trials go; whether there was one to run. One that
        loses its lead gives way to the next."""
        if self._left(rows) <= 0:
            return False
        helped = that_helped(rows, nothing)[:CONFIRMED]
        # One that was begun and helped on each seed so far is finished first: another one's gain on its only seed cannot be
        # compared with a mean over two, and two halves confirm nothing.
        helped.sort(key=lambda row: -len(row.reached()) if row.least_gain(nothing) >= HELPS else 0)
        for row in helped:
            missing = [seed for seed in range(self.seeds) if row.values[seed] is None]
            if missing:
                arm = Arm.of([(c.name, c.options) for c in row.changes], missing[0])
                self._filled(row, {missing[0]: self.run([arm], what)[0]})
                return True
        return False

    def _screen(self, chosen: Sequence[tuple[Candidate, ...]], what: str) -> list[Row]:
        rows: list[Row] = []
        for start in range(0, len(chosen), self.jobs):
            if self.out_of_time():
                break
            part = chosen[start : start + self.jobs]
            arms = [Arm.of([(c.name, c.options) for c in changes], 0) for changes in part]
            for changes, result in zip(part, self.run(arms, what), strict=True):
                rows.append(self._filled(Row(changes, [None] * self.seeds), {0: result}))
        return rows

    def _random(self, count: int, nothing: Row, known: dict[str, Any]) -> list[Row]:
        script = Path(self.setup.target).name
        drawn = random_edits(known, count, seed=self.random_seed, script=script)
        rows = self._screen([(edit,) for edit in drawn], "random edits on the first seed")
        while not self.out_of_time() and self._confirm_next(rows, nothing, "random edits on other seeds"):
            pass
        return rows


def _worth(order: list[Candidate], known: dict[str, Any], *, affordable: bool) -> list[Candidate]:
    """Without what costs many times the run, unless a finding or a loss still falling asks for it; it then comes once."""
    asked = any(c.more_compute and c.answers for c in order) or known.get("loss", {}).get("still_falling")
    chosen, seen = [], False
    for candidate in order:
        if not candidate.more_compute:
            chosen.append(candidate)
        elif asked and affordable and not seen:
            chosen.append(candidate)
            seen = True
    return chosen


def _warnings(first: dict[str, Any], results: Sequence[dict[str, Any]]) -> list[str]:
    found = []
    if first.get("stopped") == "time":
        found.append("the script takes longer than its share of the budget: all replays were cut at the same step")
    moved = first.get("moved") or []
    if moved:
        found.append(
            f"the script writes to absolute paths; in replays these files went elsewhere: {', '.join(moved[:3])}"
        )
    refused = sorted({r for result in results for r in result.get("refused") or ()})
    if refused:
        found.append("refused in replays: " + "; ".join(refused[:3]))
    return found


def _read(journal: Path) -> dict[str, dict[str, Any]]:
    """The replays of an earlier start; half a line at the end is dropped."""
    found: dict[str, dict[str, Any]] = {}
    if journal.is_file():
        for line in journal.read_text(encoding="utf-8").splitlines():
            try:
                result = json.loads(line)
            except ValueError:
                continue
            found[result["key"]] = result
    return found
