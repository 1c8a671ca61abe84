"""Activations grow or shrink layer by layer because the initial weights are too large or too small.

What it means
-------------
A layer multiplies the size of what passes by about the deviation of its weights times the root of its number
of inputs. Near one, the signal keeps its size. At ten, a network of five layers multiplies it by a hundred
thousand; at a tenth, it divides by as much.

Why it hurts
------------
Too large: the first outputs are enormous and wrong, the first loss is far above that of a constant answer,
the first gradients throw the weights away, and units die or saturate. Too small: the output hardly depends on
the input, and the gradient that comes back is as small.

How it is judged
----------------
From the first sample: the gain of each layer (the weights' deviation times the root of the fan-in; PyTorch's
default has .58, Glorot 1, He 1.41), and what the inputs of the layers and the output really measure. Too
large: several layers (or the only hidden one) have a gain above five, the signal grows more than tenfold from
input to output, and the run was hurt: it learned next to nothing, or its first loss was far above that of a
constant answer and it has not made up for it; or two layers have a gain of ten and more, and the run did not do
well; or three layers and more, most of all, are so wide, with such a first loss: the training loss may then fall
to nothing, but what the wide random weights put in stays in the answers. Too small: most layers have a gain below
a tenth, the signal shrinks more than a hundredfold, and the run learned next to nothing.

When it is wrong
----------------
Networks with normalization or residual branches stand gains far from one; then the run learns and nothing is
said. A run that learns nothing for another reason may have unusual initial weights by the way.

What to do
----------
Initialize for the activation: He for ReLU, Glorot for tanh and sigmoid, or simply PyTorch's default. Or put a
normalization layer after each parametric layer.

Sources
-------
Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010. He and
others, Delving deep into rectifiers, 2015. Mishkin and Matas, All you need is a good init, 2016.
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.layers import Gain, initial_gains
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.findings.evidence.progress import Progress, main_term, progress
from unstuck.record.recording import Recording, Stream

CODE = "G306"
NAME = "initialization-scale"
CLAIM = "activations grow or shrink layer by layer because the initial weights are too large or too small"
ENABLED = True
SICK = (
    "examples/sick/g306_digits_small_normal.py",
    "examples/sick/g306_digits_unit_normal.py",
)
HEALTHY = (
    "examples/mended/g306_digits_small_normal.py",
    "examples/mended/g306_digits_unit_normal.py",
    "examples/healthy/digits_vae.py",
    "examples/healthy/docs_char_gpt.py",
)
THRESHOLDS = {
    "large_gain": (5.0, "three and a half times He's 1.41; 402 runs of 182 healthy scripts have at most 2.3"),
    "extreme_gain": (10.0, "seven times He's: a finding unless the run did well; 160 sound runs have at most 7.7"),
    "growth": (10.0, "from the input to the output; the initial variance ratio of 10 is SageMaker Debugger's"),
    "small_gain": (
        0.1,
        "a sixth of PyTorch's default .58, the smallest in common use for layers without normalization",
    ),
    "shrinkage": (100.0, "from the input to the output: the output no longer depends on the input by a percent"),
    "deep": (3, "layers so wide, most of them: a finding even where the run did well; no sound run of 430 has that"),
    "first_loss": (5.0, "times the loss of the best constant answer, where a sound start lies between 1 and 1.5"),
}


def judge(recording: Recording) -> Answer:
    """Gains and measured growth at the first sample, in a run that was hurt by them."""
    stream = recording.main
    gains = initial_gains(stream)
    if not gains:
        return Skipped("no sample of the first steps shows the layers and their weights")
    if len(gains) < 2:
        return NotApplicable("only one layer with weights")
    entry = next((g.in_rms for g in gains if g.in_rms), None)
    exit_ = _output_size(stream)
    if entry is None or exit_ is None:
        return Skipped("the size of the input or of the output is not known")
    growth = exit_ / entry
    reached = progress(recording)
    first_loss = _first_loss(stream)
    above = first_loss / reached.baseline if first_loss is not None and reached.baseline else None
    large = [g for g in gains if g.gain > THRESHOLDS["large_gain"][0]]
    enough = len(large) >= 2 or (len(gains) == 2 and bool(large))
    if enough and growth > THRESHOLDS["growth"][0]:
        bad_start = above is not None and above > THRESHOLDS["first_loss"][0]
        far = len([g for g in gains if g.gain >= THRESHOLDS["extreme_gain"][0]]) >= 2
        if far and reached.state == "learned" and reached.course.outcome != "well":
            return _fired(recording, large, gains, growth, above, reached, "large")
        if reached.state == "none" or (bad_start and (reached.state == "some" or reached.worse_than_constant)):
            return _fired(recording, large, gains, growth, above, reached, "large")
        if bad_start and len(large) >= THRESHOLDS["deep"][0] and 2 * len(large) > len(gains):
            return _fired(recording, large, gains, growth, above, reached, "large")
        return Passed(f"the signal grows {growth:.3g}-fold at the start, and the run learns all the same")
    small = [g for g in gains if g.gain < THRESHOLDS["small_gain"][0]]
    shrunk = _shrinkage(gains, exit_)
    if len(small) * 2 >= len(gains) and shrunk > THRESHOLDS["shrinkage"][0] and reached.state == "none":
        return _fired(recording, small, gains, 1 / shrunk, above, reached, "small")
    return Passed(
        f"gains of the layers between {min(g.gain for g in gains):.2g} and {max(g.gain for g in gains):.2g}; the "
        f"signal changes {growth:.3g}-fold from input to output"
    )


def _output_size(stream: Stream) -> float | None:
    for sample in stream.samples:
        if sample["s"] > 2:
            return None
        pair = main_term(sample)
        output = pair[1].get("output") if pair else None
        if output:
            rms = output.get("rms") if output.get("rms") is not None else output.get("std")
            if rms is not None:
                return float(rms) if math.isfinite(float(rms)) else math.inf
    return None


def _first_loss(stream: Stream) -> float | None:
    return float(stream.loss.first) if stream.loss and math.isfinite(stream.loss.first) else None


def _shrinkage(gains: list[Gain], exit_: float) -> float:
    """How far the deviation of the signal shrinks from the first layer's input to the smallest later one."""
    first = next((g.in_std for g in gains if g.in_std), None)
    later = [g.in_std for g in gains[1:] if g.in_std is not None and math.isfinite(g.in_std)]
    if not first or not later:
        return 1.0
    return first / max(min(*later, exit_) if exit_ > 0 else min(later), 1e-300)


def _fired(
    recording: Recording,
    odd: list[Gain],
    gains: list[Gain],
    growth: float,
    above: float | None,
    reached: Progress,
    side: str,
) -> Answer:
    worst = max(odd, key=lambda g: g.gain) if side == "large" else min(odd, key=lambda g: g.gain)
    changes = f"grows {growth:.3g}-fold" if side == "large" else f"shrinks {1 / growth:.3g}-fold"
    start = f"; the first loss is {above:.3g} times that of a constant answer" if above and side == "large" else ""
    name = model_name(recording)
    return Fired(
        sentence=f"The initial weights are too {side}: {worst.parameter} multiplies the signal by about "
        f"{worst.gain:.2g} ({len(odd)} of {len(gains)} layers are like that), and it {changes} from the input to "
        f"the output at step 0{start}; {reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.9 if side == "large" and reached.state == "none" else 0.75 if reached.state != "learned" else 0.6,
        where=worst.layer,
        step=0,
        evidence={
            "gain": worst.gain,
            "weight_deviation": worst.wstd,
            "fan_in": worst.fan_in,
            "growth": growth,
            "layers": len(odd),
            "first_loss_over_baseline": above,
        },
        advice=(
            Advice(
                "initialize for the activation",
                f"A deviation of {math.sqrt(2 / worst.fan_in):.2g} keeps the signal's size in {worst.layer}; it "
                f"has {worst.wstd:.2g}.",
                f"for layer in {name}.modules():\n"
                "    if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)):\n"
                "        torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
                "        torch.nn.init.zeros_(layer.bias)",
                model_line(recording),
            ),
        ),
        line=model_line(recording),
    )
