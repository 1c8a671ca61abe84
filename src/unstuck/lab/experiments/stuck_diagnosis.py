"""Three runs whose loss stands still, for three reasons; and a real one that shows which norm to look at."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Chart, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, same
from unstuck.lab.descent import follow
from unstuck.lab.training import batches, gradient_norm, multilayer, train
from unstuck.lab.words import Both
from unstuck.landscape import classify
from unstuck.objective import FormulaObjective, ModelObjective
from unstuck.objective.contract import Objective
from unstuck.optim import SGD, Rule
from unstuck.optim.directions import Gradient
from unstuck.problems import digits, exclusive_or, valley, valley_data

ORDER = 5
COVERS = ("L1", "A12", "B6")
COST = Cost(quick_seconds=1, full_seconds=3)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Error surface is rugged; Batch and momentum",
    "MLDS 2018: look at the gradient's norm",
    "scikit-learn's digits",
)
SUBJECT = "unstuck.landscape.classify"


@dataclass(frozen=True)
class Config:
    """``updates`` on the digits, ``hidden`` units; ``window``: updates over which a loss is said to stand still."""

    updates: int
    hidden: int
    window: int


QUICK = Config(updates=700, hidden=32, window=100)
FULL = Config(updates=1000, hidden=64, window=100)


@dataclass(frozen=True)
class Still:
    """A run whose loss stands still: how little it changed, the gradient's norm, and what is said of its last place."""

    change: float
    slope: float
    state: str
    losses: list[float]
    slopes: list[float]


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Plant the three runs, judge their last places; train on digits and keep both norms; let noise leave."""
    floor = _floor_slope(-150.0)
    limit = 2 / 1_746_830.426522545
    stills = {
        "bouncing": _still(valley(intercept=-188.0, slope=3.2), limit * 1.00001, config.window, seed),
        "crawling": _still(valley(intercept=-150.0, slope=floor), 1e-7, config.window, seed),
        "critical": _still(exclusive_or(seed=seed), 0.1, config.window, seed),
    }
    shorter = _still(valley(intercept=-188.0, slope=3.2), 0.5 * limit, config.window, seed)
    longest = _still(valley(intercept=-150.0, slope=floor), 0.99 * limit, 2000, seed)
    progress(0.3, "three runs judged")
    real = _digits(config, seed)
    progress(0.8, "digits trained")
    stays, leaves, whole_slope = _noise_leaves(seed)

    bouncing, crawling, critical = stills["bouncing"], stills["crawling"], stills["critical"]
    start, late = real.small[:20], real.small[-100:]
    before = real.losses[real.moments.index(config.updates - 100)]
    criteria: list[Criterion] = [
        *(
            below(f"{name} stands still", still.change, 0.01, f"{name}: the loss changes by less than 1 % in {config.window} updates", f"{_ZH[name]}：{config.window} 次更新内损失变化不到 1 %")
            for name, still in stills.items()
        ),
        same("bouncing", bouncing.state, "bouncing", "the run above 2/λmax is said to bounce", "超过 2/λmax 的运行被判为来回弹跳", ruling=7),
        same("crawling", crawling.state, "descending", "the run with too short a step is said to descend, not to be stuck", "步长太短的运行被判为仍在下降，而非卡住", ruling=7),
        same("critical", critical.state, "saddle", "only the third stands at a critical point, a saddle", "只有第三个停在临界点，且是鞍点"),
        above("gradient alive", min(bouncing.slope, crawling.slope), 100, "in the first two the gradient is far from zero", "前两个的梯度远不是零"),
        below("gradient gone", critical.slope, 1e-12, "in the third it is zero", "第三个的梯度为零"),
        below("digits, loss", real.losses[-1] / real.losses[0], 0.2, "on digits the training loss falls below a fifth of its start", "在手写数字上，训练损失降到起点的五分之一以下"),
        below("digits stand still", abs(real.losses[-1] - before) / real.losses[0], 0.01, "in its last 100 updates it changes by less than 1 % of its first value", "最后 100 次更新内，它的变化不到最初值的 1 %"),
        above("digits, small batches", _mean(late) / _mean(start), 0.05, "while the mini-batch gradient keeps more than 5 % of its first size", "而小批量梯度仍有起初的 5 % 以上"),
        above("which norm", _mean(late) / real.whole, 1.5, "the norm of mini-batches overstates the whole gradient", "小批量的梯度范数高估了全体的梯度", ruling=7),
        same("digits, verdict", real.state, "descending", "that run is at no critical point: it is still descending", "该运行并不在临界点，而是仍在下降"),
        below("a shorter step", (shorter.losses[-1] - LOWEST) / (bouncing.losses[-1] - LOWEST), 1e-3, "at half of the largest stable step the bouncing run comes down: less than a thousandth is left above the minimum", "步长取最大稳定值的一半，弹跳的运行就降了下来：高出极小的部分不到千分之一"),
        above("a longer step", (longest.losses[-1] - LOWEST) / (longest.losses[0] - LOWEST), 0.9, "the longest stable step hardly helps the crawling one: after 2,000 updates more than nine tenths are left", "最大的稳定步长也帮不了爬行的：2000 次更新之后还剩九成以上"),
        below("whole gradient", whole_slope, 1e-12, "at the middle of two losses the gradient of the whole is zero", "在两个损失的正中，全体的梯度为零"),
        below("gradient descent stays", stays, 1e-12, "there gradient descent on the whole stays", "全批量梯度下降停在那里"),
        above("small batches leave", leaves, 0.5, "updates on one loss at a time leave", "一次只用一个损失的更新则会离开"),
    ]  # fmt: skip
    return Result(
        numbers={
            "bouncing_slope": Number(bouncing.slope, Both("gradient of the bouncing run", "弹跳运行的梯度")),
            "crawling_slope": Number(crawling.slope, Both("gradient of the crawling run", "爬行运行的梯度")),
            "critical_slope": Number(critical.slope, Both("gradient of the run at the saddle", "鞍点处的梯度")),
            "longest_begin": Number(longest.losses[0], Both("loss of the crawling run at first", "爬行运行起初的损失")),
            "longest_end": Number(longest.losses[-1], Both("after 2,000 updates at 0.99 of the largest stable step", "以最大稳定步长的 0.99 走 2000 次之后")),
            "lowest": Number(LOWEST, Both("loss of the valley's minimum", "山谷极小处的损失")),
            "shorter_end": Number(shorter.losses[-1], Both("loss of the bouncing run after 100 updates at half of that step", "弹跳运行以该步长之半走 100 次之后的损失")),
            "share": Number(abs(real.losses[-1] - before) / real.losses[0], Both("change of the loss on digits in the last 100 updates, over the first loss", "手写数字上最后 100 次更新内损失的变化与最初损失之比")),
            "share_now": Number(abs(real.losses[-1] - before) / before, Both("the same over the loss at that time", "同上，与当时损失之比")),
            "digits_loss": Number(real.losses[-1], Both("training loss on digits at the end", "手写数字最后的训练损失")),
            "small": Number(_mean(late), Both("mini-batch gradient at the end (mean of 100)", "最后的小批量梯度（100 次平均）")),
            "small_start": Number(_mean(start), Both("mini-batch gradient at the start (mean of 20)", "起初的小批量梯度（20 次平均）")),
            "whole": Number(real.whole, Both("whole gradient at the end", "最后的全体梯度")),
            "leaves": Number(leaves, Both("distance that small batches went", "小批量走出的距离")),
        },
        criteria=tuple(criteria),
        figures=(_losses(stills), _gradients(stills), _norms(real)),
        tables=(
            Table(
                Both("Three losses that stand still", "三条停住的损失"),
                (Both("run", "运行"), Both("change of the loss", "损失的变化"), Both("gradient", "梯度"), Both("verdict", "判定")),
                tuple((Both(name, _ZH[name]), still.change, still.slope, still.state) for name, still in stills.items()),
            ),
        ),
    )  # fmt: skip


LOWEST = 101_936.7299  # of the valley, by normal equations

_ZH = {"bouncing": "弹跳", "crawling": "爬行", "critical": "临界"}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _floor_slope(intercept: float) -> float:
    x, y = valley_data()
    return float((x * (y - intercept)).sum() / (x * x).sum())


def _still(objective: Objective, lr: float, window: int, seed: int) -> Still:
    """Walk a window of updates with plain gradient descent and judge the last place."""
    path = follow(Rule(Gradient(), lr=lr), lambda w: objective.gradient(w).vector, objective.start().tolist(), window)
    found = [objective.gradient(place) for place in path]
    losses, slopes = [f.value for f in found], [float(f.vector.norm()) for f in found]
    state = classify(objective, path[-1], lr=lr, seed=seed).state
    return Still(abs(losses[-1] - losses[0]) / abs(losses[0]), slopes[-1], state, losses, slopes)


@dataclass(frozen=True)
class Real:
    """A run on digits: the whole loss now and then, the mini-batch norm of every update, both norms at the end."""

    moments: list[int]
    losses: list[float]
    small: list[float]
    wholes: list[float]
    whole: float
    state: str


def _digits(config: Config, seed: int) -> Real:
    data = digits(train=600, seed=seed)
    model = multilayer((64, config.hidden, 10), torch.nn.Tanh, seed=seed)
    objective = ModelObjective(model, F.cross_entropy, (data.x, data.y))
    small: list[float] = []
    moments: list[int] = []
    losses: list[float] = []
    wholes: list[float] = []

    def watch(step: int, loss: float) -> None:
        small.append(gradient_norm(model))
        if step % 50 == 0:
            now = objective.gradient(torch.cat([p.detach().reshape(-1) for p in model.parameters()]))
            moments.append(step)
            losses.append(now.value)
            wholes.append(float(now.vector.norm()))

    train(
        model, data.x, data.y, SGD(model.parameters(), lr=0.5), batch=16, updates=config.updates, seed=seed, watch=watch
    )
    place = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    end = objective.gradient(place)
    moments.append(config.updates)
    losses.append(end.value)
    wholes.append(float(end.vector.norm()))
    state = classify(objective, place, lr=0.5, largest=1, max_products=40, seed=seed).state
    return Real(moments, losses, small, wholes, float(end.vector.norm()), state)


def _noise_leaves(seed: int, updates: int = 300) -> tuple[float, float, float]:
    """Distances from the whole's critical point after gradient descent on the whole and on halves, and its slope there.

    L¹ and L² are double wells shifted to either side; at 0 their slopes cancel on a hill of their mean.
    """

    def well(shift: float) -> Callable[[Tensor], Tensor]:
        return lambda w: ((w[0] - shift) ** 2 - 1) ** 2

    halves = [FormulaObjective(well(shift), torch.zeros(1, dtype=torch.float64)) for shift in (-0.3, 0.3)]
    whole = FormulaObjective(well(-0.3), well(0.3), torch.zeros(1, dtype=torch.float64))
    slope = float(whole.gradient(torch.zeros(1, dtype=torch.float64)).vector.abs())
    stays = follow(Rule(Gradient(), lr=0.02), lambda w: whole.gradient(w).vector, [0.0], updates)[-1]
    order = batches(2, 1, seed=seed)
    leaves = follow(Rule(Gradient(), lr=0.02), lambda w: halves[int(next(order))].gradient(w).vector, [0.0], updates)[
        -1
    ]
    return float(stays.abs()), float(leaves.abs()), slope


def _losses(stills: dict[str, Still]) -> Chart:
    return Chart(
        "still",
        Both("Three losses that stand still", "三条停住的损失"),
        Axis(Both("update", "更新次数")),
        Axis(Both("loss over its first value", "损失与最初值之比"), limits=(0.98, 1.02)),
        tuple(
            Line(list(range(len(still.losses))), [loss / still.losses[0] for loss in still.losses], Both(name, _ZH[name]), color=color, dashed=name == "critical")
            for (name, still), color in zip(stills.items(), (2, 1, 3), strict=True)
        ),
        Both("By the loss alone the three cannot be told apart.", "只看损失，三者分不出来。"),
    )  # fmt: skip


def _gradients(stills: dict[str, Still]) -> Chart:
    return Chart(
        "still-gradients",
        Both("The gradients of three losses that stand still", "三条停住的损失的梯度"),
        Axis(Both("update", "更新次数")),
        Axis(Both("length of the gradient", "梯度的长度"), log=True, limits=(1e-18, 1e7)),
        tuple(
            Line(list(range(len(still.slopes))), [max(s, 1e-17) for s in still.slopes], Both(f"{name}: {still.state}", f"{_ZH[name]}：{still.state}"), color=color)
            for (name, still), color in zip(stills.items(), (2, 1, 3), strict=True)
        ),
        Both("All three losses change by less than 1 % here. Only the lowest gradient is one that cannot be told from zero.", "这三条损失的变化都不到 1 %。只有最下面的梯度才小到与零无法区分。"),
    )  # fmt: skip


def _norms(real: Real) -> Chart:
    smooth = [_mean(real.small[max(0, i - 25) : i + 25]) for i in range(0, len(real.small), 10)]
    return Chart(
        "norms",
        Both("Digits: loss and both norms", "手写数字：损失与两种范数"),
        Axis(Both("update", "更新次数")),
        Axis(Both("loss; length of the gradient", "损失；梯度的长度"), log=True),
        (
            Line(real.moments, real.losses, Both("training loss", "训练损失"), color=1, marked=True),
            Line(list(range(0, len(real.small), 10)), smooth, Both("gradient of mini-batches (mean of 50)", "小批量的梯度（50 次平均）"), color=2),
            Line(real.moments, real.wholes, Both("gradient of the whole", "全体的梯度"), color=3, marked=True),
        ),
        Both("The mini-batch norm stays above the norm of the whole: part of it is noise. Judge a critical point by the whole.", "小批量的范数始终高于全体的范数：其中一部分是噪声。判断临界点要看全体。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Stuck is not the same as a small gradient",
        question="The loss has stopped falling: is the gradient zero, and if not, what then?",
        lecture="People think of a critical point when the loss stands still. Look at the gradient's norm: often it is not small "
        "at all, and the parameters bounce between the walls of a valley. Noisy updates help: where the whole loss is stuck, "
        "a batch's loss may not be.",
        formula="stands still: |ΔL|/L < 1 % in 100 updates\ncritical: ‖∇L‖ of the whole cannot be told from 0\nbouncing: η > 2/λmax and the step does not lower L",
        expectation="Three planted runs are told apart: bouncing, crawling, critical.",
        change_mind="A verdict that calls the first two critical, or the third alive.",
        lesson="All three losses change by less than 1 % in a hundred updates. The first jumps from wall to wall, its gradient is "
        "{bouncing_slope:.3g}; the second walks the floor of the valley in tiny steps, {crawling_slope:.3g}; the third stands "
        "on a saddle, {critical_slope:.0e}. A shorter step cures the first: at half of the largest stable one its loss is {shorter_end:,.0f} after "
        "100 updates, {lowest:,.0f} being the minimum. No stable step cures the second: 2,000 updates at 0.99 of the largest stable one take it from "
        "{longest_begin:,.0f} to {longest_end:,.0f}; the same step cannot suit both directions. The third needs a way off the saddle.\n\n"
        "On digits the loss changes in the last 100 updates by {share:.2%} of its first value (flat in a picture, though by {share_now:.0%} of what "
        "was left). Mini-batches then still show a gradient of {small:.3g} (at first {small_start:.3g}), "
        "the whole training set one of {whole:.3g}. Most of the difference is noise. So the norm of one batch can never be "
        "small enough to prove a critical point; the whole one can.\n\n"
        "And noise is of use: at the middle of two losses, where their slopes cancel, gradient descent on the mean stays for "
        "ever; taking one of them at a time goes {leaves:.2f} away.",
        holds="A loss at rest says nothing about the gradient, and noisy updates leave where the whole is stuck.",
        fails="The lecture's curve shows the gradient of mini-batches, which has a floor of noise. To call a point critical, the "
        "whole gradient is needed.",
    ),
    "zh": Page(
        title="卡住不等于梯度很小",
        question="损失不再下降：梯度是零吗？若不是，又是什么？",
        lecture="损失停住时，人们会想到临界点。可是看看梯度的范数：它往往一点也不小，参数在谷壁之间来回弹跳。"
        "带噪声的更新有好处：全体损失卡住的地方，某一批的损失未必卡住。",
        formula="停住：100 次更新内 |ΔL|/L < 1 %\n临界：全体的 ‖∇L‖ 与 0 无法区分\n弹跳：η > 2/λmax，且这一步不能降低 L",
        expectation="三个埋设的运行被分清：弹跳、爬行、临界。",
        change_mind="若前两个被判为临界，或第三个被判为仍活着。",
        lesson="三条损失在一百次更新内变化都不到 1 %。第一个在两壁间跳，梯度为 {bouncing_slope:.3g}；"
        "第二个在谷底用极小的步子走，梯度为 {crawling_slope:.3g}；第三个停在鞍点，{critical_slope:.0e}。"
        "减小步长能治第一个：取最大稳定步长的一半，100 次更新后损失为 {shorter_end:,.0f}，而极小为 {lowest:,.0f}。第二个什么稳定的步长都治不好："
        "以最大稳定步长的 0.99 走 2000 次，只从 {longest_begin:,.0f} 到 {longest_end:,.0f}；一个步长无法同时适合两个方向。第三个要靠离开鞍点的办法。\n\n"
        "在手写数字上，最后 100 次更新内损失的变化只是最初值的 {share:.2%}（图上看是平的，却是当时所余的 {share_now:.0%}）。此时小批量的梯度仍有 {small:.3g}（起初为 {small_start:.3g}），全体训练集的梯度为 {whole:.3g}。"
        "差别大半是噪声。所以一个批次的范数永远小不到足以证明临界点，全体的才可以。\n\n"
        "噪声也有用处：在两个损失的正中，坡度互相抵消，对平均做梯度下降会永远停住；一次只取其中一个，就走出了 {leaves:.2f}。",
        holds="损失停住并不说明梯度如何；全体卡住之处，带噪声的更新能离开。",
        fails="讲义的曲线画的是小批量的梯度，它有噪声的下限。要判定临界点，需要全体的梯度。",
    ),
}

_right_classify = classify


def _by_loss_alone(objective: Objective, place: Tensor | None = None, **options: object) -> object:
    """Takes every loss that stands still for a saddle."""
    return _right_classify(exclusive_or())


PLANTED = (
    plant("a loss at rest is called a critical point", __name__, "classify", _by_loss_alone, "bouncing", "crawling"),
)
