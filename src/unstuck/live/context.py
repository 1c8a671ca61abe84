"""``unstuck.watch(model, optimizer)``: the watcher for people who write two lines in their own loop."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from unstuck.core.errors import BadInput
from unstuck.live.attendant import error_line, open_journal
from unstuck.live.budget import ALLOWANCE_SECONDS
from unstuck.live.watcher import Watcher
from unstuck.record.reader import read_run
from unstuck.record.runs import new_run


class watch:
    """Watch the training inside a ``with`` block; verdict and findings at its end.

    ``model`` and ``optimizer`` may be left out (everything that trains is watched), one, or a list of them. When
    the block ends, by itself or by an exception, the taps are gone and the report stands: ``report()`` gives it as a
    dictionary of the schema ``unstuck.report/1``, and a summary is printed to standard error unless ``quiet``.

    Cost: as ``unstuck run``: at most one second for the first twenty steps, then ``overhead`` of the step time.
    Errors: BadInput when something else than modules and optimizers is passed, before anything is changed.

    >>> import torch, unstuck
    >>> model = torch.nn.Linear(4, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> x, y = torch.randn(32, 4), torch.randn(32, 1)
    >>> import tempfile
    >>> with unstuck.watch(model, optimizer, folder=tempfile.mkdtemp(), quiet=True) as watching:
    ...     for _ in range(30):
    ...         optimizer.zero_grad()
    ...         torch.nn.functional.mse_loss(model(x), y).backward()
    ...         optimizer.step()
    >>> watching.report()["run"]["steps"]
    30
    """

    def __init__(
        self,
        model: torch.nn.Module | list[torch.nn.Module] | None = None,
        optimizer: torch.optim.Optimizer | list[torch.optim.Optimizer] | None = None,
        *,
        overhead: float = 0.03,
        folder: str | Path | None = None,
        name: str = "watch",
        quiet: bool = False,
    ) -> None:
        self.models = _several(model, torch.nn.Module, "model")
        self.optimizers = _several(optimizer, torch.optim.Optimizer, "optimizer")
        if not 0.0 < overhead <= 1.0:
            raise BadInput("overhead", got=overhead, want="a share of the step time in (0, 1]", hint="3 % is 0.03")
        self.overhead = overhead
        self.base = Path(folder).absolute() if folder is not None else Path(".unstuck").absolute()
        self.name = name
        self.quiet = quiet
        self.folder: Path | None = None
        self._watcher: Watcher | None = None
        self._document: dict[str, Any] | None = None

    def __enter__(self) -> watch:
        if self._watcher is not None:
            raise BadInput("watch", got="a second with", want="one block for each watch(...)", hint="make a new one")
        place = new_run(self.base, self.name).path
        self.folder = place
        config = {
            "folder": str(place),
            "run": place.name,
            "target": sys.argv[0] or self.name,
            "arguments": sys.argv[1:],
            "module": False,
            "overhead": self.overhead,
            "allowance": ALLOWANCE_SECONDS,
        }
        journal = open_journal(config, began=time.time())
        self._watcher = Watcher(journal, overhead=self.overhead, only=tuple(self.optimizers))
        for module in self.models:
            self._watcher.registry.add(module)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watcher = self._watcher
        assert watcher is not None
        watcher.finish(status=0 if error is None else 1, error=error, line=error_line(error))
        if self.quiet:
            return
        try:
            from rich.console import Console

            from unstuck.report.terminal import print_report

            document = self.report()
            print_report(document, Console(file=sys.stderr), paths={"html": self._html()})
        except Exception as problem:  # reporting must not cost the user his trained model
            print(f"unstuck: the report failed ({type(problem).__name__}: {problem})", file=sys.stderr)

    def report(self) -> dict[str, Any]:
        """The report as a dictionary; made once, and written beside the journal."""
        if self._document is None:
            if self.folder is None or self._watcher is None or not self._watcher.finished:
                raise BadInput("report", got="a block still open", want="a block that has ended")
            from unstuck.findings.judge import judge
            from unstuck.live.assemble import assemble
            from unstuck.report.document import write_document
            from unstuck.report.html import write_html

            recordings = read_run(self.folder)
            self._document = assemble(recordings, judge(recordings[0]), source=self.folder)
            write_document(self._document, self.folder / "report.json")
            write_html(self._document, self._html())
        return self._document

    def _html(self) -> Path:
        assert self.folder is not None
        return self.folder / "report.html"


def _several(given: Any, kind: type, name: str) -> list[Any]:
    if given is None:
        return []
    things = list(given) if isinstance(given, list | tuple) else [given]
    for thing in things:
        if not isinstance(thing, kind):
            raise BadInput(name, got=type(thing).__name__, want=f"a torch {kind.__name__}, a list of them, or nothing")
    return things
