"""A ball with inertia on a curve with two valleys: what momentum carries over, and what it does not."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from unstuck.lab.charts import Axis, Chart, Line, Playground, Racer, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.optim import Rule, scales
from unstuck.optim.directions import Average, Momentum, Velocity
from unstuck.optim.schedules import inverse_sqrt
from unstuck.problems import TWO_VALLEYS, linear_chain_slopes

ORDER = 14
COVERS = ("M1", "M2", "M3", "M4", "M5", "O5")
COST = Cost(quick_seconds=1, full_seconds=2)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Batch and momentum",
    "CS231n's form of momentum: v ← ρv + g, x ← x − αv",
    "the curve ¼x⁴ − ½x² − 0.15x: minima near −0.914 and 1.068, by Newton's method",
)
SUBJECT = "unstuck.optim.directions.Velocity"


@dataclass(frozen=True)
class Config:
    """``steps`` on the curve, ``starts`` around the saddle."""

    steps: int
    starts: int


QUICK = Config(steps=800, starts=2)
FULL = Config(steps=5000, starts=20)

MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95)
SHALLOW, DEEP = -0.914297, 1.067923
START, LR = -2.0, 0.02


_curve_slope = TWO_VALLEYS.slope_tensor
_worst_slope = partial(linear_chain_slopes, length=2)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Roll, compare with the closed form, start on the stable manifold and beside it."""
    paths = {
        kept: follow(Rule(Velocity(kept), lr=LR), _curve_slope, [START], config.steps).flatten() for kept in MOMENTA
    }
    ends = {kept: float(path[-1]) for kept, path in paths.items()}
    progress(0.6, "rolled")

    closed = _closed_form_gap()
    alike_gap, schedule_gap = _two_forms()
    trapped = follow(Rule(Velocity(0.9), lr=0.05), _worst_slope, [0.5, -0.5], 400)[-1]
    source = torch.Generator().manual_seed(seed)
    beside = [
        follow(
            Rule(Velocity(0.9), lr=0.05),
            _worst_slope,
            (torch.tensor([0.5, -0.5]) + 0.01 * torch.randn(2, generator=source)).tolist(),
            400,
        )[-1]
        for _ in range(config.starts)
    ]
    free = max(abs(float(w[0] * w[1]) - 1) for w in beside)
    zero = float(follow(Rule(Velocity(0.9), lr=0.05), _worst_slope, [0.0, 0.0], 50).abs().max())
    progress(0.9, "saddle tried")

    turning, steady = _numerator_and_denominator()
    over = tuple(kept for kept in MOMENTA if abs(ends[kept] - DEEP) < 1e-3)
    return Result(
        numbers={
            "without": Number(ends[0.0], Both("end without momentum", "不带动量的终点")),
            "with_8": Number(ends[0.8], Both("end with λ = 0.8", "λ = 0.8 的终点")),
            "with_9": Number(ends[0.9], Both("end with λ = 0.9", "λ = 0.9 的终点")),
            "loss_shallow": Number(TWO_VALLEYS.value(ends[0.0]), Both("loss of the shallow valley", "浅谷的损失")),
            "loss_deep": Number(TWO_VALLEYS.value(ends[0.9]), Both("loss of the deep valley", "深谷的损失")),
            "trapped": Number(float(trapped.abs().max()), Both("distance to the saddle, from w₂ = −w₁", "从 w₂ = −w₁ 出发到鞍点的距离")),
            "schedule_gap": Number(schedule_gap, Both("the two forms apart, under a decaying rate", "衰减步长下两种写法之差")),
            "turning": Number(turning, Both("m/σ under alternating gradients ±1", "梯度在 ±1 间交替时的 m/σ")),
            "steady": Number(steady, Both("m/σ under a constant gradient", "梯度恒定时的 m/σ")),
        },
        criteria=(
            near("plain", ends[0.0], SHALLOW, 5e-5, "without momentum the ball ends in the shallow valley", "不带动量，小球停在浅谷"),
            near("0.5", ends[0.5], SHALLOW, 5e-5, "λ = 0.5 does not change that", "λ = 0.5 也是如此"),
            near("0.8", ends[0.8], SHALLOW, 5e-5, "λ = 0.8 is not enough", "λ = 0.8 还不够", ruling=20),
            near("0.9", ends[0.9], DEEP, 5e-5, "λ = 0.9 carries it over the hill", "λ = 0.9 把它带过山头"),
            near("0.95", ends[0.95], DEEP, 5e-5, "so does λ = 0.95", "λ = 0.95 也能"),
            near("shallow loss", TWO_VALLEYS.value(ends[0.0]), -0.1061, 5e-5, "the shallow valley has the loss −0.1061", "浅谷的损失为 −0.1061"),
            near("deep loss", TWO_VALLEYS.value(ends[0.9]), -0.4053, 5e-5, "the deep one −0.4053", "深谷的损失为 −0.4053"),
            same("over the hill", over, (0.9, 0.95), "of five momenta 0.9 and 0.95 get over", "五个动量中只有 0.9 与 0.95 翻得过去"),
            below("closed form", closed, 1e-12, "the recursion equals −η Σ λ^(t−1−i) gⁱ", "递推式等于 −η Σ λ^(t−1−i) gⁱ"),
            below("two forms", alike_gap, 1e-12, "at a constant rate the lecture's form and v ← ρv + g give the same places", "步长恒定时，讲义的写法与 v ← ρv + g 走过同样的点"),
            above("two forms, decaying", schedule_gap, 1e-3, "under a decaying rate they differ", "步长衰减时二者不同", ruling=19),
            below("on the manifold", float(trapped.abs().max()), 1e-6, "from (0.5, −0.5) momentum goes into the saddle all the same", "从 (0.5, −0.5) 出发，带动量也照样走进鞍点", ruling=20),
            below("beside it", free, 1e-3, "from beside it every start reaches a minimum", "只要偏离一点，每个起点都走到极小"),
            same("at rest", zero, 0.0, "from rest at the critical point nothing moves", "静止于临界点时纹丝不动", ruling=20),
            below("turning gradients", turning, 0.06, "under alternating gradients m/σ shrinks: signs cancel in m, not in σ", "梯度正负交替时 m/σ 变小：符号在 m 中抵消，在 σ 中不抵消"),
            near("steady gradient", steady, 1.0, 1e-6, "under a constant gradient m/σ is 1", "梯度恒定时 m/σ 为 1"),
        ),
        figures=(_rolling(paths), _ball(paths)),
        tables=(
            Table(
                Both("Where the ball ends", "小球停在哪里"),
                (alike("λ"), Both("end", "终点"), Both("loss", "损失")),
                tuple((kept, ends[kept], TWO_VALLEYS.value(ends[kept])) for kept in MOMENTA),
            ),
        ),
    )  # fmt: skip


def _closed_form_gap(steps: int = 40, kept: float = 0.9, lr: float = 0.02) -> float:
    """Largest difference between the movement and the weighted sum of all past gradients."""
    path = follow(Rule(Velocity(kept), lr=lr), _curve_slope, [START], steps).flatten()
    slopes = _curve_slope(path[None])[0]
    gaps = []
    for t in range(1, steps + 1):
        weights = kept ** torch.arange(t - 1, -1, -1, dtype=torch.float64)
        gaps.append(abs(float(path[t] - path[t - 1]) + lr * float(weights @ slopes[:t])))
    return max(gaps)


def _two_forms(steps: int = 60) -> tuple[float, float]:
    """Largest difference between the two forms of momentum, at a constant and under a decaying rate."""
    gaps = []
    for schedule in (None, inverse_sqrt()):
        inside, outside = (
            follow(Rule(way, None, schedule, lr=LR), _curve_slope, [START], steps)  # type: ignore[arg-type]
            for way in (Velocity(0.9), Momentum(0.9))
        )
        gaps.append(float((inside - outside).abs().max()))
    return gaps[0], gaps[1]


def _numerator_and_denominator(steps: int = 400) -> tuple[float, float]:
    """Size of the last step over the rate under gradients ±1 in turn, and under a constant one."""
    sizes = []
    for turning in (True, False):
        signs = iter((-1.0) ** t if turning else 1.0 for t in range(steps))
        rule = Rule(Average(0.9), scales.RootMeanSquare(eps=0.0), lr=1.0)
        path = follow(rule, lambda w, signs=signs: torch.full_like(w, next(signs)), [0.0], steps)  # type: ignore[misc]
        sizes.append(abs(float(path[-1, 0] - path[-2, 0])))
    return sizes[0], sizes[1]


def _rolling(paths: dict[float, Tensor]) -> Chart:
    shown = 400
    return Chart(
        "rolling",
        Both("The ball over time", "小球的历程"),
        Axis(Both("update", "更新次数")),
        Axis(alike("x")),
        tuple(
            Line(list(range(shown)), path[:shown].tolist(), alike(f"λ = {kept:g}"), color=index + 1)
            for index, (kept, path) in enumerate(paths.items())
        ),
        Both("Up to λ = 0.8 the ball stays left of the hill; from 0.9 on it comes over.", "λ 到 0.8 为止，小球留在山的左边；从 0.9 起翻了过去。"),
    )  # fmt: skip


def _ball(paths: dict[float, Tensor]) -> Playground:
    return Playground(
        "ball",
        Both("Roll it yourself", "自己滚一滚"),
        TWO_VALLEYS,
        ((-2.2, 2.0), (-0.6, 2.6)),
        start=(START,),
        step_size=Slider(0.002, 0.5, LR, log=True),
        momentum=Slider(0, 0.99, 0.85),
        caption=Both(
            "Find the least λ that gets over the hill from −2: it lies between 0.8 and 0.9. A longer step needs less.",
            "试找从 −2 出发能翻过山头的最小 λ：它在 0.8 与 0.9 之间。步长越长，所需越小。",
        ),
        rules=("momentum", "nesterov", "gradient"),
        steps=300,
        racers=tuple(
            Racer(Both(f"measured, λ = {kept:g}", f"实测，λ = {kept:g}"), [(x,) for x in paths[kept][:200].tolist()], color=c)
            for kept, c in ((0.0, 1), (0.9, 3))
        ),
        marked=(((SHALLOW,), Both("shallow", "浅谷")), ((DEEP,), Both("deep", "深谷"))),
        labels=(alike("x"), Both("loss", "损失")),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="The ball with inertia",
        question="Does momentum carry gradient descent out of a bad valley and off a saddle?",
        lecture="With momentum each movement is the last movement times λ minus η times the gradient. Like a ball, it may "
        "roll on past a saddle and over a hill into a better minimum; the movement is a weighted sum of all gradients so "
        "far.",
        formula="m⁰ = 0,   mᵗ = λ mᵗ⁻¹ − η gᵗ⁻¹,   θᵗ = θᵗ⁻¹ + mᵗ\nmᵗ = −η Σ_{i<t} λ^(t−1−i) gⁱ\nL(x) = ¼x⁴ − ½x² − 0.15x",
        expectation="From x = −2 with η = 0.02: little momentum ends in the shallow valley at −0.914, much in the deep one "
        "at 1.068.",
        change_mind="A ball that comes over the hill without momentum, or stays behind it with λ = 0.95.",
        lesson="Without momentum the ball ends at {without:.4f} (loss {loss_shallow:.4f}); with λ = 0.8 at {with_8:.4f}; with "
        "λ = 0.9 at {with_9:.4f}, in the deep valley (loss {loss_deep:.4f}). Momentum keeps some of the speed of the way "
        "down; whether it suffices depends on λ, η and the start.\n\n"
        "It is no help against a saddle as such. On the line w₂ = −w₁ of the worst network the gradient always points to "
        "the saddle, and so does every sum of gradients: after 400 updates the distance is {trapped:.0e}. At rest on the "
        "critical point nothing moves at all. What helps is being a little beside it, by noise or by chance.\n\n"
        "Two forms of momentum are taken for one another. With the rate inside the movement (the lecture) or outside "
        "(v ← ρv + g) they agree at a constant rate; under a decaying one they are {schedule_gap:.3f} apart here.\n\n"
        "In the full formula m/σ the numerator adds gradients with their signs, the denominator their squares: under "
        "alternating gradients m/σ is {turning:.3f}, under a constant one {steady:.3f}. They do not cancel.",
        holds="The recursion is the weighted sum, and enough momentum rolls over the hill.",
        fails="“Momentum helps off critical points” holds only with λ large enough, and never from rest or on the saddle's "
        "own line.",
    ),
    "zh": Page(
        title="有惯性的小球",
        question="动量能把梯度下降带出坏的谷、带离鞍点吗？",
        lecture="带动量时，每一步的移动等于上一步移动乘以 λ，减去 η 乘以梯度。它像小球一样，可能滚过鞍点、"
        "翻过山头，到达更好的极小；移动量是迄今所有梯度的加权和。",
        formula="m⁰ = 0，  mᵗ = λ mᵗ⁻¹ − η gᵗ⁻¹，  θᵗ = θᵗ⁻¹ + mᵗ\nmᵗ = −η Σ_{i<t} λ^(t−1−i) gⁱ\nL(x) = ¼x⁴ − ½x² − 0.15x",
        expectation="从 x = −2 出发、η = 0.02：动量小则停在 −0.914 的浅谷，动量大则到 1.068 的深谷。",
        change_mind="若不带动量也能翻过山头，或 λ = 0.95 仍翻不过去。",
        lesson="不带动量，小球停在 {without:.4f}（损失 {loss_shallow:.4f}）；λ = 0.8 停在 {with_8:.4f}；"
        "λ = 0.9 停在深谷 {with_9:.4f}（损失 {loss_deep:.4f}）。动量保留了下坡的一部分速度，够不够要看 λ、η 和起点。\n\n"
        "它对鞍点本身并无帮助。在最差网络的直线 w₂ = −w₁ 上，梯度总指向鞍点，梯度的任何和也一样："
        "400 次更新后距离只剩 {trapped:.0e}。静止于临界点时更是纹丝不动。真正有用的是偏离一点，靠噪声或靠运气。\n\n"
        "动量有两种写法，常被混为一谈：步长写在移动量里面（讲义）或外面（v ← ρv + g）。步长恒定时二者相同，"
        "步长衰减时这里相差 {schedule_gap:.3f}。\n\n"
        "在完整的公式 m/σ 里，分子把梯度连同符号相加，分母加的是平方：梯度交替时 m/σ 为 {turning:.3f}，"
        "恒定时为 {steady:.3f}。两者并不约掉。",
        holds="递推式就是加权和；动量足够大，确能翻过山头。",
        fails="“动量有助于离开临界点”只在 λ 足够大时成立；静止时、或在鞍点自己的那条线上，则永远不成立。",
    ),
}


def _averaged(rho: float) -> Average:
    return Average(rho, correct=False)


PLANTED = (
    plant(
        "the movement is an average of gradients, not their sum", __name__, "Velocity", _averaged, "closed form", "0.9"
    ),
    plant("the rate stands outside the movement", __name__, "Velocity", Momentum, "two forms, decaying"),
)
