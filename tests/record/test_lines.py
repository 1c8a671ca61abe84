"""Lines: what is written comes back, and what JSON cannot say is said in words."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unstuck.record.lines import decode, encode, step_line

words = st.sampled_from(["nan", "inf", "-inf", "fc1.weight", "ä", "\ud800", "a\nb", "\0"])
numbers = st.floats() | st.integers(-(2**60), 2**60) | st.booleans() | st.none()
values = st.recursive(numbers, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4))


def same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return [k.encode("utf-8", "replace") for k in a] == [k.encode("utf-8", "replace") for k in b] and all(
            map(same, a.values(), b.values())
        )
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(values)
def test_every_value_comes_back(value: object) -> None:
    line = encode({"e": "event", "data": value})
    assert line.isascii() and line.endswith(b"\n") and line.count(b"\n") == 1
    json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert same(decode(line)["data"], value)


@given(st.floats(), st.integers(0, 10**9), st.integers(1, 10**6))
def test_every_loss_comes_back_exactly(loss: float, step: int, batch: int) -> None:
    back = decode(step_line(0, step, 0.5, loss, batch))
    assert float(back["l"]) == loss or (math.isnan(back["l"]) and math.isnan(loss))
    assert (back["s"], back["b"], back["t"]) == (step, batch, 0.5)


def test_step_leaves_out_what_is_not_known() -> None:
    assert decode(step_line(1, 2, 0.0, None, None)) == {"e": "step", "o": 1, "s": 2, "t": 0.0}
    full = decode(step_line(-1, 0, 0.0, 1.0, 8, 3, lr=[0.1, math.inf], clip_norm=math.nan, clip_maximum=1.0))
    assert full["n"] == 3 and full["lr"] == [0.1, math.inf] and math.isnan(full["c"]) and full["cm"] == 1.0
    assert decode(step_line(0, 0, 0.0, 1.0, 8, clip_maximum=1.0))["cm"] == 1.0
    assert decode(step_line(0, 0, 0.0, 1.0, 8, clip_norm=2.0))["c"] == 2.0


def test_scalars_of_numpy_are_numbers() -> None:
    line = step_line(0, 0, 0.0, np.float64(0.1), np.int64(4))  # type: ignore[arg-type]
    assert decode(line)["l"] == 0.1 and decode(line)["b"] == 4
    data = {"a": np.float32(0.5), "b": np.float64("nan"), "c": np.int32(3), "d": np.bool_(True)}
    back = decode(encode({"e": "event", "data": data}))["data"]
    assert back["a"] == 0.5 and math.isnan(back["b"]) and back["c"] == 3 and back["d"] is True


def test_a_name_that_spells_a_number_stays_a_name() -> None:
    line = {"e": "model", "name": "inf", "params": [{"name": "nan", "shape": [1]}], "x": "inf"}
    back = decode(encode(line))
    assert back["name"] == "inf" and back["params"][0]["name"] == "nan" and back["x"] == math.inf
    assert decode(encode({"e": "optimizer", "groups": [{"params": ["nan"]}]}))["groups"][0]["params"] == ["nan"]


def test_what_json_does_not_know_is_written_all_the_same() -> None:
    endless: dict[str, object] = {"e": "event"}
    endless["data"] = endless
    data = {"set": {2, 1}, "odd": object, 3: "key", "pair": (1, 2), "nan": math.nan}
    back = decode(encode({"e": "event", "data": data}))["data"]
    assert back["set"] == [1, 2] and back["3"] == "key" and back["pair"] == [1, 2] and "object" in back["odd"]
    assert decode(encode(endless))["e"] == "event"


def test_half_a_surrogate_pair_can_be_printed_after_reading() -> None:
    back = decode(b'{"e":"head","argv":["\\udcff \\ud83d\\ude00"]}')
    assert back["argv"] == ["? \N{GRINNING FACE}"]


@pytest.mark.parametrize("line", [b"[1]", b"3", b'"e"', b"{", b"\xff", b"", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        decode(line)
