"""The Hessian's eigenvalues after training: a few large ones, one or so for each class, and a bulk at zero."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.curvature import Operator, dense_spectrum, gauss_newton, hessian, spectrum_exam
from unstuck.lab.charts import Axis, Bars, Chart, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.training import multilayer, train
from unstuck.lab.words import Both, alike
from unstuck.objective import ModelObjective
from unstuck.objective.contract import Point
from unstuck.optim import SGD
from unstuck.problems.blobs import blobs

ORDER = 34
COVERS = ("A10",)
COST = Cost(quick_seconds=2, full_seconds=10)
SOURCES = (
    "Sagun, Bottou and LeCun 2016; Sagun, Evci, Güney, Dauphin and Bottou 2017: bulk and outliers, two blobs",
    "Hung-yi Lee, Machine Learning 2021: the minimum ratio",
)
SUBJECT = "unstuck.curvature.hessian, unstuck.lab.experiments.hessian_bulk.shares"


@dataclass(frozen=True)
class Config:
    """``hidden`` units of the networks 2-h-2, ``updates`` of training (whole data), ``seeds`` of each."""

    hidden: tuple[int, ...]
    updates: int
    seeds: int


QUICK = Config(hidden=(3, 14, 56), updates=400, seeds=1)
FULL = Config(hidden=(3, 14, 32, 56, 86), updates=400, seeds=3)

BAND = 1e-3  # of the largest eigenvalue: what lies within counts as zero


@dataclass(frozen=True)
class Shares:
    """Shares of eigenvalues above, within and below the band around zero; ``naive``: above zero itself."""

    positive: float
    zero: float
    negative: float
    naive: float


@dataclass(frozen=True)
class Examined:
    """A trained network's spectrum, ascending."""

    size: int
    loss: float
    slope: float
    values: Tensor
    shares: Shares
    outliers: int
    gauss_newton_gap: float
    exam_gap: float


def shares(values: Tensor, *, band: float = BAND) -> Shares:
    """Shares of the signs of eigenvalues (n), zero within ``band`` times the largest.

    >>> shares(torch.tensor([-1.0, 1e-9, 0.0, 4.0]))
    Shares(positive=0.25, zero=0.5, negative=0.25, naive=0.5)
    """
    edge = band * float(values.abs().max())
    return Shares(
        *(float(found.double().mean()) for found in (values > edge, values.abs() <= edge, values < -edge, values > 0))
    )


def outliers(values: Tensor, *, among: int = 8) -> int:
    """How many eigenvalues lie above the widest gap (in ratio) among the largest."""
    top = values.flip(0)[: among + 1]
    return int((top[:-1] / top[1:].clamp_min(1e-12 * float(top[0]))).argmax()) + 1


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Train networks of several sizes on two blobs and take their Hessians apart; then one on four blobs."""
    found: dict[int, list[Examined]] = {}
    for place, hidden in enumerate(config.hidden):
        found[hidden] = [_examined(2, hidden, seed + index, config.updates) for index in range(config.seeds)]
        progress(0.8 * (place + 1) / len(config.hidden), f"{hidden} hidden units")
    four = _examined(4, config.hidden[-1] // 2, seed, config.updates)
    progress(1.0, "four blobs")

    every = [one for group in found.values() for one in group]
    zero = [sum(one.shares.zero for one in group) / len(group) for group in found.values()]
    large = [one for hidden, group in found.items() if hidden > 10 for one in group]
    biggest = found[config.hidden[-1]][0]
    deepest = max(-float(one.values[0]) / float(one.values[-1]) for one in every)
    gaps = [float(one.values[-2] / one.values[-3]) for one in large]
    agree = max(one.gauss_newton_gap for one in large)
    return Result(
        numbers={
            "size_small": Number(every[0].size, Both("parameters of the smallest network", "最小网络的参数个数")),
            "size_large": Number(biggest.size, Both("parameters of the largest network", "最大网络的参数个数")),
            "zero_small": Number(zero[0], Both("share of zero eigenvalues, smallest network", "零特征值比例，最小网络")),
            "zero_large": Number(zero[-1], Both("share of zero eigenvalues, largest network", "零特征值比例，最大网络")),
            "first": Number(float(biggest.values[-1]), Both("largest eigenvalue, largest network", "最大特征值，最大网络")),
            "second": Number(float(biggest.values[-2]), Both("second", "第二")),
            "third": Number(float(biggest.values[-3]), Both("third", "第三")),
            "deepest": Number(deepest, Both("most negative eigenvalue over the largest, all networks", "最负特征值与最大特征值之比，所有网络")),
            "naive": Number(biggest.shares.naive, Both("share of eigenvalues above zero itself, largest network", "大于零的特征值比例，最大网络")),
            "positive": Number(biggest.shares.positive, Both("share above the band", "高于零带的比例")),
            "agree": Number(agree, Both("Gauss–Newton's first two eigenvalues off the Hessian's", "高斯–牛顿前两个特征值与黑塞之差")),
            "four": Number(four.outliers, Both("eigenvalues above the widest gap, four blobs", "最宽间隙之上的特征值个数，四团数据")),
            "fickle": Number(sum(one.outliers == 2 for one in large) / len(large), Both("share of these networks whose widest gap lies after the second", "最宽间隙在第二个之后的网络比例")),
            "loss": Number(biggest.loss, Both("training loss, largest network", "训练损失，最大网络")),
            "slope": Number(max(one.slope for one in every), Both("largest gradient where the Hessian was taken", "取黑塞处的最大梯度")),
        },
        criteria=(
            same("two outliers", tuple(int((one.values > 0.2 * one.values[-1]).sum()) for one in large), (2,) * len(large), "two blobs: two eigenvalues are above a fifth of the largest, at every size above the smallest", "两团数据：除最小网络外，每种大小都有两个特征值大于最大值的五分之一"),
            above("wide gap", min(gaps), 1.5, "the second is more than one and a half times the third", "第二个是第三个的 1.5 倍以上"),
            above("bulk at zero", zero[-1], 0.8, "in the largest network more than four fifths of the eigenvalues are zero to a thousandth", "最大的网络里五分之四以上的特征值在千分之一内为零"),
            above("grows with size", min(b - a for a, b in pairwise(zero)), 0, "and their share grows with every size", "其比例随网络变大而增大"),
            below("negative ones are tiny", deepest, 0.02, "what is negative is less than a fiftieth of the largest", "负的不到最大的五十分之一"),
            below("Gauss–Newton", agree, 0.2, "the outliers are those of the Gauss–Newton part to a fifth", "离群值就是高斯–牛顿部分的，误差在五分之一内"),
            below("Krylov", max(one.exam_gap for one in every), 2e-3, "a Krylov exam finds the same outliers without the matrix", "不用整个矩阵的 Krylov 检查得到同样的离群值"),
            below("signs alone", biggest.shares.positive, biggest.shares.naive - 0.15, "counting λ > 0 takes the bulk's rounding and remains for curvature", "只数 λ > 0 会把零附近的残余当成曲率", ruling=3),
            near("shares", max(abs(one.shares.positive + one.shares.zero + one.shares.negative - 1) for one in every), 0, 1e-12, "the three shares make up the whole", "三个比例合为一"),
        ),
        figures=(_spectra(found), _bars(found, zero)),
        tables=(
            Table(
                Both("Networks 2-h-2 with tanh on two blobs", "两团数据上的 2-h-2 tanh 网络"),
                (Both("parameters", "参数"), Both("loss", "损失"), Both("gradient", "梯度"), alike("λ₁"), alike("λ₂"), alike("λ₃"), Both("smallest", "最小"), Both("positive", "正"), Both("zero", "零"), Both("negative", "负")),
                tuple(
                    (one.size, one.loss, one.slope, float(one.values[-1]), float(one.values[-2]), float(one.values[-3]), float(one.values[0]), one.shares.positive, one.shares.zero, one.shares.negative)
                    for one in [*every, four]
                ),
            ),
        ),
    )  # fmt: skip


def _examined(classes: int, hidden: int, seed: int, updates: int) -> Examined:
    x, y = blobs(classes, seed=seed)
    model = multilayer((2, hidden, classes), nn.Tanh, dtype=torch.float64, seed=seed)
    train(model, x, y, SGD(model.parameters(), lr=0.5, momentum=0.9), batch=len(x), updates=updates, seed=seed)
    with ModelObjective(model, F.cross_entropy, (x, y)).at() as point:
        operator = hessian(point)
        values = dense_spectrum(operator).values
        exam = spectrum_exam(operator, largest=2, smallest=1, dense_below=0, seed=seed)
        other = spectrum_exam(gauss_newton(point), largest=2, smallest=1, dense_below=0, seed=seed)
        slope, loss = float(point.gradient.norm()), point.value
    first_two = [float(values[-1]), float(values[-2])]
    by_exam, by_fit = ([pair.value for pair in report.largest[:2]] for report in (exam, other))
    return Examined(
        len(values),
        loss,
        slope,
        values,
        shares(values),
        outliers(values),
        max(abs(a / b - 1) for a, b in zip(by_fit, first_two, strict=True)),
        max(abs(a / b - 1) for a, b in zip(by_exam, first_two, strict=True)),
    )


def _spectra(found: dict[int, list[Examined]]) -> Chart:
    return Chart(
        "spectra",
        Both("Eigenvalues, largest first", "特征值，从大到小"),
        Axis(Both("place in the order", "次序"), log=True),
        Axis(Both("eigenvalue over the largest", "与最大特征值之比"), log=True, limits=(1e-7, 1.6)),
        tuple(
            Line(
                list(range(1, group[0].size + 1)),
                [float(v) if v > 0 else float("nan") for v in group[0].values.flip(0) / group[0].values[-1]],
                Both(f"{group[0].size} parameters", f"{group[0].size} 个参数"),
                color=index % 6 + 1,
                marked=True,
            )
            for index, group in enumerate(found.values())
        ),
        Both("Two stand apart; then it falls to nothing, the more parameters the longer. Negative ones are not drawn.", "两个独立在外，其余落向零；参数越多，零越多。负的未画。"),
    )  # fmt: skip


def _bars(found: dict[int, list[Examined]], zero: list[float]) -> Chart:
    places = list(range(len(found)))
    first = [group[0] for group in found.values()]
    return Chart(
        "shares",
        Both("Signs of the eigenvalues by size", "各种大小网络的特征值符号"),
        Axis(Both("parameters", "参数个数"), ticks=tuple((i, alike(str(one.size))) for i, one in enumerate(first))),
        Axis(Both("share of eigenvalues", "特征值比例"), limits=(0, 1)),
        (
            Bars(places, [one.shares.positive for one in first], Both("positive", "正"), color=3),
            Bars(places, zero, Both("zero (within a thousandth of the largest)", "零（最大值的千分之一内）"), color=0),
            Bars(places, [one.shares.negative for one in first], Both("negative", "负"), color=2),
            Bars(places, [one.shares.naive for one in first], Both("counted as λ > 0", "按 λ > 0 计数"), color=1),
        ),
        Both("The more parameters, the more directions in which nothing happens.", "参数越多，什么也不发生的方向越多。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Bulk and outliers",
        question="What do the Hessian's eigenvalues look like where training ends?",
        lecture="The lecture reads the kind of a critical point off the signs of the eigenvalues, and counts how many are positive: at "
        "most about half, so that there is always a way down.",
        formula="λ counts as zero when |λ| ≤ 0.001 · λ_max\nH = Jᵀ A J (Gauss–Newton) + Σ residual · curvature of the outputs",
        expectation="For two blobs two large eigenvalues and a bulk at zero, the larger the network the more of it.",
        change_mind="A spectrum without a gap, or one whose share of zeros falls with size.",
        lesson="The largest network has {size_large} parameters and reaches loss {loss:.4f}. Its eigenvalues begin {first:.2f}, "
        "{second:.2f}, and then {third:.3f}. {zero_large:.0%} of them are zero to a thousandth of the largest; in the smallest "
        "network, with {size_small} parameters, {zero_small:.0%} are. Data with two clouds bend the loss in two directions; "
        "the parameters beyond that do not matter there.\n\n"
        "The most negative eigenvalue is {deepest:.4f} of the largest: not nothing, as the gradient is not exactly zero either "
        "(at most {slope:.0e}), but no way out worth the name.\n\n"
        "So the number that the lecture draws, the share of λ > 0, mostly tells which side of zero the bulk happens to fall on. "
        "Here it says {naive:.0%}, while {positive:.1%} are clearly positive. The large eigenvalues come from the Gauss–Newton part, "
        "which cannot be negative (first two within {agree:.1%}).\n\n"
        "With four clouds {four} eigenvalues stand above the widest gap. “As many as classes” is a rule of thumb: even with two "
        "the widest gap of the spectrum lies after the second eigenvalue in {fickle:.0%} of these networks, and much longer training on "
        "clouds that can be told apart leaves one eigenvalue far above the rest.",
        holds="Two outliers for two blobs, a bulk at zero that grows with the network.",
        fails="“At most half are positive, so half the directions go down” reads zeros as negatives.",
    ),
    "zh": Page(
        title="主体与离群值",
        question="训练结束处，黑塞矩阵的特征值是什么样子？",
        lecture="讲义由特征值的符号读出临界点的种类，并数有多少为正：至多约一半，因此总有下坡的路。",
        formula="|λ| ≤ 0.001 · λ_max 时 λ 算作零\nH = Jᵀ A J（高斯–牛顿）+ Σ 残差 · 输出的曲率",
        expectation="两团数据有两个大特征值和一堆零；网络越大，零越多。",
        change_mind="若谱没有间隙，或零的比例随网络变大而减小。",
        lesson="最大的网络有 {size_large} 个参数，损失 {loss:.4f}。特征值起头为 {first:.2f}、{second:.2f}，接着是 {third:.3f}。"
        "其中 {zero_large:.0%} 在最大值的千分之一内为零；{size_small} 个参数的最小网络为 {zero_small:.0%}。"
        "两团数据使损失在两个方向上弯曲，其余参数在此处无关紧要。\n\n"
        "最负的特征值是最大值的 {deepest:.4f}：并非没有，因为梯度也不恰为零（至多 {slope:.0e}），但算不上一条出路。\n\n"
        "所以讲义所画的“λ > 0 的比例”，多半只说明那堆零碰巧落在零的哪一边。这里它是 {naive:.0%}，"
        "而明显为正的只有 {positive:.1%}。大的特征值来自高斯–牛顿部分，那部分不会为负（前两个相差在 {agree:.1%} 内）。\n\n"
        "四团数据时，最宽间隙之上有 {four} 个特征值。“与类别一样多”只是经验之谈：即使两团数据，"
        "谱中最宽的间隙也只在 {fickle:.0%} 的网络里落在第二个特征值之后；在可分的数据上训练得久得多，就只剩一个特征值远高于其余。",
        holds="两团数据有两个离群值；零的主体随网络变大而增长。",
        fails="“至多一半为正，所以有一半方向下坡”把零当成了负。",
    ),
}


_right_shares, _right_hessian = shares, hessian


def _signs_only(values: Tensor) -> Shares:
    return _right_shares(values, band=0.0)


def _with_penalty(point: Point) -> Operator:
    operator = _right_hessian(point)
    return Operator(lambda v: operator(v) + 0.1 * v, operator.size, operator.like)


PLANTED = (
    plant("zero is taken literally", __name__, "shares", _signs_only, "bulk at zero"),
    plant("a weight penalty stands in the Hessian", __name__, "hessian", _with_penalty, "bulk at zero"),
)  # fmt: skip
