"""The report as a JSON file: written strictly, read with suspicion."""

from __future__ import annotations

import json
import math
import numbers
import os
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from unstuck.core.errors import BadInput
from unstuck.report import schema as json_schema

SCHEMA = "unstuck.report/1"
LARGEST_BYTES = 64 * 2**20  # 4000 points of every curve of 16 streams with 100 layers make about 8 MB
DEEPEST = 60  # symptoms under symptoms; the report itself is 8 deep

Report = dict[str, Any]


def plain(value: object) -> Any:
    """The value as strict JSON can hold it: tuples become lists, numbers that JSON lacks become texts.

    >>> plain({"loss": float("nan"), "steps": (0, 1)})
    {'loss': 'nan', 'steps': [0, 1]}
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, numbers.Integral):  # NumPy's
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        if math.isnan(number):
            return "nan"
        if math.isinf(number):
            return "inf" if number > 0 else "-inf"
        return number
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | range):
        return [plain(item) for item in value]
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):  # no subclass of bool
        return bool(value)
    return str(value)


def number(value: object) -> float:
    """A number of a report as a float: the texts for what JSON lacks are read back.

    >>> number("nan"), number(2)
    (nan, 2.0)
    """
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return float(value)
    raise BadInput("number", got=value, want='a number, "nan", "inf" or "-inf"')


@cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema of a report."""
    text = resources.files("unstuck.report").joinpath("assets/report.schema.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def check(report: object) -> Report:
    """The report itself, once it is known to fit the schema; ``BadInput`` names what does not.

    >>> check({"schema": "unstuck.report/1"})
    Traceback (most recent call last):
    ...
    unstuck.core.errors.BadInput: report.run: got 'nothing', want a value
    """
    if isinstance(report, Mapping):
        _check_depth(report)
    json_schema.check(report, schema(), name="report")
    assert isinstance(report, Mapping)
    for i, curve in enumerate(report.get("curves", ())):
        _check_lengths(curve, f"report.curves[{i}]")
        if curve.get("smooth"):
            _check_lengths(curve["smooth"], f"report.curves[{i}].smooth")
    for i, layers in enumerate(report.get("layers", ())):
        for part in ("parameters", "activations"):
            if part in layers:
                _check_table(layers[part], len(layers["steps"]), f"report.layers[{i}].{part}")
    return dict(report)


def read_document(path: Path | str) -> Report:
    """The report in a JSON file.

    Errors: ``BadInput`` when there is no such file, it is larger than 64 MiB, is not strict JSON, or does not fit the
    schema.
    """
    return check(_read(Path(path)))


def with_treatment(report: Mapping[str, Any], path: Path | str) -> Report:
    """The report with the section that a cure left beside its journal.

    Errors: as of ``read_document``; the file is not trusted.
    """
    return check({**report, "treatment": _read(Path(path))})


def _read(path: Path) -> object:
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise BadInput(str(path), got=f"{size} bytes", want=f"a report of at most {LARGEST_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(str(path), got=error.strerror or str(error), want="a report that can be read") from error
    except UnicodeDecodeError as error:
        raise BadInput(str(path), got="bytes that are not UTF-8", want="a report in JSON") from error
    return _parse(text, str(path))


def write_document(report: Mapping[str, Any], path: Path | str) -> Path:
    """Write the report as strict JSON; a reader sees the old file or the whole new one. Returns the path."""
    checked = check(plain(report))
    return write_whole(json.dumps(checked, allow_nan=False, ensure_ascii=False, indent=1) + "\n", path)


def write_whole(text: str, path: Path | str) -> Path:
    """Write a text file so that nobody ever sees half of it. Returns the path."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.{os.getpid()}.half")
        try:
            with half.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(text)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(str(path), got=error.strerror or str(error), want="a place that can be written to") from error
    return path


def _parse(text: str, name: str) -> object:
    def refuse(constant: str) -> object:
        raise BadInput(name, got=constant, want='strict JSON, where it is written as a text such as "nan"')

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise BadInput(name, got="the same key twice in one object", want="each key once")
        return result

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise BadInput(name, got=f"{error.msg} in line {error.lineno}", want="a report in JSON") from error
    except RecursionError as error:
        raise BadInput(name, got="lists in lists without end", want="a report in JSON") from error
    except BadInput:
        raise
    except ValueError as error:  # a whole number of thousands of digits
        raise BadInput(name, got=str(error)[:80], want="a report in JSON") from error


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, Mapping) else outer if isinstance(outer, list) else ())
            if isinstance(inner, Mapping | list)
        ]
        if not level:
            return
    raise BadInput("report", got=f"values nested more than {DEEPEST} deep", want="a report")


def _check_lengths(curve: Mapping[str, Any], name: str) -> None:
    if len(curve["steps"]) != len(curve["values"]):
        raise BadInput(name, got=f"{len(curve['steps'])} steps, {len(curve['values'])} values", want="as many of both")


def _check_table(table: Mapping[str, Any], columns: int, name: str) -> None:
    for statistic, matrix in table["statistics"].items():
        if len(matrix) != len(table["rows"]) or any(len(row) != columns for row in matrix):
            raise BadInput(
                f"{name}.statistics.{statistic[:40]}",
                got="another shape",
                want=f"{len(table['rows'])} rows of {columns} numbers",
            )
