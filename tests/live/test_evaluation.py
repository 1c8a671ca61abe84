"""What is seen of a script's own evaluations, however they are written."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.findings.evidence.evaluations import evaluations
from unstuck.launch.frames import DEMO_SCRIPTS
from unstuck.live.evaluation import _entered_at
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal
from unstuck.record.recording import Recording

Validate = Callable[[nn.Module], list[float]]
DRAW = torch.Generator().manual_seed(3)
X, Y = torch.randn(90, 6, generator=DRAW), torch.randint(0, 3, (90,), generator=DRAW)


class Watched:
    """A short training with a validation after every ten steps, under a watcher."""

    def __init__(self, path: Path, *, allowance: float = 60.0, overhead: float = 1.0) -> None:
        self.journal = Journal(path)
        self.journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
        self.watcher = Watcher(self.journal, allowance=allowance, overhead=overhead)

    def train(self, validate: Validate, *, steps: int = 60, ends_in_training: bool = True) -> list[list[float]]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        told = []
        for step in range(steps):
            model.train()
            optimizer.zero_grad()
            F.cross_entropy(model(X[:32]), Y[:32]).backward()
            optimizer.step()
            if step % 10 == 9:
                model.eval()
                told.append(validate(model))
        if ends_in_training:
            model.train()
        return told

    def recording(self) -> Recording:
        self.watcher.finish(status=0)
        recording = read_journal(self.journal.path)
        assert not recording.happened("crashed"), recording.happened("crashed")
        return recording


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path / "journal-0-1.jsonl")
    yield found
    found.watcher.finish(status=0)


def with_block(model: nn.Module) -> list[float]:
    with torch.no_grad():
        return [float(F.cross_entropy(model(X), Y))]


@torch.no_grad()
def decorated(model: nn.Module) -> list[float]:
    return [float(F.cross_entropy(model(X), Y))]


def inference(model: nn.Module) -> list[float]:
    with torch.inference_mode():
        return [float(F.nll_loss(model(X).log_softmax(1), Y))]


def module(model: nn.Module) -> list[float]:
    with torch.no_grad():
        return [float(nn.CrossEntropyLoss()(model(X), Y))]


def module_by_keywords(model: nn.Module) -> list[float]:
    with torch.no_grad():
        return [float(nn.CrossEntropyLoss()(input=model(X), target=Y))]


def forgotten(model: nn.Module) -> list[float]:
    return [float(F.cross_entropy(model(X), Y))]


def forgotten_module(model: nn.Module) -> list[float]:
    return [float(nn.CrossEntropyLoss()(model(X), Y))]


def switched(model: nn.Module) -> list[float]:
    with torch.set_grad_enabled(False):
        return [float(F.cross_entropy(model(X), Y))]


VALIDATIONS = [*(with_block, decorated, inference, module, module_by_keywords, forgotten, forgotten_module, switched)]


@pytest.mark.parametrize("validate", VALIDATIONS)
def test_a_validation_is_seen(watched: Watched, validate: Validate) -> None:
    told = watched.train(validate)
    recording = watched.recording()
    looks = recording.happened("evaluation_loss")
    assert [look.data["value"] for look in looks] == pytest.approx([value for (value,) in told])
    assert [look.step for look in looks] == [10, 20, 30, 40, 50, 60]
    assert all((look.data["loss_kind"], look.data["training"]) == ("nll", False) for look in looks)
    assert all(look.data["line"]["function"] == validate.__name__ for look in looks)
    (series,) = evaluations(recording)
    assert [look.loss for look in series.looks] == pytest.approx([value for (value,) in told])
    assert series.same_batch and series.examples == 90


@pytest.mark.parametrize("validate", [with_block, decorated, inference, switched])
def test_the_inputs_of_a_block_are_compared(watched: Watched, validate: Validate) -> None:
    watched.train(validate)
    passes = watched.recording().happened("forward_without_gradient")
    assert len(passes) == 6
    (given,) = passes[0].data["inputs"]
    assert given["against_training"]["features"] == 6


def test_blocks_that_switch_the_gradient_on(watched: Watched) -> None:
    def validate(model: nn.Module) -> list[float]:
        with torch.set_grad_enabled(True), torch.inference_mode(False):
            model(X)
        return []

    watched.train(validate)
    assert not watched.recording().happened("forward_without_gradient")
    assert watched.watcher.evaluation.depth == 0


@pytest.mark.parametrize("validate", [with_block, decorated, forgotten])
def test_a_compiled_model_is_not_compiled_again(watched: Watched, validate: Validate) -> None:
    """Its training and its validation are two codes; who listens makes no third."""
    compiled: list[int] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., Any]:
        compiled.append(len(inputs))
        return graph.forward

    torch.manual_seed(0)
    torch._dynamo.reset()
    layer = nn.Linear(6, 3)
    model = torch.compile(layer, backend=backend)
    loss_fn = torch.compile(lambda output, target: F.cross_entropy(output * 1.0, target), backend=backend)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told, counts = [], []
    for _ in range(6):
        model.train()
        for _ in range(3):
            optimizer.zero_grad()
            loss_fn(model(X), Y).backward()
            optimizer.step()
        model.eval()
        told.append(validate(model))
        counts.append(len(compiled))
    model.train()
    torch._dynamo.reset()
    looks = watched.recording().happened("evaluation_loss")
    assert [look.data["value"] for look in looks] == pytest.approx([value for (value,) in told])
    assert counts[0] == counts[-1]


def test_the_last_evaluation_of_a_script_is_seen(watched: Watched) -> None:
    told = watched.train(forgotten, ends_in_training=False)
    looks = watched.recording().happened("evaluation_loss")
    assert looks[-1].data["value"] == pytest.approx(told[-1][0])


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_set_in_batches_has_its_mean(watched: Watched, reduction: str) -> None:
    def validate(model: nn.Module) -> list[float]:
        total = 0.0
        with torch.no_grad():
            for rows in torch.arange(90).split(25):
                loss = F.cross_entropy(model(X[rows]), Y[rows], reduction=reduction)
                total += float(loss) * (len(rows) if reduction == "mean" else 1)
        return [total / 90]

    told = watched.train(validate)
    (series,) = evaluations(watched.recording())
    assert [look.loss for look in series.looks] == pytest.approx([value for (value,) in told], rel=1e-5)
    assert series.examples == 90 and series.same_batch


@pytest.mark.parametrize(
    "criterion", [lambda *a, **k: F.cross_entropy(*a, **k), nn.CrossEntropyLoss()], ids=["function", "module"]
)
def test_many_batches_in_one_block(watched: Watched, criterion: Callable[..., torch.Tensor]) -> None:
    def validate(model: nn.Module) -> list[float]:
        with torch.no_grad():
            return [float(criterion(model(X[rows]), target=Y[rows])) for rows in torch.arange(90).split(10)]

    told = watched.train(validate)
    looks = watched.recording().happened("evaluation_loss")
    assert [look.data["place"] for look in looks] == [1, 2, 3, 4] * 6
    assert [look.data["value"] for look in looks] == pytest.approx([loss for losses in told for loss in losses[:4]])


@pytest.mark.parametrize("criterion", [nn.MSELoss(), nn.PoissonNLLLoss()])
@pytest.mark.parametrize("by_name", [False, True])
def test_a_loss_is_computed_again_only_where_its_function_is_not_heard(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, criterion: nn.Module, by_name: bool
) -> None:
    target = F.one_hot(Y, 3).float()
    calls = []
    forward = type(criterion).forward

    @functools.wraps(forward)
    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return forward(*args, **kwargs)

    monkeypatch.setattr(type(criterion), "forward", counted)

    def validate(model: nn.Module) -> list[float]:
        with torch.no_grad():
            output = model(X)
            if isinstance(criterion, nn.PoissonNLLLoss):
                return [float(criterion(target=target, log_input=output) if by_name else criterion(output, target))]
            return [float(criterion(target=target, input=output) if by_name else criterion(output, target))]

    told = watched.train(validate)
    looks = watched.recording().happened("evaluation_loss")
    assert [look.data["value"] for look in looks] == pytest.approx([value for (value,) in told])
    assert len(calls) == 6 * (2 if isinstance(criterion, nn.PoissonNLLLoss) else 1)


def test_a_block_for_every_batch(watched: Watched) -> None:
    def validate(model: nn.Module) -> list[float]:
        found = []
        for rows in torch.arange(90).split(15):
            with torch.no_grad():
                found.append(float(F.cross_entropy(model(X[rows]), Y[rows])))
        return found

    told = watched.train(validate)
    (series,) = evaluations(watched.recording())
    assert series.examples == 60 and series.same_batch  # the first four batches of every evaluation
    assert [look.loss for look in series.looks] == pytest.approx([sum(losses[:4]) / 4 for losses in told])


def test_numbers_computed_at_every_step_use_up_no_look(watched: Watched) -> None:
    torch.manual_seed(0)
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(200):
        output = model(X)
        optimizer.zero_grad()
        F.cross_entropy(output, Y).backward()
        optimizer.step()
        with torch.no_grad():
            (output.argmax(1) == Y).float().mean()
        if step % 20 == 19:
            with_block(model)
    recording = watched.recording()
    assert [look.step for look in recording.happened("evaluation_loss")] == list(range(20, 201, 20))
    assert len(recording.happened("forward_without_gradient")) == 10


def test_only_what_torch_and_evaluations_compute(watched: Watched) -> None:
    def validate(model: nn.Module) -> list[float]:
        with torch.no_grad():
            output = model(X)
            F.mse_loss(output, output, size_average=False)
            with torch.enable_grad():
                F.mse_loss(output, output)
        return []

    watched.train(validate)
    assert not watched.recording().happened("evaluation_loss")


def test_training_in_evaluation_mode_is_no_evaluation(watched: Watched) -> None:
    torch.manual_seed(0)
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(20):
        model.eval()
        optimizer.zero_grad()
        F.cross_entropy(model(X), Y).backward()
        optimizer.step()
    assert watched.watcher.evaluation.in_vain == 3  # not asked for any more
    recording = watched.recording()
    assert recording.main.steps == 20
    assert not recording.happened("evaluation_loss")


def test_gradients_of_inputs_are_no_evaluation(watched: Watched) -> None:
    def attack(model: nn.Module) -> list[float]:
        x = X.clone().requires_grad_()
        torch.autograd.grad(F.cross_entropy(model(x), Y), x)
        return []

    watched.train(attack)
    assert not watched.recording().happened("evaluation_loss")


def test_the_short_way_is_taken_again_after_an_evaluation(tmp_path: Path) -> None:
    # Nothing may be spent: after the first sample every step goes the short way.
    watched = Watched(tmp_path / "journal-0-1.jsonl", allowance=1e-6, overhead=1e-9)
    during: list[bool] = []

    def validate(model: nn.Module) -> list[float]:
        during.append(watched.watcher.fast.on)
        return forgotten(model)

    watched.train(validate)
    assert not any(during)
    assert watched.watcher.fast.on
    assert len(watched.recording().main.loss) == 60


def test_a_mode_set_back_without_a_call_is_seen(watched: Watched) -> None:
    """As frameworks do: eval() before the validation, then the attribute of every part put back."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(45):
        optimizer.zero_grad()
        F.cross_entropy(model(X[:32]), Y[:32]).backward()
        optimizer.step()
        if step in (9, 19, 29):
            model.eval()
            with torch.no_grad():
                model(X)
            for part in model.modules():
                part.training = True
    modes = [(e.data["training"], e.data.get("called", True)) for e in watched.recording().happened("mode")]
    assert modes == [(False, True), (True, False)] * 3


def test_the_place_of_a_block_in_a_script_that_travels_with_the_package() -> None:
    source = "def entered(place):\n    return place()\n"
    places = {}
    for file in (f"{DEMO_SCRIPTS}/example.py", "/home/somebody/train.py"):
        names: dict[str, Any] = {}
        exec(compile(source, file, "exec"), names)
        places[file] = names["entered"](_entered_at)
    assert places == {file: (file, 2) for file in places}


def written_out(model: nn.Module) -> list[float]:
    with torch.no_grad():
        out = model(X[32:])
        target = 0.5 * out + 0.1
        return [((out - target) ** 2).mean().item(), (target - out).abs().mean().item()]


def test_a_difference_written_out_is_a_loss_of_the_evaluation(watched: Watched) -> None:
    told = watched.train(written_out)
    events = [e.data for e in watched.recording().happened("evaluation_loss")]
    assert [e["value"] for e in events] == pytest.approx([mse for mse, _ in told])  # each output tells once
    assert {e["loss_kind"] for e in events} == {"mse"}


def other_differences(model: nn.Module) -> list[float]:
    with torch.no_grad():
        out = model(X[32:])
        centered = X[32:] - X[32:].mean(0)
        return [float((out - 1).mean() + (out - out.mean(1, keepdim=True)).mean() + (centered - centered).sum())]


def in_keywords(model: nn.Module) -> list[float]:
    with torch.no_grad():
        out = model(X[32:])
        return [out.sub(other=0.5 * out).square().mean().item(), pickle.dumps(torch.Tensor.sub) != b""]


def test_the_difference_is_called_as_the_script_calls_it(watched: Watched) -> None:
    told = watched.train(in_keywords)
    assert [e.data["value"] for e in watched.recording().happened("evaluation_loss")] == pytest.approx(
        [v for v, _ in told]
    )


def test_the_methods_of_tensors_are_put_back(tmp_path: Path) -> None:
    names = ("long", "int", "to", "type", "sub", "subtract", "__sub__")
    before = {name: torch.Tensor.__dict__.get(name) for name in names}
    watched = Watched(tmp_path / "journal-0-2.jsonl")
    assert torch.Tensor.__dict__["long"] is not before["long"]
    watched.train(written_out)
    watched.recording()
    assert {name: torch.Tensor.__dict__.get(name) for name in names} == before


class Strict(torch.Tensor):
    """A subclass that knows one function, as torch's manual has it."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return "mine" if func.__name__ in ("to", "long") else NotImplemented


def test_conversions_of_subclasses_under_modes_and_for_pickle_are_left_alone(watched: Watched) -> None:
    heard: list[str] = []

    class Hears(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            heard.append(func.__name__)
            return func(*args, **(kwargs or {}))

    assert torch.zeros(2).as_subclass(Strict).to("cpu") == "mine"
    with Hears():
        torch.tensor([0.5, 1.0]).long().to(torch.int32)
    assert [name for name in heard if name != "tensor"] == ["long", "to"]
    assert pickle.loads(pickle.dumps(torch.Tensor.long)) is torch.Tensor.long
    assert torch.tensor([1.5]).type() == "torch.FloatTensor"
    watched.recording()  # nothing of ours failed


def test_differences_of_something_else_are_none(watched: Watched) -> None:
    watched.train(other_differences)
    assert not watched.recording().happened("evaluation_loss")


def test_numbers_that_lost_their_fractions_are_told(watched: Watched) -> None:
    torch.tensor([0.0, 0.5, 1.0, 0.5]).long()
    (torch.arange(4.0)).to(torch.int64)  # whole numbers already
    torch.rand(5000).long()  # measurements
    torch.tensor([0.25, 1.75]).type(torch.int32)
    watched.train(with_block)
    first, second = watched.recording().happened("cut_to_whole")
    assert first.data["values"] == [0.0, 0.5, 1.0] and first.data["left"] == {"0": 3, "1": 1}
    assert second.data["distinct"] == second.data["distinct_left"] == 2
