"""Inputs, or nearly all features of them, do not vary: the model cannot tell examples apart.

What it means
-------------
Whatever example is drawn, the same numbers enter the model: all zeros after a division of whole numbers, the same item
of a data set again and again, an image overwritten by a buffer. Or nine tenths of the columns and more are stuck at
one value that is not zero.

Why it hurts
------------
Equal inputs get equal outputs. The best that is left is a constant answer (the class shares, the mean of the targets),
which the biases of the last layer learn by themselves; the weights of the first layer learn nothing about the data.

How it is judged
----------------
By the inputs themselves, counted over all sampled batches: every example of every batch is the same (or all
features have had one value throughout), while the targets differ from example to example. That is exact, and an error,
when it holds for all inputs that enter the model. Where only some inputs or some features stand still it is a warning
if nearly all features do, at a value other than zero, and the run did not come halfway; information otherwise.
Columns that are zero so far (rare words, the border of images) are normal and not counted. Whole numbers that are looked up
in tables of eight rows and more, of which five hundred use two different ones, are a warning when nothing was learned.

When it is wrong
----------------
The model is meant to map one fixed input to something (a picture fitted from fixed noise, a learned table behind a
constant); there the targets do not differ either, and nothing is said. A few batches of rare events may look constant.

What to do
----------
Print two examples right before the model and compare them. Go back to the line that makes them alike: a division
with `//` or of unsigned bytes, a conversion to whole numbers after scaling, an index that is not used, an array that is
filled again in place.

Sources
-------
Karpathy, A recipe for training neural networks, 2019 (look at what enters the network; the baseline that ignores its
input). TheDeepChecker (Ben Braiek and Khomh, 2023): constant features. NumPy, documentation of `floor_divide`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Severity, Skipped
from unstuck.findings.evidence.head import nothing_to_read, number, seen_terms, unseen
from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.findings.evidence.places import model_line
from unstuck.record.recording import Recording, Stream

CODE = "D103"
NAME = "inputs-constant"
CLAIM = "inputs (or most features) do not vary: the model cannot tell examples apart"
ENABLED = True
SICK = ("examples/sick/d103_digits_floor.py",)
HEALTHY = ("examples/mended/d103_digits_floor.py", "examples/healthy/words_bag_classifier.py")
THRESHOLDS = {
    "examples": (16, "so many equal examples are no coincidence; smaller batches may repeat one example by design"),
    "most": (0.9, "share of the features that never varied; digits and MNIST images, whose borders are empty, "
             "reach 0.23; 105 healthy and mended runs, no false alarm"),
    "rows": (64, "examples after which a feature that has not varied is taken for constant"),
    "words": (500, "whole numbers that entered: so many words of any text use more than two different ones"),
    "used": (2, "different numbers at most: one for padding, one for what is unknown"),
    "table": (8, "rows at least of every table that looks them up"),
    "filled": (0.5, "share of the constant features that must stand at another value than zero (rare words are zero)"),
}  # fmt: skip


@dataclass(frozen=True)
class _Given:
    """One input over all samples."""

    model: str
    name: str
    step: int
    examples: int
    value: float | None  # the one value, where all entries are equal
    constant: bool
    still: float | None  # share of features that never varied
    features: int
    zero: float


def judge(recording: Recording) -> Answer:
    """Does anything that enters the model differ from example to example?"""
    stream = recording.main
    if not stream.samples:
        return nothing_to_read(recording) or Skipped("no step was sampled")
    given = _inputs(stream)
    if not given:
        return Skipped("the inputs of the model were not seen: " + (unseen(recording) or "no model was called"))
    course = loss_course(recording)
    enough = [g for g in given if g.examples >= THRESHOLDS["examples"][0]]
    if not enough:
        return Skipped(f"only {max(g.examples for g in given)} examples were seen")
    differs = _targets_differ(stream)
    models = {g.model for g in given}
    for model in sorted(models):
        mine = [g for g in enough if g.model == model]
        if not mine or len(mine) < len([g for g in given if g.model == model]):
            continue
        if all(g.constant for g in mine):
            if not differs:
                return Passed("the inputs do not vary, but neither do the targets: one fixed input by design")
            alone = len(models) == 1
            return _all_equal(recording, mine[0], course, alone=alone)
    for one in enough:
        found = _mostly_still(recording, one, course)
        if found is not None:
            return found
    words = _few_words(recording, course)
    return words or Passed("the inputs vary from example to example")


def _few_words(recording: Recording, course: LossCourse) -> Fired | None:
    """Whole numbers that use the first one or two rows of tables of many: nearly every word is the unknown one."""
    if course.outcome not in ("nothing", "diverged"):
        return None
    for model in recording.models:
        name = str(model.get("name"))
        tables = _table_sizes(model)
        entries = [
            e
            for sample in recording.main.samples
            for e in sample.get("inputs") or ()
            if str(e.get("model")) == name and "int" in str(e.get("dtype")) and number(e.get("max")) is not None
        ]
        numbers = sum(math.prod(int(n) for n in e.get("shape") or ()) for e in entries)
        if not tables or not entries or numbers < THRESHOLDS["words"][0]:
            continue
        low, high = min(float(e["min"]) for e in entries), max(float(e["max"]) for e in entries)
        used = high - low + 1
        if used > THRESHOLDS["used"][0] or min(tables) < THRESHOLDS["table"][0]:
            continue
        return Fired(
            sentence=f"Of the {numbers} words, characters or items that {name} was shown, all are numbers from {low:g} to "
            f"{high:g}, where its table has {min(tables)} rows: they are padding and the unknown word; {course.sentence}.",
            severity="warning",
            confidence=0.8,
            where=f"inputs of {name}",
            step=int(recording.main.samples[0]["s"]),
            evidence={"rows": min(tables), "lowest": low, "highest": high, "seen": numbers, **course.evidence()},
            advice=(
                Advice(
                    "look at two encoded examples",
                    "Print the numbers of two examples, and check that the vocabulary is built from the same pieces "
                    "(words or characters) that are looked up in it.",
                    "print(x[:2])   # many different numbers are expected",
                ),
            ),
            line=model_line(recording, name),
        )
    return None


def _table_sizes(model: Mapping[str, Any]) -> list[int]:
    """Rows of a model's embeddings."""
    kinds = {str(m.get("name")): str(m.get("kind")) for m in model.get("modules") or ()}
    return [
        int((p.get("shape") or [0])[0])
        for p in model.get("params") or ()
        if "Embedding" in kinds.get(str(p["name"]).rpartition(".")[0], "")
    ]


def _inputs(stream: Stream) -> list[_Given]:
    seen: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for sample in stream.samples:
        for entry in sample.get("inputs") or ():
            if entry.get("live"):
                continue  # another network's output: what is wrong with it is not in the data
            key = (str(entry.get("model") or ""), str(entry.get("name") or ""))
            seen.setdefault(key, []).append((int(sample["s"]), entry))
    return [found for key, entries in seen.items() if (found := _one(key, entries)) is not None]


def _one(key: tuple[str, str], entries: list[tuple[int, Mapping[str, Any]]]) -> _Given | None:
    first, last = entries[0][1], entries[-1][1]
    lows = {number(e.get("min")) for _, e in entries}
    highs = {number(e.get("max")) for _, e in entries}
    if None in lows or None in highs or any(not math.isfinite(v) for v in lows | highs if v is not None):
        return None
    one_value = len(lows | highs) == 1
    rows = sum(int((e.get("shape") or [1])[0] or 1) for _, e in entries)
    still = number(last.get("constant_share"))
    # Equal rows within every batch, or no feature that ever took two values.
    stands = one_value or (still == 1.0 and all(e.get("batch_equal") is not False for _, e in entries))
    same_rows = [e.get("batch_equal") for _, e in entries]
    repeated = all(flag is True for flag in same_rows) and len(same_rows) > 1 and _unchanged(entries)
    return _Given(
        model=key[0],
        name=key[1],
        step=entries[0][0],
        examples=int(last.get("examples") or rows),
        value=next(iter(lows)) if one_value else None,
        constant=stands or repeated,
        still=still,
        features=int(last.get("features") or 0),
        zero=number(first.get("zero_share")) or 0.0,
    )


def _unchanged(entries: list[tuple[int, Mapping[str, Any]]]) -> bool:
    """The batches have the same mean and range throughout: one example again and again."""
    return len({(e.get("mean"), e.get("min"), e.get("max")) for _, e in entries}) == 1


def _targets_differ(stream: Stream) -> bool:
    """Some sampled batch holds two different targets, or the batches differ in theirs."""
    means = set()
    for seen in seen_terms(stream):
        target = seen.target
        if int(target.get("distinct") or 0) > 1 and target.get("batch_equal") is False:
            return True
        if target.get("mean") is not None:
            means.add(target["mean"])
    return len(means) > 1


def _all_equal(recording: Recording, one: _Given, course: LossCourse, *, alone: bool) -> Fired:
    name = _name(one)
    what = f"{name} is {one.value:g} everywhere" if one.value is not None else f"{name} is the same for every example"
    hurt = course.hurt or course.outcome == "unknown"
    return Fired(
        sentence=f"{what}, in all of {one.examples} sampled examples, though the targets differ: the model cannot tell "
        f"examples apart; {course.sentence}.",
        severity="error" if alone and hurt else "warning" if hurt else "info",
        confidence=0.95 if alone and hurt else 0.6,
        where=_where(one),
        step=one.step,
        evidence={
            "examples": one.examples,
            "features": one.features or None,
            "value": one.value,
            "constant_share": 1.0,
            **course.evidence(),
        },
        advice=(
            Advice(
                "look at two examples",
                "Print two examples right before the model, and go back to the line that makes them alike.",
                "print(x[0].min(), x[0].max(), (x[0] - x[1]).abs().max())   # then the line that made x",
            ),
        ),
        line=model_line(recording, one.model),
    )


def _mostly_still(recording: Recording, one: _Given, course: LossCourse) -> Fired | None:
    """Nearly all features stand still, and not at zero."""
    if one.still is None or one.features < 8 or one.examples < THRESHOLDS["rows"][0]:
        return None
    filled = one.still - one.zero >= THRESHOLDS["filled"][0] * one.still
    if one.still < THRESHOLDS["most"][0] or not filled or one.constant:
        return None
    severity: Severity = "warning" if course.hurt else "info"
    varying = round((1 - one.still) * one.features)
    return Fired(
        sentence=f"Only {varying} of {one.features} features of {_name(one).replace('The', 'the', 1)} vary over "
        f"{one.examples} examples; {course.sentence}.",
        severity=severity,
        confidence=0.7 if course.hurt else 0.5,
        where=_where(one),
        step=one.step,
        evidence={"examples": one.examples, "features": one.features, "constant_share": one.still, **course.evidence()},
        advice=(
            Advice(
                "keep what varies",
                "Check how the features are computed; leave out columns with a single value.",
                "print((X_train.std(0) == 0).sum(), 'of', X_train.shape[1], 'columns never vary')",
            ),
        ),
        line=model_line(recording, one.model),
    )


def _name(one: _Given) -> str:
    return f"The input {one.name}" if one.name and not one.name.isdigit() else "The input"


def _where(one: _Given) -> str:
    return " ".join(x for x in (f"input {one.name}".strip(), f"of {one.model}" if one.model else "") if x)
