"""What a line of a journal must look like before it is believed: a journal may be damaged, foreign or hostile.

Only what readers and rules lean on is checked: containers are containers, numbers are numbers, names are text. Keys
that are not known here are left alone, as docs/recording.md promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NUMBERS_OF_PARAMETER = (*("w", "wstd", "g", "gz", "gn", "wn", "u", "d", "eq", "geq", "n", "stale", "o", "order"),)
_NUMBERS_OF_ACTIVATION = (
    *("order", "units", "mean", "std", "zero", "dead", "dead_so_far", "saturated", "vary", "nonfinite"),
)
_NUMBERS_OF_LAYER = ("order", "in_std", "in_mean", "in_rms", "in_nonfinite", "fan_in")
_NUMBERS_OF_NOISE = ("cos", "norm", "share", "pairs")
_NUMBERS_OF_INPUT = (
    *("mean", "std", "min", "max", "nonfinite", "zero_share", "features", "feature_std_min", "feature_std_median"),
    *("feature_std_max", "feature_mean_max", "mean_to_std", "constant_share", "examples"),
)
_NUMBERS_OF_LOSS = ("value", "sum_over", "sign", "factor")
_NUMBERS_OF_TERM = ("weight", "accuracy", "r2", "class_dim")
_NUMBERS_OF_OUTPUT = ("mean", "std", "min", "max", "nonfinite", "row_sum_one", "varies", "rms", "log_normalized")
_NUMBERS_OF_TARGET = ("mean", "std", "min", "max", "nonfinite", "distinct")


class BadLine(ValueError):
    """A line that does not keep to the schema; its text says where."""


def number(value: Any, where: str) -> float | None:
    """A number, or None; a whole number beyond the reach of a float is refused."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadLine(f"{where} is {_kind(value)}, want a number")
    try:
        return float(value)
    except OverflowError:
        raise BadLine(f"{where} is a whole number too large for a float") from None


def whole(value: Any, where: str, *, least: int = 0, most: int = 10**12) -> int:
    """A whole number in its bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadLine(f"{where} is {_kind(value)}, want a whole number from {least} to {most}")
    return value


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise BadLine(f"{where} is {_kind(value)}, want an object")
    return value


def text(value: Any, where: str) -> str:
    """Text."""
    if not isinstance(value, str):
        raise BadLine(f"{where} is {_kind(value)}, want text")
    return value


def listing(value: Any, where: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise BadLine(f"{where} is {_kind(value)}, want a list")
    return value


def check_depth(value: Any, most: int = 30) -> None:
    """Raise :class:`BadLine` when lists and objects stand inside each other more than ``most`` deep."""
    if most < 0:
        raise BadLine("nested too deep")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            check_depth(inner, most - 1)


def check_sample(line: dict[str, Any]) -> None:
    """Raise :class:`BadLine` when a ``sample`` line would trip those who read it; a part that is null is taken out."""
    number(line.get("seconds"), "seconds")
    if line.get("params", {}) is None:
        del line["params"]
    for name, stat in mapping(line.get("params", {}), "params").items():
        _numbers(mapping(stat, f"params.{name}"), _NUMBERS_OF_PARAMETER, f"params.{name}")
    for act in _objects(line, "acts"):
        text(act.get("name"), "acts.name")
        if act.get("order", 0) is None:
            del act["order"]
        _numbers(act, _NUMBERS_OF_ACTIVATION, "acts")
    for layer in _objects(line, "layers"):
        _numbers(layer, _NUMBERS_OF_LAYER, "layers")
    for tensor in _objects(line, "inputs"):
        _numbers(tensor, _NUMBERS_OF_INPUT, "inputs")
    _numbers(mapping(line.get("noise") or {}, "noise"), _NUMBERS_OF_NOISE, "noise")
    _objects(line, "unseen")
    for loss in _objects(line, "losses"):
        _numbers(loss, _NUMBERS_OF_LOSS, "losses")
        for term in _objects(loss, "terms"):
            _numbers(term, _NUMBERS_OF_TERM, "terms")
            _objects(term, "head")
            _numbers(mapping(term.get("output") or {}, "output"), _NUMBERS_OF_OUTPUT, "output")
            _numbers(mapping(term.get("target") or {}, "target"), _NUMBERS_OF_TARGET, "target")


def check_model(line: dict[str, Any]) -> None:
    """Raise :class:`BadLine` when a ``model`` line would trip those who read it."""
    for part in ("modules", "params"):
        for entry in _objects(line, part):
            text(entry.get("name"), f"{part}.name")


def check_optimizer(line: dict[str, Any]) -> None:
    """Raise :class:`BadLine` when an ``optimizer`` line would trip those who read it."""
    whole(line.get("o"), "o", least=-1)
    for group in _objects(line, "groups"):
        number(group.get("lr"), "groups.lr")


def _objects(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    if value is None:
        holder.pop(key, None)
        return []
    for entry in listing(value, key):
        mapping(entry, key)
    return listing(value, key)


def _numbers(holder: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        value = holder.get(key)
        if value.__class__ is not float and value is not None:  # the usual cases cost nothing more
            number(int(value) if isinstance(value, bool) else value, f"{where}.{key}")


def _kind(value: Any) -> str:
    return "missing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
