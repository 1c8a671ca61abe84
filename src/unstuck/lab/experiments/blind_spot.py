"""ReLU's blind spot: a network whose units are all off has no gradient, and its start decides whether it ever learns."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from unstuck.curvature import dense_spectrum, hessian
from unstuck.lab.charts import Axis, Bars, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, same
from unstuck.lab.training import accuracy, multilayer, train
from unstuck.lab.words import Both, alike
from unstuck.objective import ModelObjective
from unstuck.optim import Adam
from unstuck.problems import digits

ORDER = 20
COVERS = ("R2", "R3")
COST = Cost(quick_seconds=3, full_seconds=20)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: When gradient is zero; initialization decides",
    "Swirszcz, Czarnecki and Pascanu 2016: Local minima in training of deep networks, section 4",
)
SUBJECT = "unstuck.lab.experiments.blind_spot.fill, unstuck.objective.ModelObjective, unstuck.curvature.hessian"


@dataclass(frozen=True)
class Config:
    """``updates`` of training for each start; ``deep``: whether two hidden layers are tried as well."""

    updates: int
    deep: bool


QUICK = Config(updates=800, deep=False)
FULL = Config(updates=3000, deep=True)


@dataclass(frozen=True)
class Start:
    """Weights and biases drawn from normal distributions, mean and standard deviation each."""

    name: Both
    weight: tuple[float, float]
    bias: tuple[float, float]
    good: bool


STARTS = (
    Start(alike("N(0, 0.01)"), (0.0, 0.01), (0.0, 0.01), True),
    Start(alike("N(0, 1)"), (0.0, 1.0), (0.0, 1.0), True),
    Start(Both("weights N(−10, 0.01)", "权重 N(−10, 0.01)"), (-10.0, 0.01), (0.0, 0.01), False),
    Start(Both("biases N(−10, 0.01)", "偏置 N(−10, 0.01)"), (0.0, 0.01), (-10.0, 0.01), False),
    Start(alike("N(−1, 1)"), (-1.0, 1.0), (-1.0, 1.0), False),
)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Train from five starts; look at the gradient and the curvature of a dead network; try the ways around."""
    # what is dead shows it soon
    trained = [_train(s, config.updates if s.good else config.updates // 3, seed, (128,)) for s in STARTS]
    progress(0.5, "trained from five starts")
    deep = [_train(start, config.updates, seed, (128, 128)) for start in STARTS] if config.deep else []
    dead = _dead_network(seed)
    progress(0.7, "a dead network judged")
    leaky = _train(STARTS[3], config.updates, seed, (128,), activation=lambda: nn.LeakyReLU(0.2))
    normal = _train(STARTS[3], config.updates, seed, (128,), norm=nn.BatchNorm1d)
    progress(1.0, "ways around tried")

    good = [one for one, start in zip(trained, STARTS, strict=True) if start.good]
    bad = [one for one, start in zip(trained, STARTS, strict=True) if not start.good]
    criteria: list[Criterion] = [
        *(above(f"learns: {start.name.en}", one.accuracy, 0.85, f"from {start.name.en} it learns", f"从 {start.name.zh} 出发能学会") for one, start in zip(trained, STARTS, strict=True) if start.good),
        *(below(f"stays: {start.name.en}", one.accuracy, 0.13, f"from {start.name.en} it stays at chance", f"从 {start.name.zh} 出发停在瞎猜的水平") for one, start in zip(trained, STARTS, strict=True) if not start.good),
        same("units on, bad starts", tuple(one.on_at_start for one in bad), (0.0,) * len(bad), "in the bad starts no unit is on for any digit", "坏的起点中没有一个单元对任何数字开启"),
        same("units on, still", tuple(one.on_at_end for one in bad), (0.0,) * len(bad), "and none is after training", "训练之后也没有"),
        above("units on, good starts", min(one.on_at_start for one in good), 0.3, "in the good starts units are on", "好的起点中单元是开启的"),
        same("gradient", dead.largest_gradient, 0.0, "a dead network's gradient is exactly zero in all but the output's biases", "死网络的梯度除输出偏置外恰为零"),
        above("output's biases", dead.bias_gradient, 1e-3, "the output's biases alone have one", "只有输出偏置有梯度"),
        same("curvature", dead.flat, dead.size - 9, "its Hessian is zero but for nine directions of the output's biases", "黑塞矩阵除输出偏置的九个方向外全为零"),
        below("settled", dead.settled, 1e-12, "with these at the logarithms of the class frequencies the whole gradient is zero", "它们取各类频率的对数时，整个梯度为零"),
        above("nothing leads down", dead.lowest, -1e-12, "and no curvature is negative there", "那里没有负曲率"),
        below("flat", dead.change, 1e-15, "small changes of all other parameters leave the loss as it is", "对其余参数的小改动丝毫不影响损失"),
        above("a leak", leaky.accuracy, 0.8, "with a leaky unit the same start learns", "改用带泄漏的单元，同一起点也能学会"),
        above("normalization", normal.accuracy, 0.85, "with batch normalization it does as well", "加上批量归一化也能"),
    ]  # fmt: skip
    for one, start in zip(deep, STARTS, strict=False):
        criteria.append((above if start.good else below)(f"two layers: {start.name.en}", one.accuracy, 0.7 if start.good else 0.13, f"two hidden layers, {start.name.en}: the same", f"两个隐藏层，{start.name.zh}：同样如此"))  # fmt: skip
    return Result(
        numbers={
            "small": Number(trained[0].accuracy, Both("training accuracy from N(0, 0.01)", "从 N(0, 0.01) 出发的训练准确率")),
            "unit": Number(trained[1].accuracy, Both("training accuracy from N(0, 1)", "从 N(0, 1) 出发的训练准确率")),
            "bad": Number(max(one.accuracy for one in bad), Both("highest training accuracy of the three bad starts", "三个坏起点中最高的训练准确率")),
            "on": Number(trained[0].on_at_start, Both("share of units on, N(0, 0.01)", "N(0, 0.01) 开启单元的比例")),
            "on_unit": Number(trained[1].on_at_start, Both("share of units on, N(0, 1)", "N(0, 1) 开启单元的比例")),
            "parameters": Number(dead.size, Both("parameters of the small dead network", "小型死网络的参数数")),
            "flat": Number(dead.flat, Both("of its curvatures that are zero", "其中曲率为零的个数")),
            "settled": Number(dead.settled, Both("its gradient once the output's biases have settled", "输出偏置到位后的梯度")),
            "leaky": Number(leaky.accuracy, Both("accuracy of the bad biases with a leak", "坏偏置加泄漏单元的准确率")),
            "normal": Number(normal.accuracy, Both("accuracy of the bad biases with batch normalization", "坏偏置加批量归一化的准确率")),
        },
        criteria=tuple(criteria),
        figures=(_accuracies(trained), _curves(trained)),
        tables=(
            Table(
                Both("One hidden layer of 128 ReLU units on the digits", "一个 128 单元的 ReLU 隐藏层，数字数据"),
                (Both("start", "起点"), Both("share of units on", "开启单元的比例"), Both("training accuracy", "训练准确率")),
                tuple((start.name, one.on_at_start, one.accuracy) for start, one in zip(STARTS, trained, strict=True)),
            ),
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class _Run:
    on_at_start: float
    on_at_end: float
    accuracy: float
    losses: list[float]


def fill(model: nn.Sequential, start: Start, *, seed: int) -> None:
    """Draw all weights and biases anew."""
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Linear):
                layer.weight.copy_(
                    start.weight[0] + start.weight[1] * torch.randn(layer.weight.shape, generator=source)
                )
                layer.bias.copy_(start.bias[0] + start.bias[1] * torch.randn(layer.bias.shape, generator=source))


def _train(
    start: Start,
    updates: int,
    seed: int,
    hidden: tuple[int, ...],
    *,
    activation: Callable[[], nn.Module] = nn.ReLU,
    norm: Callable[[int], nn.Module] | None = None,
) -> _Run:
    data = digits()
    model = multilayer((64, *hidden, 10), activation, norm=norm, seed=seed)
    fill(model, start, seed=seed)
    before = _share_on(model, data.x)
    done = train(model, data.x, data.y, Adam(model.parameters(), lr=1e-3), batch=64, updates=updates, seed=seed)
    return _Run(before, _share_on(model, data.x), accuracy(model, data.x, data.y), done.losses)


def _share_on(model: nn.Sequential, x: torch.Tensor) -> float:
    """Mean share of the last hidden layer's units that are above zero."""
    was = model.training
    model.eval()
    with torch.no_grad():
        share = float((model[:-1](x) > 0).double().mean())
    model.train(was)
    return share


@dataclass(frozen=True)
class _Dead:
    size: int
    largest_gradient: float  # of all but the output's biases
    bias_gradient: float
    settled: float  # the whole gradient's length, the output's biases at the logarithms of the class frequencies
    lowest: float  # smallest curvature there
    flat: int
    change: float


def _dead_network(seed: int) -> _Dead:
    """Four hidden units, biases at −10, on 120 digits, in float64: gradient, curvature, small changes."""
    data = digits(train=120, dtype=torch.float64)
    model = multilayer((64, 4, 10), dtype=torch.float64, seed=seed)
    fill(model, STARTS[3], seed=seed)
    objective = ModelObjective(model, F.cross_entropy, [(data.x, data.y)])
    here = objective.start()
    gradient = objective.gradient(here).vector
    here = torch.cat([here[:-10], (torch.bincount(data.y, minlength=10).to(here) / len(data.y)).log()])
    with objective.at(here) as point:
        values = dense_spectrum(hessian(point)).values
        settled, loss = float(point.gradient.norm()), point.value
    change = 1e-2 * torch.randn(len(here), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    change[-10:] = 0.0
    return _Dead(
        objective.size,
        float(gradient[:-10].abs().max()),
        float(gradient[-10:].abs().max()),
        settled,
        float(values[0]),
        int((values.abs() < 1e-9).sum()),
        abs(objective.value(here + change) - loss),
    )


def _accuracies(trained: list[_Run]) -> Chart:
    return Chart(
        "accuracy",
        Both("The start decides", "起点决定一切"),
        Axis(Both("start", "起点"), ticks=tuple((float(i), Both(s.name.en.replace(" N", "\nN"), s.name.zh.replace(" N", "\nN"))) for i, s in enumerate(STARTS))),
        Axis(Both("share", "比例"), limits=(0, 1.05)),
        (
            Bars(list(range(len(STARTS))), [one.accuracy for one in trained], Both("training accuracy", "训练准确率"), color=1),
            Bars(list(range(len(STARTS))), [one.on_at_start for one in trained], Both("units on at the start", "起点处开启的单元"), color=2),
            Level(y=0.1, label=Both("chance", "瞎猜")),
        ),
        Both("Where no unit is on, nothing is ever learned.", "没有单元开启，就永远学不到东西。"),
    )  # fmt: skip


def _curves(trained: list[_Run]) -> Chart:
    lines = []
    for color, (one, start) in enumerate(zip(trained, STARTS, strict=True), start=1):
        if start.name.en != "N(0, 1)" and not start.name.en.startswith("weights"):
            shown = list(range(8, len(one.losses), 8))
            kept = [min(max(sum(one.losses[t - 8 : t]) / 8, 1e-3), 30.0) for t in shown]
            lines.append(Line(shown, kept, start.name, color=color))
    return Chart(
        "losses",
        Both("A dead network learns how frequent the classes are, no more", "死网络只学到各类的频率"),
        Axis(Both("update", "更新次数")),
        Axis(Both("loss of the batch, mean of eight", "批量损失（八次平均）"), log=True),
        (*lines, Level(y=2.3026, label=Both("ln 10: guessing", "ln 10：瞎猜"))),
        Both("Only the output's biases move.", "只有输出偏置在动。"),
    )


TEXT = {
    "en": Page(
        title="ReLU's blind spot",
        question="Can a ReLU network be stuck from the very beginning?",
        lecture="A ReLU unit that is off for every datum passes nothing on and nothing back. If all are off, all gradients are zero: a "
        "flat local minimum. Whether that happens is decided by the initialization: with weights around −10, or biases "
        "around −10, the network on MNIST never learns.",
        formula="h = max(0, Wx + b) = 0 for every x   ⇒   ∂L/∂W = ∂L/∂b = 0,  ∂L/∂U = (…)·hᵀ = 0\n"
        "what is left: ∂L/∂c, the output's biases",
        expectation="Three starts at chance with no unit on; two starts above 0.85; a gradient of exactly zero.",
        change_mind="One bad start that learns, or a gradient in a dead layer.",
        lesson="From N(0, 0.01), where {on:.2f} of the units are on, the network reaches {small:.3f}; from N(0, 1), with {on_unit:.2f} on, {unit:.3f}. "
        "From each of the three bad starts no unit was on for any digit, before or after training, and the accuracy never "
        "exceeded {bad:.3f}.\n\n"
        "A dead network has a gradient of exactly zero everywhere but in the output's biases, and {flat} of its {parameters} curvatures are "
        "zero. It learns how frequent the classes are, and stands still: there the whole gradient is {settled:.0e}, no curvature is "
        "negative, and small changes of the other weights change nothing. It is a minimum, and a bad one.\n\n"
        "The way around is not to enter it: a leaky unit passes a little back and reaches {leaky:.3f} from the very same start; batch "
        "normalization puts the units in the middle of their data, {normal:.3f}.",
        holds="All of it: the blind spot is a flat local minimum, and the initialization decides.",
        fails="Not every start is hopeless that looks so: N(0, 1) is a hundred times wider than N(0, 0.01), and still learns: {unit:.3f} against "
        "{small:.3f}. What counts is whether units are on. The lecture's MNIST was replaced by smaller digits here.",
    ),
    "zh": Page(
        title="ReLU 的盲区",
        question="ReLU 网络会从一开始就卡住吗？",
        lecture="一个对所有数据都关闭的 ReLU 单元，既不向前传，也不向后传。若全部关闭，梯度就全为零：这是平坦的局部极小。"
        "是否如此由初始化决定：权重在 −10 附近，或偏置在 −10 附近，网络在 MNIST 上永远学不会。",
        formula="对每个 x，h = max(0, Wx + b) = 0   ⇒   ∂L/∂W = ∂L/∂b = 0，  ∂L/∂U = (…)·hᵀ = 0\n"
        "剩下的只有：∂L/∂c，即输出偏置",
        expectation="三个起点停在瞎猜的水平，没有单元开启；两个起点超过 0.85；梯度恰为零。",
        change_mind="若某个坏起点能学会，或死层中有梯度。",
        lesson="从 N(0, 0.01) 出发，{on:.2f} 的单元开启，准确率达到 {small:.3f}；从 N(0, 1) 出发，{on_unit:.2f} 开启，达到 {unit:.3f}。"
        "三个坏起点在训练前后都没有一个单元对任何数字开启，准确率从未超过 {bad:.3f}。\n\n"
        "死网络除输出偏置外梯度恰为零，{parameters} 个曲率中有 {flat} 个为零。它只学到各类的频率，然后停住："
        "此时整个梯度为 {settled:.0e}，没有负曲率，其余权重的小改动毫无作用。它是极小，而且是坏的极小。\n\n"
        "办法是不要走进去：带泄漏的单元会传回一点，从同一起点达到 {leaky:.3f}；批量归一化把单元放到数据的中间，达到 {normal:.3f}。",
        holds="全部成立：盲区是平坦的局部极小，由初始化决定。",
        fails="看似无望的起点未必无望：N(0, 1) 比 N(0, 0.01) 宽一百倍，仍能学会：{unit:.3f}，后者为 {small:.3f}。关键在于单元是否开启。"
        "讲义用的是 MNIST，这里换成较小的数字数据。",
    ),
}


def _centered(model: nn.Sequential, start: Start, *, seed: int) -> None:
    _right_fill(model, Start(start.name, (0.0, start.weight[1]), (0.0, start.bias[1]), start.good), seed=seed)


_right_fill = fill


def _tanh(shape: tuple[int, ...], *activation: Callable[[], nn.Module], **more: object) -> nn.Sequential:
    return _right_network(shape, nn.Tanh, **more)  # type: ignore[arg-type]


_right_network = multilayer

PLANTED = (
    plant("the means of the draws are forgotten", __name__, "fill", _centered, "units on, bad starts", "gradient"),
    plant("the units are tanh", __name__, "multilayer", _tanh, "gradient"),
)
