"""Rates over time: the Transformer's and BERT's schedules, ResNet's trigger, and why Adam wants a warm-up."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.charts import Axis, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near, same
from unstuck.lab.training import accuracy, multilayer, train
from unstuck.lab.words import Both
from unstuck.optim import SGD, RAdam, Rule
from unstuck.optim.directions import Gradient
from unstuck.optim.scales import MovingSquare, Rectified
from unstuck.optim.schedules import Schedule, Trigger, inverse_sqrt, linear, polynomial, transformer, warmup
from unstuck.problems import digits

ORDER = 24
COVERS = ("S2", "S3", "S4", "S5", "S6", "S7")
COST = Cost(quick_seconds=3, full_seconds=25)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Error surface is rugged; learning rate scheduling",
    "Vaswani et al. 2017: Attention is all you need, section 5.3",
    "Devlin et al. 2018: BERT, appendix A.2",
    "He et al. 2016: Deep residual learning, section 4.2",
    "Liu et al. 2019: On the variance of the adaptive learning rate and beyond",
)
SUBJECT = "unstuck.optim.schedules, unstuck.optim.scales.Rectified"


@dataclass(frozen=True)
class Config:
    """``draws`` of χ²; ``coordinates`` and ``steps`` of Adam's own estimate; ``seeds`` and ``updates`` of training."""

    draws: int
    coordinates: int
    steps: int
    seeds: int
    updates: int


QUICK = Config(draws=200_000, coordinates=4000, steps=400, seeds=2, updates=300)
FULL = Config(draws=2_000_000, coordinates=40_000, steps=2000, seeds=5, updates=600)

LENGTHS = {5: 0.253, 10: 0.0755, 50: 0.0108, 500: 0.00101}  # variance of √(ρ/χ²ρ), as drawn once, to three digits


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Read the schedules, the rectification, the variance of 1/σ; train with and without the trigger."""
    attention = transformer(512)
    rates = [attention(t) for t in range(20_000)]
    peak = max(range(len(rates)), key=rates.__getitem__)
    bert: Schedule = warmup(100) >> polynomial(900)
    halves = math.log(attention(15_999) / attention(7_999)) / math.log(2)
    progress(0.1, "schedules read")

    paper, code = Rectified(threshold=4.0), Rectified(threshold=5.0)
    first = {
        name: next(t for t in range(1, 100) if one.rectification(t) is not None)
        for name, one in (("paper", paper), ("code", code))
    }
    rectified = {t: paper.rectification(t) or 0.0 for t in (5, 100, 1000, 4000)}
    gap = _against_torch(seed)

    exact = {rho: _exact_variance(rho) for rho in LENGTHS}
    drawn = {rho: _drawn_variance(rho, config.draws, seed) for rho in LENGTHS}
    rough = {rho: rho / (2 * (rho - 2) * (rho - 4)) for rho in LENGTHS}
    progress(0.3, "variance of 1/σ")
    own = _adam_variance(config.coordinates, config.steps, seed)
    tamed = {t: float(own[t - 1]) * (paper.rectification(t) or math.nan) ** 2 for t in (10, 100)}
    progress(0.5, "Adam's own 1/σ")

    runs = [
        _train(config.updates, seed + index, with_trigger)
        for index in range(config.seeds)
        for with_trigger in (False, True)
    ]
    straight, waited = runs[0::2], runs[1::2]
    mean = [sum(r.accuracy for r in group) / len(group) for group in (straight, waited)]
    progress(1.0, "trained")

    criteria: list[Criterion] = [
        same("peak, where", peak + 1, 4000, "the Transformer's rate is largest at update 4,000", "Transformer 的学习率在第 4000 次更新最大"),
        near("peak, how high", rates[peak], 6.9877e-4, 1e-8, "and is 6.9877·10⁻⁴ there, for width 512", "宽度 512 时峰值为 6.9877·10⁻⁴"),
        near("rise", attention(1999) / attention(999), 2.0, 1e-12, "it rises in a straight line", "先直线上升"),
        near("fall", halves, -0.5, 1e-12, "and falls as t^−½", "再按 t^−½ 下降"),
        near("BERT, middle", bert(99), 1.0, 1e-12, "linear warm-up ends at the full rate", "线性预热到满步长"),
        near("BERT, end", bert(1000), 0.0, 1e-12, "linear decay ends at zero", "线性衰减到零"),
        same("rise and fall", _turns(bert, 1000), 1, "between them it turns once", "其间只转折一次"),
        near("ρ∞", paper.length(10**7), 1999, 1e-6, "an average with β₂ = 0.999 is worth at most 1,999 gradients", "β₂ = 0.999 的平均至多抵 1999 个梯度"),
        near("ρ₄", paper.length(4), 3.9975, 1e-4, "after four updates it is worth 3.9975", "四次更新后只抵 3.9975 个"),
        same("first scaled step, paper", first["paper"], 5, "with the paper's threshold 4 the scale is used from update 5", "论文阈值 4：第 5 次更新起使用缩放"),
        same("first scaled step, code", first["code"], 6, "with the code's threshold 5 from update 6", "代码阈值 5：第 6 次起", ruling=31),
        near("r₆ of the code", code.rectification(6) or 0, 0.02582, 1e-5, "there r is 0.02582", "此时 r 为 0.02582"),
        *(near(f"r{t}", rectified[t], value, tolerance, f"r at update {t} is {value}", f"第 {t} 次更新的 r 为 {value}") for t, value, tolerance in ((5, 0.01731, 1e-5), (100, 0.2153, 1e-4), (1000, 0.6453, 1e-4), (4000, 0.9619, 1e-4))),
        below("same as torch", gap, 1e-9, "the whole rule walks as torch's RAdam", "整条规则与 torch 的 RAdam 路径一致"),
        *(near(f"variance at {rho}", drawn[rho], value, (0.1 if rho == 5 else 0.03) * value, f"the variance of 1/σ from {rho} gradients is {value:.3g}", f"由 {rho} 个梯度得到的 1/σ 方差为 {value:.3g}") for rho, value in LENGTHS.items()),
        *(near(f"exact at {rho}", exact[rho], value, 0.005 * value, f"the exact formula at {rho} agrees", f"精确公式在 {rho} 处相符") for rho, value in LENGTHS.items()),
        above("5 against 500", drawn[5] / drawn[500], 100, "from 5 gradients it varies over 100 times as much as from 500", "5 个梯度时的方差是 500 个时的百倍以上"),
        below("approximation at 50", abs(rough[50] / exact[50] - 1), 0.05, "the paper's approximation is right to 5 % from 50 gradients on", "论文的近似从 50 个梯度起误差在 5 % 内"),
        near("approximation at 5", rough[5], 0.833, 0.001, "and three times too large at 5", "在 5 个时则大了三倍"),
        above("Adam's own", float(own[9] / own[99]), 8, "Adam's own 1/σ varies much more at update 10 than at 100", "Adam 自己的 1/σ 在第 10 次更新远比第 100 次不稳"),
        below("rectified", tamed[10] / tamed[100], 2, "times r² the variance no longer stands out at the beginning", "乘以 r² 之后，开头的方差不再突出"),
        same("trigger", tuple(r.rule_kept for r in waited), (True,) * len(waited), "the low rate holds until the training error is below 80 %, the full rate from the next update on", "训练误差降到 80 % 以下之前用小步长，下一次更新起用满步长"),
        above("straight away", mean[0], 0.4, "the full rate from the start does learn here: the trigger is a convenience, not a need", "一开始就用满步长也学得会：触发规则是方便，不是必需", ruling=31),
        above("triggered", mean[1], 0.4, "so does the triggered one", "带触发的同样学得会"),
    ]  # fmt: skip
    return Result(
        numbers={
            "peak": Number(rates[peak], Both("largest rate of the Transformer's schedule", "Transformer 调度的最大步长")),
            "r5": Number(rectified[5], Both("RAdam's factor at update 5", "RAdam 在第 5 次更新的因子")),
            "r1000": Number(rectified[1000], Both("at update 1,000", "第 1000 次更新的因子")),
            "variance5": Number(drawn[5], Both("variance of 1/σ from 5 gradients", "5 个梯度时 1/σ 的方差")),
            "variance500": Number(drawn[500], Both("from 500", "500 个梯度时")),
            "rough5": Number(rough[5], Both("the paper's approximation at 5", "论文的近似在 5 处")),
            "own10": Number(float(own[9]), Both("variance of Adam's 1/σ at update 10", "Adam 的 1/σ 在第 10 次更新的方差")),
            "own100": Number(float(own[99]), Both("at update 100", "第 100 次更新的方差")),
            "switched": Number(waited[0].since, Both("update at which the trigger let go", "触发规则放开的更新")),
            "straight": Number(mean[0], Both("training accuracy, full rate from the start", "训练准确率：一开始就用满步长")),
            "waited": Number(mean[1], Both("training accuracy, triggered", "训练准确率：带触发")),
        },
        criteria=tuple(criteria),
        figures=(_shapes(bert), _variance_chart(own, paper), _training(straight[0], waited[0])),
        tables=(
            Table(
                Both("How uncertain 1/σ is", "1/σ 有多不确定"),
                (Both("gradients averaged", "平均的梯度数"), Both("variance, exact", "方差（精确）"), Both("variance, drawn", "方差（抽样）"), Both("the paper's approximation", "论文的近似")),
                tuple((rho, exact[rho], drawn[rho], rough[rho]) for rho in LENGTHS),
            ),
            Table(
                Both("One network of ten hidden layers on the digits, rate 0.02", "十个隐藏层的网络在数字数据上，步长 0.02"),
                (Both("run", "运行"), Both("training accuracy", "训练准确率"), Both("full rate from update", "满步长始于更新")),
                tuple((Both("triggered", "带触发") if r.triggered else Both("from the start", "从头满步长"), r.accuracy, r.since) for r in runs),
            ),
        ),
    )  # fmt: skip


def _turns(schedule: Schedule, length: int) -> int:
    signs = [math.copysign(1, d) for t in range(length) if abs(d := schedule(t + 1) - schedule(t)) > 1e-15]
    return sum(a != b for a, b in pairwise(signs))


def _against_torch(seed: int) -> float:
    """Largest distance of our path from torch's over 50 updates of random gradients."""
    source = torch.Generator().manual_seed(seed)
    start = torch.randn(20, generator=source, dtype=torch.float64)
    ours, theirs = (start.clone().requires_grad_() for _ in range(2))
    pair = (RAdam([ours], lr=0.01), torch.optim.RAdam([theirs], lr=0.01))
    gap = 0.0
    for _ in range(50):
        gradient = torch.randn(20, generator=source, dtype=torch.float64)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        for optimizer in pair:
            optimizer.step()
        gap = max(gap, float((ours - theirs).detach().abs().max()))
    return gap


def _exact_variance(rho: int) -> float:
    """Of √(ρ/χ²ρ): E is √(ρ/2) Γ((ρ−1)/2)/Γ(ρ/2), E of the square ρ/(ρ−2)."""
    mean = math.sqrt(rho / 2) * math.exp(math.lgamma((rho - 1) / 2) - math.lgamma(rho / 2))
    return rho / (rho - 2) - mean**2


def _drawn_variance(rho: int, draws: int, seed: int) -> float:
    return float(np.sqrt(rho / np.random.default_rng([seed, rho]).chisquare(rho, draws)).var())


def _adam_variance(coordinates: int, steps: int, seed: int) -> Tensor:
    """Variance of 1/σ over coordinates whose gradients are standard normal, at every update (from the fifth on)."""
    source = torch.Generator().manual_seed(seed)
    weights = torch.zeros(coordinates, dtype=torch.float64, requires_grad=True)
    optimizer = Rule(Gradient(), MovingSquare(0.999, eps=0.0, correct=True), lr=1.0).optimizer([weights])
    variances = torch.full((steps,), math.nan, dtype=torch.float64)
    for t in range(steps):
        before = weights.detach().clone()
        gradient = torch.randn(coordinates, generator=source, dtype=torch.float64)
        weights.grad = gradient.clone()
        optimizer.step()
        if t >= 4:
            variances[t] = ((before - weights.detach()) / gradient).var()
    return variances


@dataclass(frozen=True)
class _Run:
    triggered: bool
    accuracy: float
    since: int
    rule_kept: bool
    errors: list[tuple[int, float]]


def _train(updates: int, seed: int, triggered: bool) -> _Run:
    """Ten hidden layers of 32 ReLU on the digits; the trigger is told the training error every ten updates."""
    data = digits(seed=seed)
    model = multilayer((64, *(32,) * 10, 10), seed=seed)
    trigger = Trigger(factor=0.1, below=0.8)
    optimizer = SGD(model.parameters(), lr=0.02, momentum=0.9, schedule=trigger if triggered else None)
    errors: list[tuple[int, float]] = []
    rates: list[float] = []

    def watch(step: int, _: float) -> None:
        if step % 10 == 0:
            errors.append((step, 1 - accuracy(model, data.x, data.y)))
            if triggered:
                trigger.reached(errors[-1][1], step=step)
        rates.append(0.02 * (trigger(step) if triggered else 1.0))

    train(model, data.x, data.y, optimizer, batch=64, updates=updates, seed=seed, watch=watch)
    switch = next((step + 1 for step, error in errors if error < 0.8), updates)
    wanted = [0.002] * switch + [0.02] * (updates - switch)
    kept = len(rates) == updates and max(abs(a - b) for a, b in zip(rates, wanted, strict=True)) < 1e-12
    return _Run(triggered, accuracy(model, data.x, data.y), switch if triggered else 0, kept, errors)


def _shapes(bert: Schedule) -> Chart:
    steps = list(range(0, 1001, 4))
    attention = transformer(512, warm=100)
    peak = attention(99)
    decay = inverse_sqrt(20.0)
    return Chart(
        "shapes",
        Both("Rates over time", "学习率随时间变化"),
        Axis(Both("update", "更新次数")),
        Axis(Both("share of the largest rate", "占最大步长的比例")),
        (
            Line(steps, [decay(t) for t in steps], Both("decay only", "只有衰减"), color=1),
            Line(steps, [bert(t) for t in steps], Both("BERT: linear up, linear down", "BERT：线性升，线性降"), color=2),
            Line(steps, [attention(t) / peak for t in steps], Both("Transformer: linear up, then t^−½", "Transformer：线性升，再按 t^−½ 降"), color=3),
        ),
        Both("Drawn with a warm-up of 100 updates; the Transformer's own is 4,000.", "图中预热 100 次更新；Transformer 原本为 4000 次。"),
    )  # fmt: skip


def _variance_chart(own: Tensor, rectifier: Rectified) -> Chart:
    steps = [t for t in range(5, len(own) + 1) if t < 60 or t % 5 == 0]
    return Chart(
        "variance",
        Both("σ is a statistic, and a poor one at first", "σ 是统计量，起初并不可靠"),
        Axis(Both("update", "更新次数"), log=True),
        Axis(Both("variance of 1/σ", "1/σ 的方差"), log=True),
        (
            Line(steps, [float(own[t - 1]) for t in steps], Both("Adam, measured", "Adam 实测"), color=2),
            Line(steps, [float(own[t - 1]) * (rectifier.rectification(t) or math.nan) ** 2 for t in steps], Both("times RAdam's r²", "乘以 RAdam 的 r²"), color=1),
        ),
        Both("Gradients are standard normal, so σ should be 1. RAdam's factor holds the variance level.", "梯度为标准正态，σ 应为 1。RAdam 的因子使方差保持平稳。"),
    )  # fmt: skip


def _training(straight: _Run, waited: _Run) -> Chart:
    return Chart(
        "trigger",
        Both("Low rate until the error is below 80 %", "误差低于 80 % 之前用小步长"),
        Axis(Both("update", "更新次数")),
        Axis(Both("training error", "训练误差"), limits=(0, 1)),
        (
            Line([s for s, _ in straight.errors], [e for _, e in straight.errors], Both("full rate from the start", "从头满步长"), color=2),
            Line([s for s, _ in waited.errors], [e for _, e in waited.errors], Both("triggered", "带触发"), color=1),
            Level(y=0.8, label=Both("trigger at 80 %", "触发线 80 %")),
            Level(x=float(waited.since)),
        ),
        Both("Both learn; the trigger only makes the beginning calmer.", "两者都学会了；触发规则只是让开头更平稳。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Schedules and warm-up",
        question="Why should the learning rate rise before it falls?",
        lecture="A rate that decays brings a run to rest. Warm-up, first rising and then falling, is in famous recipes: ResNet, the "
        "Transformer, BERT. One reason: σ is estimated from gradients, and at the beginning there are few, so small steps first. "
        "RAdam follows that idea through.",
        formula="Transformer: η = d^−½ · min(t^−½, t · 4000^−3/2)\n"
        "RAdam: ρ∞ = 2/(1 − β₂) − 1,   ρ_t = ρ∞ − 2t β₂ᵗ/(1 − β₂ᵗ)\n"
        "r_t = √[ (ρ_t − 4)(ρ_t − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ_t) ]   if ρ_t > 4\n"
        "Var √(ρ/χ²_ρ) = ρ/(ρ − 2) − (ρ/2) (Γ((ρ−1)/2)/Γ(ρ/2))²",
        expectation="A peak of 6.9877·10⁻⁴ at update 4,000; r₅ = 0.01731; a variance at 5 gradients over 100 times that at 500.",
        change_mind="Another peak, another r, or a variance of 1/σ that does not fall.",
        lesson="The Transformer's rate peaks at {peak:.5g}. It is a straight rise, then t^−½.\n\n"
        "σ is a statistic. From five gradients 1/σ has the variance {variance5:.3f}, from 500 {variance500:.5f}. Adam's own 1/σ, "
        "measured on gradients that are pure noise, has {own10:.4f} at update 10 and {own100:.4f} at 100. RAdam multiplies the "
        "step with r_t: {r5:.4f} at update 5, {r1000:.3f} at 1,000; that is a warm-up with a reason, and it holds the variance "
        "level.\n\n"
        "ResNet's rule keeps a tenth of the rate until the training error is below 80 %. Here it let go at update {switched}. After the "
        "same number of updates the accuracy is {waited:.2f} with it and {straight:.2f} without.",
        holds="The schedules as published, and the reason given for warm-up: the early σ is uncertain.",
        fails="The lecture leaves the shape of the warm-up open, and it matters: Goyal et al. report 25.88 % error with a constant low "
        "rate at first, 24.84 % with none, and 23.74 % with a gradual rise. ResNet's authors say themselves that the full rate reaches a similar "
        "accuracy without the trick. RAdam's threshold is 4 in the paper and 5 in its code, so the first scaled "
        "step is 5 or 6. And its approximation of the variance gives {rough5:.3f} at five gradients, three times too much.",
    ),
    "zh": Page(
        title="学习率调度与预热",
        question="学习率为什么要先升后降？",
        lecture="衰减的步长能让训练安定下来。预热，即先升后降，出现在许多著名的配方里：ResNet、Transformer、BERT。"
        "一个理由是：σ 由梯度估计，开头样本太少，所以先走小步。RAdam 把这个想法贯彻到底。",
        formula="Transformer：η = d^−½ · min(t^−½, t · 4000^−3/2)\n"
        "RAdam：ρ∞ = 2/(1 − β₂) − 1，  ρ_t = ρ∞ − 2t β₂ᵗ/(1 − β₂ᵗ)\n"
        "r_t = √[ (ρ_t − 4)(ρ_t − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ_t) ]   （ρ_t > 4 时）\n"
        "Var √(ρ/χ²_ρ) = ρ/(ρ − 2) − (ρ/2) (Γ((ρ−1)/2)/Γ(ρ/2))²",
        expectation="峰值在第 4000 次更新，为 6.9877·10⁻⁴；r₅ = 0.01731；5 个梯度时的方差是 500 个时的百倍以上。",
        change_mind="若峰值或 r 不同，或 1/σ 的方差并不下降。",
        lesson="Transformer 的学习率峰值为 {peak:.5g}：先直线上升，再按 t^−½ 下降。\n\n"
        "σ 是统计量。由五个梯度得到的 1/σ 方差为 {variance5:.3f}，由 500 个得到的为 {variance500:.5f}。"
        "在纯噪声梯度上实测，Adam 自己的 1/σ 在第 10 次更新方差为 {own10:.4f}，第 100 次为 {own100:.4f}。"
        "RAdam 给步子乘上 r_t：第 5 次为 {r5:.4f}，第 1000 次为 {r1000:.3f}；这是有理由的预热，它使方差保持平稳。\n\n"
        "ResNet 的规则是：训练误差降到 80 % 以下之前只用十分之一的步长。这里在第 {switched} 次更新放开。"
        "更新次数相同，用它的准确率为 {waited:.2f}，不用为 {straight:.2f}。",
        holds="各调度如原文所述；预热的理由成立：早期的 σ 不可靠。",
        fails="讲义没有规定预热的形状，而形状有影响：Goyal 等人报告，开头用恒定小步长的误差为 25.88 %，不预热为 24.84 %，逐渐上升为 23.74 %。"
        "ResNet 的作者自己也说，不用这个技巧最终准确率相近。RAdam 的阈值在论文中是 4，代码中是 5，所以第一个缩放步是第 5 或第 6 次。"
        "它的方差近似在五个梯度时给出 {rough5:.3f}，大了三倍。",
    ),
}

_right_length = Rectified.length


def _uncorrected(self: Rectified, t: int) -> float:
    return 2.0 / (1.0 - self.beta) - 1.0 - 2.0 * t * self.beta**t


def _late(self: Trigger, t: float) -> float:
    return 1.0


PLANTED = (
    plant(
        "the length of the average forgets its correction",
        "unstuck.optim.scales.rectified:Rectified",
        "length",
        _uncorrected,
        "ρ₄",
    ),
    plant("the trigger never holds the rate down", "unstuck.optim.schedules:Trigger", "value", _late, "trigger"),
    plant("the rise takes 1,000 updates", __name__, "transformer", partial(transformer, warm=1000), "peak, where"),
    plant(
        "the decay stops short of zero", __name__, "polynomial", lambda length: linear(1.0, 0.1, length), "BERT, end"
    ),
)
