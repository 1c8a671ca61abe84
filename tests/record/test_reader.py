"""The reader: what was written comes back, whatever became of the file is survived."""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unstuck.core.errors import BadInput
from unstuck.record import reader as module
from unstuck.record.journal import Journal
from unstuck.record.lines import encode
from unstuck.record.reader import glance, journals, read_journal, read_run
from unstuck.record.recording import Recording, Stream
from unstuck.record.tail import Tail

HEAD = {"e": "head", "schema": "unstuck.journal/1", "rank": 0, "pid": 1, "time": 1e9, "script": "train.py"}
OPTIMIZER = {"e": "optimizer", "o": 0, "kind": "SGD", "groups": [{"lr": 0.5, "params": ["nan"]}], "line": None}
MODEL = {"e": "model", "m": 0, "name": "net", "modules": [{"name": "fc", "kind": "Linear"}], "params": []}
SAMPLE: dict[str, Any] = {
    "e": "sample",
    "o": 0,
    "s": 1,
    "full": True,
    "seconds": 0.001,
    "losses": [{"value": math.inf, "terms": [{"kind": "nll", "head": [], "output": {"mean": 1.0}, "target": None}]}],
    "inputs": [{"mean": 0.0, "std": 1.0}],
    "params": {"inf": {"w": 1.0, "g": math.nan, "order": 1}, "fc.bias": {"w": 2.0, "g": None, "order": 0}},
    "acts": [{"name": "relu1", "dead": 0.25}],
    "layers": [{"name": "fc", "in_rms": 3.0}],
    "noise": {"cos": 0.5, "pairs": 3},
    "unseen": [],
}
EVENT = {"e": "event", "kind": "nonfinite", "o": 0, "s": 1, "data": {"where": "loss", "name": "nan"}}
END = {"e": "end", "status": 0, "exception": None, "seconds": 2.0, "steps": 4}


def written(path: Path, *lines: dict[str, Any] | bytes) -> Path:
    place = path / "journal-0-1.jsonl"
    place.write_bytes(b"".join(line if isinstance(line, bytes) else encode(line) for line in lines))
    return place


def whole(path: Path) -> Path:
    """A journal with a line of every kind."""
    journal = Journal(path / "journal-0-1.jsonl")
    journal.record(HEAD)
    journal.record({"e": "torch", "version": "2.13.0", "threads": 1})
    journal.record(MODEL)
    journal.record(OPTIMIZER)
    journal.step(0, 0, 0.5, 2.5, 32)
    journal.step(0, 1, 0.6, math.nan, 32, 4, lr=[0.25, 0.1], clip_norm=7.0, clip_maximum=1.0)
    journal.record(SAMPLE)
    journal.record(EVENT)
    journal.record({"e": "light", "o": 0, "s": 1, "g": math.inf})
    journal.record({"e": "light", "o": 0, "s": 2, "g": 0.5})
    journal.step(-1, 0, 0.65, None, None)
    journal.step(0, 2, 0.7, None, 32)
    journal.step(0, 3, 0.8, 1e-300, 16, lr=[0.125, 0.1], clip_norm=0.5)
    journal.record(END)
    journal.close()
    return journal.path


def test_round_trip(tmp_path: Path) -> None:
    recording = read_journal(whole(tmp_path))
    assert recording.complete and recording.end is not None and recording.end["status"] == 0
    assert recording.head["script"] == "train.py" and recording.extras["torch"]["version"] == "2.13.0"
    assert recording.extras["bad_lines"] == 0 and [m["name"] for m in recording.models] == ["net"]
    assert sorted(recording.streams) == [-1, 0]
    stream = recording.main
    assert stream.number == 0 and stream.steps == 4
    assert stream.optimizer is not None and stream.optimizer["groups"][0]["params"] == ["nan"]
    assert list(stream.loss.steps) == [0, 1, 3] and stream.loss.first == 2.5 and stream.loss.last == 1e-300
    assert math.isnan(stream.loss.values[1])
    assert list(stream.learning_rate) == [(0, 0.5), (1, 0.25), (2, 0.25), (3, 0.125)]
    assert stream.learning_rates == [(1, [0.25, 0.1]), (3, [0.125, 0.1])]
    assert list(stream.batch_size) == [(0, 32), (1, 32), (2, 32), (3, 16)]
    assert list(stream.backwards) == [(0, 1), (1, 4), (2, 1), (3, 1)]
    assert list(stream.seconds) == [(0, 0.5), (1, 0.6), (2, 0.7), (3, 0.8)]
    assert list(stream.clip_norm) == [(1, 7.0), (3, 0.5)] and list(stream.clip_maximum) == [(1, 1.0)]
    assert list(stream.gradient_norm) == [(1, math.inf), (2, 0.5)]
    by_hand = recording.streams[-1]
    assert by_hand.steps == 1 and not by_hand.loss and not by_hand.batch_size and not by_hand.learning_rate
    (event,) = recording.happened("nonfinite")
    assert (event.step, event.stream, event.data["name"]) == (1, 0, "nan")


def test_samples_can_be_asked(tmp_path: Path) -> None:
    stream = read_journal(whole(tmp_path)).main
    assert stream.parameters() == ["fc.bias", "inf"]
    assert math.isnan(stream.parameter("inf", "g").last) and not stream.parameter("fc.bias", "g")
    assert stream.activation("relu1", "dead").last == 0.25
    assert stream.sampled("layers", "in_rms").last == 3.0 and stream.sampled("noise", "cos").last == 0.5
    ((step, loss, term),) = stream.terms()
    assert step == 1 and loss["value"] == math.inf and term["kind"] == "nll"


def picture(recording: Recording) -> list[list[str]]:
    """Everything in a recording, as lists of which a cut-off file must have beginnings."""
    lists: list[Iterable[object]] = [recording.models, recording.events]
    for stream in (recording.streams.get(o, Stream(o)) for o in (-1, 0)):
        lists += [stream.loss, stream.learning_rate, stream.batch_size, stream.backwards, stream.seconds]
        lists += [stream.gradient_norm, stream.clip_norm, stream.clip_maximum, stream.samples, stream.learning_rates]
    return [[repr(thing) for thing in things] for things in lists]


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_truncation_reads_as_a_prefix(tmp_path: Path, data: st.DataObject) -> None:
    if not (tmp_path / "journal-0-1.jsonl").exists():
        whole(tmp_path)
    content = (tmp_path / "journal-0-1.jsonl").read_bytes()
    complete = picture(read_journal(tmp_path / "journal-0-1.jsonl"))
    cut = data.draw(st.integers(0, len(content)))
    zeros = data.draw(st.sampled_from([0, 1, 5000]))
    place = tmp_path / "cut.jsonl"
    place.write_bytes(content[:cut] + b"\0" * zeros)
    recording = read_journal(place)
    assert recording.extras["bad_lines"] == 0
    assert recording.complete == (cut == len(content))
    for part, all_of_it in zip(picture(recording), complete, strict=True):
        assert part == all_of_it[: len(part)]
    seen = content[:cut].count(b'{"e":"step","o":0') - (b'{"e":"step","o":0' in content[:cut].rsplit(b"\n", 1)[-1])
    assert recording.streams.get(0) is None or recording.streams[0].steps == seen


def test_the_last_steps_come_from_the_ring(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal-0-1.jsonl")
    journal.record(HEAD)
    ring = Tail(journal.path)
    for s in range(6):
        ring.put(s % 4, 0, s, 0.1 * s, 10.0 - s, 0 if s == 5 else 8, 0.5 if s < 5 else 0.25)
        if s < 3:  # the journal lags behind
            journal.step(0, s, 0.1 * s, 10.0 - s, 8, lr=[0.5] if s == 0 else None)
    ring.put(5, 1, 0, 0.05, math.inf, 4, math.nan)
    recording = read_journal(journal.path)
    assert list(recording.streams[0].loss) == [(s, 10.0 - s) for s in range(6)]
    assert list(recording.streams[0].learning_rate) == [*((s, 0.5) for s in range(5)), (5, 0.25)]
    assert recording.streams[0].learning_rates == [(0, [0.5]), (5, [0.25])]
    assert list(recording.streams[0].batch_size) == [(s, 8) for s in range(5)]
    assert list(recording.streams[1].loss) == [(0, math.inf)] and not recording.streams[1].learning_rate
    seen = glance(journal.path)
    assert seen.last_step is not None and seen.last_step["s"] == 5
    ring.close()
    journal.close()
    assert read_journal(journal.path).main.steps == 3


def test_a_hostile_ring(tmp_path: Path) -> None:
    place = written(tmp_path, HEAD, OPTIMIZER)
    for content in (b"", b"\0" * 50_000, b"\xff" * 50_000, bytes(range(256)) * 200, b"\x01" * 39):
        place.with_name(place.name + ".tail").write_bytes(content)
        for series in read_journal(place).streams.values():
            assert series.steps <= 10**12 + 1
        glance(place)


def test_a_line_reserved_and_never_written(tmp_path: Path) -> None:
    step = b'{"e":"step","o":0,"s":0,"t":0.0,"l":1.0,"b":8}\n'
    recording = read_journal(written(tmp_path, HEAD, b"\0" * 60 + step, b"\0" * 100))
    assert recording.main.steps == 1 and recording.extras["bad_lines"] == 0


HOSTILE = [
    b"\xff\xfe\xfd\n",
    b"not json\n",
    b"[]\n",
    b"null\n",
    b'"e"\n',
    b'{"e":"step"}\n',
    b'{"e":"step","o":"0","s":1}\n',
    b'{"e":"step","o":true,"s":1}\n',
    b'{"e":"step","o":0,"s":-1}\n',
    b'{"e":"step","o":0,"s":1.5}\n',
    b'{"e":"step","o":0,"s":99999999999999999999}\n',
    b'{"e":"step","o":0,"s":0,"t":0.1}\n',  # a step that was there already
    b'{"e":"step","o":0,"s":1,"l":"high"}\n',
    b'{"e":"step","o":0,"s":1,"l":[1.0]}\n',
    b'{"e":"step","o":0,"s":1,"l":1' + b"0" * 400 + b"}\n",
    b'{"e":"step","o":0,"s":1,"l":1' + b"0" * 5000 + b"}\n",
    b'{"e":"step","o":0,"s":1,"t":0.000001,"l":1.2.3,"b":8}\n',
    b'{"e":"step","o":0,"s":1,"t":0.000001,"l":1-1,"b":8}\n',
    b'{"e":"step","o":0,"s":1,"lr":0.1}\n',
    b'{"e":"step","o":0,"s":1,"lr":["x"]}\n',
    b'{"e":"step","o":0,"s":1,"b":{}}\n',
    b'{"e":"step","o":0,"s":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    b'{"e":"event","kind":"x","data":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}\n",
    b'{"e":"light","o":0,"s":1,"g":"big"}\n',
    b'{"e":"light","s":1,"g":1.0}\n',
    b'{"e":"event"}\n',
    b'{"e":"event","kind":3}\n',
    b'{"e":"event","kind":"x","s":"1"}\n',
    b'{"e":"event","kind":"x","o":{}}\n',
    b'{"e":"event","kind":"x","data":[1]}\n',
    b'{"e":"sample","o":0}\n',
    b'{"e":"sample","o":0,"s":1,"params":[]}\n',
    b'{"e":"sample","o":0,"s":1,"params":{"w":3}}\n',
    b'{"e":"sample","o":0,"s":1,"params":{"w":{"g":"big"}}}\n',
    b'{"e":"sample","o":0,"s":1,"params":{"w":{"order":[]}}}\n',
    b'{"e":"sample","o":0,"s":1,"acts":{}}\n',
    b'{"e":"sample","o":0,"s":1,"acts":[{}]}\n',
    b'{"e":"sample","o":0,"s":1,"acts":[{"name":"a","dead":{}}]}\n',
    b'{"e":"sample","o":0,"s":1,"losses":[1]}\n',
    b'{"e":"sample","o":0,"s":1,"losses":[{"terms":{"a":1}}]}\n',
    b'{"e":"sample","o":0,"s":1,"losses":[{"terms":[{"output":[]} ,3]}]}\n',
    b'{"e":"sample","o":0,"s":1,"losses":[{"line":"here"}]}\n',
    b'{"e":"sample","o":0,"s":1,"inputs":["x"]}\n',
    b'{"e":"sample","o":0,"s":1,"inputs":[{"mean":"x"}]}\n',
    b'{"e":"sample","o":0,"s":1,"layers":[null]}\n',
    b'{"e":"sample","o":0,"s":1,"noise":[1]}\n',
    b'{"e":"sample","o":0,"s":1,"noise":{"cos":"x"}}\n',
    b'{"e":"optimizer","o":null}\n',
    b'{"e":"optimizer","o":0,"groups":{}}\n',
    b'{"e":"optimizer","o":0,"groups":[{"lr":"x"}]}\n',
    b'{"e":"optimizer","o":0,"groups":[{"params":[1]}]}\n',
    b'{"e":"optimizer","o":0,"kind":1}\n',
    b'{"e":"model","modules":{}}\n',
    b'{"e":"model","modules":[{"name":3}]}\n',
    b'{"e":"model","modules":[{"name":"a","options":[1]}]}\n',
    b'{"e":"model","params":[{"name":"w","device":[]}]}\n',
    b'{"e":"model","params":[{"name":"w","shape":["x"]}]}\n',
    b'{"e":"end","seconds":"long"}\n',
    b'{"e":"end","exception":[1]}\n',
    b'{"e":"end","exception":{"line":3}}\n',
    b'{"e":"end","exception":{"type":{}}}\n',
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: line[:60].decode("latin-1").strip())
def test_a_hostile_line_is_skipped_and_counted(tmp_path: Path, line: bytes) -> None:
    good = encode({"e": "step", "o": 0, "s": 0, "t": 0.0, "l": 1.0, "b": 8})
    after = encode({"e": "step", "o": 0, "s": 1, "t": 0.1, "l": 0.5, "b": 8})
    recording = read_journal(written(tmp_path, HEAD, OPTIMIZER, good, line, after, END))
    assert recording.extras["bad_lines"] == 1 and recording.extras["bad_line"].startswith("line 4: ")
    assert list(recording.main.loss) == [(0, 1.0), (1, 0.5)]  # nothing of the bad line was kept
    assert recording.complete and not recording.main.samples and not recording.events and not recording.models


def test_unknown_kinds_and_keys_are_ignored(tmp_path: Path) -> None:
    lines = [
        {"e": "from the future", "x": [1]},
        {"x": 1},
        {"e": 7},
        {"e": "step", "o": 0, "s": 0, "t": 0.0, "l": 1.0, "b": 8, "new": {"deep": [1]}},
        {"e": "sample", "o": 0, "s": 0, "params": None, "acts": None, "losses": [{"terms": None}], "new": "x"},
        {
            "e": "sample",
            "o": 0,
            "s": 1,
            "acts": [{"name": "a", "order": None, "dead": True}],
            "params": {"w": {"new": "x"}},
        },
        {"e": "head", "schema": "unstuck.journal/1", "rank": 9},
        {"e": "torch", "version": 3},
    ]
    recording = read_journal(written(tmp_path, HEAD, b"\n", *lines))
    assert recording.extras["bad_lines"] == 0 and recording.main.steps == 1 and recording.head["rank"] == 0
    assert recording.main.activations() == ["a"] and recording.main.parameters() == ["w"]
    assert recording.main.activation("a", "dead").last == 1.0 and list(recording.main.terms()) == []


def test_a_head_of_wrong_types_is_read_without_them(tmp_path: Path) -> None:
    odd = {"rank": "x", "argv": 3, "versions": [], "settings": {"overhead": "much"}, "time": "now", "script": 1}
    recording = read_journal(written(tmp_path, {**HEAD, **odd}))
    assert recording.head["schema"] == HEAD["schema"] and not set(odd) & set(recording.head)
    assert not set(odd) & set(glance(tmp_path / "journal-0-1.jsonl").head)


@given(st.lists(st.binary(max_size=80) | st.sampled_from([encode(x) for x in (SAMPLE, EVENT, MODEL, OPTIMIZER, END)])))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_raises(tmp_path: Path, lines: list[bytes]) -> None:
    place = written(tmp_path, HEAD, *(line + b"\n" for line in lines))
    recording = read_journal(place)
    assert recording.head["script"] == "train.py"
    glance(place)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_recording_can_be_asked_whatever_stood_in_the_lines(tmp_path: Path, data: st.DataObject) -> None:
    """One value anywhere in a valid line is replaced: the line is refused, or every question is still answered."""
    line = json.loads(json.dumps(data.draw(st.sampled_from([SAMPLE, EVENT, MODEL, OPTIMIZER, END])), allow_nan=True))
    holder: Any = line
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))))
        if isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
            holder = holder[key]
        else:
            break
    holder[key] = data.draw(json_values)
    recording = read_journal(written(tmp_path, HEAD, line))
    stream = recording.main
    for name in stream.parameters():
        for statistic in ("w", "g", "order"):
            stream.parameter(name, statistic)
    for name in stream.activations():
        stream.activation(name, "dead")
    for part, statistic in (("inputs", "mean"), ("layers", "in_rms"), ("noise", "cos")):
        stream.sampled(part, statistic)
    assert all(step >= 0 for step, _, _ in stream.terms())


def test_both_roads_read_a_step_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "journal-0-1.jsonl")
    journal.record(HEAD)
    journal.step(0, 0, 0.0, 1.0, 8, lr=[0.1])
    losses = [3.0, -2.5, 1e-300, 1e300, 5e-324, 0.1, 123456789.125, 0.0, math.inf, math.nan, 1 / 3]
    for i, loss in enumerate(losses, 1):
        journal.step(i % 2, i, 1e-3 * i, loss, i)
        journal.step(i % 2, i, 1e-3 * i, loss, i)  # comes again: refused on both roads
    journal.close()
    quick = read_journal(journal.path)
    monkeypatch.setattr(module, "_USUAL_STEP", lambda line: None)
    careful = read_journal(journal.path)
    assert repr(quick.streams) == repr(careful.streams)
    assert quick.extras == careful.extras and quick.extras["bad_lines"] == len(losses)


def test_a_line_too_long_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE_BYTES", 1000)
    long = b'{"e":"step","o":0,"s":0,"pad":"' + b"x" * 3_000_000 + b'"}\n'
    after = encode({"e": "step", "o": 0, "s": 1, "t": 0.0})
    recording = read_journal(written(tmp_path, HEAD, long, after, b"\0" * 5000))
    assert recording.extras["bad_lines"] == 1 and list(recording.main.seconds.steps) == [1]


@pytest.mark.parametrize(
    "content",
    [
        b"import torch\nprint(1)\n",
        b"import torch",
        b'{"a": 1}\n',
        b'{"e":"head","schema":"unstuck.journal/2"}\n',
        b'{"e":"step","o":0,"s":0}\n',
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10,
        b"x\n" * 1000,
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    place = written(tmp_path, content)
    for read in (read_journal, glance):
        with pytest.raises(BadInput, match=r"journal"):
            read(place)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        with pytest.raises(BadInput):
            read_journal(place)
    with pytest.raises(BadInput):
        read_run(tmp_path / "missing")


def test_a_run_of_several_processes(tmp_path: Path) -> None:
    for rank, pid, steps in ((1, 30, 9), (0, 100, 2), (0, 20, 0), (10, 5, 1)):
        journal = Journal(tmp_path / f"journal-{rank}-{pid}.jsonl")
        journal.record({**HEAD, "rank": rank, "pid": pid})
        for s in range(steps):
            journal.step(0, s, 0.0, 1.0, 8)
        journal.close()
    (tmp_path / "journal-0-7.jsonl").write_bytes(b"something else\n")
    (tmp_path / "report.json").write_text("{}")
    assert [p.name for p in journals(tmp_path)][:2] == ["journal-0-7.jsonl", "journal-0-20.jsonl"]
    found = read_run(tmp_path)
    assert [(r.head["rank"], r.head["pid"]) for r in found] == [(0, 100), (0, 20), (1, 30), (10, 5)]
    assert len(found[0].extras["unreadable"]) == 1 and "journal-0-7" in found[0].extras["unreadable"][0]


def test_a_run_without_journals(tmp_path: Path) -> None:
    assert read_run(tmp_path) == []
    written(tmp_path, b"something else\n")
    with pytest.raises(BadInput):
        read_run(tmp_path)


def test_a_glance_agrees_with_reading(tmp_path: Path) -> None:
    place = whole(tmp_path)
    seen, recording = glance(place), read_journal(place)
    assert seen.head == recording.head and seen.end == recording.end and seen.torch == recording.extras["torch"]
    assert seen.last_step is not None and seen.last_step["s"] == 3


def test_a_glance_at_a_killed_run(tmp_path: Path) -> None:
    steps = [b'{"e":"step","o":0,"s":%d,"t":1.000000,"l":0.5,"b":8}\n' % s for s in range(20_000)]
    seen = glance(written(tmp_path, HEAD, *steps, b'{"e":"step","o":0,"s":2', b"\0" * (1 << 20)))
    assert seen.end is None and seen.last_step is not None and seen.last_step["s"] == 19_999
    assert glance(written(tmp_path, b"")).head == {} and glance(written(tmp_path, b"\0" * 9999)).head == {}
