"""One arm of a trial: the script once more, in a fresh process and a folder of its own, with one change or none."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unstuck.core.errors import BadInput
from unstuck.treatment.forkserver import ForkServer, available, wanted
from unstuck.treatment.isolation import make_copy, removed

Change = tuple[str, Mapping[str, Any]]  # a remedy's name and its options


@dataclass(frozen=True)
class Arm:
    """What is run: the remedies applied (none: nothing is changed), the number of the seed."""

    remedies: tuple[tuple[str, str], ...] = ()  # name, options as JSON with sorted keys
    seed: int = 0

    @classmethod
    def of(cls, changes: Sequence[Change], seed: int) -> Arm:
        """An arm from remedies and their options."""
        return cls(tuple((name, json.dumps(dict(options), sort_keys=True)) for name, options in changes), seed)

    @property
    def changes(self) -> list[tuple[str, dict[str, Any]]]:
        """The remedies and their options."""
        return [(name, json.loads(options)) for name, options in self.remedies]

    @property
    def key(self) -> str:
        """The same for the same arm, in every process.

        >>> Arm.of([("learning-rate", {"factor": 0.1})], 2).key
        'learning-rate{"factor": 0.1}@2'
        """
        return "+".join(name + options for name, options in self.remedies) + f"@{self.seed}"


@dataclass
class Setup:
    """What all arms of one trial share."""

    target: str  # the script, absolute, or the module's name
    arguments: tuple[str, ...]
    module: bool
    folder: Path  # of the run
    cwd: Path
    threads: int = 1
    network: bool = False
    steps: int | None = None
    limit_seconds: float = 3600.0
    known: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, list[int]] = field(default_factory=dict)


def replay(
    setup: Setup,
    arm: Arm,
    *,
    collect: bool = False,
    seconds: float | None = None,
    server: ForkServer | None = None,
) -> dict[str, Any]:
    """Run one arm; what it showed. Never raises for what the script does.

    ``collect``: look at what remedies need to know, and never stop early. ``seconds``: end the replay there, with
    what it has. Cost: one run of the script, about twice as slow for tiny networks.
    """
    name = hashlib.blake2b(f"{arm.key}{collect}".encode(), digest_size=6).hexdigest()
    scratch = setup.folder / "scratch" / name
    removed(scratch)
    make_copy(setup.cwd, scratch / "work")
    result = setup.folder / "arms" / f"{name}.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.unlink(missing_ok=True)
    config = {
        "target": setup.target,
        "arguments": list(setup.arguments),
        "module": setup.module,
        "attendant": "unstuck.treatment.attendant:start",
        "not_started": str(scratch / "not-started.json"),
        "result": str(result),
        "scratch": str(scratch),
        "seed": arm.seed,
        "seeds": setup.seeds,
        "remedies": arm.changes,
        "known": setup.known,
        "collect": collect,
        "may_stop": bool(arm.remedies),
        "steps": setup.steps,
        "seconds": seconds,
        "network": setup.network,
    }
    began = time.perf_counter()
    output = scratch / "output.txt"
    status = _run(config, scratch / "work", output, threads=setup.threads, limit=setup.limit_seconds, server=server)
    found: dict[str, Any]
    if result.is_file():
        found = json.loads(result.read_text(encoding="utf-8"))
        result.unlink()
    else:
        found = {"status": status, "error": f"the replay ended with {status} and left no result", "measured": {}}
        if status == 2 and Path(str(config["not_started"])).exists():
            said = json.loads(Path(str(config["not_started"])).read_text(encoding="utf-8"))
            found["error"] = f"the script could not be started: {said['text'] or said['kind']}"
    text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
    found |= {"key": arm.key, "wall_seconds": time.perf_counter() - began, "tail": text[-2000:]}
    removed(scratch)
    return found


def watch(setup: Setup) -> int | None:
    """Run the script once, watched as ``unstuck run`` does it, its journal in the run's folder; its exit status."""
    scratch = setup.folder / "scratch" / "watched"
    removed(scratch)
    make_copy(setup.cwd, scratch / "work")
    config = {
        "target": setup.target,
        "arguments": list(setup.arguments),
        "module": setup.module,
        "attendant": "unstuck.treatment.attendant:start_watched",
        "not_started": str(scratch / "not-started.json"),
        "scratch": str(scratch),
        "network": setup.network,
        "run": setup.folder.name,
        "folder": str(setup.folder),
        "overhead": 1.0,  # a replay may cost what it costs
        "allowance": 10.0,
    }
    output = scratch / "output.txt"
    status = _run(config, scratch / "work", output, threads=setup.threads, limit=setup.limit_seconds, server=None)
    if status == 2 and Path(str(config["not_started"])).exists():
        said = json.loads(Path(str(config["not_started"])).read_text(encoding="utf-8"))
        removed(scratch)
        raise BadInput("script", got=setup.target, want="a script that starts", hint=said["text"] or said["kind"])
    removed(scratch)
    return status


def _run(
    config: dict[str, Any], cwd: Path, output: Path, *, threads: int, limit: float, server: ForkServer | None
) -> int | None:
    # The configuration goes by a file: what is known of wide inputs is longer than a command line may be.
    settings = output.with_name("configuration.json")
    settings.write_text(json.dumps(config), encoding="utf-8")
    if server is not None:
        return server.run(settings, cwd, output, limit)
    command = command_line(
        f"from unstuck.launch.child import main; import io; main(io.open({str(settings)!r}, encoding='utf-8').read())"
    )
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(threads),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            return process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
            raise


def command_line(code: str) -> list[str]:
    """A command that runs a line of Python with this package at hand, under the flags of this interpreter."""
    import unstuck

    flags: list[str] = getattr(subprocess, "_args_from_interpreter_flags", list)()
    root = str(Path(str(unstuck.__file__)).parent.parent)
    # At the end: where the package is installed its own place is found first.
    return [sys.executable, *flags, "-c", f"import sys; sys.path[0:1] = []; sys.path.append({root!r}); {code}"]


def environment(threads: int) -> dict[str, str]:
    """The environment of a replay."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0"),  # the order of sets is part of a run
        "PYTHONUNBUFFERED": "1",
        "MPLBACKEND": "Agg",
        "WANDB_MODE": "disabled",
    }


def fork_server(setup: Setup, modules: list[str]) -> ForkServer | None:
    """A process that starts replays fast, or None where that is not safe."""
    if not available() or setup.threads != 1:  # a library's own threads do not survive a fork
        return None
    code = "from unstuck.treatment.forkserver import serve; serve()"
    return ForkServer(command_line(code), wanted(modules), environment(setup.threads))
