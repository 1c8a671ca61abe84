"""The line of the script that a finding is about, where reading the script's text can tell it.

While a script runs, only the lines that call ``backward`` or a model are seen; that a softmax stands in line 34 is not.
So the text is parsed (never run), and a finding whose subject is named there exactly once points at it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LARGEST_FILE_BYTES = 2_000_000

# Code: names of the functions and classes that the finding is about.
_SUBJECTS: dict[str, frozenset[str]] = {
    "L201": frozenset({"softmax", "Softmax"}),
    "L202": frozenset({"nll_loss", "NLLLoss", "kl_div", "KLDivLoss"}),
    "L203": frozenset({"sigmoid", "Sigmoid"}),
    "L204": frozenset({"mse_loss", "MSELoss", "l1_loss", "L1Loss", "smooth_l1_loss", "SmoothL1Loss"}),
    "L206": frozenset({"softmax", "Softmax", "log_softmax", "LogSoftmax"}),
    "L207": frozenset({"softmax", "Softmax", "log_softmax", "LogSoftmax"}),
    "D106": frozenset({"DataLoader"}),
}
_OPTIMIZERS = frozenset(
    "SGD Adam AdamW RMSprop Adagrad Adadelta Adamax NAdam RAdam LBFGS ASGD Rprop SparseAdam Adafactor Muon".split()
)
_SUBJECTS.update(dict.fromkeys(("U401", "U402", "U405", "U409"), _OPTIMIZERS))
_SUM_CODES = frozenset({"L209"})
_EVAL_CODES = frozenset({"B605"})


def subject_line(code: str, file: str | Path) -> dict[str, Any] | None:
    """``{file, line, function, text}`` of the one place in a file that the finding ``code`` is about, or None.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "train.py"
    >>> _ = path.write_text("from torch import nn\\nhead = nn.Softmax(dim=1)\\n")
    >>> subject_line("L201", path)["line"], subject_line("L203", path)
    (2, None)
    """
    path = Path(file)
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            return None
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    places = {(node.lineno, function) for node, function in _calls(tree) if _is_about(code, node)}
    if len({line for line, _ in places}) != 1:
        return None
    line, function = min(places)
    text = source.splitlines()[line - 1].strip()
    return {"file": str(path), "line": line, "function": function, "text": text[:300]}


def _calls(tree: ast.AST, function: str = "<module>") -> Iterator[tuple[ast.Call, str]]:
    for child in ast.iter_child_nodes(tree):
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(child, ast.Call):
            yield child, function
        yield from _calls(child, inner)


def _is_about(code: str, call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if code in _SUM_CODES:
        return any(
            k.arg == "reduction" and isinstance(k.value, ast.Constant) and k.value.value == "sum" for k in call.keywords
        )
    if code in _EVAL_CODES:
        return name == "eval" and isinstance(call.func, ast.Attribute) and not call.args
    return name in _SUBJECTS.get(code, frozenset())


def point(report: Mapping[str, Any], script: str | None, cwd: str | None, *, started: float | None = None) -> None:
    """Give every finding of a report the line it is about, where there is exactly one.

    A script that was changed after the run ``started`` (unix seconds) is another text than the one that ran.
    """
    if not script:
        return
    path = Path(cwd or ".") / script
    try:
        if path.suffix != ".py" or (started is not None and path.stat().st_mtime > started):
            return
    except OSError:
        return
    for finding in report.get("findings", ()):
        for entry in (finding, *finding.get("symptoms", ())):
            found = subject_line(entry["code"], path)
            if found is not None:
                entry["line"] = found
                for remedy in entry.get("remedies", ()):
                    if remedy.get("line") is not None:
                        remedy["line"] = found
