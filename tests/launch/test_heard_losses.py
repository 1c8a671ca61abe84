"""The loss functions are heard without anybody noticing."""

from __future__ import annotations

import copy
import inspect
import linecache
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.launch import loss_functions
from unstuck.launch.loss_functions import NAMES
from unstuck.launch.taps import Taps

ORIGINALS = {name: inspect.unwrap(getattr(F, name)) for name in NAMES}


class Ear:
    """A listener that writes down the loss functions it hears, and is deaf to everything else."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any], Any, Any]] = []

    def loss_function_called(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, module: Any
    ) -> None:
        self.calls.append((name, args, kwargs, result, module))

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None


@pytest.fixture
def taps() -> Taps:
    return Taps(Ear())


@pytest.fixture
def ear(taps: Taps) -> Iterator[Ear]:
    listener: Ear = taps.listener  # type: ignore[assignment]
    taps.install()
    taps.hear_losses(True)
    yield listener
    taps.remove()
    told = len(listener.calls)
    F.mse_loss(OUTPUT, OUTPUT)
    assert len(listener.calls) == told
    for name in NAMES:
        found = getattr(F, name)
        # What torch keeps for itself while it traces (its lists of functions) goes on passing through.
        assert found is ORIGINALS[name] or found is loss_functions._passing[name]
        assert inspect.unwrap(found) is ORIGINALS[name]
    assert loss_functions._ears == [] and not loss_functions._heard[0]


OUTPUT, TARGET = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 1.5]]), torch.tensor([0, 1, 0])


def test_a_call_without_gradient(ear: Ear) -> None:
    with torch.no_grad():
        loss = F.cross_entropy(OUTPUT, target=TARGET, reduction="sum")
    with torch.inference_mode():
        F.mse_loss(OUTPUT, OUTPUT)

    @torch.no_grad()
    def validate() -> torch.Tensor:
        return F.l1_loss(OUTPUT, OUTPUT)

    validate()
    assert [call[0] for call in ear.calls] == ["cross_entropy", "mse_loss", "l1_loss"]
    _, args, kwargs, result, module = ear.calls[0]
    assert args == (OUTPUT,) and kwargs == {"target": TARGET, "reduction": "sum"}
    assert result is loss and module is None
    assert torch.equal(loss, ORIGINALS["cross_entropy"](OUTPUT, TARGET, reduction="sum"))


def test_what_is_not_told(ear: Ear) -> None:
    with torch.no_grad():
        torch.func.vmap(lambda o, t: F.mse_loss(o, t))(OUTPUT, OUTPUT)
        torch.jit.trace(lambda o: F.mse_loss(o, o), (OUTPUT,), check_trace=False)
    assert ear.calls == []


def test_a_loss_module_is_told_with_the_call(ear: Ear) -> None:
    loss_fn = nn.CrossEntropyLoss()
    loss_fn(OUTPUT, TARGET)
    assert [(call[0], call[4]) for call in ear.calls] == [("cross_entropy", loss_fn)]


def test_a_failing_listener_harms_nobody(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(ear, "calls", type("Broken", (), {"append": broken})())
    with torch.no_grad():
        assert float(F.mse_loss(OUTPUT, OUTPUT)) == 0.0


@pytest.mark.parametrize(
    "arguments",
    [((), {}), ((OUTPUT, TARGET, 1, 2, 3, 4, 5, 6, 7, 8), {}), ((OUTPUT,), {"goal": TARGET}), ((OUTPUT, "x"), {})],
)
def test_wrong_arguments_raise_what_they_always_raised(
    ear: Ear, arguments: tuple[tuple[Any, ...], dict[str, Any]]
) -> None:
    args, kwargs = arguments
    for name in NAMES:
        with torch.no_grad(), pytest.raises(Exception) as ours:
            getattr(F, name)(*args, **kwargs)
        with torch.no_grad(), pytest.raises(Exception) as torchs:
            ORIGINALS[name](*args, **kwargs)
        assert (type(ours.value), str(ours.value)) == (type(torchs.value), str(torchs.value))
    assert ear.calls == []
    with torch.no_grad():
        F.mse_loss(OUTPUT, OUTPUT)
    assert len(ear.calls) == 1  # still heard after the errors


@pytest.mark.parametrize("name", NAMES)
def test_it_looks_like_the_original(ear: Ear, name: str) -> None:
    ours, original = getattr(F, name), ORIGINALS[name]
    assert ours is not original
    assert (ours.__name__, ours.__qualname__, ours.__module__, ours.__doc__) == (
        original.__name__, original.__qualname__, original.__module__, original.__doc__,
    )  # fmt: skip
    assert inspect.signature(ours) == inspect.signature(original)
    assert inspect.isfunction(ours) and inspect.getsource(ours) == inspect.getsource(original)
    assert pickle.loads(pickle.dumps(ours)) is ours and copy.deepcopy(ours) is ours


def test_a_warning_names_the_line_of_the_script(ear: Ear) -> None:
    for hearing in (True, False):
        with warnings.catch_warnings(record=True) as seen, torch.set_grad_enabled(not hearing):
            warnings.simplefilter("always")
            F.mse_loss(torch.zeros(3, 1), torch.zeros(3))  # this line
        (warning,) = [w for w in seen if "target size" in str(w.message)]
        assert warning.filename == __file__
        assert "# this line" in linecache.getline(warning.filename, warning.lineno)


def test_scripting(ear: Ear) -> None:
    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(output, target, reduction="sum") + F.mse_loss(output, output)

    scripted = torch.jit.script(loss)
    with torch.no_grad():
        assert float(scripted(OUTPUT, TARGET)) == pytest.approx(
            float(ORIGINALS["cross_entropy"](OUTPUT, TARGET, reduction="sum"))
        )
    assert torch.jit.script(F.huber_loss)(OUTPUT, OUTPUT) == 0.0
    assert torch.jit.script(nn.CrossEntropyLoss())(OUTPUT, TARGET) > 0
    assert ear.calls == []  # compiled code is left alone


def test_transforms_and_graphs(ear: Ear) -> None:
    gradient = torch.func.grad(lambda o: F.mse_loss(o, torch.zeros(3, 2)))(OUTPUT)
    assert torch.allclose(gradient, OUTPUT / 3)

    class Loss(nn.Module):
        def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(output, target)

    traced = torch.fx.symbolic_trace(Loss())
    assert "torch.nn.functional.cross_entropy" in traced.code
    assert torch.equal(traced(OUTPUT, TARGET), F.cross_entropy(OUTPUT, TARGET))


def test_a_subclass_meets_the_function_that_the_script_sees(ear: Ear) -> None:
    met = []

    class Marked(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            met.append(func)
            return super().__torch_function__(func, types, args, kwargs or {})

    with torch.no_grad():
        F.cross_entropy(OUTPUT.as_subclass(Marked), TARGET)
    assert F.cross_entropy in met
    assert len(ear.calls) == 1  # the second call, from inside, is the same loss


@pytest.mark.parametrize("hearing", [True, False])
def test_compiled_code_is_whole_and_does_not_depend_on_who_listens(ear: Ear, taps: Taps, hearing: bool) -> None:
    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(output * 2, target) + 1

    compiled: list[int] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        compiled.append(len(inputs))
        return graph.forward

    taps.hear_losses(hearing)
    torch._dynamo.reset()
    found = torch._dynamo.explain(loss)(OUTPUT, TARGET)
    assert (found.graph_count, found.graph_break_count) == (1, 0)
    fast = torch.compile(loss, backend=backend, fullgraph=True)
    for listening in (hearing, not hearing, hearing):
        taps.hear_losses(listening)
        assert torch.equal(fast(OUTPUT, TARGET), loss(OUTPUT, TARGET))
    assert len(compiled) == 1
    torch._dynamo.reset()


def test_two_listeners(ear: Ear) -> None:
    second = Ear()
    more = Taps(second)
    more.install()
    with torch.no_grad():
        F.mse_loss(OUTPUT, OUTPUT)
        more.hear_losses(True)
        F.l1_loss(OUTPUT, OUTPUT)
        nn.MSELoss()(OUTPUT, OUTPUT)
        more.remove()
        more.hear_losses(True)  # too late
        F.l1_loss(OUTPUT, OUTPUT)
    assert [call[0] for call in ear.calls] == ["mse_loss", "l1_loss", "mse_loss", "l1_loss"]
    assert [call[0] for call in second.calls] == ["l1_loss", "mse_loss"]


def test_who_stops_listening_inside_a_call_is_told_nothing_more(ear: Ear, taps: Taps) -> None:
    class Stopping(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            taps.hear_losses(False)
            return super().__torch_function__(func, types, args, kwargs or {})

    F.mse_loss(OUTPUT.as_subclass(Stopping), OUTPUT)
    assert not loss_functions._heard[0]
    F.l1_loss(OUTPUT, OUTPUT)
    assert ear.calls == []


KEEPS = """
import pickle, torch
import torch.nn.functional as F
from unstuck.launch.loss_functions import Ear

before = {name: getattr(F, name) for name in ("mse_loss", "l1_loss")}
zeros = torch.zeros(3)
ear = Ear(lambda *call: None)
kept = {"loss": F.mse_loss}
ear.close()
assert F.l1_loss is before["l1_loss"]
assert float(kept["loss"](zeros, zeros)) == 0.0
assert pickle.loads(pickle.dumps(kept)) == kept  # under its name there is still the same function
heard = []
ear = Ear(lambda *call: heard.append(call))
ear.listen(True)
assert F.mse_loss is kept["loss"]
kept["loss"](zeros, zeros)
kept.clear()
heard[:] = [call[0] for call in heard]
ear.close()
assert heard == ["mse_loss"]
assert F.mse_loss is before["mse_loss"]
"""


def test_what_the_script_keeps_goes_on_working() -> None:
    """In a process of its own: here torch may keep some of the functions already."""
    done = subprocess.run([sys.executable, "-c", KEEPS], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_function_replaced_by_the_script_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Ear(), Ear()
    taps, more = Taps(first), Taps(second)
    taps.install()
    theirs = F.kl_div

    def mine(*args: Any, **kwargs: Any) -> Any:
        return theirs(*args, **kwargs)

    monkeypatch.setattr(F, "kl_div", mine)
    more.install()
    taps.hear_losses(True)
    F.kl_div(OUTPUT, OUTPUT, reduction="sum")
    taps.remove()
    more.remove()
    assert F.kl_div is mine
    assert len(first.calls) == 1 and not second.calls
    monkeypatch.undo()
    F.kl_div = ORIGINALS["kl_div"]
