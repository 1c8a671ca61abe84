"""Modes that are forgotten fire; modes that are chosen do not."""

from __future__ import annotations

from typing import Any

from literal_recordings import STEPS, event, learned, sample, stuck

from unstuck.findings.contract import Fired, NotApplicable, Passed
from unstuck.findings.rules import b605_wrong_mode as rule
from unstuck.record.recording import Recording, Series, Stream

NET = {
    "m": 0,
    "name": "net",
    "params": [],
    "modules": [{"name": "net.bn", "kind": "BatchNorm1d"}, {"name": "net.drop", "kind": "Dropout"}],
}
PLAIN = {"m": 0, "name": "net", "params": [], "modules": [{"name": "net.fc", "kind": "Linear"}]}


def run(*events: Any, stands: Any = learned, models: Any = (NET,)) -> Any:
    samples = [{**sample(s), "inputs": [{"model": "net", "name": "x", "mean": 0.0}]} for s in STEPS]
    return rule.judge(stands(samples, events=list(events), models=list(models)))


def in_eval(step: int, share: float = 1.0, **kinds: int) -> Any:
    return event("training_in_eval", step, model="net", eval_modules=kinds, share=share, modules=sum(kinds.values()))


def test_train_was_not_called_again() -> None:
    line = {"file": "/x/train.py", "line": 30, "function": "evaluate", "text": "net.eval()"}
    found = run(event("mode", 20, model="net", training=False, line=line), in_eval(20, BatchNorm1d=1, Dropout=1))
    assert isinstance(found, Fired)
    assert (found.severity, found.step) == ("warning", 20)
    assert "train.py:30" in found.sentence and found.advice[0].code == "net.train()"


def test_batch_norm_frozen_for_fine_tuning() -> None:
    found = run(in_eval(0, share=0.5, BatchNorm1d=1))
    assert isinstance(found, Fired) and found.severity == "info"


def test_everything_frozen_from_the_start_in_a_run_that_learns() -> None:
    found = run(event("mode", 0, model="net", training=False), in_eval(0, BatchNorm1d=1, Dropout=1))
    assert isinstance(found, Fired) and found.severity == "info"


def test_everything_frozen_from_the_start_in_a_run_that_does_not() -> None:
    found = run(event("mode", 0, model="net", training=False), in_eval(0, BatchNorm1d=1), stands=stuck)
    assert isinstance(found, Fired) and found.severity == "warning"


def passing(step: int, mean: float = 0.0, *, training: bool = True, modules: int = 2, model: str = "net") -> Any:
    inputs = [{"model": model, "mean": mean, "std": 1.0}]
    return event(
        "forward_without_gradient", step, model=model, training=training, batch_modules=modules, in_row=1, inputs=inputs
    )


def test_evaluated_in_training_mode() -> None:
    found = run(*(passing(s, mean=0.01 * s) for s in (20, 40, 59)))
    assert isinstance(found, Fired)
    assert found.severity == "warning" and "3 forward passes" in found.sentence


def mode(step: int, training: bool) -> Any:
    return event("mode", step, model="net", training=training, line={"file": "/x/train.py", "line": 30})


def test_train_was_not_called_again_between_samples() -> None:
    """No sampled step shows the mode; the calls do."""
    found = run(mode(20, False), mode(40, False))
    assert isinstance(found, Fired)
    assert (found.severity, found.step) == ("warning", 20)


def test_a_mode_that_something_else_sets_back() -> None:
    silent = event("mode", 40, model="net", training=True, line=None, called=False)
    assert isinstance(run(mode(20, False), silent, mode(40, False)), Passed)


def test_folds_with_a_fresh_model_each() -> None:
    """A new model is in training mode without a call; under the same name its mode cannot be told."""
    assert isinstance(run(mode(20, False), mode(40, False), models=(NET, {**NET, "m": 1})), Passed)


def test_eval_at_the_end_and_calls_that_were_not_kept() -> None:
    assert isinstance(run(mode(20, False), mode(20, True), mode(57, False)), Passed)
    assert isinstance(run(*(mode(i, i % 2 == 1) for i in range(39)), mode(39, False)), Passed)


def test_evaluated_in_evaluation_mode() -> None:
    events = [mode(20, False), passing(20, training=False, modules=0), mode(20, True)]
    assert isinstance(run(*events), Passed)


def test_statistics_estimated_again_in_a_script_that_evaluates() -> None:
    events = [mode(20, False), mode(20, True), *(passing(59, mean=0.01 * i) for i in range(5))]
    assert isinstance(run(*events), Passed)


def test_dropout_as_an_ensemble() -> None:
    assert isinstance(run(*(passing(59, mean=0.3) for _ in range(5))), Passed)


def test_an_average_in_training_mode() -> None:
    """A teacher, an averaged model: not the one that is trained."""
    assert isinstance(run(*(passing(s, mean=0.01 * s, model="teacher") for s in (20, 40))), Passed)


def test_a_generator_sampled_for_its_critic() -> None:
    steps = list(range(60))
    streams = {
        n: Stream(n, loss=Series(steps, [0.7] * 60), seconds=Series(steps, [0.1 * s for s in steps])) for n in (0, 1)
    }
    recording = Recording(streams=streams, models=[NET], events=[passing(s, mean=0.01 * s) for s in (1, 2, 3)])
    assert isinstance(rule.judge(recording), Passed)


def test_folds_evaluated_in_training_mode() -> None:
    """One optimizer after another: no network is sampled for another one's steps."""
    steps = list(range(60))
    streams = {
        n: Stream(n, loss=Series(steps, [0.7] * 60), seconds=Series(steps, [6.0 * n + 0.1 * s for s in steps]))
        for n in (0, 1, 2)
    }
    recording = Recording(streams=streams, models=[NET], events=[passing(s, mean=0.01 * s) for s in (1, 2, 3)])
    assert isinstance(rule.judge(recording), Fired)


def test_one_look_at_the_model() -> None:
    assert isinstance(run(passing(5)), Passed)


def test_nothing_of_the_kind() -> None:
    assert isinstance(run(models=(PLAIN,)), NotApplicable)
    assert isinstance(rule.judge(Recording()), NotApplicable)


def passes(inputs: list[dict[str, Any]]) -> list[Any]:
    return [
        event("forward_without_gradient", 20, model="net", training=True, batch_modules=2, inputs=[given])
        for given in inputs
    ]


def test_tokens_of_other_batches_are_no_repeated_prediction() -> None:
    found = run(*passes([{"name": "x", "min": 0, "max": 63, "sum": total} for total in (900, 870, 941)]))
    assert isinstance(found, Fired) and "eval() is never called" in found.sentence
    again = run(*passes([{"name": "x", "min": 0, "max": 63, "sum": 900}] * 3))  # noise of dropout, on purpose
    assert not isinstance(again, Fired)
    old = run(*passes([{"name": "x", "min": 0, "max": 63}] * 3))  # nothing tells them apart
    assert isinstance(old, Fired)
