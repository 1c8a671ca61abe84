"""A penalty that outweighs the data fires; usual decay, and weights that hold, do not."""

from __future__ import annotations

from typing import Any

import pytest
from literal_recordings import STEPS, chain, classes, learned, numbers, sample, stuck, weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u408_decay_dominates as rule
from unstuck.record.recording import Recording


def optimizer(kind: str, decay: float, rate: float = 0.05) -> dict[str, Any]:
    names = ["net.0.weight", "net.1.weight"]
    return {"o": 0, "kind": kind, "groups": [{"lr": rate, "weight_decay": decay, "params": names}]}


def samples(shrink: float, *, g: float = 0.2, u: float = 0.01, gw: float | None = None, **more: Any) -> list[dict]:
    """Weights of norm four that keep the share ``shrink`` of it from step to step."""
    found = []
    for s in STEPS:
        params = chain([g, g], w=4.0 * shrink**s, u=u)
        if gw is not None:
            params = {name: {**stat, "gw": gw} for name, stat in params.items()}
        found.append(sample(s, params=params, **more))
    return found


def test_decay_in_the_optimizer() -> None:
    found = rule.judge(stuck(samples(0.95), optimizer=optimizer("SGD", 0.2)))
    assert isinstance(found, Fired) and found.severity == "error"
    assert (
        found.evidence["pull"] == pytest.approx(4 * 0.95**10 * 0.2 / 0.2, rel=0.01)
        and found.evidence["coefficient"] == 0.2
    )
    assert found.where == "SGD(weight_decay=0.2)" and "weight_decay=2e-03" in found.advice[0].code


def test_samples_of_the_beginning_only() -> None:
    """Half of the norm is left in the last sample, at step 12 of 60."""
    early = [s for s in samples(0.95) if s["s"] <= 12]
    assert isinstance(rule.judge(stuck(early, optimizer=optimizer("SGD", 0.2))), Fired)


def test_decoupled_decay() -> None:
    shrinking = samples(0.95, u=0.2)
    found = rule.judge(stuck(shrinking, optimizer=optimizer("AdamW", 1.0), learning_rate=0.05))
    assert isinstance(found, Fired) and "of the whole change" in found.sentence
    assert isinstance(rule.judge(stuck(shrinking, optimizer=optimizer("AdamW", 0.01), learning_rate=0.05)), Passed)


def with_penalty(**more: Any) -> list[dict]:
    """Samples of a loss that is the data's and a penalty."""
    made = samples(0.95, term=classes(0.1), **more)
    for one in made:
        one["losses"][0]["terms"].append({"kind": "penalty", "weight": 0.01})
    return made


def test_a_penalty_in_the_loss() -> None:
    found = rule.judge(stuck(with_penalty(gw=0.97), optimizer=optimizer("Adam", 0.0)))
    assert isinstance(found, Fired) and found.evidence["by"] == "penalty" and "0.97" in found.sentence


def test_a_penalty_on_one_weight() -> None:
    made = with_penalty(gw=0.97)
    for one in made:
        one["params"]["net.1.weight"] |= {"gw": 0.01, "w": 4.0}
    assert isinstance(rule.judge(stuck(made, optimizer=optimizer("Adam", 0.0))), Fired)


def test_a_loss_without_a_penalty() -> None:
    """Where there is nothing to learn, any weight is too much, and the data's own gradient points along it."""
    found = rule.judge(stuck(samples(0.95, gw=0.97), optimizer=optimizer("Adam", 0.0)))
    assert isinstance(found, NotApplicable)


def test_usual_decay() -> None:
    assert isinstance(rule.judge(stuck(samples(0.95), optimizer=optimizer("SGD", 1e-4))), Passed)


def test_the_weights_hold() -> None:
    """Dead units have no gradient, so that any decay is larger; but it has not shrunk the weights."""
    found = rule.judge(stuck(samples(0.9999, g=1e-6), optimizer=optimizer("SGD", 1e-4)))
    assert isinstance(found, Passed) and "is left" in found.reason


def test_a_run_that_learns() -> None:
    well = samples(0.95, term=classes(0.97))
    found = rule.judge(learned(well, optimizer=optimizer("SGD", 0.2)))
    assert isinstance(found, Passed) and "learns" in found.reason


def test_nothing_to_judge() -> None:
    assert isinstance(rule.judge(stuck(samples(0.95), optimizer=optimizer("SGD", 0.0))), NotApplicable)
    assert isinstance(rule.judge(stuck(samples(0.95)[:2], optimizer=optimizer("SGD", 0.2))), Skipped)
    assert isinstance(rule.judge(Recording()), Skipped)


def autoencoder(curve: list[float], *, summed: int = 1, beta: float = 1.0, latent: bool = True) -> Recording:
    """64 entries whose constant answer costs 0.5 each, beside the divergence of eight latent numbers."""
    error = numbers(0.0)
    error |= {"constant": 0.5, "sum_over": summed, "sign": 1, "weight": 1.0}
    error["target"] = {**error["target"], "shape": [32, 64]}
    divergence = {
        "kind": "kl", "latent": latent, "weight": 0.5 * beta, "sum_over": 8, "sum_over_batch": 1, "reduction": "mean",
        "head": [], "output": None, "target": None, "accuracy": None, "r2": None, "sign": 0,
    }  # fmt: skip
    seen = [sample(s, term=dict(error), params=chain([0.1, 0.1]), loss={"sum_over": summed}) for s in STEPS]
    for one in seen:
        one["losses"][0]["terms"].append(divergence)
    return Recording.of(loss=[v * summed for v in curve], samples=seen)


FALLS_TO_CONSTANT = [0.502 + 0.4 * 0.95**i for i in range(300)]


def test_a_divergence_that_leaves_nothing_but_the_mean() -> None:
    found = rule.judge(autoencoder(FALLS_TO_CONSTANT))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.evidence["by"] == "divergence" and found.evidence["entries"] == 64
    assert found.evidence["outweighs"] == pytest.approx(64)
    assert "0.502" in found.sentence and "(0.5)" in found.sentence
    beta = rule.judge(autoencoder(FALLS_TO_CONSTANT, summed=64, beta=20.0))
    assert isinstance(beta, Fired) and beta.evidence["outweighs"] == pytest.approx(20)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(autoencoder([0.4 + 0.4 * 0.95**i for i in range(300)]), id="below the constant answer"),
        pytest.param(autoencoder([0.3 + 0.4 * 0.995**i for i in range(300)]), id="on its way through it"),
        pytest.param(autoencoder([0.6 + 0.3 * 0.95**i for i in range(300)]), id="a divergence that is left"),
        pytest.param(autoencoder(FALLS_TO_CONSTANT, summed=64), id="sums of both: nothing to put into the code"),
        pytest.param(autoencoder(FALLS_TO_CONSTANT[:60]), id="a short run"),
        pytest.param(autoencoder(FALLS_TO_CONSTANT, latent=False), id="another divergence"),
    ],
)
def test_autoencoders_that_are_not_outweighed(recording: Recording) -> None:
    assert not isinstance(rule.judge(recording), Fired)


def of_tables(shrink: float, decay: float, *, kind: str = "Adam", end: float = 0.85, seen: float = 0.5) -> Recording:
    """A factorization that has tables only; its loss is of a kind whose constant answer is not known."""
    found = []
    for s in STEPS:
        params = {
            f"{name}.weight": weight(
                w=4.0 * shrink**s, g=0.2, gz=1 - seen, u=0.2, order=i, layer=name, role="embedding"
            )
            for i, name in enumerate(("user", "film"))
        }
        found.append(sample(s, params=params, term={**numbers(0.0), "output": None, "target": None, "r2": None}))
    held = {
        "o": 0,
        "kind": kind,
        "groups": [{"lr": 0.01, "weight_decay": decay, "params": ["user.weight", "film.weight"]}],
    }
    return Recording.of(loss=[end + (0.87 - end) * 0.9**i for i in range(60)], samples=found, optimizer=held)


def test_tables_that_decay_holds_at_nothing() -> None:
    found = rule.judge(of_tables(0.95, 0.1))
    assert isinstance(found, Fired) and found.where == "Adam(weight_decay=0.1)"
    assert found.evidence["pull"] == pytest.approx(0.1 * 4 * 0.95**10 / 0.2 * 0.5**0.5, rel=0.01)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(of_tables(0.95, 2e-4), id="usual decay"),
        pytest.param(of_tables(0.95, 5e-4, kind="SGD"), id="usual decay of plain descent"),
        pytest.param(of_tables(0.95, 1e-2, kind="AdamW"), id="usual decoupled decay"),
        pytest.param(of_tables(0.95, 0.1, end=0.2), id="the loss comes down"),
        pytest.param(of_tables(0.9999, 0.1), id="the tables hold"),
        pytest.param(of_tables(0.95, 0.1, seen=0.01), id="few rows of a large table have a gradient"),
    ],
)
def test_tables_that_are_sound(recording: Recording) -> None:
    assert isinstance(rule.judge(recording), Passed)
