"""Any loss at any point: what gradient and Hessian tell of it, and what they leave open."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from unstuck.curvature import dense_matrix, dense_spectrum, extremes, hessian
from unstuck.lab.charts import Axis, Chart, Field, Frame, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, between, same
from unstuck.lab.training import multilayer
from unstuck.lab.words import Both, alike
from unstuck.landscape import Standing, classify
from unstuck.objective import FormulaObjective, ModelObjective
from unstuck.objective.contract import Objective
from unstuck.problems import SMALL_NETWORKS, KnownPoint, toy_surfaces, valley, valley_data

ORDER = 2
COVERS = ("A1", "A2", "A3", "A8", "A9", "A17")
COST = Cost(quick_seconds=1, full_seconds=6)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: When gradient is small",
    "MLDS 2018: the Hessian",
    "surfaces whose answers are known by hand (unstuck.problems.toy_surfaces)",
)
SUBJECT = "unstuck.landscape.classify, unstuck.curvature.hessian"


@dataclass(frozen=True)
class Config:
    """``halvings`` of the distance in the Taylor check, ``grid`` points a side of the pictures, ``directions`` tried;
    ``networks`` whose extreme eigenvalues are computed both ways; ``widths`` of those whose Hessian's cost is counted."""

    halvings: int
    grid: int
    directions: int
    networks: tuple[str, ...]
    widths: tuple[int, ...]


QUICK = Config(halvings=4, grid=31, directions=3, networks=("mlp",), widths=(6, 12, 24))
FULL = Config(
    halvings=5,
    grid=81,
    directions=20,
    networks=("mlp", "cnn", "batch norm", "transformer"),
    widths=(6, 12, 24, 48),
)


def by_signs(values: Tensor) -> str:
    """The lecture's test: the signs of the eigenvalues, and nothing where one is zero beside no opposite pair."""
    low, high = float(values.min()), float(values.max())
    small = 1e-9 * max(abs(low), abs(high), 1e-300)
    if low < -small and high > small:
        return "saddle"
    if low > small:
        return "minimum"
    return "maximum" if high < -small else "undecided"


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Judge nine surfaces, check Taylor on a network, compare products with the whole matrix."""
    points = toy_surfaces()
    signs, verdicts = [], []
    for point in points:
        with point.objective.at() as place:
            signs.append(by_signs(dense_spectrum(hessian(place)).values))
        verdicts.append(classify(point.objective, seed=seed).state)
    right = sum(verdict == point.truth for verdict, point in zip(verdicts, points, strict=True))
    progress(0.4, "surfaces judged")

    network = SMALL_NETWORKS("mlp", seed=seed, steps=5)
    objective = ModelObjective(network.model, network.loss, network.batches)
    radii, gaps = _taylor(objective, config, seed)
    falls = [[a / b for a, b in pairwise(line)] for line in gaps]
    progress(0.6, "Taylor checked")

    costs = [_both_ways(name, seed) for name in config.networks]
    priced = [_price(width, seed) for width in config.widths]
    whole_power, product_power = (_power(priced, of) for of in (1, 2))
    section = FormulaObjective(lambda w: w[0] ** 2, torch.zeros(1, dtype=torch.float64), name="x²")
    x, y = valley_data()
    floor = float((x * (y + 170.0)).sum() / (x * x).sum())
    # On the valley's floor: a stable step changes the loss by a ten-thousandth, and still the gradient is alive.
    alive = classify(valley(intercept=-170.0, slope=floor), seed=seed)
    progress(1.0, "done")

    criteria: list[Criterion] = [
        same("by signs", tuple(signs), ("minimum", "maximum", "saddle", *["undecided"] * 6),
             "signs decide the three plain surfaces and leave six of nine open", "符号只判定三个普通曲面，九个中有六个悬而未决", ruling=2),
        same("by probing", right, len(points), "with the flat directions probed every surface is judged right", "探测平坦方向之后，每个曲面都判对"),
        between("first order", _mean(falls[0]), 3.5, 4.5, "halving the distance divides the gradient's error by 4", "距离减半，一阶误差变为四分之一"),
        between("second order", _mean(falls[1]), 6.5, 9.5, "with the Hessian's term it divides it by 8", "加上黑塞项，误差变为八分之一"),
        same("section", classify(section, seed=seed).state, "minimum", "the section of x² − y² along x has a minimum where the whole has a saddle", "x² − y² 沿 x 的截线在该点是极小，而整个曲面在该点是鞍点"),
        same("alive", alive.state, "descending", "where the gradient is alive nothing is called critical, however slow the loss", "梯度还活着的地方，损失再慢也不叫临界点", ruling=7),
        below("both ways", max(cost[2] for cost in costs), 1e-6, "extreme eigenvalues from products agree with the whole matrix", "由乘积求得的极端特征值与整个矩阵一致"),
        above("the whole Hessian's cost", whole_power, 1.8, "the multiplications that the whole matrix takes grow at least as P^1.8, P being the number of parameters", "求整个矩阵所用的乘法至少按 P^1.8 增长，P 为参数个数"),
        between("a product's cost", product_power, 0.8, 1.2, "those of one product with it as P", "一次乘积所用的则按 P 增长"),
        above("cheaper", min(cost[0] / cost[1] for cost in costs), 2.0, "products needed are a fraction of the matrix's rows", "所需的乘积只是矩阵行数的一小部分"),
    ]  # fmt: skip
    return Result(
        numbers={
            "surfaces": Number(len(points), Both("surfaces", "曲面数")),
            "undecided": Number(signs.count("undecided"), Both("left open by the signs", "仅凭符号未决的")),
            "right": Number(right, Both("judged right after probing", "探测后判对的")),
            "first": Number(_mean(falls[0]), Both("error of the first order, per halving", "每次减半一阶误差缩小的倍数")),
            "second": Number(_mean(falls[1]), Both("error of the second order, per halving", "每次减半二阶误差缩小的倍数")),
            "rows": Number(costs[0][0], Both("rows of the whole matrix", "整个矩阵的行数")),
            "products": Number(costs[0][1], Both("products for both ends", "求两端所用的乘积")),
            "whole_power": Number(whole_power, Both("power of P by which the whole matrix's multiplications grow", "整个矩阵所用乘法按 P 的几次幂增长")),
            "product_power": Number(product_power, Both("the same of one product", "同上，一次乘积")),
            "slope": Number(float(alive.evidence["gradient_norm"] or 0), Both("gradient on the valley's floor", "谷底的梯度")),
        },
        criteria=tuple(criteria),
        figures=(_surfaces(points, config.grid), _errors(radii, gaps)),
        tables=(
            Table(
                Both("What the signs say, and what is true", "符号的说法与真相"),
                (Both("surface", "曲面"), Both("by signs", "凭符号"), Both("after probing", "探测之后"), Both("truth", "真相")),
                tuple((p.name, s, v, p.truth) for p, s, v in zip(points, signs, verdicts, strict=True)),
            ),
            Table(
                Both("What the Hessian costs, counted", "黑塞矩阵的代价，逐一计数"),
                (Both("parameters", "参数个数"), Both("multiplications and additions, whole", "乘加次数，整个矩阵"), Both("one product", "一次乘积"), Both("numbers to store, whole", "须存储的数，整个矩阵")),
                tuple((size, whole, one, size * size) for size, whole, one in priced),
            ),
        ),
    )  # fmt: skip


def _mean(ratios: list[float]) -> float:
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))


def _taylor(objective: Objective, config: Config, seed: int) -> tuple[list[float], list[list[float]]]:
    """Distances, and mean |L − T| with one term and with two."""
    source = torch.Generator().manual_seed(seed)
    place = objective.start()
    radii = [0.2 * 0.5**k for k in range(config.halvings + 1)]
    gaps = torch.zeros(2, len(radii), dtype=torch.float64)
    with objective.at() as point:
        product = hessian(point)
        for _ in range(config.directions):
            v = torch.randn(objective.size, generator=source, dtype=torch.float64)
            v /= v.norm()
            slope, curve = float(point.gradient @ v), float(v @ product(v))
            for index, r in enumerate(radii):
                change = objective.value(place + r * v) - point.value
                gaps[0, index] += abs(change - r * slope)
                gaps[1, index] += abs(change - r * slope - 0.5 * r * r * curve)
    return radii, (gaps / config.directions).tolist()


def _both_ways(name: str, seed: int) -> tuple[int, int, float]:
    """Rows of the matrix, products that both ends took, and their largest disagreement."""
    network = SMALL_NETWORKS(name, seed=seed, steps=5)
    objective = ModelObjective(network.model, network.loss, network.batches)
    with objective.at() as point:
        values = dense_spectrum(hessian(point)).values
        ends = extremes(hessian(point), largest=1, smallest=1, tolerance=1e-7, seed=seed)
    scale = float(values.abs().max())
    gap = max(abs(ends.largest[0].value - float(values[-1])), abs(ends.smallest[0].value - float(values[0])))
    return objective.size, ends.products, gap / scale


def _price(width: int, seed: int) -> tuple[int, int, int]:
    """Parameters of a network with two hidden layers, and the multiplications and additions in products of matrices that
    its whole Hessian takes, and one product with it. Counted, not timed: the same on every machine."""
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(50, 6, generator=source, dtype=torch.float64)
    y = torch.randint(3, (50,), generator=source)
    model = multilayer((6, width, width, 3), nn.Tanh, dtype=torch.float64, seed=seed)
    objective = ModelObjective(model, F.cross_entropy, (x, y))
    with objective.at() as point:
        operator = hessian(point)
        with FlopCounterMode(display=False) as whole:
            dense_matrix(operator)
        with FlopCounterMode(display=False) as one:
            operator(torch.ones(objective.size, dtype=torch.float64))
    return objective.size, whole.get_total_flops(), one.get_total_flops()


def _power(priced: list[tuple[int, int, int]], of: int) -> float:
    """Least squares' slope of the logarithm of a cost over that of the parameters."""
    rows = torch.tensor(priced, dtype=torch.float64).log()
    size, cost = rows[:, 0] - rows[:, 0].mean(), rows[:, of]
    return float((size @ cost) / (size @ size))


def _surfaces(points: list[KnownPoint], grid: int) -> Chart:
    axis = torch.linspace(-1, 1, grid, dtype=torch.float64)
    frames = []
    for point in points:
        values = torch.tensor(point.objective.values(torch.cartesian_prod(axis, axis))).reshape(grid, grid)
        words = Both("loss", "损失")
        field = Field(
            axis.tolist(), axis.tolist(), values.T.tolist(), words, levels=(-1.0, -0.3, -0.05, 0.0, 0.05, 0.3, 1.0)
        )
        zh = {"minimum": "极小", "maximum": "极大", "saddle": "鞍点", "flat": "平坦"}[point.truth]
        frames.append(Frame(Both(f"{point.name}: {point.truth}", f"{point.name}：{zh}"), (field,)))
    return Chart(
        "surfaces",
        Both("Nine surfaces around the origin", "原点附近的九个曲面"),
        Axis(alike("x"), limits=(-1, 1)),
        Axis(alike("y"), limits=(-1, 1)),
        (),
        Both("Move the slider. The last six look alike to the eigenvalues: one or two of them are zero.", "移动滑块。后六个曲面的特征值看不出区别：其中有一个或两个为零。"),
        frames=tuple(frames),
        frames_label=Both("Surface", "曲面"),
        square=True,
    )  # fmt: skip


def _errors(radii: list[float], gaps: list[list[float]]) -> Chart:
    return Chart(
        "taylor",
        Both("How far Taylor's formula reaches", "泰勒公式能用多远"),
        Axis(Both("distance from the point", "到该点的距离"), log=True),
        Axis(Both("error of the approximated loss", "近似损失的误差"), log=True),
        (
            Line(radii, gaps[0], Both("gradient only: falls as r²", "只用梯度：按 r² 下降"), color=3, marked=True),
            Line(radii, gaps[1], Both("gradient and Hessian: falls as r³", "梯度加黑塞：按 r³ 下降"), color=2, marked=True),
        ),
        Both("A small network, mean over random directions.", "一个小网络，对随机方向取平均。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Minimum, saddle, or neither",
        question="What do gradient and Hessian say about a point, and where do they fall silent?",
        lecture="Near a point the loss is its value plus a gradient term plus half a Hessian term. Where the gradient is "
        "zero the Hessian decides: all eigenvalues positive, a local minimum; all negative, a local maximum; both signs, a "
        "saddle.",
        formula="L(θ) ≈ L(θ′) + (θ − θ′)ᵀg + ½ (θ − θ′)ᵀH(θ − θ′)\n"
        "all λ > 0: minimum    all λ < 0: maximum    both signs: saddle\n"
        "some λ = 0 and no opposite signs: undecided",
        expectation="The error of the quadratic model falls with the cube of the distance; the signs decide plain surfaces; "
        "probing decides the rest.",
        change_mind="A surface judged wrong after probing, or an error that falls more slowly.",
        lesson="Halving the distance divides the error by {first:.2f} with the gradient alone and by {second:.2f} with the "
        "Hessian: squares and cubes, as they should be.\n\n"
        "Of {surfaces} surfaces the signs of the eigenvalues leave {undecided} open: a zero eigenvalue says that the loss "
        "is flat to second order, and x² + y⁴, x² − y⁴ and x² + y³ have the very same Hessian at the origin. Looking at the "
        "loss itself along the flat directions, at several distances, decides all of them: {right} of {surfaces} right.\n\n"
        "None of this applies where the gradient is not zero. On the floor of a long valley the loss hardly moves, yet the "
        "gradient is {slope:.3g}: not a critical point.\n\n"
        "The whole Hessian is dear: what it takes to compute grows as the power {whole_power:.2f} of the number of parameters, and P² numbers must be "
        "kept. One product with it grows as the power {product_power:.2f}. And the whole is rarely needed: its two ends came from {products} products instead "
        "of {rows} rows.",
        holds="Taylor's formula with the factor ½, and the three plain cases.",
        fails="Zero eigenvalues, the rule in networks rather than the exception, are missing from the three cases. In one "
        "of the notes “all negative” reads local minimum; it is a maximum.",
    ),
    "zh": Page(
        title="极小、鞍点，还是都不是",
        question="关于一个点，梯度和黑塞矩阵能说什么，又在哪里说不出话？",
        lecture="在一点附近，损失等于该点的值加上梯度项，再加上一半的黑塞项。梯度为零时由黑塞矩阵决定："
        "特征值全正为局部极小，全负为局部极大，有正有负为鞍点。",
        formula="L(θ) ≈ L(θ′) + (θ − θ′)ᵀg + ½ (θ − θ′)ᵀH(θ − θ′)\n"
        "所有 λ > 0：极小    所有 λ < 0：极大    有正有负：鞍点\n"
        "有 λ = 0 且无异号：未决",
        expectation="二次近似的误差按距离的立方下降；符号能判定普通曲面；其余由探测判定。",
        change_mind="若探测之后仍有曲面判错，或误差下降得更慢。",
        lesson="距离减半，只用梯度时误差缩小 {first:.2f} 倍，加上黑塞项缩小 {second:.2f} 倍：正是平方与立方。\n\n"
        "{surfaces} 个曲面中，特征值的符号有 {undecided} 个判不出来：零特征值只说明损失在二阶上是平的，"
        "x² + y⁴、x² − y⁴ 与 x² + y³ 在原点的黑塞矩阵一模一样。沿平坦方向在几种距离上直接看损失，"
        "就能全部判定：{surfaces} 个中判对 {right} 个。\n\n"
        "梯度不为零时，这一切都不适用。长谷的谷底损失几乎不动，梯度却有 {slope:.3g}：那不是临界点。\n\n"
        "整个黑塞矩阵很贵：计算量按参数个数的 {whole_power:.2f} 次幂增长，还要存 P² 个数；与它的一次乘积则按 {product_power:.2f} 次幂增长。"
        "而且很少需要整个矩阵：它的两端只用了 {products} 次乘积，而不是 {rows} 行。",
        holds="带 ½ 的泰勒公式，以及三种普通情形。",
        fails="三种情形漏掉了零特征值，而在网络里那是常态而非例外。有一份讲义把“全负”写成局部极小，应为极大。",
    ),
}

_right_classify, _right_hessian = classify, hessian


def _signs_only(objective: Objective, **options: object) -> Standing:
    """Decides by the signs alone, and takes a zero for a minimum."""
    standing = _right_classify(objective)
    with objective.at() as point:
        said = by_signs(dense_spectrum(_right_hessian(point)).values)
    state = "minimum" if said == "undecided" else said
    return Standing(state, standing.sentence, standing.evidence)  # type: ignore[arg-type]


def _doubled(point: object) -> object:
    operator = _right_hessian(point)  # type: ignore[arg-type]
    product = operator.product
    operator.product, operator.block = (lambda v: 2 * product(v)), None
    return operator


PLANTED = (
    plant("zero eigenvalues count as positive", __name__, "classify", _signs_only, "by probing"),
    plant("the factor ½ is forgotten", __name__, "hessian", _doubled, "second order"),
)
