"""What a line of a journal must look like before it is believed: a journal may be damaged, foreign or hostile.

Only what readers and rules lean on is checked: containers are containers, numbers are numbers, names are text. Keys
that are not known here are left alone, as docs/recording.md promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NUMBERS_OF_PARAMETER = (
    *("w", "wstd", "g", "gz", "gw", "gn", "wn", "u", "d", "eq", "geq", "ceq", "cgeq", "n", "stale", "o", "order"),
)
_NUMBERS_OF_ACTIVATION = (
    *("order", "units", "mean", "std", "zero", "dead", "dead_so_far", "saturated", "vary", "nonfinite"),
)
_NUMBERS_OF_CLIP = ("before", "left", "values")
_NUMBERS_OF_DIVISORS = ("group", "eps", "low", "median", "high", "under", "alive", "entries")
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
    _numbers(mapping(line.get("clip") or {}, "clip"), _NUMBERS_OF_CLIP, "clip")
    for group in _objects(line, "divisors"):
        _numbers(group, _NUMBERS_OF_DIVISORS, "divisors")
    for loss in _objects(line, "losses"):
        _numbers(loss, _NUMBERS_OF_LOSS, "losses")
        check_place(loss.get("line"), "losses.line")
        for term in _objects(loss, "terms"):
            _numbers(term, _NUMBERS_OF_TERM, "terms")
            _objects(term, "head")
            _numbers(mapping(term.get("output") or {}, "output"), _NUMBERS_OF_OUTPUT, "output")
            _numbers(mapping(term.get("target") or {}, "target"), _NUMBERS_OF_TARGET, "target")


def check_head(line: dict[str, Any]) -> None:
    """Take out of a ``head`` line what is not of the kind it should be: a journal is not refused for that."""
    kinds = {"settings": dict, "versions": dict, "argv": list, "rank": int, "world": int, "pid": int}
    kinds |= {"run": str, "script": str, "cwd": str}
    for key, kind in kinds.items():
        if key in line and (not isinstance(line[key], kind) or isinstance(line[key], bool)):
            del line[key]
    try:
        number(line.get("time"), "time")
        _numbers(line.get("settings", {}), ("overhead", "allowance_seconds", "full_samples"), "settings")
    except BadLine:
        line.pop("time", None)
        line.pop("settings", None)


def check_end(line: dict[str, Any]) -> None:
    """Raise :class:`BadLine` when an ``end`` line would trip those who read it."""
    numbers = ("status", "seconds", "steps", "watcher_seconds", "allowance_seconds", "start_seconds")
    _numbers(line, (*numbers, "samples", "light_samples", "bytes"), "end")
    exception = mapping(line.get("exception") or {}, "exception")
    _texts(exception, ("type", "message"), "exception")
    check_place(exception.get("line"), "exception.line")


def check_model(line: dict[str, Any]) -> None:
    """Raise :class:`BadLine` when a ``model`` line would trip those who read it."""
    _texts(line, ("name", "kind"), "model")
    check_place(line.get("line"), "line")
    for module in _objects(line, "modules"):
        text(module.get("name"), "modules.name")
        _texts(module, ("kind",), "modules")
        mapping(module.get("options") or {}, "modules.options")
    for parameter in _objects(line, "params"):
        text(parameter.get("name"), "params.name")
        _texts(parameter, ("dtype", "device"), "params")
        for extent in listing(parameter.get("shape") or [], "params.shape"):
            whole(extent, "params.shape")


def check_optimizer(line: dict[str, Any]) -> None:
    """Raise :class:`BadLine` when an ``optimizer`` line would trip those who read it."""
    whole(line.get("o"), "o", least=-1)
    _texts(line, ("kind", "module"), "optimizer")
    check_place(line.get("line"), "line")
    for group in _objects(line, "groups"):
        number(group.get("lr"), "groups.lr")
        for name in listing(group.get("params") or [], "groups.params"):
            text(name, "groups.params")


def check_place(value: Any, where: str) -> None:
    """Raise :class:`BadLine` when a place in the script's code is neither null nor one."""
    place = mapping(value or {}, where)
    _texts(place, ("file", "function", "text"), where)
    number(place.get("line"), where)


def _texts(holder: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        if holder.get(key) is not None:
            text(holder[key], f"{where}.{key}")


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
