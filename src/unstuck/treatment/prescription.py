"""A cured copy of a script: the change written into its text where its place is known, else applied from its head."""

from __future__ import annotations

import ast
import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unstuck.core.errors import BadInput
from unstuck.treatment import catalog
from unstuck.treatment.contract import Edit
from unstuck.treatment.plan import Candidate

NEEDED = ("input", "target", "tail", "steps", "meetings", "rows")


@dataclass(frozen=True)
class Prescription:
    """The new text, how it came about (``edited`` or ``standing``), and the difference to the old one."""

    text: str
    way: str
    diff: str


def prescribe(
    script: Path, changes: Sequence[Candidate], known: Mapping[str, Any], *, standing: bool = False
) -> Prescription:
    """The script with the changes in it; ``standing``: from its head even where the lines are known."""
    old = script.read_text(encoding="utf-8")
    edits: list[Edit] = []
    complete = not standing
    for candidate in changes:
        change = catalog.remedy(candidate.name).change(known, candidate.options)
        fits = [e for e in change.edits if Path(str(e.line.get("file"))) == script.absolute() and _holds(old, e)]
        complete = complete and bool(fits) and len(fits) == len(change.edits)
        edits += fits
    text = _edited(old, edits) if complete else None
    way = "edited"
    if text is None or not _parses(text):
        text, way = _with_head(old, changes, known), "standing"
    diff = "".join(
        difflib.unified_diff(
            old.splitlines(keepends=True), text.splitlines(keepends=True), script.name, f"{script.stem}.cured.py"
        )
    )
    return Prescription(text, way, diff)


def cured_path(script: Path) -> Path:
    """Where the cured copy goes: next to the script, never over anything.

    >>> cured_path(Path("/data/train.py")).name
    'train.cured.py'
    """
    return script.with_name(f"{script.stem}.cured.py")


def write_cured(script: Path, prescription: Prescription) -> Path:
    """Write the copy; BadInput when a file of that name is there already."""
    place = cured_path(script)
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(prescription.text)
    except FileExistsError:
        raise BadInput("--apply", got=str(place), want="a name that is free", hint="move the file away first") from None
    return place


def _holds(text: str, edit: Edit) -> bool:
    lines = text.splitlines()
    number = int(edit.line["line"])
    said = str(edit.line.get("text", "")).strip()
    return 0 < number <= len(lines) and (not said or lines[number - 1].strip()[:300] == said)


def _edited(text: str, edits: Sequence[Edit]) -> str | None:
    lines = text.splitlines()
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    for edit in sorted(edits, key=lambda e: -int(e.line["line"])):
        first, last = _statement(tree, int(edit.line["line"]))
        indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
        new = [indent + line for line in edit.lines]
        if edit.where == "before":
            lines[first - 1 : first - 1] = new
        elif edit.where == "after":
            lines[last:last] = new
        else:
            lines[first - 1 : last] = new
    return "\n".join(lines) + "\n"


def _statement(tree: ast.AST, line: int) -> tuple[int, int]:
    """First and last line of the innermost statement on a line."""
    best = (line, line)
    size = None
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            length = (node.end_lineno or node.lineno) - node.lineno
            # A loop's own line stands for its head, not for its body.
            end = (
                node.lineno
                if isinstance(node, ast.For | ast.While | ast.With | ast.If)
                else node.end_lineno or node.lineno
            )
            if size is None or length < size:
                best, size = (node.lineno, end), length
    return best


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _with_head(text: str, changes: Sequence[Candidate], known: Mapping[str, Any]) -> str:
    lines = text.splitlines()
    after = 0
    for node in ast.parse(text).body:
        docstring = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            after = node.end_lineno or node.lineno
        else:
            break
    if after == 0 and lines and lines[0].startswith("#!"):
        after = 1
    remedies = [(c.name, c.options) for c in changes]
    facts = {key: known[key] for key in NEEDED if key in known}
    if "meetings" in facts:
        facts["meetings"] = [{"function": m.get("function"), "kind": m.get("kind")} for m in facts["meetings"][:1]]
    head = [
        "# unstuck cure measured that this helps; what it would look like in the script itself is in the report.",
        "from unstuck.treatment import standing",
        "",
        f"standing.apply({remedies!r}, {json.loads(json.dumps(facts))!r})",
        "",
    ]
    return "\n".join([*lines[:after], *([""] if after else []), *head, *lines[after:]]) + "\n"
