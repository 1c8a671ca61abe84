"""How large a batch is worth its time: the gradient's noise, and updates traded for examples."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Chart, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, between, near
from unstuck.lab.words import Both
from unstuck.optim import noise_limited_rate
from unstuck.probes.noise import GradientNoise
from unstuck.problems import digits

ORDER = 33
COVERS = ("B2", "B10", "O3")
COST = Cost(quick_seconds=2, full_seconds=20)
SOURCES = (
    "McCandlish, Kaplan, Amodei and OpenAI Dota Team 2018: an empirical model of large-batch training",
    "Hung-yi Lee, Machine Learning 2021: Batch and momentum",
    "scikit-learn's digits; a linear classifier, so that every example's gradient is known",
)
SUBJECT = "unstuck.lab.experiments.noise_scale.two_batches, unstuck.probes.noise.GradientNoise"


@dataclass(frozen=True)
class Config:
    """``draws`` of batches for the estimates; ``batches`` raced, at ``rates`` (by factors), ``seeds`` runs each."""

    draws: int
    batches: tuple[int, ...]
    rates: int
    seeds: int


QUICK = Config(draws=400, batches=(2, 4, 8, 16, 32, 128), rates=8, seeds=2)
FULL = Config(draws=4000, batches=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512), rates=14, seeds=8)

SMALL, LARGE = 8, 128
TARGET = 0.3  # training loss that all runs race for
LOWEST, HIGHEST = 0.4, 12.8  # rates


@dataclass(frozen=True)
class Task:
    """Inputs with a one (n, k), targets one-hot (n, classes), classes (n)."""

    x: Tensor
    y: Tensor
    classes: Tensor

    def gradient(self, weights: Tensor, rows: Tensor) -> Tensor:
        """Mean gradient of cross-entropy over rows; weights (…, k, classes), rows (…, batch)."""
        x = self.x[rows]
        off = torch.softmax(x @ weights, dim=-1) - self.y[rows]
        return x.transpose(-1, -2) @ off / rows.shape[-1]

    def losses(self, weights: Tensor) -> Tensor:
        """Training loss of each of many weights (runs, k, classes)."""
        # The right classes' scores are linear in the weights: only the normalization needs every example.
        right = (weights * (self.x.T @ self.y / len(self.x))).sum(dim=(-1, -2))
        return torch.logsumexp(self.x @ weights, dim=-1).mean(dim=-1) - right


def two_batches(small: Tensor, large: Tensor, *, sizes: tuple[int, int]) -> tuple[float, float]:
    """|G|² and tr Σ without bias, from the mean squared lengths of gradients at two batch sizes, (draws) each."""
    b, c = sizes
    short, long = float(small.mean()), float(large.mean())
    length = (c * long - b * short) / (c - b)
    scatter = (short - long) / (1 / b - 1 / c)
    return length, scatter


def run(config: Config, seed: int, progress: Progress) -> Result:
    """The noise at one point, in three ways; then the race of batch sizes to one loss."""
    data = digits(seed=seed, dtype=torch.float64)
    task = Task(
        torch.cat([data.x, torch.ones(len(data.x), 1, dtype=torch.float64)], dim=1),
        F.one_hot(data.y, 10).double(),
        data.y,
    )
    source = torch.Generator().manual_seed(seed)
    weights = torch.zeros(65, 10, dtype=torch.float64)
    everything = torch.arange(len(task.x))
    early = _exact(task, weights)
    for _ in range(15):
        weights = weights - 1.6 * task.gradient(weights, everything)
    length, scatter = _exact(task, weights)
    exact = scatter / length

    squares = {size: _squares(task, weights, size, config.draws, source) for size in (SMALL, LARGE)}
    estimated_length, estimated_scatter = two_batches(squares[SMALL], squares[LARGE], sizes=(SMALL, LARGE))
    by_two = estimated_scatter / estimated_length
    by_pairs = _by_pairs(task, weights, config.draws, source)
    unbiased = _bias(task, weights, config.draws, source)
    slope, factor = _variance_law(task, weights, config.draws, source)
    progress(0.4, "noise measured")

    raced = {size: _race(task, size, config, seed) for size in config.batches}
    progress(0.9, "batch sizes raced")
    least_updates, least_examples = _hyperbola(raced)
    off = max(abs(math.log(best.updates / (least_updates + least_examples / size))) for size, best in raced.items())
    critical = least_examples / least_updates
    way = _along(task)
    average = sum(noise for _, noise in way) / sum(signal for signal, _ in way)
    late = way[-1][1] / way[-1][0]
    small, large = min(raced), max(raced)
    largest_rate = raced[large].rate
    predicted = noise_limited_rate(largest_rate, batch=small, noise_scale=critical)
    cost_small, cost_large = small * raced[small].updates, large * raced[large].updates

    return Result(
        numbers={
            "exact": Number(exact, Both("noise scale tr Σ/|G|² after 15 updates, from every example", "15 次更新后的噪声尺度 tr Σ/|G|²，由所有样本算得")),
            "early": Number(early[1] / early[0], Both("the same at the start", "同上，起点处")),
            "two": Number(by_two, Both("estimated from two batch sizes", "由两种批量估计")),
            "pairs": Number(by_pairs, Both("estimated from consecutive batches", "由相邻两批估计")),
            "slope": Number(slope, Both("slope of log variance over log batch size", "方差对批量的双对数斜率")),
            "least_updates": Number(least_updates, Both("fewest updates, however large the batch", "批量再大也要的最少更新数")),
            "least_examples": Number(least_examples, Both("fewest examples, however small the batch", "批量再小也要的最少样本数")),
            "critical": Number(critical, Both("batch size at which both are twice the least", "二者均为最小值两倍时的批量")),
            "average": Number(average, Both("mean noise over mean signal, on the way to the target", "通往目标途中，平均噪声比平均信号")),
            "late": Number(late, Both("noise scale at the target", "到达目标时的噪声尺度")),
            "grows": Number(late * early[0] / early[1], Both("noise scale at the target over that at the start", "目标处与起点处噪声尺度之比")),
            "ratio": Number(average / critical, Both("average noise scale over the critical batch", "平均噪声尺度与临界批量之比")),
            "off": Number(math.exp(off) - 1, Both("largest distance from the curve, relative", "与曲线的最大相对距离")),
            "updates_small": Number(raced[small].updates, Both(f"updates at B = {small}", f"B = {small} 的更新数")),
            "updates_large": Number(raced[large].updates, Both(f"updates at B = {large}", f"B = {large} 的更新数")),
            "more": Number(cost_large / cost_small, Both("examples of the largest batch over those of the smallest", "最大批量与最小批量所用样本之比")),
            "rate_small": Number(raced[small].rate, Both("best rate of the smallest batch", "最小批量的最佳学习率")),
            "rate_large": Number(largest_rate, Both("best rate of the largest", "最大批量的最佳学习率")),
            "predicted": Number(predicted, Both("rate that the theory gives for the smallest", "理论给出的最小批量学习率")),
        },
        criteria=(
            below("unbiased", unbiased, 4.0, "the mean of mini-batch gradients is the whole gradient, within four standard errors", "小批量梯度的平均就是整体梯度，在四个标准误差内"),
            between("variance", slope, -1.1, -0.9, "the variance of a batch's gradient falls as 1/B", "批梯度的方差按 1/B 下降"),
            near("without replacement", factor, 1.0, 0.15, "drawn without replacement it is (N − B)/(N − 1) of that", "不放回抽样时再乘 (N − B)/(N − 1)"),
            near("two batches", by_two / exact, 1.0, 0.2, "two batch sizes give the noise scale to a fifth", "由两种批量得到噪声尺度，误差在五分之一内"),
            near("consecutive batches", by_pairs / exact, 1.0, 0.2, "so do the gradients of consecutive batches", "由相邻两批的梯度也一样"),
            below("hyperbola", math.exp(off) - 1, 0.4, "updates to the target follow S_min + E_min/B within four tenths, each batch at its best rate", "各批量取最佳学习率时，达到目标的更新数符合 S_min + E_min/B，误差在十分之四内"),
            between("critical batch", average / critical, 0.1, 10.0, "the critical batch and the averaged noise scale agree to an order of magnitude, no better", "临界批量与平均噪声尺度只在一个量级内相符"),
            above("small: fewer examples", cost_large / cost_small, 2.0, "the smallest batch needs fewer than half of the largest's examples", "最小批量所用样本不到最大批量的一半"),
            above("large: fewer updates", raced[small].updates / raced[large].updates, 4.0, "the largest needs less than a quarter of the smallest's updates", "最大批量所用更新不到最小批量的四分之一"),
            above("the rate rises", largest_rate / raced[small].rate, 2.0, "the best rate rises with the batch", "最佳学习率随批量升高"),
            between("but not in proportion", predicted / raced[small].rate, 1 / 3, 3.0, "as ε_max/(1 + B_noise/B) says, to a factor of three: not in proportion", "如 ε_max/(1 + B_noise/B) 所说（三倍以内），并非正比"),
        ),
        figures=(_tradeoff(raced, least_updates, least_examples), _against_batch(raced, least_updates, least_examples)),
        tables=(
            Table(
                Both(f"Updates and examples to training loss {TARGET:g}, at the best rate", f"以最佳学习率达到训练损失 {TARGET:g} 的更新与样本"),
                (Both("batch", "批量"), Both("best rate", "最佳学习率"), Both("updates", "更新"), Both("examples", "样本"), Both("updates by the curve", "曲线给出的更新")),
                tuple((size, best.rate, best.updates, size * best.updates, least_updates + least_examples / size) for size, best in raced.items()),
            ),
        ),
    )  # fmt: skip


def _exact(task: Task, weights: Tensor) -> tuple[float, float]:
    """|G|² and tr Σ over all examples: an example's gradient is x ⊗ (p − y)."""
    off = torch.softmax(task.x @ weights, dim=-1) - task.y
    squares = task.x.square().sum(dim=1) * off.square().sum(dim=1)
    length = float((task.x.T @ off / len(off)).square().sum())
    return length, float(squares.mean()) - length


def _squares(task: Task, weights: Tensor, size: int, draws: int, source: torch.Generator) -> Tensor:
    """Squared lengths of the gradients of batches drawn with replacement, (draws)."""
    rows = torch.randint(len(task.x), (draws, size), generator=source)
    return torch.stack([task.gradient(weights, part).square().sum(dim=(-1, -2)) for part in rows])


def _by_pairs(task: Task, weights: Tensor, draws: int, source: torch.Generator) -> float:
    """The noise scale from the probe that watches consecutive gradients of a training run."""
    probe = GradientNoise(pairs=draws)
    leaf = weights.clone().requires_grad_()
    found = {}
    for step in range(draws):
        leaf.grad = task.gradient(weights, torch.randint(len(task.x), (LARGE,), generator=source))
        found = probe.update([("weights", leaf)], step=step)
    return float(LARGE * (1 / found["share"] - 1))


def _bias(task: Task, weights: Tensor, draws: int, source: torch.Generator) -> float:
    """Distance of the mean of batch gradients from the whole one, in standard errors."""
    rows = torch.randint(len(task.x), (draws, SMALL), generator=source)
    mean = sum(task.gradient(weights, part) for part in rows) / draws
    whole = task.gradient(weights, torch.arange(len(task.x)))
    _, scatter = _exact(task, weights)
    return float((mean - whole).norm()) / math.sqrt(scatter / (SMALL * draws))


def _variance_law(task: Task, weights: Tensor, draws: int, source: torch.Generator) -> tuple[float, float]:
    """Slope of log E|g_B − G|² over log B; and the measured share of it, without replacement, over (N − B)/(N − 1)."""
    whole = task.gradient(weights, torch.arange(len(task.x)))
    count, sizes = len(task.x), (1, 4, 16, 64)
    variances = []
    for size in sizes:
        rows = torch.randint(count, (draws, size), generator=source)
        variances.append(
            float(torch.stack([(task.gradient(weights, part) - whole).square().sum() for part in rows]).mean())
        )
    x = torch.tensor(sizes, dtype=torch.float64).log()
    y = torch.tensor(variances, dtype=torch.float64).log()
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())
    size = count // 2
    apart = [
        (task.gradient(weights, torch.randperm(count, generator=source)[:size]) - whole).square().sum()
        for _ in range(max(40, draws // 8))
    ]
    _, scatter = _exact(task, weights)
    return slope, float(torch.stack(apart).mean()) / (scatter / size) / ((count - size) / (count - 1))


@dataclass(frozen=True)
class Best:
    """The fastest rate of a batch size, and its mean updates over seeds."""

    rate: float
    updates: float


def _race(task: Task, size: int, config: Config, seed: int, cap: int = 1500) -> Best:
    """All rates and seeds side by side; a rate counts when all of its runs arrive."""
    source = torch.Generator().manual_seed(1000 * seed + size)
    single = Task(task.x.float(), task.y.float(), task.classes)
    rates = LOWEST * (HIGHEST / LOWEST) ** (torch.arange(config.rates) / (config.rates - 1))
    lr = rates.repeat_interleave(config.seeds)
    weights = torch.zeros(len(lr), 65, 10)
    arrived = torch.full((len(lr),), math.inf)
    for step in range(1, cap + 1):
        rows = torch.randint(len(task.x), (len(lr), size), generator=source)
        weights -= lr[:, None, None] * single.gradient(weights, rows)
        # Looking at the whole loss costs more than a small batch: only every so often, a few per cent of the answer.
        if step % max(1, step // 20) == 0:
            arrived[(single.losses(weights) < TARGET) & ~torch.isfinite(arrived)] = step
            if float(arrived.reshape(config.rates, config.seeds).mean(dim=1).min()) <= step / 1.2:
                break
    mean = arrived.reshape(config.rates, config.seeds).mean(dim=1)
    best = int(mean.argmin())
    return Best(float(rates[best]), float(mean[best]))


def _along(task: Task, rate: float = 1.6) -> list[tuple[float, float]]:
    """|G|² and tr Σ at every fourth step of gradient descent on all data, up to the target."""
    weights = torch.zeros(65, 10, dtype=torch.float64)
    found = []
    for step in range(200):
        if step % 4 == 0:
            found.append(_exact(task, weights))
            if float(task.losses(weights[None])) < TARGET:
                break
        weights = weights - rate * task.gradient(weights, torch.arange(len(task.x)))
    return found


def _hyperbola(raced: dict[int, Best]) -> tuple[float, float]:
    """S_min and E_min of S = S_min + E_min/B, which is (S/S_min − 1)(E/E_min − 1) = 1; least squares of ratios."""
    updates = torch.tensor([best.updates for best in raced.values()], dtype=torch.float64)
    sizes = torch.tensor(list(raced), dtype=torch.float64)
    design = torch.stack([1 / updates, 1 / (sizes * updates)], dim=1)
    ones = torch.ones(len(sizes), 1, dtype=torch.float64)
    found = torch.linalg.lstsq(design, ones, driver="gels").solution.flatten()  # gels: the same bits every time
    return float(found[0]), float(found[1])


def _curve(least_updates: float, least_examples: float) -> tuple[list[float], list[float]]:
    sizes = [2 ** (i / 8) for i in range(81)]
    return sizes, [least_updates + least_examples / size for size in sizes]


def _tradeoff(raced: dict[int, Best], least_updates: float, least_examples: float) -> Chart:
    sizes, updates = _curve(least_updates, least_examples)
    return Chart(
        "tradeoff",
        Both("Updates against examples, to the same loss", "达到同样损失所需的更新与样本"),
        Axis(Both("updates", "更新次数"), log=True),
        Axis(Both("examples", "样本数"), log=True),
        (
            Line(updates, [s * u for s, u in zip(sizes, updates, strict=True)], _fitted(), color=0, dashed=True),
            Scatter([best.updates for best in raced.values()], [size * best.updates for size, best in raced.items()], Both("measured, each batch at its best rate", "实测，各批量取最佳学习率"), color=1, size=40),
        ),
        Both("Lower right: small batches, few examples, many updates. Upper left: large ones. The bend is the critical batch.", "右下为小批量：样本少、更新多；左上为大批量。拐弯处是临界批量。"),
    )  # fmt: skip


def _fitted() -> Both:
    return Both("(S/S_min − 1)(E/E_min − 1) = 1, fitted", "(S/S_min − 1)(E/E_min − 1) = 1，拟合")


def _against_batch(raced: dict[int, Best], least_updates: float, least_examples: float) -> Chart:
    sizes, updates = _curve(least_updates, least_examples)
    return Chart(
        "updates",
        Both("Updates and best rate against the batch", "更新次数与最佳学习率随批量的变化"),
        Axis(Both("batch size", "批量"), log=True),
        Axis(Both("updates; rate × 100", "更新次数；学习率 × 100"), log=True),
        (
            Line(sizes, updates, Both("S_min + E_min/B", "S_min + E_min/B"), color=0, dashed=True),
            Line(list(raced), [best.updates for best in raced.values()], Both("updates to the target", "达到目标的更新数"), color=1, marked=True),
            Line(list(raced), [100 * best.rate for best in raced.values()], Both("best rate × 100", "最佳学习率 × 100"), color=2, marked=True),
        ),
        Both("Updates level off beyond the critical batch. The best rate rises with the batch, but far less than in proportion.", "超过临界批量，更新数转平。最佳学习率随批量升高，但远不成正比。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="The noise scale",
        question="How large a batch is worth its time?",
        lecture="One steady update of the whole data, or twenty noisy ones: the mini-batch gradient is right on average, small batches "
        "are noisy and large ones take more computation an update. The batch size is a hyper-parameter.",
        formula="E g_B = G,   E|g_B − G|² = tr Σ/B   (without replacement times (N − B)/(N − 1))\nB_noise = tr Σ/|G|²\n"
        "(S/S_min − 1)(E/E_min − 1) = 1, that is S = S_min + E_min/B;   ε_best = ε_max/(1 + B_noise/B)",
        expectation="Variance as 1/B; two estimates of the noise scale within a fifth of the exact one; updates along the hyperbola.",
        change_mind="Estimates that miss, or a batch size that saves updates without costing examples.",
        lesson="For a linear classifier each example's gradient is known, so the noise scale can be computed: {exact:.1f} after 15 "
        "updates. Mean squared lengths at batches of 8 and 128 give {two:.1f}; the inner products of "
        "consecutive gradients, which a running training has anyway, give {pairs:.1f}.\n\n"
        "What it is good for: with each batch size at its own best rate, the updates to loss 0.3 fall from {updates_small:.0f} to "
        "{updates_large:.0f}, along S = {least_updates:.0f} + {least_examples:.0f}/B (within {off:.0%}). Below the critical batch of "
        "about {critical:.0f} doubling the batch nearly halves the updates; far above it doubling buys nothing: the largest batch "
        "used {more:.0f} times the examples.\n\n"
        "The noise scale is no constant: {early:.0f} at the start, {late:.0f} at the target, {average:.0f} as mean noise over mean "
        "signal. That is {ratio:.1f} times the critical batch that was measured: the same order of magnitude, which is all that the "
        "theory promises (it takes all directions for equally curved).\n\n"
        "The best rate rises from {rate_small:.2f} to {rate_large:.2f}, far less than in proportion to the batch. With the "
        "critical batch for B_noise the theory says {predicted:.2f} for the smallest.",
        holds="Unbiased, noisy as 1/B, and a trade of updates for examples.",
        fails="“Larger is better in parallel” ends at the critical batch. The noise scale grows {grows:.0f}-fold on the way to the target and overstates "
        "that batch here, so it tells the order of magnitude only.",
    ),
    "zh": Page(
        title="噪声尺度",
        question="多大的批量才划算？",
        lecture="看完全部数据做一次稳健更新，还是做二十次带噪声的：小批量梯度平均而言正确，小批量噪声大，大批量每次更新计算多。"
        "批量是一个超参数。",
        formula="E g_B = G，E|g_B − G|² = tr Σ/B（不放回时再乘 (N − B)/(N − 1)）\nB_noise = tr Σ/|G|²\n"
        "(S/S_min − 1)(E/E_min − 1) = 1，即 S = S_min + E_min/B；ε_best = ε_max/(1 + B_noise/B)",
        expectation="方差按 1/B；噪声尺度的两种估计与精确值相差在五分之一内；更新数沿双曲线。",
        change_mind="若估计落空，或某个批量省了更新却不多费样本。",
        lesson="线性分类器每个样本的梯度都已知，噪声尺度可以直接算：15 次更新后为 {exact:.1f}。"
        "由批量 8 与 128 的平均平方长度得 {two:.1f}；由相邻两批梯度的内积（训练时现成就有）得 {pairs:.1f}。\n\n"
        "它的用处：各批量取自己的最佳学习率，达到损失 0.3 的更新数从 {updates_small:.0f} 降到 {updates_large:.0f}，"
        "沿 S = {least_updates:.0f} + {least_examples:.0f}/B（误差 {off:.0%} 内）。低于约 {critical:.0f} 的临界批量时，"
        "批量加倍，更新几乎减半；远高于它，加倍毫无所得：最大批量用了 {more:.0f} 倍的样本。\n\n"
        "噪声尺度并非常数：起点处 {early:.0f}，目标处 {late:.0f}，平均噪声比平均信号为 {average:.0f}，是实测临界批量的 {ratio:.1f} 倍。"
        "量级相同，理论所许诺的也仅止于此（它假定各方向曲率相同）。\n\n"
        "最佳学习率从 {rate_small:.2f} 升到 {rate_large:.2f}，远不成正比。以临界批量作 B_noise，理论对最小批量给出 {predicted:.2f}。",
        holds="无偏，噪声按 1/B，更新与样本可以互换。",
        fails="“并行时越大越好”到临界批量为止。噪声尺度在通往目标的途中增大到 {grows:.0f} 倍，在此还高估了临界批量，所以只能给出量级。",
    ),
}


_right_two = two_batches


def _biased(small: Tensor, large: Tensor, *, sizes: tuple[int, int]) -> tuple[float, float]:
    length = float(large.mean())
    return length, sizes[0] * (float(small.mean()) - length)


def _summed(task: Task, weights: Tensor, rows: Tensor) -> Tensor:
    return _right_gradient(task, weights, rows) * rows.shape[-1]


_right_gradient = Task.gradient

PLANTED = (
    plant("the large batch's gradient is taken for the whole one", __name__, "two_batches", _biased, "two batches"),
    plant("gradients are summed over the batch", f"{__name__}:Task", "gradient", _summed, "unbiased", "variance"),
)  # fmt: skip
