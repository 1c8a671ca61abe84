"""Chains of one-weight linear layers started near zero: two weights always get away, more weights wait nearly for ever."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from unstuck.curvature import dense_matrix, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Playground, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, between, near, same
from unstuck.lab.descent import Slope, follow
from unstuck.lab.words import Both, alike
from unstuck.landscape import classify
from unstuck.objective import FormulaObjective
from unstuck.optim import Rule
from unstuck.optim.directions import Gradient
from unstuck.optim.scales import MovingSquare
from unstuck.problems import WORST_NETWORK, linear_chain, linear_chain_slopes

ORDER = 15
COVERS = ("D1", "D2", "D3", "D4", "D5")
COST = Cost(quick_seconds=2, full_seconds=12)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: When gradient is zero; its demonstration with chains of weights",
    "Goodfellow, Vinyals and Saxe 2014: the surface of y = w₁w₂x",
    "Kawaguchi 2016: corollary 2.4, saddles without a negative eigenvalue",
)
SUBJECT = "unstuck.problems.linear_chain, unstuck.optim.directions.Gradient"


@dataclass(frozen=True)
class Config:
    """``steps`` until a chain counts as stuck; ``starts`` on the plane of two weights."""

    steps: int
    starts: int


QUICK = Config(steps=5500, starts=200)
FULL = Config(steps=20_000, starts=1000)

ARRIVED = 1e-3
# (rate, weight, steps as found once by plain arithmetic; None: not within 20,000), by length of the chain
TRIALS: Mapping[int, tuple[float, tuple[tuple[float, int | None], ...]]] = {
    2: (0.1, ((0.0, None), (1e-9, 121), (1e-6, 83))),
    3: (0.1, ((0.0, None), (1e-9, None), (1e-3, 5008), (1e-2, 505))),
    4: (0.1, ((1e-2, None), (0.1, 256), (0.05, 1007))),
    11: (0.01, ((0.1, None), (0.5, 2874), (0.8, 59))),
}


def chain_slope(length: int) -> Slope:
    """Gradient of Σ (1 − w₁…w_L)² over many chains laid end to end."""
    return partial(linear_chain_slopes, length=length)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """The plane of two weights; second derivatives of three; the walk through zero; starts near zero."""
    source = torch.Generator().manual_seed(seed)
    plane = _plane(config.starts, source)
    progress(0.2, "two weights")
    formula_gap, corner, flat, order, verdict = _three(source, seed)
    walks = {length: _walk(length) for length in (3, 5, 11)}
    even, odd_end = _walk(10, product=1.0), _walk(11, product=1.0)[-1]
    progress(0.3, "three weights, the walk through zero")

    arrivals: dict[int, list[int | None]] = {}
    curves: list[tuple[str, list[float]]] = []
    for index, (length, (rate, trials)) in enumerate(TRIALS.items()):
        path = follow(
            Rule(Gradient(), lr=rate), chain_slope(length), [w for w, _ in trials for _ in range(length)], config.steps
        )
        losses = (1 - path.reshape(len(path), -1, length).prod(2)) ** 2
        arrivals[length] = [_arrival(column) for column in losses.T]
        curves += [(f"{length} × {trials[i][0]:g}", losses[:, i].tolist()) for i in range(len(trials))]
        progress(0.3 + 0.15 * (index + 1), f"{length} weights")
    drawn = 0.1 * torch.randn(3 * 11, generator=source, dtype=torch.float64)
    last = follow(Rule(Gradient(), lr=0.01), chain_slope(11), drawn.tolist(), config.steps)[-1]
    random_left = int(((1 - last.reshape(3, 11).prod(1)) ** 2 < 0.9).sum())
    agreement = _slope_gap(source)

    criteria: list[Criterion] = [
        below("slope", agreement, 1e-12, "the gradient used is that of the surface", "所用梯度就是该曲面的梯度"),
        below(
            "path of the figure",
            plane.figure_end,
            1e-6,
            "gradient descent from (0.5, −0.2) reaches a minimum",
            "从 (0.5, −0.2) 出发的梯度下降到达极小",
        ),
        above(
            "chord",
            plane.chord,
            0.1,
            "between two minima of one valley the loss is higher: not convex",
            "同一条谷中两个极小之间损失更高：非凸",
        ),
        same(
            "random starts",
            plane.arrived,
            config.starts,
            "every random start on the plane reaches a loss below 0.001",
            "平面上每个随机起点都到达 0.001 以下",
        ),
        below(
            "second derivatives",
            formula_gap,
            1e-12,
            "∂²/∂w₁² = 2(w₂w₃)² and ∂²/∂w₁∂w₂ = −2w₃ + 4w₁w₂w₃²",
            "∂²/∂w₁² = 2(w₂w₃)²，∂²/∂w₁∂w₂ = −2w₃ + 4w₁w₂w₃²",
        ),
        below(
            "at (0, 0, k)",
            corner,
            1e-12,
            "the eigenvalues at (0, 0, k) are ±2k and 0: the slide's entry −2 should be −2k",
            "(0, 0, k) 处特征值为 ±2k 与 0：幻灯片上的 −2 应为 −2k",
            ruling=10,
        ),
        near("flat", flat, 0.0, 0.0, "at (0, 0, 0) every second derivative is zero", "(0, 0, 0) 处二阶导数全为零"),
        between(
            "order of the way down",
            order,
            2.95,
            3.05,
            "and yet the loss falls along (1, 1, 1), with the third power of the distance",
            "而沿 (1, 1, 1) 损失仍在下降，与距离的三次方成正比",
        ),
        same(
            "verdict at (0, 0, 0)",
            verdict,
            "saddle",
            "probing calls it a saddle, though no eigenvalue is negative",
            "没有负特征值，探测仍判为鞍点",
            ruling=10,
        ),
        near(
            "walk, beginning",
            walks[11][0],
            4.0,
            1e-12,
            "the walk from ∏w = −1 begins at loss 4",
            "从 ∏w = −1 出发，损失为 4",
        ),
        near("walk, middle", walks[11][len(walks[11]) // 2], 1.0, 1e-12, "passes zero at loss 1", "经过原点时损失为 1"),
        near("walk, end", walks[11][-1], 0.0, 1e-12, "and ends at loss 0", "到达损失 0"),
        near(
            "even walk",
            max(abs(even[0]), abs(even[-1]), abs(even[len(even) // 2] - 1)),
            0.0,
            1e-12,
            "with ten weights and ∏w = +1 the walk goes from loss 0 over 1 back to 0: the second drawing",
            "十个权重、∏w = +1 时，损失从 0 经过 1 又回到 0：即第二张图",
        ),
        near(
            "odd walk from a minimum",
            odd_end,
            4.0,
            1e-12,
            "with eleven weights the mirror image of a minimum has loss 4, not 0",
            "十一个权重时，极小点的镜像损失为 4，而不是 0",
        ),
    ]
    for length, walk in walks.items():
        criteria.append(near(f"plateau of {length}", _plateau(walk), 0.01 ** (1 / length), 0.01, f"with {length} weights |L − 1| < 0.02 for |s| < 0.01^(1/{length})", f"{length} 个权重时，|s| < 0.01^(1/{length}) 内 |L − 1| < 0.02"))  # fmt: skip
    for length, (_, trials) in TRIALS.items():
        for (weight, expected), found in zip(trials, arrivals[length], strict=True):
            name = f"{length} × {weight:g}"
            if expected is None:
                criteria.append(same(name, found or 0, 0, f"{length} weights at {weight:g} do not get away in {config.steps} steps", f"{length} 个 {weight:g} 的权重走 {config.steps} 步也没有离开"))  # fmt: skip
            else:
                criteria.append(near(name, found or -1, expected, 0, f"{length} weights at {weight:g} arrive at step {expected}", f"{length} 个 {weight:g} 的权重在第 {expected} 步到达"))  # fmt: skip
    two, three, four = ([found or math.nan for found in arrivals[length]] for length in (2, 3, 4))
    growth = (two[1] - two[2]) * math.log(1.2) / math.log(1e3)
    power_three = math.log(three[2] / three[3]) / math.log(10)
    power_four = math.log(four[2] / four[1]) / math.log(2)
    criteria += [
        near("two weights, law", growth, 1.0, 0.03, "two weights: the steps grow as ln(1/δ) / ln(1 + 2η)", "两个权重：步数按 ln(1/δ) / ln(1 + 2η) 增长"),
        near("three weights, law", power_three, 1.0, 0.03, "three weights: as 1/δ", "三个权重：按 1/δ 增长"),
        near("four weights, law", power_four, 2.0, 0.05, "four weights: as 1/δ²", "四个权重：按 1/δ² 增长"),
        same("eleven drawn at random", random_left, 0, "eleven weights drawn with standard deviation 0.1 stay, three times of three", "标准差 0.1 的十一个随机权重，三次都停在原处"),
    ]  # fmt: skip
    return Result(
        numbers={
            "two": Number(arrivals[2][1] or -1, Both("steps of two weights from 1e-9", "两个权重从 1e-9 出发的步数")),
            "three": Number(
                arrivals[3][2] or -1, Both("steps of three weights from 1e-3", "三个权重从 1e-3 出发的步数")
            ),
            "three_near": Number(
                arrivals[3][3] or -1, Both("steps of three weights from 1e-2", "三个权重从 1e-2 出发的步数")
            ),
            "eleven": Number(
                arrivals[11][1] or -1, Both("steps of eleven weights from 0.5", "十一个权重从 0.5 出发的步数")
            ),
            "steps": Number(config.steps, Both("steps allowed", "允许的步数")),
            "starts": Number(config.starts, Both("random starts on the plane", "平面上的随机起点数")),
            "arrived": Number(plane.arrived, Both("of them below 0.001", "其中低于 0.001 的")),
            "chord": Number(plane.chord, Both("loss halfway between two minima", "两个极小中点的损失")),
            "power_three": Number(power_three, Both("power of 1/δ, three weights", "三个权重：1/δ 的幂")),
            "power_four": Number(power_four, Both("power of 1/δ, four weights", "四个权重：1/δ 的幂")),
            "even_end": Number(
                abs(even[-1]),
                Both("ten weights: loss at the mirror image of a minimum", "十个权重：极小的镜像处的损失"),
            ),
            "odd_end": Number(odd_end, Both("eleven weights: the same", "十一个权重：同上")),
            "plateau": Number(
                _plateau(walks[11]), Both("half width of the plateau, eleven weights", "十一个权重的平台半宽")
            ),
        },
        criteria=tuple(criteria),
        figures=(_ground(), _walk_chart(walks, even), _starts_chart(curves)),
        tables=(
            Table(
                Both(
                    "Steps until the loss is below 0.001, all weights alike",
                    "损失降到 0.001 以下所需步数（各权重相同）",
                ),
                (Both("weights", "权重个数"), Both("each starts at", "初始值"), alike("η"), Both("steps", "步数")),
                tuple(
                    (length, weight, rate, found if found is not None else Both("stays", "停在原处"))
                    for length, (rate, trials) in TRIALS.items()
                    for (weight, _), found in zip(trials, arrivals[length], strict=True)
                ),
            ),
        ),
    )


@dataclass(frozen=True)
class _Plane:
    figure_end: float
    chord: float
    arrived: int


def _plane(starts: int, source: torch.Generator) -> _Plane:
    drawn = 4 * torch.rand(2 * starts, generator=source, dtype=torch.float64) - 2
    rule = Rule(Gradient(), lr=0.05)
    ends = follow(rule, chain_slope(2), [0.5, -0.2, *drawn.tolist()], 600)[-1].reshape(-1, 2)
    losses = (1 - ends.prod(1)) ** 2
    middle = linear_chain([1.25, 1.25])  # halfway from (2, ½) to (½, 2)
    return _Plane(float(losses[0]), middle.value(middle.start()), int((losses[1:] < 1e-3).sum()))


def _matrix(objective: FormulaObjective) -> Tensor:
    with objective.at() as point:
        return dense_matrix(hessian(point))


def _three(source: torch.Generator, seed: int) -> tuple[float, float, float, float, str]:
    """Gap of the formulas, of the eigenvalues at (0, 0, k), size of H at zero, order of the way down, verdict there."""
    gap = corner = 0.0
    for _ in range(4):
        w = torch.randn(3, generator=source, dtype=torch.float64)
        found = _matrix(linear_chain(w.tolist()))
        a, b, c = w.tolist()
        gap = max(
            gap, abs(float(found[0, 0]) - 2 * (b * c) ** 2), abs(float(found[0, 1]) - (-2 * c + 4 * a * b * c * c))
        )
        values = torch.linalg.eigvalsh(_matrix(linear_chain([0.0, 0.0, c]))).tolist()
        corner = max(corner, *(abs(x - y) for x, y in zip(values, (-2 * abs(c), 0.0, 2 * abs(c)), strict=True)))
    zero = linear_chain([0.0, 0.0, 0.0])
    drop = [1 - zero.value(torch.full((3,), r, dtype=torch.float64)) for r in (0.02, 0.01)]
    order = math.log(drop[0] / drop[1], 2) if min(drop) > 0 else math.nan
    return gap, corner, float(_matrix(zero).abs().max()), order, classify(zero, seed=seed).state


def _walk(length: int, product: float = -1.0) -> list[float]:
    """The loss along s·θ, s from 1 to −1, where the product of θ is −1 or 1."""
    direction = torch.linspace(0.5, 1.5, length, dtype=torch.float64)
    direction = direction / direction.prod() ** (1 / length)
    direction[0] = product * direction[0]
    surface = linear_chain([0.0] * length)
    return [surface.value(s * direction) for s in torch.linspace(1, -1, 1001, dtype=torch.float64)]


def _plateau(walk: Sequence[float]) -> float:
    """Half the length, in s, on which the loss is within 0.02 of 1."""
    return sum(abs(loss - 1) < 0.02 for loss in walk) / 1000


def _arrival(losses: Tensor) -> int | None:
    there = torch.nonzero(losses < ARRIVED)
    return int(there[0]) if len(there) else None


def _slope_gap(source: torch.Generator) -> float:
    gaps = []
    for length in TRIALS:
        weights = torch.randn(length, generator=source, dtype=torch.float64)
        wanted = linear_chain(weights.tolist()).gradient(weights).vector
        gaps.append(float((chain_slope(length)(weights) - wanted).abs().max() / (1 + wanted.abs().max())))
    return max(gaps)


def _ground() -> Playground:
    return Playground(
        "plane",
        Both("Two weights: not convex, and easy", "两个权重：非凸，却容易"),
        WORST_NETWORK,
        ((-2, 2), (-2, 2)),
        start=(0.5, -0.2),
        step_size=Slider(0.001, 0.2, 0.05, log=True),
        momentum=Slider(0, 0.99, 0.0),
        caption=Both(
            "From nearly every start gradient descent finds a minimum; the saddle in the middle only delays it.",
            "几乎从任何起点出发，梯度下降都能找到极小；中间的鞍点只会拖慢它。",
        ),
        log=True,
        marked=(((0, 0), Both("saddle", "鞍点")),),
        labels=(alike("w₁"), alike("w₂")),
    )


def _walk_chart(walks: Mapping[int, Sequence[float]], even: Sequence[float]) -> Chart:
    places = [1 - 2 * i / 1000 for i in range(0, 1001, 5)]
    return Chart(
        "walk",
        Both("From one point through zero to its mirror image", "从一点经过原点走到它的镜像"),
        Axis(alike("s")),
        Axis(Both("loss", "损失")),
        (
            *(
                Line(places, list(walk)[::5], Both(f"{length} weights", f"{length} 个权重"), color=color)
                for color, (length, walk) in enumerate(walks.items(), start=1)
            ),
            Line(
                places,
                list(even)[::5],
                Both("10 weights, from a minimum", "10 个权重，从极小出发"),
                color=0,
                dashed=True,
            ),
        ),
        Both(
            "The plateau around zero widens with the number of layers. Ten weights come back to where they were.",
            "层数越多，原点周围的平台越宽。十个权重又回到原来的损失。",
        ),
    )


def _starts_chart(curves: Sequence[tuple[str, Sequence[float]]]) -> Chart:
    shown = ("2 × 1e-09", "3 × 0.01", "3 × 0.001", "4 × 0.1", "4 × 0.01", "11 × 0.5")
    picked = [(name, losses) for name, losses in curves if name in shown]
    lines = []
    for color, (name, losses) in enumerate(picked, start=1):
        steps = [t for t in range(1, len(losses)) if t < 100 or t % 10 == 0]
        lines.append(
            Line(
                steps,
                [max(losses[t], 1e-12) for t in steps],
                alike(name.replace("1e-09", "10⁻⁹")),
                color=color,
                dashed=name == "4 × 0.01",
            )
        )
    return Chart(
        "starts",
        Both("Number of weights × starting value", "权重个数 × 初始值"),
        Axis(Both("step", "步数"), log=True),
        Axis(Both("loss", "损失"), limits=(0, 1.1)),
        (*lines, Level(y=ARRIVED)),
        Both(
            "Two weights of 10⁻⁹ get away at once; three of 0.001 need 5,000 steps, four of 0.01 more than are shown.",
            "两个 10⁻⁹ 的权重很快离开；三个 0.001 的要五千步；四个 0.01 的所需步数超出此图。",
        ),
    )


TEXT = {
    "en": Page(
        title="Deep linear networks started near zero",
        question="Why does a deep chain of linear layers not learn when its weights start close to zero?",
        lecture="y = w₁x is convex, y = w₁w₂x is not, and still easy: its saddle is easy to leave. With three weights all minima "
        "are global, but some critical points are bad: at zero every second derivative vanishes. Two weights of 10⁻⁹ "
        "get away, three stay; eleven small random weights stay as well. On the way from one "
        "point through zero to its mirror image there is a long plateau.",
        formula="L = (1 − w₁w₂…w_L)²\n"
        "∂²L/∂w₁² = 2(w₂w₃)²,   ∂²L/∂w₁∂w₂ = −2w₃ + 4w₁w₂w₃²   (three weights)\n"
        "steps from weights δ:  ln(1/δ)/ln(1 + 2η) for L = 2,   ∝ δ^(2−L) for L ≥ 3\n"
        "walk: L(s) = (1 + s¹¹)²,  plateau |s| < 0.01^(1/11)",
        expectation="Two weights of 10⁻⁹ arrive at step 121; three of 0.001 at 5008; three of 10⁻⁹ do not arrive.",
        change_mind="Three weights of 10⁻⁹ that arrive, or two that do not.",
        lesson="On the plane of two weights {arrived} of {starts} random starts came below 0.001, although halfway between two "
        "minima the loss is {chord:.3f}. Near the saddle of two weights the gradient is proportional to the distance, so the distance grows by a "
        "factor each step and 10⁻⁹ costs only {two} steps.\n\n"
        "With three weights the gradient is the square of the distance. Starting ten times nearer takes ten times as long: "
        "{three_near} steps from 0.01, {three} from 0.001 (measured power {power_three:.2f}); with four weights a hundred times "
        "(power {power_four:.2f}). From 10⁻⁹ three weights would need about 5·10⁹ steps. Eleven weights of 0.5 need {eleven}; eleven "
        "drawn with standard deviation 0.1 did not move in {steps}.\n\n"
        "At zero no eigenvalue is negative; there is nothing for the test by eigenvalues to find. The way down exists, of third order, and "
        "has to be probed for. On the walk through zero the plateau of eleven weights reaches to |s| = {plateau:.3f}.",
        holds="All of the demonstration: who starts at zero stays, two weights get away, deeper chains stay near zero. Saddles without "
        "a negative eigenvalue exist from two hidden layers on.",
        fails="One entry of a slide is misprinted: at (0, 0, k) it is −2k, not −2. And the drawn walk starts at 2: that is 1 − ∏w. "
        "The squared loss starts at 4. An even number of weights keeps its product in the mirror image, so the drawing "
        "from 0 back to 0 belongs to an even number: ten weights end at {even_end:.0f}, eleven at {odd_end:.0f}.",
    ),
    "zh": Page(
        title="从零附近开始的深层线性网络",
        question="权重从零附近开始时，深的线性链为什么学不动？",
        lecture="y = w₁x 是凸的，y = w₁w₂x 不是，却仍然容易：它的鞍点容易离开。三个权重时极小全是全局的，"
        "但有些临界点很坏：原点处二阶导数全为零。两个 10⁻⁹ 的权重能离开，三个就不能；十一个随机小权重也停在原处。"
        "从一点经过原点走到镜像，中间有很长的平台。",
        formula="L = (1 − w₁w₂…w_L)²\n"
        "∂²L/∂w₁² = 2(w₂w₃)²，  ∂²L/∂w₁∂w₂ = −2w₃ + 4w₁w₂w₃²  （三个权重）\n"
        "从权重 δ 出发的步数：L = 2 时 ln(1/δ)/ln(1 + 2η)，  L ≥ 3 时 ∝ δ^(2−L)\n"
        "穿过原点：L(s) = (1 + s¹¹)²，平台 |s| < 0.01^(1/11)",
        expectation="两个 10⁻⁹ 的权重第 121 步到达；三个 0.001 的第 5008 步；三个 10⁻⁹ 的到不了。",
        change_mind="若三个 10⁻⁹ 的权重能到达，或两个的到不了。",
        lesson="在两个权重的平面上，{starts} 个随机起点有 {arrived} 个降到 0.001 以下，尽管两个极小的中点损失为 {chord:.3f}。"
        "两个权重的鞍点附近，梯度与距离成正比，距离每步放大同样的倍数，所以从 10⁻⁹ 出发也只要 {two} 步。\n\n"
        "三个权重时梯度是距离的平方。起点近十倍，时间长十倍：从 0.01 要 {three_near} 步，从 0.001 要 {three} 步（实测幂次 {power_three:.2f}）；"
        "四个权重则长一百倍（幂次 {power_four:.2f}）。三个权重从 10⁻⁹ 出发约要 5·10⁹ 步。十一个 0.5 的权重要 {eleven} 步；"
        "十一个标准差 0.1 的随机权重走 {steps} 步也没有动。\n\n"
        "原点处没有负特征值，只看特征值什么也找不到。下降的路是有的，属于三阶，必须探测。穿过原点时，十一个权重的平台一直延伸到 |s| = {plateau:.3f}。",
        holds="演示全部成立：从零开始的停在原处，两个权重能离开，更深的链停在零附近。从两个隐藏层起，就有没有负特征值的鞍点。",
        fails="幻灯片有一处印错：(0, 0, k) 处应为 −2k，不是 −2。所画的穿行从 2 开始，那是 1 − ∏w；平方损失从 4 开始。"
        "偶数个权重与其镜像的乘积同号，所以从 0 又回到 0 的那张图属于偶数个权重：十个终于 {even_end:.0f}，十一个终于 {odd_end:.0f}。",
    ),
}


def _unsquared(weights: Sequence[float]) -> FormulaObjective:
    return FormulaObjective(lambda w: 1 - w.prod(), torch.tensor(list(weights), dtype=torch.float64), name="1 − w1…wL")


def _scaled(rule: Rule, slope: Slope, start: Sequence[float], steps: int) -> Tensor:
    return follow_plainly(Rule(rule.direction, MovingSquare(0.9), lr=rule.lr), slope, start, steps)


follow_plainly = follow

PLANTED = (
    plant("the loss is not squared", __name__, "linear_chain", _unsquared, "slope", "walk, beginning"),
    plant("steps are divided by the gradient's size", __name__, "follow", _scaled, "3 × 0.001"),
)
