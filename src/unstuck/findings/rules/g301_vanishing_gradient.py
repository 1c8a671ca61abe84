"""The gradient shrinks by orders of magnitude from the last layer to the first.

What it means
-------------
The gradient of an early layer is a product with one factor for every layer above it. Where those factors are
below one (sigmoids pass at most a quarter, small weights less than that), the product shrinks with every
layer. The early layers then get next to no signal while the last layers learn.

Why it hurts
------------
The early layers stay where chance put them, the later ones make the best of random features, and when the
signal is small enough even they see an input that hardly depends on the example. The loss settles near that
of a constant answer.

How it is judged
----------------
For every weight the recording has the norms of the gradient and of the weight. Their product says how much
the loss changes with a relative change of that weight, and it is about equal for all layers of a healthy
chain, whatever their widths. The rule takes the largest of the first quarter of the layers against the
largest of the last quarter, on every sample, and asks that the median ratio be below a hundredth, and that
the same hold in the later half of the samples. It is an error when the run has learned next to nothing, and a
warning when it has not come halfway from a constant answer to a perfect one. Adaptive rules often learn in
spite of such a ratio; then nothing is said. Early layers whose gradient is exactly zero while later ones are
alive need no threshold.

In a recurrent network the same product runs over the time steps. There the recording has the norm of the
gradient at up to sixteen time steps, as the script's own backward pass brings it, and the rule compares the
first tenth of them with the largest of all. Below a hundred-thousandth it is an error where the run answers no better than a
constant and its loss no longer falls. A loss that looks at every time step gives the early ones a gradient of
their own: then nothing shows here.

When it is wrong
----------------
A run that learns nothing for another reason may have a small ratio by the way. A network whose early part is
meant to get little signal (a detached branch, a tiny auxiliary loss) looks alike. A recurrent network may have no
need of its first time steps, and fail for another reason.

What to do
----------
Use activations that pass the gradient (ReLU, GELU, SELU in place of sigmoid and tanh), initial weights to
match (He for ReLU, Glorot for tanh), residual connections, or a normalization layer between the layers. In recurrent
networks: orthogonal recurrent weights, an LSTM or GRU whose gates begin open, or fewer steps between what matters and
the loss.

Sources
-------
Hochreiter, Untersuchungen zu dynamischen neuronalen Netzen, 1991. Glorot and Bengio, Understanding the
difficulty of training deep feedforward neural networks, 2010. Zhang and others, AutoTrainer, 2021 (the ratio
of a thousandth). Bengio, Simard, Frasconi, Learning long-term dependencies with gradient descent is difficult, 1994.
Jozefowicz, Zaremba, Sutskever, An empirical exploration of recurrent network architectures, 2015 (forget bias).
"""

from __future__ import annotations

import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.activations import BOUNDED, courses
from unstuck.findings.evidence.gradients import TimeProfile, time_profiles
from unstuck.findings.evidence.layers import Weight, module_kind, weights
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Fact, Recording

CODE = "G301"
NAME = "vanishing-gradient"
CLAIM = "the gradient shrinks by orders of magnitude from the last layer to the first"
ENABLED = True
SICK = ("examples/sick/g301_digits_deep_sigmoid.py", "examples/sick/g301_first_note.py")
HEALTHY = (
    "examples/mended/g301_digits_deep_sigmoid.py",
    "examples/mended/g301_first_note.py",
    "examples/healthy/docs_char_gpt.py",
    "examples/healthy/digits_cnn_cosine.py",
)
THRESHOLDS = {
    "ratio": (
        0.01,
        "of norms times weights; 402 runs of 182 healthy scripts have at least .09 (of norms alone AutoTrainer asks 1e-3)",
    ),
    "first_steps": (20, "the steps that are sampled in full"),
    "first_share": (0.1, "of the run, where more of it is sampled"),
    "small_weight": (0.01, "deviation that an entry is taken to have at least; a fifth of the usual for 100 inputs"),
    "fewest_layers": (4, "three factors between the first and the last: below that a small ratio has other reasons"),
    "fewest_samples": (4, "half of them must confirm the other half"),
    "through_time": (
        1e-5,
        "of the largest gradient of any time step; 15 healthy and mended recurrent runs of 8 to 40 steps have at least "
        "6e-5 in the median, the least of them an LSTM and a GRU as torch starts them",
    ),
}


def judge(recording: Recording) -> Answer:
    """The ratio of early to late layers, or time steps, over the samples, where the run learns next to nothing."""
    # How it began: a run that got away from there in the end was hurt all the same.
    until = max(THRESHOLDS["first_steps"][0], THRESHOLDS["first_share"][0] * recording.main.steps)
    layers = _through_layers(recording, until)
    if isinstance(layers, Fired):
        return layers
    times = _through_time(recording, until)
    return times if times is not None and (isinstance(times, Fired) or not isinstance(layers, Passed)) else layers


def _through_layers(recording: Recording, until: float) -> Answer:
    stream = recording.main
    chains = [chain for sample in stream.samples if sample["s"] < until and (chain := _chain(sample, recording))]
    if not chains:
        return Skipped("no gradients of ordered layers were recorded")
    if max(len(chain) for chain in chains) < THRESHOLDS["fewest_layers"][0]:
        return NotApplicable(f"only {max(len(chain) for chain in chains)} layers with weights")
    pairs = [(chain, *_ends(chain)) for chain in chains if len(chain) >= THRESHOLDS["fewest_layers"][0]]
    ratios = [(early.step, _pull(early) / _pull(late)) for _, early, late in pairs if _pull(late)]
    if len(ratios) < THRESHOLDS["fewest_samples"][0]:
        return Skipped(f"only {len(ratios)} samples with gradients; it takes {THRESHOLDS['fewest_samples'][0]:.0f}")
    whole = statistics.median(r for _, r in ratios)
    later = statistics.median(r for _, r in ratios[len(ratios) // 2 :])
    limit = THRESHOLDS["ratio"][0]
    state = progress(recording)
    if max(whole, later) > limit:
        return Passed(f"the first layers get {later:.2g} of the last ones' gradient, in units of their own weights")
    if state.state not in ("none", "some"):
        return Passed(f"the ratio is {later:.2g}, and the run learns all the same: {state.sentence}")
    exact = later == 0.0
    _, early, late = pairs[-1]
    squashed = [c for c in courses(stream) if c.hidden and c.kind in BOUNDED]
    blame = f" through {len(squashed)} layers of {squashed[0].kind}" if squashed else ""
    amount = "is exactly zero" if exact else f"is {later:.1e} of the last one's"
    return Fired(
        sentence=f"The gradient that reaches {early.layer}{blame} {amount} ({late.layer}), in units of each "
        f"layer's own weights, in the median of {len(ratios)} samples up to step {ratios[-1][0]}; "
        f"{state.sentence}.",
        severity="error" if state.state == "none" else "warning",
        confidence=0.95 if exact else 0.9 if state.state == "none" else 0.6,
        where=early.layer,
        step=ratios[0][0],
        evidence={
            "ratio": later,
            "first_layer_gradient": early.g,
            "last_layer_gradient": late.g,
            "layers": len(pairs[-1][0]),
            "samples": len(ratios),
            "at_first_sample": ratios[0][1],
        },
        advice=_advice(recording, squashed[0].kind if squashed else ""),
        line=model_line(recording),
    )


def _through_time(recording: Recording, until: float) -> Answer | None:
    """The same along the time steps of a recurrent network; None when none was measured."""
    found: list[tuple[float, list[TimeProfile]]] = []
    for profiles in time_profiles(recording.main, until=until).values():
        alive = [p for p in profiles if p.peak > 0]
        ratios = [p.early / p.peak for p in alive]
        if len(ratios) >= THRESHOLDS["fewest_samples"][0]:
            found.append((max(statistics.median(ratios), statistics.median(ratios[len(ratios) // 2 :])), alive))
    if not found:
        return None
    # Several layers, or both directions: the signal may pass through any of them.
    ratio, profiles = max(found, key=lambda pair: pair[0])
    first = profiles[0]
    if ratio > THRESHOLDS["through_time"][0]:
        return Passed(
            f"the first of {first.length} time steps get {ratio:.2g} of the largest gradient in {first.layer}"
        )
    state = progress(recording)
    verdict = recording.extras.get("verdict")
    if state.course.outcome != "nothing" or getattr(verdict, "state", "") == "learning":
        return Passed(
            f"the first of {first.length} time steps get {ratio:.1e} of the largest gradient; {state.sentence}"
        )
    at_first = first.early / first.peak
    return Fired(
        sentence=f"Of the gradient in {first.layer} the first of {first.length} time steps get "
        f"{f'{ratio:.1e}' if ratio else 'nothing, to the last digit,'} of what the last ones get, in the median of "
        f"{len(profiles)} samples up to step {profiles[-1].step} ({at_first:.1e} at step {first.step}): what stands early "
        f"in the sequence cannot be learned from; {state.sentence}.",
        severity="error",
        # Gates as torch starts them halve the gradient at each step: learning opens them where the rest is well.
        confidence=0.7 if _gated(recording, first.layer) else 0.8,
        where=first.layer,
        step=first.step,
        evidence={
            "ratio_through_time": ratio,
            "time_steps": first.length,
            "samples": len(profiles),
            "at_first_sample": at_first,
            "gradient_early": first.early,
            "gradient_largest": first.peak,
        },
        advice=_recurrent_advice(recording, first),
        line=model_line(recording),
    )


def _gated(recording: Recording, layer: str) -> bool:
    return any(part in module_kind(recording, layer) for part in ("LSTM", "GRU"))


def _recurrent_advice(recording: Recording, profile: TimeProfile) -> tuple[Advice, ...]:
    kind = module_kind(recording, profile.layer)
    layer, weight = profile.layer, profile.weight
    found = []
    if not _gated(recording, layer):
        found.append(
            Advice(
                "orthogonal recurrent weights",
                "An orthogonal matrix passes the gradient from step to step at its full length.",
                f"torch.nn.init.orthogonal_({weight})",
            )
        )
        found.append(
            Advice(
                "a network with gates",
                "An LSTM or a GRU has a path through time that does not multiply by the recurrent weights.",
                "torch.nn.GRU(...)  # in place of torch.nn.RNN(...)",
            )
        )
    elif "LSTM" in kind:
        found.append(
            Advice(
                "open forget gates",
                "A forget gate that begins at a half halves the gradient at each step; with a bias of one to three it "
                "begins nearly open.",
                f"for name, bias in {layer}.named_parameters():\n"
                "    if 'bias_ih' in name:\n"
                "        width = len(bias) // 4\n"
                "        torch.nn.init.constant_(bias[width:2 * width], 2.0)",
            )
        )
    else:
        found.append(
            Advice(
                "gates that begin by keeping",
                "An update gate that begins at a half halves the gradient at each step; with a positive bias it begins "
                "by keeping the state.",
                f"for name, bias in {layer}.named_parameters():\n"
                "    if 'bias_ih' in name:\n"
                "        width = len(bias) // 3\n"
                "        torch.nn.init.constant_(bias[width:2 * width], 2.0)",
            )
        )
    found.append(
        Advice(
            "a shorter way",
            f"Bring the loss nearer to what matters: shorter sequences than {profile.length} steps, an answer from the mean "
            "or the maximum over all states in place of the last one, or attention over them.",
            "summary = states.mean(dim=1)  # in place of states[:, -1]",
        )
    )
    return tuple(found)


def _chain(sample: Fact, recording: Recording) -> list[Weight]:
    """The weights that have a gradient, in forward order."""
    return [w for w in weights(sample, recording.main) if w.g is not None]


def _pull(weight: Weight) -> float:
    """Gradient times weight, where a weight that starts at zero counts as a small one: its gradient is no less alive."""
    floor = THRESHOLDS["small_weight"][0] * float(weight.stat.get("n") or 1) ** 0.5
    return float((weight.g or 0.0) * max(weight.w, floor))


def _ends(chain: list[Weight]) -> tuple[Weight, Weight]:
    quarter = max(1, len(chain) // 4)
    early = max(chain[:quarter], key=_pull)  # all of them must be small
    late = max(chain[-quarter:], key=_pull)
    return early, late


def _advice(recording: Recording, kind: str) -> tuple[Advice, ...]:
    name = model_name(recording)
    found = []
    if kind:
        found.append(
            Advice(
                "another activation",
                f"A {kind} passes at most "
                f"{'a quarter of' if 'sigmoid' in kind else 'all, and mostly much less than'} the gradient that "
                "reaches it. A ReLU passes all or nothing.",
                f"torch.nn.ReLU()  # in place of torch.nn.{'Sigmoid' if 'sigmoid' in kind else 'Tanh'}() between "
                "layers",
            )
        )
    found.append(
        Advice(
            "initialize for the activation",
            "Weights whose size matches the fan-in keep the size of the signal from layer to layer.",
            f"for layer in {name}.modules():\n"
            "    if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)):\n"
            "        torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "        torch.nn.init.zeros_(layer.bias)",
        )
    )
    found.append(
        Advice(
            "a way around",
            "A residual connection or a normalization layer gives the gradient a path that does not shrink.",
            "x = x + block(x)",
        )
    )
    return tuple(found)
