"""One test for every part: it can be built, says its formula, steps, resumes, and refuses what makes no sense."""

from __future__ import annotations

import copy
import io
import math
import pickle
from typing import Any

import pytest
import torch

from unstuck import optim
from unstuck.core.errors import BadInput
from unstuck.optim import Rule, compiled, directions, scales
from unstuck.optim.schedules import cosine, linear, warmup

D = torch.float64

DIRECTIONS: list[Any] = [
    directions.Gradient(),
    directions.Momentum(0.9),
    directions.Momentum(0.0),
    directions.Momentum(0.5, dampening=0.5),
    directions.Velocity(0.9),
    directions.Velocity(0.0),
    directions.Nesterov(0.9),
    directions.NesterovVelocity(0.9),
    directions.Average(0.9),
    directions.Average(0.9, correct=False),
    directions.NesterovAverage(0.9),
]
SCALES: list[Any] = [
    scales.One(),
    scales.SumOfSquares(),
    scales.SumOfSquares(1e-4, 0.1, 0.01, "inside"),
    scales.RootMeanSquare(),
    scales.RootMeanSquare(1e-3, "clamp"),
    scales.MovingSquare(0.9),
    scales.MovingSquare(0.9, correct=True),
    scales.MovingSquare(0.9, start="gradient"),
    scales.MovingSquare(0.9, centered=True),
    scales.MovingSquare(0.9, correct=True, largest=True),
    scales.MovingSquare(0.9, 1e-3, correct=True, eps_at="hat"),
    scales.MovingSquare(0.9, 1e-3, correct=True, eps_at="inside"),
    scales.MovingSquare(0.9, eps=0.0),
    scales.Rectified(0.9),
    scales.Rectified(0.9, threshold=4.0),
    scales.LargestGradient(0.9),
    scales.MovingDelta(0.9),
]
AROUND: list[dict[str, Any]] = [
    {},
    {"maximize": True, "decay": optim.Coupled(0.1), "before": optim.ClipNorm(0.5)},
    {"decay": optim.Decoupled(0.1, "schedule"), "noise": optim.GradientNoise(), "before": optim.ClipValue(0.3)},
    {"trust": optim.GradientRatio(0.1, 0.01), "decay": optim.Decoupled(0.1, "corrected")},
    {"trust": optim.StepRatio(0.01), "maximize": True},
]


def _params(dtype: torch.dtype = D) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(s, generator=generator).to(dtype)) for s in ((3, 2), (2,), (1,))]


def _drive(optimizer: torch.optim.Optimizer, params: list[torch.nn.Parameter], first: int, last: int) -> None:
    for step in range(first, last):
        for i, p in enumerate(params):
            p.grad = torch.sin(p.detach() + step + i)
        optimizer.step()


def _oracle(rule: Rule, start: torch.Tensor, grads: list[torch.Tensor], schedule: Any) -> torch.Tensor:
    """The rule written once more, tensor by tensor from its definition, without any of the optimizer's code."""
    x, g = start.clone(), torch.zeros_like(start)
    d, s = rule.direction, rule.scale
    v = torch.zeros_like(x)
    acc, mean, peak = torch.zeros_like(x), torch.zeros_like(x), torch.zeros_like(x)
    delta = torch.zeros_like(x)
    if isinstance(s, scales.SumOfSquares):
        acc += s.initial
    product = 1.0
    for k, raw in enumerate(grads):
        t, eta = k + 1, rule.lr * schedule(k)
        g = raw
        # direction
        if isinstance(d, directions.Momentum):
            v = d.rho * v + (1 if t == 1 else 1 - d.dampening) * g
            m = eta * v
        elif isinstance(d, directions.Velocity):
            v = d.rho * v + eta * g
            m = v
        elif isinstance(d, directions.Nesterov):
            v = d.rho * v + g
            m = eta * (g + d.rho * v)
        elif isinstance(d, directions.NesterovVelocity):
            v = d.rho * v + eta * g
            m = d.rho * v + eta * g
        elif isinstance(d, directions.Average):
            v = d.beta * v + (1 - d.beta) * g
            m = eta * (v / (1 - d.beta**t) if d.correct else v)
        elif isinstance(d, directions.NesterovAverage):
            mu, after = (d.beta * (1 - 0.5 * 0.96 ** (n * d.decay)) for n in (t, t + 1))
            product *= mu
            v = d.beta * v + (1 - d.beta) * g
            m = eta * (after * v / (1 - product * after) + (1 - mu) * g / (1 - product))
        else:
            m = eta * g
        # scale
        sigma = torch.ones_like(x)
        if isinstance(s, (scales.SumOfSquares, scales.RootMeanSquare)):
            acc = acc + g * g
            mean_of = acc / t if isinstance(s, scales.RootMeanSquare) else acc
            sigma = _root(mean_of, s.eps, s.eps_at)
            if isinstance(s, scales.SumOfSquares):
                sigma = sigma * (1 + (t - 1) * s.fade)
        elif isinstance(s, scales.MovingSquare):
            acc = g * g if t == 1 and s.start == "gradient" else s.beta * acc + (1 - s.beta) * g * g
            mean = s.beta * mean + (1 - s.beta) * g
            peak = torch.maximum(peak, acc)
            c = 1 - s.beta**t if s.correct else 1.0
            square = (peak if s.largest else acc) - (mean * mean if s.centered else 0)
            if s.eps_at == "hat":
                sigma = (square.sqrt() + s.eps) / math.sqrt(c)
            else:
                sigma = _root(square / c, s.eps, s.eps_at)
        elif isinstance(s, scales.Rectified):
            acc = s.beta * acc + (1 - s.beta) * g * g
            c = 1 - s.beta**t
            long = 2 / (1 - s.beta) - 1
            rho = long - 2 * t * s.beta**t / c
            if rho > s.threshold:
                r = math.sqrt((rho - 4) * (rho - 2) * long / ((long - 4) * (long - 2) * rho))
                sigma = (acc.sqrt() + s.eps) / math.sqrt(c) / r
        elif isinstance(s, scales.LargestGradient):
            acc = torch.maximum(s.beta * acc, g.abs() + s.eps)
            sigma = acc
        elif isinstance(s, scales.MovingDelta):
            acc = s.rho * acc + (1 - s.rho) * g * g
            sigma = ((acc + s.eps) / (delta + s.eps)).sqrt()
            delta = s.rho * delta + (1 - s.rho) * (g / sigma) ** 2
        x = x - m / sigma
    return x


def _root(square: torch.Tensor, eps: float, place: str) -> torch.Tensor:
    if place == "inside":
        return (square + eps).sqrt()
    return square.sqrt().clamp_min(eps) if place == "clamp" else square.sqrt() + eps


@pytest.mark.parametrize("scale", SCALES, ids=repr)
@pytest.mark.parametrize("direction", DIRECTIONS, ids=repr)
def test_every_pair_follows_its_definition_through_every_lowering(direction: Any, scale: Any) -> None:
    schedule = linear(1.0, 0.2, 20)
    rule = Rule(direction, scale, schedule, lr=0.05)
    assert "θ ← θ − " in rule.formula
    grads = [torch.sin(torch.arange(6, dtype=D).view(3, 2) * (k + 1) + 0.1) for k in range(25)]
    start = torch.cos(torch.arange(6, dtype=D)).view(3, 2)
    expected = _oracle(rule, start, grads, schedule)
    for lowering in ("auto", "eager"):
        p = torch.nn.Parameter(start.clone())
        optimizer = rule.optimizer([p], lowering=lowering)
        for g in grads:
            p.grad = g.clone()
            optimizer.step()
            assert torch.equal(p.grad, g)  # the user's gradient is not written to
        assert float((p.detach() - expected).abs().max()) < 1e-13 * max(1.0, float(expected.abs().max())), optimizer


@pytest.mark.parametrize("around", AROUND, ids=lambda a: "+".join(a) or "bare")
@pytest.mark.parametrize("scale", [SCALES[0], SCALES[3], SCALES[6], SCALES[13]], ids=repr)
@pytest.mark.parametrize("direction", [DIRECTIONS[0], DIRECTIONS[4], DIRECTIONS[8]], ids=repr)
def test_a_resumed_run_goes_on_to_the_bit(direction: Any, scale: Any, around: dict[str, Any]) -> None:
    rule = Rule(direction, scale, warmup(5) >> cosine(40), lr=0.05, **around)
    straight = _params()
    _drive(rule.optimizer(straight), straight, 0, 30)
    for how in ("state_dict", "deepcopy", "pickle"):
        params = _params()
        optimizer = rule.optimizer(params)
        _drive(optimizer, params, 0, 13)
        if how == "state_dict":
            file = io.BytesIO()
            torch.save(optimizer.state_dict(), file)
            file.seek(0)
            params = [torch.nn.Parameter(p.detach().clone()) for p in params]
            optimizer = rule.optimizer(params)
            optimizer.load_state_dict(torch.load(file, weights_only=True))
        elif how == "deepcopy":
            params, optimizer = copy.deepcopy((params, optimizer))
        else:
            params, optimizer = pickle.loads(pickle.dumps((params, optimizer)))
        _drive(optimizer, params, 13, 30)
        assert all(torch.equal(a, b) for a, b in zip(straight, params, strict=True)), how


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("cls", [optim.SGD, optim.AdaGrad, optim.RMSProp, optim.AdamW, optim.LAMB])
def test_short_types_follow_the_double(cls: Any, dtype: torch.dtype) -> None:
    exact, short = _params(dtype), _params(dtype)
    exact = [torch.nn.Parameter(p.detach().double()) for p in exact]
    a, b = cls(exact, lr=0.01), cls(short, lr=0.01)
    for step in range(20):
        for i, (p, q) in enumerate(zip(short, exact, strict=True)):
            q.grad = torch.sin(q.detach() + step + i)
            p.grad = q.grad.to(dtype)
        a.step()
        b.step()
    tolerance = {torch.float16: 3e-2, torch.bfloat16: 2e-1, torch.float32: 1e-4}[dtype]
    assert all(state[k].dtype == dtype for p, state in b.state.items() for k in state if k != "step")
    gap = max(float((p.double() - q).detach().abs().max()) for p, q in zip(short, exact, strict=True))
    assert gap < tolerance


ERRORS: list[tuple[str, Any]] = [
    ("lr", lambda: optim.SGD(_params(), lr=-0.1)),
    ("lr", lambda: optim.Adam(_params(), lr=math.nan)),
    ("lr", lambda: Rule(directions.Gradient(), lr=math.inf)),
    ("beta", lambda: optim.Adam(_params(), betas=(1.0, 0.9))),
    ("beta", lambda: optim.Adam(_params(), betas=(0.9, 1.0))),
    ("betas", lambda: optim.Adam(_params(), betas=0.9)),  # type: ignore[arg-type]
    ("beta", lambda: scales.MovingSquare(1.0)),
    ("beta", lambda: scales.Rectified(-0.1)),
    ("eps", lambda: optim.RMSProp(_params(), eps=-1.0)),
    ("eps_at", lambda: scales.MovingSquare(eps_at="below")),
    ("start", lambda: scales.MovingSquare(start="random")),
    ("start", lambda: scales.MovingSquare(correct=True, start="gradient")),
    ("rho", lambda: directions.Velocity(1.0)),
    ("momentum", lambda: directions.Momentum(-0.1)),
    ("momentum", lambda: directions.Nesterov(0.0)),
    ("dampening", lambda: directions.Momentum(0.9, dampening=1.5)),
    ("nesterov", lambda: optim.SGD(_params(), nesterov=True)),
    ("rho", lambda: optim.Adadelta(_params(), rho=1.1)),
    ("weight_decay", lambda: optim.AdamW(_params(), weight_decay=-1.0)),
    ("follows", lambda: optim.Decoupled(0.1, "time")),
    ("most", lambda: optim.ClipNorm(0.0)),
    ("most", lambda: optim.StepRatio(least=3.0, most=2.0)),
    ("trust_coefficient", lambda: optim.LARS(_params(), trust_coefficient=0.0)),
    ("threshold", lambda: optim.RAdam(_params(), threshold=3.0)),
    ("lowering", lambda: optim.SGD(_params(), lowering="gpu")),
    ("schedules", lambda: optim.SGD(_params(), schedules={"beta1": linear(1, 0, 2)})),
    ("schedule", lambda: Rule(directions.Gradient(), schedule=0.1)),  # type: ignore[arg-type]
    ("direction", lambda: Rule(directions.Momentum)),  # type: ignore[arg-type]
    ("scale", lambda: Rule(directions.Gradient(), 1.0)),  # type: ignore[arg-type]
    ("rule", lambda: optim.Optimizer(_params(), "adam")),  # type: ignore[arg-type]
    ("foreach", lambda: optim.SGD(_params(), foreach=True)),  # type: ignore[call-arg]
    ("params", lambda: optim.SGD([torch.arange(3)])),
    ("seed", lambda: optim.GradientNoise(seed=-1)),
]


@pytest.mark.parametrize(("name", "make"), ERRORS, ids=[f"{i} {e[0]}" for i, e in enumerate(ERRORS)])
def test_wrong_input_is_refused_by_name(name: str, make: Any) -> None:
    with pytest.raises(BadInput) as caught:
        make()
    assert name in caught.value.name


def _unmoved(optimizer: Any, params: list[torch.nn.Parameter], match: str) -> None:
    before = [p.detach().clone() for p in params]
    for p in params:
        p.grad = torch.ones_like(p)
    with pytest.raises(BadInput, match=match):
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, params, strict=True))


def test_a_step_that_cannot_be_made_moves_nothing() -> None:
    params = _params()
    groups = [{"params": params[:1]}, {"params": params[1:]}]
    optimizer = optim.Adam(groups)
    optimizer.param_groups[1]["lr"] = -1.0  # the second group is wrong: the first must not move either
    _unmoved(optimizer, params, "lr")
    _unmoved(optim.Adam(params, schedule=lambda t: math.nan), params, "schedule of lr")
    _unmoved(optim.Adam(params, schedule=lambda t: "high"), params, "schedule of lr")  # type: ignore[arg-type,return-value]
    _unmoved(optim.Adam(params, schedule=lambda t: -1.0), params, "schedule of lr")
    _unmoved(optim.SGD(params, momentum=0.5, schedules={"momentum": lambda t: math.inf}), params, "momentum")
    changed = optim.Adam(params)
    changed.param_groups[0]["betas"] = (0.9, 2.0)
    _unmoved(changed, params, "beta")


def test_state_of_another_shape_or_device_is_refused() -> None:
    params = _params()
    optimizer = optim.Adam(params)
    _drive(optimizer, params, 0, 2)
    saved = optimizer.state_dict()
    saved["state"][1]["exp_avg"] = torch.zeros(7, dtype=D)
    optimizer.load_state_dict(saved)
    _unmoved(optimizer, params, r"exp_avg")
    moved = optim.Adam(params)
    _drive(moved, params, 0, 2)
    moved.state[params[0]]["exp_avg"] = torch.zeros(3, 2, dtype=D, device="meta")
    _unmoved(moved, params, r"device|meta")


def test_a_group_that_cannot_be_added_is_not() -> None:
    params = _params()
    optimizer = optim.Adam(params[:1])
    with pytest.raises(BadInput):
        optimizer.add_param_group({"params": params[1:], "betas": (0.9, 1.5)})
    assert len(optimizer.param_groups) == 1


def test_groups_and_values_may_change_at_any_time() -> None:
    """Adding a group, changing a beta, thawing a parameter, dropping state: as torch does, step for step."""
    mine, other = _params(), _params()
    a = optim.Adam(mine[:2], lr=0.01, lowering="auto")
    b = torch.optim.Adam(other[:2], lr=0.01)
    for params, optimizer in ((mine, a), (other, b)):
        _drive(optimizer, params[:2], 0, 5)
        optimizer.add_param_group({"params": params[2:], "lr": 0.1})
        _drive(optimizer, params, 5, 9)
        optimizer.param_groups[0]["betas"] = (0.5, 0.9)
        params[1].requires_grad_(False)
        params[1].grad = None
        for p in (params[0], params[2]):
            p.grad = torch.cos(p.detach())
        optimizer.step()
        params[1].requires_grad_(True)
        _drive(optimizer, params, 9, 12)
        optimizer.state.clear()
        _drive(optimizer, params, 12, 15)
        optimizer.state[params[0]]["exp_avg"] = torch.ones_like(params[0])
        _drive(optimizer, params, 15, 18)
    assert all(torch.allclose(p, q, atol=1e-14) for p, q in zip(mine, other, strict=True))


def test_a_parameter_laid_out_anew_keeps_its_state() -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(2, 3, 4, 4, generator=generator, dtype=D)
    mine, other = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    a, b = optim.Adam([mine], lr=0.01), torch.optim.Adam([other], lr=0.01)
    for step in range(6):
        if step == 3:
            mine.data = mine.data.to(memory_format=torch.channels_last)
        for p, o in ((mine, a), (other, b)):
            p.grad = torch.sin(p.detach() + step)
            o.step()
    assert torch.allclose(mine, other, atol=1e-14)


def test_a_gradient_laid_out_otherwise_is_read_right() -> None:
    start = torch.arange(6.0, dtype=D).view(2, 3)
    p = torch.nn.Parameter(start.clone())
    optimizer = optim.SGD([p], lr=1.0)
    g = torch.arange(6.0, dtype=D).view(3, 2).T
    assert not g.is_contiguous()
    p.grad = g
    optimizer.step()
    assert torch.equal(p.detach(), start - g)


def test_a_gradient_of_another_type_and_an_empty_parameter() -> None:
    for cls in (optim.SGD, optim.Adam, optim.RMSProp, optim.LAMB):
        p, q = (torch.nn.Parameter(torch.ones(5, dtype=t)) for t in (torch.bfloat16, torch.bfloat16))
        empty = torch.nn.Parameter(torch.zeros(0, dtype=torch.bfloat16))
        p.grad_dtype = torch.float32
        a, b = cls([p, empty], lr=0.1), cls([q], lr=0.1)
        p.grad, q.grad = torch.linspace(0.5, 1, 5), torch.linspace(0.5, 1, 5).bfloat16()
        empty.grad = torch.zeros_like(empty)
        a.step()
        b.step()
        assert torch.allclose(p, q)


def test_schedules_that_are_set_later_count() -> None:
    params = _params()
    optimizer = optim.SGD(params, momentum=0.9)
    _drive(optimizer, params, 0, 2)
    optimizer.schedules = {"momentum": linear(0.5, 0.5, 1)}
    _drive(optimizer, params, 2, 3)
    assert optimizer._rules[0][1].direction == directions.Momentum(0.45)


def test_schedules_of_any_value_resume() -> None:
    schedules = {"momentum": linear(0.5, 1.0, 10), "weight_decay": linear(1.0, 0.0, 20)}
    params = _params()
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.1, schedules=schedules)
    _drive(optimizer, params, 0, 12)
    other = _params()
    by_hand = torch.optim.SGD(other, lr=0.1, momentum=0.9, weight_decay=0.1)
    for t in range(12):
        by_hand.param_groups[0]["momentum"] = 0.9 * schedules["momentum"](t)
        by_hand.param_groups[0]["weight_decay"] = 0.1 * schedules["weight_decay"](t)
        _drive(by_hand, other, t, t + 1)
    assert all(torch.allclose(p, q, atol=1e-14) for p, q in zip(params, other, strict=True))
    assert optim.Adam(params, schedules={"beta1": linear(1.0, 0.5, 9)}).schedules["beta1"](9) == 0.5
    adam = optim.Adam(params, schedules={"beta1": linear(1.0, 0.5, 1)})
    _drive(adam, params, 0, 2)
    assert adam._rules[0][1].direction.beta == pytest.approx(0.45)  # type: ignore[attr-defined]


def test_repr_says_formula_and_lowering() -> None:
    params = _params(torch.float32)
    optimizer = optim.Adam(params, schedule=cosine(10))
    assert "chosen at the first step" in repr(optimizer)
    _drive(optimizer, params, 0, 1)
    text = repr(optimizer)
    assert "θ ← θ − η·m̂/σ" in text
    assert "torch's fused Adam (float32 on cpu, 28 bytes moved per parameter)" in text
    _drive(lars := optim.LARS(params), params, 0, 1)
    assert "no fused kernel fits this rule" in repr(lars)


def test_a_kernel_that_differs_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from unstuck.optim import kernels, planner

    monkeypatch.setattr(planner, "_probed", {})

    def wrong(params: Any, grads: Any, *rest: Any, **options: Any) -> None:
        for p, g in zip(params, grads, strict=True):
            p.sub_(g, alpha=1.001 * options["lr"])

    monkeypatch.setattr(kernels, "_sgd", wrong)
    params, plain = _params(), _params()
    optimizer = optim.SGD(params, lr=0.1)
    _drive(optimizer, params, 0, 3)
    assert "differs from the plain form" in repr(optimizer)
    _drive(optim.SGD(plain, lr=0.1, lowering="eager"), plain, 0, 3)
    assert all(torch.equal(p, q) for p, q in zip(params, plain, strict=True))
    with pytest.raises(BadInput, match="fused"):
        _drive(optim.SGD(params, lr=0.1, lowering="fused"), params, 0, 1)


def test_lists_and_scratch_are_made_once_whatever_the_rate_does(monkeypatch: pytest.MonkeyPatch) -> None:
    params = _params()
    optimizer = optim.LAMB(params, schedule=cosine(50))
    _drive(optimizer, params, 0, 3)
    made: list[int] = []
    monkeypatch.setattr(torch, "empty_like", lambda *a, **k: made.append(1))
    monkeypatch.setattr(optim.optimizer.Bucket, "__init__", lambda *a, **k: made.append(1))  # type: ignore[attr-defined]
    _drive(optimizer, params, 3, 20)
    optimizer.param_groups[0]["lr"] = 0.5
    _drive(optimizer, params, 20, 23)
    assert made == []


@pytest.mark.parametrize("around", AROUND[1:], ids=lambda a: "+".join(a))
def test_compiled_form_follows_the_plain_one(around: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Through dynamo alone, without a compiler: the mathematics and the number of graphs."""
    monkeypatch.setattr(compiled, "BACKEND", "eager")
    for direction, scale, first in (
        (directions.NesterovAverage(0.9), scales.MovingSquare(0.9, correct=True, largest=True), False),
        (directions.NesterovVelocity(0.9), scales.RootMeanSquare(eps_at="inside"), False),
        (directions.Momentum(0.9, dampening=0.2), scales.MovingSquare(0.9, start="gradient"), True),
    ):
        rule = Rule(direction, scale, cosine(20), lr=0.05, scale_first=first, **around)
        plain, traced = _params(), _params()
        _drive(rule.optimizer(plain, lowering="eager"), plain, 0, 15)
        torch._dynamo.utils.counters.clear()
        _drive(rule.optimizer(traced, lowering="compile"), traced, 0, 15)
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] <= 2
        assert all(torch.allclose(p, q, atol=1e-13) for p, q in zip(plain, traced, strict=True))


def test_compile_is_refused_where_there_is_no_compiled_form() -> None:
    params = _params()
    _unmoved(optim.Adamax(params, lowering="compile"), params, "compile")


@pytest.mark.slow
def test_compiled_by_inductor() -> None:
    plain, traced = _params(torch.float32), _params(torch.float32)
    _drive(optim.LAMB(plain, lr=0.01), plain, 0, 10)
    _drive(optim.LAMB(traced, lr=0.01, lowering="compile"), traced, 0, 10)
    assert all(torch.allclose(p, q, atol=1e-6) for p, q in zip(plain, traced, strict=True))
