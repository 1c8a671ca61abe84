"""In the child process of one replay: seeds, guard, stage, yardstick and remedies; the result goes to one file."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from unstuck.launch.post_import import after_import
from unstuck.treatment.forkserver import KNOWN
from unstuck.treatment.isolation import Guard
from unstuck.treatment.seeds import Seeds

if TYPE_CHECKING:
    from unstuck.treatment.contract import Treatment
    from unstuck.treatment.facts import Facts
    from unstuck.treatment.stage import Stage
    from unstuck.treatment.yardstick import Yardstick

HOPELESS_TICKS = 20  # losses in a row that are not finite: no rule comes back from not-finite parameters


def start(config: dict[str, Any]) -> ReplayAttendant:
    """What ``launch.child`` calls before the script runs. Imports no torch."""
    return ReplayAttendant(config)


def start_watched(config: dict[str, Any]) -> Any:
    """The same for the run that is only watched, for its diagnosis: guarded, and otherwise as ``unstuck run`` does it."""
    from unstuck.live.attendant import LiveAttendant

    guard = Guard(Path(config["scratch"]), network=bool(config.get("network")), allowed=(Path(config["folder"]),))
    guard.set()
    attendant = LiveAttendant(config)
    after_import("torch", guard.torch_imported)
    return attendant


class ReplayAttendant:
    """Makes one replay of a script and writes what it showed."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.pid = os.getpid()
        self.clock = time.perf_counter()
        self.result = Path(config["result"])
        self.problem: str | None = None
        self.stopped: str | None = None
        self.stage: Stage | None = None
        self.yardstick: Yardstick | None = None
        self.facts: Facts | None = None
        self.treatments: list[tuple[str, Treatment]] = []
        self.written = False
        self.not_finite = 0  # losses in a row
        self.guard: Guard | None = None
        if config.get("scratch"):
            self.guard = Guard(
                Path(config["scratch"]), network=bool(config.get("network")), allowed=(self.result.parent.parent,)
            )
            self.guard.set()
        self.seeds = Seeds(int(config["seed"]), config.get("seeds"))
        self.seeds.start()
        after_import("numpy", self.seeds.numpy_imported)

    def torch_imported(self, torch: ModuleType) -> None:
        """Set the stage; a failure is noted and ends up in the result."""
        try:
            self.seeds.torch_imported(torch)
            if self.guard is not None:
                self.guard.torch_imported(torch)
            self._set_stage(torch)
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            if os.environ.get("UNSTUCK_DEBUG"):
                raise

    def _set_stage(self, torch: Any) -> None:
        from unstuck.treatment.catalog import remedy
        from unstuck.treatment.contract import Treatment
        from unstuck.treatment.facts import Facts
        from unstuck.treatment.stage import Stage
        from unstuck.treatment.yardstick import Yardstick

        stage = self.stage = Stage()
        self.yardstick = Yardstick(stage)
        if self.config.get("collect"):
            self.facts = Facts(stage, self.result.parent.parent)
        for number, (name, options) in enumerate(self.config["remedies"]):
            generator = torch.Generator().manual_seed(7_000_000 + 1000 * int(self.config["seed"]) + number)
            treatment = Treatment(stage, options, self.config.get("known") or {}, generator)
            remedy(name).treat(treatment)
            self.treatments.append((name, treatment))
        stage.hear.backward.append(self._maybe_stop)
        stage.install()

    def _maybe_stop(self, loss: Any) -> Any:
        assert self.stage is not None and self.yardstick is not None
        limit, seconds = self.config.get("steps"), self.config.get("seconds")
        if limit is not None and self.stage.tick > limit:
            self._leave("steps")
        if seconds is not None and time.perf_counter() - self.clock > seconds:
            self._leave("time")
        if self.config.get("may_stop"):
            # The loss as it is passed on: a remedy may have put a sound one in the place of one that is not finite.
            with self.stage.aside():
                value = float(loss.detach().real)
            self.not_finite = 0 if value - value == 0.0 else self.not_finite + 1
            if self.not_finite >= HOPELESS_TICKS:
                self._leave("not finite")
        return loss

    def _leave(self, why: str) -> None:
        """End the process here: the rest of this replay would not be counted."""
        self.stopped = why
        self.ended(0, None)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)

    def ended(self, status: int | None, error: BaseException | None) -> None:
        """The script is over: write the result."""
        if os.getpid() != self.pid or self.written:
            return
        self.written = True
        found: dict[str, Any] = {
            "status": status,
            "error": f"{type(error).__name__}: {error}"[:500] if error is not None else None,
            "problem": self.problem,
            "stopped": self.stopped,
            "seconds": time.perf_counter() - self.clock,
            "seeds": self.seeds.given,
            "moved": sorted(self.guard.moved)[:20] if self.guard else [],
            "refused": self.guard.refused[:20] if self.guard else [],
            "measured": {"kind": None, "ticks": 0, "blocks": [], "evaluations": [], "problem": None},
            "notes": {},
            "modules": sorted(name for name in sys.modules if name.split(".")[0] in KNOWN) if self.facts else [],
        }
        if self.stage is not None and self.yardstick is not None:
            self.stage.quiet = True
            for listener in self.stage.hear.at_end:
                listener()
            found["measured"] = self.yardstick.plain()
            found["notes"] = {name: treatment.notes for name, treatment in self.treatments}
            if self.facts is not None:
                try:
                    found["known"] = self.facts.plain()
                except Exception as problem:
                    found["problem"] = f"{type(problem).__name__}: {problem}"
                    if os.environ.get("UNSTUCK_DEBUG"):
                        raise
        half = self.result.with_suffix(".half")
        half.write_text(json.dumps(found, default=str), encoding="utf-8")
        half.replace(self.result)
