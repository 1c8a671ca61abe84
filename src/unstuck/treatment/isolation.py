"""A replay's own folder, and a guard that keeps the script's writes in it.

The working folder is copied (up to a limit; what lies beyond is linked), writes to absolute paths land in a folder of
the replay and are read back from there, connections to other machines and deletions outside are refused. What goes
around Python (another program, a library's own C code writing through a link) cannot be held: ``warnings_for`` says so
before anything runs.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

LARGEST_COPY_BYTES = 64 * 2**20  # a fifth of a second of copying for every replay
MOST_FILES = 2000
LEFT_OUT = frozenset(
    (".unstuck", ".git", ".hg", "__pycache__", ".venv", "venv", "node_modules", ".mypy_cache", ".ruff_cache")
)

_SIGNS = (
    (r"\bsubprocess\b|\bos\.system\b|\bos\.popen\b", "starts other programs; what they write cannot be held back"),
    (r"\binput\(|\bsys\.stdin\b", "reads standard input; replays have none, it reads as empty"),
    (
        r"\brequests\b|\burllib\b|\bsocket\b|\bwandb\b|\bhuggingface_hub\b|\bload_dataset\(|\bfrom_pretrained\(|download=True|\bfetch_",
        "may use the network; replays have none unless --network is given",
    ),
    (r"\bsqlite3\b|\bh5py\b|\bcv2\b|\bpsycopg|\bpymongo|\bredis\b", "uses a store of its own, whose writes go past Python"),
)  # fmt: skip


def warnings_for(script: str) -> list[str]:
    """What of a script's text a replay cannot isolate, as sentences: said before it runs.

    >>> warnings_for("import subprocess")
    ['the script starts other programs; what they write cannot be held back']
    """
    code = "\n".join(line.split("#")[0] for line in script.splitlines())
    return [f"the script {text}" for pattern, text in _SIGNS if re.search(pattern, code)]


def make_copy(folder: Path, scratch: Path) -> None:
    """Fill ``scratch`` with a copy of the working folder: files up to a limit in all, links beyond it."""
    scratch.mkdir(parents=True, exist_ok=True)
    left = [LARGEST_COPY_BYTES, MOST_FILES]
    _copy(folder, scratch, left, depth=0)


def _copy(source: Path, target: Path, left: list[int], depth: int) -> None:
    try:
        entries = sorted(os.scandir(source), key=lambda e: (e.is_dir(), e.name))
    except OSError:
        return
    for entry in entries:
        if entry.name in LEFT_OUT:
            continue
        place = target / entry.name
        with contextlib.suppress(OSError):
            if entry.is_dir(follow_symlinks=False) and left[1] > 0 and depth < 12:
                left[1] -= 1
                place.mkdir()
                _copy(Path(entry.path), place, left, depth + 1)
            elif entry.is_file(follow_symlinks=False) and left[1] > 0 and entry.stat().st_size <= left[0]:
                left[0] -= entry.stat().st_size
                left[1] -= 1
                shutil.copyfile(entry.path, place)
            else:
                place.symlink_to(entry.path)


class Guard:
    """Holds one process's writes in ``scratch``. Set once; it stays for the life of the process."""

    def __init__(self, scratch: Path, *, network: bool = False, allowed: tuple[Path, ...] = ()) -> None:
        self.outside = scratch / ".outside"
        self.network = network
        temporary = Path(tempfile.gettempdir())
        self.allowed = tuple(
            os.path.realpath(p) + os.sep for p in (scratch, temporary, Path("/dev"), Path("/proc"), *allowed)
        )
        self.moved: set[str] = set()
        self.refused: list[str] = []
        self._inside = False

    def set(self) -> None:
        """Start to guard."""
        original = io.open
        guard = self

        def open_(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            return original(guard.place(file, writing=any(c in mode for c in "wax+")), mode, *args, **kwargs)

        builtins.open = open_
        io.open = open_
        mkdir = os.mkdir

        def mkdir_(path: Any, *args: Any, **kwargs: Any) -> None:
            mkdir(guard.place(path, writing=True) if "dir_fd" not in kwargs else path, *args, **kwargs)

        os.mkdir = mkdir_
        sys.addaudithook(self._audit)

    def torch_imported(self, torch: Any) -> None:
        """torch writes its files from C++: their places are mapped before."""
        save, load = torch.save, torch.load
        guard = self

        def save_(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
            save(obj, guard.place(f, writing=True), *args, **kwargs)

        def load_(f: Any, *args: Any, **kwargs: Any) -> Any:
            return load(guard.place(f, writing=False), *args, **kwargs)

        torch.save, torch.load = save_, load_

    def place(self, file: Any, *, writing: bool) -> Any:
        """Where a file really is to be read or written: itself inside the scratch folder, moved from outside."""
        if isinstance(file, int) or not isinstance(file, str | bytes | os.PathLike):
            return file
        try:
            path = os.path.realpath(os.fsdecode(file))
        except (OSError, ValueError):
            return file
        if self._is_allowed(path):
            return file
        moved = str(self.outside) + path
        if writing:
            self.moved.add(path)
            self._inside = True
            try:
                Path(moved).parent.mkdir(parents=True, exist_ok=True)
                if not Path(moved).exists() and Path(path).is_file():
                    shutil.copyfile(path, moved)  # to append to, or to change in place
            finally:
                self._inside = False
            return moved
        return moved if path in self.moved and Path(moved).exists() else file

    def _is_allowed(self, path: str) -> bool:
        return (path + os.sep).startswith(self.allowed)

    def _audit(self, event: str, args: tuple) -> None:
        if self._inside:
            return
        if event == "open":
            path, mode, flags = args
            writing = (isinstance(mode, str) and any(c in mode for c in "wax+")) or (
                mode is None and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            )
            if writing and isinstance(path, str | bytes):
                self._refuse_outside(path, "write to")
        elif event in ("os.remove", "os.rmdir", "shutil.rmtree", "os.truncate"):
            self._refuse_outside(args[0], "delete")
        elif event in ("os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"):
            self._refuse_outside(args[1], "write to")
        elif event == "socket.connect" and not self.network:
            address = args[1]
            if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
                self.refused.append(f"connect to {address[0]}")
                raise ConnectionRefusedError(
                    f"a replay of unstuck cure has no network ({address[0]}); allow it: --network"
                )

    def _refuse_outside(self, path: Any, what: str) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.fsdecode(path)
        real = os.path.realpath(os.path.dirname(name) or ".") + os.sep + os.path.basename(name)  # noqa: PTH119, PTH120
        if not self._is_allowed(real):
            self.refused.append(f"{what} {name}")
            raise PermissionError(f"a replay of unstuck cure may not {what} {name}")


def removed(folder: Path) -> None:
    """Delete a replay's folder; a file that cannot be deleted stays."""
    shutil.rmtree(folder, ignore_errors=True)
