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
all rows of its gradient, at the first samples. The same is asked of the columns of matrices (units of a layer that is
written out as `x @ W`) and of embedding tables (the factors of a factorization). Equal rows alone are harmless when the
gradient tells them apart: a last layer, a residual branch or a low-rank adapter that starts at zero. Biases and
normalization gains are not looked at.

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

from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.layers import module_kind, tables, weights
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
    "equal_rows": (1.0, "all rows (or columns, where those are the units); the test is exact"),
    "first_steps": (20, "the start of the run: equal rows later are another matter (pruning, collapse)"),
    "fewest_samples": (
        2,
        "a last layer that starts at zero gives no gradient in the first step, and one in the second",
    ),
}


UNITS_IN_ROWS = (
    "Linear",
    "LazyLinear",
    "Bilinear",
    "LSTM",
    "GRU",
    "RNN",
    "LSTMCell",
    "GRUCell",
    "RNNCell",
    "MultiheadAttention",
)


@dataclass(frozen=True)
class _Units:
    """The units of one matrix in one sample: its rows, or its columns."""

    key: tuple[str, str]  # the parameter's name, and which of the two
    equal: float | None
    stat: Fact
    order: float | None  # in the forward pass, of rows: those of the last layer are answers
    inside: bool  # columns: whatever they belong to is inside the model

    @property
    def alike(self) -> bool:
        """Their gradients are equal too. Gradients of zero are not counted as equal, yet they tell nothing apart."""
        share = self.stat.get("cgeq" if self.inside else "geq")
        return self.stat.get("g") == 0 or (share is not None and share >= THRESHOLDS["equal_rows"][0])


def _units(sample: Fact, recording: Recording) -> list[_Units]:
    stream = recording.main
    matrices = weights(sample, stream)
    # A matrix of the script's own may have its units in columns (``x @ W``); those of torch's layers are rows.
    own = [w for w in matrices if module_kind(recording, w.layer) not in UNITS_IN_ROWS]
    rows = [_Units((w.name, "rows"), w.stat.get("eq"), w.stat, w.order, False) for w in matrices]
    columns = [
        _Units((w.name, "columns"), w.stat["ceq"], w.stat, None, True)
        for w in (*tables(sample, stream), *own)
        if w.stat.get("ceq") is not None
    ]
    return rows + columns


def judge(recording: Recording) -> Answer:
    """Rows or columns of weight and gradient that are equal to the last bit, in hidden layers and in tables."""
    stream = recording.main
    samples = [s for s in stream.samples if s["s"] < THRESHOLDS["first_steps"][0] and s.get("params")]
    if not samples:
        return Skipped("no sample of the first steps")
    units = [(sample, _units(sample, recording)) for sample in samples]
    if all(u.equal is None for _, several in units for u in several):
        return Skipped("the rows of the weights were not compared")
    last_order = max((u.order for _, several in units for u in several if u.order is not None), default=0.0)
    hidden = {u.key for _, several in units for u in several if u.inside or (u.order or 0.0) < last_order}
    if not hidden:
        return NotApplicable("no hidden layer")
    symmetric: dict[tuple[str, str], list[int]] = {}
    told_apart: set[tuple[str, str]] = set()
    for sample, several in units:
        for unit in several:
            if unit.key not in hidden or unit.equal is None:
                continue
            if unit.equal >= THRESHOLDS["equal_rows"][0] and unit.alike:
                symmetric.setdefault(unit.key, []).append(int(sample["s"]))
            elif unit.equal < THRESHOLDS["equal_rows"][0] or unit.stat.get("g") is not None:
                told_apart.add(unit.key)
    stuck = {
        key: steps
        for key, steps in symmetric.items()
        if key not in told_apart and len(steps) >= THRESHOLDS["fewest_samples"][0]
    }
    if not stuck:
        return Passed("no hidden layer and no table has units that are all equal in weight and gradient")
    key = next(u.key for _, several in units for u in several if u.key in stuck)
    name, axis = key
    first: Fact = next(s for s, several in units if any(u.key == key for u in several))
    stat = first["params"][name]
    zero = stat.get("w") == 0
    reached = progress(recording)
    layer = str(stat.get("layer") or name.rpartition(".")[0] or name)
    what = "are all zero" if zero else "are all equal"
    model = model_name(recording)
    whole = name if name == model or name.startswith(f"{model}.") else f"{model}.{name}"
    table = stat.get("role") == "embedding"
    call = f"normal_({whole}, std=0.1)" if table else f"kaiming_uniform_({whole}, a=5**0.5)  # PyTorch's default"
    layers = len({name for name, _ in stuck})
    others = f" (and {layers - 1} more)" if layers > 1 else ""
    return Fired(
        sentence=f"The {axis} of {name}{others} {what} at step {first['s']}, and so are the {axis} of its gradient in "
        f"all {len(stuck[key])} samples up to step {max(stuck[key])}: its units are one unit; "
        f"{reached.sentence}.",
        severity="error"
        if reached.state in ("none", "unknown") or layers == len({name for name, _ in hidden})
        else "warning",
        confidence=0.97,
        where=layer,
        step=int(first["s"]),
        evidence={
            f"equal_{axis}": stat.get("eq" if axis == "rows" else "ceq"),
            f"equal_gradient_{axis}": stat.get("geq" if axis == "rows" else "cgeq"),
            "layers": layers,
            "hidden_layers": len({name for name, _ in hidden}),
            "last_step": max(stuck[key]),
            "weight_norm": stat.get("w"),
        },
        advice=(
            Advice(
                "random weights",
                f"Draw the weights of {layer} at random, or drop the line that fills them with a constant.",
                f"torch.nn.init.{call}",
                model_line(recording),
            ),
        ),
        line=model_line(recording),
    )
