"""Training in evaluation mode, or evaluation in training mode.

What it means
-------------
Dropout and batch normalization behave otherwise in training than in evaluation: dropout stops dropping, batch
normalization uses its running averages instead of the batch's own statistics. ``train()`` and ``eval()``
switch them.

Why it hurts
------------
A network trained in evaluation mode has no dropout, and its running averages stay as they are: untouched
since the start, they normalize nothing. A network evaluated in training mode answers at random under dropout,
lets the examples of a batch change one another's answers, and learns its running averages from the evaluation
data.

How it is judged
----------------
Training: steps were made with a forward pass in evaluation mode. It is a warning when the whole model is in
that mode because ``eval()`` was called after training had begun and ``train()`` was not called again. When
only the batch normalization is in it, or it was so from the first step, it is information (fine-tuning
freezes it on purpose), unless the run learned next to nothing. Evaluation: blocks without gradient ran the
trained model in training mode, with dropout or batch normalization active, between training steps, and
``eval()`` was never called on it. Repeated passes over the same inputs (dropout as an ensemble), other models
than the trained one (averages, teachers) and scripts with several optimizers (a generator sampled for its
critic) are left alone.

When it is wrong
----------------
Predictions by dropout are sometimes wanted. Running averages are sometimes re-estimated in a pass without
gradient; when nothing else is ever evaluated, this looks like an evaluation.

What to do
----------
Call ``model.train()`` at the start of every epoch's training and ``model.eval()`` before every evaluation.

Sources
-------
Ioffe and Szegedy, Batch normalization, 2015. PyTorch's documentation of ``Module.train`` and ``Module.eval``.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.places import at, model_name
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Event, Recording
from unstuck.record.stages import side_by_side

CODE = "B605"
NAME = "wrong-mode"
CLAIM = "training in evaluation mode, or evaluation in training mode"
ENABLED = True
SICK = (
    "examples/sick/b605_digits_batch_norm.py",
    "examples/sick/b605_wine_dropout.py",
)
HEALTHY = (
    "examples/mended/b605_digits_batch_norm.py",
    "examples/mended/b605_wine_dropout.py",
    "examples/healthy/wine_swa.py",
    "examples/healthy/digits_mean_teacher.py",
    "examples/healthy/digits_gan.py",
)
THRESHOLDS = {
    "whole": (0.999, "of the model's dropout and batch-norm modules; less is a part frozen on purpose"),
    "calls_kept": (40, "calls of train() and eval() are written down at most so often; after that nothing is known"),
    "fewest_steps": (5, "steps after the last eval(): fewer may be the end of the run"),
    "fewest_passes": (2, "evaluation passes: a single one may be a look at the model"),
}


def judge(recording: Recording) -> Answer:
    """Steps in evaluation mode, then evaluations in training mode."""
    if not any(s.steps for s in recording.streams.values()):
        return NotApplicable("no step was made")
    training = recording.happened("training_in_eval") or _never_back(recording)
    if training:
        answer = _training(recording, training)
        if answer is not None:
            return answer
    passes = [e for e in recording.happened("forward_without_gradient") if e.data.get("batch_modules")]
    wrong = [e for e in passes if e.data.get("training") is not False]
    if wrong:
        answer = _evaluation(recording, wrong)
        if answer is not None:
            return answer
    if not recording.models:
        return Skipped("no model was seen")
    has = any(
        "Dropout" in str(module.get("kind")) or "BatchNorm" in str(module.get("kind"))
        for model in recording.models
        for module in model.get("modules") or ()
    )
    if not has and not recording.events:
        return NotApplicable("no dropout or batch normalization")
    if not has and not training and not passes:
        return NotApplicable("no dropout or batch normalization")
    return Passed("training ran in training mode, and no evaluation of the trained model ran in it")


def _never_back(recording: Recording) -> list[Event]:
    """Between samples: ``eval()`` was the last call on the trained model, and many steps came after it."""
    calls = recording.happened("mode")
    if len([s for s in recording.streams.values() if s.steps]) > 1:
        return []  # folds, phases, adversaries: whose mode it is cannot be told by a name
    if len(calls) >= THRESHOLDS["calls_kept"][0]:
        return []  # later calls were not written down
    found = []
    for model in recording.models:
        name = model.get("name")
        own = [e for e in calls if e.data.get("model") == name and e.step is not None]
        if [m.get("name") for m in recording.models].count(name) > 1:
            continue
        if any(e.data.get("called") is False for e in own):
            continue  # something sets the mode back without train(), as frameworks do
        if not own or own[-1].data.get("training") is not False or name not in _trained(recording):
            continue
        # The first of the calls that no train() came after.
        first = own[-1]
        for call in reversed(own):
            if call.data.get("training") is not False:
                break
            first = call
        kinds = [str(m.get("kind")) for m in model.get("modules") or ()]
        asleep = {k: kinds.count(k) for k in dict.fromkeys(kinds) if "Dropout" in k or "BatchNorm" in k}
        left = recording.main.steps - int(first.step or 0)
        if asleep and left >= THRESHOLDS["fewest_steps"][0]:
            data = {"model": name, "eval_modules": asleep, "share": 1.0, "line": first.data.get("line")}
            found.append(Event("training_in_eval", first.step, data))
    return found


def _trained(recording: Recording) -> set[str]:
    """Names of the models that trained, as far as samples show."""
    shown = {
        str(i["model"]) for s in recording.main.samples for i in s.get("inputs") or () if i.get("model") is not None
    }
    numbers = {str(model.get("m")): str(model.get("name")) for model in recording.models}
    return shown | {numbers[t] for t in shown if t in numbers}


def _training(recording: Recording, events: list[Event]) -> Answer | None:
    first = events[0]
    data = first.data
    name = str(data.get("model") or model_name(recording))
    kinds = {str(k): int(v) for k, v in (data.get("eval_modules") or {}).items()}
    if not kinds:
        return None
    share = data.get("share")
    whole = share is None or float(share) >= THRESHOLDS["whole"][0]
    steps = recording.main.steps
    step = first.step if first.step is not None else 0
    switched = [
        e
        for e in recording.happened("mode")
        if e.data.get("training") is False and e.data.get("model") in (name, data.get("model"))
    ]
    # eval() after training had begun, and the steps after it still in that mode.
    forgot = [e for e in switched if e.step is not None and 0 < e.step <= max(step, 1)]
    batch_norm = any("BatchNorm" in kind or "InstanceNorm" in kind for kind in kinds)
    reached = progress(recording)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    if whole and forgot and step > 0:
        severity, confidence = "warning", 0.9
        why = (
            f"eval() was called at {at(forgot[-1].data.get('line')) or f'step {forgot[-1].step}'} and train() not again"
        )
    elif whole and batch_norm and reached.state == "none":
        severity, confidence = "warning", 0.7
        why = "the running averages of the batch normalization are not being learned"
    else:
        severity, confidence = "info", 0.5
        why = "in fine-tuning this is often done on purpose"
    line = (forgot[-1].data.get("line") if forgot else None) or (switched[0].data.get("line") if switched else None)
    return Fired(
        sentence=f"From step {step} of {steps} on, {name} is trained in evaluation mode ({listed} modules): {why}.",
        severity=severity,  # type: ignore[arg-type]
        confidence=confidence,
        where=name,
        step=step,
        evidence={"modules_in_evaluation": sum(kinds.values()), "share": share, "from_step": step, "steps": steps},
        advice=(
            Advice(
                "switch back",
                "Switch to training mode before the training steps, after every evaluation.",
                f"{name}.train()",
                line,
            ),
        ),
        line=line,
    )


def _evaluation(recording: Recording, wrong: list[Event]) -> Answer | None:
    if side_by_side(recording.streams.values()):
        return None  # a generator sampled for its critic runs so on purpose
    trained = _trained(recording)
    evaluated = {str(e.data.get("model")) for e in recording.happened("mode") if e.data.get("training") is False}
    kept = [
        e
        for e in wrong
        if (not trained or str(e.data.get("model")) in trained) and str(e.data.get("model")) not in evaluated
    ]
    if len(recording.models) > 1:
        # With one name for all copies, an average or a teacher cannot be told from the trained model.
        names = [str(m.get("name")) for m in recording.models]
        kept = [e for e in kept if names.count(str(e.data.get("model"))) == 1]
    if len(kept) < THRESHOLDS["fewest_passes"][0]:
        return None
    if _same_inputs(kept):
        return None
    first = kept[0]
    name = str(first.data.get("model") or model_name(recording))
    count = int(first.data.get("batch_modules") or 0)
    line = first.data.get("line")
    return Fired(
        sentence=f"{name} is evaluated in training mode: {len(kept)} forward passes without gradient were seen "
        f"from step {first.step} on with {count} dropout or batch-norm modules active, and eval() is never called.",
        severity="warning",
        confidence=0.85,
        where=at(line) or name,
        step=first.step,
        evidence={"passes": len(kept), "active_modules": count},
        advice=(
            Advice(
                "evaluate in evaluation mode",
                "Switch the mode around every evaluation.",
                f"{name}.eval()\nwith torch.no_grad():\n    ...\n{name}.train()",
                line,
            ),
        ),
        line=line,
    )


def _same_inputs(events: list[Event]) -> bool:
    """The same batch again and again in one evaluation: predictions by dropout, on purpose."""
    seen: dict[int | None, list[tuple[object, ...]]] = {}
    for event in events:
        inputs = event.data.get("inputs") or ()
        key = tuple(i.get("sum") if i.get("mean") is None else (i["mean"], i.get("std")) for i in inputs)
        if key and None not in key:  # tokens of a recording that does not tell them apart
            seen.setdefault(event.step, []).append(key)
    several = [keys for keys in seen.values() if len(keys) >= 3]
    return bool(several) and all(len(set(keys)) == 1 for keys in several)
