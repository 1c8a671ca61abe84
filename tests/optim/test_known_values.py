"""Published vectors and the conventions that differ: equal where equal, different where different."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

from unstuck import optim
from unstuck.optim import Rule, directions, scales
from unstuck.optim.schedules import inverse_sqrt, linear

D = torch.float64


def leaf(*values: float) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(values, dtype=D))


def run(optimizer: torch.optim.Optimizer, p: torch.nn.Parameter, grads: list[float]) -> list[float]:
    """The parameter after each update by given gradients."""
    path = []
    for g in grads:
        p.grad = torch.full_like(p, g)
        optimizer.step()
        path.append(p.detach().flatten()[0].item())
    return path


def first_step(rule: Rule, g: float = 0.37) -> float:
    """The size of the first step over η."""
    p = leaf(0.0)
    run(rule.optimizer([p]), p, [g])
    return abs(p.item()) / rule.lr


# ---- Keras' published vectors


def test_keras_rmsprop_one_step() -> None:
    p = leaf(1, 2, 3, 4)
    p.grad = torch.tensor([1, 6, 7, 2], dtype=D)
    optim.RMSProp([p], lr=0.5, alpha=0.9, eps=1e-7, eps_at="inside").step()
    assert p.tolist() == pytest.approx([-0.5811, 0.4189, 1.4189, 2.4189], abs=1e-4)


def test_keras_rmsprop_on_a_parabola() -> None:
    p = leaf(10.0)
    p.grad = p.detach().clone()
    optim.RMSProp([p], lr=0.1, alpha=0.9, eps=1e-7, eps_at="inside").step()
    assert p.item() == pytest.approx(9.683772, abs=1e-6)


def test_keras_rmsprop_decay_without_gradient() -> None:
    p = leaf(2.0)
    optimizer = optim.RMSProp([p], lr=1.0, alpha=0.9, weight_decay=0.004, decoupled=True)
    path = run(optimizer, p, [0.0, 0.0, 0.0])
    assert path[-1] == pytest.approx(1.9760959, abs=1e-7)


# ---- ruling 19: what momentum means


def test_three_momenta_agree_at_a_constant_rate_and_not_under_a_schedule() -> None:
    grads = [math.sin(3 * k) + 0.2 for k in range(60)]

    def path(direction: Any, lr: float, schedule: Any = None) -> list[float]:
        p = leaf(1.0)
        return run(Rule(direction, lr=lr, schedule=schedule).optimizer([p]), p, grads)

    outside = path(directions.Momentum(0.9), 0.01)
    inside = path(directions.Velocity(0.9), 0.01)
    averaged = path(directions.Average(0.9, correct=False), 0.01 / (1 - 0.9))
    assert inside == pytest.approx(outside, abs=1e-14)
    assert averaged == pytest.approx(outside, abs=1e-14)
    falling = linear(1.0, 0.1, 50)
    gap = abs(path(directions.Velocity(0.9), 0.01, falling)[-1] - path(directions.Momentum(0.9), 0.01, falling)[-1])
    assert gap > 1e-3


def test_velocity_is_the_sum_of_past_gradients_at_their_own_rates() -> None:
    grads, rho = [math.cos(k) for k in range(30)], 0.8
    schedule = inverse_sqrt()
    p = leaf(0.0)
    path = run(Rule(directions.Velocity(rho), lr=0.1, schedule=schedule).optimizer([p]), p, grads)
    position = 0.0
    for t in range(1, 31):
        position -= sum(rho ** (t - 1 - i) * 0.1 * schedule(i) * grads[i] for i in range(t))
        assert path[t - 1] == pytest.approx(position, abs=1e-12)


@pytest.mark.parametrize("lowering", ["auto", "eager"])
def test_every_direction_without_memory_is_the_plain_step_to_the_last_bit(lowering: str) -> None:
    torch.manual_seed(0)
    start, grads = torch.randn(50, dtype=torch.float64), torch.randn(30, 50, dtype=torch.float64)

    def end(direction: Any) -> torch.Tensor:
        p = start.clone().requires_grad_()
        optimizer = Rule(direction, lr=0.03, schedule=linear(1.0, 0.2, 30)).optimizer([p], lowering=lowering)
        for g in grads:
            p.grad = g.clone()
            optimizer.step(lambda: None)  # the look-ahead wants a closure
        return p.detach()

    plain = end(directions.Gradient())
    without = (
        directions.Momentum(0.0),
        directions.Velocity(0.0),
        directions.NesterovVelocity(0.0),
        directions.LookAhead(0.0),
        directions.Average(0.0),
        directions.Average(0.0, correct=False),
    )
    assert all(torch.equal(end(direction), plain) for direction in without)


# ---- Nesterov's three forms


def test_keras_nesterov_is_the_look_ahead_under_any_schedule() -> None:
    falling = linear(1.0, 0.2, 40)
    at = leaf(2.0)
    ahead = Rule(directions.LookAhead(0.9), lr=0.05, schedule=falling).optimizer([at])
    shifted = leaf(2.0)
    keras = Rule(directions.NesterovVelocity(0.9), lr=0.05, schedule=falling).optimizer([shifted])
    for _ in range(60):

        def closure() -> torch.Tensor:
            ahead.zero_grad()
            loss = (at**4 / 4).sum()
            loss.backward()
            return loss

        ahead.step(closure)
        shifted.grad = shifted.detach() ** 3
        keras.step()
        looked = at.detach() - 0.9 * ahead.state[at]["velocity"]
        assert shifted.item() == pytest.approx(looked.item(), abs=1e-13)


def test_torch_nesterov_equals_keras_only_at_a_constant_rate() -> None:
    def end(direction: Any, schedule: Any) -> float:
        p = leaf(2.0)
        optimizer = Rule(direction, lr=0.05, schedule=schedule).optimizer([p])
        for _ in range(40):
            p.grad = p.detach() ** 3
            optimizer.step()
        return p.item()

    both = [end(d, None) for d in (directions.Nesterov(0.9), directions.NesterovVelocity(0.9))]
    assert both[0] == pytest.approx(both[1], abs=1e-13)
    apart = [end(d, linear(1.0, 0.2, 40)) for d in (directions.Nesterov(0.9), directions.NesterovVelocity(0.9))]
    assert abs(apart[0] - apart[1]) > 1e-4


def test_a_look_ahead_without_a_closure_is_refused() -> None:
    p = leaf(1.0)
    p.grad = torch.ones_like(p)
    with pytest.raises(ValueError, match="closure"):
        optim.Nesterov([p], form="ahead").step()
    assert p.item() == 1.0


# ---- rulings 21, 22: AdaGrad's two forms


def test_mean_adagrad_under_a_falling_rate_is_sum_adagrad() -> None:
    grads = [math.sin(k) + 0.1 for k in range(300)]
    p, q = leaf(1.0), leaf(1.0)
    mean = run(optim.AdaGradMean([p], lr=0.3, eps=0.0, schedule=inverse_sqrt()), p, grads)
    summed = run(optim.AdaGrad([q], lr=0.3, eps=0.0), q, grads)
    assert max(abs(a - b) for a, b in zip(mean, summed, strict=True)) < 1e-14
    r = leaf(1.0)
    assert abs(run(optim.AdaGradMean([r], lr=0.3), r, grads)[-1] - summed[-1]) > 0.1


def test_first_steps_in_units_of_the_rate() -> None:
    assert first_step(Rule(directions.Gradient(), scales.RootMeanSquare())) == pytest.approx(1, abs=1e-8)
    assert first_step(Rule(directions.Gradient(), scales.SumOfSquares())) == pytest.approx(1, abs=1e-8)
    assert first_step(Rule(directions.Gradient(), scales.MovingSquare(0.99))) == pytest.approx(10, rel=1e-6)
    assert first_step(Rule(directions.Gradient(), scales.MovingSquare(0.9))) == pytest.approx(3.1623, rel=1e-4)
    adam = Rule(directions.Average(0.9), scales.MovingSquare(0.999, correct=True))
    assert first_step(adam) == pytest.approx(1, rel=1e-6)
    almost = Rule(directions.Average(0.9, correct=False), scales.MovingSquare(0.999))
    assert first_step(almost) == pytest.approx(3.1623, rel=1e-4)


def test_uncorrected_adam_on_a_constant_gradient_goes_too_far_for_long() -> None:
    p = leaf(0.0)
    path = [0.0, *run(optim.AdamAlmost([p], lr=1e-3, eps=1e-12), p, [1.0] * 2400)]
    steps = [(a - b) / 1e-3 for a, b in itertools.pairwise(path)]
    assert max(steps) == pytest.approx(6.57, abs=0.01)
    assert steps.index(max(steps)) + 1 == 12
    assert max(k + 1 for k, s in enumerate(steps) if s > 1.05) == 2374


# ---- ruling 26: where RMSProp starts


def test_rmsprop_starts_from_zero_or_from_the_first_gradient() -> None:
    zero = Rule(directions.Gradient(), scales.MovingSquare(0.99))
    gradient = Rule(directions.Gradient(), scales.MovingSquare(0.99, start="gradient"))
    corrected = Rule(directions.Gradient(), scales.MovingSquare(0.99, correct=True))
    assert [round(first_step(r), 4) for r in (zero, gradient, corrected)] == [10.0, 1.0, 1.0]
    grads = [1.0, 0.1, -0.2, 0.5] * 10
    p, q = leaf(0.0), leaf(0.0)
    a = run(gradient.optimizer([p]), p, grads)
    b = run(corrected.optimizer([q]), q, grads)
    assert abs(a[-1] - b[-1]) > 1e-3  # alike at the first step only


@pytest.mark.parametrize(("alpha", "steps"), [(0.5, 1), (0.9, 3), (0.99, 29), (0.999, 288)])
def test_rmsprop_forgets_after_a_jump_at_the_lecture_s_pace(alpha: float, steps: int) -> None:
    """From tiny gradients to 1: steps until σ is at least ½ of the new gradient, ⌈ln .75/ln α⌉."""
    p = leaf(0.0)
    optimizer = Rule(directions.Gradient(), scales.MovingSquare(alpha, eps=0.0, start="gradient")).optimizer([p])
    run(optimizer, p, [1e-6] * 3)
    count = 0
    while True:
        run(optimizer, p, [1.0])
        count += 1
        if optimizer.state[p]["exp_avg_sq"].item() ** 0.5 >= 0.5:
            break
    assert count == steps == math.ceil(math.log(0.75) / math.log(alpha))


# ---- ruling 25: where ε stands


def test_epsilon_inside_acts_like_its_root_outside() -> None:
    g = 1e-6
    outside = first_step(Rule(directions.Gradient(), scales.MovingSquare(0.9, 1e-8, correct=True)), g)
    inside = first_step(Rule(directions.Gradient(), scales.MovingSquare(0.9, 1e-8, correct=True, eps_at="inside")), g)
    assert outside == pytest.approx(0.990, abs=5e-4)
    assert inside == pytest.approx(0.010, abs=5e-4)


def test_four_places_of_epsilon_agree_for_large_gradients_and_differ_for_small_ones() -> None:
    sizes = []
    for g in (1.0, 1e-8):
        sizes.append(
            [
                first_step(
                    Rule(directions.Average(0.9), scales.MovingSquare(0.999, 1e-8, correct=True, eps_at=place)), g
                )
                for place in ("outside", "inside", "hat", "clamp")
            ]
        )
    assert sizes[0] == pytest.approx([1.0] * 4, rel=1e-6)
    small = sizes[1]
    assert small[0] == pytest.approx(0.5, rel=1e-6)  # 1e-8/(1e-8 + 1e-8)
    assert small[1] == pytest.approx(1e-4, rel=1e-3)
    assert small[2] == pytest.approx(1 / (1 + 1 / 0.001**0.5), rel=1e-6)
    assert small[3] == pytest.approx(1.0, rel=1e-6)


def test_without_epsilon_a_coordinate_that_was_never_touched_stays() -> None:
    for scale in (
        scales.RootMeanSquare(eps=0.0),
        scales.SumOfSquares(eps=0.0),
        scales.MovingSquare(eps=0.0, correct=True),
        scales.LargestGradient(eps=0.0),
    ):
        p = leaf(1.0, 2.0)
        p.grad = torch.tensor([0.5, 0.0], dtype=D)
        Rule(directions.Gradient(), scale, lr=0.1).optimizer([p]).step()
        assert p.tolist() == pytest.approx([0.9, 2.0], abs=1e-12)


# ---- RAdam's threshold


@pytest.mark.parametrize(("threshold", "first", "value"), [(4.0, 5, 0.01731), (5.0, 6, 0.02582)])
def test_radam_starts_to_scale_where_its_threshold_says(threshold: float, first: int, value: float) -> None:
    scale = scales.Rectified(0.999, threshold=threshold)
    assert scale.rectification(first - 1) is None
    assert scale.rectification(first) == pytest.approx(value, abs=1e-5)
    assert [round(scale.rectification(t) or 0, 4) for t in (100, 1000, 4000)] == [0.2153, 0.6453, 0.9619]
    p = leaf(0.0)
    path = run(optim.RAdam([p], lr=0.1, threshold=threshold), p, [5.0] * first)
    before = [0.0, *path]
    assert before[first - 2] - before[first - 1] == pytest.approx(0.5)  # η·g, not scaled
    assert before[first - 1] - before[first] == pytest.approx(0.1 * value, rel=1e-3)  # η·r_t·g/|g|


# ---- decay


def test_decay_by_what_it_passes_through() -> None:
    half = linear(0.5, 0.5, 1)

    def after(decay: Any, g: float = 0.0) -> float:
        p = leaf(1.0)
        rule = Rule(directions.Average(0.9), scales.MovingSquare(correct=True), half, lr=0.1, decay=decay)
        return run(rule.optimizer([p]), p, [g])[-1]

    assert after(optim.Decoupled(0.2)) == pytest.approx(1 - 0.05 * 0.2, abs=1e-15)
    assert after(optim.Decoupled(0.2, "schedule")) == pytest.approx(1 - 0.2 * 0.5, abs=1e-15)
    assert after(optim.Decoupled(0.2, "corrected")) == pytest.approx(1 - 0.2 * 0.05**2 / 0.1, abs=1e-15)
    assert after(optim.Coupled(0.2)) == pytest.approx(1 - 0.05, abs=1e-8)  # rescaled to a whole step


def test_torch_dampening_spares_the_first_step() -> None:
    p = leaf(0.0)
    assert run(optim.SGD([p], lr=1.0, momentum=0.5, dampening=0.9), p, [1.0, 1.0]) == pytest.approx([-1.0, -1.6])


# ---- LARS and LAMB


def test_lars_first_step_by_hand() -> None:
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=D))
    w.grad = torch.tensor([[0.6, 0.8]], dtype=D)
    kept = w.grad.clone()
    optim.LARS([w], lr=2.0, weight_decay=0.1, trust_coefficient=0.01).step()
    ratio = 0.01 * 5 / (1 + 0.1 * 5)
    expected = torch.tensor([[3.0, 4.0]], dtype=D) - 2 * ratio * (kept + 0.1 * torch.tensor([[3.0, 4.0]], dtype=D))
    assert torch.allclose(w.detach(), expected, atol=1e-14)
    assert torch.equal(w.grad, kept)  # the user's gradient is not written to


def test_lars_without_decay_still_rescales() -> None:
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=D))
    w.grad = torch.tensor([[6.0, 8.0]], dtype=D)
    optim.LARS([w], lr=1.0, trust_coefficient=0.01).step()
    assert (5 - w.detach().norm().item()) == pytest.approx(0.01 * 5, abs=1e-12)


def test_lamb_s_first_step_has_the_size_of_the_weights() -> None:
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=D))
    w.grad = torch.tensor([[1e-3, 7.0]], dtype=D)
    optim.LAMB([w], lr=0.01, eps=1e-12).step()
    moved = torch.tensor([[3.0, 4.0]], dtype=D) - w.detach()
    assert moved.norm().item() == pytest.approx(0.01 * 5, rel=1e-9)
    assert moved[0, 0].item() == pytest.approx(moved[0, 1].item(), rel=1e-6)  # Adam's first step is a sign


# ---- noise and clipping


def test_noise_is_a_function_of_seed_and_step_and_fades() -> None:
    noise = optim.GradientNoise(1.0, 0.55, seed=3)
    a, b = [torch.zeros(20_000, dtype=D)], [torch.zeros(20_000, dtype=D)]
    before = torch.get_rng_state()
    noise.apply(a, 9)
    noise.apply(b, 9)
    assert torch.equal(a[0], b[0])
    assert torch.equal(before, torch.get_rng_state())
    assert a[0].var().item() == pytest.approx(1 / 10**0.55, rel=0.05)
    noise.apply(b, 10)
    assert not torch.equal(a[0], b[0])


def test_noise_leaves_a_saddle_that_the_bare_rule_never_leaves() -> None:
    ends = []
    for noise in (None, optim.GradientNoise(0.01)):
        p = leaf(0.5, -0.5)
        optimizer = Rule(directions.Gradient(), lr=0.05, noise=noise).optimizer([p])
        for _ in range(600):
            optimizer.zero_grad()
            (1 - p[0] * p[1]).square().backward()
            optimizer.step()
        ends.append((1 - p[0] * p[1]).square().item())
    assert ends[0] == pytest.approx(1.0, abs=1e-6)
    assert ends[1] < 0.5


def test_clipping_takes_the_norm_over_all_groups_and_leaves_the_gradients() -> None:
    p, q = leaf(0.0), leaf(0.0)
    optimizer = optim.SGD([{"params": [p]}, {"params": [q], "lr": 2.0}], lr=1.0, clip_norm=1.0)
    p.grad, q.grad = torch.full_like(p, 3.0), torch.full_like(q, 4.0)
    optimizer.step()
    assert (p.item(), q.item()) == pytest.approx((-0.6, -1.6))
    assert (p.grad.item(), q.grad.item()) == (3.0, 4.0)
    p.grad, q.grad = torch.full_like(p, 0.3), torch.full_like(q, 0.4)
    optimizer.step()
    assert (p.item(), q.item()) == pytest.approx((-0.9, -2.4))


def test_clipping_by_value() -> None:
    p = leaf(0.0, 0.0)
    p.grad = torch.tensor([0.5, -7.0], dtype=D)
    Rule(directions.Gradient(), before=optim.ClipValue(1.0), lr=1.0).optimizer([p]).step()
    assert p.tolist() == [-0.5, 1.0]
