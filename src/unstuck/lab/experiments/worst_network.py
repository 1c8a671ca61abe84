"""Two weights and one datum: the smallest network that has a saddle, and minima that second derivatives cannot prove."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from unstuck.curvature import Operator, dense_spectrum, hessian
from unstuck.lab.charts import Axis, Chart, Field, Line, Playground, Scatter, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.words import Both, alike
from unstuck.landscape import Escape, classify, leave
from unstuck.objective.contract import Objective, Point
from unstuck.optim import SGD
from unstuck.problems import WORST_NETWORK, linear_chain

ORDER = 1
COVERS = ("A4", "A5", "A6", "A7", "A9")
COST = Cost(quick_seconds=1, full_seconds=2)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: When gradient is small",
    "the Hessian of (1 − w₁w₂)² by hand; eigenvalues by unstuck.curvature",
)
SUBJECT = "unstuck.landscape.classify, unstuck.landscape.leave"


@dataclass(frozen=True)
class Config:
    """``grid``: points a side of the search and the picture; ``ridge``: how many points of w₁w₂ = 1 are judged."""

    grid: int
    ridge: int


QUICK = Config(grid=41, ridge=4)
FULL = Config(grid=201, ridge=12)


def _signed(*weights: float) -> str:
    return "(" + ", ".join(f"{w:.3g}" for w in weights) + ")"


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Search the plane, judge the origin and the ridge, leave the origin."""
    origin = linear_chain([0.0, 0.0])
    axis = torch.linspace(-2, 2, config.grid, dtype=torch.float64)
    losses = torch.tensor(origin.values(torch.cartesian_prod(axis, axis))).reshape(config.grid, config.grid)
    # In every column that w₁w₂ = 1 crosses, the lowest point, and how far it is from the curve in steps of the grid.
    crossed = axis.abs() >= 0.5
    lowest = axis[losses[crossed].argmin(dim=1)]
    ridge_gap = float((lowest - 1 / axis[crossed]).abs().max() / (axis[1] - axis[0]))
    progress(0.3, "the plane is searched")

    with origin.at() as point:
        spectrum = dense_spectrum(hessian(point))
    down, up = spectrum.vectors
    standing = classify(origin, seed=seed)
    way = leave(origin, seed=seed)
    path = _descent(way.parameters)
    end = origin.value(path[-1])
    progress(0.6, "the saddle is left")

    diagonal = down * torch.sign(down[0])
    half, unit, twice = (origin.value(length * diagonal) for length in (2**0.5, 1.0, 2 * 2**0.5))
    rows, degenerate = _ridge(config.ridge, seed)
    progress(1.0, "the ridge is judged")

    return Result(
        numbers={
            "smallest": Number(float(spectrum.values[0]), Both("smaller eigenvalue at (0, 0)", "原点处较小的特征值")),
            "largest": Number(float(spectrum.values[1]), Both("larger eigenvalue at (0, 0)", "原点处较大的特征值")),
            "before": Number(way.loss_before, Both("loss at (0, 0)", "原点处的损失")),
            "after": Number(way.loss_after, Both("loss after one step with a line search", "线搜索一步之后的损失")),
            "end": Number(end, Both("loss after 100 gradient steps from there", "再走 100 步梯度下降之后的损失")),
            "unit": Number(unit, Both("loss one unit along the eigenvector", "沿特征向量走一个单位后的损失")),
            "twice": Number(twice, Both("loss at (2, 2)", "(2, 2) 处的损失")),
            "ridge_gap": Number(
                ridge_gap,
                Both(
                    "from 1/w₁ to the lowest w₂ of the grid, in its steps, at most",
                    "网格上最低的 w₂ 与 1/w₁ 的最大距离（以网格间距计）",
                ),
            ),
        },
        criteria=(
            near(
                "smaller eigenvalue",
                float(spectrum.values[0]),
                -2,
                1e-12,
                "H(0, 0) has eigenvalue −2",
                "H(0, 0) 有特征值 −2",
            ),
            near(
                "larger eigenvalue",
                float(spectrum.values[1]),
                2,
                1e-12,
                "H(0, 0) has eigenvalue +2",
                "H(0, 0) 有特征值 +2",
            ),
            near(
                "way down",
                float(down.abs().sub(0.5**0.5).abs().max() + (down[0] - down[1]).abs()),
                0,
                1e-9,
                "the eigenvector of −2 points along (1, 1)",
                "−2 的特征向量沿 (1, 1)",
            ),
            near(
                "way up",
                float(up.abs().sub(0.5**0.5).abs().max() + (up[0] + up[1]).abs()),
                0,
                1e-9,
                "the eigenvector of +2 points along (1, −1)",
                "+2 的特征向量沿 (1, −1)",
            ),
            same(
                "verdict at the origin",
                standing.state,
                "saddle",
                "the origin is called a saddle, after a measured descent",
                "实测到下降之后，原点被判为鞍点",
            ),
            below(
                "left by line search",
                way.loss_after,
                0.5,
                "one step along negative curvature, its length by a line search, takes more than half of the loss",
                "沿负曲率走一步、步长由线搜索决定，损失就降去一半以上",
            ),
            below(
                "then downhill",
                end,
                1e-12,
                "from there plain gradient descent reaches loss 0",
                "从那里起，普通梯度下降就能走到损失 0",
            ),
            near(
                "one unit",
                unit,
                0.25,
                1e-12,
                "a step of length 1 along the eigenvector gives 0.25",
                "沿特征向量走长度 1，损失为 0.25",
            ),
            near(
                "(1, 1)", half, 0.0, 1e-12, "the lecture's step to (1, 1) gives 0", "讲义中走到 (1, 1) 的一步使损失为 0"
            ),
            above(
                "too long a step",
                twice,
                1.0,
                "the eigenvector (2, 2), just as good, ends above where it began: its length must be searched for",
                "同样是特征向量的 (2, 2) 反而使损失高于起点：步长必须搜索",
                ruling=5,
            ),
            near("at the origin", way.loss_before, 1.0, 1e-12, "the loss at (0, 0) is 1", "(0, 0) 处损失为 1"),
            below(
                "lowest points",
                ridge_gap,
                0.501,  # a place halfway between two points of the grid may fall to either, by rounding
                "for every w₁ beyond ½ brute force finds its lowest w₂ at 1/w₁, to half a step of the grid",
                "对每个 |w₁| ≥ ½，暴力搜索得到的最低 w₂ 就在 1/w₁，相差不超过半个网格间距",
            ),
            same(
                "degenerate minima",
                degenerate,
                config.ridge,
                "on the curve one eigenvalue is zero: the lecture's own test cannot decide; probing says minimum",
                "曲线上有一个特征值为零：讲义的判据无法判定，探测平坦方向后判为极小",
                ruling=2,
            ),
        ),
        figures=(_picture(axis, losses, path), _playground()),
        tables=(
            Table(
                Both("The curve w₁w₂ = 1: curvature and verdict", "曲线 w₁w₂ = 1：曲率与判定"),
                (
                    alike("w₁"),
                    alike("w₂"),
                    Both("smaller eigenvalue", "较小特征值"),
                    Both("larger eigenvalue", "较大特征值"),
                    Both("verdict", "判定"),
                ),
                rows,
            ),
        ),
    )


Row = tuple[float | int | str | Both | None, ...]


def _ridge(count: int, seed: int) -> tuple[tuple[Row, ...], int]:
    """Points of w₁w₂ = 1 on both branches, and how many are shown to be degenerate minima."""
    rows, degenerate = [], 0
    for index in range(count):
        first = (0.5 + 1.5 * (index // 2) / max(1, (count - 1) // 2)) * (-1) ** index
        objective = linear_chain([first, 1 / first])
        standing = classify(objective, seed=seed)
        with objective.at() as point:
            values = dense_spectrum(hessian(point)).values
        right = abs(float(values[0])) < 1e-12 and abs(float(values[1]) - 2 * (first**2 + first**-2)) < 1e-9
        degenerate += standing.state == "minimum" and standing.evidence.get("strict") is False and right
        rows.append((first, 1 / first, float(values[0]), float(values[1]), standing.state))
    return tuple(rows), degenerate


def _descent(start: Tensor, steps: int = 100, lr: float = 0.1) -> list[Tensor]:
    """Plain gradient descent from here, every place on the way."""
    weights = start.clone().requires_grad_()
    optimizer = SGD([weights], lr=lr)
    path = [start]
    for _ in range(steps):
        weights.grad = linear_chain(path[-1].tolist()).at().gradient
        optimizer.step()
        path.append(weights.detach().clone())
    return path


def _picture(axis: Tensor, losses: Tensor, path: list[Tensor]) -> Chart:
    branch = [0.5 + 1.5 * i / 60 for i in range(61)]
    return Chart(
        "surface",
        Both("The loss of the worst network", "最差网络的损失"),
        Axis(alike("w₁"), limits=(-2, 2)),
        Axis(alike("w₂"), limits=(-2, 2)),
        (
            Field(
                axis.tolist(),
                axis.tolist(),
                losses.T.tolist(),
                Both("loss", "损失"),
                log=True,
                levels=(0.1, 0.5, 1, 2, 5, 10, 20),
            ),
            Line(branch, [1 / w for w in branch], Both("minima: w₁w₂ = 1", "极小：w₁w₂ = 1"), color=3),
            Line([-w for w in branch], [-1 / w for w in branch], color=3),
            Line(
                [0, *(float(w[0]) for w in path)],
                [0, *(float(w[1]) for w in path)],
                Both("along curvature −2, then downhill", "先沿曲率 −2，再顺坡而下"),
                color=2,
                marked=True,
            ),
            Scatter([0], [0], Both("saddle, loss 1", "鞍点，损失 1"), color=2, shape="s"),
        ),
        Both(
            "Two valleys of minima, the saddle between them, and the way from the saddle into one of them.",
            "两条极小的谷、其间的鞍点，以及从鞍点走入谷底的路。",
        ),
        square=True,
    )


def _playground() -> Playground:
    return Playground(
        "walk",
        Both("Start where you like", "任选起点"),
        WORST_NETWORK,
        ((-2, 2), (-2, 2)),
        start=(0.5, -0.5),
        step_size=Slider(0.001, 0.5, 0.05, log=True),
        momentum=Slider(0, 0.99, 0.9),
        caption=Both(
            "Exactly on the line w₂ = −w₁ the gradient leads into the saddle; a hair beside it, it leads past.",
            "恰在直线 w₂ = −w₁ 上，梯度通向鞍点；偏离分毫，就会绕过它。",
        ),
        log=True,
        marked=(((0, 0), Both("saddle", "鞍点")),),
        labels=(alike("w₁"), alike("w₂")),
    )


TEXT = {
    "en": Page(
        title="The worst network in the world",
        question="When the gradient is zero, how does one tell a saddle from a minimum, and leave it?",
        lecture="A network of two weights, y = w₁w₂x, has one datum, x = 1 with target 1. At the origin the gradient is "
        "zero. The eigenvalues of the Hessian there are 2 and −2, so it is a saddle, and stepping along the eigenvector "
        "of the negative one lowers the loss.",
        formula="L(w₁, w₂) = (1 − w₁w₂)²\n"
        "∂L/∂w₁ = −2w₂(1 − w₁w₂)      ∂L/∂w₂ = −2w₁(1 − w₁w₂)\n"
        "H = [[2w₂², −2 + 4w₁w₂], [−2 + 4w₁w₂, 2w₁²]]\n"
        "H(0, 0) = [[0, −2], [−2, 0]],  λ = ±2",
        expectation="Eigenvalues ±2 to rounding, the verdict “saddle”, and a way from loss 1 to 0.",
        change_mind="Any other eigenvalue, another verdict, or no lower loss along the eigenvector.",
        lesson="At the origin the eigenvalues are {smallest:.6f} and {largest:.6f}. Along (1, 1) the loss curves down, "
        "along (1, −1) it curves up. Leaving along (1, 1) with a line search brings the loss from {before:g} to "
        "{after:.2f} in one step, and gradient descent from there to {end:.0e}.\n\n"
        "An eigenvector has no length of its own. One unit along it gives {unit:.2f}; the step to (2, 2), along the very "
        "same eigenvector, gives {twice:g}, nine times the loss at the saddle. So the direction comes from the Hessian, "
        "the length from a line search.\n\n"
        "The minima form a curve, w₁w₂ = 1. Along that curve nothing changes, so one eigenvalue is exactly zero, and the "
        "test by signs of eigenvalues has no answer for the very minima of its own example. The flat direction has to be "
        "probed.",
        holds="The origin is a saddle with eigenvalues ±2, and its negative eigenvector leads out of it.",
        fails="“Add the eigenvector” needs a length: (2, 2) raises the loss to {twice:g}. And the minima of this example "
        "are not proved by positive eigenvalues, because one of them is zero.",
    ),
    "zh": Page(
        title="世界上最差的网络",
        question="梯度为零时，怎样分辨鞍点与极小点，又怎样离开鞍点？",
        lecture="只有两个权重的网络 y = w₁w₂x，数据只有一笔：x = 1，目标为 1。原点处梯度为零，"
        "黑塞矩阵的特征值为 2 和 −2，所以是鞍点；沿负特征值的特征向量走一步，损失就会下降。",
        formula="L(w₁, w₂) = (1 − w₁w₂)²\n"
        "∂L/∂w₁ = −2w₂(1 − w₁w₂)      ∂L/∂w₂ = −2w₁(1 − w₁w₂)\n"
        "H = [[2w₂², −2 + 4w₁w₂], [−2 + 4w₁w₂, 2w₁²]]\n"
        "H(0, 0) = [[0, −2], [−2, 0]]，λ = ±2",
        expectation="特征值在舍入误差内为 ±2，判定为“鞍点”，并能把损失从 1 降到 0。",
        change_mind="若特征值不同、判定不同，或沿特征向量找不到更低的损失，我们就会改变看法。",
        lesson="原点处的特征值是 {smallest:.6f} 与 {largest:.6f}。沿 (1, 1) 损失向下弯，沿 (1, −1) 向上弯。"
        "沿 (1, 1) 做线搜索，一步就使损失从 {before:g} 降到 {after:.2f}，再由梯度下降降到 {end:.0e}。\n\n"
        "特征向量本身没有长度。沿它走一个单位，损失是 {unit:.2f}；同一方向走到 (2, 2)，损失却是 {twice:g}，"
        "为鞍点处的九倍。所以方向由黑塞矩阵给出，长度要靠线搜索。\n\n"
        "极小点连成曲线 w₁w₂ = 1。沿曲线损失不变，因此恰有一个特征值为零：只看特征值的符号，"
        "连这个例子自己的极小点也判定不了，必须沿平坦方向探测。",
        holds="原点确是特征值为 ±2 的鞍点，负特征值的特征向量确能带我们离开。",
        fails="“加上特征向量”还差一个长度：走到 (2, 2) 损失反而升到 {twice:g}。"
        "而本例的极小点也不能由“特征值全为正”证明，因为其中一个是零。",
    ),
}


_right_leave, _right_hessian = leave, hessian


def _without_line_search(objective: Objective, *, seed: int) -> Escape:
    way = _right_leave(objective, seed=seed)
    end = 4 * way.parameters
    return replace(way, parameters=end, loss_after=objective.value(end))


def _negated(point: Point) -> Operator:
    operator = _right_hessian(point)
    return Operator(lambda v: -operator(v), operator.size, operator.like)


PLANTED = (
    plant(
        "the step out is taken without a line search", __name__, "leave", _without_line_search, "left by line search"
    ),
    plant("the products lose their sign", __name__, "hessian", _negated, "way down"),
)
