"""Checks plain values against the part of JSON Schema that the report's schema uses.

A report may come from anyone's disk, so it is checked before it is shown. The schema file is the only place where the
format is written down; the tests hold this checker against the ``jsonschema`` package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from unstuck.core.errors import BadInput

KEYWORDS = frozenset(
    {
        "$ref", "type", "const", "enum", "anyOf", "required", "properties", "additionalProperties", "items",
        "maxItems", "maxLength", "maxProperties", "minimum", "maximum",
    }
)  # fmt: skip
ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description"})

_TYPES: dict[str, str] = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def check(value: object, schema: Mapping[str, Any], *, name: str = "value") -> None:
    """Raise ``BadInput`` naming the first place where the value does not fit the schema.

    Cost: one visit to every value.

    >>> check({"a": [1, 2]}, {"properties": {"a": {"items": {"type": "integer"}}}})
    >>> check({"a": [1, "x"]}, {"properties": {"a": {"items": {"type": "integer"}}}}, name="report")
    Traceback (most recent call last):
    ...
    unstuck.core.errors.BadInput: report.a[1]: got 'x', want a whole number
    """
    _check(value, schema, schema, name)


def _check(value: object, schema: Mapping[str, Any], root: Mapping[str, Any], name: str) -> None:
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        _check_any(value, schema["anyOf"], root, name)
    if "type" in schema and not _is(value, schema["type"]):
        raise BadInput(name, got=_short(value), want=_TYPES[schema["type"]])
    if "const" in schema and value != schema["const"]:
        raise BadInput(name, got=_short(value), want=repr(schema["const"]))
    if "enum" in schema and not (isinstance(value, str) and value in schema["enum"]):
        raise BadInput(name, got=_short(value), want="one of " + ", ".join(map(str, schema["enum"])))
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", math.inf):
            raise BadInput(name, got=_short(value), want=f"at most {schema['maxLength']} characters")
    elif isinstance(value, Mapping):
        _check_object(value, schema, root, name)
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", math.inf):
            raise BadInput(name, got=f"{len(value)} items", want=f"at most {schema['maxItems']}")
        if "items" in schema:
            for i, item in enumerate(value):
                _check(item, schema["items"], root, f"{name}[{i}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
        if not low <= value <= high:
            raise BadInput(name, got=_short(value), want=f"a number from {low} to {high}")


def _check_any(value: object, choices: list[Mapping[str, Any]], root: Mapping[str, Any], name: str) -> None:
    errors: list[BadInput] = []
    for choice in choices:
        try:
            _check(value, choice, root, name)
        except BadInput as error:
            errors.append(error)
        else:
            return
    # An error further down is about the choice that was meant; otherwise list the choices.
    deeper = [error for error in errors if error.name != name]
    if deeper:
        raise deeper[0]
    raise BadInput(name, got=_short(value), want=" or ".join(_say(choice, root) for choice in choices))


def _check_object(value: Mapping[Any, object], schema: Mapping[str, Any], root: Mapping[str, Any], name: str) -> None:
    for key in schema.get("required", ()):
        if key not in value:
            raise BadInput(f"{name}.{key}", got="nothing", want="a value")
    if len(value) > schema.get("maxProperties", math.inf):
        raise BadInput(name, got=f"{len(value)} entries", want=f"at most {schema['maxProperties']}")
    known = schema.get("properties", {})
    other = schema.get("additionalProperties")
    for key, item in value.items():
        if key in known:
            _check(item, known[key], root, f"{name}.{key}")
        elif other is not None:
            _check(item, other, root, f"{name}.{_short(key)}")


def _is(value: object, kind: str) -> bool:
    if kind == "object":
        return isinstance(value, Mapping)
    if kind == "array":
        return isinstance(value, list)
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "null":
        return value is None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, int):  # however long
        return True
    return math.isfinite(value) and (kind == "number" or value.is_integer())


def _say(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _say(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "anyOf" in schema:
        return " or ".join(_say(choice, root) for choice in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    return _TYPES[schema["type"]]


def _short(value: object) -> object:
    if isinstance(value, Mapping):
        return f"an object of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) > 60:
        return value[:57] + "..."
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**18:
        return "a number of more than 18 digits"
    return value
