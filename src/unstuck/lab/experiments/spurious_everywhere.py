"""Bad minima for almost any data: ReLU units that stay a line, sigmoid units that answer the mean."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import dense_spectrum, hessian
from unstuck.lab.charts import Axis, Bars, Chart, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.words import Both, alike
from unstuck.landscape import classify
from unstuck.landscape.deep_linear import best_linear_loss
from unstuck.optim import Adam
from unstuck.problems import KnownPoint
from unstuck.problems.spurious_minima import (
    all_units_on,
    standardized_valley_data,
    three_points,
    three_points_data,
)

ORDER = 19
COVERS = ("R6", "R7")
COST = Cost(quick_seconds=3, full_seconds=25)
SOURCES = (
    "Yun, Sra and Jadbabaie 2019: Small nonlinearities in activation functions create bad local minima, theorems 1 and 2",
    "Hung-yi Lee, MLDS 2018: When gradient is zero (what future theorems may look like)",
)
SUBJECT = "unstuck.problems.spurious_minima"


@dataclass(frozen=True)
class Config:
    """``samples`` around each minimum; ``starts`` and ``steps`` of training."""

    samples: int
    starts: int
    steps: int


QUICK = Config(samples=20_000, starts=150, steps=1200)
FULL = Config(samples=400_000, starts=400, steps=6000)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Prove both minima, look around them, find better ones, train from random weights."""
    source = torch.Generator().manual_seed(seed)
    line, mean = all_units_on(), three_points()
    x, y = standardized_valley_data()
    squares = best_linear_loss(torch.stack([x, torch.ones_like(x)], 1), y[:, None], 1) / 2
    values = [point.objective.value(point.objective.start()) for point in (line, mean)]
    slopes = [float(point.objective.gradient(point.objective.start()).vector.norm()) for point in (line, mean)]
    verdicts = tuple(classify(point.objective, seed=seed).state for point in (line, mean))
    radius = _radius(line)
    lowest = [
        _lowest_near(line, relu_losses, config.samples, radius, source),
        _lowest_near(mean, sigmoid_losses, config.samples, 0.2, source),
    ]
    with mean.objective.at() as here:
        curvatures = dense_spectrum(hessian(here)).values
    bent = _bent_line()
    progress(0.3, "both minima judged")

    relu_ends = _train(relu_losses, 7, config, source)
    progress(0.6, "ReLU networks trained")
    sigmoid_ends = _train(sigmoid_losses, 6, config, source)
    tanh_ends = _train(tanh_losses, 6, config, source)
    progress(1.0, "sigmoid and tanh networks trained")
    third, tanh_third = (float(((ends - 1 / 3).abs() < 1e-3).double().mean()) for ends in (sigmoid_ends, tanh_ends))
    straight = float(((relu_ends - values[0]).abs() < 1e-3).double().mean())

    return Result(
        numbers={
            "line": Number(values[0], Both("loss of the two ReLU units that are always on", "始终开启的两个 ReLU 单元的损失")),
            "squares": Number(squares, Both("least-squares loss of a straight line", "直线的最小二乘损失")),
            "radius": Number(radius, Both("radius within which no unit can switch off", "单元不会关闭的半径")),
            "bent": Number(bent, Both("loss of a line bent once", "弯折一次的折线的损失")),
            "relu_best": Number(float(relu_ends.min()), Both("lowest loss of the trained ReLU networks", "训练所得 ReLU 网络的最低损失")),
            "straight": Number(100 * straight, Both("trained ReLU networks that end at the line", "停在直线上的 ReLU 网络"), "%"),
            "mean": Number(values[1], Both("loss of the sigmoid units that answer 1/3", "恒答 1/3 的 sigmoid 单元的损失")),
            "sigmoid_best": Number(float(sigmoid_ends.min()), Both("lowest loss of the trained sigmoid networks", "训练所得 sigmoid 网络的最低损失")),
            "third": Number(100 * third, Both("trained sigmoid networks that end at 1/3", "停在 1/3 的 sigmoid 网络"), "%"),
            "tanh_third": Number(100 * tanh_third, Both("the same with tanh", "tanh 网络中的同类"), "%"),
            "samples": Number(config.samples, Both("changes tried around each", "每处尝试的改变次数")),
            "flat": Number(int((curvatures.abs() < 1e-9).sum()), Both("flat directions at the sigmoid minimum", "sigmoid 极小处的平坦方向数")),
        },
        criteria=(
            near("risk of a line", values[0], squares, 1e-12, "two ReLU units that are always on have exactly the loss of the best straight line", "始终开启的两个 ReLU 单元，损失恰为最佳直线的损失"),
            near("its value", values[0], 0.277547, 1e-6, "that is 0.277547 for the ten standardized points", "对十个标准化的点为 0.277547"),
            below("standing still", max(slopes), 1e-12, "the gradient is zero at both points", "两处梯度均为零"),
            same("verdicts", verdicts, ("minimum", "minimum"), "probing calls both minima", "探测判定两者都是极小"),
            above("nothing lower, ReLU", lowest[0], values[0] - 1e-12, "within the proved radius nothing is lower", "在证明的半径内没有更低的"),
            below("a bend is better", bent, 0.2133, "one bend, and the loss is far lower", "弯折一次，损失就低得多"),
            below("trained is better", float(relu_ends.min()), 0.0600, "training finds networks that are lower still, below 0.06", "训练能找到更低的网络，低于 0.06"),
            near("sigmoid, loss", values[1], 1 / 3, 1e-12, "the sigmoid units answer 1/3 three times: loss 1/3", "sigmoid 单元三次都答 1/3：损失 1/3"),
            above("curvature, sigmoid", float(curvatures[0]), -1e-12, "no negative curvature there", "那里没有负曲率"),
            above("nothing lower, sigmoid", lowest[1], values[1] - 1e-12, "nothing around it is lower", "周围没有更低的"),
            below("global, sigmoid", float(sigmoid_ends.min()), 1e-6, "the same network can reach zero", "同一网络可以达到零"),
            above("found by training", third, 0.02, "training does end at 1/3 from some random weights", "从某些随机权重训练，确实会停在 1/3"),
            above("tanh too", tanh_third, 0.005, "with tanh as well, more rarely", "tanh 也会，但更少"),
        ),
        figures=(_fits(), _ends_chart(sigmoid_ends, tanh_ends)),
        tables=(
            Table(
                Both("Where training ends", "训练停在哪里"),
                (Both("network", "网络"), Both("lowest loss", "最低损失"), Both("bad minimum", "坏极小"), Both("share that ends there", "停在那里的比例")),
                (
                    (Both("two ReLU units, ten points", "两个 ReLU 单元，十个点"), float(relu_ends.min()), values[0], straight),
                    (Both("two sigmoid units, three points", "两个 sigmoid 单元，三个点"), float(sigmoid_ends.min()), 1 / 3, third),
                    (Both("two tanh units, three points", "两个 tanh 单元，三个点"), float(tanh_ends.min()), 1 / 3, tanh_third),
                ),
            ),
        ),
    )  # fmt: skip


def relu_losses(weights: Tensor) -> Tensor:
    """Losses of many networks of two ReLU units on the ten points, rows (w, b, u, c) of 7."""
    x, y = standardized_valley_data()
    hidden = torch.relu(weights[:, :2, None] * x + weights[:, 2:4, None])
    out = torch.einsum("kh,khn->kn", weights[:, 4:6], hidden) + weights[:, 6:]
    return (out - y).pow(2).sum(1) / 2


def _three_point_losses(weights: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    x, y = three_points_data()
    hidden = activation(torch.einsum("khd,nd->khn", weights[:, :4].reshape(-1, 2, 2), x))
    return (torch.einsum("kh,khn->kn", weights[:, 4:], hidden) - y).pow(2).sum(1) / 2


def sigmoid_losses(weights: Tensor) -> Tensor:
    """Losses of many networks of two sigmoid units on the three points, rows (W, u) of 6."""
    return _three_point_losses(weights, torch.sigmoid)


def tanh_losses(weights: Tensor) -> Tensor:
    """The same with tanh."""
    return _three_point_losses(weights, torch.tanh)


def _radius(point: KnownPoint) -> float:
    """The smallest change of one unit's (w, b) that switches it off for some point."""
    x, _ = standardized_valley_data()
    w = point.objective.start()
    standing = w[:2, None] * x + w[2:4, None]
    return float((standing / (1 + x * x).sqrt()).min())


def _lowest_near(
    point: KnownPoint, losses: Callable[[Tensor], Tensor], samples: int, radius: float, source: torch.Generator
) -> float:
    """Least loss over random changes of all lengths up to the radius; the objective itself judges the lowest."""
    start = point.objective.start()
    direction = torch.randn(samples, len(start), generator=source, dtype=torch.float64)
    lengths = radius * torch.rand(samples, 1, generator=source, dtype=torch.float64) ** 2
    places = start + lengths * direction / direction.norm(dim=1, keepdim=True)
    return min(point.objective.values(places[losses(places).topk(20, largest=False).indices]))


def _bends(kink: float) -> Tensor:
    x, _ = standardized_valley_data()
    return torch.stack([torch.relu(x - kink), torch.relu(kink - x), torch.ones_like(x)], dim=1)


def _best_bend() -> tuple[float, Tensor]:
    """Where to bend and the weights (right, left, middle): the best of 400 places."""
    _, y = standardized_valley_data()
    fits = {}
    for kink in torch.linspace(-1, 2, 401, dtype=torch.float64).tolist():
        weights = torch.linalg.lstsq(_bends(kink), y[:, None], driver="gelsd").solution.flatten()
        fits[kink] = (float((_bends(kink) @ weights - y).pow(2).sum()), weights)
    best = min(fits, key=lambda kink: fits[kink][0])
    return best, fits[best][1]


def _bent_line() -> float:
    """The loss of the bent line, as a network of the same two units."""
    kink, (right, left, middle) = _best_bend()
    weights = torch.tensor([1.0, -1.0, -kink, kink, float(right), float(left), float(middle)], dtype=torch.float64)
    return all_units_on().objective.value(weights)


def _train(losses: Callable[[Tensor], Tensor], size: int, config: Config, source: torch.Generator) -> Tensor:
    weights = torch.randn(config.starts, size, generator=source, dtype=torch.float64).requires_grad_()
    optimizer = Adam([weights], lr=0.05)
    for _ in range(config.steps):
        optimizer.zero_grad()
        torch.autograd.backward(losses(weights).sum())
        optimizer.step()
    return losses(weights.detach())


def _fits() -> Chart:
    x, y = standardized_valley_data()
    kink, (right, left, middle) = _best_bend()
    grid = torch.linspace(float(x.min()) - 0.1, float(x.max()) + 0.1, 200, dtype=torch.float64)
    slope = float((x * y).mean())
    bent = right * torch.relu(grid - kink) + left * torch.relu(kink - grid) + middle
    return Chart(
        "fits",
        Both("Two ReLU units on ten points", "十个点上的两个 ReLU 单元"),
        Axis(Both("x, standardized", "x（标准化）")),
        Axis(Both("y, standardized", "y（标准化）")),
        (
            Line(grid.tolist(), (slope * grid).tolist(), Both("the bad minimum: a straight line", "坏极小：一条直线"), color=2),
            Line(grid.tolist(), bent.tolist(), Both("the same units, one of them off on each side", "同样的单元，两侧各关闭一个"), color=1),
            Scatter(x.tolist(), y.tolist(), Both("data", "数据"), color=3, size=60),
        ),
        Both("While both units are on, the network is a line, and no small change makes it anything else.", "两个单元都开着时，网络就是一条直线，微小的改变不会让它变成别的。"),
    )  # fmt: skip


def _ends_chart(sigmoid_ends: Tensor, tanh_ends: Tensor) -> Chart:
    places = ((0.0, "< 0.001"), (1.0, "< 0.3"), (2.0, "1/3"), (3.0, "> 0.34"))
    edges = (-1.0, 1e-3, 1 / 3 - 1e-3, 1 / 3 + 1e-3, 1e9)

    def shares(ends: Tensor) -> list[float]:
        return [100 * float(((ends >= a) & (ends < b)).double().mean()) for a, b in zip(edges, edges[1:], strict=False)]  # noqa: RUF007

    return Chart(
        "ends",
        Both("Where training from random weights ends", "从随机权重训练，停在哪里"),
        Axis(Both("loss at the end", "终点的损失"), ticks=tuple((x, alike(name)) for x, name in places)),
        Axis(Both("share of the networks", "网络的比例"), unit="%"),
        (
            Bars([0, 1, 2, 3], shares(sigmoid_ends), Both("sigmoid", "sigmoid"), color=2),
            Bars([0, 1, 2, 3], shares(tanh_ends), alike("tanh"), color=1),
        ),
        Both("A share of the networks ends exactly at the bad minimum 1/3.", "有一部分网络恰好停在坏极小 1/3。"),
    )


TEXT = {
    "en": Page(
        title="Bad minima for almost any data",
        question="Do bad local minima need special data, or are they everywhere?",
        lecture="Whether a deep network has bad minima depends on initialization and data; one may hope for theorems that say for "
        "which data every minimum is global. For one-hidden-layer networks the answer is known by now, and it is not the hoped-for one.",
        formula="L = ½ Σ (u·h(Wx + b) + c − y)²\n"
        "ReLU: if every unit is on for every datum, the network is a line; the best line is a minimum (theorem 1)\n"
        "sigmoid: x = (1, 0), (0, 1), (½, ½), y = 0, 0, 1; all outputs 1/3: L = 1/3, a minimum although 0 is possible (theorem 2)",
        expectation="The first has exactly the least-squares loss, the second exactly 1/3; nothing near them is lower; better points exist.",
        change_mind="A lower loss within the proved radius, or no better point at all.",
        lesson="Lift the biases until both units are on for every datum. Then the network is a straight line, and the best line costs {line:.6f}, the "
        "least-squares loss ({squares:.6f}). Nothing shorter than {radius:.2f} switches a unit off, so within that radius the network stays a line and cannot "
        "do better: a proved minimum, for any data whatever that no line fits. The same units with one bend reach {bent:.4f}; training "
        "found {relu_best:.4f}.\n\n"
        "It is not the kink's fault. Two sigmoid units on three points have a minimum where all outputs are 1/3, loss {mean:.4f}; "
        "{samples} changes around it found nothing lower, and {flat} directions are flat. The "
        "same network can reach {sigmoid_best:.0e}.\n\n"
        "Such minima are met in practice: {third:.0f} % of the sigmoid networks trained from random weights ended at 1/3, "
        "{tanh_third:.1f} % of those with tanh. At the straight line of the ReLU units ended {straight:.0f} %.",
        holds="Data and initialization do decide; theorems of the hoped-for kind exist for linear networks.",
        fails="For ReLU networks no condition on the data alone can help, short of a linear fit: the bad minimum is there for every "
        "other data set. How often it is met is another question, and that depends on the start.",
    ),
    "zh": Page(
        title="几乎任何数据都有坏极小",
        question="坏的局部极小需要特殊的数据，还是到处都有？",
        lecture="深层网络有没有坏极小，取决于初始化与数据；人们期待某种定理，说明对哪些数据每个极小都是全局的。"
        "对单隐藏层网络，答案如今已知，却不是所期待的那个。",
        formula="L = ½ Σ (u·h(Wx + b) + c − y)²\n"
        "ReLU：若每个单元对每个数据都开启，网络就是直线；最佳直线是极小（定理 1）\n"
        "sigmoid：x = (1, 0), (0, 1), (½, ½)，y = 0, 0, 1；输出全为 1/3：L = 1/3，是极小，尽管可以达到 0（定理 2）",
        expectation="前者恰有最小二乘的损失，后者恰为 1/3；附近没有更低的；存在更好的点。",
        change_mind="若在证明的半径内找到更低的损失，或根本没有更好的点。",
        lesson="把偏置抬高，直到两个单元对每个数据都开启。此时网络是一条直线，最佳直线的代价是 {line:.6f}，正是最小二乘损失（{squares:.6f}）。"
        "小于 {radius:.2f} 的改变关不掉任何单元，所以在此半径内网络始终是直线，不可能更好：这是经过证明的极小，对任何不能用直线拟合的数据都成立。"
        "同样的单元弯折一次就到 {bent:.4f}；训练找到 {relu_best:.4f}。\n\n"
        "这不怪折点。三个点上的两个 sigmoid 单元，在输出全为 1/3 处有极小，损失 {mean:.4f}；周围 {samples} 次改变没有找到更低的，其中 {flat} 个方向是平的。"
        "同一网络却可以达到 {sigmoid_best:.0e}。\n\n"
        "实践中确会遇到：从随机权重训练的 sigmoid 网络有 {third:.0f} % 停在 1/3，tanh 网络有 {tanh_third:.1f} %。停在直线上的 ReLU 网络有 {straight:.0f} %。",
        holds="数据与初始化确实起决定作用；所期待的那类定理对线性网络是存在的。",
        fails="对 ReLU 网络，除非数据能用直线拟合，否则仅对数据提条件无济于事：其他任何数据集都有这个坏极小。"
        "多久会遇到它是另一个问题，取决于起点。",
    ),
}


def _sunk() -> KnownPoint:
    """The units stand too low: one of them is off for the largest input."""
    return _right_point(lift=0.5)


_right_point = all_units_on


def _straight(weights: Tensor) -> Tensor:
    return _three_point_losses(weights, lambda z: z)


PLANTED = (
    plant("a unit is off for some points", __name__, "all_units_on", _sunk, "risk of a line"),
    plant("the units are linear", __name__, "sigmoid_losses", _straight, "global, sigmoid"),
)
