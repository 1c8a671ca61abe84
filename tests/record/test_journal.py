"""The journal: nothing written is lost, nothing is raised, and a child keeps its hands off."""

import errno
import mmap
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from unstuck.record import journal as module
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal

HEAD = {"e": "head", "schema": "unstuck.journal/1", "rank": 0}
ROADS = ["mapped", "plain"]


@pytest.fixture(params=ROADS)
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of writing: through a map, and where the file system has none."""
    if request.param == "plain":
        monkeypatch.setattr(os, "posix_fallocate", _unsupported)
    return str(request.param)


def _unsupported(*_: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def begun(path: Path, *, chunk_bytes: int = 4096) -> Journal:
    journal = Journal(path / "journal-0-1.jsonl", chunk_bytes=chunk_bytes)
    journal.record(HEAD)
    return journal


def test_lines_arrive_in_order_over_many_chunks(tmp_path: Path, road: str) -> None:
    journal = begun(tmp_path)
    lines = [b'{"e":"x","i":%d,"pad":"%s"}\n' % (i, b"-" * (i % 300)) for i in range(2000)]
    for line in lines:
        journal.write(line)
    written = journal.bytes_written
    journal.close()
    content = journal.path.read_bytes()
    assert content.splitlines(keepends=True)[1:] == lines
    assert len(content) == written == journal.bytes_written
    assert not journal.alive and journal.reason == ""


def test_a_line_longer_than_a_chunk(tmp_path: Path, road: str) -> None:
    journal = begun(tmp_path)
    for i in range(3):
        journal.record({"e": "x", "long": "y" * 50_000, "i": i})
        journal.step(0, i, 0.1, 1.0, 8)
    journal.close()
    assert read_journal(journal.path).main.steps == 3
    assert journal.path.read_bytes().count(b"\n") == 7


def test_the_file_is_readable_while_it_grows(tmp_path: Path, road: str) -> None:
    journal = begun(tmp_path)
    for i in range(500):
        journal.step(0, i, 0.001 * i, 1.0 / (i + 1), 32)
        if i % 50 == 0:
            assert read_journal(journal.path).main.loss.last == 1.0 / (i + 1)
    journal.close()


def test_close_twice_and_write_after(tmp_path: Path, road: str) -> None:
    journal = begun(tmp_path)
    journal.close()
    size = journal.path.stat().st_size
    journal.record({"e": "late"})
    journal.close()
    assert journal.path.stat().st_size == size


def test_an_existing_journal_is_never_written_over(tmp_path: Path) -> None:
    first, second, third = begun(tmp_path), begun(tmp_path), begun(tmp_path)
    second.step(0, 0, 0.0, 1.0, 8)
    for journal in (first, second, third):
        journal.close()
    assert {j.path.name for j in (first, second, third)} == {
        "journal-0-1.jsonl",
        "journal-0-1-2.jsonl",
        "journal-0-1-3.jsonl",
    }
    assert read_journal(first.path).main.steps == 0 and read_journal(second.path).main.steps == 1


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    journal = begun(Path())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for i in range(200):
        journal.step(0, i, 0.0, 1.0, 8)
    journal.close()
    assert journal.reason == "" and read_journal(tmp_path / "journal-0-1.jsonl").main.steps == 200


# -- killed ------------------------------------------------------------------------------------------------------------

WRITER = """
import os, sys
if sys.argv[2] == "plain":
    import errno
    def unsupported(*_): raise OSError(errno.EOPNOTSUPP, "no")
    os.posix_fallocate = unsupported
from unstuck.record.journal import Journal
journal = Journal(sys.argv[1], chunk_bytes=1 << 16)
journal.record({"e": "head", "schema": "unstuck.journal/1"})
step = 0
while True:
    journal.step(0, step, step * 1e-6, 1.0, 32)
    step += 1
    os.write(1, b".")  # after the line: a byte for each
"""


@pytest.mark.parametrize("road", ROADS)
def test_kill_keeps_every_line_written(tmp_path: Path, road: str) -> None:
    path = tmp_path / "journal-0-1.jsonl"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path), road], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = 0
        while told < 5000:
            told += len(process.stdout.read1(4096))
        process.send_signal(signal.SIGKILL)
        while rest := process.stdout.read1(1 << 16):
            told += len(rest)
    assert process.returncode == -signal.SIGKILL
    recording = read_journal(path)
    assert recording.main.steps in (told, told + 1)  # the last line may have come without its byte
    assert recording.extras["bad_lines"] == 0 and not recording.complete
    assert list(recording.main.loss.steps) == list(range(recording.main.steps))


# -- other processes and threads ---------------------------------------------------------------------------------------


def _child(journal: Journal) -> None:
    journal.record({"e": "from the child"})
    for i in range(1000):
        journal.step(0, 10_000 + i, 0.0, 1.0, 8)
    alive = journal.alive
    journal.close()
    os._exit(3 if alive else 0)


def test_a_forked_child_leaves_the_file_alone(tmp_path: Path, road: str) -> None:
    journal = begun(tmp_path)
    journal.step(0, 0, 0.0, 1.0, 8)
    child = os.fork()
    if child == 0:
        _child(journal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert journal.alive
    for i in range(1, 500):
        journal.step(0, i, 0.0, 1.0, 8)
    journal.close()
    assert read_journal(journal.path).main.steps == 500
    assert b"child" not in journal.path.read_bytes()


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of any fork beside threads
def test_workers_of_multiprocessing(tmp_path: Path, method: str) -> None:
    journal = begun(tmp_path)
    workers = [multiprocessing.get_context(method).Process(target=sorted, args=([i],)) for i in range(2)]
    for worker in workers:
        worker.start()
    for i in range(300):
        journal.step(0, i, 0.0, 1.0, 8)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    journal.close()
    assert read_journal(journal.path).main.steps == 300


def test_no_thread_is_started(tmp_path: Path) -> None:
    before = threading.active_count()
    journal = begun(tmp_path)
    assert threading.active_count() == before
    journal.close()


def test_threads_lose_no_line(tmp_path: Path, road: str) -> None:
    journal = begun(tmp_path)
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(target=lambda o=o: [journal.step(o, i, 0.0, 1.0, 8) for i in range(2000)])
            for o in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switching)
    journal.close()
    lines = journal.path.read_bytes().splitlines()
    assert len(lines) == 1 + 4 * 2000 and len(set(lines)) == len(lines)
    assert read_journal(journal.path).extras["bad_lines"] == 0


def test_a_line_written_while_the_map_moves_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler that writes in the middle of the move, the worst moment."""
    journal = begun(tmp_path)
    reserve, late = os.posix_fallocate, []

    def interrupted(descriptor: int, offset: int, length: int) -> None:
        reserve(descriptor, offset, length)
        journal.record({"e": "late", "i": len(late)})
        late.append(offset)

    monkeypatch.setattr(os, "posix_fallocate", interrupted)
    for i in range(500):
        journal.step(0, i, 0.0, 1.0, 8)
    journal.close()
    assert len(late) > 3
    assert journal.path.read_bytes().count(b'"late"') == len(late)
    assert read_journal(journal.path).main.steps == 500


def test_an_interrupt_while_the_map_moves_is_the_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begun(tmp_path)
    reserve, pending = os.posix_fallocate, [True]

    def interrupted(descriptor: int, offset: int, length: int) -> None:
        if pending:
            pending.clear()
            raise KeyboardInterrupt
        reserve(descriptor, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", interrupted)
    steps = iter(range(500))
    with pytest.raises(KeyboardInterrupt):
        for i in steps:
            journal.step(0, i, 0.0, 1.0, 8)
    for i in steps:
        journal.step(0, i, 0.0, 1.0, 8)
    journal.close()
    assert journal.path.read_bytes().count(b'"step"') == 500  # the interrupted one too


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_a_full_disk_ends_the_journal_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begun(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    journal.step(0, 0, 0.0, 1.0, 8)
    monkeypatch.setattr(os, "posix_fallocate", full)
    for i in range(1, 1000):
        journal.step(0, i, 0.0, 1.0, 8)
    assert not journal.alive and "No space left" in journal.reason
    journal.close()
    recording = read_journal(journal.path)
    assert 30 < recording.main.steps < 1000 and recording.extras["bad_lines"] == 0
    (event,) = recording.happened("unseen")
    assert "No space left" in event.data["why"]
    assert b"\0" not in journal.path.read_bytes()


def test_a_full_disk_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    journal = begun(tmp_path)
    journal.step(0, 0, 0.0, 1.0, 8)
    journal.close()
    assert not journal.alive and "No space left" in journal.reason and journal.path.stat().st_size == 0


def test_a_disk_that_fills_under_plain_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", _unsupported)
    journal = begun(tmp_path)
    journal.step(0, 0, 0.0, 1.0, 8)
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 10:
            return write(descriptor, data[:10])  # half a line still fits
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    journal.step(0, 1, 0.0, 1.0, 8)
    monkeypatch.setattr(os, "write", write)
    assert not journal.alive and "No space left" in journal.reason
    assert read_journal(journal.path).main.steps == 1


@pytest.mark.parametrize("place", ["missing/journal-0-1.jsonl", "\0"])
def test_a_place_that_cannot_be_written_raises_nothing(tmp_path: Path, place: str) -> None:
    journal = Journal(tmp_path / place)
    journal.record(HEAD)
    journal.step(0, 0, 0.0, 1.0, 8)
    journal.close()
    assert not journal.alive and journal.reason


def test_without_fallocate_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    journal = begun(tmp_path)
    journal.step(0, 0, 0.0, 1.0, 8)
    assert journal.alive and read_journal(journal.path).main.steps == 1
    journal.close()


def test_where_nothing_can_be_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoMap:
        ALLOCATIONGRANULARITY = mmap.ALLOCATIONGRANULARITY

        @staticmethod
        def mmap(*_: object, **__: object) -> None:
            raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(module, "mmap", NoMap)
    journal = begun(tmp_path)
    for i in range(100):
        journal.step(0, i, 0.0, 1.0, 8)
    assert b"\0" not in journal.path.read_bytes()  # the reserve was given back
    journal.close()
    assert read_journal(journal.path).main.steps == 100


@pytest.mark.parametrize("road", ROADS)
def test_a_script_that_closes_every_descriptor_keeps_its_own_files(tmp_path: Path, road: str) -> None:
    """A daemon closes all descriptors and gets the same numbers again: they are not to be written to or cut."""
    script = f"""
import os, errno
if {road!r} == "plain":
    def unsupported(*_): raise OSError(errno.EOPNOTSUPP, "no")
    os.posix_fallocate = unsupported
from unstuck.record.journal import Journal
journal = Journal("journal-0-1.jsonl", chunk_bytes=4096)
journal.record({HEAD!r})
os.closerange(3, 256)
own = [open(f"own{{i}}", "w+b", buffering=0) for i in range(8)]
for file in own: file.write(b"mine")
for i in range(500): journal.step(0, i, 0.0, 1.0, 8)
journal.close()
for i in range(8): assert open(f"own{{i}}", "rb").read() == b"mine", i
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    steps = read_journal(tmp_path / "journal-0-1.jsonl").main.steps
    assert steps == (500 if road == "mapped" else 0)  # a plain journal has lost its descriptor, and stops


def test_a_folder_taken_away_raises_nothing(tmp_path: Path, road: str) -> None:
    journal = begun(tmp_path)
    journal.path.unlink()
    for i in range(500):
        journal.step(0, i, 0.0, 1.0, 8)
    journal.close()
    assert not journal.alive


def test_what_cannot_be_written_becomes_an_event(tmp_path: Path) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    journal = begun(tmp_path)
    journal.record({"e": "event", "kind": "x", "data": {"a": Hostile()}})
    journal.step(0, 0, 0.0, "high", 8)  # type: ignore[arg-type]
    journal.step(0, 1, 0.0, 1.0, 8)
    journal.close()
    recording = read_journal(journal.path)
    assert [event.data["probe"] for event in recording.happened("crashed")] == ["journal", "journal"]
    assert recording.main.steps == 2 and recording.extras["bad_lines"] == 0


def test_a_real_limit_on_the_file(tmp_path: Path) -> None:
    """The kernel itself refuses more room (a quota, a full disk): an ended journal, and no fatal signal."""
    script = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
from unstuck.record.journal import Journal
journal = Journal("journal-0-1.jsonl", chunk_bytes=4096)
journal.record({HEAD!r})
for i in range(5000): journal.step(0, i, 0.0, 1.0, 8)
assert not journal.alive and journal.reason, journal.reason
journal.close()
print("trained on")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout == "trained on\n" and done.stderr == ""
    recording = read_journal(tmp_path / "journal-0-1.jsonl")
    assert 100 < recording.main.steps < 5000 and recording.happened("unseen")
