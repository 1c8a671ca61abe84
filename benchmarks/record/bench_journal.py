"""What a line of the journal costs, beside the other ways to keep it, measured in one run, interleaved.

A line is kept when ``kill -9`` in the next instant cannot take it away. A buffered file keeps none: that is the floor.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from time import perf_counter

from unstuck.record.journal import Journal
from unstuck.record.lines import step_line
from unstuck.record.reader import glance, read_journal

LINES, ROUNDS = 20_000, 7
HEAD = {"e": "head", "schema": "unstuck.journal/1"}


def unsupported(*_: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "not here")


def main() -> None:
    line = step_line(0, 12345, 12.345678, 0.6931471805599453, 32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mapped = Journal(folder / "journal-0-1.jsonl")
        reserve, os.posix_fallocate = os.posix_fallocate, unsupported  # type: ignore[assignment]
        plain = Journal(folder / "journal-0-2.jsonl")
        os.posix_fallocate = reserve
        with (folder / "buffered").open("wb") as buffered, (folder / "flushed").open("wb") as flushed:

            def flush(data: bytes) -> None:
                flushed.write(data)
                flushed.flush()

            ways = {
                "buffered file (lost by kill -9)": buffered.write,
                "journal, mapped": mapped.write,
                "journal, plain writes": plain.write,
                "file flushed after each line": flush,
            }
            best = dict.fromkeys(ways, float("inf"))
            for _ in range(ROUNDS):
                for way, write in ways.items():
                    start = perf_counter()
                    for _ in range(LINES):
                        write(line)
                    best[way] = min(best[way], (perf_counter() - start) / LINES)
        print(f"{'one line of ' + str(len(line)) + ' bytes':34}   µs   ratio")
        for way, seconds in best.items():
            print(f"{way:34} {seconds * 1e6:5.2f} {seconds / best['journal, mapped']:6.2f}")

        steps = 200_000
        journal = Journal(folder / "journal-0-3.jsonl")
        journal.record(HEAD)
        journal.step(0, 0, 0.0, 2.3, 32, lr=[0.1])
        start = perf_counter()
        for s in range(1, steps):
            journal.step(0, s, s * 1e-3, 2.3 / s, 32)
        print(f"\na step, formatted and written      {(perf_counter() - start) / steps * 1e6:5.2f} µs")
        start = perf_counter()
        recording = read_journal(journal.path)
        print(f"a step, read                       {(perf_counter() - start) / steps * 1e6:5.2f} µs")
        assert recording.main.steps == steps
        start = perf_counter()
        glance(journal.path)
        print(
            f"a glance at {journal.bytes_written / 1e6:.0f} MB               {(perf_counter() - start) * 1e3:5.2f} ms"
        )
        for one in (mapped, plain, journal):
            one.close()


if __name__ == "__main__":
    main()
