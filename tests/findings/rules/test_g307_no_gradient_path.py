"""Nothing, something or unused: three kinds of parameters without gradient, and those that are meant to have none."""

from __future__ import annotations

from typing import Any

from literal_recordings import STEPS, act, chain, classes, event, learned, sample, stuck, weight

from unstuck.findings.contract import Fired, Passed, Skipped
from unstuck.findings.rules import g307_no_gradient_path as rule
from unstuck.record.recording import Recording, Series, Stream

NET = {
    "m": 0,
    "name": "net",
    "params": [{"name": f"net.{i}.weight", "shape": [4, 4], "trainable": True} for i in range(4)],
}


def test_backward_without_a_graph() -> None:
    line = {"file": "/x/train.py", "line": 12, "function": "main", "text": "loss.backward()"}
    found = rule.judge(
        Recording(events=[event("no_graph", None, message="element 0 does not require grad", line=line)])
    )
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.where == "train.py:12"
    assert "does not require grad" in found.sentence


def test_no_gradient_at_all() -> None:
    found = rule.judge(stuck([sample(s, params=chain([0.0, 0.0, 0.0])) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.step == 0


def test_layers_before_a_cut() -> None:
    cut = event("detached", 0, params=["net.0.weight", "net.1.weight"], last_live="net.2.weight", line=None)
    found = rule.judge(
        learned([sample(s, params=chain([None, None, 0.5, 0.5])) for s in STEPS], events=[cut], models=[NET])
    )
    assert isinstance(found, Fired)
    assert found.severity == "warning" and found.where == "net.1"
    assert "2 trainable parameters" in found.sentence and "net.2.weight" in found.sentence


def test_a_cut_that_no_event_told_of() -> None:
    found = rule.judge(stuck([sample(s, params=chain([None, 0.5, 0.5])) for s in STEPS]))
    assert isinstance(found, Fired) and found.severity == "error"


def test_a_head_that_is_not_used() -> None:
    params = chain([0.5, 0.5]) | {"net.aux.weight": weight(g=None, order=None, layer="net.aux")}
    found = rule.judge(learned([sample(s, params=params) for s in STEPS]))
    assert isinstance(found, Fired) and found.severity == "info"
    assert "net.aux.weight" in found.sentence


def test_an_expert_that_is_used_now_and_then() -> None:
    samples = [
        sample(s, params=chain([0.5, 0.5]) | {"net.expert.weight": weight(g=0.1 if s == 20 else None, order=1)})
        for s in STEPS
    ]
    assert isinstance(rule.judge(learned(samples)), Passed)


def test_frozen_layers_in_the_optimizer() -> None:
    frozen = {**NET, "params": [{**p, "trainable": i > 1} for i, p in enumerate(NET["params"])]}  # type: ignore[arg-type]
    samples = [sample(s, params=chain([None, None, 0.5, 0.5])) for s in STEPS]
    assert isinstance(rule.judge(learned(samples, models=[frozen])), Passed)


def test_copies_that_no_optimizer_holds() -> None:
    """A target network, an average of the weights, a teacher."""
    params = chain([0.5, 0.5]) | {"target.0.weight": weight(g=None, order=0, o=None)}
    told = event("detached", 0, params=["target.0.weight"], last_live="net.1.weight")
    assert isinstance(rule.judge(learned([sample(s, params=params) for s in STEPS], events=[told])), Passed)


def _adversaries() -> Recording:
    """The critic steps first, on detached samples of the generator; the generator's turn comes later."""

    def stream(number: int, params: dict[str, Any]) -> Stream:
        steps = list(range(60))
        return Stream(
            number,
            loss=Series(steps, [0.7] * 60),
            seconds=Series(steps, [0.1 * s for s in steps]),
            samples=[sample(s, params=params) for s in STEPS],
        )

    critic = {"critic.0.weight": weight(o=0, order=1), "generator.0.weight": weight(g=None, o=1, order=0)}
    generator = {"critic.0.weight": weight(o=0, order=1), "generator.0.weight": weight(g=0.1, o=1, order=0)}
    return Recording(
        streams={0: stream(0, critic), 1: stream(1, generator)},
        events=[event("detached", 0, params=["generator.0.weight"], last_live="critic.0.weight")],
    )


def test_the_generator_in_the_critic_s_step() -> None:
    assert isinstance(rule.judge(_adversaries()), Passed)


def test_dead_units_leave_some_gradient() -> None:
    params = chain([0.0, 0.2, 0.3])
    samples = [sample(s, params=params, acts=[act("relu0", dead=0.5)], term=classes(0.1)) for s in STEPS]
    assert isinstance(rule.judge(stuck(samples)), Passed)


def test_too_little_seen() -> None:
    assert isinstance(rule.judge(stuck([sample(0, params=chain([0.5, 0.5]))])), Skipped)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 9)), Skipped)


def _partly_dead(dead_first: bool, *, fan_in: int, seen: float) -> Recording:
    """Two parameters without gradient, defined before the live ones, as a cut or as a head that is defined early."""
    names = ["net.a.weight", "net.c.weight"]
    params = {
        names[0]: weight(g=None, order=None, layer="net.a"),
        names[1]: weight(g=0.5, order=0, layer="net.c"),
    }
    model = {"m": 0, "name": "net", "params": [{"name": n, "shape": [16, 64], "trainable": True} for n in names]}
    layers = [{"name": "net.c", "order": 0, "fan_in": fan_in, "in_std": seen, "in_mean": 0.1, "in_rms": seen}]
    samples = [
        {**sample(s, params=params, layers=layers), "inputs": [{"model": "net", "mean": 0.1, "std": 1.0}]}
        for s in STEPS
    ]
    told = event("detached", 0, params=names[:1], last_live=names[1]) if dead_first else event("mode", 0)
    return learned(samples, models=[model], events=[told])


def test_a_cut_shows_in_what_enters_the_first_live_layer() -> None:
    found = rule.judge(_partly_dead(True, fan_in=16, seen=0.4))
    assert isinstance(found, Fired) and found.severity == "warning" and found.where == "net.a"


def test_a_cut_behind_a_table() -> None:
    """Rows of a table are as wide as the table, and the whole numbers that choose them enter no layer."""
    for width, severity in ((16, "warning"), (64, "info")):
        recording = _partly_dead(True, fan_in=16, seen=0.4)
        for given in recording.main.samples:
            given["inputs"] = [{"model": "net", "dtype": "int64", "min": 0, "max": 63}]
        recording.models[0]["modules"] = [{"name": "net.a", "kind": "Embedding"}]
        recording.models[0]["params"][0]["shape"] = [16, width]
        found = rule.judge(recording)
        assert isinstance(found, Fired) and found.severity == severity


def test_a_head_defined_early_but_not_used() -> None:
    """The first layer with a gradient sees the input itself, or something that the head cannot have made."""
    for recording in (_partly_dead(True, fan_in=64, seen=1.0), _partly_dead(True, fan_in=63, seen=0.4)):
        found = rule.judge(recording)
        assert isinstance(found, Fired) and found.severity == "info"


def test_tensors_of_no_model_are_the_optimizer_s_matter() -> None:
    params = chain([0.5, 0.5]) | {"parameter4": weight(g=None, order=None)}
    assert isinstance(rule.judge(learned([sample(s, params=params) for s in STEPS], models=[NET])), Passed)


def test_gradients_cleared_between_backward_and_step() -> None:
    layers = [{"name": "net.0", "order": 0}, {"name": "net.1", "order": 1}]
    line = {"file": "/x/train.py", "line": 9, "function": "main", "text": "optimizer.zero_grad()"}
    params = {f"net.{i}.weight": weight(g=None, order=i, layer=f"net.{i}", u=0.0) for i in range(2)}
    found = rule.judge(
        stuck(
            [sample(s, params=params, layers=layers) for s in STEPS],
            models=[NET],
            events=[event("zero_grad", 0, line=line)],
        )
    )
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.where == "train.py:9"
    assert "cleared between" in found.sentence and "backward()" in found.advice[0].code


def test_a_cut_between_two_models() -> None:
    """What enters the second model is no data: the first one's answers, without their graph."""
    params = {"enc.w": weight(g=None, o=0, order=None), "dec.w": weight(g=0.1, o=0, order=0)}
    models = [
        {"name": "enc", "params": [{"name": "enc.w", "shape": [8, 48]}]},
        {"name": "dec", "params": [{"name": "dec.w", "shape": [64, 8]}]},
    ]
    fed = {"in_std": 0.08, "in_mean": 0.03, "order": 1, "fan_in": 8, "name": "dec"}

    def seen(first: str) -> Any:
        inputs = [
            {"model": first, "std": 0.37, "mean": 0.3},
            {"model": "dec", "std": 0.08, "mean": 0.03},
        ]
        samples = [{**sample(s, params=params, layers=[fed], term=classes(0.3)), "inputs": inputs} for s in STEPS]
        told = event("detached", 0, params=["enc.w"], last_live="dec.w")
        return rule.judge(stuck(samples, models=models, events=[told]))

    answer = seen("enc")
    assert isinstance(answer, Fired) and answer.severity in ("warning", "error") and "enc.w" in answer.sentence


LINE = {"file": "/x/train.py", "line": 45, "function": "main", "text": "recon = dec(z.data)"}


def _two_models(encoder: float | None, *, events: tuple[str, ...] = ("cut",), order: int | None = None) -> Recording:
    params = {
        "enc.fc.weight": weight(g=encoder, order=order, layer="enc.fc"),
        "enc.fc.bias": weight(g=encoder, order=order, layer="enc.fc", role="bias"),
        "dec.fc.weight": weight(g=0.5, order=0, layer="dec.fc"),
        "encore.weight": weight(g=None, order=None, layer="encore"),
    }
    told = [event(kind, 0, **{"from": "enc", "to": "dec", "line": LINE}) for kind in events]
    return stuck([sample(s, params=params) for s in STEPS], events=told)


def test_a_cut_between_two_modules() -> None:
    found = rule.judge(_two_models(None))
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.where == "enc" and found.line == LINE
    assert "2 trainable parameters" in found.sentence and "enters dec" in found.sentence
    assert "train.py:45" in found.sentence and found.advice[0].code == "recon = dec(z)"


def test_without_a_cut_they_are_merely_unused() -> None:
    found = rule.judge(_two_models(None, events=()))
    assert isinstance(found, Fired) and found.severity == "info"


def test_features_that_another_loss_trains() -> None:
    found = rule.judge(_two_models(0.1))
    assert isinstance(found, Fired) and found.severity == "info"  # what is left is the one that is not used
    assert found.evidence["unused"] == 1


def test_a_module_that_trains_in_part_was_cut_off_on_purpose() -> None:
    recording = _two_models(None)
    for s in recording.main.samples:
        s["params"]["enc.fc.bias"]["g"] = 0.1
    found = rule.judge(recording)
    assert isinstance(found, Fired) and found.severity == "info"


def test_the_critic_gets_the_generator_s_samples_detached() -> None:
    recording = _adversaries()
    recording.events.append(event("cut", 0, **{"from": "generator", "to": "critic", "line": LINE}))
    assert isinstance(rule.judge(recording), Passed)


def test_parameters_of_no_model_that_runs_have_no_path_to_ask_for() -> None:
    """The layer was replaced after the optimizer was made: that is told by U409, and is no flat place."""
    samples = [sample(s, params={"old.w": weight(g=None, o=0)}, term=classes(0.2)) for s in STEPS]
    told = event("stale_optimizer", 10, count=1, of=1, same_shapes=True, with_gradient=0)
    assert not isinstance(rule.judge(stuck(samples, events=[told])), Fired)


def in_training(*steps: int, training: bool = True, model: str = "enc") -> list[Any]:
    line = {"file": "/x/train.py", "line": 7, "function": "embed", "text": "return enc(x)"}
    return [event("forward_without_gradient", s, model=model, training=training, line=line) for s in steps]


def scaled(*events: Any) -> Recording:
    """An encoder that no sample shows a gradient of, and a scale that trains."""
    params = {
        "enc.0.weight": weight(g=None, order=None, layer="enc.0"),
        "scale": weight(g=0.1, order=0, layer="", role="other"),
    }
    models = [{"m": 0, "name": "enc", "params": [{"name": "enc.0.weight", "shape": [4, 4], "trainable": True}]},
              {"m": 1, "name": "", "params": [{"name": "scale", "shape": [1], "trainable": True}]}]  # fmt: skip
    return stuck([sample(s, params=params) for s in STEPS], events=list(events), models=models)


def test_a_model_that_is_trained_under_no_grad() -> None:
    found = rule.judge(scaled(*in_training(1, 2, 3, 4)))
    assert isinstance(found, Fired) and (found.severity, found.where) == ("warning", "enc")
    assert "without gradient in training at train.py:7" in found.sentence


def test_evaluations_are_no_sign_of_it() -> None:
    for events in (in_training(1, 2, 3, training=False), in_training(9), in_training(1, 2, 3, model="average"), []):
        found = rule.judge(scaled(*events))
        assert isinstance(found, Fired) and found.severity == "info"
