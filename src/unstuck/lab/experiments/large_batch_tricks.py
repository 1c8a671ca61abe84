"""Large batches as good as small ones: the scaled rate, its warm-up, ratios for each layer, averaged workers."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Bars, Chart, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.training import accuracy, multilayer, train
from unstuck.lab.words import Both, alike
from unstuck.optim import LAMB, LARS, SGD, scale_rate, swap
from unstuck.optim.large_batch import ScaledRate
from unstuck.optim.schedules import constant, step
from unstuck.problems import Digits, digits

ORDER = 29
COVERS = ("B11",)
COST = Cost(quick_seconds=2, full_seconds=60)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Batch and momentum (its list of papers)",
    "Goyal et al. 2017: linear scaling and gradual warm-up; You et al. 2017 (LARS) and 2019 (LAMB); Gupta et al. 2020 (SWAP)",
    "scikit-learn's digits",
)
SUBJECT = "unstuck.optim.scale_rate, unstuck.optim.LARS, unstuck.optim.swap"


@dataclass(frozen=True)
class Config:
    """``epochs`` that every batch size gets; ``batches`` compared; ``seeds`` runs each; ``workers`` of SWAP."""

    epochs: int
    batches: tuple[int, ...]
    seeds: int
    workers: int


QUICK = Config(epochs=6, batches=(64, 128, 700), seeds=1, workers=3)
FULL = Config(epochs=10, batches=(32, 64, 128, 256, 700, 1400), seeds=5, workers=8)

SMALL, RATE = 16, 0.05
WAYS = ("same rate", "scaled", "constant warm-up", "gradual warm-up")
NAMES = {
    "same rate": Both("same rate", "学习率不变"),
    "scaled": Both("scaled rate", "按比例放大"),
    "constant warm-up": Both("scaled, constant warm-up", "放大，恒定预热"),
    "gradual warm-up": Both("scaled, gradual warm-up", "放大，逐渐预热"),
}


def run(config: Config, seed: int, progress: Progress) -> Result:
    """The same epochs at every batch size in four ways; then the ratios, then SWAP."""
    data = digits(seed=seed)
    small = _mean(data, SMALL, "same rate", config, seed)
    found: dict[tuple[int, str], Scores] = {}
    for place, size in enumerate(config.batches):
        for way in WAYS:
            found[size, way] = _mean(data, size, way, config, seed)
        progress(0.8 * (place + 1) / len(config.batches), f"batch {size}")
    closed = {size: _closed(small, found[size, "same rate"], found[size, "gradual warm-up"]) for size in config.batches}
    # Every batch up to this one closes the gap, not merely this one.
    upto = max(takewhile(lambda size: closed[size] >= 0.8, config.batches), default=0)
    middle = [size for size in config.batches if size <= 256]
    losses = {size: {way: found[size, way].loss for way in WAYS} for size in config.batches}
    largest = config.batches[-1]
    layers = _ratio_of_a_layer()
    swapped = _swapped(data, config, seed)
    progress(1.0, "workers averaged")

    return Result(
        numbers={
            "epochs": Number(config.epochs, Both("epochs", "轮数")),
            "small": Number(small.train, Both(f"training accuracy, B = {SMALL}", f"训练准确率，B = {SMALL}")),
            "same": Number(found[128, "same rate"].train, Both("training accuracy, B = 128, same rate", "训练准确率，B = 128，学习率不变")),
            "gradual": Number(found[128, "gradual warm-up"].train, Both("the same, scaled with gradual warm-up", "同上，放大并逐渐预热")),
            "scaled": Number(found[128, "scaled"].train, Both("the same, scaled without warm-up", "同上，放大、不预热")),
            "constant": Number(found[128, "constant warm-up"].train, Both("the same, scaled with constant warm-up", "同上，放大并恒定预热")),
            "closed": Number(closed[128], Both("share of the gap closed at B = 128", "B = 128 时补上的差距比例")),
            "upto": Number(upto, Both("batch up to which every size has four fifths of the gap closed", "到此为止每个批量都补上五分之四差距")),
            "largest": Number(largest, Both("largest batch tried", "尝试的最大批量")),
            "closed_largest": Number(closed[largest], Both("share closed there", "该处补上的比例")),
            "loss_scaled": Number(losses[128]["scaled"], Both("training loss, B = 128, scaled without warm-up", "训练损失，B = 128，放大、不预热")),
            "loss_constant": Number(losses[128]["constant warm-up"], Both("the same with constant warm-up", "同上，恒定预热")),
            "loss_gradual": Number(losses[128]["gradual warm-up"], Both("the same with gradual warm-up", "同上，逐渐预热")),
            "middle": Number(len(middle), Both("batch sizes tried up to 256", "尝试的不超过 256 的批量数")),
            "gradual_wins": Number(sum(losses[size]["gradual warm-up"] < losses[size]["scaled"] for size in middle), Both("of these, with a lower loss after gradual warm-up than after none", "其中逐渐预热的损失低于不预热的")),
            "workers": Number(swapped.workers, Both("test loss, mean of SWAP's workers", "测试损失，SWAP 各工作者平均")),
            "average": Number(swapped.average, Both("test loss of their average", "权重平均后的测试损失")),
            "before": Number(swapped.before, Both("test loss after the large-batch phase", "大批量阶段之后的测试损失")),
        },
        criteria=(
            below("the gap", found[128, "same rate"].train, small.train - 0.03, "at the same rate and epochs a batch of 128 learns clearly less", "同样的学习率与轮数，批量 128 学得明显更少"),
            above("closed", closed[128], 0.8, "the scaled rate with gradual warm-up closes four fifths of the gap or more at B = 128", "放大学习率并逐渐预热，在 B = 128 处补上五分之四以上"),
            above("also at 64", closed[64], 0.8, "and at B = 64", "在 B = 64 处也是"),
            below("but not forever", closed[largest], 0.8, "not at the largest batch: too few updates are left", "在最大的批量处则不行：剩下的更新太少", ruling=16),
            same("constant warm-up", sum(losses[size]["constant warm-up"] > losses[size]["scaled"] for size in middle), len(middle), "at every batch size up to 256 constant warm-up ends at a higher training loss than none, as Goyal found", "在不超过 256 的每个批量处，恒定预热的终点训练损失高于不预热，与 Goyal 所见相同", ruling=31),
            same("gradual against constant", sum(losses[size]["gradual warm-up"] < losses[size]["constant warm-up"] for size in middle), len(middle), "and gradual warm-up at a lower one than constant", "而逐渐预热低于恒定预热"),
            below("LARS: any gradient", layers.lars_change, 1e-6, "LARS makes the same step when a layer's gradient is multiplied by 1000", "某层梯度乘以 1000，LARS 的步不变"),
            near("LARS: length", layers.lars_length, 1.0, 1e-5, "its length is rate times coefficient times the layer's own length", "步长为学习率乘系数乘该层自身的长度"),
            near("LARS: decay in the ratio", layers.lars_decayed, 1.0, 1e-5, "with weight decay β the ratio is ‖w‖/(‖g‖ + β‖w‖)", "有权重衰减 β 时，比例为 ‖w‖/(‖g‖ + β‖w‖)"),
            near("LAMB: length", layers.lamb_length, 1.0, 1e-5, "LAMB's step is as long as rate times the layer's own length", "LAMB 的步长为学习率乘该层自身的长度"),
            below("SWAP", swapped.average, swapped.workers, "the average of SWAP's workers has a lower test loss than the workers on the average", "SWAP 工作者的权重平均，其测试损失低于工作者的平均"),
        ),
        figures=(_by_batch(config, found, small), _warmups(config, found)),
        tables=(
            Table(
                Both(f"Accuracy after {config.epochs} epochs", f"{config.epochs} 轮之后的准确率"),
                (Both("batch", "批量"), Both("way", "方法"), Both("training", "训练"), Both("test", "测试"), Both("training loss", "训练损失")),
                ((SMALL, NAMES["same rate"], small.train, small.test, small.loss), *((size, NAMES[way], score.train, score.test, score.loss) for (size, way), score in found.items())),
            ),
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """Accuracies on training and test data, and the training loss."""

    train: float
    test: float
    loss: float


def _mean(data: Digits, size: int, way: str, config: Config, seed: int) -> Scores:
    every = [_scores(data, size, way, config, seed + place) for place in range(config.seeds)]
    return Scores(*(sum(getattr(one, name) for one in every) / len(every) for name in ("train", "test", "loss")))


def _rate(size: int, way: str, config: Config) -> ScaledRate:
    """The rate and its schedule; a warm-up lasts the first sixth of training."""
    updates = config.epochs * -(-1400 // size)
    if way == "same rate":
        return ScaledRate(RATE, constant(), 1.0)
    warm = max(1, updates // 6)
    if way == "gradual warm-up":
        return scale_rate(RATE, from_batch=SMALL, to_batch=size, warmup_updates=warm)
    plain = scale_rate(RATE, from_batch=SMALL, to_batch=size)
    if way == "constant warm-up":
        return ScaledRate(plain.lr / plain.factor, step([warm], gamma=plain.factor), plain.factor)
    return plain


def _scores(data: Digits, size: int, way: str, config: Config, seed: int) -> Scores:
    model = multilayer((64, 64, 10), nn.ReLU, seed=seed)
    rate = _rate(size, way, config)
    updates = config.epochs * -(-len(data.x) // size)
    optimizer = SGD(model.parameters(), lr=rate.lr, schedule=rate.schedule)
    train(model, data.x, data.y, optimizer, batch=size, updates=updates, seed=seed)
    with torch.no_grad():
        loss = float(F.cross_entropy(model(data.x), data.y))
    return Scores(accuracy(model, data.x, data.y), accuracy(model, data.test_x, data.test_y), loss)


def _closed(small: Scores, same: Scores, tried: Scores) -> float:
    """Share of the gap in training accuracy that was closed; 1 is as good as the small batch."""
    return (tried.train - same.train) / max(small.train - same.train, 1e-9)


@dataclass(frozen=True)
class Ratios:
    """What the ratios do to one step: relative change of the step, and lengths over those of the formula."""

    lars_change: float
    lars_length: float
    lars_decayed: float
    lamb_length: float


def _ratio_of_a_layer() -> Ratios:
    source = torch.Generator().manual_seed(0)
    start = torch.randn(20, 10, generator=source, dtype=torch.float64)
    slope = torch.randn(20, 10, generator=source, dtype=torch.float64)

    def stepped(make: Callable[[list[nn.Parameter]], torch.optim.Optimizer], factor: float) -> Any:
        layer = nn.Parameter(start.clone())
        layer.grad = factor * slope
        make([layer]).step()
        return layer.detach() - start

    def lars(layers: list[nn.Parameter]) -> torch.optim.Optimizer:
        return LARS(layers, lr=0.5, momentum=0.0, trust_coefficient=1e-2)

    def decayed(layers: list[nn.Parameter]) -> torch.optim.Optimizer:
        return LARS(layers, lr=0.5, momentum=0.0, trust_coefficient=1e-2, weight_decay=0.1)

    once, thousand = stepped(lars, 1.0), stepped(lars, 1000.0)
    lamb = stepped(lambda layers: LAMB(layers, lr=0.01, weight_decay=0.0), 1.0)
    length, size = float(start.norm()), float(slope.norm())
    ratio = length / (size + 0.1 * length)
    return Ratios(
        float((once - thousand).norm() / once.norm()),
        float(once.norm()) / (0.5 * 1e-2 * length),
        float(stepped(decayed, 1.0).norm()) / (0.5 * 1e-2 * ratio * float((slope + 0.1 * start).norm())),
        float(lamb.norm()) / (0.01 * min(length, 10.0)),
    )


@dataclass(frozen=True)
class Averaged:
    """Test losses: after the large-batch phase, mean of the workers, of their average."""

    before: float
    workers: float
    average: float


def _swapped(data: Digits, config: Config, seed: int) -> Averaged:
    def test_loss(model: nn.Module) -> float:
        with torch.no_grad():
            return float(F.cross_entropy(model(data.test_x), data.test_y))

    def go_on(model: nn.Module, size: int, epochs: int, lr: float, order: int) -> None:
        updates = epochs * -(-len(data.x) // size)
        train(model, data.x, data.y, SGD(model.parameters(), lr=lr), batch=size, updates=updates, seed=order)

    before: list[float] = []

    def large(model: nn.Module) -> None:
        go_on(model, 128, config.epochs, scale_rate(RATE, from_batch=SMALL, to_batch=128).lr, seed)
        before.append(test_loss(model))

    found = swap(
        multilayer((64, 64, 10), nn.ReLU, seed=seed),
        large,
        lambda copy, k: go_on(copy, SMALL, 3, RATE, 1000 * (seed + 1) + k),
        [data.x],
        workers=config.workers,
    )
    losses = [test_loss(worker) for worker in found.workers]
    return Averaged(before[0], sum(losses) / len(losses), test_loss(found.model))


def _by_batch(config: Config, found: dict[tuple[int, str], Scores], small: Scores) -> Chart:
    sizes = [SMALL, *config.batches]
    return Chart(
        "batches",
        Both("The same epochs at larger batches", "同样的轮数，更大的批量"),
        Axis(Both("batch size", "批量"), log=True, ticks=tuple((size, alike(str(size))) for size in sizes)),
        Axis(Both("training accuracy", "训练准确率"), limits=(0, 1.02)),
        tuple(
            Line(sizes, [small.train, *(found[size, way].train for size in config.batches)], NAMES[way], color=color, marked=True, dashed=way == "constant warm-up")
            for color, way in enumerate(WAYS, start=1)
        ),
        Both("The scaled rate holds the accuracy up to some batch. Then too few updates are left for any rate.", "放大学习率可把准确率保持到某个批量；再大，更新太少，什么学习率都不行。"),
    )  # fmt: skip


def _warmups(config: Config, found: dict[tuple[int, str], Scores]) -> Chart:
    places = list(range(len(config.batches)))
    return Chart(
        "warmups",
        Both("Training loss by kind of warm-up", "不同预热方式的训练损失"),
        Axis(Both("batch size", "批量"), ticks=tuple((i, alike(str(size))) for i, size in enumerate(config.batches))),
        Axis(Both("training loss at the end", "终点训练损失")),
        tuple(
            Bars(places, [found[size, way].loss for size in config.batches], NAMES[way], color=color)
            for color, way in enumerate(WAYS, start=1)
        ),
        Both("Up to 256 the rate is what matters, and constant warm-up ends above the other two scaled ways. A warm-up of a single update is the same in both kinds.", "到 256 为止要紧的是学习率，恒定预热高于另外两种放大的方式。只有一次更新的预热，两种方式相同。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Tricks for large batches",
        question="Can one have both, the speed of large batches and the result of small ones?",
        lecture="The lecture lists papers that train with very large batches in little time: layer-wise rates (LARS, LAMB), a scaled "
        "rate with warm-up, averaging of workers (SWAP).",
        formula="scaled rate: η · B/B₀, rising from η at first (gradual warm-up)\nLARS: step = η c ‖w‖ (g + βw)/(‖g‖ + β‖w‖) per layer;   LAMB: step = η ‖w‖ r/‖r‖, r = Adam's step\n"
        "SWAP: large batches, then workers with small ones, then the mean of their weights\ngap closed = (tried − same rate)/(small − same rate)",
        expectation="At the same epochs the scaled rate closes four fifths of the gap up to some batch.",
        change_mind="A scaled rate that does not help, or one that helps at any batch.",
        lesson="After {epochs} epochs a batch of 16 has {small:.1%} of the training data right. A batch of 128 at the same rate makes an "
        "eighth of the updates and has {same:.1%}. With the rate scaled by 8 and a gradual warm-up it has {gradual:.1%}: {closed:.0%} "
        "of the gap. Without warm-up it is {scaled:.1%}, with a constant one {constant:.1%}.\n\n"
        "Goyal et al. found constant warm-up worse than none and gradual warm-up best, on far larger batches and networks. Half of that is seen "
        "here: at every batch up to 256 constant warm-up ends at a higher training loss than none ({loss_constant:.3f} against {loss_scaled:.3f} at 128). "
        "Gradual warm-up ends below constant ({loss_gradual:.3f}), but below none at only {gradual_wins} of {middle} sizes: a network this small takes the full rate "
        "from the start, and a warm-up costs it updates.\n\n"
        "It ends: four fifths are closed at every size up to B = {upto}; at {largest} it is {closed_largest:.0%}. A rate cannot replace updates "
        "beyond what curvature lets it be.\n\n"
        "LARS and LAMB make each layer's step as long as a share of the layer itself, whatever the size of its gradient. SWAP: the "
        "large-batch phase ends at test loss {before:.4f}, the workers at {workers:.4f} on the average, their averaged weights at "
        "{average:.4f}.",
        holds="The scaled rate recovers the small batch's result, within limits; the ratios and the average do what they say.",
        fails="Gradual warm-up, best in the source, is best at {gradual_wins} of {middle} sizes up to 256 here. No trick holds at every batch: at {largest} too few updates are left. Times of the papers (minutes on a thousand "
        "processors) are not for a laptop to check.",
    ),
    "zh": Page(
        title="大批量的技巧",
        question="能否兼得大批量的速度与小批量的结果？",
        lecture="讲义列出了用极大批量在短时间内训练的论文：逐层的学习率（LARS、LAMB），放大学习率并预热，工作者平均（SWAP）。",
        formula="放大的学习率：η · B/B₀，起初从 η 升起（逐渐预热）\nLARS：每层的步 = η c ‖w‖ (g + βw)/(‖g‖ + β‖w‖)；LAMB：步 = η ‖w‖ r/‖r‖，r 为 Adam 的步\n"
        "SWAP：先大批量，再由工作者用小批量，最后取权重平均\n补上的差距 =（所试 − 学习率不变）/（小批量 − 学习率不变）",
        expectation="同样的轮数，放大学习率在某个批量以内补上五分之四的差距。",
        change_mind="若放大学习率没有帮助，或在任何批量都有帮助。",
        lesson="{epochs} 轮之后，批量 16 判对 {small:.1%} 的训练数据。批量 128 用同样的学习率，更新只有八分之一，判对 {same:.1%}。"
        "学习率乘 8 并逐渐预热，则为 {gradual:.1%}，补上 {closed:.0%} 的差距。不预热为 {scaled:.1%}，恒定预热为 {constant:.1%}。\n\n"
        "Goyal 等人在大得多的批量与网络上看到：恒定预热不如不预热，逐渐预热最好。这里只见到一半：在不超过 256 的每个批量处，恒定预热的终点训练损失都高于不预热"
        "（128 处为 {loss_constant:.3f} 对 {loss_scaled:.3f}）。逐渐预热（{loss_gradual:.3f}）低于恒定预热，但在 {middle} 个批量中只有 {gradual_wins} 个低于不预热："
        "这样小的网络一开始就受得了全部学习率，预热只是耗费更新。\n\n"
        "它有尽头：到 B = {upto} 为止每个批量都补上五分之四；在 {largest} 处为 {closed_largest:.0%}。学习率受曲率所限，替代不了更新。\n\n"
        "LARS 与 LAMB 让每层的步长等于该层自身长度的一个比例，与梯度大小无关。SWAP：大批量阶段终于测试损失 {before:.4f}，"
        "工作者平均为 {workers:.4f}，权重平均后为 {average:.4f}。",
        holds="放大学习率在限度内恢复小批量的结果；逐层比例与权重平均名副其实。",
        fails="原文中最好的逐渐预热，这里在不超过 256 的 {middle} 个批量中只有 {gradual_wins} 个最好。没有哪个技巧在任何批量都有效：在 {largest} 处剩下的更新太少。论文中的时间（上千处理器数分钟）不是一台笔记本能核对的。",
    ),
}


_right_rate = scale_rate


def _halved(lr: float, *, from_batch: int, to_batch: int, warmup_updates: int = 0) -> ScaledRate:
    return _right_rate(lr / 2, from_batch=to_batch, to_batch=to_batch)


def _without_ratio(
    layers: list[nn.Parameter], lr: float, momentum: float, trust_coefficient: float, weight_decay: float = 0.0
) -> torch.optim.Optimizer:
    return SGD(layers, lr=lr * trust_coefficient, momentum=momentum)


PLANTED = (
    plant("the rate is halved instead of scaled", __name__, "scale_rate", _halved, "closed"),
    plant("LARS leaves its ratio out", __name__, "LARS", _without_ratio, "LARS: any gradient", "LARS: length"),
)  # fmt: skip
