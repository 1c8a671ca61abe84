"""A folder of scripts with their truth: sick ones, their mended twins, healthy ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from unstuck.core.errors import BadInput

Kind = Literal["sick", "mended", "healthy"]
KINDS: tuple[Kind, ...] = ("sick", "mended", "healthy")


@dataclass(frozen=True)
class Case:
    """One script and what is known of it. ``codes``: names that are right as the first finding; empty where it is well.

    ``also``: names that are true of the run as well. ``verdicts``: states that fit; empty: any. ``options``: of
    ``unstuck run``.
    """

    name: str
    kind: Kind
    script: Path
    codes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def held_out(self) -> bool:
        """Whether thresholds may not be set on it."""
        return held_out(self.name)

    @property
    def key(self) -> str:
        """``sick/NAME``."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Corpus:
    """All cases of a folder, in the order of its truth."""

    folder: Path
    cases: tuple[Case, ...]

    def chosen(self, words: Sequence[str] = (), *, sample: int | None = None) -> tuple[Case, ...]:
        """Cases whose path contains one of the words; ``sample``: so many pairs and healthy scripts, spread evenly."""
        found = [c for c in self.cases if not words or any(word in c.key for word in words)]
        if sample is None:
            return tuple(found)
        names = {kind: [c.name for c in found if c.kind == kind] for kind in ("sick", "healthy")}
        kept = {name for listed in names.values() for name in _spread(listed, sample)}
        return tuple(c for c in found if c.name in kept)


def held_out(name: str) -> bool:
    """The split: a name (without folder and suffix) is held out when its SHA-256 is odd. Twins share it.

    >>> [held_out(name) for name in ("digits_conv_adam", "wine_two_towers")]
    [True, False]
    """
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 1


def read_corpus(folder: Path | str) -> Corpus:
    """The corpus in a folder: ``truth.json`` beside ``sick/``, ``mended/`` and ``healthy/``.

    Raises BadInput when the truth is missing or not of that form, or a script that it names is not there.
    """
    folder = Path(folder)
    path = folder / "truth.json"
    if not path.is_file():
        raise BadInput("--corpus", got=str(folder), want="a folder with truth.json", hint="see clinic/README.md")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput("truth.json", got=str(error), want="JSON") from None
    if not isinstance(table, dict) or not isinstance(table.get("sick"), dict):
        raise BadInput("truth.json", got=type(table).__name__, want="an object with `sick` and `healthy`")
    well = tuple(str(v) for v in table.get("well") or ())
    cases: list[Case] = []
    for name, entry in table["sick"].items():
        cases.append(_case(folder, name, "sick", entry, tuple(map(str, entry.get("verdict") or ()))))
        cases.append(_case(folder, name, "mended", {"options": entry.get("options")}, well))
    healthy = table.get("healthy") or {}
    for name in healthy:
        entry = healthy[name] if isinstance(healthy, Mapping) else {}
        cases.append(_case(folder, str(name), "healthy", {}, tuple(map(str, entry.get("verdict") or well))))
    return Corpus(folder, tuple(cases))


def _case(folder: Path, name: str, kind: Kind, entry: Mapping[str, Any], verdicts: tuple[str, ...]) -> Case:
    stem = name.removesuffix(".py")
    if Path(stem).name != stem:
        raise BadInput("truth.json", got=name, want="the name of a script, without a folder")
    script = folder / kind / f"{stem}.py"
    if not script.is_file():
        raise BadInput("truth.json", got=f"{kind}/{stem}", want="a script that exists", hint=f"{script} is missing")
    return Case(
        stem,
        kind,
        script,
        tuple(map(str, entry.get("codes") or ())),
        tuple(map(str, entry.get("also_acceptable") or ())),
        verdicts,
        tuple(map(str, entry.get("options") or ())),
    )


def _spread(names: Sequence[str], count: int) -> list[str]:
    if count >= len(names):
        return list(names)
    return [names[(i * len(names)) // count] for i in range(count)]
