"""How long an update and an epoch take by batch size: measured here, beside the lecture's figure."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Chart, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, same
from unstuck.lab.training import multilayer
from unstuck.lab.words import Both
from unstuck.optim import SGD

ORDER = 10
COVERS = ("B3", "B4")
COST = Cost(quick_seconds=1, full_seconds=5)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Batch and momentum (times read off his figure for MNIST on a V100)",
    "processor time of one thread, median of the repetitions",
)
SUBJECT = "unstuck.lab.experiments.batch_time.forward_and_back"


@dataclass(frozen=True)
class Config:
    """``sizes`` of batches, ``repeats`` of each; the epoch has ``examples``."""

    sizes: tuple[int, ...]
    repeats: int
    inputs: int
    examples: int = 60_000


QUICK = Config(sizes=(1, 10, 100, 1000, 6000), repeats=5, inputs=196)
FULL = Config(sizes=(1, 10, 100, 1000, 10_000, 60_000), repeats=5, inputs=784)

# Seconds of an update, read off the lecture's figure, by batch size.
LECTURE = {1: 0.006, 10: 0.007, 100: 0.023, 1000: 0.15, 10_000: 1.55, 60_000: 9.5}


def forward_and_back(model: nn.Module, x: Tensor, y: Tensor) -> None:
    """Loss and gradients of the whole batch at once."""
    torch.autograd.backward(F.cross_entropy(model(x), y))


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Time updates of one network on one thread."""
    source = torch.Generator().manual_seed(seed)
    x = torch.rand(max(config.sizes), config.inputs, generator=source)
    y = torch.randint(10, (max(config.sizes),), generator=source)
    model = multilayer((config.inputs, 128, 10), nn.ReLU, seed=seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = {}
        for place, size in enumerate(config.sizes):
            seconds[size] = _update_seconds(model, x[:size], y[:size], config.repeats)
            progress((place + 1) / len(config.sizes), f"batch size {size}")
    finally:
        torch.set_num_threads(threads)
    epoch = {size: spent * math.ceil(config.examples / size) for size, spent in seconds.items()}
    largest = max(config.sizes)
    growth = seconds[1000] / seconds[1]
    last = (seconds[largest] / seconds[1000]) / (largest / 1000)
    shared = [size for size in config.sizes if size in LECTURE and size >= 10]
    criteria: list[Criterion] = [
        below("a thousand at once", growth, 200, "a thousand examples take far less than a thousand times as long as one", "一千个样本的用时远不到一个样本的一千倍"),
        above("the largest", last, 0.5, "beyond a thousand time grows with the batch: nothing is left to share", "超过一千之后用时随批增长：没有可以分摊的了"),
        above("epoch", epoch[1] / epoch[1000], 5, "an epoch of single examples takes more than five times as long as one of thousands", "逐个样本的一个 epoch 比每批一千的慢五倍以上"),
        below("flat at first", seconds[10] / seconds[1], 3, "ten examples take less than three times as long as one", "十个样本的用时不到一个样本的三倍"),
        above("six times the batch", seconds[largest] / seconds[config.sizes[-2]], 3, "from the last size but one to the last, six times it, the time grows more than threefold", "从倒数第二个批大小到最后一个（六倍），用时增加三倍以上"),
        same("order", _by_time(seconds, shared), _by_time(LECTURE, shared), "from ten on the sizes, ordered by their time, stand as in the lecture's figure", "从十起，按用时排列的批大小与讲义的图次序相同"),
        same("bends", (_bends(seconds), _bends(LECTURE)), (True, True), "the curve grows steeper on its way, here and in the lecture's figure: up to 10, up to 1,000, beyond", "曲线一路变陡，此机与讲义的图皆然：到 10、到 1000、再往后"),
        above("not flat to a thousand", growth, 5, "a thousand examples take more than five times as long as one: flat on a linear axis only", "一千个样本的用时是一个的五倍以上：只在线性坐标上看似平坦", ruling=14),
    ]  # fmt: skip
    return Result(
        numbers={
            "one": Number(1e3 * seconds[1], Both("an update with one example", "一个样本的一次更新"), "ms"),
            "thousand": Number(1e3 * seconds[1000], Both("an update with a thousand", "一千个样本的一次更新"), "ms"),
            "ten": Number(seconds[10] / seconds[1], Both("an update with ten over one with one", "十个样本与一个样本的更新用时之比"), "× time"),
            "lecture_growth": Number(LECTURE[1000] / LECTURE[1], Both("a thousand over one in the lecture's figure", "讲义图中一千与一之比")),
            "growth": Number(growth, Both("the second over the first", "后者与前者之比"), "× time"),
            "epoch_one": Number(epoch[1], Both("an epoch of 60,000, one by one", "六万样本逐个的一个 epoch"), "s"),
            "epoch_thousand": Number(epoch[1000], Both("an epoch of 60,000, a thousand at once", "六万样本每批一千的一个 epoch"), "s"),
        },
        criteria=tuple(criteria),
        figures=(_times(seconds), _epochs(epoch)),
        tables=(
            Table(
                Both("Times by batch size", "用时与批大小"),
                (Both("batch", "批大小"), Both("update (ms)", "一次更新（毫秒）"), Both("epoch of 60,000 (s)", "六万样本的 epoch（秒）")),
                tuple((size, 1e3 * seconds[size], epoch[size]) for size in config.sizes),
            ),
        ),
    )  # fmt: skip


def _by_time(seconds: dict[int, float], sizes: list[int]) -> tuple[int, ...]:
    return tuple(sorted(sizes, key=lambda size: seconds[size]))


def _bends(seconds: dict[int, float]) -> bool:
    """Whether the slope on logarithmic axes rises from 1 … 10 to 10 … 1000 and again beyond."""
    places = (1, 10, 1000, max(seconds))
    slopes = [math.log(seconds[b] / seconds[a]) / math.log(b / a) for a, b in pairwise(places)]
    return slopes[0] < slopes[1] < slopes[2]


def _update_seconds(model: nn.Module, x: Tensor, y: Tensor, repeats: int) -> float:
    """Median processor seconds of an update; fast ones are timed in groups."""
    optimizer = SGD(model.parameters(), lr=1e-4)
    group = max(1, min(40, 400 // len(x)))
    spent = []
    for repeat in range(repeats + 1):
        began = time.thread_time()
        for _ in range(group):
            optimizer.zero_grad()
            forward_and_back(model, x, y)
            optimizer.step()
        if repeat:  # the first warms up
            spent.append((time.thread_time() - began) / group)
    return statistics.median(spent)


def _times(seconds: dict[int, float]) -> Chart:
    return Chart(
        "updates",
        Both("Time of an update", "一次更新的时间"),
        Axis(Both("batch size", "批大小"), log=True),
        Axis(Both("time", "用时"), "ms", log=True),
        (
            Line(list(seconds), [1e3 * s for s in seconds.values()], Both("here, one thread", "此机，单线程"), color=1, marked=True),
            Line(list(LECTURE), [1e3 * s for s in LECTURE.values()], Both("lecture, V100", "讲义，V100"), color=2, marked=True, dashed=True),
        ),
        Both("Flat at first: the cost of starting an update. Then in proportion to the batch.", "起初平坦：那是启动一次更新的固定开销；之后与批大小成正比。"),
    )  # fmt: skip


def _epochs(epoch: dict[int, float]) -> Chart:
    lecture = {size: spent * math.ceil(60_000 / size) for size, spent in LECTURE.items()}
    return Chart(
        "epochs",
        Both("Time of an epoch of 60,000 examples", "六万样本一个 epoch 的时间"),
        Axis(Both("batch size", "批大小"), log=True),
        Axis(Both("time", "用时"), "s", log=True),
        (
            Line(list(epoch), list(epoch.values()), Both("here, one thread", "此机，单线程"), color=1, marked=True),
            Line(list(lecture), list(lecture.values()), Both("lecture, V100", "讲义，V100"), color=2, marked=True, dashed=True),
        ),
        Both("Large batches save the starting cost of 60,000 updates; beyond some size there is nothing left to save.", "大批省去六万次启动的开销；超过一定大小就没什么可省了。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Time by batch size",
        question="Does a large batch take longer for an update, and is its epoch shorter?",
        lecture="With parallel hardware an update with 1,000 examples takes hardly longer than with one; only very large batches "
        "take longer. So an epoch is much faster with large batches.",
        formula="time of an update ≈ a + b·B,   time of an epoch ≈ (a + b·B)·N/B",
        expectation="A thousand examples in far less than a thousand times the time; epochs of single examples much slower.",
        change_mind="Times in proportion to the batch from the start.",
        lesson="On one thread of this machine an update takes {one:.3g} ms with one example and {thousand:.3g} ms with a thousand: "
        "{growth:.0f} times as long for a thousand times the work; ten examples take {ten:.1f} times as long. An epoch of 60,000 examples takes {epoch_one:.3g} s one by "
        "one and {epoch_thousand:.2g} s by thousands.\n\n"
        "An update has a fixed cost, paid whatever the batch, and a cost for each example. Small batches pay mostly the "
        "first. On parallel hardware the second is small up to the size that fills it.",
        holds="The shape: flat at first, then in proportion; epochs are faster with larger batches, up to a point.",
        fails="“Almost the same up to 1,000” is an effect of the linear axis: in that very figure it is {lecture_growth:.0f} times, here {growth:.0f}.",
    ),
    "zh": Page(
        title="用时与批大小",
        question="大批的一次更新更慢吗？它的一个 epoch 更快吗？",
        lecture="有了并行硬件，1000 个样本的一次更新几乎不比一个样本慢；只有极大的批才变慢。所以大批跑一个 epoch 快得多。",
        formula="一次更新的时间 ≈ a + b·B，  一个 epoch 的时间 ≈ (a + b·B)·N/B",
        expectation="一千个样本远不到一千倍的时间；逐个样本的 epoch 慢得多。",
        change_mind="若用时从一开始就与批大小成正比。",
        lesson="在此机的一个线程上，一个样本的更新用 {one:.3g} 毫秒，一千个用 {thousand:.3g} 毫秒："
        "一千倍的工作只花 {growth:.0f} 倍的时间；十个样本是 {ten:.1f} 倍。六万样本的一个 epoch，逐个要 {epoch_one:.3g} 秒，每批一千要 {epoch_thousand:.2g} 秒。\n\n"
        "一次更新有与批大小无关的固定开销，再加每个样本的开销。小批付的主要是前者；在并行硬件上，填满之前后者很小。",
        holds="形状：起初平坦，然后成正比；到一定程度为止，批越大 epoch 越快。",
        fails="“到 1000 为止几乎一样”是线性坐标造成的：就在那幅图里也有 {lecture_growth:.0f} 倍，此机为 {growth:.0f} 倍。",
    ),
}


_right_pass = forward_and_back


def _one_by_one(model: nn.Module, x: Tensor, y: Tensor) -> None:
    if len(x) > 1000:
        _right_pass(model, x, y)
        return
    for row in range(len(x)):
        torch.autograd.backward(F.cross_entropy(model(x[row : row + 1]), y[row : row + 1]))


PLANTED = (
    plant(
        "the examples of a batch are taken one by one", __name__, "forward_and_back", _one_by_one, "a thousand at once"
    ),
)
