"""Where in the script we are: the nearest line of the user's own code, and what the user calls an object."""

from __future__ import annotations

import linecache
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

_PACKAGE = str(Path(__file__).resolve().parent.parent)


def _library_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {str(Path(p)) for p in (sysconfig.get_path(n) for n in names) if p}
    return (*sorted(folders), _PACKAGE)


_LIBRARIES = _library_folders()
DEMO_SCRIPTS = str(Path(_PACKAGE) / "cli" / "demo_scripts")  # ordinary scripts that travel with the package


@lru_cache(maxsize=4096)
def is_users(filename: str) -> bool:
    """Whether a code object's file is the user's own: not the standard library, not an installed package."""
    if filename.startswith("<") and not filename.startswith("<ipython"):
        return False
    if filename.startswith(DEMO_SCRIPTS):
        return True
    return (
        not filename.startswith(_LIBRARIES) and "/site-packages/" not in filename and "/dist-packages/" not in filename
    )


def user_frames(start: FrameType | None = None) -> Iterator[FrameType]:
    """The user's frames from the innermost outwards."""
    frame = start if start is not None else sys._getframe(1)
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back  # type: ignore[assignment]


def user_line(start: FrameType | None = None) -> dict[str, Any] | None:
    """``{file, line, function, text}`` of the innermost frame of the user's code, or None.

    >>> user_line() is None or "line" in user_line()
    True
    """
    for frame in user_frames(start if start is not None else sys._getframe(1)):
        code = frame.f_code
        text = linecache.getline(code.co_filename, frame.f_lineno).strip()
        return {"file": code.co_filename, "line": frame.f_lineno, "function": code.co_name, "text": text[:300]}
    return None


def names_in_sight(start: FrameType | None = None, *, most: int = 60) -> list[str]:
    """What the user's frames call their local variables (a script's top level: all of its own), without values."""
    found: dict[str, None] = {}
    for frame in user_frames(start if start is not None else sys._getframe(1)):
        found.update((name, None) for name in frame.f_locals if not name.startswith("_") and len(name) <= 40)
    return list(found)[:most]


def name_of(thing: object, start: FrameType | None = None, *, depth: int = 12) -> str | None:
    """What the user's code calls an object: ``model``, ``self.encoder``, ``nets["g"]``, or None.

    Looks through the local variables of the user's frames, innermost first, then their globals. A name in an outer
    frame wins over a plain ``self`` or a loop's passing name only when nothing else is found.
    """
    weak: str | None = None
    for index, frame in enumerate(user_frames(start if start is not None else sys._getframe(1))):
        if index >= depth:
            break
        for scope in (frame.f_locals, frame.f_globals):
            found = _search(thing, scope)
            if found is not None:
                if found not in {"self", "module", "net", "m", "layer"}:
                    return found
                weak = weak or found
            if frame.f_locals is frame.f_globals:
                break
    return weak


def _search(thing: object, scope: dict[str, Any]) -> str | None:
    fallback: str | None = None
    for name, value in list(scope.items()):
        if value is thing:
            if not name.startswith("_"):
                return name
            fallback = name
    for name, value in list(scope.items()):
        if name.startswith("__"):
            continue
        if isinstance(value, dict) and name != "kwargs" and len(value) <= 64:
            for key, item in list(value.items()):
                if item is thing and isinstance(key, str):
                    return f"{name}[{key!r}]"
        elif isinstance(value, list | tuple) and len(value) <= 64:
            for position, item in enumerate(value):
                if item is thing:
                    return f"{name}[{position}]"
        elif name == "self" or _is_plain(value):
            attributes = getattr(value, "__dict__", None)
            if isinstance(attributes, dict) and len(attributes) <= 256:
                for key, item in list(attributes.items()):
                    if item is thing:
                        return f"{name}.{key}"
                modules = attributes.get("_modules")
                if isinstance(modules, dict):
                    for key, item in modules.items():
                        if item is thing:
                            return f"{name}.{key}"
    return fallback


def _is_plain(value: object) -> bool:
    kind = type(value)
    return is_users_class(kind)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def is_users_class(kind: type) -> bool:
    """Whether a class is defined in the user's own code."""
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    return (kind.__module__ == "__main__" and file is not None) or (file is not None and is_users(file))
