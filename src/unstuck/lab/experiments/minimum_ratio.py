"""Critical points of trained networks: how many curvatures are positive, and what counting them without care gives."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import dense_matrix, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, between, same
from unstuck.lab.words import Both
from unstuck.objective import FormulaObjective
from unstuck.optim import Adam
from unstuck.problems import damped_sine

ORDER = 7
COVERS = ("A10", "A11")
COST = Cost(quick_seconds=2, full_seconds=90)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: When gradient is small (the minimum ratio); MLDS 2018, homework 1",
    "Sagun et al. 2016: the bulk of eigenvalues at zero",
    "all eigenvalues of the whole Hessian in float64",
)
SUBJECT = "unstuck.lab.experiments.minimum_ratio.signs, unstuck.lab.experiments.minimum_ratio.to_critical_point"


@dataclass(frozen=True)
class Config:
    """``networks`` of ``hidden`` ReLU units, trained ``updates`` by Adam, then brought to a critical point."""

    networks: int
    hidden: int
    updates: int
    points: int


QUICK = Config(networks=3, hidden=20, updates=300, points=32)
FULL = Config(networks=100, hidden=20, updates=1000, points=128)

ZERO = 1e-6  # of the largest eigenvalue: smaller ones are called zero
ACCEPTED = 1e-6  # gradient norm of what is called a critical point


@dataclass(frozen=True)
class Counts:
    """How many eigenvalues are positive, zero, negative; ``naive``: the share above 0 to the last bit."""

    positive: int
    zero: int
    negative: int
    naive: float


def signs(values: Tensor) -> Counts:
    """Counts with a zero band of a millionth of the largest eigenvalue."""
    band = ZERO * float(values.abs().max())
    return Counts(
        int((values > band).sum()), int((values.abs() <= band).sum()), int((values < -band).sum()), float((values > 0).double().mean())
    )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One network at its critical point."""

    loss: float
    still: float  # change of the loss in the last hundred updates of training, over the first loss
    slope_trained: float
    slope: float
    counts: Counts
    again: Counts
    rises: float
    values: Tensor


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Train, go to the critical point, count."""
    every = []
    for index in range(config.networks):
        every.append(_one(config, 1000 * seed + index))
        progress((index + 1) / config.networks, f"network {index + 1}")
    found = [f for f in every if f.slope < ACCEPTED]
    size = len(every[0].values)
    criteria: list[Criterion] = [
        above("accepted", len(found) / len(every), 0.3, "a good part of the networks come to a gradient below a millionth", "相当一部分网络的梯度降到百万分之一以下"),
        below("flat before", _median([f.still for f in found]), 0.01, "after training the loss looks flat: in the last 100 updates it changed by less than 1 % of its first value (median)", "训练之后损失看上去是平的：最后 100 次更新内的变化不到最初值的 1 %（中位数）"),
        above("special training", _median([f.slope_trained / max(f.slope, 1e-300) for f in found]), 1e3, "before the second stage the gradient was more than a thousand times as large (median)", "第二阶段之前，梯度大一千倍以上（中位数）"),
        above("zero", min((f.counts.zero / size for f in found), default=0.0), 0.5, "more than half of all curvatures are zero", "一半以上的曲率为零", ruling=3),
        below("negative", max((f.counts.negative / size for f in found), default=1.0), 0.1, "fewer than a tenth are negative", "负的不到十分之一", ruling=3),
        between("naive", _median([f.counts.naive for f in found]), 0.4, 0.7, "counting λ > 0 to the last bit gives about one half, as in the lecture's figure", "按最后一位数 λ > 0，约为一半，正如讲义的图"),
        below("half of the zeros", _median([abs(f.counts.naive - (f.counts.positive + f.counts.zero / 2) / size) for f in found]), 0.12, "that is the positive ones and half of the zeros: noise has no sign", "那就是正的加上一半的零：噪声没有符号", ruling=3),
        same("counted again", sum((f.counts.positive, f.counts.negative) != (f.again.positive, f.again.negative) for f in found), 0, "with the parameters numbered backwards the careful counts stay", "参数倒着编号，仔细的计数不变"),
        above("naive again", sum(f.counts.naive != f.again.naive for f in found), 0, "while the naive ratio changes: it counted rounding errors", "朴素的比例却变了：它数的是舍入误差", ruling=3),
        above("sampled", _median([f.rises for f in found]), 0.9, "of random steps nine in ten and more raise the loss: another ratio under the same name", "随机走一步，九成以上使损失升高：同名的另一种“比例”", ruling=4),
    ]  # fmt: skip
    middle = sorted(found, key=lambda f: f.loss)[len(found) // 2] if found else every[0]
    return Result(
        numbers={
            "networks": Number(len(every), Both("networks trained", "训练的网络")),
            "accepted": Number(len(found), Both("at a critical point", "到达临界点的")),
            "parameters": Number(size, Both("parameters of each", "各自的参数个数")),
            "naive": Number(_median([f.counts.naive for f in found]), Both("share of λ > 0, to the last bit (median)", "λ > 0 的比例，按最后一位（中位数）")),
            "positive": Number(_median([f.counts.positive / size for f in found]), Both("share positive, with the zero band (median)", "正的比例，带零区间（中位数）")),
            "zero": Number(_median([f.counts.zero / size for f in found]), Both("share zero (median)", "零的比例（中位数）")),
            "negative": Number(max((f.counts.negative / size for f in found), default=1.0), Both("share negative (largest)", "负的比例（最大）")),
            "rises": Number(_median([f.rises for f in found]), Both("share of random steps that raise the loss (median)", "随机一步使损失升高的比例（中位数）")),
            "still": Number(_median([f.still for f in found]), Both("change of the loss in the last 100 updates of training, over the first loss (median)", "训练最后 100 次更新内损失的变化与最初值之比（中位数）")),
            "slope_trained": Number(_median([f.slope_trained for f in found]), Both("gradient after training (median)", "训练之后的梯度（中位数）")),
            "slope": Number(_median([f.slope for f in found]), Both("gradient after the second stage (median)", "第二阶段之后的梯度（中位数）")),
        },
        criteria=tuple(criteria),
        figures=(_ratios(found or every, size), _spectrum(middle)),
        tables=(
            Table(
                Both("Networks at a critical point (first twenty)", "到达临界点的网络（前二十个）"),
                (Both("loss", "损失"), Both("gradient", "梯度"), Both("positive", "正"), Both("zero", "零"), Both("negative", "负"), Both("naive ratio", "朴素比例")),
                tuple((f.loss, f.slope, f.counts.positive, f.counts.zero, f.counts.negative, f.counts.naive) for f in found[:20]),
            ),
        ),
    )  # fmt: skip


def _median(values: list[float]) -> float:
    return float(torch.tensor(values, dtype=torch.float64).median()) if values else float("nan")


def _one(config: Config, seed: int) -> Found:
    objective = damped_sine(config.hidden, points=config.points, seed=seed)
    weights = objective.start().requires_grad_()
    optimizer = Adam([weights], lr=0.01)
    losses = []
    for _ in range(config.updates):
        here = objective.gradient(weights.detach())
        losses.append(here.value)
        weights.grad = here.vector
        optimizer.step()
    still = abs(losses[-1] - losses[-101]) / losses[0]
    trained = weights.detach().clone()
    place = to_critical_point(objective, trained)
    with objective.at(place) as point:
        matrix, loss, slope = dense_matrix(hessian(point)), point.value, float(point.gradient.norm())
    values = torch.linalg.eigvalsh(matrix)
    # The same matrix, its parameters numbered backwards: the same numbers, other rounding.
    again = torch.linalg.eigvalsh(matrix.flip(0, 1))
    source = torch.Generator().manual_seed(seed)
    steps = torch.randn(60, objective.size, generator=source, dtype=torch.float64)
    steps = 1e-3 * steps / steps.norm(dim=1, keepdim=True)
    rises = sum(value > loss for value in objective.values(place + steps)) / len(steps)
    slope_trained = float(objective.gradient(trained).vector.norm())
    return Found(loss, still, slope_trained, slope, signs(values), signs(again), rises, values)


def to_critical_point(objective: FormulaObjective, start: Tensor, *, rounds: int = 200) -> Tensor:
    """Steps −(|H| + μ)⁻¹g, μ adapted, until the gradient is zero to rounding.

    *Cost*: a dense Hessian a round.
    """
    place, damping = start, 1e-3
    for _ in range(rounds):
        with objective.at(place) as point:
            matrix, slope, loss = dense_matrix(hessian(point)), point.gradient, point.value
        length = float(slope.norm())
        if length < 1e-12:
            break
        values, vectors = torch.linalg.eigh(matrix)
        along = vectors.T @ slope
        for _ in range(15):
            trial = place - vectors @ (along / (values.abs() + damping))
            there = objective.gradient(trial)
            if there.value < loss or (float(there.vector.norm()) < length and there.value < loss * (1 + 1e-12)):
                place, damping = trial, max(damping / 5, 1e-14)
                break
            damping *= 5
        else:
            break
    return place


def _ratios(found: list[Found], size: int) -> Chart:
    losses = [f.loss for f in found]
    return Chart(
        "ratios",
        Both("Loss against the share of positive curvatures", "损失与正曲率的比例"),
        Axis(Both("share of positive eigenvalues", "正特征值的比例"), limits=(0, 1.05)),
        Axis(Both("loss", "损失"), log=True),
        (
            Scatter([f.counts.naive for f in found], losses, Both("counted to the last bit", "按最后一位计数"), color=2),
            Scatter([f.counts.positive / size for f in found], losses, Both("with a zero band", "带零区间"), color=1),
            Scatter([f.rises for f in found], losses, Both("random steps that raise the loss", "使损失升高的随机步"), color=3, shape="^"),
            Level(x=0.5, label=Both("one half", "一半")),
        ),
        Both("Three numbers that have all been called minimum ratio, for the same networks.", "同样的网络，三个都曾被称为“最小值比例”的数。"),
    )  # fmt: skip


def _spectrum(found: Found) -> Chart:
    values = found.values.abs().sort(descending=True).values.clamp(min=1e-25).tolist()
    top = values[0]
    return Chart(
        "spectrum",
        Both("All curvatures of one network, by size", "一个网络的全部曲率，按大小"),
        Axis(Both("number", "序号")),
        Axis(Both("|λ| over the largest", "|λ| 与最大者之比"), log=True, limits=(1e-20, 10)),
        (
            Line(list(range(1, len(values) + 1)), [max(v / top, 1e-20) for v in values], Both("eigenvalues", "特征值"), color=1, marked=True),
            Level(y=ZERO, label=Both("called zero below", "低于此称为零"), color=2),
        ),
        Both("A few real curvatures, then a cliff down to rounding. What lies at the bottom has a random sign.", "少数真实的曲率，随后是直落到舍入误差的悬崖。底部的那些符号是随机的。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="The minimum ratio",
        question="Do trained networks end at saddles, with half of all directions leading down?",
        lecture="Train many networks to a critical point and count the positive eigenvalues. Their share is between zero and about "
        "0.6; not once is it one. So a real local minimum was never seen, about half of the directions lead down, and "
        "training is stuck at saddles. It takes special training to get to a critical point at all.",
        formula="minimum ratio = #(λ > 0) / #λ\nwith care: positive λ > 10⁻⁶ λmax, zero |λ| ≤ 10⁻⁶ λmax, negative λ < −10⁻⁶ λmax",
        expectation="A naive ratio near one half; with a zero band few positive, most zero, hardly any negative.",
        change_mind="Negative eigenvalues far above rounding in a good part of the directions.",
        lesson="{accepted} of {networks} networks with {parameters} parameters came to a critical point. Adam had brought the loss to where it moved by "
        "{still:.2%} of its first value in a hundred updates; the gradient then went from {slope_trained:.1e} to {slope:.0e} by a second stage "
        "made for it (medians). So ordinary training does stop long before.\n\n"
        "Counted to the last bit, {naive:.0%} of the eigenvalues are above zero, right where the lecture's points lie. But "
        "most eigenvalues are zero up to rounding, and the sign of a rounding error is a coin. With a zero band {positive:.0%} "
        "are positive, {zero:.0%} zero, and at most {negative:.0%} negative. Numbering the parameters backwards changes "
        "the naive ratio and none of these.\n\n"
        "So half of the directions do not lead down; most lead nowhere, to second order. A ratio by sampling, which goes "
        "by the same name in some solutions, says something else again: {rises:.0%} of random small steps raise the loss.",
        holds="Reaching a critical point takes special training, and the naive ratio is near one half.",
        fails="“At most 0.6, so half of the directions go down”: not positive is not negative. The one half is an artefact of "
        "counting rounding errors.\n\n"
        "A reservation about all of these counts: the units are ReLU. Where a training point sits exactly on the kink of a unit the second derivatives "
        "say nothing about the loss beside it, and an eigenvalue is no verdict there.",
    ),
    "zh": Page(
        title="最小值比例",
        question="训练好的网络真的停在鞍点、有一半方向可以下降吗？",
        lecture="把许多网络训练到临界点，数正的特征值。其比例在零到约 0.6 之间，从未到过一。"
        "所以没见过真正的局部极小，约一半方向通向更低处，训练是卡在鞍点。要真正到达临界点，需要特殊的训练方法。",
        formula="最小值比例 = #(λ > 0) / #λ\n仔细地数：正 λ > 10⁻⁶ λmax，零 |λ| ≤ 10⁻⁶ λmax，负 λ < −10⁻⁶ λmax",
        expectation="朴素比例约为一半；带上零区间，则正的少，零的多，负的几乎没有。",
        change_mind="若相当一部分方向上有远超舍入误差的负特征值。",
        lesson="{networks} 个有 {parameters} 个参数的网络中，{accepted} 个到达临界点。Adam 训练到损失在一百次更新内只变化最初值的 {still:.2%}；"
        "随后专门的第二阶段把梯度从 {slope_trained:.1e} 降到 {slope:.0e}（均为中位数），可见普通训练确实早早就停了。\n\n"
        "按最后一位计数，{naive:.0%} 的特征值大于零，正是讲义图中各点的位置。但大多数特征值在舍入误差内为零，"
        "而舍入误差的符号就像抛硬币。带上零区间，{positive:.0%} 为正，{zero:.0%} 为零，负的至多 {negative:.0%}。"
        "把参数倒着编号，朴素比例会变，这些数都不变。\n\n"
        "所以并没有一半方向通向更低处；大多数方向在二阶上哪儿也不去。有些解答里同名的抽样比例说的又是另一回事："
        "随机小步有 {rises:.0%} 使损失升高。",
        holds="到达临界点需要特殊的训练；朴素比例约为一半。",
        fails="“至多 0.6，所以一半方向向下”：不为正并不等于为负。那个一半是数舍入误差的假象。\n\n"
        "对所有这些计数还有一点保留：单元是 ReLU。若有训练点恰好落在某个单元的折点上，二阶导数就说不出旁边的损失，特征值在那里不能作为判断。",
    ),
}


def _without_band(values: Tensor) -> Counts:
    return Counts(
        int((values > 0).sum()), int((values == 0).sum()), int((values < 0).sum()), float((values > 0).double().mean())
    )


def _not_at_all(objective: FormulaObjective, start: Tensor) -> Tensor:
    return start


PLANTED = (
    plant(
        "rounding errors are counted as curvatures",
        __name__,
        "signs",
        _without_band,
        "zero",
        "negative",
        "counted again",
    ),
    plant("the second stage is left out", __name__, "to_critical_point", _not_at_all, "accepted"),
)
