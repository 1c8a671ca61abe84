"""A backward pass that the script wrote itself contradicts the loss it belongs to.

What it means
-------------
The loss changes along a parameter by one amount, measured by two-sided differences in float64, and the gradient promises
another. Somewhere between them a hand-written backward pass is wrong.

Why it hurts
------------
Training follows the gradient, not the loss. A gradient that is off by a factor only wastes steps; one with a missing term
or the wrong sign leads elsewhere, and the loss may still fall, for other layers make up for it.

How it is judged
----------------
Only where the loss's graph holds functions of the script's own (``torch.autograd.Function``). On a copy, in float64, each
parameter is moved along its gradient and along a random direction; the loss must change as the gradient says within one
percent. Places where two step lengths disagree are corners and left out. A gradient that passes through rounding on
purpose (differences exactly zero), or that is the exact one times a constant on every parameter behind it, as in gradient
reversal, may be meant so and is only told.

When it is wrong
----------------
A surrogate gradient that is wrong by design looks the same. Then this is what you wanted.

What to do
----------
Check the function by itself with ``torch.autograd.gradcheck``, and derive again the term that is missing. ``unstuck
gradcheck`` names the entries that are farthest off.

Sources
-------
Baydin et al., Automatic differentiation in machine learning, 2018, sec. 2.1 (differences). PyTorch's documentation of
``gradcheck``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.record.recording import Fact, Recording

CODE = "G309"
NAME = "wrong-gradient"
CLAIM = "a numerical gradient check contradicts backpropagation, in the named parameter"
ENABLED = True
SICK = ("examples/sick/g309_digits_gate.py",)
HEALTHY = ("examples/mended/g309_digits_gate.py", "examples/healthy/digits_straight_through.py")
THRESHOLDS = {
    "error": (0.01, "relative; differences in float64 that agree with each other leave less than 1e-6"),
    "same_factor": (0.02, "relative spread of the factors over parameters, below which they are one constant"),
}


def judge(recording: Recording) -> Answer:
    """Does any parameter's slope contradict its gradient?"""
    looks = [e for e in recording.happened("biopsy") if isinstance(e.data.get("gradient_check"), Mapping)]
    if not looks:
        kept = [e for e in recording.happened("biopsy") if e.data.get("look") == "kept" and e.data.get("state")]
        if kept:
            return NotApplicable("no backward pass of the script's own")
        return Skipped("no look at kept batches was recorded")
    check: Fact = looks[-1].data["gradient_check"]
    functions = [str(f) for f in check.get("functions") or ()]
    name = ", ".join(functions) or "a function of the script's own"
    if check.get("unseen"):
        return Skipped(f"{name} could not be checked: {check['unseen']}")
    parameters: Sequence[Fact] = [p for p in check.get("parameters") or () if isinstance(p, Mapping)]
    wrong = [p for p in parameters if p.get("wrong")]
    if not wrong:
        worst = max((number(p.get("error")) or 0.0 for p in parameters), default=0.0)
        return Passed(f"{name}: differences and gradients agree within {worst:.1e} on {len(parameters)} parameters")
    meant = _by_design(wrong)
    first = wrong[0]
    model = model_name(recording)
    where = f"{model}.{first.get('name')}"
    numerical, analytic = number(first.get("numerical")) or 0.0, number(first.get("analytic")) or 0.0
    text = (
        f"Behind {name}, the loss changes along {where} by {numerical:.4g} for each unit of length, and backpropagation "
        f"says {analytic:.4g} ({len(wrong)} of {len(parameters)} parameters contradict)"
    )
    return Fired(
        sentence=f"{text}; {meant}." if meant else f"{text}: its backward pass is wrong.",
        severity="info" if meant else "error",
        confidence=0.4 if meant else 0.9,
        where=where,
        step=looks[-1].step,
        evidence={
            "numerical": numerical,
            "analytic": analytic,
            "relative_error": number(first.get("error")),
            "parameters_wrong": len(wrong),
            "parameters_checked": len(parameters),
            "function": name,
        },
        advice=(
            Advice(
                "check-alone",
                f"Check {functions[0] if functions else 'the function'} by itself, in float64.",
                f"torch.autograd.gradcheck({functions[0] if functions else 'Function'}.apply, "
                "torch.randn(3, 4, dtype=torch.float64, requires_grad=True))",
            ),
        ),
        line=model_line(recording),
        basis="probed",
    )


def _by_design(wrong: Sequence[Fact]) -> str | None:
    """The two ways in which a wrong gradient is commonly meant."""
    if all(p.get("flat") for p in wrong):
        return "the loss itself is constant there, as behind rounding that lets the gradient through on purpose"
    factors = []
    for p in wrong:
        numerical, analytic = number(p.get("numerical")), number(p.get("analytic"))
        if not numerical or analytic is None:
            return None
        factors.append(analytic / numerical)
    spread = max(factors) - min(factors)
    if len(factors) >= 2 and spread <= THRESHOLDS["same_factor"][0] * abs(factors[0]):
        return f"every one of them by the factor {factors[0]:.3g}, as where a gradient is reversed or scaled on purpose"
    return None
