"""The ring beside a journal: what it holds after a kill, and what a reader makes of anything else in its place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from unstuck.record.tail import RECORD_BYTES, SLOTS, Tail, read_tail


def test_what_was_put_is_read_while_the_ring_is_open(tmp_path: Path) -> None:
    journal = tmp_path / "journal-0-1.jsonl"
    tail = Tail(journal)
    for step in range(5):
        tail.put(step, 0, 100 + step, 0.5 * step, 2.0 - step, 32, 0.1)
    found = sorted(read_tail(journal), key=lambda s: s.step)
    assert [(s.step, s.loss, s.examples, s.learning_rate) for s in found] == [
        (100 + i, 2.0 - i, 32, 0.1) for i in range(5)
    ]
    tail.close()
    assert not list(read_tail(journal))
    assert not tail.path.exists()


def test_a_record_cut_short_bears_its_slots_old_number(tmp_path: Path) -> None:
    journal = tmp_path / "journal-0-1.jsonl"
    tail = Tail(journal)
    tail.put(0, 0, 7, 0.1, 1.0, 8, 0.1)
    before = bytes(tail.map[:RECORD_BYTES])
    tail.put(0, 0, 2000, 0.2, 99.0, 8, 0.1)
    after = bytes(tail.map[:RECORD_BYTES])
    for cut in range(RECORD_BYTES - 8):
        tail.map[:RECORD_BYTES] = after[:cut] + before[cut:]
        assert next(read_tail(journal)).step == 7
    tail.close()


def test_a_second_ring_of_the_same_name_is_refused(tmp_path: Path) -> None:
    first = Tail(tmp_path / "journal-0-1.jsonl")
    with pytest.raises(FileExistsError):
        Tail(tmp_path / "journal-0-1.jsonl")
    first.close()


@pytest.mark.parametrize("content", [b"", b"x" * 17, b"\xff" * (SLOTS * RECORD_BYTES), bytes(100_000)])
def test_anything_else_in_its_place_is_read_as_nothing_harmful(tmp_path: Path, content: bytes) -> None:
    journal = tmp_path / "journal-0-1.jsonl"
    (tmp_path / "journal-0-1.jsonl.tail").write_bytes(content)
    for step in read_tail(journal):
        assert step.examples >= 0
        assert not math.isnan(step.seconds)
