"""torch's own table of optimizer inputs, run against our names.

The table ships with torch (``torch.testing._internal.common_optimizers``): for each optimizer its argument sets, its
wrong arguments with the kind of error, its schedulers, and what it supports. The bodies of torch's tests do not ship;
what they check is checked here. ``NOT_APPLICABLE`` lists what is left out, with its reason, and is held to a tenth.
"""

from __future__ import annotations

import copy
import io
import warnings
from typing import Any

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from unstuck import optim

pytest.importorskip("expecttest", reason="torch's test tables need it")
table = pytest.importorskip("torch.testing._internal.common_optimizers")

OURS: dict[str, type] = {
    "Adadelta": optim.Adadelta,
    "Adagrad": optim.AdaGrad,
    "Adam": optim.Adam,
    "AdamW": optim.AdamW,
    "Adamax": optim.Adamax,
    "NAdam": optim.NAdam,
    "RAdam": optim.RAdam,
    "RMSprop": optim.RMSProp,
    "SGD": optim.SGD,
}
INFOS = {info.name: info for info in table.optim_db if info.name in OURS}

# (optimizer, description of the table's entry): reason
NOT_APPLICABLE: dict[tuple[str, str], str] = {}


def _reason(kwargs: dict[str, Any]) -> str | None:
    for flag in ("capturable", "differentiable", "foreach", "fused"):
        if kwargs.get(flag):
            return f"{flag}: how torch computes a step, which our lowering decides"
    betas = kwargs.get("betas", (0.0, 0.0))
    if len({isinstance(one, torch.Tensor) for one in betas}) == 2:
        return "betas of two kinds: no error here, a tensor is read as a number"
    return None


INPUTS: list[tuple[str, Any]] = []
for _name, _info in INFOS.items():
    for _one in _info.optim_inputs_func(device="cpu", dtype=torch.float64):
        why = _reason(_one.kwargs)
        if why is None:
            INPUTS.append((_name, _one))
        else:
            NOT_APPLICABLE[(_name, _one.desc)] = why

WRONG: list[tuple[str, Any]] = []
for _name, _info in INFOS.items():
    for _one in _info.optim_error_inputs_func(device="cpu", dtype=torch.float64):
        why = _reason(_one.optimizer_error_input.kwargs)
        if why is None:
            WRONG.append((_name, _one))
        else:
            NOT_APPLICABLE[(_name, _one.optimizer_error_input.desc)] = why

each_input = pytest.mark.parametrize(("name", "entry"), INPUTS, ids=[f"{n}: {e.desc}" for n, e in INPUTS])


def _kwargs(entry: Any) -> dict[str, Any]:
    return {k: (v.clone() if isinstance(v, torch.Tensor) else v) for k, v in entry.kwargs.items()}


def _weights(dtype: torch.dtype = torch.float64) -> tuple[torch.nn.Parameter, torch.nn.Parameter, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    weight, bias, x = (torch.randn(s, generator=generator, dtype=dtype) for s in ((10, 5), (10,), (5,)))
    return torch.nn.Parameter(weight), torch.nn.Parameter(bias), x


def _closure(optimizer: Any, weight: Any, bias: Any, x: Any) -> Any:
    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        out = weight @ x + bias
        loss = (out.real.square() + (out.imag.square() if out.is_complex() else 0)).sum()
        loss.backward()
        return loss

    return closure


def test_at_most_a_tenth_of_the_table_does_not_apply() -> None:
    total = len(INPUTS) + len(WRONG) + len(NOT_APPLICABLE)
    assert total > 120
    assert len(NOT_APPLICABLE) <= 0.1 * total, NOT_APPLICABLE


@each_input
@pytest.mark.parametrize("layout", ["contiguous", "transposed"])
def test_goes_the_right_way(name: str, entry: Any, layout: str) -> None:
    kwargs = _kwargs(entry)
    weight, bias, x = _weights()
    if layout == "transposed":
        weight = torch.nn.Parameter(weight.detach().T.contiguous().T)
    optimizer = OURS[name]([weight, bias], **kwargs)
    closure = _closure(optimizer, weight, bias, x)
    first = float(closure())
    for _ in range(20):
        assert float(optimizer.step(closure)) >= 0
    last = float(closure())
    assert last > first if kwargs.get("maximize") else last < first


@each_input
def test_follows_torch_with_and_without_a_scheduler(name: str, entry: Any) -> None:
    for schedulers in INFOS[name].scheduler_inputs:
        ends = []
        for cls in (OURS[name], INFOS[name].optim_cls):
            weight, bias, x = _weights()
            optimizer = cls([{"params": [weight]}, {"params": [bias], "lr": 1e-3}], **_kwargs(entry))
            made = [make(optimizer) for make in schedulers]
            closure = _closure(optimizer, weight, bias, x)
            for _ in range(10):
                loss = optimizer.step(closure)
                for scheduler in made:
                    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
                        scheduler.step(loss)
                    else:
                        scheduler.step()
            ends.append(torch.cat([weight.detach().flatten(), bias.detach()]))
        # torch's NAdam keeps a product in float32
        assert torch.allclose(*ends, rtol=1e-6 if name == "NAdam" else 1e-11, atol=1e-12)


@each_input
def test_state_goes_round_and_the_run_goes_on_the_same(name: str, entry: Any) -> None:
    weight, bias, x = _weights()
    optimizer = OURS[name]([weight, bias], **_kwargs(entry))
    for _ in range(3):
        optimizer.step(_closure(optimizer, weight, bias, x))
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    w, b = torch.nn.Parameter(weight.detach().clone()), torch.nn.Parameter(bias.detach().clone())
    fresh = OURS[name]([w, b], **_kwargs(entry))
    fresh.load_state_dict(torch.load(file, weights_only=True))
    twin_w, twin_b = copy.deepcopy((weight, bias))
    for _ in range(3):
        optimizer.step(_closure(optimizer, weight, bias, x))
        fresh.step(_closure(fresh, w, b, x))
    assert torch.equal(w, weight)
    assert torch.equal(b, bias)
    assert not torch.equal(w, twin_w) or not torch.equal(b, twin_b)
    assert set(fresh.state_dict()["state"][0]) == set(optimizer.state_dict()["state"][0])


@each_input
def test_torch_s_own_state_is_taken_over(name: str, entry: Any) -> None:
    """A checkpoint of torch's optimizer, loaded into ours through ``read``, goes on as torch would."""
    weight, bias, x = _weights()
    theirs = INFOS[name].optim_cls([weight, bias], **_kwargs(entry))
    for _ in range(7):
        theirs.step(_closure(theirs, weight, bias, x))
    w, b = torch.nn.Parameter(weight.detach().clone()), torch.nn.Parameter(bias.detach().clone())
    twin = INFOS[name].optim_cls([w, b], **_kwargs(entry))
    twin.load_state_dict(copy.deepcopy(theirs.state_dict()))
    ours = optim.read(twin).resume(twin)
    for _ in range(7):
        theirs.step(_closure(theirs, weight, bias, x))
        ours.step(_closure(ours, w, b, x))
    assert torch.allclose(w, weight, rtol=1e-6 if name == "NAdam" else 1e-11, atol=1e-12)


@each_input
def test_complex_parameters_step_as_pairs_of_reals(name: str, entry: Any) -> None:
    generator = torch.Generator().manual_seed(3)
    start = torch.randn(4, 3, generator=generator, dtype=torch.complex128)
    p, q = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    a, b = OURS[name]([p], **_kwargs(entry)), INFOS[name].optim_cls([q], **_kwargs(entry))
    for k in range(8):
        for x, o in ((p, a), (q, b)):
            x.grad = torch.sin(x.detach() + k).conj()
            if x is q:  # torch refuses a conjugate that is only marked as one
                x.grad = x.grad.resolve_conj()
            o.step()
    assert torch.allclose(p, q, rtol=1e-6 if name == "NAdam" else 1e-11, atol=1e-12)


@each_input
def test_nothing_happens_without_gradients_and_zero_gradients_count(name: str, entry: Any) -> None:
    weight, bias, _ = _weights()
    before = weight.detach().clone()
    optimizer = OURS[name]([weight, bias], **_kwargs(entry))
    optimizer.step()
    assert torch.equal(weight, before)
    weight.grad, bias.grad = torch.zeros_like(weight), torch.zeros_like(bias)
    optimizer.step()
    if not entry.kwargs.get("weight_decay") and name != "AdamW":
        assert torch.equal(weight, before)
    assert int(optimizer.state[weight]["step"]) == 1


@each_input
def test_hooks_are_heard_around_steps_and_states(name: str, entry: Any) -> None:
    weight, bias, x = _weights()
    optimizer = OURS[name]([weight, bias], **_kwargs(entry))
    heard: list[str] = []
    handles = [
        optimizer.register_step_pre_hook(lambda o, a, k: heard.append("pre")),
        optimizer.register_step_post_hook(lambda o, a, k: heard.append("post")),
        register_optimizer_step_pre_hook(lambda o, a, k: heard.append("global pre")),
        register_optimizer_step_post_hook(lambda o, a, k: heard.append("global post")),
        optimizer.register_state_dict_post_hook(lambda o, s: heard.append("saved")),
        optimizer.register_load_state_dict_post_hook(lambda o: heard.append("loaded")),
    ]
    try:
        optimizer.step(_closure(optimizer, weight, bias, x))
        optimizer.load_state_dict(optimizer.state_dict())
    finally:
        for handle in handles:
            handle.remove()
    optimizer.step()
    assert heard == ["global pre", "pre", "post", "global post", "saved", "loaded"]


@each_input
def test_copies_and_empty_groups(name: str, entry: Any) -> None:
    weight, bias, x = _weights()
    optimizer = OURS[name]([{"params": [weight, bias]}, {"params": []}], **_kwargs(entry))
    optimizer.step(_closure(optimizer, weight, bias, x))
    w, b, twin = copy.deepcopy((weight, bias, optimizer))
    assert w is not weight
    assert twin.state[w] is not optimizer.state[weight]
    optimizer.step(_closure(optimizer, weight, bias, x))
    twin.step(_closure(twin, w, b, x))
    assert torch.equal(w, weight)


@pytest.mark.parametrize(("name", "entry"), WRONG, ids=[f"{n}: {e.optimizer_error_input.desc}" for n, e in WRONG])
def test_wrong_arguments_are_refused(name: str, entry: Any) -> None:
    given = entry.optimizer_error_input
    params = given.params if given.params is not None else [torch.nn.Parameter(torch.randn(1, 1))]
    assert entry.error_on is table.OptimizerErrorEnum.CONSTRUCTION_ERROR
    if issubclass(entry.error_type, Warning):
        with pytest.warns(entry.error_type, match=entry.error_regex):
            OURS[name](params, **given.kwargs)
        return
    with warnings.catch_warnings(), pytest.raises(entry.error_type):
        warnings.simplefilter("ignore")
        OURS[name](params, **given.kwargs)


@pytest.mark.parametrize("name", OURS)
def test_sparse_gradients_are_taken_or_refused(name: str) -> None:
    """Those that torch's table marks as taking sparse gradients take them as torch does; the others say what to do."""
    info = INFOS[name]
    rows = torch.tensor([[1, 4, 1, 9]])
    start = torch.arange(20.0, dtype=torch.float64).view(10, 2)

    def gradient(p: torch.Tensor, step: int) -> torch.Tensor:
        return torch.sparse_coo_tensor(rows, torch.sin(p.detach()[rows[0]] + step), p.shape, check_invariants=True)

    p = torch.nn.Parameter(start.clone())
    dense = torch.nn.Parameter(start.clone())
    if not info.supports_sparse:
        optimizer = OURS[name]([dense, p], lr=0.1)
        dense.grad, p.grad = torch.ones_like(dense), gradient(p, 0)
        with pytest.raises(ValueError, match="sparse"):
            optimizer.step()
        assert torch.equal(p, start)
        assert torch.equal(dense, start)
        return
    q = torch.nn.Parameter(start.clone())
    kwargs = dict(info.metadata_for_sparse[0])
    a, b = OURS[name]([p, dense], **kwargs), info.optim_cls([q], **kwargs)
    for step in range(6):
        dense.grad = torch.ones_like(dense)
        p.grad, q.grad = gradient(p, step), gradient(q, step)
        a.step()
        b.step()
    assert torch.allclose(p, q, atol=1e-13)
    assert not torch.equal(dense, start)


def test_momentum_refuses_sparse_gradients() -> None:
    p = torch.nn.Parameter(torch.zeros(3, 1))
    p.grad = torch.eye(3)[:, :1].to_sparse()
    with pytest.raises(ValueError, match="SGD without momentum"):
        optim.SGD([p], momentum=0.9).step()
