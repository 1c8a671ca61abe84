"""Batch normalization taken apart: what it computes, what its gradient contains, what it does to training."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.core.errors import BadInput
from unstuck.lab.charts import Axis, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, between, near, same
from unstuck.lab.training import accuracy, multilayer, train
from unstuck.lab.words import Both
from unstuck.optim import SGD
from unstuck.problems import Digits, digits
from unstuck.signal import BatchNorm, lecture_p

ORDER = 12
COVERS = ("N5", "N6", "N7", "N8", "N9", "N10", "N11")
COST = Cost(quick_seconds=3, full_seconds=15)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Batch normalization",
    "Ioffe and Szegedy 2015; Santurkar et al. 2018 (smoothing)",
    "scikit-learn's digits",
)
SUBJECT = "unstuck.signal.BatchNorm"


@dataclass(frozen=True)
class Config:
    """``updates`` of each network, ``hidden`` units a layer, ``rates`` tried with and without."""

    updates: int
    hidden: int
    rates: tuple[float, ...]


QUICK = Config(updates=300, hidden=32, rates=(0.03, 0.9))
FULL = Config(updates=440, hidden=64, rates=(0.01, 0.03, 0.1, 0.3, 0.9, 3.0))

TARGET = 0.5  # training loss (mean of ten batches) that both networks race for
SLOW, FAST = 0.03, 0.9


def run(config: Config, seed: int, progress: Progress) -> Result:
    """The layer by itself, then networks with and without it."""
    source = torch.Generator().manual_seed(seed)
    z = 10 * torch.randn(64, 8, generator=source, dtype=torch.float64) + 3
    slope_raw, slope_normal = _sigmoid_slope(z), _sigmoid_slope(_layer(8)(z))
    through = _gradient_gap(z[:6])
    errors = _statistics_errors(source)
    start_gap, back_gap = _gamma_and_beta(z)
    averages = _running(source)
    torch_gap = _torch_gap(z)
    bias = _bias_gradient(z)
    try:
        _layer(8)(z[:1])
        one = "accepted"
    except BadInput:
        one = "refused"
    progress(0.3, "the layer is taken apart")

    data = digits(seed=seed)
    sigmoid = {normed: _trained(data, config, 0.5, nn.Sigmoid, 6, normed, seed) for normed in (False, True)}
    progress(0.6, "sigmoid networks trained")
    by_rate = {
        (normed, rate): _trained(data, config, rate, nn.ReLU, 6, normed, seed)
        for rate in config.rates
        for normed in (False, True)
    }
    plain, plain_fast = by_rate[False, SLOW], by_rate[False, FAST]
    normed_slow, normed_fast = by_rate[True, SLOW], by_rate[True, FAST]
    progress(0.9, "ReLU networks trained")
    rough = {normed: _roughness(data, config, normed, seed) for normed in (False, True)}

    criteria: list[Criterion] = [
        below("equal to torch's", torch_gap, 1e-12, "the layer equals torch's in training and evaluation, gradients included", "该层与 torch 的一致：训练、测试以及梯度"),
        above("slope of sigmoid", slope_normal / slope_raw, 3, "normalized before the sigmoid, inputs of scale 10 find a slope more than three times as steep", "在 sigmoid 之前归一化，尺度为 10 的输入遇到的坡度陡三倍以上"),
        below("through the mean", through, 1e-9, "changing one example changes another's output by −(1 + z̃¹z̃²)/(Nσ): the gradient goes through μ and σ", "改变一个样本会使另一个的输出改变 −(1 + z̃¹z̃²)/(Nσ)：梯度穿过 μ 与 σ"),
        below("bias before it", bias, 1e-12, "a bias before the layer has no gradient: it is redundant", "该层之前的偏置没有梯度：它是多余的", ruling=35),
        same("one example", one, "refused", "a batch of one has no variance and is refused", "只有一个样本的批没有方差，被拒绝"),
        between("statistics", errors[0] / max(errors[1], 1e-12), 3.2, 4.8, "the error of a batch's mean falls as 1/√B: a sixteenth of the batch, four times the error", "批均值的误差按 1/√B 下降：批小十六倍，误差大四倍"),
        below("γ = 1, β = 0", start_gap, 1e-12, "at first γ and β change nothing", "起初 γ 与 β 不改变什么"),
        below("γ = σ, β = μ", back_gap, 1e-9, "with γ = σ and β = μ the layer gives back what came in", "取 γ = σ、β = μ，该层原样还回输入"),
        below("averages", averages[0], 0.2, "the moving averages come to the data's mean and variance", "移动平均趋近数据的均值与方差"),
        same("batch mates", averages[1], 0.0, "in evaluation an example's output does not depend on its batch", "测试时样本的输出与同批的其他样本无关"),
        near("p", averages[2], lecture_p(0.1), 1e-6, "the weight of the past is 0.9 at torch's momentum of 0.1: the lecture's p is 0.9, not 0.1", "torch 的 momentum 为 0.1 时过去的权重是 0.9：讲义的 p 是 0.9，不是 0.1", ruling=34),
        below("six sigmoid layers", sigmoid[False].accuracy, 0.2, "six sigmoid layers alone do not learn", "六层 sigmoid 单独学不会"),
        above("with normalization", sigmoid[True].accuracy, 0.95, "with normalization they do", "加上归一化就学得会"),
        same("thirty times the rate", (plain_fast.finite and plain_fast.accuracy > 0.5, normed_fast.finite and normed_fast.accuracy > 0.9), (False, True), "thirty times the rate works with normalization only", "学习率大三十倍，只有归一化后才行"),
        same("all arrive", (plain.arrived, normed_slow.arrived, normed_fast.arrived), (True, True, True), "both networks at the small rate and the normalized one at the large rate reach the target", "小学习率下的两个网络与大学习率下归一化的网络都达到目标"),
        below("updates to the target", normed_fast.reached / plain.reached, 0.5, "with it the target is reached in less than half of the updates", "有了它，达到目标的更新不到一半"),
        below("smoother", rough[True] / rough[False], 0.5, "long steps along the gradient raise the loss less than half as far", "沿梯度走长步时，损失的升高不到一半"),
    ]  # fmt: skip
    return Result(
        numbers={
            "slope_ratio": Number(slope_normal / slope_raw, Both("slope of sigmoid, normalized over raw", "sigmoid 坡度，归一化比原始")),
            "sigmoid_plain": Number(sigmoid[False].accuracy, Both("six sigmoid layers, training accuracy", "六层 sigmoid 的训练准确率")),
            "sigmoid_normed": Number(sigmoid[True].accuracy, Both("the same with normalization", "同上，加归一化")),
            "reached_plain": Number(plain.reached, Both("updates to the target, plain at its rate", "达到目标的更新数，普通网络")),
            "reached_slow": Number(normed_slow.reached, Both("the same, normalized at the same rate", "同上，归一化，学习率相同")),
            "reached_normed": Number(normed_fast.reached, Both("the same, normalized at 30 times the rate", "同上，归一化，学习率三十倍")),
            "fast_plain": Number(plain_fast.accuracy if plain_fast.finite else 0.0, Both("plain at 30 times the rate, accuracy (0: not finite)", "普通网络用三十倍学习率的准确率（0：非有限）")),
            "fast_normed": Number(normed_fast.accuracy, Both("normalized at 30 times the rate, accuracy", "归一化用三十倍学习率的准确率")),
            "bias": Number(bias, Both("gradient of a bias before the layer, over that of the weights", "该层之前的偏置的梯度与权重的梯度之比")),
            "past": Number(averages[2], Both("weight of the past at momentum 0.1", "momentum 0.1 时过去的权重")),
            "rough_plain": Number(rough[False], Both("highest loss on steps up to 4 along the gradient, over the loss, plain", "沿梯度走到 4 步长时的最高损失与损失之比，普通")),
            "rough_normed": Number(rough[True], Both("the same, normalized", "同上，归一化")),
        },
        criteria=tuple(criteria),
        figures=(_curves(plain, by_rate[True, SLOW], normed_fast, sigmoid),),
        tables=(
            Table(
                Both("Six ReLU layers on digits: training accuracy", "六层 ReLU，手写数字：训练准确率"),
                (Both("rate", "学习率"), Both("plain", "普通"), Both("normalized", "归一化")),
                tuple(
                    (rate, *(by_rate[normed, rate].accuracy if by_rate[normed, rate].finite else Both("not finite", "非有限") for normed in (False, True)))
                    for rate in config.rates
                ),
            ),
        ),
    )  # fmt: skip


def _layer(features: int) -> BatchNorm:
    return BatchNorm(features, eps=0.0).double()


def _sigmoid_slope(z: Tensor) -> float:
    s = torch.sigmoid(z.detach())
    return float((s * (1 - s)).mean())


def _gradient_gap(z: Tensor) -> float:
    """Largest difference between autograd's ∂z̃²/∂z¹ and the formula, over features."""
    leaf = z.clone().requires_grad_()
    out = _layer(z.shape[1])(leaf)
    (slope,) = torch.autograd.grad(out[1].sum(), leaf)
    sigma, normal = z.std(dim=0, correction=0), out.detach()
    return float((slope[0] + (1 + normal[0] * normal[1]) / (len(z) * sigma)).abs().max())


def _bias_gradient(z: Tensor) -> float:
    """Length of the gradient of a bias before the layer, over that of the weights before it."""
    source = torch.Generator().manual_seed(0)
    weights = torch.randn(z.shape[1], z.shape[1], generator=source, dtype=z.dtype).requires_grad_()
    bias = torch.zeros(z.shape[1], dtype=z.dtype, requires_grad=True)
    out = _layer(z.shape[1])(z @ weights + bias)
    for_weights, for_bias = torch.autograd.grad(out.pow(3).sum(), (weights, bias))
    return float(for_bias.norm() / for_weights.norm())


def _statistics_errors(source: torch.Generator) -> tuple[float, float]:
    """Root mean square error of the mean of 4 and of 64 standard normal numbers, as the layer takes it."""
    errors = []
    for size in (4, 64):
        layer = BatchNorm(500, momentum=1.0, affine=False).double()
        layer(torch.randn(size, 500, generator=source, dtype=torch.float64))
        errors.append(float(layer.running_mean.pow(2).mean().sqrt()))
    return errors[0], errors[1]


def _gamma_and_beta(z: Tensor) -> tuple[float, float]:
    """Distance of the first output from plain z̃, and from z when γ = σ and β = μ."""
    layer = _layer(z.shape[1])
    normal = (z - z.mean(dim=0)) / z.std(dim=0, correction=0)
    start = float((layer(z) - normal).detach().abs().max())
    assert layer.weight is not None and layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(z.std(dim=0, correction=0))
        layer.bias.copy_(z.mean(dim=0))
    return start, float((layer(z) - z).detach().abs().max())


def _running(source: torch.Generator) -> tuple[float, float, float]:
    """Error of the averages after 200 batches; how much batch mates matter in evaluation; the weight of the past."""
    layer = BatchNorm(3, momentum=0.1).double()
    for _ in range(200):
        layer(2 * torch.randn(64, 3, generator=source, dtype=torch.float64) + 5)
    error = max(float((layer.running_mean - 5).abs().max()), float((layer.running_var / 4 - 1).abs().max()))
    layer.eval()
    some = torch.randn(8, 3, generator=source, dtype=torch.float64)
    mates = float((layer(some)[:1] - layer(some[:1])).detach().abs().max())
    layer.train()
    before = layer.running_mean.clone()
    layer(torch.tensor([[-1.0], [1.0]], dtype=torch.float64).expand(2, 3))
    kept = float((layer.running_mean / before).mean())
    return error, mates, kept


def _torch_gap(z: Tensor) -> float:
    """Largest difference from torch's layer: outputs, gradients, buffers, evaluation."""
    ours, theirs = BatchNorm(z.shape[1]).double(), nn.BatchNorm1d(z.shape[1], dtype=torch.float64)
    gaps = []
    for layer in (ours, theirs):
        leaf = z.clone().requires_grad_()
        out = layer(leaf)
        gradient = torch.autograd.grad(out.pow(3).sum(), leaf)[0]
        layer.eval()
        gaps.append(torch.cat([out.detach().flatten(), gradient.flatten(), layer(z).detach().flatten()]))
    return float((gaps[0] - gaps[1]).abs().max() / gaps[1].abs().max())


@dataclass(frozen=True)
class Outcome:
    """A trained network: accuracy, whether the loss stayed finite, whether it arrived at the target and after how many
    updates (all of them if never)."""

    accuracy: float
    finite: bool
    arrived: bool
    reached: int
    losses: list[float]


def _network(config: Config, activation: Callable[[], nn.Module], depth: int, normed: bool, seed: int) -> nn.Sequential:
    norm = BatchNorm if normed else None
    return multilayer((64, *[config.hidden] * depth, 10), activation, norm=norm, seed=seed)


def _trained(
    data: Digits, config: Config, lr: float, activation: Callable[[], nn.Module], depth: int, normed: bool, seed: int
) -> Outcome:
    model = _network(config, activation, depth, normed, seed)
    ran = train(model, data.x, data.y, SGD(model.parameters(), lr=lr), batch=64, updates=config.updates, seed=seed)
    smooth = [sum(ran.losses[i : i + 10]) / 10 for i in range(max(0, len(ran.losses) - 10))]
    reached = next((i + 10 for i, loss in enumerate(smooth) if loss < TARGET), None)
    return Outcome(
        accuracy(model, data.x, data.y) if ran.finite else 0.0,
        ran.finite,
        reached is not None,
        config.updates if reached is None else reached,
        smooth,
    )


def _roughness(data: Digits, config: Config, normed: bool, seed: int) -> float:
    """Highest loss met on steps of up to 4 along the gradient, as a share of the loss; after 30 updates at 0.03."""
    model = _network(config, nn.ReLU, 6, normed, seed)
    train(model, data.x, data.y, SGD(model.parameters(), lr=SLOW), batch=64, updates=30, seed=seed)
    parameters = list(model.parameters())
    x, y = data.x[:256], data.y[:256]
    gradients = torch.autograd.grad(F.cross_entropy(model(x), y), parameters)
    losses = []
    for step in (0.0, 0.5, 1.0, 2.0, 4.0):
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p.sub_(g, alpha=step)
            losses.append(float(F.cross_entropy(model(x), y)))
            for p, g in zip(parameters, gradients, strict=True):
                p.add_(g, alpha=step)
    return max(losses) / losses[0]


def _curves(plain: Outcome, normed: Outcome, fast: Outcome, sigmoid: dict[bool, Outcome]) -> Chart:
    def line(outcome: Outcome, words: Both, color: int, dashed: bool = False) -> Line:
        return Line(list(range(10, 10 + len(outcome.losses))), outcome.losses, words, color=color, dashed=dashed)

    return Chart(
        "training",
        Both("Six hidden layers on digits", "六个隐藏层，手写数字"),
        Axis(Both("update", "更新次数")),
        Axis(Both("training loss (mean of ten batches)", "训练损失（十批平均）"), log=True),
        (
            line(plain, Both(f"ReLU, plain, η = {SLOW:g}", f"ReLU，普通，η = {SLOW:g}"), 1),
            line(normed, Both(f"ReLU, normalized, η = {SLOW:g}", f"ReLU，归一化，η = {SLOW:g}"), 5),
            line(fast, Both(f"ReLU, normalized, η = {FAST:g}", f"ReLU，归一化，η = {FAST:g}"), 3),
            line(sigmoid[False], Both("sigmoid, plain", "sigmoid，普通"), 2, True),
            line(sigmoid[True], Both("sigmoid, normalized", "sigmoid，归一化"), 4, True),
            Level(y=TARGET, label=Both("target", "目标")),
        ),
        Both("At the same small rate both ReLU networks come down at much the same pace; normalization allows the large rate. The plain one at η = 0.9 does not learn and is not shown.", "同样的小学习率下，两个 ReLU 网络下降得差不多快；归一化容许大学习率。普通的在 η = 0.9 时学不会，未画出。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Batch normalization taken apart",
        question="What does batch normalization compute, and what does it do for training?",
        lecture="Normalize each feature inside the network with the mean and deviation of the batch; then scale by γ and shift by "
        "β, which are learned. The statistics are part of the network, so gradients pass through them, and the batch must be "
        "large. At test time moving averages take their place. Training is faster, the rate may be larger, even sigmoid "
        "networks train. Why it helps is disputed.",
        formula="μ = (1/N) Σ zⁱ,   σ² = (1/N) Σ (zⁱ − μ)²,   z̃ = (z − μ)/√(σ² + ε),   ẑ = γ z̃ + β\n"
        "∂z̃²/∂z¹ = −(1 + z̃¹ z̃²)/(N σ)\nμ̄ ← p μ̄ + (1 − p) μ,   p = 1 − momentum of torch",
        expectation="Six sigmoid layers learn with it only; a rate thirty times as large works with it only; half of the updates.",
        change_mind="A plain network that takes the large rate, or sigmoid layers that learn without.",
        lesson="The layer written out equals torch's, gradients included. Because μ and σ are computed from the batch, one example "
        "moves the others: a backward pass that leaves that out is wrong.\n\n"
        "Six sigmoid layers reach {sigmoid_plain:.0%} (chance) without it and {sigmoid_normed:.0%} with it: inputs of scale 10 "
        "find a sigmoid {slope_ratio:.1f} times as steep once normalized.\n\n"
        "At a rate of 0.9 the plain ReLU network ends at {fast_plain:.0%} (0 % would mean that its loss was no number any more), the "
        "normalized one at {fast_normed:.0%}. It reaches the target after {reached_normed} updates; at the small rate the plain network "
        "takes {reached_plain} and the normalized one {reached_slow}. What is gained here is the larger rate.\n\n"
        "Steps of up to 4 along the gradient lead to at most {rough_normed:.2f} times the loss with normalization, to "
        "{rough_plain:.1f} times without. That is one reading of why it helps, the surface is smoother; the first explanation, shifting inputs of "
        "later layers, is disputed.",
        holds="The computation, its gradient, the need for large batches, evaluation by averages, large rates and the speed that comes with them.",
        fails="The remark that torch uses p = 0.1 takes the weight of the new for the weight of the past: torch's momentum 0.1 "
        "is p = {past:.1f}. torch averages σ², with n/(n − 1), not σ, and has an ε.\n\n"
        "The lecture leaves open what is then fixed by the arithmetic: the layer before needs no bias, since the mean takes it away again "
        "(its gradient is {bias:.0e} here), and a batch of one has no variance.",
    ),
    "zh": Page(
        title="拆开批归一化",
        question="批归一化到底算了什么，又给训练带来什么？",
        lecture="在网络内部用一批的均值和标准差归一化每个特征，再乘以 γ、加上 β，二者由学习得到。"
        "统计量也是网络的一部分，梯度要穿过它们，所以批要够大。测试时用移动平均代替。"
        "训练更快，学习率可以更大，连 sigmoid 网络也能训练。它为何有效尚有争论。",
        formula="μ = (1/N) Σ zⁱ，  σ² = (1/N) Σ (zⁱ − μ)²，  z̃ = (z − μ)/√(σ² + ε)，  ẑ = γ z̃ + β\n"
        "∂z̃²/∂z¹ = −(1 + z̃¹ z̃²)/(N σ)\nμ̄ ← p μ̄ + (1 − p) μ，  p = 1 − torch 的 momentum",
        expectation="六层 sigmoid 只有加上它才学得会；大三十倍的学习率只有加上它才行；更新次数减半。",
        change_mind="若普通网络也受得了大学习率，或 sigmoid 层不用它也能学。",
        lesson="写成公式的这一层与 torch 的一致，梯度也一致。μ 与 σ 由整批算出，所以一个样本会牵动其他样本；"
        "反向传播若漏掉这一点就是错的。\n\n"
        "六层 sigmoid 不用它只有 {sigmoid_plain:.0%}（随机水平），用了有 {sigmoid_normed:.0%}："
        "尺度为 10 的输入归一化之后，遇到的 sigmoid 坡度是原来的 {slope_ratio:.1f} 倍。\n\n"
        "学习率为 0.9 时，普通 ReLU 网络的结果是 {fast_plain:.0%}（0 % 表示损失已不是数，一成即随机水平），归一化的是 {fast_normed:.0%}，"
        "它 {reached_normed} 次更新就达到目标；在小学习率下，普通的要 {reached_plain} 次，归一化的要 {reached_slow} 次。这里得到的好处就是更大的学习率。\n\n"
        "沿梯度走到步长 4，归一化时损失最高是原来的 {rough_normed:.2f} 倍，不用时是 {rough_plain:.1f} 倍。"
        "“曲面更平滑”是对其效果的一种解释；最初的解释，即后层输入不断漂移，尚有争议。",
        holds="计算方法、它的梯度、需要大批、测试时用平均、学习率可以更大，以及由此而来的速度。",
        fails="说 torch 用 p = 0.1，是把新值的权重当成了过去的权重：torch 的 momentum 0.1 就是 p = {past:.1f}。"
        "torch 平均的是 σ²（带 n/(n − 1)）而非 σ，并且有 ε。\n\n"
        "讲义没有说的，由算术决定：前一层不需要偏置，因为减去均值时它又被去掉（这里它的梯度为 {bias:.0e}），而只有一个样本的批没有方差。",
    ),
}


class _StatisticsDetached(BatchNorm):
    """Leaves μ and σ out of the graph."""

    def forward(self, z: Tensor) -> Tensor:
        self._move(z.detach().mean(dim=0), z.detach().var(dim=0, correction=0))
        mean, variance = (
            (z.mean(dim=0), z.var(dim=0, correction=0)) if self.training else (self.running_mean, self.running_var)
        )
        out: Tensor = (z - mean.detach()) / (variance.detach() + self.eps).sqrt()
        return out * self.weight + self.bias if self.weight is not None and self.bias is not None else out


_right_layer = BatchNorm


def _past_for_new(features: int, *, momentum: float = 0.1, **options: float) -> BatchNorm:
    return _right_layer(features, momentum=1 - momentum, **options)  # type: ignore[arg-type]


PLANTED = (
    plant("μ and σ are left out of the gradient", __name__, "BatchNorm", _StatisticsDetached, "through the mean"),
    plant("momentum is taken for the weight of the past", __name__, "BatchNorm", _past_for_new, "p"),
)
