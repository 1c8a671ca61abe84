"""One ReLU unit, five points: a bad minimum that can be proved, and a sharpness that can be had at will."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import dense_spectrum, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.words import Both, alike
from unstuck.landscape import classify, line_between
from unstuck.objective import FormulaObjective
from unstuck.optim import Adam
from unstuck.problems import KnownPoint, five_points
from unstuck.problems.five_points import five_points_data

ORDER = 17
COVERS = ("R1", "R8")
COST = Cost(quick_seconds=2, full_seconds=20)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: When gradient is zero; deep non-linear networks",
    "Swirszcz, Czarnecki and Pascanu 2016: Local minima in training of deep networks",
    "Dinh, Pascanu, Bengio and Bengio 2017: Sharp minima can generalize for deep nets",
)
SUBJECT = "unstuck.problems.five_points"


@dataclass(frozen=True)
class Config:
    """``samples`` around the bad minimum; ``starts`` and ``steps`` of training; ``kinks`` at which a fit is tried."""

    samples: int
    starts: int
    steps: int
    kinks: int


QUICK = Config(samples=50_000, starts=300, steps=1500, kinks=1201)
FULL = Config(samples=800_000, starts=3000, steps=6000, kinks=12_001)

RADIUS = math.sqrt(2)  # within it the two points on the left keep the unit off, whatever the change
SCALES = (1.0, 3.0, 10.0, 30.0, 100.0)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Judge both points, prove the bad one, look for anything better, rescale."""
    source = torch.Generator().manual_seed(seed)
    bad, good = five_points()
    losses = [point.objective.value(point.objective.start()) for point in (bad, good)]
    nearby = _lowest_near(bad, config.samples, source)
    verdicts = tuple(classify(point.objective, seed=seed).state for point in (bad, good))
    sides = _one_sided(bad)
    with bad.objective.at() as here:
        automatic = float(hessian(here)(torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64))[1])
    progress(0.4, "the bad minimum is judged")

    best = _best_fit(config.kinks)
    ends = _train(config.starts, config.steps, source)
    shares = {level: float(((ends - level).abs() < 0.02).double().mean()) for level in (14.0, 18.0, 21.2)}
    progress(0.8, "trained")

    barrier = line_between(bad.objective, bad.objective.start(), good.objective.start(), points=201)
    sharpness = [_rescaled(good, scale) for scale in SCALES]
    slope = math.log(sharpness[-1].sharpest / sharpness[-3].sharpest) / math.log(SCALES[-1] / SCALES[-3])
    drift = max(abs(one.loss - losses[1]) for one in sharpness)

    return Result(
        numbers={
            "bad": Number(losses[0], Both("loss at (1, −3, 1, 0)", "(1, −3, 1, 0) 处的损失")),
            "good": Number(losses[1], Both("loss at (−7, −4, 1, 0)", "(−7, −4, 1, 0) 处的损失")),
            "nearby": Number(
                nearby, Both("lowest loss among the samples around the bad minimum", "坏极小周围样本中的最低损失")
            ),
            "samples": Number(config.samples, Both("samples", "样本数")),
            "best": Number(best, Both("least loss of any such network", "这种网络所能达到的最小损失")),
            "starts": Number(config.starts, Both("networks trained", "训练的网络数")),
            "at_good": Number(100 * shares[14.0], Both("of them at 14", "其中停在 14 的"), "%"),
            "at_bad": Number(100 * shares[18.0], Both("of them at 18", "其中停在 18 的"), "%"),
            "at_constant": Number(
                100 * shares[21.2], Both("of them at 21.2, a constant", "其中停在 21.2（常数）的"), "%"
            ),
            "left_curvature": Number(sides[0], Both("second derivative in b from below", "b 方向的左侧二阶导数")),
            "right_curvature": Number(sides[1], Both("second derivative in b from above", "b 方向的右侧二阶导数")),
            "barrier": Number(
                max(barrier.losses),
                Both("highest loss on the straight way to the better one", "直走到较好极小途中的最高损失"),
            ),
            "sharp_from": Number(sharpness[0].sharpest, Both("largest eigenvalue at scale 1", "尺度 1 时的最大特征值")),
            "sharp_to": Number(
                sharpness[-1].sharpest, Both("largest eigenvalue at scale 100", "尺度 100 时的最大特征值")
            ),
            "drift": Number(drift, Both("largest change of the loss by rescaling", "重新缩放引起的损失变化")),
        },
        criteria=(
            near("loss, bad", losses[0], 18, 1e-12, "the loss at (1, −3, 1, 0) is 18", "(1, −3, 1, 0) 处损失为 18"),
            near("loss, good", losses[1], 14, 1e-12, "the loss at (−7, −4, 1, 0) is 14", "(−7, −4, 1, 0) 处损失为 14"),
            above(
                "certificate",
                nearby,
                18 - 1e-9,
                "nothing within the proved radius √2 lies below 18",
                "在证明的半径 √2 之内没有低于 18 的点",
            ),
            same("verdicts", verdicts, ("minimum", "minimum"), "probing calls both minima", "探测判定两者都是极小"),
            near(
                "kink, from below",
                sides[0],
                4,
                1e-3,
                "moving b down, two points bend the loss: second derivative 4",
                "b 减小时有两点起作用：二阶导数为 4",
            ),
            near("kink, from above", sides[1], 6, 1e-3, "moving b up, three do: 6", "b 增大时有三点起作用：6"),
            near(
                "automatic derivative",
                automatic,
                4,
                1e-9,
                "automatic differentiation knows one side only: it says 4",
                "自动微分只知其一：给出 4",
                ruling=11,
            ),
            near(
                "least of all",
                best,
                14,
                1e-6,
                "no network of this form is below 14: a search over every place of the kink",
                "对折点的每个位置求最优：这种网络没有低于 14 的",
            ),
            above("lowest trained", float(ends.min()), 14 - 1e-6, "training never got below 14", "训练从未低于 14"),
            above("reached", shares[14.0], 0.02, "some starts reach 14", "有些起点到达 14"),
            above(
                "missed",
                shares[18.0] + shares[21.2],
                0.2,
                "many end at 18 or at the constant, 21.2",
                "许多停在 18 或常数 21.2",
            ),
            above(
                "barrier",
                max(barrier.losses),
                18.5,
                "on the straight way between them the loss rises",
                "两者之间的直路上损失升高",
            ),
            below(
                "same function",
                drift,
                1e-9,
                "(aw, ab, v/a) has the same loss for every a",
                "对任意 a，(aw, ab, v/a) 的损失相同",
            ),
            near("sharpness", slope, 2, 0.01, "its largest eigenvalue grows as a²", "它的最大特征值按 a² 增长"),
        ),
        figures=(_fits(), _sharpness_chart(sharpness)),
        tables=(
            Table(
                Both("One function, many sharpnesses", "同一个函数，不同的尖锐度"),
                (alike("a"), Both("loss", "损失"), Both("largest eigenvalue", "最大特征值")),
                tuple((scale, one.loss, one.sharpest) for scale, one in zip(SCALES, sharpness, strict=True)),
            ),
        ),
    )


def _network(weights: Tensor, x: Tensor) -> Tensor:
    """v·relu(w x + b) + c, (k, n), for rows (w, b, v, c)."""
    w, b, v, c = weights.T[:, :, None]
    y: Tensor = v * torch.relu(w * x + b) + c
    return y


def _losses(weights: Tensor) -> Tensor:
    x, y = five_points_data()
    return (_network(weights, x) - y).pow(2).sum(1)


def _lowest_near(point: KnownPoint, samples: int, source: torch.Generator) -> float:
    """Least loss over random changes, of all lengths up to the proved radius; the objective itself judges the lowest."""
    start = point.objective.start()
    direction = torch.randn(samples, 4, generator=source, dtype=torch.float64)
    lengths = RADIUS * torch.rand(samples, 1, generator=source, dtype=torch.float64) ** 3
    places = start + lengths * direction / direction.norm(dim=1, keepdim=True)
    lowest = places[_losses(places).topk(20, largest=False).indices]
    return min(point.objective.values(lowest))


def _one_sided(point: KnownPoint, step: float = 1e-3) -> tuple[float, float]:
    """Second derivatives in b from below and from above, from values on one side only (the loss is 18 and flat)."""
    start = point.objective.start()
    across = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    middle = point.objective.value(start)
    below_it, above_it = (2 * (point.objective.value(start + s * step * across) - middle) / step**2 for s in (-1, 1))
    return below_it, above_it


def _best_fit(kinks: int) -> float:
    """The network is c + a·max(0, ±(x − t)): for each t and sign the best (c, a) is a least-squares fit."""
    x, y = five_points_data()
    best = math.inf
    for kink in torch.linspace(float(x.min()) - 1, float(x.max()) + 1, kinks, dtype=torch.float64):
        for sign in (1.0, -1.0):
            hinge = torch.relu(sign * (x - kink))
            off = hinge - hinge.mean()
            gain = float((off @ y) ** 2 / (off @ off)) if float(off @ off) > 1e-24 else 0.0
            best = min(best, float((y - y.mean()).pow(2).sum()) - gain)
    return best


def _train(starts: int, steps: int, source: torch.Generator) -> Tensor:
    weights = torch.randn(starts, 4, generator=source, dtype=torch.float64).mul(2).requires_grad_()
    optimizer = Adam([weights], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.autograd.backward(_losses(weights).sum())
        optimizer.step()
    return _losses(weights.detach())


@dataclass(frozen=True)
class _Scaled:
    loss: float
    sharpest: float


def _rescaled(point: KnownPoint, scale: float) -> _Scaled:
    """The same function with (aw, ab, v/a, c)."""
    factors = torch.tensor([scale, scale, 1 / scale, 1.0], dtype=torch.float64)
    with point.objective.at(point.objective.start() * factors) as here:
        return _Scaled(here.value, float(dense_spectrum(hessian(here)).values[-1]))


def _fits() -> Chart:
    x, y = five_points_data()
    grid = torch.linspace(-1.3, 5.3, 133, dtype=torch.float64)
    curves = [_network(point.objective.start()[None], grid)[0] for point in five_points()]
    return Chart(
        "fits",
        Both("Two minima of one network", "同一网络的两个极小"),
        Axis(alike("x")),
        Axis(alike("y"), limits=(-3.6, 5.5)),
        (
            Line(
                grid.tolist(),
                curves[0].tolist(),
                Both("(1, −3, 1, 0), loss 18: three points exact", "(1, −3, 1, 0)，损失 18：三点精确"),
                color=2,
            ),
            Line(
                grid.tolist(), curves[1].tolist(), Both("(−7, −4, 1, 0), loss 14", "(−7, −4, 1, 0)，损失 14"), color=1
            ),
            Scatter(x.tolist(), y.tolist(), Both("data", "数据"), color=3, size=70),
        ),
        Both(
            "The first fits three points and cannot move toward the other two: there its unit is off.",
            "第一个拟合了三点，却无法向另外两点移动：在那里它的单元是关闭的。",
        ),
    )


def _sharpness_chart(sharpness: Sequence[_Scaled]) -> Chart:
    return Chart(
        "sharpness",
        Both("The same function, as sharp as one likes", "同一个函数，要多尖就多尖"),
        Axis(Both("scale a", "尺度 a"), log=True),
        Axis(Both("largest eigenvalue; loss", "最大特征值；损失"), log=True),
        (
            Line(
                list(SCALES),
                [one.sharpest for one in sharpness],
                Both("largest eigenvalue", "最大特征值"),
                color=2,
                marked=True,
            ),
            Line(list(SCALES), [one.loss for one in sharpness], Both("loss", "损失"), color=1, marked=True),
            Level(y=14.0),
        ),
        Both(
            "The eigenvalue grows ten-thousandfold; the loss does not change at all.", "特征值增大万倍，损失丝毫不变。"
        ),
    )


TEXT = {
    "en": Page(
        title="A bad minimum of a ReLU network",
        question="Can a small ReLU network be stuck in a true local minimum that is not the best?",
        lecture="A network of one ReLU unit, y = v·relu(wx + b) + c, is fitted to five points. At (1, −3, 1, 0) it fits the three "
        "points on the right, and no small change helps the two on the left: a local minimum. At (−7, −4, 1, 0) the loss is lower.",
        formula="y = v·relu(wx + b) + c,   L = Σ (y − ŷ)²\n"
        "data (−1, 3), (1, −3), (3, 0), (4, 1), (5, 2)\n"
        "while the unit is off at −1 and 1:  L ≥ (c − 3)² + (c + 3)² = 18 + 2c²\n"
        "(aw, ab, v/a) is the same function for every a > 0",
        expectation="Losses 18 and 14, nothing below 18 near the first, nothing below 14 anywhere.",
        change_mind="One point within the proved radius that is below 18, or any network below 14.",
        lesson="At the first point the unit is off for both inputs on the left, by 4 and by 2; no change shorter than √2 can switch it on. "
        "While it is off the network answers c to both, and their targets 3 and −3 cost at least 18. That proves the "
        "minimum; of {samples} changes within that radius the lowest loss was {nearby:.6f}.\n\n"
        "The lowest loss of this network can be found outright: it is a bent line, and for each place of the bend the rest is a "
        "least-squares fit. The best is {best:.4f}. Of {starts} networks trained from random weights {at_good:.0f} % ended there, {at_bad:.0f} % "
        "at 18 and {at_constant:.0f} % at a constant, 21.2. On the straight way between the two minima the loss rises to {barrier:.1f}.\n\n"
        "The bad minimum lies on a kink, as the unit switches on exactly at x = 3. Seen from below the curvature in b is {left_curvature:.2f}, "
        "from above {right_curvature:.2f}; automatic differentiation reports one of them and calls it the second derivative.\n\n"
        "Finally, sharpness: multiply w and b by a and divide v by it. The function, and so the loss, stays the same (to "
        "{drift:.0e}), but the largest eigenvalue goes from {sharp_from:.0f} to {sharp_to:.0f} for a = 100. An eigenvalue alone says "
        "nothing about how good a minimum is.",
        holds="(1, −3, 1, 0) is a local minimum with loss 18, and 14 is better; 14 is in fact the best.",
        fails="The minimum is not strict, as rescaling moves along it, and it sits on a kink: a test with the Hessian of automatic "
        "differentiation is no proof here. (A slide prints the first point as (−1.3); it is (−1, 3).)",
    ),
    "zh": Page(
        title="ReLU 网络的坏极小",
        question="小小的 ReLU 网络会停在并非最好的真正局部极小吗？",
        lecture="只有一个 ReLU 单元的网络 y = v·relu(wx + b) + c 拟合五个点。在 (1, −3, 1, 0) 处它拟合了右边三点，"
        "任何微小的改变都帮不了左边两点：这是局部极小。在 (−7, −4, 1, 0) 处损失更低。",
        formula="y = v·relu(wx + b) + c，  L = Σ (y − ŷ)²\n"
        "数据 (−1, 3), (1, −3), (3, 0), (4, 1), (5, 2)\n"
        "当单元在 −1 和 1 处关闭时：  L ≥ (c − 3)² + (c + 3)² = 18 + 2c²\n"
        "对任意 a > 0，(aw, ab, v/a) 是同一个函数",
        expectation="损失为 18 与 14；第一点附近没有低于 18 的，任何地方都没有低于 14 的。",
        change_mind="若在证明的半径内找到低于 18 的一点，或找到低于 14 的网络。",
        lesson="在第一点，左边两个输入使单元关闭，差额为 4 和 2；小于 √2 的改变都无法打开它。"
        "关闭时网络对两者都输出 c，而目标是 3 和 −3，代价至少为 18。这就证明了极小；在此半径内的 {samples} 次改变中，最低损失是 {nearby:.6f}。\n\n"
        "这个网络的最小损失可以直接求出：它是一条折线，对折点的每个位置，其余参数是最小二乘拟合。最好的是 {best:.4f}。"
        "从随机权重训练的 {starts} 个网络中，{at_good:.0f} % 到达那里，{at_bad:.0f} % 停在 18，{at_constant:.0f} % 停在常数解 21.2。"
        "两个极小之间的直路上，损失升到 {barrier:.1f}。\n\n"
        "坏极小位于折点上，因为单元恰在 x = 3 处打开。b 方向的曲率从下看是 {left_curvature:.2f}，从上看是 {right_curvature:.2f}；"
        "自动微分只报告其中之一，并称之为二阶导数。\n\n"
        "最后是尖锐度：把 w 和 b 乘以 a，v 除以 a。函数不变，损失也不变（误差 {drift:.0e}），但 a = 100 时最大特征值从 {sharp_from:.0f} 变为 {sharp_to:.0f}。"
        "单凭特征值，说明不了极小的好坏。",
        holds="(1, −3, 1, 0) 是损失为 18 的局部极小，14 更好；而且 14 就是最好的。",
        fails="这个极小不是严格的，因为重新缩放可沿它移动；它还位于折点上：自动微分的黑塞矩阵在这里不能作为证明。"
        "（幻灯片把第一点印成 (−1.3)，应为 (−1, 3)。）",
    ),
}


def _as_printed() -> list[KnownPoint]:
    """The data with a changed first target: no longer the five points."""
    x, y = five_points_data()
    y = torch.cat([torch.tensor([1.3], dtype=torch.float64), y[1:]])

    def loss(w: Tensor) -> Tensor:
        return (w[2] * torch.relu(w[0] * x + w[1]) + w[3] - y).pow(2).sum()

    made: Callable[[KnownPoint], KnownPoint] = lambda p: KnownPoint(  # noqa: E731
        p.name, FormulaObjective(loss, p.objective.start()), p.truth, p.source
    )
    return [made(point) for point in _right_points()]


_right_points = five_points


def _leaking(weights: Tensor, x: Tensor) -> Tensor:
    w, b, v, c = weights.T[:, :, None]
    y: Tensor = v * torch.nn.functional.leaky_relu(w * x + b, 0.2) + c
    return y


PLANTED = (
    plant("a target is misprinted", __name__, "five_points", _as_printed, "loss, bad", "loss, good"),
    plant("the unit leaks where it should be off", __name__, "_network", _leaking, "missed"),
)
