"""The linear autoencoder: every critical point is known, with its loss and its number of ways down."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import Operator, dense_spectrum, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.words import Both
from unstuck.landscape import deep_linear
from unstuck.landscape.deep_linear import decide_deep_linear
from unstuck.objective.contract import Point
from unstuck.optim import SGD
from unstuck.problems import KnownPoint, baldi_hornik

ORDER = 16
COVERS = ("D6", "D7", "D8", "K3", "A14")
COST = Cost(quick_seconds=1, full_seconds=10)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: When gradient is zero; Deep linear network",
    "Baldi and Hornik 1989: Neural networks and principal component analysis",
    "Kawaguchi 2016: Deep learning without poor local minima, theorem 2.3 and corollary 2.4",
    "Yun, Sra and Jadbabaie 2018: Global optimality conditions for deep neural networks",
)
SUBJECT = "unstuck.landscape.deep_linear.decide_deep_linear, unstuck.curvature.dense_spectrum"


@dataclass(frozen=True)
class Config:
    """``shapes``: (inputs, hidden units) of the networks judged; ``starts`` and ``steps`` of the descents."""

    shapes: tuple[tuple[int, int], ...]
    starts: int
    steps: int


QUICK = Config(shapes=((5, 2),), starts=24, steps=1500)
FULL = Config(shapes=((5, 2), (6, 3), (7, 3), (7, 4)), starts=200, steps=4000)


@dataclass(frozen=True)
class _Judged:
    """One critical point as it was measured."""

    point: KnownPoint
    loss: float
    slope: float
    negative: int
    zero: int
    called_minimum: bool


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Judge all critical points of each network; descend from random starts in the first."""
    judged: dict[tuple[int, int], list[_Judged]] = {}
    for index, (size, hidden) in enumerate(config.shapes):
        judged[size, hidden] = [_judge(p, size, hidden, seed) for p in baldi_hornik(size, hidden, seed=seed)]
        progress(0.6 * (index + 1) / len(config.shapes), f"{size}-{hidden}-{size}")
    everything = [one for group in judged.values() for one in group]
    size, hidden = config.shapes[0]
    first = judged[size, hidden]
    best = min(one.loss for one in first)

    curves = _descents(_covariance(size, seed), hidden, config.starts, config.steps, seed)
    ends = curves[-1]
    progress(0.9, "descended")
    origin = _origin(size, hidden, seed)
    covariance = _covariance(size, seed)
    realizable = _decision(torch.eye(size), torch.eye(size), covariance)
    chains = _chain_decisions()
    mirrored = _midpoint_gap(first[-1].point)

    losses = [one.loss for one in first]
    return Result(
        numbers={
            "points": Number(len(first), Both("critical points of full rank", "满秩临界点的个数")),
            "best": Number(best, Both("loss of the only minimum", "唯一极小点的损失")),
            "worst": Number(max(losses), Both("loss of the highest of them", "其中最高的损失")),
            "most": Number(
                max(one.negative for one in first), Both("most ways down at one of them", "单点最多的下降方向数")
            ),
            "slope": Number(
                max(one.slope for one in everything),
                Both("largest gradient norm at a point", "临界点处梯度范数的最大值"),
            ),
            "origin": Number(origin, Both("ways down at zero weights", "权重全零处的下降方向数")),
            "spread": Number(
                float((ends - best).abs().max()),
                Both("farthest end of a descent above the minimum", "各次下降终点与极小损失的最大差"),
            ),
            "realizable": Number(
                realizable.best,
                Both("least loss with as many hidden units as inputs", "隐藏单元与输入同样多时的最小损失"),
            ),
            "midpoint": Number(
                mirrored, Both("loss halfway between two equal minima, above them", "两个等高极小的中点高出的损失")
            ),
        },
        criteria=(
            below(
                "standing still",
                max(one.slope for one in everything),
                1e-11,
                "the gradient is zero at every point",
                "每一点处梯度为零",
            ),
            below(
                "losses",
                max(abs(one.loss - (one.point.loss or 0)) for one in everything),
                1e-11,
                "the loss is tr Σ less the chosen eigenvalues",
                "损失等于 tr Σ 减去被选中的特征值",
            ),
            same(
                "ways down",
                sum(one.negative == one.point.negative for one in everything),
                len(everything),
                "negative eigenvalues are as many as pairs of a chosen and a larger unchosen one, at every point",
                "每一点处负特征值的个数等于“被选者小于未选者”的对数",
            ),
            same(
                "flat directions",
                sum(one.zero == one.point.zero for one in everything),
                len(everything),
                "zero eigenvalues number hidden², at every point",
                "每一点处零特征值有 hidden² 个",
            ),
            same(
                "exact test",
                sum(one.called_minimum == (one.point.truth == "minimum") for one in everything),
                len(everything),
                "the exact test tells the minimum from the saddles everywhere",
                "精确判据处处分清极小与鞍点",
            ),
            same(
                "exact test of chains",
                chains,
                (False, False, True, True),
                "where eigenvalues are silent the exact test decides: chains of two and of three zero weights are no minimum, "
                "(2, ½) and (2, ½, 1) are",
                "特征值无从判定之处，精确判据能够判定：两个、三个零权重的链不是极小，(2, ½) 与 (2, ½, 1) 是",
            ),
            same(
                "one minimum",
                tuple(sum(one.called_minimum for one in group) for group in judged.values()),
                (1,) * len(judged),
                "each network has one minimum: the largest eigenvalues",
                "每个网络只有一个极小：取最大的特征值",
            ),
            same(
                "no saddle without a way down",
                sum(one.negative == 0 for one in everything),
                len(judged),
                "with one hidden layer every saddle has a negative eigenvalue",
                "只有一个隐藏层时，每个鞍点都有负特征值",
            ),
            below(
                "index and loss",
                max(abs(one.negative - (one.loss - best)) for one in first),
                1e-9,
                "with eigenvalues 1, 2, …, n the number of ways down is exactly the loss above the minimum",
                "特征值为 1, 2, …, n 时，下降方向数恰为损失高出极小的量",
            ),
            same(
                "ways down at zero",
                origin,
                size * hidden,
                "at zero weights half of all directions lead down",
                "权重全零处恰有一半方向向下",
            ),
            above(
                "not convex",
                mirrored,
                1.0,
                "halfway between two equal minima the loss is higher: the surface is not convex",
                "两个等高极小的中点损失更高：曲面非凸",
            ),
            below(
                "and yet easy",
                float((ends - best).abs().max()),
                1e-3,
                "every descent from a random start ends at the global minimum",
                "每次从随机起点的下降都到达全局极小",
            ),
            above(
                "not zero",
                best,
                1.0,
                "the least loss is above zero where hidden units are too few: the sketch “minimum = 0 = global” needs data that can be fit",
                "隐藏单元不够时最小损失大于零：“极小 = 0 = 全局”这一思路要求数据可以被拟合",
                ruling=9,
            ),
            near(
                "zero when realizable",
                realizable.best,
                0.0,
                1e-12,
                "with as many hidden units as inputs the least loss is zero",
                "隐藏单元与输入同样多时最小损失为零",
            ),
            same(
                "narrow is enough",
                hidden < size and all(one.called_minimum == (one.negative == 0) for one in first),
                True,
                "the hidden layer is narrower than the inputs, and still every minimum is global: the lecture's width is not needed",
                "隐藏层比输入窄，极小仍全是全局的：讲义要求的宽度并非必要",
                ruling=9,
            ),
        ),
        figures=(_index(first), _curves(curves, losses)),
        tables=(
            Table(
                Both("Every critical point of full rank", "全部满秩临界点"),
                (
                    Both("eigenvectors chosen", "选中的特征向量"),
                    Both("loss", "损失"),
                    Both("negative", "负"),
                    Both("zero", "零"),
                    Both("verdict", "判定"),
                ),
                tuple(
                    (
                        one.point.name.partition("eigenvectors ")[2],
                        one.loss,
                        one.negative,
                        one.zero,
                        Both("minimum", "极小") if one.called_minimum else Both("saddle", "鞍点"),
                    )
                    for one in sorted(first, key=lambda one: one.loss)
                ),
            ),
        ),
    )


def _covariance(size: int, seed: int) -> Tensor:
    """Σ, put together from the networks of one hidden unit, which stand on one eigenvector each."""
    total = size * (size + 1) / 2
    return torch.stack(
        [
            (total - (p.loss or 0.0)) * torch.outer(v := p.objective.start()[:size], v)
            for p in baldi_hornik(size, 1, seed=seed)
        ]
    ).sum(0)


def _decision(out: Tensor, into: Tensor, covariance: Tensor) -> deep_linear.LinearDecision:
    data = torch.linalg.cholesky(covariance).T
    return decide_deep_linear([into.double(), out.double()], data, data)


def _judge(point: KnownPoint, size: int, hidden: int, seed: int) -> _Judged:
    start = point.objective.start()
    with point.objective.at() as here:
        values = dense_spectrum(hessian(here)).values
        slope = float(here.gradient.norm())
    blur = 1e-9 * float(values.abs().max())
    out, into = start[: size * hidden].reshape(size, hidden), start[size * hidden :].reshape(hidden, size)
    return _Judged(
        point,
        here.value,
        slope,
        int((values < -blur).sum()),
        int((values.abs() <= blur).sum()),
        _decision(out, into, _covariance(size, seed)).minimum,
    )


def _chain_decisions() -> tuple[bool, ...]:
    """Whether chains of one-weight layers stand at a minimum, on the datum x = y = 1: two at zero, two on w₁w₂ = 1."""
    one = torch.ones(1, 1, dtype=torch.float64)
    chains = ((0.0, 0.0), (0.0, 0.0, 0.0), (2.0, 0.5), (2.0, 0.5, 1.0))
    return tuple(decide_deep_linear([w * one for w in chain], one, one).minimum for chain in chains)


def _origin(size: int, hidden: int, seed: int) -> int:
    objective = baldi_hornik(size, hidden, seed=seed)[0].objective
    with objective.at(torch.zeros(objective.size, dtype=torch.float64)) as here:
        return int((dense_spectrum(hessian(here)).values < -1e-9).sum())


def _midpoint_gap(minimum: KnownPoint) -> float:
    """(A, B) and (−A, −B) are one function; halfway stand zero weights."""
    start, value = minimum.objective.start(), minimum.objective.value
    return value(0 * start) - max(value(start), value(-start))


def _descents(covariance: Tensor, hidden: int, starts: int, steps: int, seed: int) -> Tensor:
    """Losses (steps + 1, starts) of gradient descents from small random weights, all at once."""
    source = torch.Generator().manual_seed(seed)
    size = len(covariance)
    out = (0.1 * torch.randn(starts, size, hidden, generator=source, dtype=torch.float64)).requires_grad_()
    into = (0.1 * torch.randn(starts, hidden, size, generator=source, dtype=torch.float64)).requires_grad_()
    optimizer = SGD([out, into], lr=0.02)
    rows = []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        gap = torch.eye(size, dtype=torch.float64) - out @ into
        losses = torch.einsum("sij,jk,sik->s", gap, covariance, gap)
        torch.autograd.backward(losses.sum())
        rows.append(losses.detach())
        optimizer.step()
    return torch.stack(rows)


def _index(first: Sequence[_Judged]) -> Chart:
    saddles = [one for one in first if not one.called_minimum]
    lowest = [one for one in first if one.called_minimum]
    return Chart(
        "index",
        Both("The higher a critical point, the more ways down", "临界点越高，下降的方向越多"),
        Axis(Both("negative eigenvalues", "负特征值个数")),
        Axis(Both("loss", "损失")),
        (
            Scatter(
                [one.negative for one in saddles],
                [one.loss for one in saddles],
                Both("saddles", "鞍点"),
                color=2,
                size=60,
            ),
            Scatter(
                [one.negative for one in lowest],
                [one.loss for one in lowest],
                Both("the minimum", "极小"),
                color=3,
                shape="*",
                size=160,
            ),
        ),
        Both(
            "All critical points of full rank of the 5-2-5 linear autoencoder. Some points lie on one another.",
            "5-2-5 线性自编码器的全部满秩临界点；有些点重合。",
        ),
    )


def _curves(curves: Tensor, levels: Sequence[float]) -> Chart:
    shown = curves[:500, :12]
    low = min(levels)
    return Chart(
        "descents",
        Both("Descents from small random weights", "从随机小权重出发的下降"),
        Axis(Both("step", "步数")),
        Axis(Both("loss", "损失")),
        (
            *(
                Line(
                    list(range(len(shown))),
                    column.tolist(),
                    Both("descents", "下降过程") if index == 0 else None,
                    color=1,
                    thin=True,
                )
                for index, column in enumerate(shown.T)
            ),
            Level(y=low, label=Both("the minimum", "极小"), color=3),
        ),
        Both(
            "They slow down near saddles and leave each of them; all end at one loss.",
            "它们在鞍点附近变慢，又都离开；终点的损失全部相同。",
        ),
    )


TEXT = {
    "en": Page(
        title="All critical points of a linear network",
        question="Where are the critical points of a linear network, and is any of them a bad minimum?",
        lecture="A linear network with hidden layers is not convex, and still, if its hidden layers are at least as wide as "
        "input and output, every local minimum is global. The idea: at a local minimum the loss is zero, and lower it cannot be. "
        "Saddles lie high, minima low.",
        formula="L(A, B) = tr (1 − AB) Σ (1 − AB)ᵀ\n"
        "critical points of full rank: AB projects onto a set I of eigenvectors of Σ\n"
        "L = tr Σ − Σ_{i∈I} λ_i\n"
        "negative eigenvalues: #{(i ∈ I, j ∉ I) : λ_j > λ_i};   zero eigenvalues: hidden²",
        expectation="One minimum, all other points saddles with exactly the counted ways down, and every descent ends in the minimum.",
        change_mind="A second minimum, a wrong count at any point, or one descent that ends elsewhere.",
        lesson="With five inputs and two hidden units there are {points} critical points of full rank, from loss {best:g} to "
        "{worst:g}. At each the whole Hessian was computed: the counts of negative and of zero eigenvalues are exact "
        "everywhere. The highest has {most} ways down, the lowest none; at zero weights it is {origin}.\n\n"
        "So this surface is layered: the higher, the more ways down. The eigenvalues here are 1, 2, …, n, and with that "
        "spacing the number of ways down is exactly the loss above the minimum.\n\n"
        "It is not convex: halfway between two equal minima the loss is higher by {midpoint:g}. It is easy "
        "nevertheless: every descent from small random weights came within {spread:.0e} of the minimum. Not convex is not the same as "
        "difficult.\n\n"
        "A critical point of a linear network can be judged without any eigenvalue: it is the global minimum exactly when its loss is "
        "the best that a matrix of that rank can do; otherwise it is a saddle. That test was right at every point.",
        holds="Every local minimum is global; saddles are high and minima low; every saddle of one hidden layer has a way down of "
        "second order.",
        fails="The lecture's width is sufficient, not necessary: two hidden units are fewer than five inputs, and the claim "
        "holds. Its idea of a proof works only where the data can be fit: here the global minimum has loss {best:g}; with five "
        "hidden units it is {realizable:g}.",
    ),
    "zh": Page(
        title="线性网络的全部临界点",
        question="线性网络的临界点在哪里，其中有坏的极小吗？",
        lecture="带隐藏层的线性网络不是凸的；但只要隐藏层不比输入和输出窄，每个局部极小都是全局极小。"
        "思路是：局部极小处损失为零，不可能再低。鞍点在高处，极小在低处。",
        formula="L(A, B) = tr (1 − AB) Σ (1 − AB)ᵀ\n"
        "满秩临界点：AB 投影到 Σ 的一组特征向量 I 上\n"
        "L = tr Σ − Σ_{i∈I} λ_i\n"
        "负特征值个数：#{(i ∈ I, j ∉ I) : λ_j > λ_i}；  零特征值个数：hidden²",
        expectation="只有一个极小；其余都是鞍点，下降方向数与公式完全一致；每次下降都到达极小。",
        change_mind="若出现第二个极小、某一点的计数不符，或某次下降停在别处。",
        lesson="五个输入、两个隐藏单元时，满秩临界点共有 {points} 个，损失从 {best:g} 到 {worst:g}。"
        "每一点都算出了完整的黑塞矩阵：负特征值与零特征值的个数处处精确。"
        "最高的点有 {most} 个下降方向，最低的没有；权重全零处有 {origin} 个。\n\n"
        "可见曲面是分层的：越高，下降方向越多。这里的特征值取 1, 2, …, n，在这种间隔下，下降方向数恰好等于损失高出极小的量。\n\n"
        "它不是凸的：两个等高极小的中点，损失高出 {midpoint:g}。它却很容易：从随机小权重出发，每次下降都到达极小，误差不超过 {spread:.0e}。"
        "非凸不等于困难。\n\n"
        "判定线性网络的临界点不需要特征值：它的损失若等于该秩的矩阵所能达到的最好值，就是全局极小，否则就是鞍点。这个判据在每一点都正确。",
        holds="每个局部极小都是全局的；鞍点在高处，极小在低处；单隐藏层时每个鞍点都有二阶的下降方向。",
        fails="讲义要求的宽度是充分而非必要的：两个隐藏单元少于五个输入，结论照样成立。"
        "它的证明思路只在数据可以被拟合时有效：这里全局极小的损失是 {best:g}，有五个隐藏单元时才是 {realizable:g}。",
    ),
}

_right_hessian = hessian


def _of_any_rank(inputs: Tensor, targets: Tensor, rank: int) -> float:
    return 0.0


def _without_a_factor(point: Point) -> Operator:
    """The products forget how A and B act together: only what each does alone remains."""
    operator = _right_hessian(point)
    half = operator.size // 2
    keep = torch.arange(operator.size) < half

    def products(v: Tensor) -> Tensor:
        mask = keep if v.dim() == 1 else keep[:, None] if v.shape[0] == operator.size else keep[None]
        first = torch.where(mask, v, torch.zeros_like(v))
        return torch.where(mask, operator(first), operator(v - first))

    return Operator(products, operator.size, operator.like)


PLANTED = (
    plant(
        "the best loss forgets the rank",
        "unstuck.landscape.deep_linear",
        "best_linear_loss",
        _of_any_rank,
        "exact test",
        "one minimum",
    ),
    plant("the products drop the curvature between layers", __name__, "hessian", _without_a_factor, "ways down"),
)
