"""What theory says the rules do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from unstuck import optim
from unstuck.optim import Rule, directions, scales, stability
from unstuck.optim.schedules import inverse_sqrt

D = torch.float64


@pytest.mark.parametrize(("condition", "rate"), [(10, 0.51948), (100, 0.81818), (1000, 0.93869)])
def test_polyak_s_rate(condition: float, rate: float) -> None:
    rho, lr = stability.best_momentum(condition)
    curvature = torch.tensor([1.0 / condition, 0.5, 1.0], dtype=D)
    p = torch.nn.Parameter(torch.ones(3, dtype=D))
    optimizer = optim.Momentum([p], lr=lr, rho=rho)
    sizes = []
    for _ in range(3000):
        p.grad = curvature * p.detach()
        optimizer.step()
        v = optimizer.state[p]["momentum_buffer"]
        sizes.append(math.sqrt(float(p.detach().square().sum() + v.square().sum())))
        if sizes[-1] < 1e-140:
            break
    # the double root adds a factor t, whose share of the slope fades like 1/t
    a, b = len(sizes) // 2, len(sizes) - 1
    slope = (math.log(sizes[b]) - math.log(sizes[a]) - math.log(b / a)) / (b - a)
    assert math.sqrt(rho) == pytest.approx(rate, abs=2e-5)
    assert math.exp(slope) == pytest.approx(rate, abs=2e-3)


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (Rule(directions.Gradient()), 2.0),
        (Rule(directions.Momentum(0.9)), 3.8),
        (Rule(directions.Velocity(0.9)), 3.8),
        (Rule(directions.Nesterov(0.9)), 3.8 / 2.8),
        (Rule(directions.NesterovVelocity(0.9)), 3.8 / 2.8),
        (Rule(directions.LookAhead(0.9)), 3.8 / 2.8),
        (Rule(directions.Average(0.9)), 38.0),
        (Rule(directions.NesterovAverage(0.9, decay=1.0)), 38.0 / 2.8),
        (Rule(directions.Momentum(0.5, dampening=0.5)), 6.0),
    ],
    ids=lambda x: x.direction.__class__.__name__ if isinstance(x, Rule) else None,
)
def test_stability_limits_by_formula_and_by_bisection(rule: Rule, limit: float) -> None:
    assert optim.stability_limit(rule) == pytest.approx(limit, rel=1e-12)
    assert stability.measured_limit(rule, steps=1200) == pytest.approx(limit, rel=6e-3)


def test_a_preconditioned_step_leaves_a_quadratic_where_the_limit_says() -> None:
    """Frozen scale: Adam's limit 38 holds for η·λ/D, D as the preconditioner gives it."""
    p = torch.nn.Parameter(torch.ones(2, dtype=D))
    optimizer = optim.Adam([p], lr=1e-3)
    for _ in range(300):
        p.grad = torch.tensor([100.0, 0.1], dtype=D)
        optimizer.step()
    below = optim.preconditioner(optimizer)[0][0]
    assert below is not None
    assert below.tolist() == pytest.approx([100.0, 0.1], rel=1e-6)
    size = optim.step_sizes(optimizer)[0]
    assert (size.limit, size.rate, size.sharpness_limit) == pytest.approx((38.0, 1e-3, 38_000.0))


def test_preconditioner_of_torch_s_own_optimizers_is_that_of_ours() -> None:
    for theirs, ours, options in (
        (torch.optim.Adam, optim.Adam, {"amsgrad": True}),
        (torch.optim.RMSprop, optim.RMSProp, {"centered": True}),
        (torch.optim.Adagrad, optim.AdaGrad, {}),
        (torch.optim.SGD, optim.SGD, {}),
    ):
        p, q = (torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=D)) for _ in range(2))
        a, b = theirs([p], **options), ours([q], **options)  # type: ignore[operator]
        for k in range(5):
            for x, o in ((p, a), (q, b)):
                x.grad = torch.tensor([1.0 + k, 0.3 * k], dtype=D)
                o.step()
        one, two = optim.preconditioner(a)[0][0], optim.preconditioner(b)[0][0]
        assert one is not None and two is not None
        assert torch.allclose(one, two, atol=1e-14)


def test_a_real_step_is_the_direction_over_the_preconditioner() -> None:
    for cls in (optim.Adam, optim.RMSProp, optim.AdaGrad, optim.AdaGradMean, optim.RAdam, optim.Adamax):
        p = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=D))
        optimizer: Any = cls([p], lr=1e-2)
        g = torch.tensor([0.4, 3.0], dtype=D)
        for _ in range(20):  # a constant gradient: every direction is g
            before = p.detach().clone()
            p.grad = g.clone()
            optimizer.step()
        below = optim.preconditioner(optimizer)[0][0]
        assert below is not None
        assert torch.allclose(before - p.detach(), 1e-2 * g / below, rtol=1e-9)


def test_gain_is_what_a_constant_gradient_adds_up_to() -> None:
    for direction in (
        directions.Gradient(),
        directions.Momentum(0.9),
        directions.Momentum(0.9, dampening=0.3),
        directions.Velocity(0.8),
        directions.Nesterov(0.9),
        directions.NesterovVelocity(0.7),
        directions.Average(0.9),
        directions.Average(0.9, correct=False),
        directions.NesterovAverage(0.9, decay=1.0),
    ):
        p = torch.nn.Parameter(torch.zeros(1, dtype=D))
        optimizer = Rule(direction, lr=0.01).optimizer([p])
        for _ in range(400):
            before = p.item()
            p.grad = torch.ones_like(p)
            optimizer.step()
        assert before - p.item() == pytest.approx(0.01 * direction.gain(), rel=1e-6)


def test_reddi_s_counter_example() -> None:
    """f_t(x) = 1010x if t mod 101 = 1, else −10x, on [−1, 1]: the best point is −1; Adam ends at +1."""
    ends = {}
    for amsgrad in (False, True):
        x = torch.nn.Parameter(torch.zeros(1, dtype=D))
        optimizer = optim.Adam([x], lr=1.0, betas=(0.9, 0.99), amsgrad=amsgrad, schedule=inverse_sqrt(), eps=1e-8)
        for t in range(1, 101 * 100 + 1):
            x.grad = torch.full_like(x, 1010.0 if t % 101 == 1 else -10.0)
            optimizer.step()
            with torch.no_grad():
                x.clamp_(-1, 1)
        ends[amsgrad] = x.item()
    assert ends[False] > 0.99
    assert ends[True] < 0.0


def test_wilson_s_separable_data() -> None:
    """Many rare features and one true one: descent finds the true one, adaptive rules count on the rare ones.

    Example i: first coordinate y_i, second and third 1, then one block of its own, 1 or 5 ones by class; p = .6 of the
    class +1. An adaptive rule learns the sign of Xᵀy and calls every new example by its majority class.
    """
    generator = torch.Generator().manual_seed(0)
    n, share = 60, 0.6
    y = torch.cat([torch.ones(int(n * share)), -torch.ones(n - int(n * share))]).to(D)
    x = torch.zeros(n, 3 + 5 * n, dtype=D)
    x[:, 0], x[:, 1], x[:, 2] = y, 1.0, 1.0
    for i in range(n):
        x[i, 3 + 5 * i : 3 + 5 * i + (1 if y[i] > 0 else 5)] = 1.0
    fresh = torch.where(torch.rand(1000, generator=generator) < share, 1.0, -1.0).to(D)
    test = torch.zeros(1000, x.shape[1], dtype=D)
    test[:, 0], test[:, 1], test[:, 2] = fresh, 1.0, 1.0
    errors = {}
    for name, make in {
        "sgd": lambda w: optim.SGD([w], lr=0.1),
        "momentum": lambda w: optim.SGD([w], lr=0.02, momentum=0.9),
        "adagrad": lambda w: optim.AdaGrad([w], lr=0.1),
        "rmsprop": lambda w: optim.RMSProp([w], lr=1e-3),
        "adam": lambda w: optim.Adam([w], lr=1e-3),
    }.items():
        w = torch.nn.Parameter(torch.zeros(x.shape[1], dtype=D))
        optimizer: Any = make(w)
        for _ in range(1500):
            w.grad = x.T @ (x @ w.detach() - y) / n
            optimizer.step()
        assert float(((x @ w.detach()) * y > 0).double().mean()) == 1.0, name
        errors[name] = float(((test @ w.detach()) * fresh <= 0).double().mean())
    assert errors["sgd"] == errors["momentum"] == 0.0
    minority = float((fresh < 0).double().mean())
    assert [errors[k] for k in ("adagrad", "rmsprop", "adam")] == pytest.approx([minority] * 3)
    assert minority == pytest.approx(0.4, abs=0.04)


def test_adam_becomes_adagrad() -> None:
    """β₁ = 0, β₂ → 1, rate α/√t: the corrected average of squares is then their mean; the error is linear in 1 − β₂."""
    grads = [math.sin(k) + 0.5 for k in range(100)]
    gaps = []
    for small in (1e-4, 1e-5, 1e-6):
        p, q = (torch.nn.Parameter(torch.zeros(1, dtype=D)) for _ in range(2))
        adam = optim.Adam([p], lr=0.1, betas=(0.0, 1 - small), eps=1e-15, schedule=inverse_sqrt())
        ada = optim.AdaGrad([q], lr=0.1, eps=1e-15)
        for g in grads:
            for x, o in ((p, adam), (q, ada)):
                x.grad = torch.full_like(x, g)
                o.step()
        gaps.append(abs(p.item() - q.item()))
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.05)
    assert gaps[1] / gaps[2] == pytest.approx(10, rel=0.05)


def test_mccandlish_s_best_rate() -> None:
    """On ½λ‖x‖² with noise of variance s² a coordinate: the one-step gain is largest at ε_max/(1 + B_noise/B)."""
    generator = torch.Generator().manual_seed(0)
    n, curvature, deviation = 50, 2.0, 3.0
    x = torch.full((n,), 1.0, dtype=D)
    g = curvature * x
    noise_scale = n * deviation**2 / float(g @ g)  # tr(HΣ)/(gᵀHg), H a multiple of one
    draws = 4000
    for batch in (1, 4, 16):
        noise = torch.randn(draws, n, generator=generator, dtype=D) * deviation / batch**0.5
        seen = g + noise
        rates = torch.linspace(0.02, 1.0, 99, dtype=D) / curvature
        losses = torch.stack([0.5 * curvature * (x - r * seen).square().sum(1).mean() for r in rates])
        a, b, _c = torch.linalg.lstsq(torch.stack([rates**2, rates, torch.ones_like(rates)], 1), losses).solution
        best = float(-b / (2 * a))
        assert best == pytest.approx(
            optim.noise_limited_rate(1 / curvature, batch=batch, noise_scale=noise_scale), rel=0.02
        )


@pytest.mark.parametrize("cls", [optim.LARS, optim.LAMB])
def test_rescaling_one_layer_s_loss_changes_nothing(cls: Any) -> None:
    """A layer whose gradient is multiplied by a constant (as in a network that was reparametrized) steps the same."""
    ends = []
    for factor in (1.0, 1e3, 1e-3):
        generator = torch.Generator().manual_seed(1)
        w = torch.nn.Parameter(torch.randn(4, 3, generator=generator, dtype=D))
        v = torch.nn.Parameter(torch.randn(4, generator=generator, dtype=D))
        options = {"eps": 1e-20} if cls is optim.LAMB else {}
        optimizer = cls([w, v], lr=0.05, **options)
        for k in range(20):
            w.grad = factor * torch.sin(w.detach() + k)
            v.grad = torch.cos(v.detach() + k)
            optimizer.step()
        ends.append(w.detach().clone())
    assert torch.allclose(ends[0], ends[1], atol=1e-12)
    assert torch.allclose(ends[0], ends[2], atol=1e-12)
    adam_ends = []
    for factor in (1.0, 1e3):
        w = torch.nn.Parameter(torch.ones(3, dtype=D))
        optimizer = optim.SGD([w], lr=0.05)
        w.grad = factor * torch.ones_like(w)
        optimizer.step()
        adam_ends.append(w.detach().clone())
    assert not torch.allclose(adam_ends[0], adam_ends[1])


@pytest.mark.parametrize("cls", [optim.LARS, optim.LAMB])
def test_rescaling_one_layer_s_weights_rescales_its_path(cls: Any) -> None:
    """w → c·w with a loss that sees w/‖w‖ only, so that its gradient is divided by c: the path is c times the path."""
    ends = []
    for c in (1.0, 0.01):
        w = torch.nn.Parameter(c * torch.tensor([[1.0, 2.0], [-1.0, 0.5]], dtype=D))
        optimizer = cls([w], lr=0.05, **({"eps": 1e-20} if cls is optim.LAMB else {}))
        for k in range(15):
            optimizer.zero_grad()
            ((w / w.norm()) * torch.sin(torch.arange(4.0, dtype=D) + k).view(2, 2)).sum().backward()
            optimizer.step()
        ends.append(w.detach() / c)
    assert torch.allclose(ends[0], ends[1], rtol=1e-9)


def test_variance_of_the_scale_and_radam_s_rectification_of_it() -> None:
    """Var √(ρ/χ²_ρ) is .0755, .0108 at ρ = 10, 50; r_t brings what is used down to its value at ρ∞."""
    generator = torch.Generator().manual_seed(0)

    def variance(degrees: int) -> float:
        chi = torch.randn(200_000, degrees, generator=generator, dtype=torch.float32).square().sum(1).double()
        return float((degrees / chi).sqrt().var())

    assert variance(10) == pytest.approx(0.0755, rel=0.05)
    assert variance(50) == pytest.approx(0.0108, rel=0.05)
    assert variance(50) == pytest.approx(50 / (2 * 48 * 46), rel=0.06)
    scale = scales.Rectified(0.99)
    longest = 2 / (1 - 0.99) - 1
    target = longest / (2 * (longest - 2) * (longest - 4))
    for t in (30, 60, 120):
        length, r = scale.length(t), scale.rectification(t)
        assert r is not None
        assert r**2 * length / (2 * (length - 2) * (length - 4)) == pytest.approx(target, rel=1e-9)


def test_radam_s_early_steps_vary_less_than_adam_s() -> None:
    """Second updates over many random gradients: Adam's scale from few gradients makes them heavy-tailed."""
    generator = torch.Generator().manual_seed(2)
    n = 20_000
    grads = torch.randn(12, n, generator=generator, dtype=D)
    spread = {}
    for cls in (optim.Adam, optim.RAdam):
        p = torch.nn.Parameter(torch.zeros(n, dtype=D))
        optimizer: Any = cls([p], lr=1.0, betas=(0.0, 0.999))
        for k in range(12):
            before = p.detach().clone()
            p.grad = grads[k].clone()
            optimizer.step()
        inverse = (before - p.detach()) / grads[11]  # 1/σ, or r/σ
        spread[cls] = float(inverse.var())
    assert spread[optim.RAdam] < 0.05 * spread[optim.Adam]


# ---- the lectures' surfaces

CP = [338, 333, 328, 207, 226, 25, 179, 60, 208, 606]
NEW = [640, 633, 619, 393, 428, 27, 193, 66, 226, 1591]


def _valley(optimizer_of: Any, updates: int) -> torch.Tensor:
    """The path of (b, w) on Σ(y − b − wx)² over the lecture's ten points, from (−120, −4)."""
    x, y = torch.tensor(CP, dtype=D), torch.tensor(NEW, dtype=D)
    design = torch.stack([torch.ones_like(x), x], 1)
    hessian, slope = 2 * design.T @ design, 2 * design.T @ y
    p = torch.nn.Parameter(torch.tensor([-120.0, -4.0], dtype=D))
    optimizer = optimizer_of(p)
    path = [p.detach().clone()]
    for _ in range(updates):
        p.grad = hessian @ p.detach() - slope
        optimizer.step()
        path.append(p.detach().clone())
    return torch.stack(path)


def test_the_lecture_s_adagrad_bursts_where_its_step_outgrows_the_curvature() -> None:
    path = _valley(lambda p: optim.AdaGradMean([p], lr=1.0, eps=0.0), 2000)
    assert path[1].tolist() == pytest.approx([-119.0, -3.0], abs=1e-12)
    # a burst begins where w leaves the valley, w*(b) the valley's floor, after at least a hundred quiet updates
    x, y = torch.tensor(CP, dtype=D), torch.tensor(NEW, dtype=D)
    floor = ((y * x).sum() - path[:, 0] * x.sum()) / (x * x).sum()
    away = (path[:, 1] - floor).abs() > 1.5
    starts, quiet = [], 0
    for t in range(200, 2001):
        if away[t] and quiet >= 100:
            starts.append(t)
        quiet = 0 if away[t] else quiet + 1
    assert len(starts) == 3
    assert [abs(a - b) <= 2 for a, b in zip(starts, (717, 1191, 1741), strict=True)] == [True] * 3, starts


def test_the_burst_is_foretold_by_the_preconditioned_sharpness() -> None:
    """η·λmax(D^−½HD^−½) passes 2, the rule's limit, at update 512: two hundred updates before the eye sees it."""
    x, y = torch.tensor(CP, dtype=D), torch.tensor(NEW, dtype=D)
    design = torch.stack([torch.ones_like(x), x], 1)
    hessian, slope = 2 * design.T @ design, 2 * design.T @ y
    p = torch.nn.Parameter(torch.tensor([-120.0, -4.0], dtype=D))
    optimizer = optim.AdaGradMean([p], lr=1.0, eps=0.0)
    limit = optim.step_sizes(optimizer)[0].sharpness_limit
    first = None
    for t in range(1, 600):
        p.grad = hessian @ p.detach() - slope
        optimizer.step()
        below = optim.preconditioner(optimizer)[0][0]
        assert below is not None
        weights = below.rsqrt()
        if float(torch.linalg.eigvalsh(weights[:, None] * hessian * weights)[-1]) > limit:
            first = t
            break
    assert first is not None
    assert abs(first - 512) <= 1


def test_falling_rate_and_sum_of_squares_do_not_burst_and_arrive() -> None:
    path = _valley(lambda p: optim.AdaGrad([p], lr=1.0, eps=0.0), 3000)
    steps = (path[300:, 1] - path[299:-1, 1]).abs().max()
    assert float(steps) < 1e-3


def test_rmsprop_at_a_constant_rate_keeps_a_cycle_of_half_its_step() -> None:
    p = torch.nn.Parameter(torch.tensor([1.0], dtype=D))
    optimizer = optim.RMSProp([p], lr=0.01, alpha=0.9, start="gradient", eps=1e-12)
    sizes = []
    for _ in range(3000):
        p.grad = p.detach().clone()
        optimizer.step()
        sizes.append(abs(p.item()))
    assert max(sizes[-100:]) == pytest.approx(0.005, rel=0.05)


def test_momentum_rolls_over_the_hill_only_from_nine_tenths_on() -> None:
    ends = {}
    for rho in (0.0, 0.5, 0.8, 0.9, 0.95):
        p = torch.nn.Parameter(torch.tensor([-2.0], dtype=D))
        optimizer = Rule(directions.Velocity(rho), lr=0.02).optimizer([p])
        for _ in range(5000):
            q = p.detach()
            p.grad = q**3 - q - 0.15
            optimizer.step()
        ends[rho] = round(p.item(), 4)
    assert ends == {0.0: -0.9143, 0.5: -0.9143, 0.8: -0.9143, 0.9: 1.0679, 0.95: 1.0679}


def test_direction_and_size_do_not_cancel() -> None:
    """Gradients ±1 in turn: the direction fades, the scale stays one; a constant gradient: both one."""
    for signs, expected in (((1.0, -1.0), 0.0), ((1.0, 1.0), 1.0)):
        p = torch.nn.Parameter(torch.zeros(1, dtype=D))
        rule = Rule(directions.Average(0.99), scales.MovingSquare(0.99, correct=True), lr=1.0)
        optimizer = rule.optimizer([p])
        for k in range(4000):
            before = p.item()
            p.grad = torch.full_like(p, signs[k % 2])
            optimizer.step()
        assert abs(before - p.item()) == pytest.approx(expected, abs=0.006)


def test_all_off_is_plain_descent_to_the_bit() -> None:
    p, q = (torch.nn.Parameter(torch.tensor([0.3, -0.7])) for _ in range(2))
    optimizer = replace(Rule(directions.Gradient()), lr=0.1).optimizer([p], lowering="eager")
    for k in range(20):
        g = torch.sin(p.detach() + k)
        p.grad = g
        optimizer.step()
        with torch.no_grad():
            q.sub_(torch.sin(q + k), alpha=0.1)
    assert torch.equal(p, q)
