"""From a journal on disk to a :class:`~unstuck.record.recording.Recording` in memory.

A journal is believed line by line: one that is damaged, foreign to the schema or hostile is skipped and counted
(``extras["bad_lines"]``, the first reason in ``extras["bad_line"]``), and never raises.
"""

from __future__ import annotations

import contextlib
import math
import re
import stat
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from unstuck.core.errors import BadInput
from unstuck.record.lines import SCHEMA, decode
from unstuck.record.recording import Event, Fact, Recording, Series, Stream
from unstuck.record.shapes import (
    BadLine,
    check_depth,
    check_end,
    check_head,
    check_model,
    check_optimizer,
    check_sample,
    listing,
    mapping,
    number,
    text,
    whole,
)
from unstuck.record.tail import Step, read_tail

LONGEST_LINE_BYTES = 64 << 20  # a model of half a million parameter tensors still fits
_GARBAGE_BEFORE_HEAD = 100  # lines; more, and it is some other file
_NAME = re.compile(r"journal-(\d+)-(\d+)(?:-(\d+))?\.jsonl")


def read_journal(path: str | Path) -> Recording:
    """Read one journal, finished or not, growing or cut off.

    Raises BadInput when the file is missing, cannot be read, or is no journal of this schema.

    Besides the recording's own fields, ``extras`` holds ``path``, ``bad_lines`` (count), ``bad_line`` (the first one's
    number and reason, if any) and ``torch`` (the journal's ``torch`` line, if any).

    Cost: one pass, 3 µs a step; memory 72 bytes a step and the samples as they are.

    >>> import tempfile
    >>> from unstuck.record.journal import Journal
    >>> journal = Journal(tempfile.mkdtemp() + "/journal-0-1.jsonl")
    >>> journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
    >>> for step in range(3):
    ...     journal.step(0, step, 0.1 * step, 2.0 - step, 32)
    >>> recording = read_journal(journal.path)  # not closed: it still grows
    >>> recording.main.loss.last, recording.main.steps, recording.complete
    (0.0, 3, False)
    """
    path = Path(path)
    recording = Recording(complete=False)
    recording.extras.update(path=str(path), bad_lines=0)
    columns: dict[int, _Columns] = {}
    taken = 0
    with _opened(path) as file:
        for place, line in enumerate(_lines(file), 1):
            if taken and (usual := _USUAL_STEP(line)) and _take_usual_step(usual, columns):
                continue
            if not line.strip():
                continue
            try:
                if line is _TOO_LONG:
                    raise BadLine(f"longer than {LONGEST_LINE_BYTES} bytes")
                _take(decode(line), recording, columns, headless=taken == 0)
            except BadInput:
                raise
            except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, not of the schema
                recording.extras["bad_lines"] += 1
                recording.extras.setdefault("bad_line", f"line {place}: {str(error)[:200]}")
                if taken == 0 and place >= _GARBAGE_BEFORE_HEAD:
                    break
            else:
                taken += 1
        if taken == 0:  # killed before its first line was whole, or never a journal
            file.seek(0)
            if recording.extras["bad_lines"] or file.read(1) not in (b"", b"\0", b"{"):
                raise _foreign(path, recording.extras.get("bad_line", "it holds no line of one"))
    _take_ring(path, columns)
    recording.streams.update((o, c.stream(o)) for o, c in sorted(columns.items()))
    return recording


def read_run(folder: str | Path) -> list[Recording]:
    """Read every journal of a run's folder: the main process first, then by rank and process number.

    The main one is that of rank 0 with most steps. The list is empty when there is no journal. A journal that cannot
    be read is left out and named in ``extras["unreadable"]`` of the first; when none can be read, its BadInput comes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput("run", got=str(folder), want="the folder of a run")
    found: list[Recording] = []
    refused: list[BadInput] = []
    for path in journals(folder):
        try:
            found.append(read_journal(path))
        except BadInput as error:
            refused.append(error)
    if refused and not found:
        raise refused[0]
    if found:
        first = max(range(len(found)), key=lambda i: (_rank(found[i].head) == 0, found[i].main.steps, -i))
        found.insert(0, found.pop(first))
        if refused:
            found[0].extras["unreadable"] = [str(error) for error in refused]
    return found


def journals(folder: str | Path) -> list[Path]:
    """The journals of a run's folder, by rank and process number."""
    named = [(match, path) for path in Path(folder).iterdir() if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(named, key=lambda pair: [int(part or 0) for part in pair[0].groups()])]


@dataclass(frozen=True)
class Glance:
    """What the two ends of a journal tell, without reading between them."""

    head: Fact = field(default_factory=dict)
    end: Fact | None = None
    torch: Fact | None = None  # the ``torch`` line, when it stands near the beginning
    last_step: Fact | None = None  # the last ``step`` line of the file


def glance(path: str | Path) -> Glance:
    """The head, the end and the last step of a journal. Raises BadInput as :func:`read_journal` does.

    Cost: reads 256 kB at each end, whatever the length of the file (and skips back over the reserve of a killed run).
    """
    path = Path(path)
    with _opened(path) as file:
        head: dict[str, Any] = {}
        torch = None
        first, *more = file.read(_WINDOW).rstrip(b"\0").split(b"\n")
        try:
            head = decode(first)
        except (ValueError, RecursionError) as error:
            if more or (first and not first.startswith(b"{")):  # a whole line, or one that never was ours
                raise _foreign(path, str(error)) from None
        else:
            if head.get("e") != "head" or head.get("schema") != SCHEMA:
                raise _foreign(path, f"schema {head.get('schema')!r}")
            check_head(head)
        for line in more[:20]:
            if line.startswith(b'{"e":"torch"'):
                with contextlib.suppress(ValueError, RecursionError):
                    torch = decode(line)
        end = last = None
        for line in _tail(file):
            if b'"end"' not in line and b'"step"' not in line:
                continue
            try:
                entry = decode(line)
            except (ValueError, RecursionError):
                continue
            if entry.get("e") == "end" and end is None:
                end = entry
            elif entry.get("e") == "step":
                last = entry
                break
    for step in _ring(path):
        if last is None or (step.stream == last.get("o") and step.step > (last.get("s") or 0)):
            last = {"e": "step", "o": step.stream, "s": step.step, "t": step.seconds, "l": step.loss}
    return Glance(head=head, end=end, torch=torch, last_step=last)


# -- lines ---------------------------------------------------------------------------------------------------------

_WINDOW = 256 << 10
_TOO_LONG = b"(too long)"


def _opened(path: Path) -> BinaryIO:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInput("journal", got=str(path), want="a file")
        return path.open("rb")
    except OSError as error:
        raise BadInput("journal", got=str(path), want="a journal that can be read", hint=str(error.strerror)) from None


def _foreign(path: Path, why: str) -> BadInput:
    return BadInput("journal", got=str(path), want=f"a journal of schema {SCHEMA}", hint=why[:200])


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The whole lines of a journal; what follows the last one (half a line, the reserve's zeros) is dropped."""
    while line := file.readline(LONGEST_LINE_BYTES):
        if not line.endswith(b"\n"):
            if len(line) < LONGEST_LINE_BYTES:
                return
            if not line.strip(b"\0"):  # an endless reserve
                return
            while (rest := file.readline(1 << 20)) and not rest.endswith(b"\n"):
                pass
            yield _TOO_LONG
            continue
        if b"\0" in line:  # a line reserved and never written, before one that was
            line = line.lstrip(b"\0")
        yield line


def _tail(file: BinaryIO) -> Iterator[bytes]:
    """The whole lines in the last window of the file, last one first; the reserve's zeros are skipped."""
    position = file.seek(0, 2)
    for _ in range(1024):  # 256 MB of zeros: no journal of ours
        start = max(0, position - _WINDOW)
        file.seek(start)
        window = file.read(position - start).rstrip(b"\0")
        if window or start == 0:
            break
        position = start
    file.seek(max(0, start + len(window) - _WINDOW))
    window = file.read(_WINDOW).rstrip(b"\0")
    yield from reversed(window.split(b"\n")[:-1])


# -- what the lines say ----------------------------------------------------------------------------------------------


class _Columns:
    """One stream's numbers while they are read: eight bytes each."""

    def __init__(self) -> None:
        self.last = -1
        self.steps = array("q")
        self.seconds = array("d")
        self.backwards = array("d")
        self.rates = _Points()
        self.loss = _Points()
        self.batch = _Points()
        self.clip_norm = _Points()
        self.gradient_norm = _Points()
        self.clip_maximum = _Points()
        self.changes: list[tuple[int, list[float]]] = []
        self.rate: float | None = None
        self.samples: list[Fact] = []
        self.optimizer: Fact | None = None

    def stream(self, o: int) -> Stream:
        self.samples.sort(key=lambda sample: sample["s"])
        return Stream(
            number=o,
            loss=self.loss.series(),
            learning_rate=self.rates.series(),
            learning_rates=self.changes,
            batch_size=self.batch.series(),
            backwards=Series(self.steps, self.backwards),
            seconds=Series(self.steps, self.seconds),
            clip_norm=self.clip_norm.series(),
            gradient_norm=self.gradient_norm.series(),
            clip_maximum=self.clip_maximum.series(),
            samples=self.samples,
            optimizer=self.optimizer,
        )


class _Points:
    def __init__(self) -> None:
        self.steps = array("q")
        self.values = array("d")

    def add(self, step: int, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)

    def series(self) -> Series:
        return Series(self.steps, self.values)


def _take(line: dict[str, Any], recording: Recording, columns: dict[int, _Columns], *, headless: bool) -> None:
    kind = line.get("e")
    if headless and (kind != "head" or line.get("schema") != SCHEMA):
        raise _foreign(Path(recording.extras["path"]), f"it begins with kind {kind!r}, schema {line.get('schema')!r}")
    if kind == "step":
        _take_step(line, columns)
        return
    check_depth(line)
    if kind == "sample":
        o, s = whole(line.get("o"), "o", least=-1), whole(line.get("s"), "s")
        check_sample(line)
        line["s"], line["o"] = s, o
        _column(columns, o).samples.append(line)
    elif kind == "light":
        o, s, norm = whole(line.get("o"), "o", least=-1), whole(line.get("s"), "s"), number(line.get("g"), "g")
        norms = _column(columns, o).gradient_norm
        if norms.steps and s <= norms.steps[-1]:
            raise BadLine(f"light sample {s} comes after {norms.steps[-1]}")
        if norm is not None:
            norms.add(s, norm)
    elif kind == "event":
        step = None if line.get("s") is None else whole(line["s"], "s")
        stream = 0 if line.get("o") is None else whole(line["o"], "o", least=-1)
        data = mapping(line.get("data") or {}, "data")
        recording.events.append(Event(text(line.get("kind"), "kind"), step, data, stream))
    elif kind == "optimizer":
        check_optimizer(line)
        column = _column(columns, line["o"])
        column.optimizer = line
        groups = line.get("groups") or []
        if column.rate is None and groups:  # until a step says otherwise
            column.rate = number(groups[0].get("lr"), "groups.lr")
    elif kind == "model":
        check_model(line)
        recording.models.append(line)
    elif kind == "head":
        if headless:
            check_head(line)
            recording.head = line
    elif kind == "torch":
        recording.extras["torch"] = line
    elif kind == "end":
        check_end(line)
        recording.end = line
        recording.complete = True


# The line that step_line writes for nearly every step: reading it so takes a fifth of the time.
_USUAL_STEP = re.compile(
    rb'\{"e":"step","o":(\d{1,6}),"s":(\d{1,12}),"t":(\d{1,12}\.\d{6}),"l":(-?\d[\d.e+-]{0,25}),"b":(\d{1,15})\}\n'
).fullmatch


def _take_usual_step(match: re.Match[bytes], columns: dict[int, _Columns]) -> bool:
    """Keep such a step; False leaves it to the careful road, which knows what is wrong with it."""
    o, s, seconds, loss, batch = match.groups()
    column = columns.get(int(o))
    step = int(s)
    if column is None or column.rate is None or step <= column.last:
        return False
    try:
        value = float(loss)
    except ValueError:
        return False
    column.last = step
    column.steps.append(step)
    column.seconds.append(float(seconds))
    column.backwards.append(1.0)
    column.rates.add(step, column.rate)
    column.loss.add(step, value)
    column.batch.add(step, float(batch))
    return True


def _take_step(line: Mapping[str, Any], columns: dict[int, _Columns]) -> None:
    o, s = whole(line.get("o"), "o", least=-1), whole(line.get("s"), "s")
    column = _column(columns, o)
    if s <= column.last:
        raise BadLine(f"step {s} comes after step {column.last}")
    # Everything is looked at before anything is kept, so that a bad line leaves no half step.
    seconds = number(line.get("t"), "t")
    loss, batch = number(line.get("l"), "l"), number(line.get("b"), "b")
    backwards = number(line.get("n", 1), "n")
    clip_norm, clip_maximum = number(line.get("c"), "c"), number(line.get("cm"), "cm")
    if (rates := line.get("lr")) is not None:
        changed = [number(rate, "lr") for rate in listing(rates, "lr")]
        known = [math.nan if rate is None else rate for rate in changed]
        if known:
            column.rate = known[0]
        column.changes.append((s, known))
    column.last = s
    column.steps.append(s)
    column.seconds.append(math.nan if seconds is None else seconds)
    column.backwards.append(1.0 if backwards is None else backwards)
    if column.rate is not None:
        column.rates.add(s, column.rate)
    if loss is not None:
        column.loss.add(s, loss)
    if batch is not None:
        column.batch.add(s, batch)
    if clip_norm is not None:
        column.clip_norm.add(s, clip_norm)
    if clip_maximum is not None:
        column.clip_maximum.add(s, clip_maximum)


def _take_ring(path: Path, columns: dict[int, _Columns]) -> None:
    """Add the last steps of a run that was killed, or still runs: those the journal does not have yet."""
    for step in _ring(path):
        column = _column(columns, step.stream)
        if step.step <= column.last:  # the ring keeps old steps until their place is needed
            continue
        column.last = step.step
        column.steps.append(step.step)
        column.seconds.append(step.seconds)
        column.backwards.append(1.0)
        column.loss.add(step.step, step.loss)
        if step.examples:
            column.batch.add(step.step, float(step.examples))
        if not math.isnan(step.learning_rate):
            if column.changes and step.learning_rate != column.rate:
                column.changes.append((step.step, [step.learning_rate]))
            column.rate = step.learning_rate
        if column.rate is not None:
            column.rates.add(step.step, column.rate)


def _ring(path: Path) -> list[Step]:
    """The steps in the ring beside a journal, in order."""
    return sorted((step for step in read_tail(path) if step.step <= 10**12), key=lambda step: (step.stream, step.step))


def _column(columns: dict[int, _Columns], o: int) -> _Columns:
    found = columns.get(o)
    if found is None:
        found = columns[o] = _Columns()
    return found


def _rank(head: Fact) -> int:
    rank = head.get("rank")
    return rank if isinstance(rank, int) else 0
