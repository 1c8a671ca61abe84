"""Units of a layer start equal and so stay equal.

What it means
-------------
Two units with the same incoming and the same outgoing weights compute the same number and get the same
gradient, so every step changes them alike. They are one unit, written twice.

Why it hurts
------------
A layer of a hundred equal units is a layer of one unit. The network cannot tell apart what takes more than
one feature to tell apart. With all weights zero nothing at all gets through, and hidden layers get no
gradient whatever.

How it is judged
----------------
Exactly, without a threshold: all rows of a hidden layer's weight equal another row to the last bit, and so do
all rows of its gradient, at the first samples. Equal rows alone are harmless when the gradient tells them
apart: a last layer, a residual branch or a low-rank adapter that starts at zero. Biases, normalization gains
and embeddings are not looked at.

When it is wrong
----------------
Rounding can break an exact tie by a bit before it is seen; then the finding stays away though the units are
still nearly equal for a long time.

What to do
----------
Draw the initial weights at random: He initialization for ReLU, Glorot for tanh and sigmoid. PyTorch's own
default will do; remove the line that fills the weights with a constant.

Sources
-------
Goodfellow, Bengio, Courville, Deep Learning, 2016, section 8.4. Rumelhart, Hinton, Williams, Learning
representations by back-propagating errors, 1986 (symmetry breaking).
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.layers import weights
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Fact, Recording

CODE = "G305"
NAME = "symmetric-initialization"
CLAIM = "units of a layer start equal and so stay equal"
ENABLED = True
SICK = ("examples/sick/g305_digits_constant.py",)
HEALTHY = (
    "examples/mended/g305_digits_constant.py",
    "examples/healthy/digits_frozen_backbone.py",
    "examples/healthy/docs_char_gpt.py",
)
THRESHOLDS = {
    "equal_rows": (1.0, "all rows; the test is exact"),
    "first_steps": (20, "the start of the run: equal rows later are another matter (pruning, collapse)"),
    "fewest_samples": (
        2,
        "a last layer that starts at zero gives no gradient in the first step, and one in the second",
    ),
}


def judge(recording: Recording) -> Answer:
    """Rows of weight and gradient that are equal to the last bit, in hidden layers."""
    stream = recording.main
    samples = [s for s in stream.samples if s["s"] < THRESHOLDS["first_steps"][0] and s.get("params")]
    if not samples:
        return Skipped("no sample of the first steps")
    chains = [(s, weights(s, stream)) for s in samples]
    if all(w.stat.get("eq") is None for _, chain in chains for w in chain):
        return Skipped("the rows of the weights were not compared")
    last_order = max((w.order for _, chain in chains for w in chain), default=0.0)
    hidden = {w.name for _, chain in chains for w in chain if w.order < last_order}
    if not hidden:
        return NotApplicable("no hidden layer")
    symmetric: dict[str, list[int]] = {}
    told_apart: set[str] = set()
    for sample, chain in chains:
        for w in chain:
            if w.name not in hidden or w.stat.get("eq") is None:
                continue
            equal = w.stat["eq"] >= THRESHOLDS["equal_rows"][0]
            # Rows of a gradient that is zero throughout are not counted as equal, yet they tell nothing apart.
            alike = w.g == 0 or (w.stat.get("geq") is not None and w.stat["geq"] >= THRESHOLDS["equal_rows"][0])
            if equal and alike:
                symmetric.setdefault(w.name, []).append(int(sample["s"]))
            elif not equal or w.g is not None:
                told_apart.add(w.name)
    stuck = {
        name: steps
        for name, steps in symmetric.items()
        if name not in told_apart and len(steps) >= THRESHOLDS["fewest_samples"][0]
    }
    if not stuck:
        return Passed("no hidden layer has rows that are all equal in weight and gradient")
    name = next(w.name for _, chain in chains for w in chain if w.name in stuck)
    first: Fact = next(s for s, chain in chains if any(w.name == name for w in chain))
    stat = first["params"][name]
    zero = stat.get("w") == 0
    reached = progress(recording)
    layer = str(stat.get("layer") or name.rpartition(".")[0] or name)
    what = "are all zero" if zero else "are all equal"
    others = f" (and {len(stuck) - 1} more layers)" if len(stuck) > 1 else ""
    return Fired(
        sentence=f"The rows of {name}{others} {what} at step {first['s']}, and so are the rows of its gradient in "
        f"all {len(stuck[name])} samples up to step {max(stuck[name])}: its units are one unit; "
        f"{reached.sentence}.",
        severity="error" if reached.state in ("none", "unknown") or len(stuck) == len(hidden) else "warning",
        confidence=0.97,
        where=layer,
        step=int(first["s"]),
        evidence={
            "equal_rows": stat.get("eq"),
            "equal_gradient_rows": stat.get("geq"),
            "layers": len(stuck),
            "hidden_layers": len(hidden),
            "last_step": max(stuck[name]),
            "weight_norm": stat.get("w"),
        },
        advice=(
            Advice(
                "random weights",
                f"Draw the weights of {layer} at random, or drop the line that fills them with a constant.",
                f"torch.nn.init.kaiming_uniform_({model_name(recording)}.{layer}.weight, a=5**0.5)  # PyTorch's "
                "default",
                model_line(recording),
            ),
        ),
        line=model_line(recording),
    )
