"""Some or all parameters get no gradient: detached, unused, or killed.

What it means
-------------
A parameter learns from the path that leads from the loss back to it. The path is missing when the graph was
cut on the way (``detach``, ``.data``, ``.item()``, a trip through NumPy, an argmax, a block without
gradient), and it carries nothing when every factor on it is exactly zero.

Why it hurts
------------
Without a gradient a parameter stays where it started. When all of them do, nothing is learned. When only the
early layers do, the rest of the network learns on random features: the run looks half well, and never gets
better.

How it is judged
----------------
Exactly, without a threshold. All parameters: the gradient of every weight is exactly zero or missing in the
last samples, while the loss is not zero, or backward was called on a number that has no graph. Some: a
parameter is held by an optimizer, asks for a gradient, its layer ran before a layer that does get one, and in
no sample of any optimizer did it get one. Or: what a module puts out was seen to enter another one without its graph,
and no parameter of that module ever got a gradient, in any sample of any optimizer; so a generator whose samples are
detached for the critic, a state that is detached in time and features that another loss trains are left alone.
A model in training mode that is called without gradient in the midst of training, while an optimizer holds its unused
parameters, is a warning. Parameters whose layer never ran otherwise (heads of other tasks, experts
without examples) are information. Frozen ones, and copies that no optimizer holds (averages, targets,
teachers), are not looked at.

When it is wrong
----------------
A part of the model that runs without gradient on purpose but whose parameters were handed to the optimizer
all the same is reported: the optimizer cannot use them. Parts that are used only after the last sample look
unused.

What to do
----------
Find the cut between the last layer without gradient and the first with one, and remove it. Keep tensors
tensors on the way to the loss. When the part is meant to be fixed, freeze it and leave it out of the
optimizer, so that it is plain.

Sources
-------
PyTorch's notes on autograd mechanics. TrainCheck, 2025, and users' reports of detached sub-graphs that still
reach nine tenths of the accuracy.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.liveness import owned, trainable_names, with_parameters
from unstuck.findings.evidence.places import at, backward_line, model_line, model_name
from unstuck.findings.evidence.progress import progress
from unstuck.findings.verdict import verdict
from unstuck.record.recording import Event, Fact, Recording

CODE = "G307"
NAME = "no-gradient-path"
CLAIM = "some or all parameters get no gradient: detached, unused, or killed"
ENABLED = True
SICK = (
    "examples/sick/g307_diabetes_numpy.py",
    "examples/sick/g307_digits_features.py",
)
HEALTHY = (
    "examples/mended/g307_diabetes_numpy.py",
    "examples/mended/g307_digits_features.py",
    "examples/healthy/digits_multi_task.py",
    "examples/healthy/digits_gan.py",
    "examples/healthy/digits_contrastive.py",
)
THRESHOLDS = {
    "fewest_samples": (3, "a parameter that another phase or task uses shows within a few samples; the test is exact"),
}


def judge(recording: Recording) -> Answer:
    """Nothing at all gets a gradient; then: layers before a cut; then: parameters that were never used."""
    cut = recording.happened("no_graph")
    if cut:
        return _no_graph(recording, cut[0])
    samples = [s for stream in recording.streams.values() for s in with_parameters(stream)]
    if not samples:
        return Skipped("no sample shows the gradients of the parameters")
    stands = recording.extras.get("verdict") or verdict(recording)
    if stands.state == "no-gradient":
        return _nothing(recording, stands.sentence, int(stands.evidence.get("since") or 0))
    if len(samples) < THRESHOLDS["fewest_samples"][0]:
        return Skipped(f"only {len(samples)} samples of the parameters")
    severed, unused, cuts = _without(recording)
    if severed:
        return _severed(recording, severed, cuts)
    if unused and (ran := _ran_without_gradient(recording, unused)) is not None:
        return _held_back(recording, *ran, samples=len(samples))
    if unused:
        few = ", ".join(unused[:3]) + (f" and {len(unused) - 3} more" if len(unused) > 3 else "")
        return Fired(
            sentence=f"{len(unused)} parameters held by an optimizer took no part in any of {len(samples)} sampled "
            f"steps: {few}.",
            severity="info",
            confidence=0.8,
            where=unused[0],
            step=None,
            evidence={"unused": len(unused), "samples": len(samples)},
            advice=(Advice("leave them out", "If they are not meant to be used, drop them from the model."),),
        )
    return Passed(f"every parameter that an optimizer holds got a gradient in {len(samples)} samples")


def _ran_without_gradient(recording: Recording, unused: list[str]) -> tuple[Event, list[str]] | None:
    """A model in training mode, called without gradient in the midst of training, to which unused parameters belong."""
    looks: dict[str, list[Event]] = {}
    for event in recording.happened("forward_without_gradient"):
        if event.data.get("training") is True:
            looks.setdefault(str(event.data.get("model") or ""), []).append(event)
    for model, events in looks.items():
        mine = [name for name in unused if model and name.startswith(f"{model}.")]
        if mine and len({e.step for e in events}) >= THRESHOLDS["fewest_samples"][0]:
            return events[0], mine
    return None


def _held_back(recording: Recording, event: Event, names: list[str], *, samples: int) -> Fired:
    reached = progress(recording)
    model, line = str(event.data["model"]), event.data.get("line")
    return Fired(
        sentence=f"{model} is called without gradient in training{f' at {at(line)}' if line else ''}: {len(names)} of its "
        f"parameters, which an optimizer holds, took no part in any of {samples} sampled steps; {reached.sentence}.",
        # A part that is thawed later on is seen in the first samples alone; such a run learns.
        severity="info" if reached.state == "learned" else "warning",
        confidence=0.5 if reached.state == "learned" else 0.85,
        where=model,
        step=event.step,
        evidence={"unused": len(names), "samples": samples},
        advice=(
            Advice(
                "let the gradient through",
                f"Call {model} outside of `torch.no_grad()` where it is trained; keep the block for evaluation.",
                "",
                line,
            ),
        ),
        line=line,
    )


def _no_graph(recording: Recording, event: Event) -> Answer:
    line = event.data.get("line")
    place = at(line) or "backward()"
    return Fired(
        sentence=f"backward() was called at {place} on a number that no parameter leads to: "
        f"{event.data.get('message') or 'it has no graph'}.",
        severity="error",
        confidence=0.97,
        where=place,
        step=event.step,
        evidence={"calls": len(recording.happened("no_graph"))},
        advice=(
            Advice(
                "keep the graph",
                "Compute the loss from the model's output as tensors: no detach, .data, .item(), .numpy() or "
                "torch.tensor() on the way, and not inside torch.no_grad().",
                "",
                line,
            ),
        ),
        line=line,
    )


def _nothing(recording: Recording, sentence: str, since: int) -> Answer:
    line = backward_line(recording.main)
    cleared = _cleared_before_step(recording)
    if cleared is not None:
        return cleared
    stale = [e.data for e in recording.happened("stale_optimizer") if e.stream == recording.main.number]
    if any(told.get("count") and told["count"] == told.get("of") for told in stale):
        return NotApplicable(
            "what the optimizer holds belongs to no model that runs: its parameters have no path to ask for"
        )
    return Fired(
        sentence=sentence,
        severity="error",
        confidence=0.95,
        where=at(line) or model_name(recording),
        step=since,
        evidence={"since_step": since, "steps": recording.main.steps},
        advice=(
            Advice(
                "find the flat place",
                "Some function between the loss and the parameters is constant for every example: dead ReLUs, a "
                "saturated sigmoid or softmax, a softmax over one unit, rounding or an argmax. Print the "
                "gradient of the output.",
                "out.retain_grad(); loss.backward(); print(out.grad.norm())",
                line,
            ),
        ),
        line=line,
    )


def _cleared_before_step(recording: Recording) -> Answer | None:
    """The loss reaches layers, yet not one parameter has a gradient when the optimizer steps: it was cleared between."""
    stream = recording.main
    samples = [s for s in with_parameters(stream) if s.get("layers")]
    if not samples or any(p.gradient is not None for s in samples for p in owned(s, stream)):
        return None
    reached = {str(layer["name"]) for s in samples for layer in s["layers"]}
    own = {str(p.stat.get("layer")) for s in samples for p in owned(s, stream)}
    calls = recording.happened("zero_grad")
    line = (calls[0].data.get("line") if calls else None) or backward_line(stream)
    if not reached & own:
        return None
    return Fired(
        sentence=f"Every gradient is gone when the optimizer steps, in all {len(samples)} samples, although the "
        f"loss reaches "
        f"{min(reached & own)}: the gradients are cleared between the backward pass and the step.",
        severity="error",
        confidence=0.95,
        where=at(line) or "optimizer.zero_grad()",
        step=int(samples[0]["s"]),
        evidence={"samples": len(samples), "layers_reached": len(reached & own)},
        advice=(
            Advice(
                "the right order",
                "Clear, go backward, step: nothing may clear the gradients between the backward pass and the step.",
                "optimizer.zero_grad()\nloss.backward()\noptimizer.step()",
                line,
            ),
        ),
        line=line,
    )


def _without(recording: Recording) -> tuple[list[str], list[str], list[Event]]:
    """Parameters held by an optimizer that never got a gradient: those before a layer that did, and those never run.

    Third, the cuts between modules that account for some of the first.
    """
    trainable = trainable_names(recording)
    got: set[str] = set()
    live: set[str] = set()
    held: dict[str, float | None] = {}
    live_order = -1.0
    for stream in recording.streams.values():
        for sample in with_parameters(stream):
            for name, stat in sample["params"].items():
                order = stat.get("order")
                if stat.get("g") is not None:
                    got.add(name)
                    live.add(name)
                    if order is not None:
                        live_order = max(live_order, float(order))
                if stat.get("trainable") is False:
                    got.add(name)  # frozen, if only in this phase: not a matter of the path
                if stat.get("o") is not None and "g" in stat:
                    held[name] = float(order) if order is not None else held.get(name)
    # Tensors of no known model are a matter of the optimizer (U409), not of the graph.
    never = [n for n in held if n not in got and trainable.get(n, not trainable)]
    named = [str(n) for e in recording.happened("detached") for n in e.data.get("params") or ()]
    before = [n for n in named if n in never] if _something_ran_before(recording, named) else []
    # A module that trains at all, by whatever loss, was cut off on purpose there.
    cuts = [
        e for e in recording.happened("cut") if any(_under(n, e) for n in never) and not any(_under(n, e) for n in live)
    ]
    severed = [
        n
        for n in never
        if n in before or ((o := held[n]) is not None and o < live_order) or any(_under(n, e) for e in cuts)
    ]
    return severed, [n for n in never if n not in severed], cuts


def _under(parameter: str, cut: Event) -> bool:
    """Whether a parameter belongs to the module whose output was handed on without its graph."""
    return parameter.startswith(f"{cut.data.get('from')}.")


def _something_ran_before(recording: Recording, dead: list[str]) -> bool:
    """What enters the first layer with a gradient is no input of the model, and fits the last layer without one.

    The event that names parameters before a cut goes by their order in the model. A head of another task that is
    defined early looks the same there, but then the first layer with a gradient sees the input itself.
    """
    params = [p for m in recording.models for p in m.get("params") or ()]
    shapes: dict[str, list[int]] = {p["name"]: p.get("shape") or [] for p in params}
    tables = {
        str(p["name"]) for m in recording.models for p in m.get("modules") or () if "Embedding" in str(p.get("kind"))
    }
    last = next((n for n in reversed(dead) if len(shapes.get(n, [])) >= 2), None)
    if last is None:
        return False
    # A table gives rows, a layer as many numbers as its weight has rows.
    width = shapes[last][1 if last.rpartition(".")[0] in tables else 0]
    if width <= 1:
        return False
    theirs = {str(m.get("name")) for m in recording.models for p in m.get("params") or () if p["name"] in dead}
    for stream in recording.streams.values():
        for sample in stream.samples:
            layers = [layer for layer in sample.get("layers") or () if layer.get("in_std") is not None]
            # Of two models in a row, what enters the second one is not the data.
            inputs = [i for i in sample.get("inputs") or () if str(i.get("model")) in theirs and _readable(i)]
            if not layers or not inputs:
                continue
            first = min(layers, key=lambda layer: layer.get("order", 0))
            same = any(
                i.get("std") is not None
                and _close(first["in_std"], i["std"])
                and _close(first.get("in_mean"), i.get("mean"), scale=i["std"])
                for i in inputs
            )
            fan_in = int(first.get("fan_in") or 0)
            # What a linear layer puts out enters the next one as it is; channels may be flattened with their places.
            fits = fan_in == width if len(shapes[last]) == 2 else fan_in > 0 and fan_in % width == 0
            return not same and fits
    return False


def _readable(entered: Fact) -> bool:
    """Inputs whose numbers are known; whole numbers (of tokens, rows of tables) enter no layer as they are."""
    return entered.get("std") is not None or "int" in str(entered.get("dtype"))


def _close(a: object, b: object, *, scale: object = 0.0) -> bool:
    """Equal but for rounding and for a deviation with one example less."""
    if a is None or b is None:
        return False
    x, y = float(a), float(b)  # type: ignore[arg-type]
    return abs(x - y) <= 0.01 * max(abs(x), abs(y), abs(float(scale or 0.0)))  # type: ignore[arg-type]


def _severed(recording: Recording, severed: list[str], cuts: list[Event]) -> Answer:
    if cuts:
        return _between(recording, severed, cuts[0])
    events = recording.happened("detached")
    line = next((e.data.get("line") for e in events if e.data.get("line")), None) or model_line(recording)
    live = next((str(e.data["last_live"]) for e in events if e.data.get("last_live")), "")
    few = ", ".join(severed[:3]) + (f" and {len(severed) - 3} more" if len(severed) > 3 else "")
    after = f", though {live}, which comes after them, does" if live else ""
    reached = progress(recording)
    return Fired(
        sentence=f"{len(severed)} trainable parameters never get a gradient{after}: {few}. The graph is cut above "
        f"them; {reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.9,
        where=severed[-1].rpartition(".")[0] or severed[-1],
        step=next((e.step for e in events if e.step is not None), 0),
        evidence={"without_gradient": len(severed)},
        advice=(
            Advice(
                "mend the path",
                "Look for detach(), .data, .numpy(), torch.no_grad() or argmax between "
                f"{severed[-1].rpartition('.')[0]} and {live.rpartition('.')[0] or 'the next layer'}, and remove "
                "it. If that part is meant to be fixed, freeze it.",
                f"for p in {severed[-1].rpartition('.')[0] or model_name(recording)}.parameters():\n    "
                f"p.requires_grad_(False)"
                "  # only if it is meant to be fixed",
                line,
            ),
        ),
        line=line,
    )


def _between(recording: Recording, severed: list[str], cut: Event) -> Answer:
    """The two modules between which the graph was cut are known."""
    line, source, target = cut.data.get("line"), str(cut.data.get("from")), str(cut.data.get("to"))
    text = str((line or {}).get("text") or "")
    whole = text.replace(".detach()", "").replace(".data", "")
    few = ", ".join(severed[:3]) + (f" and {len(severed) - 3} more" if len(severed) > 3 else "")
    reached = progress(recording)
    place = f" at {at(line)}" if at(line) else ""
    return Fired(
        sentence=f"{len(severed)} trainable parameters never get a gradient: {few}. What {source} puts out enters {target} "
        f"without its graph{place}, so no loss reaches {source}; {reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.9,
        where=source,
        step=cut.step or 0,
        evidence={"without_gradient": len(severed), "from": source, "to": target},
        advice=(
            Advice(
                "mend the path",
                f"Hand {target} what {source} returned, as it is: remove detach() or .data on the way. If {source} is meant "
                "to be fixed, freeze it and leave it out of the optimizer.",
                whole if whole != text else "",
                line,
            ),
        ),
        line=line,
    )
