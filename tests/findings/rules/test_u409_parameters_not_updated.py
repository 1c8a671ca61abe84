"""Optimizers that hold the wrong parameters; and heads, critics, averages and schedules that are as they should
be."""

from __future__ import annotations

from typing import Any

import pytest
from literal_recordings import STEPS, chain, event, learned, sample, stuck, weight

from unstuck.findings.contract import Fired, NotApplicable, Passed
from unstuck.findings.rules import u409_parameters_not_updated as rule
from unstuck.findings.verdict import verdict
from unstuck.record.recording import Recording


def model(name: str, trainable: list[bool]) -> dict[str, Any]:
    params = [{"name": f"{name}.{i}.weight", "shape": [4, 4], "trainable": t} for i, t in enumerate(trainable)]
    return {"m": 0, "name": name, "params": params}


def holds(*names: str) -> dict[str, Any]:
    return {"o": 0, "kind": "SGD", "groups": [{"lr": 0.1, "params": list(names)}]}


def test_only_frozen_parameters_in_the_optimizer() -> None:
    params = chain([None, None], u=0.0) | {"net.2.weight": weight(g=2.0, order=2, o=None, u=None)}
    still = event("not_moved", 50, o=0, **{"from": 0, "to": 50}, params=["net.0.weight", "net.1.weight"], of=2)
    found = rule.judge(
        stuck(
            [sample(s, params=params) for s in STEPS],
            events=[still],
            models=[model("net", [False, False, True])],
            optimizer=holds("net.0.weight", "net.1.weight"),
        )
    )
    assert isinstance(found, Fired)
    assert found.severity == "error"
    assert "all 2 of them are frozen" in found.sentence and "net.2.weight" in found.sentence
    assert "requires_grad" in found.advice[0].code


def test_a_stale_optimizer() -> None:
    stale = event("stale_optimizer", 0, o=0, count=4, of=4, same_shapes=True)
    found = rule.judge(stuck([sample(s, params=chain([0.5, 0.5])) for s in STEPS], events=[stale]))
    assert isinstance(found, Fired) and found.severity == "error"
    assert "4 of the 4" in found.sentence


def test_tensors_of_their_own() -> None:
    """An image that is optimized, a temperature: in no model, and of no shape of it."""
    for data in ({"count": 1, "of": 1, "same_shapes": False}, {"count": 1, "of": 9, "same_shapes": True}):
        told = event("stale_optimizer", 0, o=0, **data)
        assert isinstance(rule.judge(learned([sample(s, params=chain([0.5])) for s in STEPS], events=[told])), Passed)


def test_nothing_moves_though_gradients_are_alive() -> None:
    still = event("not_moved", 50, o=0, **{"from": 0, "to": 50}, params=["net.0.weight", "net.1.weight"], of=2)
    found = rule.judge(stuck([sample(s, params=chain([0.5, 0.5], u=0.0)) for s in STEPS], events=[still]))
    assert isinstance(found, Fired) and found.severity == "error"


def test_no_gradient_is_another_sickness() -> None:
    still = event("not_moved", 50, o=0, **{"from": 0, "to": 50}, params=["net.0.weight", "net.1.weight"], of=2)
    assert isinstance(
        rule.judge(stuck([sample(s, params=chain([0.0, 0.0], u=0.0)) for s in STEPS], events=[still])), Passed
    )


def test_a_rate_of_zero_throughout() -> None:
    still = event("not_moved", 50, o=0, **{"from": 0, "to": 50}, params=["net.0.weight"], of=1)
    found = rule.judge(
        stuck([sample(s, params=chain([0.5], u=0.0)) for s in STEPS], events=[still], learning_rate=[0.0] * 60)
    )
    assert isinstance(found, Fired) and "exactly zero" in found.sentence


def test_a_rate_of_zero_at_the_end() -> None:
    still = event("not_moved", 59, o=0, **{"from": 55, "to": 59}, params=["net.0.weight"], of=1)
    rates = [0.1] * 55 + [0.0] * 5
    found = rule.judge(learned([sample(s, params=chain([0.5])) for s in STEPS], events=[still], learning_rate=rates))
    assert isinstance(found, Passed)


def outside(*, gradient: bool = True, moved: bool = False, of: str = "net") -> Any:
    return event("untracked", 20, model=of, params=[{"name": f"{of}.0.weight", "gradient": gradient, "moved": moved}])


HELD = {"net.1.weight": weight(g=0.5, order=1)}
NET = {"models": [model("net", [True, True])], "optimizer": holds("net.1.weight")}


def test_a_layer_left_out_of_the_optimizer() -> None:
    found = rule.judge(stuck([sample(s, params=HELD) for s in STEPS], events=[outside()], **NET))
    assert isinstance(found, Fired)
    assert found.severity == "warning" and "net.0.weight" in found.sentence


def test_training_only_the_head_of_a_run_that_learns() -> None:
    found = rule.judge(learned([sample(s, params=HELD) for s in STEPS], events=[outside()], **NET))
    assert isinstance(found, Fired) and found.severity == "info"


def test_a_phase_in_which_only_the_head_was_trained() -> None:
    """A second optimizer takes up the rest later; what was left out early no longer is."""
    recording = stuck([sample(s, params=HELD) for s in STEPS], events=[outside()], **NET)
    later = Recording.of(loss=[1.0] * 5, optimizer=holds("net.0.weight", "net.1.weight")).main
    later.number = 1
    recording.streams[1] = later
    assert isinstance(rule.judge(recording), Passed)


def test_averages_and_targets() -> None:
    """They get no gradient, or are moved by other means."""
    for told in (outside(gradient=False), outside(moved=True)):
        assert isinstance(
            rule.judge(stuck([sample(s, params=chain([0.5])) for s in STEPS], events=[told], **NET)), Passed
        )


def test_a_fixed_critic() -> None:
    """A loss network passes the gradient on and is in no optimizer, all of it."""
    other = {"m": 1, "name": "vgg", "params": [{"name": "vgg.0.weight", "shape": [4, 4], "trainable": True}]}
    recording = stuck(
        [sample(s, params=HELD) for s in STEPS],
        events=[outside(of="vgg")],
        models=[*NET["models"], other],  # type: ignore[misc]
        optimizer=NET["optimizer"],
    )
    found = rule.judge(recording)
    assert isinstance(found, Fired) and found.severity == "info"


def test_no_step() -> None:
    assert isinstance(rule.judge(Recording()), NotApplicable)


def test_a_new_head_that_the_optimizer_does_not_know() -> None:
    """Two of six tensors are strangers without gradient, and the model's own head is left out: certain, if not fatal."""
    stale = event("stale_optimizer", 20, o=0, count=2, of=6, same_shapes=True, with_gradient=0)
    found = rule.judge(learned([sample(s, params=HELD) for s in STEPS], events=[stale, outside()], **NET))
    assert isinstance(found, Fired)
    assert found.severity == "warning" and "2 of the 6" in found.sentence


def test_strangers_that_get_a_gradient_are_used() -> None:
    used = event("stale_optimizer", 20, o=0, count=4, of=4, same_shapes=True, with_gradient=4)
    assert isinstance(rule.judge(learned([sample(s, params=chain([0.5])) for s in STEPS], events=[used])), Passed)


def test_layers_kept_in_a_plain_list() -> None:
    """They run before the layer that is trained, as models of their own."""
    layers = [{"name": "layer", "order": 1}, {"name": "net.1", "order": 5}]
    other = {"m": 1, "name": "layer", "params": [{"name": "layer.0.weight", "shape": [4, 4], "trainable": True}]}
    left = event("untracked", 20, model="layer", params=[{"name": "layer.weight", "gradient": True, "moved": False}])

    def judged(order: list[dict[str, Any]]) -> Any:
        samples = [sample(s, params=HELD, layers=order) for s in STEPS]
        models = [*NET["models"], other]  # type: ignore[misc]
        return rule.judge(stuck(samples, events=[left], models=models, optimizer=NET["optimizer"]))

    found = judged(layers)
    assert isinstance(found, Fired) and found.severity == "warning"
    after = judged([{"name": "net.1", "order": 1}, {"name": "layer", "order": 5}])
    assert isinstance(after, Fired) and after.severity == "info"

    def learns(order: list[dict[str, Any]]) -> Any:
        samples = [sample(s, params=HELD, layers=order) for s in STEPS]
        models = [*NET["models"], other]  # type: ignore[misc]
        return rule.judge(learned(samples, events=[left], models=models, optimizer=NET["optimizer"]))

    # Before all that is trained it may be a fixed encoder; between two trained layers it is a part that was forgotten.
    assert learns(layers).severity == "info"
    between = [{"name": "net.1", "order": 0}, {"name": "layer", "order": 3}, {"name": "net.1", "order": 5}]
    assert learns(between).severity == "warning"


def test_a_gradient_that_has_vanished_moves_nothing() -> None:
    still = event("not_moved", 50, o=0, **{"from": 0, "to": 50}, params=["net.0.weight"], of=2)
    for gradient, kind in ((1e-12, Passed), (0.5, Fired)):
        samples = [sample(s, params=chain([gradient, 0.5])) for s in STEPS]
        assert isinstance(rule.judge(stuck(samples, events=[still])), kind)


def stopped(since: int, until: int, **more: Any) -> Any:
    return event(
        "gradients_stopped", since, o=0, **{"from": since, "to": until, "steps": 60}, of=2, moved=False, **more
    )


OTHER = event("untracked", 25, model="net (2)", params=[{"name": "net (2).0.weight", "gradient": True, "moved": False}])


def test_another_model_is_trained_from_some_step_on() -> None:
    held = [sample(s, params=HELD) for s in STEPS if s <= 10]
    found = rule.judge(learned(held, events=[stopped(20, 55), OTHER], **NET))
    assert isinstance(found, Fired) and found.severity == "error" and found.step == 20
    assert "From step 20 of 60 on" in found.sentence and "net (2).0.weight" in found.sentence
    assert "load_state_dict" in found.advice[0].code
    told = verdict(stuck(held, events=[stopped(20, 55), OTHER], **NET))
    assert told.state == "not-moving" and told.evidence["since"] == 20


def test_a_stale_optimizer_tells_since_when() -> None:
    stale = event("stale_optimizer", 25, o=0, count=4, of=4, same_shapes=True, with_gradient=0)
    found = rule.judge(learned([sample(s, params=HELD) for s in STEPS], events=[stale, stopped(20, 55), OTHER], **NET))
    assert isinstance(found, Fired) and found.step == 20 and "from step 20 on none of them" in found.sentence


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([stopped(20, 55)], id="a part that was frozen: nothing else is left out"),
        pytest.param([stopped(56, 59), OTHER], id="the last few steps only"),
        pytest.param(
            [stopped(20, 55), event("untracked", 25, model="net (2)",
             params=[{"name": "net (2).0.weight", "gradient": True, "moved": True}])],
            id="the other model is updated by hand",
        ),
    ],
)  # fmt: skip
def test_optimizers_without_gradient_that_are_meant(events: list[Any]) -> None:
    found = rule.judge(learned([sample(s, params=HELD) for s in STEPS], events=events, **NET))
    assert not isinstance(found, Fired) or found.severity == "info"
