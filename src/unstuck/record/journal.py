"""The writer of a journal: every line is safe from ``kill -9`` the moment it is written.

Lines go through a shared memory map: what was copied into it belongs to the kernel and outlives the process, at the
price of a copy (0.2 µs) where a system call takes a microsecond. The room is reserved before it is mapped, so a full
disk is an error at that moment and not a fatal signal later. Where a file cannot be reserved or mapped (macOS, some
network file systems) each line is a plain write.

The journal never raises into the training: when it cannot go on it falls silent and keeps the reason. A forked child
inherits it silent. There is no thread.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import sys
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unstuck.record.lines import encode, step_line

CHUNK_BYTES = 1 << 20  # reserved at a time: about 14 000 steps
_LAST_WORDS_BYTES = 512  # kept back in every reserve, to say why the journal ends when the next cannot be had
_CANNOT = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.ENODEV, errno.EPERM}  # not: full, broken

_NO_FILE = (-1, -1)  # device and inode

_open: weakref.WeakSet[Journal] = weakref.WeakSet()


class Journal:
    """A journal being written by this process. Nothing in it raises; ``alive`` and ``reason`` tell how it is.

    A file that exists is never written over: the next free name is taken, see ``path``.

    Cost: 0.2 µs a line and one page of memory for every 4 kB written; without a memory map two system calls a line.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> journal = Journal(folder / "journal-0-1.jsonl")
    >>> journal.record({"e": "head", "schema": "unstuck.journal/1"})
    >>> journal.step(0, 0, 0.001, 2.3, 32)
    >>> journal.close()
    >>> journal.path.read_text().splitlines()[1]
    '{"e":"step","o":0,"s":0,"t":0.001000,"l":2.2999999999999998,"b":32}'
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_chunk_bytes",
        "_descriptor",
        "_extending",
        "_identity",
        "_map",
        "_put",
        "_waiting",
        "path",
        "reason",
    )

    def __init__(self, path: str | os.PathLike[str], *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.path = Path(path).absolute()  # the script may change its working directory
        self.reason = ""
        self._chunk_bytes = chunk_bytes
        self._base = 0  # of the map (or of the plain file) in the file
        self._map: mmap.mmap | None = None
        self._descriptor: int | None = None  # only for plain writes
        self._identity = _NO_FILE
        self._waiting: list[bytes] = []  # lines that came from elsewhere while the map was being moved
        self._extending = False
        self._put: Callable[[bytes], object] = _discard
        try:
            self._create()
        except Exception as error:
            self._fall_silent(f"{type(error).__name__}: {error}")
        else:
            self._move()
        _open.add(self)

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, line: bytes) -> None:
        """Append one finished line (with its newline)."""
        try:
            self._put(line)
        except ValueError:  # the map is full
            self._write_further(line)

    def step(
        self,
        o: int,
        s: int,
        t: float,
        loss: float | None,
        batch: int | None,
        n: int = 1,
        *,
        lr: list[float] | None = None,
        clip_norm: float | None = None,
        clip_maximum: float | None = None,
    ) -> None:
        """Append the line of one step, see :func:`unstuck.record.lines.step_line`. Cost: 1.2 µs."""
        try:
            line = step_line(o, s, t, loss, batch, n, lr=lr, clip_norm=clip_norm, clip_maximum=clip_maximum)
        except Exception as error:
            line = _unwritable(error)
        self.write(line)

    def record(self, value: Mapping[str, Any]) -> None:
        """Append any object of the schema; numbers that JSON lacks are written as words."""
        try:
            line = encode(value)
        except Exception as error:
            line = _unwritable(error)
        self.write(line)

    def close(self) -> None:
        """End the file after its last line. Calling it twice, or in a forked child, does nothing."""
        while self._waiting:
            self.write(self._waiting.pop(0))
        self._put = _discard
        self._let_go()

    @property
    def alive(self) -> bool:
        """Whether lines still reach the file."""
        return self._map is not None or self._descriptor is not None

    @property
    def bytes_written(self) -> int:
        """Bytes in the file so far, reserve left out."""
        return self._base + (self._map.tell() if self._map is not None else 0)

    # -- the file --------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        first = self.path
        for attempt in range(2, 1000):
            try:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _CLOEXEC, 0o644)
                break
            except FileExistsError:  # a process number came round again
                self.path = first.with_name(f"{first.stem}-{attempt}{first.suffix}")
        else:
            raise FileExistsError(errno.EEXIST, "no free name", str(first))
        try:
            status = os.fstat(descriptor)
            self._identity = (status.st_dev, status.st_ino)
        finally:
            os.close(descriptor)

    def _reopen(self) -> int:
        """A descriptor for as long as one call needs it.

        It is not kept: a script that makes a daemon of itself closes every descriptor and may get the same number
        for a file of its own, which would then be reserved into and cut.
        """
        descriptor = os.open(self.path, os.O_RDWR | _CLOEXEC)
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino) != self._identity:
            os.close(descriptor)
            raise OSError(errno.ESTALE, "the journal was replaced by another file", str(self.path))
        return descriptor

    def _write_further(self, line: bytes) -> None:
        if not self._extending:
            self._extending = True  # nothing can come between the question and this
            self._waiting.append(line)
            self._move()
        else:  # another thread, or a signal handler, in the middle of the move
            self._waiting.append(line)

    def _move(self) -> None:
        """Reserve and map the next part of the file, and write what waits for it."""
        put, self._put = self._put, self._waiting.append  # from here on every line waits its turn
        try:
            put = self._map_next()
            while self._waiting:
                line = self._waiting.pop(0)
                try:
                    put(line)
                except ValueError:
                    self._waiting.insert(0, line)
                    put = self._map_next()
        except (OSError, ValueError, OverflowError) as error:
            self._fall_silent(str(error))
            put = _discard
        finally:  # also after an interrupt from the keyboard, which is the script's; a map left behind is found full
            self._put = put
            self._extending = False

    def _map_next(self) -> Callable[[bytes], object]:
        """Move the map to the end of what is written, with room for all that waits; what writes there."""
        room = sum(map(len, self._waiting))
        old = self._map
        start = self._base + (old.tell() if old is not None else 0)
        base = start - start % mmap.ALLOCATIONGRANULARITY
        size = max(self._chunk_bytes, start - base + room + _LAST_WORDS_BYTES)
        descriptor = self._reopen()
        try:
            try:
                os.posix_fallocate(descriptor, base, size)
                # The map is shorter than the reserve: write() fails at its end, the last words still have a place.
                new = mmap.mmap(descriptor, size - _LAST_WORDS_BYTES, offset=base, **_UNTRACKED)
            except (OSError, AttributeError) as error:
                if isinstance(error, OSError) and error.errno not in _CANNOT:
                    raise
                os.ftruncate(descriptor, start)
                os.lseek(descriptor, start, os.SEEK_SET)
                self._descriptor, descriptor = descriptor, -1
                self._map, self._base = None, start
                return self._put_plainly
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        new.seek(start - base)
        self._map, self._base = new, base
        if old is not None:
            old.close()
        return new.write

    def _put_plainly(self, line: bytes) -> None:
        descriptor = self._descriptor
        if descriptor is None:
            return
        try:
            status = os.fstat(descriptor)
            if (status.st_dev, status.st_ino) != self._identity:
                self._descriptor = None  # not ours any more: not to be closed either
                raise OSError(errno.ESTALE, "the journal's descriptor was closed by the script")
            left = memoryview(line)
            while left:
                done = os.write(descriptor, left)
                self._base += done
                left = left[done:]
        except OSError as error:
            self._fall_silent(str(error))

    def _fall_silent(self, reason: str) -> None:
        """Stop for good, say why where the reserve allows it, and give back what was reserved."""
        self._put = _discard
        self._waiting.clear()
        self.reason = reason
        why = {"what": "the rest of the run", "why": f"the journal ended: {reason[:200]}"}
        last = encode({"e": "event", "kind": "unseen", "o": None, "s": None, "data": why})
        self._let_go(last if len(last) <= _LAST_WORDS_BYTES else b"")

    def _let_go(self, last: bytes = b"") -> None:
        if self._identity == _NO_FILE:
            return
        held, end = self._map, self.bytes_written
        self._map, self._base = None, end
        try:
            if held is not None:
                held.close()
            if self._descriptor is not None:
                os.close(self._descriptor)
            else:
                descriptor = self._reopen()
                try:
                    if last and held is not None:
                        self._base += os.pwrite(descriptor, last, end)
                    os.ftruncate(descriptor, self._base)
                finally:
                    os.close(descriptor)
        except OSError as error:  # the file was taken away; a reader copes with the reserve's zeros
            self.reason = self.reason or str(error)
        self._descriptor, self._identity = None, _NO_FILE

    def _forget(self) -> None:
        """In a forked child: the file is the parent's. Only the child's view of it is dropped."""
        self._put = _discard
        self._waiting.clear()
        self._base = self.bytes_written
        self._map, self._identity = None, _NO_FILE  # without its identity nothing can reopen and cut the file
        self.reason = self.reason or "forked: the journal belongs to the parent process"
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def _discard(line: bytes) -> None:
    """Where lines go that have nowhere to go."""


def _unwritable(error: Exception) -> bytes:
    """The line that stands for one that could not be written: even that is not to stop the training."""
    data = {"probe": "journal", "error": f"{type(error).__name__}: {error}"[:500]}
    return encode({"e": "event", "kind": "crashed", "o": None, "s": None, "data": data})


_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
# From Python 3.13 on the map need not hold a descriptor of its own.
_UNTRACKED: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}


def _forget_inherited() -> None:
    for journal in list(_open):
        journal._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_inherited)
