"""Straight walks over the loss: from the start to the solution, and from one solution to another."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Chart, Field, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.training import multilayer, train
from unstuck.lab.words import Both, alike
from unstuck.landscape import LineSlice, line_between
from unstuck.objective import ModelObjective
from unstuck.objective.contract import Objective
from unstuck.optim import SGD, Rule
from unstuck.optim.directions import Gradient
from unstuck.problems import WORST_NETWORK, digits, linear_chain, linear_chain_slopes

ORDER = 30
COVERS = ("D1", "A14")
COST = Cost(quick_seconds=2, full_seconds=40)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: y = w₁x and y = w₁w₂x",
    "Goodfellow, Vinyals and Saxe 2014: the line from the start to the solution",
    "Lucas et al. 2021: Analyzing monotonic linear interpolation in neural network loss landscapes",
    "scikit-learn's digits",
)
SUBJECT = "unstuck.landscape.line_between"


@dataclass(frozen=True)
class Config:
    """``networks``: seeds for each activation; ``updates`` of training; ``points`` on a line."""

    networks: int
    updates: int
    points: int


QUICK = Config(networks=2, updates=400, points=41)
FULL = Config(networks=6, updates=3000, points=101)

START = (0.5, -0.2)


@dataclass(frozen=True)
class Walked:
    """A trained network: the line from its start, and where it ended."""

    name: Both
    line: LineSlice
    objective: Objective
    start: Tensor
    end: Tensor


def run(config: Config, seed: int, progress: Progress) -> Result:
    """The two-weight surface, then lines through trained networks."""
    path = follow(Rule(Gradient(), lr=0.005), partial(linear_chain_slopes, length=2), START, 3000)
    worst = linear_chain(START)
    end_loss = worst.value(path[-1])
    mirrored = -path[-1]
    chord = line_between(worst, path[-1], mirrored, points=config.points)
    single = line_between(linear_chain([0.5]), torch.tensor([-1.0]), torch.tensor([2.5]), points=config.points)
    convex_excess = _above_chord(single)
    progress(0.2, "the small surface walked")

    walked = [
        _walked(activation, index + seed, config)
        for activation in (nn.Tanh, nn.ReLU)
        for index in range(config.networks)
    ]
    uphill = [_uphill(each.line) for each in walked]
    ends = max(
        max(
            abs(each.line.losses[0] - each.objective.value(each.start)),
            abs(each.line.losses[-1] - each.objective.value(each.end)),
        )
        for each in walked
    )
    progress(0.8, "networks trained")
    pairs = [(walked[i], walked[i + 1]) for i in range(len(walked) - 1) if walked[i].name == walked[i + 1].name]
    between = [line_between(a.objective, a.end, b.end, points=config.points) for a, b in pairs]
    barriers = [max(line.losses) - max(line.losses[0], line.losses[-1]) for line in between]
    far = max(worst_of.line.losses[-1] for worst_of in walked)
    ways = [float((each.end - each.start).norm() / each.start.norm()) for each in walked]
    progress(1.0, "solutions joined")

    return Result(
        numbers={
            "end": Number(end_loss, Both("loss of y = w₁w₂x after 3,000 steps from (0.5, −0.2)", "y = w₁w₂x 自 (0.5, −0.2) 走 3000 步后的损失")),
            "end_x": Number(float(path[-1, 0]), Both("w₁ there", "此处的 w₁")),
            "end_y": Number(float(path[-1, 1]), Both("w₂ there", "此处的 w₂")),
            "chord": Number(max(chord.losses), Both("highest loss on the chord to the opposite minimum", "到对面极小的弦上的最高损失")),
            "least": Number(-max(uphill), Both("least fall between neighbors on a line from start to solution", "从起点到解的线上相邻两点间最小的下降")),
            "fall": Number(walked[0].line.losses[0] - walked[0].line.losses[-1], Both("fall of the loss on the first line", "第一条线上损失的下降")),
            "barrier_low": Number(min(barriers), Both("lowest hill between two solutions", "两个解之间最低的山")),
            "barrier_high": Number(max(barriers), Both("highest hill between two solutions", "两个解之间最高的山")),
            "solution": Number(far, Both("largest loss of a solution", "各解中最大的损失")),
            "way": Number(sum(ways) / len(ways), Both("way from start to solution, over the start's length, mean", "从起点到解的距离与起点长度之比，平均")),
            "networks": Number(len(walked), Both("networks", "网络数")),
        },
        criteria=(
            below("one weight is convex", convex_excess, 1e-12, "y = w₁x: no point of the line lies above the chord", "y = w₁x：线上没有一点高于弦"),
            below("two weights, found", end_loss, 1e-6, "y = w₁w₂x: gradient descent from (0.5, −0.2) reaches loss 0", "y = w₁w₂x：自 (0.5, −0.2) 的梯度下降到达损失 0"),
            near("where", float((path[-1] - torch.tensor([1.0536, 0.9491], dtype=torch.float64)).abs().max()), 0, 2e-3, "at (1.0536, 0.9491), where small steps lead", "在 (1.0536, 0.9491)，小步长所至之处"),
            near("what is kept", float(path[-1, 0] ** 2 - path[-1, 1] ** 2), START[0] ** 2 - START[1] ** 2, 5e-3, "where w₁² − w₂² is what it was at the start", "那里 w₁² − w₂² 与起点处相同"),
            near("chord", max(chord.losses), 1.0, 1e-2, "the chord to the opposite minimum passes over the saddle, at loss 1", "到对面极小的弦越过鞍点，损失为 1"),
            below("ends", ends, 1e-12, "each line begins at the start's loss and ends at the solution's", "每条线始于起点的损失、终于解的损失"),
            below("no hill from the start", max(uphill), 0.0, "from the start to the solution the loss falls from point to point, for every network", "对每个网络，从起点到解损失逐点下降"),
            above("it is a long way", min(ways), 0.3, "though the solution is far from the start", "尽管解离起点很远"),
            above("a hill between solutions", min(barriers), 0.05, "between two solutions it does", "两个解之间却会上升"),
            same("lines walked", len(between), 2 * (config.networks - 1), "for each activation", "每种激活函数皆然"),
        ),
        figures=(_lines(walked, between), _surface(path[::20], chord)),
        tables=(
            Table(
                Both("Lines between digits networks", "手写数字网络之间的线"),
                (Both("activation", "激活函数"), Both("loss at the start", "起点损失"), Both("loss of the solution", "解的损失"), Both("largest rise on the way", "途中最大上升")),
                tuple((each.name, each.line.losses[0], each.line.losses[-1], rise) for each, rise in zip(walked, uphill, strict=True)),
            ),
        ),
    )  # fmt: skip


def _walked(activation: type[nn.Module], seed: int, config: Config) -> Walked:
    data = digits(dtype=torch.float64)
    model = multilayer((64, 32, 10), activation, dtype=torch.float64, seed=seed)
    objective = ModelObjective(model, F.cross_entropy, (data.x, data.y))
    start = objective.start()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, data.x, data.y, optimizer, batch=64, updates=config.updates, seed=seed)
    end = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    line = line_between(objective, start, end, points=config.points)
    return Walked(alike(activation.__name__), line, objective, start, end)


def _uphill(line: LineSlice) -> float:
    """The largest rise from one point of the line to the next; negative when it only falls."""
    return max(b - a for a, b in zip(line.losses, line.losses[1:], strict=False))


def _above_chord(line: LineSlice) -> float:
    low, high = line.positions[0], line.positions[-1]
    first, last = line.losses[0], line.losses[-1]
    return max(
        loss - (first + (last - first) * (t - low) / (high - low))
        for t, loss in zip(line.positions, line.losses, strict=True)
    )


def _lines(walked: list[Walked], between: list[LineSlice]) -> Chart:
    names = {"Tanh": 1, "ReLU": 3}
    seen: set[str] = set()
    marks = []
    for each in walked:
        said = None if each.name.en in seen else Both(f"start to solution, {each.name.en}", f"起点到解，{each.name.en}")
        seen.add(each.name.en)
        marks.append(Line(list(each.line.positions), list(each.line.losses), said, color=names[each.name.en]))
    for index, line in enumerate(between):
        said = Both("solution to solution", "解到解") if index == 0 else None
        marks.append(Line(list(line.positions), list(line.losses), said, color=2, dashed=True))
    return Chart(
        "lines",
        Both("Straight lines through the loss of digits networks", "穿过手写数字网络损失的直线"),
        Axis(Both("position on the line", "线上的位置")),
        Axis(Both("training loss", "训练损失"), log=True),
        tuple(marks),
        Both("From the start it is downhill all the way. Between two solutions lies a hill.", "从起点出发一路下坡；两个解之间有山。"),
    )  # fmt: skip


def _surface(path: Tensor, chord: LineSlice) -> Chart:
    axis = torch.linspace(-2, 2, 61, dtype=torch.float64)
    values = WORST_NETWORK.tensor(torch.stack(torch.meshgrid(axis, axis, indexing="xy")))
    ends = [float(x) for x in path[-1]]
    branch = [0.5 + 1.5 * i / 60 for i in range(61)]
    return Chart(
        "surface",
        Both("Two weights: an easy way down and a chord that climbs", "两个权重：下坡的路与爬坡的弦"),
        Axis(alike("w₁"), limits=(-2, 2)),
        Axis(alike("w₂"), limits=(-2, 2)),
        (
            Field(axis.tolist(), axis.tolist(), values.tolist(), Both("loss", "损失"), log=True, levels=(0.1, 0.5, 1, 2, 5, 10, 20)),
            Line(branch, [1 / w for w in branch], Both("minima", "极小"), color=3),
            Line([-w for w in branch], [-1 / w for w in branch], color=3),
            Line(path[:, 0].tolist(), path[:, 1].tolist(), Both("gradient descent", "梯度下降"), color=1, marked=True),
            Line([START[0], ends[0]], [START[1], ends[1]], Both("the straight line", "直线"), color=4, dashed=True),
            Line([ends[0], -ends[0]], [ends[1], -ends[1]], Both("chord between minima", "两极小之间的弦"), color=2, dashed=True),
            Scatter([START[0]], [START[1]], Both("start", "起点"), color=4, shape="s"),
        ),
        Both(f"The chord rises to {max(chord.losses):.3f} in the middle: the surface is not convex. Gradient descent does not notice.", f"弦在中间升到 {max(chord.losses):.3f}：曲面非凸。梯度下降却毫无察觉。"),
        square=True,
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="The straight way down",
        question="If the loss is not convex, what lies on the straight line between the start and the solution, and between two solutions?",
        lecture="y = w₁x has a convex loss, y = w₁w₂x has not; yet it is easy: there are two curves of equally good minima and one "
        "saddle between them, which one hardly ever runs into. Going from one minimum to another in a straight line goes uphill.",
        formula="θ(α) = (1 − α) θ_start + α θ_end,   L(α) = L(θ(α))\nbarrier = max L(α) − max(L(0), L(1))",
        expectation="From the start to the solution the loss falls all the way; between two solutions it rises.",
        change_mind="A rise on the way from the start, or two solutions with no hill between them.",
        lesson="With two weights gradient descent from (0.5, −0.2) ends at ({end_x:.3f}, {end_y:.3f}) with loss {end:.0e}. The chord "
        "to the opposite minimum climbs to {chord:.3f}, the saddle's height.\n\n"
        "The same holds for {networks} networks on digits. On the straight line from its first weights to its last the loss "
        "falls from each point to the next (least of all by {least:.1e}), and falls by {fall:.2f}, although the way is "
        "{way:.2f} times as long as the first weights themselves. Training itself did not go straight.\n\n"
        "Between solutions of different starts there is a hill, {barrier_low:.2f} to {barrier_high:.2f} high, while every solution "
        "has a loss of at most {solution:.3f}. Part of that hill is only that their units stand in different orders.",
        holds="Not convex, and easy: downhill all the way from the start, hills between solutions.",
        fails="The line without a hill was found for these small networks with moderate rates; it is an observation, not a law. "
        "Lucas et al. make networks with hills on it, by letting the weights move far from the start.",
    ),
    "zh": Page(
        title="笔直的下坡路",
        question="既然损失非凸，起点与解之间的直线上有什么？两个解之间呢？",
        lecture="y = w₁x 的损失是凸的，y = w₁w₂x 的不是，但它很容易：有两条同样好的极小曲线，其间一个鞍点，几乎不会撞上。"
        "沿直线从一个极小走到另一个则要上坡。",
        formula="θ(α) = (1 − α) θ_起 + α θ_终，  L(α) = L(θ(α))\n山高 = max L(α) − max(L(0), L(1))",
        expectation="从起点到解一路下降；两个解之间上升。",
        change_mind="若从起点出发的路上有上升，或两个解之间没有山。",
        lesson="两个权重时，自 (0.5, −0.2) 的梯度下降终于 ({end_x:.3f}, {end_y:.3f})，损失 {end:.0e}。"
        "到对面极小的弦升到 {chord:.3f}，正是鞍点的高度。\n\n"
        "{networks} 个手写数字网络也是如此。从最初权重到最终权重的直线上，损失逐点下降（最少的一次降 {least:.1e}），"
        "共下降 {fall:.2f}，而路程是最初权重长度的 {way:.2f} 倍。训练本身走的并不是直线。\n\n"
        "不同起点的解之间有山，高 {barrier_low:.2f} 到 {barrier_high:.2f}，而每个解的损失不超过 {solution:.3f}。"
        "这山的一部分只是因为单元的次序不同。",
        holds="非凸却容易：从起点一路下坡，解与解之间有山。",
        fails="没有山的直线是在这些小网络、适中学习率下看到的，是观察而非定律。Lucas 等人让权重远离起点，就造出了线上有山的网络。",
    ),
}


_right_line = line_between


def _backwards(objective: Objective, start: Tensor, end: Tensor, *, points: int) -> LineSlice:
    return _right_line(objective, end, start, points=points)


def _short_of_the_end(objective: Objective, start: Tensor, end: Tensor, *, points: int) -> LineSlice:
    line = _right_line(objective, start, end, points=points, high=1 - 1 / points)
    return replace(line, positions=tuple(t / (1 - 1 / points) for t in line.positions))


PLANTED = (
    plant("the line runs from the end to the start", __name__, "line_between", _backwards, "ends", "no hill from the start"),
    plant("the last point of the line is missing", __name__, "line_between", _short_of_the_end, "ends"),
)  # fmt: skip
