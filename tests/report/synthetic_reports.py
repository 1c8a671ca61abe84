"""Recordings of runs that never were, as like real ones as numbers can be made, and the reports on them."""

from __future__ import annotations

import math
import random
from typing import Any

from unstuck.findings.contract import Advice, Check, Finding, Fired, Judgement, Verdict
from unstuck.live.assemble import assemble
from unstuck.record.recording import Event, Recording, Series, Stream

SCRIPT = "/home/ada/digits/train.py"
PAGES = {
    "L201": {
        "What it means": "The scores pass through a softmax before they enter a loss that applies softmax itself.",
        "Why it hurts": (
            "Probabilities lie between 0 and 1, so the second softmax can never be sure: with ten classes its highest "
            "answer is about 0.23. The loss cannot fall below 1.46, and the gradient is throttled twice.\n\n"
            "The accuracy may look fine for a while, which is why this is so hard to see."
        ),
        "How it is judged": "The loss's own graph is read: a ``softmax`` node stands between the last layer and the "
        "loss.\n\n- every row of the loss's input sums to 1\n- every entry is nonnegative",
        "When it is wrong": "If the loss is meant to be a distance between probabilities, as in some distillation "
        "set-ups, the softmax is right and this finding is not.",
        "What to do": "Remove the softmax before the loss, and apply it only where you read probabilities:\n\n"
        "    loss = F.cross_entropy(model(x), y)\n    probabilities = model(x).softmax(1)",
        "Sources": "Goodfellow, Bengio, Courville: Deep Learning, section 6.2.2.3.",
    },
    "U401": {
        "Why it hurts": "A step longer than the valley is wide climbs the other side.",
        "When it is wrong": "A loss that is noisy by nature (reinforcement learning) rises now and then.",
    },
}


def line(number: int, text: str, file: str = SCRIPT) -> dict[str, Any]:
    return {"file": file, "line": number, "function": "train", "text": text}


def sample(
    step: int,
    layers: list[tuple[str, str, int]],
    *,
    gradient: float = 0.1,
    stream: int = 0,
    sick: float = 0.0,
    accuracy: float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """A sampled step of a chain of layers (name, kind, entries); ``sick`` lets the early layers fade and die."""
    draw = random.Random(f"{seed} {step}")
    params: dict[str, Any] = {}
    acts: list[dict[str, Any]] = []
    for i, (name, _, entries) in enumerate(layers):
        fade = 10.0 ** (-sick * 5 * (len(layers) - 1 - i) / max(len(layers) - 1, 1))
        for role, size in (("weight", entries), ("bias", max(entries // 16, 1))):
            norm = gradient * fade * math.exp(draw.gauss(0, 0.25))
            weight = math.sqrt(size) * 0.05 * (1 + step / 5000)
            params[f"{name}.{role}"] = {
                "w": weight,
                "wstd": 0.05,
                "g": norm,
                "gz": min(0.98, sick * 0.9 * (1 - i / len(layers))),
                "gn": 0,
                "wn": 0,
                "u": 0.1 * norm,
                "d": -0.9,
                "n": size,
                "o": stream,
                "order": i,
                "layer": name,
                "role": role,
            }
        if i + 1 < len(layers):
            dead = min(1.0, max(0.0, sick * min(1.0, step / 300) * (1.1 - i / len(layers)) + draw.gauss(0, 0.02)))
            acts.append(
                {
                    "name": f"relu after {name}",
                    "after": name,
                    "kind": "relu",
                    "order": i,
                    "shape": [32, 64],
                    "units": 64,
                    "mean": 0.4 * (1 - dead),
                    "std": 0.6 * (1 - dead),
                    "zero": 0.5 + dead / 2,
                    "dead": round(dead, 3),
                    "dead_so_far": round(dead, 3),
                    "saturated": 0.0,
                    "vary": 1 - dead,
                    "nonfinite": 0,
                    "hidden": True,
                }
            )
    term = {"kind": "nll", "reduction": "mean", "weight": 1.0, "accuracy": accuracy, "r2": None}
    return {
        "e": "sample",
        "o": stream,
        "s": step,
        "full": True,
        "seconds": 0.004,
        "losses": [{"value": 2.3, "line": line(44, "loss.backward()"), "terms": [term]}],
        "params": params,
        "acts": acts,
        "layers": [{"name": name, "kind": kind, "order": i} for i, (name, kind, _) in enumerate(layers)],
        "unseen": [],
    }


LAYERS = [("conv1", "Conv2d", 320), ("conv2", "Conv2d", 18496), ("fc1", "Linear", 65600), ("fc2", "Linear", 1290)]


def sampled_steps(steps: int) -> list[int]:
    """The first twenty, then ever more thinly."""
    found, step = list(range(min(20, steps))), 20
    while step < steps:
        found.append(step)
        step += max(5, step // 25)
    return found


def head(**changes: Any) -> dict[str, Any]:
    return {
        "e": "head",
        "schema": "unstuck.journal/1",
        "run": "2026-11-21-113755-train-4f2a",
        "pid": 4711,
        "rank": 0,
        "world": 1,
        "time": 1795261075.0,
        "script": "train.py",
        "argv": ["train.py", "--epochs", "30", "--lr", "0.1"],
        "cwd": "/home/ada/digits",
        "versions": {"python": "3.11.2", "unstuck": "0.1.0", "torch": "2.13.0+cpu"},
        "settings": {"overhead": 0.03, "allowance_seconds": 1.0, "full_samples": 20},
    } | changes


def end(steps: int, **changes: Any) -> dict[str, Any]:
    return {
        "status": 0,
        "exception": None,
        "seconds": 12.3,
        "steps": steps,
        "watcher_seconds": 0.25,
        "allowance_seconds": 0.11,
        "start_seconds": 0.01,
        "running_seconds": 0.13,
        "measured_seconds": 11.4,
        "samples": 64,
        "light_samples": 400,
        "bytes": 812_000,
    } | changes


def stream(
    number: int,
    losses: list[float],
    *,
    samples: list[dict[str, Any]],
    kind: str = "SGD",
    rates: list[float] | None = None,
    clipped: bool = False,
) -> Stream:
    steps = range(len(losses))
    rates = rates or [0.1] * len(losses)
    draw = random.Random(number)
    norms = [0.8 * math.exp(draw.gauss(0, 0.4)) for _ in steps]
    return Stream(
        number,
        loss=Series(list(steps), losses),
        learning_rate=Series(list(steps), rates),
        batch_size=Series(list(steps), [32.0] * len(losses)),
        backwards=Series(list(steps), [1.0] * len(losses)),
        seconds=Series(list(steps), [0.0066 * s for s in steps]),
        clip_norm=Series(list(steps), norms) if clipped else Series(),
        samples=samples,
        optimizer={
            "o": number,
            "kind": kind,
            "module": "torch.optim.sgd",
            "line": line(31, "opt = torch.optim.SGD(net.parameters(), lr=0.1)"),
            "groups": [
                {"lr": rates[0] if rates else 0.1, "momentum": 0.9, "nesterov": False, "params": ["conv1.weight"]}
            ],
        },
    )


def model(layers: list[tuple[str, str, int]], name: str = "net") -> dict[str, Any]:
    return {
        "e": "model",
        "m": 0,
        "name": name,
        "kind": "Net",
        "compiled": False,
        "modules": [{"name": layer, "kind": kind, "options": {}} for layer, kind, _ in layers],
        "params": [
            {"name": f"{layer}.weight", "shape": [entries], "trainable": True, "dtype": "float32", "device": "cpu"}
            for layer, _, entries in layers
        ],
        "line": line(28, "net = Net()"),
    }


CHECKS = (
    Check("B605", "wrong-mode", "passed", "every training step was in training mode"),
    Check("D101", "inputs-not-normalized", "passed", "feature means within 0.1 of 0, deviations from 0.9 to 1.1"),
    Check("D102", "inputs-not-finite", "passed", "64 samples, all finite"),
    Check("D104", "targets-not-normalized", "not-applicable", "the targets are classes"),
    Check("D105", "classes-imbalanced", "passed", "10 classes, the commonest 11 % of 59 520 labels"),
    Check("D106", "not-shuffled", "passed", "RandomSampler; class mix of batches as chance would have it"),
    Check("D108", "train-evaluation-mismatch", "skipped", "no evaluation was seen"),
    Check("L201", "double-softmax", "fired", "probabilities enter the loss"),
    Check("L202", "missing-softmax", "passed", ""),
    Check("L209", "loss-summed", "passed", "averaged over 32 examples"),
    Check("G301", "vanishing-gradient", "fired", "see L201"),
    Check("G303", "dead-units", "passed", "at most 12 % of a layer's units"),
    Check("G305", "symmetric-initialization", "passed", ""),
    Check("G308", "not-finite", "passed", ""),
    Check("T701", "stopped-early", "skipped", "the run was too short to tell"),
    Check("T702", "overfitting", "skipped", "no evaluation was seen"),
    Check("U401", "step-too-long", "passed", ""),
    Check("U405", "step-decayed-away", "not-applicable", "the learning rate is constant"),
    Check("U410", "gradients-accumulate", "crashed", "ZeroDivisionError: division by zero"),
)


def double_softmax() -> Finding:
    return Finding(
        "L201",
        "double-softmax",
        Fired(
            sentence="Probabilities enter cross_entropy, which applies softmax itself: all 32 rows sum to 1 at every "
            "one of 64 samples, and the loss stands at 1.48 since step 610 (no lower than 1.461 can be reached).",
            severity="error",
            confidence=0.99,
            where="softmax before cross_entropy",
            step=0,
            evidence={
                "rows_that_sum_to_one_share": 1.0,
                "loss": 1.4843,
                "lowest_reachable_loss": 1.4612,
                "classes": 10,
                "softmax_dimension": 1,
            },
            advice=(
                Advice(
                    "give the loss raw scores",
                    "Remove the softmax: cross_entropy wants raw scores.",
                    "loss = F.cross_entropy(net(x), y)",
                    line(43, "loss = F.cross_entropy(F.softmax(net(x), dim=1), y)"),
                ),
                Advice(
                    "take the loss that wants log-probabilities",
                    "Or keep probabilities and take their logarithm in one stable step.",
                    "loss = F.nll_loss(F.log_softmax(net(x), dim=1), y)",
                ),
            ),
            line=line(43, "loss = F.cross_entropy(F.softmax(net(x), dim=1), y)"),
        ),
        symptoms=(
            Finding(
                "G301",
                "vanishing-gradient",
                Fired(
                    sentence="The gradient is 3 100 times weaker in conv1 than in fc2 at step 1 840.",
                    severity="warning",
                    confidence=0.7,
                    where="conv1",
                    step=1840,
                    evidence={"first_layer": 2.1e-5, "last_layer": 0.065, "ratio": 3100},
                ),
            ),
        ),
    )


def step_too_long() -> Finding:
    return Finding(
        "U401",
        "step-too-long",
        Fired(
            sentence="The loss rose in 212 of 500 steps, by 0.4 at the median, while the gradient kept its size.",
            severity="warning",
            confidence=0.62,
            where="SGD, group 0",
            step=1204,
            evidence={"rises": 212, "of": 500, "learning_rate": 0.1, "update_ratio": 0.031},
            advice=(
                Advice(
                    "lower the rate",
                    "Lower the learning rate to 0.03.",
                    "lr=0.03",
                    line(31, "opt = torch.optim.SGD(net.parameters(), lr=0.1)"),
                ),
            ),
            line=line(31, "opt = torch.optim.SGD(net.parameters(), lr=0.1)"),
        ),
    )


def remark() -> Finding:
    return Finding(
        "B602",
        "batch-too-large",
        Fired(
            sentence="The batch of 32 is larger than the noise asks for (noise scale about 9).",
            severity="info",
            confidence=0.4,
            where="batch",
            step=None,
            evidence={"noise_scale": 9.1, "batch": 32},
            basis="watched",
        ),
    )


def stuck_recording(steps: int = 1860) -> Recording:
    draw = random.Random(1)
    losses = [1.47 + 0.84 * math.exp(-s / 120) + draw.gauss(0, 0.02) for s in range(steps)]
    for spike in (700, 701, 1311):
        if spike < steps:
            losses[spike] = 2.6 + draw.random()
    samples = [
        sample(s, LAYERS, gradient=0.06, sick=0.8, accuracy=0.1 + 0.6 * (1 - math.exp(-s / 400)))
        for s in sampled_steps(steps)
    ]
    rates = [0.1 * 0.5 ** (s // 600) for s in range(steps)]
    return Recording(
        head=head(),
        streams={0: stream(0, losses, samples=samples, rates=rates, clipped=True)},
        models=[model(LAYERS)],
        events=[Event("unseen", 0, {"what": "custom function RoundSTE", "why": "its graph node saves nothing"})],
        end=end(steps),
    )


def stuck() -> dict[str, Any]:
    """A classifier with a softmax too many: the report that most people come for."""
    judgement = Judgement(
        Verdict(
            "bouncing",
            "The loss has stood at 1.48 since step 610, while the gradient (norm 0.8) is 40 times its noise.",
            {"loss": 1.4843, "since_step": 610, "gradient_norm": 0.81, "noise_norm": 0.02},
            "unstuck explain L201",
        ),
        (double_softmax(), step_too_long(), remark()),
        CHECKS,
    )
    report = assemble(
        [stuck_recording()], judgement, source="/home/ada/digits/.unstuck/runs/2026-11-21-113755-train-4f2a"
    )
    report["pages"] = PAGES
    return report


def healthy() -> dict[str, Any]:
    """A run that learns, with two checks that could not be made."""
    draw = random.Random(2)
    losses = [0.12 + 2.2 * math.exp(-s / 150) * math.exp(draw.gauss(0, 0.15)) for s in range(1860)]
    samples = [sample(s, LAYERS, gradient=0.3, accuracy=1 - 0.9 * math.exp(-s / 200)) for s in sampled_steps(1860)]
    recording = Recording(
        head=head(),
        streams={0: stream(0, losses, samples=samples, kind="AdamW")},
        models=[model(LAYERS)],
        end=end(1860),
    )
    verdict = Verdict(
        "learning",
        "The loss is still falling: 0.131 over the last 200 steps, 0.164 over the 200 before.",
        {"loss": 0.131, "before": 0.164},
    )
    checks = tuple(
        Check(c.code, c.name, "passed" if c.status in ("fired", "crashed") else c.status, c.reason) for c in CHECKS
    )
    return assemble([recording], Judgement(verdict, (), checks))


def nothing() -> dict[str, Any]:
    """A script that died before its first step."""
    failed = {
        "type": "FileNotFoundError",
        "message": "[Errno 2] No such file or directory: 'digits.npz'",
        "line": line(12, "data = np.load('digits.npz')"),
    }
    recording = Recording(
        head=head(), end=end(0, status=1, exception=failed, seconds=0.4, watcher_seconds=0.0, samples=0)
    )
    verdict = Verdict("unknown", "No training step was seen.", {}, "unstuck run train.py")
    checks = tuple(Check(c.code, c.name, "skipped", "no training step was seen") for c in CHECKS)
    return assemble([recording], Judgement(verdict, (), checks))


def diverged() -> dict[str, Any]:
    """A loss that leaves the finite numbers, in a run that was killed."""
    losses = [2.3 * math.exp(0.004 * s * s / 10) for s in range(60)] + [float("inf")] + [float("nan")] * 39
    losses[20:23] = [float("nan"), 2.4, float("nan")]
    samples = [sample(s, LAYERS, gradient=math.exp(s / 8) if s < 60 else float("nan")) for s in range(100)]
    finding = Finding(
        "G308",
        "not-finite",
        Fired(
            sentence="The loss is inf at step 60 and nan after it; the first gradient not finite is fc2.weight's.",
            severity="error",
            confidence=1.0,
            where="fc2",
            step=60,
            evidence={"loss": float("inf"), "step": 60, "parameter": "fc2.weight"},
            advice=(Advice("lower the rate", "Lower the learning rate tenfold.", "lr=0.01"),),
        ),
    )
    verdict = Verdict(
        "diverging",
        "The loss rose from 2.3 to 9.2e+06 in 60 steps and is not finite since step 60.",
        {"loss": float("nan")},
        "unstuck explain G308",
    )
    recording = Recording(
        head=head(), streams={0: stream(0, losses, samples=samples)}, models=[model(LAYERS)], end=None, complete=False
    )
    return assemble([recording], Judgement(verdict, (finding,), CHECKS))


def two_optimizers() -> dict[str, Any]:
    """A generator and a discriminator, each with an optimizer of its own."""
    draw = random.Random(3)
    generator = [("generator.fc1", "Linear", 12800), ("generator.fc2", "Linear", 100352)]
    critic = [("critic.fc1", "Linear", 100352), ("critic.fc2", "Linear", 128)]
    one = [0.7 + 0.3 * math.sin(s / 40) + draw.gauss(0, 0.05) for s in range(900)]
    two = [1.2 - 0.3 * math.sin(s / 40) + draw.gauss(0, 0.1) for s in range(450)]
    streams = {
        0: stream(0, one, samples=[sample(s, critic, gradient=0.5) for s in sampled_steps(900)], kind="Adam"),
        1: stream(
            1, two, samples=[sample(s, generator, gradient=0.2, stream=1) for s in sampled_steps(450)], kind="RMSprop"
        ),
    }
    recording = Recording(
        head=head(), streams=streams, models=[model(critic, "critic"), model(generator, "generator")], end=end(900)
    )
    verdict = Verdict(
        "unknown",
        "Two optimizers work against each other; one loss does not tell how the run stands.",
        {},
        "unstuck explain U401",
    )
    return assemble([recording], Judgement(verdict, (step_too_long(),), CHECKS))


def large() -> dict[str, Any]:
    """A hundred layers with long names, sixty thousand steps, a spike that must stay."""
    steps = 60_000
    names = [f"backbone.encoder.stage_{i // 10}.block_{i % 10}.feed_forward.projection" for i in range(100)]
    layers = [(name, "Linear", 4096) for name in names]
    draw = random.Random(4)
    losses = [0.5 + 6 * math.exp(-s / 9000) + draw.gauss(0, 0.05) for s in range(steps)]
    losses[41_234] = 97.5
    samples = [sample(s, layers, gradient=0.1, sick=0.3) for s in sampled_steps(steps)[::4]]
    recording = Recording(
        head=head(script="a/" + "very_" * 30 + "long_name.py"),
        streams={0: stream(0, losses, samples=samples)},
        models=[model(layers)],
        end=end(steps),
    )
    verdict = Verdict("learning", "The loss is still falling.", {"loss": 0.5})
    return assemble([recording], Judgement(verdict, (step_too_long(),), CHECKS))


EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\u2028\x1b[31m&amp;\"'"


def hostile() -> dict[str, Any]:
    """Every name a person could choose is an attack."""
    layers = [(EVIL, EVIL, 64), ("fc2", "Linear", 10)]
    samples = [sample(s, layers) for s in range(30)]
    finding = Finding(
        "X999",
        EVIL,
        Fired(
            sentence=EVIL,
            severity="error",
            confidence=0.9,
            where=EVIL,
            step=3,
            evidence={EVIL: EVIL},
            advice=(Advice(EVIL, EVIL, EVIL, line(1, EVIL, EVIL)),),
            line=line(1, EVIL, EVIL),
        ),
        symptoms=(Finding(EVIL[:20], EVIL, Fired(EVIL, "info", 0.1, EVIL, None)),),
    )
    recording = Recording(
        head=head(run=EVIL, script=EVIL, argv=[EVIL], cwd=EVIL, versions={EVIL: EVIL}),
        streams={0: stream(0, [1.0 / (s + 1) for s in range(30)], samples=samples, kind=EVIL)},
        models=[model(layers, EVIL)],
        end=end(30, status=1, exception={"type": EVIL, "message": EVIL, "line": line(1, EVIL, EVIL)}),
        events=[Event("unseen", 0, {"what": EVIL, "why": EVIL})],
    )
    report = assemble(
        [recording],
        Judgement(Verdict("unknown", EVIL, {EVIL: EVIL}, EVIL), (finding,), (Check("X999", EVIL, "skipped", EVIL),)),
    )
    report["pages"] = {"X999": {"Why it hurts": EVIL, "When it is wrong": EVIL + "\n\n    " + EVIL, EVIL: EVIL}}
    return report


ALL = {
    "stuck": stuck,
    "healthy": healthy,
    "nothing": nothing,
    "diverged": diverged,
    "two_optimizers": two_optimizers,
    "large": large,
    "hostile": hostile,
}
