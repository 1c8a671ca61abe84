"""Trainable parameters outside the optimizer, frozen ones in it, or an optimizer that holds those of another
model.

What it means
-------------
An optimizer changes the parameters it was given, at the time it was given them. Parameters of layers added,
replaced or moved later are not in it; parameters that do not ask for a gradient are in it for nothing.

Why it hurts
------------
The gradient is computed, the step is made, and the weights stay as they are: the run costs time and learns
nothing, or only in the part that the optimizer knows.

How it is judged
----------------
Exactly, by comparing the values of the parameters. An error: no parameter of the optimizer changes though
gradients are alive; or the optimizer holds tensors that are in no model and get no gradient, of the same
shapes as those of the model. A warning: parameters that get gradients, ask for them, do not move and are in
no optimizer, in a model that is trained otherwise or before a layer that is, and the run has not come halfway
from a constant answer to a perfect one. Late in the run too: what an optimizer holds got a gradient at first and then none
any more, for a tenth of the run at least and to its end, while parameters that are in no optimizer get one and do not
move; a model that is made anew after its checkpoint was loaded leaves its optimizer like that. An error, however much
was learned before. Where the run has learned, that is information: training only a head
is common. Frozen parameters, whole models that no optimizer holds and that come after the trained one (a
fixed critic, a loss network), averages and targets are left alone.

When it is wrong
----------------
A part left out of the optimizer on purpose without being frozen is named when the run does not learn for
another reason.

What to do
----------
Make the optimizer after the model has its final layers and stands on its device, from ``model.parameters()``.
Freeze what is meant to be fixed, so that it is plain. When a run goes on from a checkpoint, load it into the model that
the optimizer holds (``load_state_dict`` changes the values in place), or make the optimizer anew and load its state too.

Sources
-------
PyTorch's documentation of ``torch.optim`` (constructing it). TrainCheck, 2025, and users' reports of frozen
or stale parameters.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.liveness import gradients_stopped, held_names, left_out, trainable_names, with_parameters
from unstuck.findings.evidence.places import model_name, optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Event, Fact, Recording

CODE = "U409"
NAME = "parameters-not-updated"
CLAIM = "trainable parameters outside the optimizer, frozen, or held by a stale optimizer"
ENABLED = True
SICK = (
    "examples/sick/u409_digits_head_only.py",
    "examples/sick/u409_digits_layer_list.py",
    "examples/sick/u409_wine_reset.py",
)
HEALTHY = (
    "examples/mended/u409_digits_head_only.py",
    "examples/mended/u409_digits_layer_list.py",
    "examples/mended/u409_wine_reset.py",
    "examples/healthy/digits_frozen_backbone.py",
    "examples/healthy/corridor_dqn.py",
    "examples/healthy/digits_mean_teacher.py",
    "examples/healthy/words_sparse_embedding.py",
)
THRESHOLDS = {
    "felt": (1e-5, "of the weight's norm for one step; single precision rounds at 6e-8 of an entry"),
    "stale": (
        0.5,
        "of the optimizer's parameters are in no model: one or two extra tensors are often trained on their own",
    ),
}


def judge(recording: Recording) -> Answer:
    """A stale optimizer, one whose parameters stand still, then trainable parameters outside any optimizer."""
    if not any(stream.steps for stream in recording.streams.values()):
        return NotApplicable("no step was made")
    looked = any(with_parameters(s) for s in recording.streams.values())
    for event in recording.happened("stale_optimizer"):
        data = event.data
        if not data.get("same_shapes") or data.get("with_gradient"):
            continue
        most = int(data.get("count") or 0) >= THRESHOLDS["stale"][0] * int(data.get("of") or 1)
        if most or left_out(recording):
            return _stale(recording, event, most=most)
    stranded = _stranded(recording)
    if stranded is not None:
        return stranded
    still = _standing_still(recording)
    if still is not None:
        return still
    untracked = _untracked(recording)
    if untracked is not None:
        return untracked
    if not looked and not recording.events:
        return Skipped("the parameters were not compared")
    return Passed("the parameters that the optimizers hold change, and no trainable part with a gradient is left out")


def _stale(recording: Recording, event: Event, *, most: bool) -> Answer:
    data = event.data
    stream = recording.streams.get(int(data.get("o") or event.stream), recording.main)
    reached = progress(recording)
    name = model_name(recording)
    stopped = [e.data for e in gradients_stopped(recording) if e.data.get("o") == stream.number]
    since = f", and from step {stopped[-1]['from']} on none of them got a gradient" if stopped else ""
    return Fired(
        sentence=f"{data['count']} of the {data['of']} parameters in the optimizer belong to no model that runs, "
        f"though the model has parameters of the same shapes: it was made for another copy of the model{since}; "
        f"{reached.sentence}.",
        severity="error" if most or reached.state == "none" else "warning",
        confidence=0.95,
        where=optimizer_kind(stream) or "optimizer",
        step=int(stopped[-1]["from"]) if stopped else event.step,
        evidence={"held_elsewhere": int(data["count"]), "held": int(data["of"])},
        advice=(
            Advice(
                "make the optimizer last",
                "Make the optimizer after the model that is trained, and not before it is replaced or copied.",
                f"optimizer = torch.optim.{optimizer_kind(stream) or 'SGD'}({name}.parameters(), "
                f"lr={stream.learning_rate.first if stream.learning_rate else 0.1:g})",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )


def _stranded(recording: Recording) -> Answer | None:
    """Late in the run what an optimizer holds gets no gradient any more, and what gets one is in no optimizer."""
    outside = left_out(recording)
    if not outside:
        return None
    for event in gradients_stopped(recording):
        data = event.data
        if data.get("moved"):
            continue
        stream = recording.streams.get(int(data.get("o", event.stream)), recording.main)
        reached = progress(recording)
        kind = optimizer_kind(stream) or "SGD"
        first = outside[0].rpartition(".")[0] or outside[0]
        rate = stream.learning_rate.first if stream.learning_rate else 0.1
        return Fired(
            sentence=f"From step {data['from']} of {stream.steps} on none of the {data['of']} parameters in the optimizer "
            f"got a gradient, while {len(outside)} others get one, are in no optimizer and do not move ({outside[0]}): "
            f"another model is trained than the one that the optimizer was made for; {reached.sentence}.",
            severity="error",
            confidence=0.9,
            where=first,
            step=int(data["from"]),
            evidence={"since": int(data["from"]), "held": int(data["of"]), "outside": len(outside)},
            advice=(
                Advice(
                    "one model for both",
                    "Load the checkpoint into the model that the optimizer holds, or make the optimizer anew from the model "
                    "that is trained, and load its state too.",
                    f"optimizer = torch.optim.{kind}({model_name(recording)}.parameters(), lr={rate:g})\n"
                    "optimizer.load_state_dict(state)",
                    optimizer_line(stream),
                ),
            ),
            line=optimizer_line(stream),
        )
    return None


def _standing_still(recording: Recording) -> Answer | None:
    """No parameter of an optimizer moves, or some do not though their gradient is alive and their rate is not zero."""
    trainable = trainable_names(recording)
    for number, stream in recording.streams.items():
        events = [e for e in recording.happened("not_moved") if int(e.data.get("o", e.stream)) == number]
        if not events:
            continue
        last = events[-1].data
        names = [str(n) for n in last.get("params") or ()]
        gradients = _last_gradients(recording, number)
        everything = bool(last.get("of")) and len(names) >= int(last["of"])
        rates = stream.learning_rate.between(int(last.get("from") or 0), int(last.get("to") or stream.steps) + 1)
        resting = bool(rates) and max(rates.values) == 0
        if everything and not resting:
            frozen = [n for n in names if not trainable.get(n, True)]
            alive = [n for n, g in _all_gradients(recording).items() if g]
            if not alive:
                continue  # no gradient anywhere: that is G307's
            own = [n for n in names if gradients.get(n)]
            if own and stream.learning_rate and not any(_felt(recording, number, n, gradients.get(n)) for n in own):
                continue  # steps that are lost in rounding: the gradient has vanished
            return _all_still(recording, number, names, frozen, alive, own, last)
        if everything and resting:
            return _rate_zero(recording, number, last)
        stuck = [n for n in names if _felt(recording, number, n, gradients.get(n))]
        if stuck and not resting and len(stream.learning_rates or ()) <= 1 and _one_rate(stream.optimizer):
            reached = progress(recording)
            return Fired(
                sentence=f"{len(stuck)} of {last.get('of')} parameters did not change from step {last.get('from')} "
                f"to {last.get('to')} though they have a gradient, {stuck[0]} among them; {reached.sentence}.",
                severity="warning" if reached.state == "none" else "info",
                confidence=0.7,
                where=stuck[0],
                step=events[0].step,
                evidence={"not_moved": len(stuck), "of": int(last.get("of") or 0)},
                advice=(
                    Advice("look at the update", "Is something written back over them after the step, or masked?"),
                ),
            )
    return None


def _felt(recording: Recording, number: int, name: str, gradient: float | None) -> bool:
    """The gradient is large enough to change a rounded weight; one that has vanished is another sickness."""
    stream = recording.streams[number]
    weight = stream.parameter(name, "w")
    rate = max(stream.learning_rate.values) if stream.learning_rate else 0.0
    return bool(gradient) and bool(weight) and rate * float(gradient or 0) > THRESHOLDS["felt"][0] * weight.last


def _one_rate(optimizer: Fact | None) -> bool:
    groups = (optimizer or {}).get("groups") or ()
    return all(group.get("lr", 1) for group in groups)


def _last_gradients(recording: Recording, number: int) -> dict[str, float | None]:
    samples = with_parameters(recording.streams[number])
    found: dict[str, float | None] = {}
    for sample in samples[-3:]:
        for name, stat in sample["params"].items():
            if stat.get("g"):
                found[name] = float(stat["g"])
    return found


def _all_gradients(recording: Recording) -> dict[str, float]:
    found: dict[str, float] = {}
    for stream in recording.streams.values():
        for sample in with_parameters(stream)[-5:]:
            for name, stat in sample["params"].items():
                if stat.get("g"):
                    found[name] = float(stat["g"])
    for event in recording.happened("untracked"):
        for param in event.data.get("params") or ():
            if param.get("gradient"):
                found.setdefault(str(param["name"]), 1.0)
    return found


def _all_still(
    recording: Recording, number: int, names: list[str], frozen: list[str], alive: list[str], own: list[str], last: Fact
) -> Answer:
    stream = recording.streams[number]
    reached = progress(recording)
    name = model_name(recording)
    if frozen and not own:
        why = (
            f"all {len(frozen)} of them are frozen"
            if len(frozen) == len(names)
            else f"{len(frozen)} of them are frozen"
        )
        why += f", while {alive[0]} has a gradient and is in no optimizer" if alive else ""
        code = (
            f"optimizer = torch.optim.{optimizer_kind(stream) or 'SGD'}(\n"
            f"    [p for p in {name}.parameters() if p.requires_grad],"
            f" lr={stream.learning_rate.first if stream.learning_rate else 0.1:g})"
        )
        text = "Give the optimizer the parameters that are to be trained."
    elif own:
        why = f"though {len(own)} of them have a gradient"
        code, text = "", "Is the learning rate too small to change a rounded weight, or is the step undone afterwards?"
    else:
        why = f"and none of them has a gradient, while {alive[0]} has one and is in no optimizer"
        code = f"optimizer = torch.optim.{optimizer_kind(stream) or 'SGD'}({name}.parameters())"
        text = "Give the optimizer the parameters that are to be trained."
    return Fired(
        sentence=f"None of the {len(names)} parameters in the optimizer changed from step {last.get('from')} to "
        f"{last.get('to')}: {why}; {reached.sentence}.",
        severity="error",
        confidence=0.97,
        where=optimizer_kind(stream) or "optimizer",
        step=int(last.get("from") or 0),
        evidence={"not_moved": len(names), "of": int(last.get("of") or len(names)), "frozen": len(frozen)},
        advice=(Advice("the right parameters", text, code, optimizer_line(stream)),),
        line=optimizer_line(stream),
    )


def _rate_zero(recording: Recording, number: int, last: Fact) -> Answer | None:
    stream = recording.streams[number]
    zeros = sum(rate == 0 for rate in stream.learning_rate.values)
    if zeros < 0.5 * max(1, len(stream.learning_rate)) or progress(recording).state == "learned":
        return None  # the end of a schedule, or a warm-up that begins at zero
    return Fired(
        sentence=f"No parameter changed from step {last.get('from')} to {last.get('to')}: the learning rate is "
        f"exactly zero in {zeros} of {len(stream.learning_rate)} steps.",
        severity="error",
        confidence=0.95,
        where="learning rate",
        step=int(last.get("from") or 0),
        evidence={"steps_at_zero": zeros, "steps": stream.steps},
        advice=(
            Advice(
                "a rate above zero",
                "Check the schedule: its factor or its length makes the rate zero.",
                "",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )


def _untracked(recording: Recording) -> Answer | None:
    held = held_names(recording)
    outside = set(left_out(recording))
    parts: list[tuple[Event, list[str], int]] = []
    for event in recording.happened("untracked"):
        params = event.data.get("params") or ()
        left = [str(p["name"]) for p in params if str(p["name"]) in outside]
        mates = _mates(recording, event, held)
        if left:
            parts.append((event, left, mates))
    if not parts:
        return None
    reached = progress(recording)
    event, left, mates = max(parts, key=lambda part: (part[2] > 0, len(part[1])))
    few = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
    part = left[0].rpartition(".")[0] or model_name(recording)
    before = _runs_before(recording, left, held)
    if mates == 0 and held and not before:
        severity = "info"  # a whole model that only passes the gradient on: a fixed critic, a loss network
    elif mates == 0 and before == "between":
        # Mostly layers that a model runs and does not know of, kept in a list; a fixed part there would be frozen.
        severity = "warning"
    else:
        severity = "warning" if reached.course.outcome not in ("well", "unknown") else "info"
    return Fired(
        sentence=f"{len(left)} trainable parameters get a gradient, are in no optimizer and do not move: {few}; "
        f"{reached.sentence}.",
        severity=severity,  # type: ignore[arg-type]
        confidence=0.8 if severity == "warning" else 0.5,
        where=part,
        step=event.step,
        evidence={"outside": len(left), "in_the_optimizer": mates},
        advice=(
            Advice(
                "hand them over, or freeze them",
                "Give them to the optimizer if they are to be trained; freeze them if they are not.",
                f"optimizer.add_param_group({{'params': {part}.parameters()}})",
                optimizer_line(recording.main),
            ),
        ),
        line=optimizer_line(recording.main),
    )


def _runs_before(recording: Recording, left: list[str], held: set[str]) -> str:
    """Whether the parameters outside feed a layer that is trained: ``"first"`` (an encoder of its own), ``"between"`` (after
    another that is trained too: layers kept in a plain list), or ``""``."""
    outside = {name.rpartition(".")[0] for name in left}
    inside = {name.rpartition(".")[0] for name in held}
    for stream in recording.streams.values():
        for sample in stream.samples:
            orders = [(str(layer["name"]), layer.get("order", 0)) for layer in sample.get("layers") or ()]
            others = [order for name, order in orders if name in outside]
            trained = [order for name, order in orders if name in inside]
            if others and trained:
                if min(others) >= max(trained):
                    return ""
                return "between" if min(trained) < min(others) else "first"
    return ""


def _mates(recording: Recording, event: Event, held: set[str]) -> int:
    """How many parameters of the same model are in an optimizer."""
    wanted = event.data.get("model")
    for model in recording.models:
        if wanted in (model.get("name"), model.get("m")):
            return sum(p["name"] in held for p in model.get("params") or ())
    return len(held)
