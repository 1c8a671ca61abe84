"""Are the signs of a Hessian's eigenvalues thrown coins? Random symmetric matrices say: minima are far rarer than that."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.lab.charts import Axis, Bars, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near
from unstuck.lab.words import Both, alike
from unstuck.linalg.random_start import generator

ORDER = 21
COVERS = ("K1",)
COST = Cost(quick_seconds=1, full_seconds=20)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: When gradient is zero; conjecture about deep networks",
    "Dean and Majumdar 2006: Large deviations of extreme eigenvalues of random matrices",
    "the orthant probabilities (2 − √2)/4 and (π − 2√2)/4π, by integration of the eigenvalues' density",
)
SUBJECT = "unstuck.lab.experiments.coin_vs_matrix.eigenvalues, unstuck.lab.experiments.coin_vs_matrix.coin_values"


@dataclass(frozen=True)
class Config:
    """``draws`` of matrices for each size up to ``largest``."""

    draws: int
    largest: int


QUICK = Config(draws=120_000, largest=4)
FULL = Config(draws=1_000_000, largest=5)

EXACT: Mapping[int, float] = {1: 0.5, 2: (2 - math.sqrt(2)) / 4, 3: (math.pi - 2 * math.sqrt(2)) / (4 * math.pi)}
KNOWN: Mapping[int, float] = {4: 0.00245, 5: 0.00013}  # two digits each, drawn once


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Count matrices of either kind whose eigenvalues are all positive, all negative, mixed."""
    coins = {size: _shares(coin_values(config.draws, size, generator(100 * seed + size))) for size in (1, 2, 10)}
    matrices: dict[int, _Shares] = {}
    for size in range(1, config.largest + 1):
        matrices[size] = _shares(eigenvalues(config.draws, size, generator(100 * seed + 50 + size)))
        progress(size / config.largest, f"matrices of size {size}")
    gaps = {
        "matrix": _gaps(eigenvalues(config.draws, 2, generator(seed))),
        "coin": _gaps(_independent(config.draws, generator(seed))),
    }
    close = {name: float((gap < 0.1).double().mean()) for name, gap in gaps.items()}

    def sigmas(probability: float, count: float = 3.0) -> float:
        return count * math.sqrt(probability * (1 - probability) / config.draws) + 1e-12

    criteria: list[Criterion] = []
    for size, shares in coins.items():
        chance = 0.5**size
        criteria += [
            near(f"coins, minimum, N = {size}", shares.minimum, chance, sigmas(chance), f"of {size} thrown coins all are positive with probability 2^−{size}", f"{size} 枚硬币全为正的概率是 2^−{size}"),
            near(f"coins, saddle, N = {size}", shares.saddle, 1 - 2 * chance, sigmas(2 * chance), f"and mixed with 1 − 2^{1 - size}", f"有正有负的概率是 1 − 2^{1 - size}"),
        ]  # fmt: skip
    for size, chance in EXACT.items():
        criteria.append(near(f"matrix, N = {size}", matrices[size].minimum, chance, sigmas(chance), f"of symmetric matrices of size {size} all eigenvalues are positive with probability {chance:.4f}", f"{size} 阶对称矩阵的特征值全为正的概率是 {chance:.4f}", ruling=12 if size > 1 else None))  # fmt: skip
    for size, chance in KNOWN.items():
        if size in matrices:
            criteria.append(near(f"matrix, N = {size}", matrices[size].minimum, chance, sigmas(chance) + 0.05 * chance, f"of size {size} with {chance:g}", f"{size} 阶时约为 {chance:g}", ruling=12))  # fmt: skip
    mirrored = max(
        abs(shares.minimum - shares.maximum) / (sigmas(shares.minimum + 1e-9, 1.0) * math.sqrt(2))
        for shares in matrices.values()
    )
    criteria += [
        near("saddle, N = 2", matrices[2].saddle, math.sqrt(0.5), sigmas(math.sqrt(0.5)), "a matrix of size 2 is a saddle with probability 0.707, not 0.5", "2 阶矩阵是鞍点的概率为 0.707，而不是 0.5", ruling=12),
        below("minima and maxima", mirrored, 4, "minima are as frequent as maxima", "极小与极大一样常见"),
        above("rarer", 0.5**config.largest / max(matrices[config.largest].minimum, 1e-12), 10, "at the largest size minima are more than ten times rarer than coins say", "在最大的阶数上，极小比硬币模型稀少十倍以上", ruling=12),
        below("eigenvalues keep apart", close["matrix"] / close["coin"], 0.25, "two eigenvalues of one matrix are hardly ever close; independent numbers often are", "同一矩阵的两个特征值极少靠近，独立的数却常常靠近"),
    ]  # fmt: skip
    last = matrices[config.largest].minimum
    return Result(
        numbers={
            "two": Number(matrices[2].minimum, Both("share of minima, size 2", "2 阶时极小的比例")),
            "three": Number(matrices[3].minimum, Both("share of minima, size 3", "3 阶时极小的比例")),
            "four": Number(matrices[4].minimum, Both("share of minima, size 4", "4 阶时极小的比例")),
            "four_coins": Number(0.5**4, Both("the same for four coins", "四枚硬币时的比例")),
            "saddle": Number(matrices[2].saddle, Both("share of saddles, size 2", "2 阶时鞍点的比例")),
            "ten": Number(coins[10].minimum, Both("share of ten coins all positive", "十枚硬币全为正的比例")),
            "draws": Number(config.draws, Both("drawn for each size", "每种阶数的抽样数")),
            "exponent": Number(-math.log(max(last, 1e-12)) / config.largest**2, Both("−ln P / N² at the largest size", "最大阶数处的 −ln P / N²")),
            "limit": Number(math.log(3) / 4, Both("its limit, ln 3 / 4", "其极限 ln 3 / 4")),
            "close_matrix": Number(close["matrix"], Both("share of pairs closer than a tenth of the mean, matrices", "间距小于平均值十分之一的比例（矩阵）")),
            "close_coin": Number(close["coin"], Both("the same, independent", "同上（独立）")),
        },
        criteria=tuple(criteria),
        figures=(_chances(matrices), _spacing(gaps)),
        tables=(
            Table(
                Both("Shares of minima, maxima and saddles", "极小、极大与鞍点的比例"),
                (alike("N"), Both("minimum, coins", "极小（硬币）"), Both("minimum, matrices", "极小（矩阵）"), Both("maximum, matrices", "极大（矩阵）"), Both("saddle, matrices", "鞍点（矩阵）")),
                tuple((size, 0.5**size, s.minimum, s.maximum, s.saddle) for size, s in matrices.items()),
            ),
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class _Shares:
    minimum: float
    maximum: float
    saddle: float


def _shares(values: Tensor) -> _Shares:
    up, down = (values > 0).all(1).double().mean(), (values < 0).all(1).double().mean()
    return _Shares(float(up), float(down), 1 - float(up + down))


def coin_values(draws: int, size: int, source: torch.Generator) -> Tensor:
    """Signs, each on its own: (draws, size) of ±1."""
    return 2.0 * torch.randint(0, 2, (draws, size), generator=source).double() - 1


def eigenvalues(draws: int, size: int, source: torch.Generator) -> Tensor:
    """Of symmetric matrices with normal entries, variance 1 beside the diagonal and 2 on it: (draws, size), ascending."""
    return torch.cat(
        [
            torch.linalg.eigvalsh(_symmetric(min(50_000, draws - begun), size, source))
            for begun in range(0, draws, 50_000)
        ]
    )


def _symmetric(draws: int, size: int, source: torch.Generator) -> Tensor:
    entries = torch.randn(draws, size, size, generator=source, dtype=torch.float64)
    return (entries + entries.transpose(1, 2)) / math.sqrt(2)


def _independent(draws: int, source: torch.Generator) -> Tensor:
    return torch.randn(draws, 2, generator=source, dtype=torch.float64)


def _gaps(pairs: Tensor) -> Tensor:
    gaps = (pairs[:, 1] - pairs[:, 0]).abs()
    return gaps / gaps.mean()


def _chances(matrices: Mapping[int, _Shares]) -> Chart:
    sizes = list(matrices)
    shown = [size for size in sizes if matrices[size].minimum > 0]
    return Chart(
        "chances",
        Both("How likely is a minimum?", "极小有多大可能？"),
        Axis(Both("number of eigenvalues N", "特征值个数 N"), ticks=tuple((float(n), alike(str(n))) for n in sizes)),
        Axis(Both("probability that all are positive", "全为正的概率"), log=True),
        (
            Line(sizes, [0.5**n for n in sizes], Both("coins: 2^−N", "硬币：2^−N"), color=1, marked=True),
            Line(
                shown,
                [matrices[n].minimum for n in shown],
                Both("random symmetric matrices", "随机对称矩阵"),
                color=2,
                marked=True,
            ),
            Line(
                sizes,
                [3 ** (-n * n / 4) for n in sizes],
                Both("exp(−N² ln 3 / 4)", "exp(−N² ln 3 / 4)"),
                color=0,
                dashed=True,
            ),
        ),
        Both(
            "Coins fall in a straight line; matrices fall as the square of their size.",
            "硬币是一条直线；矩阵按阶数的平方下降。",
        ),
    )


def _spacing(gaps: Mapping[str, Tensor]) -> Chart:
    edges = torch.linspace(0, 3, 31, dtype=torch.float64)
    heights = {name: (torch.histc(gap, 30, 0, 3) / len(gap) / 0.1).tolist() for name, gap in gaps.items()}
    middles = (edges[:-1] + 0.05).tolist()
    return Chart(
        "spacing",
        Both("Eigenvalues of one matrix keep apart", "同一矩阵的特征值彼此排斥"),
        Axis(Both("gap of two, in mean gaps", "两者间距（以平均间距计）")),
        Axis(Both("density", "密度")),
        (
            Bars(middles, heights["matrix"], Both("two eigenvalues of a matrix", "矩阵的两个特征值"), color=2, width=0.09),
            Line(middles, heights["coin"], Both("two independent numbers", "两个独立的数"), color=1),
            Level(x=1.0),
        ),
        Both("Near zero the density of gaps vanishes for matrices. Whoever keeps apart is pushed to both sides of zero.", "矩阵的间距密度在零处消失。彼此排斥，就会被推到零的两侧。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Coins against random matrices",
        question="How much rarer are minima than saddles when there are many parameters?",
        lecture="Each of N eigenvalues is positive or negative with probability one half. All are positive with probability 2^−N: "
        "½ for one, ¼ for two, 1/1024 for ten. So with many parameters nearly every critical point is a saddle.",
        formula="coins: P(min) = P(max) = 2^−N,  P(saddle) = 1 − 2^(1−N)\n"
        "matrices: P(min) = ½, (2 − √2)/4, (π − 2√2)/4π, …  ~ exp(−(ln 3 / 4) N²)",
        expectation="Coins as computed; matrices 0.1464 at N = 2 and 0.0249 at N = 3, within three standard errors.",
        change_mind="Matrices that follow 2^−N.",
        lesson="Of ten coins all were positive in {ten:.5f} of {draws} throws, as computed. But the eigenvalues of a symmetric matrix are not "
        "thrown one by one. They keep apart: two of one matrix are closer than a tenth of their mean distance in "
        "{close_matrix:.4f} of the cases, two independent numbers in {close_coin:.3f}.\n\n"
        "So they spread to both sides of zero, and all on one side is rarer than coins say: {two:.4f} instead of 0.25 for two, {three:.4f} "
        "instead of 0.125 for three, {four:.5f} instead of {four_coins:.4f} for four. The exponent grows with N², not with N: "
        "−ln P / N² is {exponent:.3f} here, on its way down to {limit:.3f}.",
        holds="The conclusion, and more strongly than stated: among random critical points minima are vanishingly rare. Coins are "
        "counted rightly: 2^−N.",
        fails="The coins are an assumption, and not true of symmetric matrices: a random one of size 2 is a saddle with "
        "probability {saddle:.3f}, not ½. Nor is a Hessian at the end of training such a random matrix: descent does "
        "not draw its critical points at random.",
    ),
    "zh": Page(
        title="硬币与随机矩阵",
        question="参数很多时，极小比鞍点稀少多少？",
        lecture="N 个特征值各以一半的概率为正或负，全为正的概率是 2^−N：一个时 ½，两个时 ¼，十个时 1/1024。"
        "所以参数很多时，几乎每个临界点都是鞍点。",
        formula="硬币：P(极小) = P(极大) = 2^−N，  P(鞍点) = 1 − 2^(1−N)\n"
        "矩阵：P(极小) = ½, (2 − √2)/4, (π − 2√2)/4π, …  ~ exp(−(ln 3 / 4) N²)",
        expectation="硬币如计算所示；矩阵在 N = 2 时为 0.1464，N = 3 时为 0.0249，误差在三个标准误之内。",
        change_mind="若矩阵也遵循 2^−N。",
        lesson="{draws} 次抛掷中，十枚硬币全为正的比例是 {ten:.5f}，与计算相符。但对称矩阵的特征值不是一个个抛出来的。"
        "它们彼此排斥：同一矩阵的两个特征值，间距小于平均值十分之一的情形占 {close_matrix:.4f}，两个独立的数则占 {close_coin:.3f}。\n\n"
        "于是它们散到零的两侧，全在一侧比硬币所说的更稀少：两个时是 {two:.4f} 而非 0.25，三个时是 {three:.4f} 而非 0.125，"
        "四个时是 {four:.5f} 而非 {four_coins:.4f}。指数随 N² 而不是 N 增长：这里 −ln P / N² 为 {exponent:.3f}，正趋向 {limit:.3f}。",
        holds="结论成立，而且比所说的更强：在随机的临界点中，极小稀少到可以忽略。硬币的计数 2^−N 也没有错。",
        fails="硬币只是假设，对对称矩阵并不成立：2 阶随机矩阵是鞍点的概率为 {saddle:.3f}，而不是 ½。"
        "训练终点的黑塞矩阵也不是这样的随机矩阵：下降并不是随机地抽取临界点。",
    ),
}


def _diagonal_only(draws: int, size: int, source: torch.Generator) -> Tensor:
    return torch.diag_embed(torch.randn(draws, size, generator=source, dtype=torch.float64))


def _one_triangle(draws: int, size: int, source: torch.Generator) -> Tensor:
    """The other triangle is copied but not averaged, and the diagonal is left as small as the rest."""
    entries = torch.randn(draws, size, size, generator=source, dtype=torch.float64)
    return entries.tril() + entries.tril(-1).transpose(1, 2)


PLANTED = (
    plant(
        "the entries beside the diagonal are forgotten",
        __name__,
        "_symmetric",
        _diagonal_only,
        "matrix, N = 2",
        "eigenvalues keep apart",
    ),
    plant("the diagonal has the variance of the rest", __name__, "_symmetric", _one_triangle, "matrix, N = 2"),
)
