"""A narrow valley: a rate that is stable across it crawls along it.

What it means
-------------
The loss surface curves steeply in some directions and hardly in others. The steep ones set the longest stable step; with
that step the flat ones, along which the way down lies, take thousands of updates.

Why it hurts
------------
The loss falls slower and slower although the rate cannot be raised: a longer step jumps across the valley.

How it is judged
----------------
From the look at kept batches at the end: the rate times the largest curvature, as the optimizer meets it, stands at a
tenth of the stable limit or more, so there is no room upward; twenty steps at the run's own rate and at 4, 16 and 64 times
it were tried on copies; and one step that divides the gradient by the curvature, in the space of thirty products, lowered
the loss of other batches at least five times as far as the best of them. Only runs that have not learned are warned of, and
those that left a fifth of the way undone where that step takes two fifths of the loss that is left, or a tenth where it
takes four fifths.

When it is wrong
----------------
The trial uses few batches. A run in its first updates has a steep part to go down before the valley matters.

What to do
----------
Put the inputs on one scale, normalize between layers, or use a rule that divides by the gradient's size (Adam). Momentum
of 0.9 alone is worth a factor of the root of the condition number.

Sources
-------
LeCun et al., Efficient BackProp, 1998, sec. 4. Polyak, Some methods of speeding up the convergence of iteration methods,
1964. Martens, Deep learning via Hessian-free optimization, 2010.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Skipped
from unstuck.findings.evidence.curvature import last_look, steepness, trial, why_not, worth_more
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.places import model_name, optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Recording

CODE = "C504"
NAME = "ill-conditioned"
CLAIM = "a narrow valley: the step that is stable across it crawls along it"
ENABLED = True
SICK = ("examples/sick/c504_polynomial.py",)
HEALTHY = ("examples/mended/c504_polynomial.py", "examples/healthy/diabetes_linear.py")
THRESHOLDS = {
    "steep": (0.1, "of the stable limit: less than a factor of ten is left to raise the rate by"),
    "better": (5.0, "times the best of the rates: what one step by curvature must gain"),
    "share": (0.1, "of the loss that it must gain, so that it matters"),
    "left": (
        0.1,
        "of a constant answer's loss that a run may have left and still be called done: sound ones leave .06",
    ),
    "nearly_all": (0.5, "of the loss that is left, where one step by curvature gains it: sound runs had at most .25"),
}


def judge(recording: Recording) -> Answer:
    """No room to raise the rate, and a step by curvature gains far more?"""
    look = last_look(recording)
    tried = trial(recording)
    steep = steepness(recording)
    if look is None:
        return Skipped(why_not(recording))
    if tried is None or steep is None or tried.newton is None:
        return Skipped("no rates were tried on kept batches, or the optimizer's rule is not known")
    ratio, _, rule = steep
    reached = progress(recording)
    multiple, fall = tried.best
    if ratio < THRESHOLDS["steep"][0]:
        return Passed(f"the rate stands at {ratio:.2g} of the stable limit: there is room to raise it")
    gain = tried.newton
    if gain < THRESHOLDS["share"][0] * tried.before or gain < THRESHOLDS["better"][0] * max(fall, 0.0):
        return Passed(
            f"a step by curvature lowers the loss by {gain:.3g}, {tried.steps} steps at {multiple:g} times the rate by "
            f"{fall:.3g}"
        )
    fall_so_far = reached.course.fall
    much = fall_so_far is not None and 1 - fall_so_far >= THRESHOLDS["left"][0]
    worth = worth_more(reached.course, gain, tried.before) or (
        much and gain >= THRESHOLDS["nearly_all"][0] * tried.before
    )
    if reached.state == "learned" and not worth:
        return Passed(f"a step by curvature would gain {gain:.3g}, and the run learns all the same: {reached.sentence}")
    top, small = number(look.data.get("largest")), number(look.data.get("smallest"))
    return Fired(
        sentence=f"{rule} runs at {ratio:.0%} of the longest stable rate, where {tried.steps} steps lower the loss of "
        f"{tried.before:.4g} by {max(tried.own, 0.0):.2g} (at best {max(fall, 0.0):.2g}, at {multiple:g} times the rate), "
        f"while one step divided by the curvature lowers it by {gain:.3g}: a narrow valley; {reached.sentence}.",
        severity="warning",
        confidence=0.7,
        where=model_name(recording),
        step=look.step,
        evidence={
            "share_of_stable_limit": ratio,
            "largest_eigenvalue": top,
            "smallest_eigenvalue": small,
            "fall_own_rate": tried.own,
            "fall_best_rate": fall,
            "best_multiple": multiple,
            "fall_by_curvature": gain,
        },
        advice=(
            Advice("one-scale", "Bring the inputs to zero mean and unit variance, and normalize between layers."),
            Advice(
                "adaptive",
                "Let the rule divide by the size of the gradient, or give it momentum.",
                "torch.optim.Adam(model.parameters(), lr=1e-3)"
                if optimizer_kind(recording.main) in ("SGD", "")
                else "unstuck.optim.read(optimizer)  # its rule, to change one part of",
                optimizer_line(recording.main),
            ),
        ),
        line=optimizer_line(recording.main),
        basis="probed",
    )
