"""Signals through many layers: powers of a factor, and initial weights that keep the factor at one."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from unstuck.lab.charts import Axis, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near, same
from unstuck.lab.training import accuracy, multilayer, train
from unstuck.lab.words import Both
from unstuck.optim import Momentum
from unstuck.problems import Digits, digits
from unstuck.signal import initialize, initialize_from_data, profile, weight_std
from unstuck.signal.gains import Rule

ORDER = 11
COVERS = ("G1", "G2", "G3", "G4", "G5", "G6", "G7")
COST = Cost(quick_seconds=2, full_seconds=8)
SOURCES = (
    "Andrew Ng, Deep Learning: Vanishing/exploding gradients; Weight initialization",
    "LeCun et al. 1998; Glorot and Bengio 2010; He et al. 2015",
    "scikit-learn's digits",
)
SUBJECT = "unstuck.signal.initialize, unstuck.signal.weight_std"


@dataclass(frozen=True)
class Config:
    """``updates`` of the deep networks, ``gains`` tried (``scan_updates`` each), ``width`` of the untrained ones."""

    updates: int
    scan_updates: int
    gains: tuple[float, ...]
    width: int


QUICK = Config(updates=100, scan_updates=60, gains=(0.25, 0.5, 1.0, 2.0, 4.0), width=256)
FULL = Config(
    updates=300, scan_updates=220, gains=(0.1, 0.25, 0.5, 0.71, 0.85, 1.0, 1.2, 1.41, 2.0, 3.0, 4.0), width=512
)

DEEP = 30


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Powers of a factor, variance by layer for each rule, and what can be trained."""
    grown, shrunk = (_chain(factor) for factor in (1.5, 0.5))
    neuron = _neuron(seed)
    tanh_good = _through(nn.Tanh, 20, config.width, seed, rule="lecun")
    tanh_small = _through(nn.Tanh, 20, config.width, seed, rule="lecun", gain=0.01 * config.width**0.5)
    relu_he = _through(nn.ReLU, DEEP, config.width, seed, rule="he")
    relu_one = _through(nn.ReLU, DEEP, config.width, seed, rule="lecun")
    from_data = _from_data(config.width, seed)
    ratio_he, ratio_one = _per_layer(relu_he), _per_layer(relu_one)
    balance = weight_std(64, 256, rule="glorot") ** 2 * (64 + 256) / 2
    progress(0.3, "profiles measured")

    data = digits(seed=seed)
    deep = {rule: _trained(data, DEEP, config.updates, 0.005, seed, rule=rule) for rule in ("he", "lecun")}
    progress(0.7, f"{DEEP} layers trained")
    scan = {gain: _trained(data, 10, config.scan_updates, 0.02, seed, gain=gain) for gain in config.gains}
    good = [gain for gain, share in scan.items() if share > 0.4]

    criteria: list[Criterion] = [
        near("grown", grown[0] / 1.5**99, 1.0, 1e-12, "99 layers of 1.5·I multiply the signal by 1.5⁹⁹ = 2.7e17", "99 层 1.5·I 把信号乘以 1.5⁹⁹ = 2.7e17"),
        near("shrunk", shrunk[0] / 0.5**99, 1.0, 1e-12, "99 layers of 0.5·I leave 0.5⁹⁹ = 1.6e−30 of it", "99 层 0.5·I 只剩下 0.5⁹⁹ = 1.6e−30"),
        near("gradients", grown[1], math.log(1.5), 1e-12, "gradients grow by the same factor a layer on the way back", "梯度在回传途中每层增长同样的倍数"),
        near("one neuron", neuron, 1.0, 0.03, "Var z = n · Var w · E x²", "Var z = n · Var w · E x²"),
        near("tanh", tanh_good[-1] * 40, 1.0, 0.2, "with 1/n a tanh network's variance fades only like 1/(2·depth)", "取 1/n 时，tanh 网络的方差只按 1/(2·深度) 缓慢减小"),
        below("tanh, 0.01", tanh_small[-1], 1e-12, "with weights of 0.01 nothing is left of it after 20 layers", "权重取 0.01 时，20 层之后信号荡然无存"),
        near("ReLU, 2/n", ratio_he, 1.0, 0.1, "with 2/n a ReLU network keeps the mean square", "取 2/n 时，ReLU 网络保持均方"),
        near("ReLU, 1/n", ratio_one, 0.5, 0.05, "with 1/n it halves at every layer", "取 1/n 时，每层减半", ruling=37),
        near("balance", balance, 1.0, 1e-12, "2/(n_in + n_out) makes the forward and the backward factor average to one", "2/(n_in + n_out) 使前向与后向的因子平均为一"),
        near("from data", from_data, 1.0, 0.05, "initialization by data gives every layer variance one, whatever its activation", "由数据初始化使每层方差为一，不论激活函数"),
        above("deep, He", deep["he"], 0.2, f"{DEEP} ReLU layers with 2/n learn", f"{DEEP} 层 ReLU 取 2/n 能学"),
        below("deep, 1/n", deep["lecun"], 0.15, "with 1/n they stay at chance", "取 1/n 则停在随机水平"),
        same("window", (1.0 in good, config.gains[0] in good, config.gains[-1] in good), (True, False, False), "the factor is a hyper-parameter with a window around 1", "该系数是超参数，可用的窗口在 1 附近"),
    ]  # fmt: skip
    return Result(
        numbers={
            "grown": Number(grown[0], Both("1.5·I, 99 layers", "1.5·I，99 层")),
            "shrunk": Number(shrunk[0], Both("0.5·I, 99 layers", "0.5·I，99 层")),
            "tanh_std": Number(tanh_good[-1] ** 0.5, Both("std after 20 tanh layers, 1/n", "20 层 tanh 之后的标准差，1/n")),
            "tanh_small": Number(tanh_small[-1] ** 0.5, Both("the same with weights of 0.01", "同上，权重 0.01")),
            "ratio_he": Number(ratio_he, Both("mean square kept by a ReLU layer, 2/n", "ReLU 每层保留的均方，2/n")),
            "ratio_one": Number(ratio_one, Both("the same with 1/n", "同上，1/n")),
            "deep_he": Number(deep["he"], Both("training accuracy of 30 layers, 2/n", "30 层的训练准确率，2/n")),
            "deep_one": Number(deep["lecun"], Both("the same with 1/n", "同上，1/n")),
            "updates": Number(config.updates, Both("updates of those", "它们的更新次数")),
        },
        criteria=tuple(criteria),
        figures=(_depths(tanh_good, tanh_small, relu_he, relu_one), _scan(scan)),
        tables=(
            Table(
                Both("Ten ReLU layers: accuracy by the factor on 2/n's standard deviation", "十层 ReLU：准确率随 2/n 标准差上的系数"),
                (Both("factor", "系数"), Both("accuracy", "准确率")),
                tuple(scan.items()),
            ),
        ),
    )  # fmt: skip


def _chain(factor: float) -> tuple[float, float]:
    """Size of the signal after 99 layers of factor·I on ones, and the log of the gradient's growth a layer."""
    layers = []
    for _ in range(99):
        layer = nn.Linear(2, 2, bias=False, dtype=torch.float64, device="meta").to_empty(device="cpu")
        with torch.no_grad():
            layer.weight.copy_(factor * torch.eye(2))
        layers.append(layer)
    found = profile(nn.Sequential(*layers), torch.ones(1, 2, dtype=torch.float64), loss=lambda out: out.sum())
    return found.rows[-1].mean, math.log(found.gradient_ratio)


def _neuron(seed: int) -> float:
    """Measured variance of z over n · Var w · E x², for a layer that is wider than its input."""
    with torch.random.fork_rng(devices=[]):
        layer = nn.Sequential(nn.Linear(300, 4000), nn.ReLU())
    done = initialize(layer, seed=seed)[0]
    x = 3 * torch.rand(400, 300, generator=torch.Generator().manual_seed(seed))
    z = layer[0](x).detach().double()
    assert done.fan_in == 300
    return float(z.var()) / (300 * (2 / 300) * float(x.double().pow(2).mean()))


def _through(
    activation: Callable[[], nn.Module], depth: int, width: int, seed: int, *, rule: Rule, gain: float = 1.0
) -> list[float]:
    """Mean square after each activation."""
    model = multilayer((width,) * (depth + 2), activation, rule=rule, gain=gain, seed=seed)
    x = torch.randn(64, width, generator=torch.Generator().manual_seed(seed))
    return [row.second_moment for row in profile(model, x).rows if row.kind != "Linear"]


def _per_layer(moments: list[float]) -> float:
    return float((moments[-1] / moments[0]) ** (1 / (len(moments) - 1)))


def _from_data(width: int, seed: int) -> float:
    """Standard deviation that is farthest from one, over the layers of a network with mixed activations."""
    with torch.random.fork_rng(devices=[]):
        parts: list[nn.Module] = []
        for activation in (nn.Sigmoid, nn.GELU, nn.Tanh, nn.ReLU):
            parts += [nn.Linear(width, width), activation()]
        model = nn.Sequential(*parts, nn.Linear(width, 10))
    x = 5 + torch.randn(256, width, generator=torch.Generator().manual_seed(seed))
    fits = initialize_from_data(model, x, seed=seed)
    return max((fit.after for fit in fits), key=lambda std: abs(std - 1))


def _trained(
    data: Digits, depth: int, updates: int, lr: float, seed: int, *, rule: Rule = "he", gain: float = 1.0
) -> float:
    """Training accuracy after so many updates of a network of ``depth`` hidden ReLU layers."""
    model = multilayer((64, *[64] * depth, 10), nn.ReLU, rule=rule, gain=gain, seed=seed)
    ran = train(model, data.x, data.y, Momentum(model.parameters(), lr=lr), batch=64, updates=updates, seed=seed)
    return accuracy(model, data.x, data.y) if ran.finite else 0.0


def _depths(tanh_good: list[float], tanh_small: list[float], relu_he: list[float], relu_one: list[float]) -> Chart:
    def line(moments: list[float], words: Both, color: int, dashed: bool = False) -> Line:
        return Line(
            list(range(1, len(moments) + 1)), [max(m, 1e-45) for m in moments], words, color=color, dashed=dashed
        )

    return Chart(
        "depth",
        Both("The signal's mean square by layer", "各层信号的均方"),
        Axis(Both("layer", "层")),
        Axis(Both("mean square after the activation", "激活之后的均方"), log=True, limits=(1e-14, 10)),
        (
            line(relu_he, Both("ReLU, 2/n", "ReLU，2/n"), 1),
            line(relu_one, Both("ReLU, 1/n", "ReLU，1/n"), 2),
            line(tanh_good, Both("tanh, 1/n", "tanh，1/n"), 3, True),
            line(tanh_small, Both("tanh, weights of 0.01", "tanh，权重 0.01"), 4, True),
        ),
        Both("Only the rule that fits the activation keeps the signal alive through thirty layers.", "只有与激活函数相配的规则，才能让信号活着穿过三十层。"),
    )  # fmt: skip


def _scan(scan: dict[float, float]) -> Chart:
    return Chart(
        "window",
        Both("Which factors can be trained", "哪些系数能训练"),
        Axis(Both("factor on the standard deviation of 2/n", "2/n 标准差上的系数"), log=True),
        Axis(Both("training accuracy", "训练准确率"), limits=(0, 1)),
        (
            Line(list(scan), list(scan.values()), Both("ten ReLU layers", "十层 ReLU"), color=1, marked=True),
            Level(y=0.1, label=Both("chance", "随机水平")),
        ),
        Both("A window around 1. Left of it the signal vanishes, right of it training explodes.", "窗口在 1 附近：左边信号消失，右边训练爆炸。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Signals through many layers",
        question="Why do signals and gradients vanish or explode with depth, and what can the first weights do about it?",
        lecture="In a deep network without activations a weight matrix a little above the identity makes the output grow "
        "exponentially with depth, one a little below makes it vanish; gradients likewise. The more inputs a neuron has, the "
        "smaller its weights should be: variance 1/n for tanh, 2/n for ReLU, or 2/(n_in + n_out). The factor may be tuned. "
        "This solves part of the problem.",
        formula="W = 1.5·I: 1.5^(L−1)      W = 0.5·I: 0.5^(L−1)\nVar z = n · Var w · E[x²]\n"
        "E[relu(z)²] = ½ Var z,  so Var w = 2/n keeps the mean square",
        expectation="A ratio of 1 a layer for ReLU with 2/n and ½ with 1/n; thirty layers learn with the first and stay at "
        "chance with the second.",
        change_mind="Thirty ReLU layers that learn with 1/n, or do not with 2/n.",
        lesson="Ninety-nine layers of 1.5·I multiply by {grown:.3g}, of 0.5·I by {shrunk:.3g}. (For a matrix that is not a "
        "multiple of the identity it is the singular values that count.)\n\n"
        "ReLU throws away half of the mean square, so with variance 1/n a layer keeps {ratio_one:.3f} of it, with 2/n "
        "{ratio_he:.3f}. Over thirty layers that is a factor of a billion. It decides: after {updates} updates on digits the "
        "network with 2/n has {deep_he:.0%} right, the one with 1/n {deep_one:.0%}, which is chance.\n\n"
        "For tanh 1/n does not keep the signal either, but it fades slowly: the standard deviation is {tanh_std:.3f} after "
        "20 layers, as 1/√(2·depth) says. With weights of 0.01 it is {tanh_small:.0e}.\n\n"
        "The rule need not be derived. Scaling each layer until its outputs on one batch have variance one does the same "
        "for any activation.",
        holds="The powers, the rules for tanh and ReLU, the window for the factor.",
        fails="1/n is LeCun's rule; what Glorot and Bengio proposed is 2/(n_in + n_out). “Greater than the identity” is exact "
        "for multiples of the identity only. And 1/n does not hold a tanh network's signal: after 20 layers its standard deviation is {tanh_std:.2f}.",
    ),
    "zh": Page(
        title="穿过许多层的信号",
        question="信号与梯度为何随深度消失或爆炸，初始权重能做些什么？",
        lecture="在没有激活函数的深网络中，权重矩阵比单位阵略大，输出就随深度指数增长，略小就指数消失；梯度也一样。"
        "神经元的输入越多，权重应越小：tanh 取方差 1/n，ReLU 取 2/n，或取 2/(n_in + n_out)。系数可以调。这只解决一部分问题。",
        formula="W = 1.5·I：1.5^(L−1)      W = 0.5·I：0.5^(L−1)\nVar z = n · Var w · E[x²]\n"
        "E[relu(z)²] = ½ Var z，所以 Var w = 2/n 保持均方",
        expectation="ReLU 取 2/n 时每层的比为 1，取 1/n 时为 ½；三十层的网络前者能学，后者停在随机水平。",
        change_mind="若三十层 ReLU 取 1/n 也能学，或取 2/n 学不了。",
        lesson="99 层 1.5·I 乘以 {grown:.3g}，0.5·I 乘以 {shrunk:.3g}。（若矩阵不是单位阵的倍数，起作用的是奇异值。）\n\n"
        "ReLU 丢掉一半的均方，所以方差取 1/n 时每层只保留 {ratio_one:.3f}，取 2/n 时为 {ratio_he:.3f}。"
        "三十层下来就是十亿倍，足以决定成败：在手写数字上更新 {updates} 次之后，取 2/n 的网络答对 {deep_he:.0%}，"
        "取 1/n 的只有 {deep_one:.0%}，即随机水平。\n\n"
        "对 tanh，1/n 也保不住信号，但衰减很慢：20 层之后标准差为 {tanh_std:.3f}，正如 1/√(2·深度) 所说；"
        "权重取 0.01 时则为 {tanh_small:.0e}。\n\n"
        "规则不必推导：逐层缩放，直到一批数据上的输出方差为一，对任何激活函数都同样有效。",
        holds="幂次、tanh 与 ReLU 的规则、系数的窗口。",
        fails="1/n 是 LeCun 的规则；Glorot 与 Bengio 提出的是 2/(n_in + n_out)。“比单位阵大”只对单位阵的倍数严格成立。而且 1/n 并不能保持 tanh 网络的信号：20 层之后标准差为 {tanh_std:.2f}。",
    ),
}

_right_std = weight_std


def _wrong_fan(fan_in: int, fan_out: int, **options: object) -> float:
    return _right_std(fan_out, fan_in, **options)  # type: ignore[arg-type]


def _relu_forgotten(fan_in: int, fan_out: int, **options: object) -> float:
    return _right_std(fan_in, fan_out, **{**options, "rule": "lecun"})  # type: ignore[arg-type]


_INITIALIZE = "unstuck.signal.initialize"
PLANTED = (
    plant("outputs are counted instead of inputs", _INITIALIZE, "weight_std", _wrong_fan, "one neuron"),
    plant("the 2 of ReLU is forgotten", _INITIALIZE, "weight_std", _relu_forgotten, "ReLU, 2/n", "deep, He"),
)
