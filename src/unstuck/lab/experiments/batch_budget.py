"""Batch size at equal epochs and at equal updates; what is left of the effect, and how noisy a batch's gradient is."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Chart, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near, same
from unstuck.lab.training import accuracy, batches, multilayer, train
from unstuck.lab.words import Both, alike
from unstuck.optim import SGD
from unstuck.problems import Digits, digits

ORDER = 9
COVERS = ("B1", "B2", "B5", "B10", "O2", "O3")
COST = Cost(quick_seconds=2, full_seconds=15)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Batch and momentum",
    "the variance of a mean drawn without replacement: σ²/B · (N − B)/(N − 1)",
    "scikit-learn's digits",
)
SUBJECT = "unstuck.lab.training.batches, unstuck.lab.training.train"


@dataclass(frozen=True)
class Config:
    """``examples`` trained on with ``epochs`` or ``updates``; ``sizes`` of batches, the last one all; ``draws`` of noise."""

    examples: int
    hidden: int
    epochs: int
    updates: int
    lr: float
    sizes: tuple[int, ...]
    draws: int


QUICK = Config(examples=300, hidden=32, epochs=4, updates=500, lr=0.1, sizes=(1, 8, 64, 300), draws=200)
FULL = Config(examples=1400, hidden=64, epochs=5, updates=2000, lr=0.05, sizes=(1, 8, 32, 128, 512, 1400), draws=2000)


def mean_loss(scores: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy, averaged over the batch."""
    return F.cross_entropy(scores, classes)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Train with both budgets; measure the noise of gradients; check what an epoch is."""
    data = digits(train=config.examples, seed=seed)
    by_epochs: dict[int, tuple[float, float]] = {}
    by_updates: dict[int, tuple[float, float]] = {}
    for place, size in enumerate(config.sizes):
        per_epoch = math.ceil(config.examples / size)
        by_epochs[size] = _trained(data, config, size, config.epochs * per_epoch, seed)
        by_updates[size] = _trained(data, config, size, config.updates, seed)
        progress(0.8 * (place + 1) / len(config.sizes), f"batch size {size}")
    gradients = _gradients(data, config, seed)
    sizes, with_again, without = _noise(gradients, config, seed)
    slope = _slope(sizes, with_again)
    finite = max(
        abs(noise / plain / ((len(gradients) - size) / (len(gradients) - 1)) - 1)
        for size, noise, plain in zip(sizes, without, with_again, strict=True)
    )
    unbiased = _epoch_mean_gap(gradients, seed)
    counts = (len(list(_epoch(20, 20, seed))), len(list(_epoch(20, 1, seed))))
    once, renewed, last = _epoch_facts(seed)

    from_epochs = [by_epochs[size][0] for size in config.sizes]
    comparable = [by_updates[size][0] for size in config.sizes if size >= 8]
    drop, spread = from_epochs[0] - from_epochs[-1], max(comparable) - min(comparable)
    criteria: list[Criterion] = [
        same("updates of an epoch", counts, (1, 20), "twenty examples: one update an epoch with all of them, twenty with one each", "二十个样本：全批每个 epoch 更新一次，单个样本则二十次"),
        same("once each", once, True, "every example comes once an epoch", "每个样本每个 epoch 恰好出现一次"),
        same("shuffled anew", renewed, True, "two epochs have different batches", "两个 epoch 的分批不同"),
        same("last batch", last, 2, "the last batch may be shorter", "最后一批可以较小"),
        above("equal epochs", drop, 0.5, "at equal epochs accuracy falls by more than 0.5 from batch 1 to all", "epoch 相同时，从批大小 1 到全批，准确率下降超过 0.5"),
        same("at every step", all(a > b for a, b in pairwise(from_epochs)), True, "and it falls from every batch size to the next larger one", "而且从每个批大小到下一个更大的都在下降"),
        below("equal updates", spread, 0.02, "at equal updates it is the same within 0.02 from batch 8 to all", "更新次数相同时，从 8 到全批，准确率相差不到 0.02", ruling=16),
        near("noise", slope, -1.0, 0.1, "the variance of a batch's gradient falls as 1/B", "批梯度的方差按 1/B 下降"),
        below("without replacement", finite, 0.25, "drawn without replacement it falls faster, by (N − B)/(N − 1)", "不放回抽取时下降更快，多一个因子 (N − B)/(N − 1)"),
        below("unbiased", unbiased, 1e-12, "the mean of an epoch's equal batches is the gradient of the whole", "一个 epoch 内等大各批梯度的平均就是全体的梯度"),
    ]  # fmt: skip
    return Result(
        numbers={
            "one": Number(from_epochs[0], Both("training accuracy at equal epochs, batch 1", "epoch 相同，批大小 1 的训练准确率")),
            "all": Number(from_epochs[-1], Both("the same, all in one batch", "同上，全批")),
            "epochs": Number(config.epochs, Both("epochs", "epoch 数")),
            "updates": Number(config.updates, Both("updates", "更新次数")),
            "drop": Number(drop, Both("drop at equal epochs", "epoch 相同时的下降")),
            "spread": Number(spread, Both("spread at equal updates, batch 8 and larger", "更新相同时的差别，批大小 8 及以上")),
            "single": Number(by_updates[config.sizes[0]][0], Both("training accuracy at equal updates, batch 1", "更新相同，批大小 1 的训练准确率")),
            "slope": Number(slope, Both("exponent of the gradient's variance in B", "梯度方差随 B 的指数")),
        },
        criteria=tuple(criteria),
        figures=(_accuracies(config, by_epochs, by_updates), _noises(sizes, with_again, without)),
        tables=(
            Table(
                Both("Accuracy by batch size", "准确率与批大小"),
                (Both("batch", "批大小"), Both("updates in those epochs", "这些 epoch 内的更新"), Both("train, equal epochs", "训练，epoch 相同"), Both("test", "测试"), Both("train, equal updates", "训练，更新相同"), Both("test", "测试")),
                tuple((size, config.epochs * math.ceil(config.examples / size), *by_epochs[size], *by_updates[size]) for size in config.sizes),
            ),
            Table(
                Both("Small batches against large ones", "小批与大批"),
                (Both("what", "方面"), Both("small", "小"), Both("large", "大"), Both("shown by", "见于")),
                (
                    (Both("time of an update", "一次更新的时间"), Both("shorter", "较短"), Both("hardly longer, up to a size", "到一定大小之前几乎不长"), alike("batch-time")),
                    (Both("time of an epoch", "一个 epoch 的时间"), Both("longer", "较长"), Both("shorter", "较短"), alike("batch-time")),
                    (Both("gradient", "梯度"), Both("noisy", "有噪声"), Both("steady: variance as 1/B", "平稳：方差按 1/B"), Both("this page", "本页")),
                    (Both("optimization at equal epochs", "epoch 相同时的优化"), Both("better", "较好"), Both("worse: fewer updates", "较差：更新太少"), Both("this page", "本页")),
                    (Both("optimization at equal updates", "更新相同时的优化"), Both("no better from 8 on", "8 以上并不更好"), Both("the same", "相同"), Both("this page", "本页")),
                    (Both("generalization", "泛化"), Both("sometimes better", "有时较好"), Both("sometimes worse", "有时较差"), alike("flat-sharp")),
                ),
            ),
        ),
    )  # fmt: skip


def _trained(data: Digits, config: Config, size: int, updates: int, seed: int) -> tuple[float, float]:
    """Accuracy on training and test data."""
    model = multilayer((64, config.hidden, 10), nn.ReLU, seed=seed)
    train(
        model,
        data.x,
        data.y,
        SGD(model.parameters(), lr=config.lr),
        batch=size,
        updates=updates,
        loss=mean_loss,
        seed=seed,
    )
    return accuracy(model, data.x, data.y), accuracy(model, data.test_x, data.test_y)


def _gradients(data: Digits, config: Config, seed: int) -> Tensor:
    """Every example's own gradient (examples × parameters) at the start, of a network without a hidden layer."""
    model = multilayer((64, 10), seed=seed)
    chance = torch.softmax(model(data.x), dim=1).detach().double()
    gap = chance - F.one_hot(data.y, 10)
    return torch.einsum("ni,nj->nij", gap, data.x.double()).flatten(1)


def _noise(gradients: Tensor, config: Config, seed: int) -> tuple[list[int], list[float], list[float]]:
    """Batch sizes, and the mean squared distance of a batch's gradient from the whole's: drawn with, without return."""
    source = torch.Generator().manual_seed(seed)
    centered = gradients - gradients.mean(dim=0)
    products = centered @ centered.T  # ‖mean of rows‖² is a mean of these
    sizes = [size for size in (1, 2, 4, 8, 16, 32, 64, 128) if size < len(gradients) // 2]
    with_again: list[float] = []
    without: list[float] = []
    for size in sizes:
        again = torch.randint(len(gradients), (config.draws, size), generator=source)
        apart = torch.stack([torch.randperm(len(gradients), generator=source)[:size] for _ in range(config.draws)])
        for rows, kept in ((again, with_again), (apart, without)):
            kept.append(float(products[rows[:, :, None], rows[:, None, :]].mean()))
    return sizes, with_again, without


def _slope(sizes: list[int], noise: list[float]) -> float:
    x, y = torch.tensor(sizes).double().log(), torch.tensor(noise).log()
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x * x).sum())


def _epoch(count: int, size: int, seed: int) -> Iterator[Tensor]:
    return islice(batches(count, size, seed=seed), math.ceil(count / size))


def _epoch_mean_gap(gradients: Tensor, seed: int) -> float:
    """Largest difference between the mean over an epoch's batches of equal size and the whole gradient, relative."""
    size = len(gradients) // 10
    whole = gradients[: 10 * size].mean(dim=0)
    parts = torch.stack([gradients[rows].mean(dim=0) for rows in _epoch(10 * size, size, seed)])
    return float((parts.mean(dim=0) - whole).norm() / whole.norm())


def _epoch_facts(seed: int) -> tuple[bool, bool, int]:
    """Is every index there once; do two epochs differ; how long is the last batch of 20 by 6."""
    run = batches(20, 6, seed=seed)
    first, second = (list(islice(run, 4)) for _ in range(2))
    once = all(sorted(torch.cat(epoch).tolist()) == list(range(20)) for epoch in (first, second))
    return once, not torch.equal(torch.cat(first), torch.cat(second)), len(first[-1])


def _accuracies(
    config: Config, by_epochs: dict[int, tuple[float, float]], by_updates: dict[int, tuple[float, float]]
) -> Chart:
    sizes = list(config.sizes)
    return Chart(
        "accuracy",
        Both("Accuracy by batch size, two budgets", "准确率与批大小，两种预算"),
        Axis(Both("batch size", "批大小"), log=True, ticks=tuple((size, alike(str(size))) for size in sizes)),
        Axis(Both("accuracy", "准确率"), limits=(0, 1.02)),
        (
            Line(sizes, [by_epochs[s][0] for s in sizes], Both(f"train, {config.epochs} epochs", f"训练，{config.epochs} 个 epoch"), color=2, marked=True),
            Line(sizes, [by_epochs[s][1] for s in sizes], Both(f"test, {config.epochs} epochs", f"测试，{config.epochs} 个 epoch"), color=2, marked=True, dashed=True),
            Line(sizes, [by_updates[s][0] for s in sizes], Both(f"train, {config.updates} updates", f"训练，{config.updates} 次更新"), color=1, marked=True),
            Line(sizes, [by_updates[s][1] for s in sizes], Both(f"test, {config.updates} updates", f"测试，{config.updates} 次更新"), color=1, marked=True, dashed=True),
        ),
        Both("What looks like an effect of the batch size is an effect of the number of updates.", "看似批大小的效应，其实是更新次数的效应。"),
    )  # fmt: skip


def _noises(sizes: list[int], with_again: list[float], without: list[float]) -> Chart:
    return Chart(
        "noise",
        Both("How noisy a batch's gradient is", "批梯度的噪声"),
        Axis(Both("batch size", "批大小"), log=True, ticks=tuple((size, alike(str(size))) for size in sizes)),
        Axis(Both("variance of the gradient", "梯度的方差"), log=True),
        (
            Line(sizes, with_again, Both("drawn with replacement: 1/B", "有放回抽取：1/B"), color=2, marked=True),
            Line(sizes, without, Both("without, as in an epoch", "不放回，如一个 epoch 之内"), color=1, marked=True),
        ),
        Both("Twice the batch halves the variance; the whole has none.", "批加倍，方差减半；全体没有方差。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="What the batch size does, at equal budgets",
        question="Do small batches train better, or do they only make more updates?",
        lecture="An epoch sees every example once, in shuffled batches with one update each. A full batch gives one steady "
        "update, single examples many noisy ones. Accuracy falls as the batch grows, on training data too, so it is a matter "
        "of optimization: noisy gradients help.",
        formula="g_B = (1/B) Σ ∇Lᵢ,   E g_B = ∇L,   E‖g_B − ∇L‖² = σ²/B  (without replacement: · (N − B)/(N − 1))\n"
        "updates = epochs · ⌈N/B⌉",
        expectation="A large drop at equal epochs, none at equal updates; variance as 1/B.",
        change_mind="A drop that remains at equal updates.",
        lesson="After {epochs} epochs batch 1 has {one:.1%} right and the whole in one batch {all:.1%}. But the first made hundreds "
        "of times as many updates at the same rate. After {updates} updates each, everything from batch 8 on lies within "
        "{spread:.1%}; batch 1, the noisiest, has {single:.1%}.\n\n"
        "So the experiment of the lecture mixes two things. With a fixed number of epochs a large batch makes too few "
        "updates, and its rate was not raised to make up for it. On data as easy as digits noise itself is no help; on "
        "harder ones it may be, and then it should be shown at equal updates.\n\n"
        "The noise is as it should be: its variance falls with exponent {slope:.2f}, and the mean over an epoch's batches is "
        "exactly the whole gradient.",
        holds="What an epoch is, the noise of small batches, and that at fixed epochs and rate large batches train worse.",
        fails="The conclusion, that noise makes the difference: at equal updates it vanishes here. In the lecture's own figure "
        "the accuracy on MNIST rises up to batch 100 before it falls.",
    ),
    "zh": Page(
        title="同等预算下批大小的作用",
        question="小批训练得更好，还是只不过更新得更多？",
        lecture="一个 epoch 把每个样本看一遍，打乱后分批，每批更新一次。全批是一次平稳的更新，单个样本是许多次带噪声的更新。"
        "批越大准确率越低，连训练数据上也是，所以是优化的问题：带噪声的梯度有帮助。",
        formula="g_B = (1/B) Σ ∇Lᵢ，  E g_B = ∇L，  E‖g_B − ∇L‖² = σ²/B（不放回：再乘 (N − B)/(N − 1)）\n"
        "更新次数 = epoch 数 · ⌈N/B⌉",
        expectation="epoch 相同时大幅下降，更新次数相同时不下降；方差按 1/B。",
        change_mind="若更新次数相同时下降仍在。",
        lesson="{epochs} 个 epoch 之后，批大小 1 答对 {one:.1%}，全批答对 {all:.1%}。可是前者以同样的学习率多更新了几百倍。"
        "各更新 {updates} 次之后，批大小 8 以上相差不过 {spread:.1%}；噪声最大的批大小 1 为 {single:.1%}。\n\n"
        "所以讲义的实验混淆了两件事。epoch 数固定时，大批更新得太少，学习率又没有相应提高。"
        "在手写数字这样容易的数据上，噪声本身没有帮助；在更难的数据上或许有，但应当在更新次数相同的条件下证明。\n\n"
        "噪声符合理论：方差随 B 的指数为 {slope:.2f}，一个 epoch 内各批的平均恰是全体的梯度。",
        holds="什么是 epoch、小批的噪声，以及 epoch 与学习率固定时大批训练得较差。",
        fails="“差别来自噪声”的结论：更新次数相同时，这里的差别消失了。讲义自己的图中，MNIST 的准确率到批大小 100 为止先升后降。",
    ),
}


def _drawn_again(count: int, size: int, *, seed: int = 0) -> Iterator[Tensor]:
    source = torch.Generator().manual_seed(seed)
    while True:
        yield torch.randint(count, (size,), generator=source)


def _summed(scores: Tensor, classes: Tensor) -> Tensor:
    return F.cross_entropy(scores, classes, reduction="sum") / 8


PLANTED = (
    plant(
        "examples are drawn with replacement", __name__, "batches", _drawn_again, "once each", "last batch", "unbiased"
    ),
    plant("the loss is summed over the batch", __name__, "mean_loss", _summed, "equal updates"),
)
