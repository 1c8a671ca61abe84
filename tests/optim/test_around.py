"""What goes around a rule: SAM, averages, SWAP, schedule-free, scalers, compiled steps, the range test."""

from __future__ import annotations

import copy
import io
import pickle
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from unstuck import optim
from unstuck.core.errors import BadInput
from unstuck.optim import rate_finder
from unstuck.optim.schedules import cosine, warmup

D = torch.float64


def _net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1)).double()


def _data(seed: int = 1, n: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=generator, dtype=D)
    return x, x[:, :1] * x[:, 1:2] + 0.1


def _closure_of(net: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor, calls: list[int]) -> Any:
    def closure() -> torch.Tensor:
        calls.append(1)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        return loss

    return closure


# ---- SAM


def test_sam_takes_the_gradient_at_the_worst_point_nearby() -> None:
    for adaptive in (False, True):
        p, q = nn.Parameter(torch.tensor([3.0, 0.0], dtype=D)), nn.Parameter(torch.tensor([-4.0], dtype=D))
        sam = optim.SAM([{"params": [p]}, {"params": [q]}], optim.SGD, rho=0.5, adaptive=adaptive, lr=0.1)
        matrix = torch.tensor([1.0, 2.0, 3.0], dtype=D)

        def closure(sam: Any = sam, p: Any = p, q: Any = q, matrix: Any = matrix) -> torch.Tensor:
            sam.zero_grad()
            loss = 0.5 * (matrix * torch.cat([p, q]) ** 2).sum()
            loss.backward()
            return loss

        start = torch.cat([p, q]).detach()
        g = matrix * start
        if adaptive:
            climb = start + 0.5 * start**2 * g / (start * g).norm()
        else:
            climb = start + 0.5 * g / g.norm()
        assert float(sam.step(closure)) == pytest.approx(float(0.5 * (matrix * start**2).sum()))
        assert torch.allclose(torch.cat([p, q]), start - 0.1 * matrix * climb, atol=1e-14)


def test_sam_with_no_reach_is_its_base() -> None:
    x, y = _data()
    a, b = _net(), _net()
    sam, adam = optim.SAM(a.parameters(), optim.Adam, rho=0.0, lr=0.01), optim.Adam(b.parameters(), lr=0.01)
    for _ in range(5):
        sam.step(_closure_of(a, sam, x, y, []))
        adam.step(_closure_of(b, adam, x, y, []))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize("base", [optim.SGD, torch.optim.SGD])
def test_sam_keeps_the_first_pass_s_batch_norm_statistics(base: Any) -> None:
    x, y = _data()
    net, twin = _net(), _net()
    twin(x)
    calls: list[int] = []
    sam = optim.SAM(net.parameters(), base, rho=0.5, lr=0.1)
    sam.step(_closure_of(net, sam, x, y, calls))
    assert len(calls) == 2
    assert torch.equal(net[1].running_mean, twin[1].running_mean)
    assert int(net[1].num_batches_tracked) == 1
    # two calls in place of a closure
    other = _net()
    by_hand = optim.SAM(other.parameters(), base, rho=0.5, lr=0.1, model=other)
    closure = _closure_of(other, by_hand, x, y, [])
    closure()
    assert by_hand.climb()
    closure()
    by_hand.step()
    assert all(torch.equal(p, q) for p, q in zip(net.state_dict().values(), other.state_dict().values(), strict=True))


def test_sam_refuses_half_a_step() -> None:
    net = _net()
    sam = optim.SAM(net.parameters(), rho=0.1)
    with pytest.raises(BadInput, match="two gradients"):
        sam.step()
    with pytest.raises(BadInput, match="backward"):
        sam.climb()
    with pytest.raises(BadInput, match="rho"):
        optim.SAM(net.parameters(), rho=-1.0)


def test_sam_with_a_gradient_scaler_skips_overflow_and_is_exact_otherwise() -> None:
    x, y = _data()
    net, bare = _net(), _net()
    sam, plain = (optim.SAM(n.parameters(), optim.SGD, rho=0.1, lr=0.1) for n in (net, bare))
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    factor = [1.0]

    def closure() -> torch.Tensor:
        sam.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        scaler.scale(loss * factor[0]).backward()
        return loss

    sam.step(closure, scaler=scaler)
    scaler.update()
    plain.step(_closure_of(bare, plain, x, y, []))
    assert all(torch.allclose(p, q, atol=1e-14) for p, q in zip(net.parameters(), bare.parameters(), strict=True))
    before = [p.detach().clone() for p in net.parameters()]
    factor[0] = float("inf")
    sam.step(closure, scaler=scaler)
    scaler.update()
    assert all(torch.equal(p, q) for p, q in zip(before, net.parameters(), strict=True))
    assert scaler.get_scale() < 64.0


def test_sam_is_one_optimizer_to_hooks_schedulers_and_checkpoints() -> None:
    x, y = _data()
    net = _net()
    sam = optim.SAM(net.parameters(), optim.Adam, rho=0.1, lr=0.01)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(sam, 0.5)
    heard: list[str] = []
    handle = register_optimizer_step_post_hook(lambda o, a, k: heard.append(type(o).__name__))
    try:
        sam.step(_closure_of(net, sam, x, y, []))
    finally:
        handle.remove()
    assert heard == ["SAM"]
    scheduler.step()
    assert sam.base.param_groups[0]["lr"] == 0.005
    saved = copy.deepcopy(sam.state_dict())
    weights = copy.deepcopy(net.state_dict())
    for _ in range(3):
        sam.step(_closure_of(net, sam, x, y, []))
    other = _net()
    other.load_state_dict(weights)
    resumed = optim.SAM(other.parameters(), optim.Adam, rho=0.7, lr=0.5)
    resumed.load_state_dict(saved)
    assert resumed.param_groups[0]["rho"] == 0.1
    for _ in range(3):
        resumed.step(_closure_of(other, resumed, x, y, []))
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), other.parameters(), strict=True))
    third, twin = copy.deepcopy((net, sam))
    twin.step(_closure_of(third, twin, x, y, []))
    sam.step(_closure_of(net, sam, x, y, []))
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), third.parameters(), strict=True))


# ---- averages


def test_averages_of_weights() -> None:
    net = _net()
    equal, fading = optim.WeightAverage(net), optim.WeightAverage(net, decay=0.5)
    with pytest.raises(BadInput, match="update"):
        equal.write(net)
    history = []
    for k in range(4):
        with torch.no_grad():
            for p in net.parameters():
                p.add_(k + 1.0)
        history.append([p.detach().clone() for p in net.parameters()])
        equal.update()
        fading.update()
    mean = [torch.stack(one).mean(0) for one in zip(*history, strict=True)]
    assert all(torch.allclose(a, b) for a, b in zip(equal.values.values(), mean, strict=True))
    expected = [h.clone() for h in history[0]]
    for later in history[1:]:
        expected = [0.5 * e + 0.5 * h for e, h in zip(expected, later, strict=True)]
    assert all(torch.allclose(a, b) for a, b in zip(fading.values.values(), expected, strict=True))
    again = optim.WeightAverage(_net())
    again.load_state_dict(equal.state_dict())
    assert again.count == 4


def test_averaged_weights_get_batch_norm_statistics_of_their_own() -> None:
    x, y = _data(n=64)
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 64, 16)]
    net = _net()
    average = optim.WeightAverage(net)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for bx, by in batches:
        optimizer.step(_closure_of(net, optimizer, bx, by, []))
        average.update()
    own = copy.deepcopy(net.state_dict())
    net.eval()
    with average.applied(batches) as averaged:
        hidden = torch.cat([averaged[0](bx) for bx, _ in batches]).view(4, 16, 8)
        assert torch.allclose(averaged[1].running_mean, hidden.mean((0, 1)))
        assert torch.allclose(averaged[1].running_var, hidden.var(1).mean(0))
        assert averaged[1].momentum == 0.1
        assert not averaged.training
    assert all(torch.equal(a, b) for a, b in zip(own.values(), net.state_dict().values(), strict=True))
    assert optim.recompute_batch_norm(nn.Linear(2, 2), batches) == 0


def test_equal_average_beats_the_last_iterate_of_noisy_descent() -> None:
    generator = torch.Generator().manual_seed(0)
    model = nn.Linear(10, 1, bias=False)
    optimizer, average = optim.SGD(model.parameters(), lr=0.3), optim.WeightAverage(model)
    losses, averaged = [], []
    for k in range(400):
        model.weight.grad = model.weight.detach() + torch.randn(1, 10, generator=generator)
        optimizer.step()
        if k >= 100:
            average.update()
            losses.append(float(model.weight.detach().square().sum()))
    averaged = float(average.values["weight"].square().sum())
    assert averaged < 0.1 * sum(losses) / len(losses)


def test_swap_averages_workers_and_recomputes_statistics() -> None:
    x, y = _data(n=64)
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 64, 16)]
    net = _net()

    def large(model: nn.Module) -> None:
        optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        for _ in range(30):
            optimizer.step(_closure_of(model, optimizer, x, y, []))

    def worker(model: nn.Module, k: int) -> None:
        generator = torch.Generator().manual_seed(k)
        optimizer = optim.SGD(model.parameters(), lr=0.05)
        for _ in range(60):
            pick = torch.randperm(64, generator=generator)[:8]
            optimizer.step(_closure_of(model, optimizer, x[pick], y[pick], []))

    made = optim.swap(net, large, worker, batches, workers=3)
    assert made.model is net
    assert (len(made.workers), made.batches) == (3, 4)
    mean = torch.stack([w[0].weight for w in made.workers]).mean(0)  # type: ignore[index]
    assert torch.allclose(net[0].weight, mean)
    weights = [w[0].weight for w in made.workers]  # type: ignore[index]
    assert not torch.equal(weights[0], weights[1])

    def loss(model: nn.Module) -> float:
        model.eval()
        with torch.no_grad():
            return float(nn.functional.mse_loss(model(x), y))

    for w in made.workers:
        optim.recompute_batch_norm(w, batches)
    assert loss(net) <= sum(loss(w) for w in made.workers) / 3


# ---- schedule-free


def test_schedule_free_follows_its_three_sequences() -> None:
    p = nn.Parameter(torch.tensor([2.0, -1.0], dtype=D))
    optimizer = optim.ScheduleFree([p], optim.SGD, beta=0.8, lr=0.3, schedule=warmup(4))
    z, x, weight = p.detach().clone(), p.detach().clone(), 0.0
    for k in range(12):
        y = 0.8 * x + 0.2 * z
        assert torch.allclose(p.detach(), y, atol=1e-14)
        p.grad = torch.sin(p.detach()) * 2
        optimizer.step()
        eta = 0.3 * warmup(4)(k)
        z = z - eta * 2 * torch.sin(y)
        weight += eta**2
        x = x + eta**2 / weight * (z - x)
    optimizer.eval()
    assert torch.allclose(p.detach(), x, atol=1e-13)
    with pytest.raises(BadInput, match="train"):
        optimizer.step()
    optimizer.train()
    assert torch.allclose(p.detach(), 0.8 * x + 0.2 * z, atol=1e-13)


def test_schedule_free_resumes_to_the_bit_and_copies() -> None:
    def drive(p: nn.Parameter, optimizer: Any, first: int, last: int) -> None:
        for k in range(first, last):
            p.grad = torch.sin(p.detach() + k)
            optimizer.step()

    def make(p: nn.Parameter) -> Any:
        return optim.ScheduleFree([p], optim.AdamW, lr=0.05, betas=(0.0, 0.9), schedule=warmup(5))

    straight = nn.Parameter(torch.ones(3))
    drive(straight, make(straight), 0, 14)
    p = nn.Parameter(torch.ones(3))
    optimizer = make(p)
    drive(p, optimizer, 0, 6)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    q = nn.Parameter(p.detach().clone())
    resumed = make(q)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    drive(q, resumed, 6, 14)
    assert torch.equal(q, straight)
    r, copied = pickle.loads(pickle.dumps((p, optimizer)))
    drive(r, copied, 6, 14)
    assert torch.equal(r, straight)


def test_schedule_free_wants_no_momentum_below() -> None:
    with pytest.raises(BadInput, match="without momentum"):
        optim.ScheduleFree([nn.Parameter(torch.ones(1))], optim.SGD, momentum=0.9)
    with pytest.raises(BadInput, match="beta"):
        optim.ScheduleFree([nn.Parameter(torch.ones(1))], beta=0.0)


# ---- scalers, compiled steps, threads of use


def test_gradient_scaler_steps_and_skips() -> None:
    p, q = (nn.Parameter(torch.ones(3)) for _ in range(2))
    a, b = optim.Adam([p], lr=0.1, schedule=cosine(10)), torch.optim.Adam([q], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=100)
    scheduler = torch.optim.lr_scheduler.LambdaLR(b, cosine(10))
    for k in range(6):
        a.zero_grad()
        b.zero_grad()
        factor = float("inf") if k == 2 else 1.0
        scaler.scale((p**2).sum() * factor).backward()
        scaler.step(a)
        scaler.update()
        if k != 2:  # a skipped step is no update: the schedule does not move either
            (q**2).sum().backward()
            b.step()
            scheduler.step()
    assert torch.allclose(p, q, atol=1e-6)
    assert a.param_groups[0]["updates"] == 5


@pytest.mark.parametrize("cls", [optim.Adam, optim.LAMB])
def test_a_compiled_training_step(cls: Any) -> None:
    x, y = (t.float() for t in _data())
    nets = [_net().float(), _net().float()]
    optimizers = [cls(net.parameters(), lr=0.01, schedule=cosine(20)) for net in nets]

    def train(net: nn.Module, optimizer: Any) -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    compiled = torch.compile(train, backend="eager")
    torch._dynamo.utils.counters.clear()
    counts = []
    for _ in range(8):
        train(nets[0], optimizers[0])
        compiled(nets[1], optimizers[1])
        counts.append(int(torch._dynamo.utils.counters["stats"].get("unique_graphs", 0)))
    assert counts[-1] == counts[2]  # nothing is compiled again as the rate changes
    pairs = zip(nets[0].parameters(), nets[1].parameters(), strict=True)
    assert all(torch.allclose(p, q, atol=1e-6) for p, q in pairs)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_parameters_on_two_devices() -> None:
    here, there = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3, device="cuda"))
    for cls in (optim.SGD, optim.Adam, optim.RMSProp, optim.AdaGrad, optim.LAMB):
        optimizer = cls([here, there], lr=0.01, clip_norm=1.0)
        for k in range(5):
            here.grad = torch.sin(here.detach() + k)
            there.grad = here.grad.to("cuda")
            optimizer.step()
        assert torch.allclose(here, there.cpu(), atol=1e-6)


def test_tied_and_frozen_parameters_and_unused_ones() -> None:
    tied = nn.Linear(3, 3, bias=False)
    other = nn.Linear(3, 3, bias=False)
    other.weight = tied.weight
    frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    with pytest.warns(UserWarning, match="duplicate"):
        optimizer = optim.Adam([*tied.parameters(), *other.parameters(), frozen], lr=0.1)
    tied(other(torch.ones(1, 3))).sum().backward()
    optimizer.step()
    assert torch.equal(frozen, torch.ones(2))


def test_gradients_through_an_old_graph_are_still_guarded() -> None:
    """In-place updates count as changes: autograd refuses a backward pass through weights that moved."""
    w = nn.Parameter(torch.ones(3))
    out = (w**2).sum()
    w.grad = torch.ones(3)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


# ---- the range test


def _regression(noise: float = 0.0, n: int = 256) -> tuple[nn.Module, torch.utils.data.DataLoader, Any]:
    torch.manual_seed(0)
    x = torch.randn(n, 10)
    y = x @ torch.randn(10, 1) + noise * torch.randn(n, 1)
    model = nn.Sequential(nn.Linear(10, 16), nn.BatchNorm1d(16), nn.Dropout(0.1), nn.Tanh(), nn.Linear(16, 1))
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True, generator=torch.Generator().manual_seed(5)
    )
    return model, loader, nn.MSELoss()


@pytest.mark.parametrize(
    "make",
    [
        lambda m: optim.SGD(m.parameters(), lr=0.1, momentum=0.9, schedule=warmup(50)),
        lambda m: torch.optim.Adam([{"params": m[0].parameters()}, {"params": m[4].parameters(), "lr": 1e-4}], lr=1e-3),
        lambda m: optim.SAM(m.parameters(), optim.SGD, lr=0.1),
        lambda m: optim.Nesterov(m.parameters(), form="ahead"),
    ],
    ids=["ours", "torch, two groups", "SAM", "look-ahead"],
)
@pytest.mark.parametrize("failing", [False, True])
def test_the_range_test_leaves_nothing_behind(make: Any, failing: bool) -> None:
    model, loader, loss_fn = _regression()
    optimizer = make(model)
    for x, y in loader:  # a state to be kept: some training first

        def closure(x: torch.Tensor = x, y: torch.Tensor = y) -> torch.Tensor:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            return loss

        optimizer.step(closure)
    model[1].eval()
    model.requires_grad_(True)
    in_flight = iter(loader)
    next(in_flight)

    def everything() -> Any:
        return repr(
            (
                [t.tolist() for t in (*model.parameters(), *model.buffers())],
                [None if p.grad is None else p.grad.tolist() for p in model.parameters()],
                [m.training for m in model.modules()],
                {k: {n: str(v) for n, v in s.items()} for k, s in optimizer.state_dict()["state"].items()},
                str(optimizer.state_dict()["param_groups"]),
                loader.generator.get_state().tolist(),
                torch.get_rng_state().tolist(),
                random.getstate(),
                np.random.get_state()[1].tolist(),  # type: ignore[index,union-attr]
            )
        )

    kept = [p.grad for p in model.parameters()]
    before = everything()
    count = [0]

    def watched(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        count[0] += 1
        if failing and count[0] == 15:
            raise RuntimeError("the user's own error")
        return loss_fn(out, y)  # type: ignore[no-any-return]

    if failing:
        with pytest.raises(RuntimeError, match="own error"):
            optim.find_rate(model, watched, loader, optimizer, updates=30, replicates=2)
    else:
        found = optim.find_rate(model, watched, loader, optimizer, updates=30, replicates=2)
        assert len(found.trials) == 2
    assert everything() == before
    assert all(a is b for a, b in zip(kept, (p.grad for p in model.parameters()), strict=True))
    assert getattr(optimizer, "schedules", {"lr": 1}) != {} or not isinstance(optimizer, optim.SGD)
    assert len(list(in_flight)) == 7


def test_the_range_is_right_on_a_problem_whose_limit_is_known() -> None:
    """Full-batch descent on a quadratic of curvatures up to 4: stable below 0.5, and useful not far below."""
    model = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -1.0, 2.0]]))
    scales = torch.tensor([1.0, 2.0, 4.0])

    def forward(model: nn.Module, loss_fn: Any, batch: Any) -> torch.Tensor:
        return 0.5 * (scales * model.weight**2).sum()  # type: ignore[operator]

    found = optim.find_rate(
        model, lambda a, b: a, [0], optim.SGD(model.parameters()), low=1e-5, high=100, forward=forward, replicates=1
    )
    assert found.diverges is not None
    assert found.rate is not None
    assert found.low is not None
    assert found.high is not None
    assert 0.5 < found.diverges < 6  # some updates after the limit: the sweep must climb back first
    assert found.low <= found.rate <= found.high <= 0.5
    assert found.rate > 0.005
    assert "blows up" in found.reason


def test_noise_is_not_taken_for_progress() -> None:
    """Labels of pure noise and a model that cannot fit them: no range, and the reason says so."""
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.zero_()
    batches = [(torch.zeros(4, 2), torch.randn(4, 1)) for _ in range(50)]
    found = optim.find_rate(
        model, nn.MSELoss(), batches, optim.SGD(model.parameters()), low=1e-8, high=1e-3, replicates=3
    )
    assert found.rate is None
    assert found.reason.startswith("no range")


def test_accumulation_autocast_and_the_picture(tmp_path: Any) -> None:
    model, loader, loss_fn = _regression(noise=0.5)
    optimizer = optim.Adam(model.parameters())
    found = optim.find_rate(
        model, loss_fn, loader, optimizer, updates=60, replicates=3, accumulate=2, autocast=torch.bfloat16, low=1e-5
    )
    assert found.rate is not None
    assert found.interval is not None
    assert found.interval[0] <= found.rate <= found.interval[1]
    again = optim.find_rate(
        model, loss_fn, loader, optimizer, updates=60, replicates=3, accumulate=2, autocast=torch.bfloat16, low=1e-5
    )
    assert again.trials[0].losses == found.trials[0].losses  # the same question has the same answer
    svg = found.draw(tmp_path / "rate.svg").read_text(encoding="utf-8")
    import xml.etree.ElementTree as ET

    root = ET.fromstring(svg)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 6
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    half = optim.find_rate(model, loss_fn, loader, optimizer, updates=20, replicates=1, autocast=torch.float16)
    assert len(half.trials) == 1


def test_a_loader_that_cannot_be_put_back_is_refused() -> None:
    model, loader, loss_fn = _regression()
    with pytest.raises(BadInput, match="iterated again"):
        optim.find_rate(model, loss_fn, iter(loader), optim.SGD(model.parameters()))
    with pytest.raises(BadInput, match="high"):
        optim.find_rate(model, loss_fn, loader, optim.SGD(model.parameters()), low=1.0, high=0.1)
    with pytest.raises(BadInput, match="at least one batch"):
        optim.find_rate(model, loss_fn, [], optim.SGD(model.parameters()))
    assert rate_finder._generators(loader) != []
