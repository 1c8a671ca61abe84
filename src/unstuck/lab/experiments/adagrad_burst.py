"""AdaGrad of the lecture in the long valley: near the goal it bursts sideways, again and again; why, when, and the cure."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from unstuck.curvature import dense_matrix, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.optim import Rule
from unstuck.optim.directions import Gradient
from unstuck.optim.scales import RootMeanSquare, SumOfSquares
from unstuck.optim.schedules import inverse_sqrt, inverse_time
from unstuck.problems import valley, valley_data

ORDER = 4
COVERS = ("L7", "L8", "L9", "S1")
COST = Cost(quick_seconds=1, full_seconds=25)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Error surface is rugged",
    "Cohen et al. 2022: adaptive methods at the edge of stability (the preconditioned curvature)",
)
SUBJECT = "unstuck.optim.scales.RootMeanSquare, unstuck.optim.schedules.inverse_sqrt"


@dataclass(frozen=True)
class Config:
    """``updates`` at η = 1; ``others``: rates whose first burst is looked for, with the updates allowed."""

    updates: int
    others: tuple[tuple[float, int], ...]


QUICK = Config(updates=2000, others=((3.0, 400),))
FULL = Config(updates=100_000, others=((3.0, 400), (0.3, 20_000), (0.1, 20_000)))

START = (-120.0, -4.0)
ACROSS = 1.6  # how far off the valley's floor, in w and for each unit of η, a path must stand to count as burst
CALM = 20  # updates below it that end one
EXPECTED = (717, 1191, 1741)
# The first bursts by the same mark, ACROSS·η. At η = 3 the first is at 71; one at 190, quoted elsewhere, is the second.
# Stability goes at 515.6/η²: at 57 for η = 3, at 5,729 for 0.3 (and then it grows slowly), after 51,000 for 0.1.
FIRST_BY_RATE = {3.0: (71, 4), 0.3: (18_370, 200)}


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Walk with the mean of squares, constant rate and decayed; with the sum; look at the curvature that the rule sees."""
    objective = valley(intercept=START[0], slope=START[1])
    with objective.at() as point:
        matrix = dense_matrix(hessian(point))
        constant = point.gradient - matrix @ objective.start()

    def slope(w: Tensor) -> Tensor:
        return matrix @ w + constant

    path = follow(Rule(Gradient(), RootMeanSquare(eps=0.0), lr=1.0), slope, START, config.updates)
    progress(0.5, "constant rate walked")
    decayed = follow(Rule(Gradient(), RootMeanSquare(eps=0.0), inverse_sqrt(), lr=1.0), slope, START, config.updates)
    summed = follow(Rule(Gradient(), SumOfSquares(eps=0.0), lr=1.0), slope, START, config.updates)
    progress(0.8, "decayed rate walked")

    off = _off_floor(path)
    starts = bursts(off)
    slopes = path @ matrix + constant
    seen = _seen_curvature(slopes, matrix)
    above_two = torch.nonzero(seen[20:] > 2)
    unstable = 20 + int(above_two[0]) if len(above_two) else -1
    predicted = float(4 * slopes[:500, 1].pow(2).sum() / matrix[1, 1] ** 2)
    earlier = [_earlier(off, start) for start in starts[:3]] + [-1] * (3 - len(starts[:3]))
    drifts = [int(_first_half_size(1000)), int(_first_half_size(3000))]
    first_by_rate = {rate: _first_burst(rate, allowed, slope) for rate, allowed in config.others}

    criteria: list[Criterion] = [
        *(
            near(f"burst {index + 1}", starts[index] if len(starts) > index else -1, wanted, 2,
                 f"burst number {index + 1} starts at update {wanted}", f"第 {index + 1} 次爆发始于第 {wanted} 次更新")
            for index, wanted in enumerate(EXPECTED)
        ),
        near("predicted", predicted, 515.6, 0.5, "4Σg²/(ηH)² over the first 500 gradients across the valley is 515.6", "对前 500 个横向梯度，4Σg²/(ηH)² 为 515.6"),
        near("when", unstable, predicted, 0.02 * predicted, "the rule's own curvature passes 2/η when 4Σg²/(ηH)² says, within 2 %", "该规则所见的曲率超过 2/η 的时刻与 4Σg²/(ηH)² 的预测相差不到 2 %"),
        above("before", starts[0] - unstable if starts else -1, 0, "the burst begins after that, not before", "爆发在此之后，而不是之前"),
        # Plain arithmetic gives −113.839; figures read off a drawing say −113.88.
        near("corner", float(path[:200, 0].max()), -113.84, 0.01, "the path turns into the valley at b = −113.84", "路径在 b = −113.84 处拐入谷中"),
        below("one rule", float((decayed - summed).abs().max()), 1e-12, "the mean with η/√(t+1) is AdaGrad with the sum", "平均形式配 η/√(t+1) 就是求和形式的 AdaGrad", ruling=21),
        below("cured", float(_off_floor(decayed)[200:].max()), 0.01, "with the decayed rate nothing bursts", "步长衰减后不再爆发"),
        same("falling", all(inverse_sqrt()(t + 1) <= inverse_sqrt()(t) for t in range(1000)), True, "the decayed rate never rises", "衰减的步长从不上升"),
        near("memory", drifts[0] / 1000, 1 / 3, 0.01, "after T small gradients it takes T/3 large ones until σ is half of their size", "经过 T 个小梯度后，要 T/3 个大梯度 σ 才到其一半"),
        near("memory grows", drifts[1] / drifts[0], 3, 0.02, "three times the past, three times as long", "过去长三倍，就慢三倍"),
    ]  # fmt: skip
    for rate, found in first_by_rate.items():
        if rate in FIRST_BY_RATE:
            wanted, tolerance = FIRST_BY_RATE[rate]
            criteria.append(
                near(f"η = {rate:g}", found, wanted, tolerance, f"at η = {rate:g} the first burst is near {wanted}", f"η = {rate:g} 时第一次爆发约在第 {wanted} 次")
            )  # fmt: skip
        else:
            criteria.append(
                same(f"η = {rate:g}", found, -1, f"at η = {rate:g} there is none", f"η = {rate:g} 时没有爆发")
            )
    if config.updates >= 100_000:
        criteria += [
            near("all", len(starts), 62, 3, "62 bursts in 100,000 updates", "十万次更新中爆发 62 次"),
            near("end, b", float(decayed[-1, 0]), -188.3668, 1e-3, "decayed, 100,000 updates end at b = −188.3668", "衰减步长更新十万次到 b = −188.3668"),
            near("end, w", float(decayed[-1, 1]), 2.66927, 1e-4, "and w = 2.66927", "以及 w = 2.66927"),
        ]  # fmt: skip
    return Result(
        numbers={
            "first": Number(starts[0] if starts else -1, Both("first burst", "第一次爆发")),
            **{
                f"earlier_{index}": Number(count, Both(f"burst {index}: updates by which it would begin earlier with a line at 0.01", f"第 {index} 次爆发：若以 0.01 为界会早多少次"))
                for index, count in enumerate(earlier, start=1)
            },
            "bursts": Number(len(starts), Both("bursts seen", "爆发次数")),
            "widest": Number(float(off[200:].max()), Both("widest swing off the floor, in w", "离谷底最远的摆动（w）")),
            "unstable": Number(unstable, Both("update at which η·λ of the rule passes 2", "该规则的 η·λ 超过 2 的更新")),
            "predicted": Number(predicted, Both("the same, predicted", "同上，预测值")),
            "decayed_b": Number(float(decayed[-1, 0]), Both("b at the end, decayed rate", "衰减步长终点的 b")),
            "gap": Number(float((decayed - summed).abs().max()), Both("largest difference of the two AdaGrads", "两种 AdaGrad 的最大差别")),
            "memory": Number(drifts[0], Both("large gradients until σ follows, after 1,000 small ones", "1000 个小梯度之后 σ 跟上所需的大梯度数")),
        },
        criteria=tuple(criteria),
        figures=(_paths(path, decayed), _cause(off, seen, _off_floor(decayed))),
        tables=(
            Table(
                Both("Bursts at η = 1", "η = 1 时的爆发"),
                (Both("number", "序号"), Both("starts at update", "始于更新"), alike("b")),
                tuple((index + 1, start, float(path[start, 0])) for index, start in enumerate(starts[:12])),
            ),
        ),
    )  # fmt: skip


def bursts(off: Tensor, rate: float = 1.0) -> list[int]:
    """Updates at which the path leaves the floor by more than ``ACROSS``·η after having been calm."""
    found, quiet, inside = [], 0, False
    for t, wide in enumerate((off > ACROSS * rate).tolist()):
        if wide:
            if not inside and quiet > CALM:
                found.append(t)
            inside, quiet = True, 0
        else:
            quiet += 1
            inside = inside and quiet <= CALM
    return found


def _earlier(off: Tensor, start: int, line: float = 0.01) -> int:
    """How many updates before this one the path was last within the line."""
    return start - 1 - int(torch.nonzero(off[:start] < line)[-1])


def _off_floor(path: Tensor) -> Tensor:
    """Distance in w from the valley's floor: the best slope for that intercept."""
    x, y = valley_data()
    floor = ((x * y).sum() - path[:, 0] * x.sum()) / (x * x).sum()
    return (path[:, 1] - floor).abs()


def _seen_curvature(slopes: Tensor, matrix: Tensor, rate: float = 1.0) -> Tensor:
    """η times the largest eigenvalue of D^−½ H D^−½ at every update, D the rule's own denominators."""
    counts = torch.arange(1, len(slopes) + 1, dtype=torch.float64)[:, None]
    root = (slopes.pow(2).cumsum(0) / counts).pow(0.25)
    a, b, c = (matrix[i, j] / (root[:, i] * root[:, j]) for i, j in ((0, 0), (0, 1), (1, 1)))
    return rate * ((a + c) / 2 + (((a - c) / 2).pow(2) + b * b).sqrt())


def _first_half_size(small: int) -> int:
    """After so many tiny gradients: how many of size 1 until a step is at most twice the rate."""
    rule = Rule(Gradient(), RootMeanSquare(eps=0.0), lr=1.0)
    sizes = iter([1e-6] * small + [1.0] * small)
    path = follow(rule, lambda w: torch.full_like(w, next(sizes)), [0.0], 2 * small - 1).flatten()
    steps = (path[small + 1 :] - path[small:-1]).abs()
    return 1 + int(torch.nonzero(steps <= 2.0)[0])


def _first_burst(rate: float, allowed: int, slope: object) -> int:
    path = follow(Rule(Gradient(), RootMeanSquare(eps=0.0), lr=rate), slope, START, allowed)  # type: ignore[arg-type]
    found = bursts(_off_floor(path), rate)
    return found[0] if found else -1


def _paths(path: Tensor, decayed: Tensor) -> Chart:
    shown = 2000
    return Chart(
        "paths",
        Both("Two thousand updates in the valley", "山谷中的两千次更新"),
        Axis(Both("intercept b", "截距 b")),
        Axis(Both("slope w", "斜率 w")),
        (
            Line(path[:shown, 0].tolist(), path[:shown, 1].tolist(), Both("constant η = 1", "恒定 η = 1"), color=2, thin=True),
            Line(decayed[:shown, 0].tolist(), decayed[:shown, 1].tolist(), Both("η = 1/√(t+1)", "η = 1/√(t+1)"), color=1),
            Scatter([-188.433], [2.66945], Both("minimum", "极小"), color=6, shape="*", size=140),
        ),
        Both("The constant rate runs along the valley and bursts sideways; the decayed one is calm, and slow.", "恒定步长沿谷奔跑，不时向两侧爆发；衰减步长平静而缓慢。"),
    )  # fmt: skip


def _cause(off: Tensor, seen: Tensor, calm: Tensor) -> Chart:
    shown = min(2000, len(off))
    updates = list(range(20, shown))
    return Chart(
        "cause",
        Both("Why it bursts", "为何爆发"),
        Axis(Both("update", "更新次数")),
        Axis(Both("η·λ, and distance off the floor (w)", "η·λ，以及离谷底的距离（w）"), log=True, limits=(1e-6, 20)),
        (
            Line(updates, seen[20:shown].tolist(), Both("η·λ that the rule sees", "该规则所见的 η·λ"), color=3),
            Line(updates, off[20:shown].clamp(min=1e-9).tolist(), Both("off the floor, constant η", "离谷底，恒定 η"), color=2),
            Line(updates, calm[20:shown].clamp(min=1e-9).tolist(), Both("off the floor, decayed η", "离谷底，衰减 η"), color=1),
            Level(y=2.0, label=Both("stable below 2", "低于 2 才稳定")),
        ),
        Both("While the gradient across is small, σ shrinks and η·λ rises. Above 2 the swing grows each update, until its own large gradients have raised σ again.", "横向梯度小的时候，σ 缩小，η·λ 上升；超过 2 后摆动逐次放大，直到它自己的大梯度又把 σ 抬高。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="AdaGrad's bursts",
        question="Why does AdaGrad shoot sideways out of the valley when it is nearly there, and what stops it?",
        lecture="Each parameter's rate is divided by the root mean square of all its gradients so far, so flat directions "
        "get long steps. It works in the valley, but then the path suddenly explodes to the side, comes back, and does it "
        "again. A learning rate that decays cures it.",
        formula="σᵗ = √( 1/(t+1) Σ_{s≤t} (gˢ)² ),   θ ← θ − (η/σᵗ) gᵗ\n"
        "unstable when η λmax(D^−½ H D^−½) > 2,  D = σ;   across the valley from t* ≈ 4 Σ g² / (ηH)²\n"
        "decay: ηᵗ = η/√(t+1)",
        expectation="Bursts that start at updates 717, 1191 and 1741, after the rule's own curvature has passed 2/η near 516.",
        change_mind="No burst, other times, or a burst while η·λ is below 2.",
        lesson="Across the valley the gradients were large at first and then nearly zero, so their mean square falls like "
        "1/t and the step across grows like √t. Stability is lost when the curvature in the rule's own coordinates passes "
        "2/η: predicted at update {predicted:.1f}, measured at {unstable}. From there the swing grows until it is seen, at "
        "{first}; its own large gradients raise σ again and the path calms down. {bursts} bursts in this run; the widest "
        "is {widest:.1f} off the floor. (A burst counts from where the path is 1.6 off the floor; with a line at "
        "0.01 the first three would begin {earlier_1}, {earlier_2} and {earlier_3} updates earlier.)\n\n"
        "The same slow memory has a second cost: after 1,000 small gradients it takes {memory} large ones until σ is "
        "half their size.\n\n"
        "With ηᵗ = η/√(t+1) the two square roots cancel and the rule is AdaGrad as it was published, with the sum: the "
        "paths differ by {gap:.0e}. It does not burst. It also slows down: b is {decayed_b:.1f} at the end of this run.",
        holds="The bursts, their return, and the cure by decay.",
        fails="The lecture calls this AdaGrad; published AdaGrad has the sum of squares and does not burst. The figure comes "
        "out with the mean only.",
    ),
    "zh": Page(
        title="AdaGrad 的爆发",
        question="眼看就要到了，AdaGrad 为什么会向侧面冲出山谷，又怎样制止？",
        lecture="每个参数的步长除以它迄今所有梯度的均方根，于是平坦的方向步子大。这在山谷里行得通，"
        "可是路径会突然向侧面爆开，又回来，反复如此。让学习率衰减就能治好。",
        formula="σᵗ = √( 1/(t+1) Σ_{s≤t} (gˢ)² )，  θ ← θ − (η/σᵗ) gᵗ\n"
        "当 η λmax(D^−½ H D^−½) > 2 时不稳定，D = σ；  横向自 t* ≈ 4 Σ g² / (ηH)² 起\n"
        "衰减：ηᵗ = η/√(t+1)",
        expectation="爆发始于第 717、1191、1741 次更新，此前该规则自身的曲率在第 516 次左右超过 2/η。",
        change_mind="若没有爆发、时刻不同，或 η·λ 低于 2 时就爆发。",
        lesson="横向的梯度起初很大，随后几乎为零，于是均方按 1/t 下降，横向步长按 √t 增长。"
        "当该规则自身坐标下的曲率超过 2/η 时便失去稳定：预测在第 {predicted:.1f} 次，实测在第 {unstable} 次。"
        "此后摆动逐渐放大，到第 {first} 次才看得出来；它自己的大梯度又把 σ 抬高，路径恢复平静。"
        "本次运行共爆发 {bursts} 次，最宽处离谷底 {widest:.1f}。（离谷底超过 1.6 才算爆发；若以 0.01 为界，前三次会早 {earlier_1}、{earlier_2}、{earlier_3} 次。）\n\n"
        "这种缓慢的记忆还有第二个代价：经过 1000 个小梯度，要 {memory} 个大梯度 σ 才到它们的一半。\n\n"
        "取 ηᵗ = η/√(t+1)，两个根号相消，就成了原始发表的求和形式的 AdaGrad：两条路径只差 {gap:.0e}。"
        "它不爆发，但也慢了下来：本次运行结束时 b 为 {decayed_b:.1f}。",
        holds="爆发、回落，以及衰减的疗效。",
        fails="讲义称之为 AdaGrad；原始的 AdaGrad 用平方和，不会爆发。这幅图只有用平均形式才画得出来。",
    ),
}

PLANTED = (
    plant("the squares are summed instead of averaged", __name__, "RootMeanSquare", SumOfSquares, "burst 1", "memory"),
    plant("the rate decays as 1/t", __name__, "inverse_sqrt", partial(inverse_time, 1.0), "one rule"),
)
