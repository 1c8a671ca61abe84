"""The loss functions are heard without anybody noticing."""

from __future__ import annotations

import copy
import inspect
import linecache
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.launch.loss_functions import NAMES
from unstuck.launch.taps import Taps

ORIGINALS = {name: getattr(F, name) for name in NAMES}


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
    assert {name: getattr(F, name) for name in NAMES} == ORIGINALS


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
def test_compiled_code_is_whole(ear: Ear, taps: Taps, hearing: bool) -> None:
    taps.hear_losses(hearing)

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(output * 2, target) + 1

    torch._dynamo.reset()
    found = torch._dynamo.explain(loss)(OUTPUT, TARGET)
    assert (found.graph_count, found.graph_break_count) == (1, 0)
    with torch.no_grad():
        torch.compile(loss, backend="eager", fullgraph=True)(OUTPUT, TARGET)
    torch._dynamo.reset()
    assert ear.calls == []


def test_two_listeners_and_what_was_imported_by_name(ear: Ear) -> None:
    second = Ear()
    more = Taps(second)
    more.install()
    more.hear_losses(True)
    mse = F.mse_loss
    with torch.no_grad():
        mse(OUTPUT, OUTPUT)
        nn.MSELoss()(OUTPUT, OUTPUT)
    assert [call[4] is None for call in ear.calls] == [call[4] is None for call in second.calls] == [True, False]
    assert torch.jit.script(lambda_free)(OUTPUT) == 0.0
    more.remove()
    with torch.no_grad():
        assert float(mse(OUTPUT, OUTPUT)) == 0.0
    assert len(second.calls) == 2 and len(ear.calls) == 3
    assert F.mse_loss is not mse


def lambda_free(output: torch.Tensor) -> torch.Tensor:
    return F.mse_loss(output, output)


def test_a_function_replaced_by_the_script_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    taps = Taps(Ear())
    taps.install()
    ours = F.kl_div
    mine = lambda *args, **kwargs: ours(*args, **kwargs)  # noqa: E731
    monkeypatch.setattr(F, "kl_div", mine)
    taps.remove()
    assert F.kl_div is mine
    monkeypatch.undo()
    F.kl_div = ORIGINALS["kl_div"]
