"""Wide and narrow minima: what a shift costs, who jumps out, and what batch size does to real networks."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import vector_to_parameters

from unstuck.curvature import extremes, hessian
from unstuck.lab.charts import Axis, Chart, Line, Playground, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.training import accuracy, multilayer, train
from unstuck.lab.words import Both, alike
from unstuck.landscape import line_between
from unstuck.objective import FormulaObjective, ModelObjective
from unstuck.objective.contract import Objective
from unstuck.optim import SGD, Rule
from unstuck.optim.directions import Gradient
from unstuck.problems import Digits, Surface, digits

ORDER = 28
COVERS = ("B7", "B8", "B9", "B12")
COST = Cost(quick_seconds=2, full_seconds=60)
SOURCES = (
    "Keskar, Mudigere, Nocedal, Smelyanskiy and Tang 2016: sharpness in a box, the line between solutions",
    "Hung-yi Lee, Machine Learning 2021: Batch and momentum",
    "Dinh, Pascanu, Bengio and Bengio 2017: sharp minima can generalize",
    "scikit-learn's digits: 300 for training, with noise in their pixels",
)
SUBJECT = "unstuck.lab.experiments.flat_sharp.box_sharpness, shaken"


@dataclass(frozen=True)
class Config:
    """``walkers`` in the canyon, ``seeds`` of both networks, ``updates`` of each."""

    walkers: int
    seeds: int
    updates: int


QUICK = Config(walkers=400, seeds=1, updates=400)
FULL = Config(walkers=5000, seeds=5, updates=4000)

WIDE, NARROW = 1.0, 40.0  # curvatures of the two wells, each one deep
CURVE = Surface(
    "2 - exp(-0.5*(x + 3)**2) - exp(-20*(x - 1)**2)",
    "(x + 3)*exp(-0.5*(x + 3)**2) + 40*(x - 1)*exp(-20*(x - 1)**2)",
)
SHIFT = 0.05
BATCHES = (1, 4, 16, 64)
SMALL, LARGE = 16, 300
SIZES = (SMALL, 32, 64, 128, LARGE)
REACH = 5e-3  # of the box, where one is named
REACHES = (1e-2, REACH, 1e-3, 1e-4, 1e-5)
NOISE = 0.3  # standard deviation of what is added to the pixels, which lie in 0 … 1


def _curve(x: Tensor) -> Tensor:
    return 2 - torch.exp(-0.5 * (x + 3) ** 2) - torch.exp(-20 * (x - 1) ** 2)


def _slope(x: Tensor) -> Tensor:
    return (x + 3) * torch.exp(-0.5 * (x + 3) ** 2) + 40 * (x - 1) * torch.exp(-20 * (x - 1) ** 2)


def shaken(batch: int, source: torch.Generator, *, noise: float = 10.0) -> Callable[[Tensor], Tensor]:
    """The curve's slope as a batch sees it: with noise of standard deviation ``noise``/√batch."""

    def slope(x: Tensor) -> Tensor:
        return _slope(x) + noise / math.sqrt(batch) * torch.randn(x.shape, generator=source, dtype=x.dtype)

    return slope


def box_sharpness(objective: Objective, place: Tensor, reach: float, *, steps: int = 10) -> float:
    """100 · (highest loss in the box |zᵢ| ≤ reach · (|xᵢ| + 1) − loss)/(1 + loss), by climbing along the gradient's signs.

    A lower bound: the climb may miss the highest corner. *Cost*: ``steps`` gradients and forward passes.
    *Source*: Keskar et al. 2016, metric 2.1, which climbs by L-BFGS-B.
    """
    here = objective.value(place)
    wide = reach * (place.abs() + 1)
    best, z = here, 1e-3 * wide
    for _ in range(steps):
        slope = objective.gradient(place + z).vector
        z = torch.maximum(torch.minimum(z + 0.5 * wide * slope.sign(), wide), -wide)
        best = max(best, objective.value(place + z))
    return 100 * (best - here) / (1 + here)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """The curve, the box on a bowl, then small-batch and large-batch networks."""
    bottoms = [follow(Rule(Gradient(), lr=0.01), _slope, [x], 800)[-1] for x in (-3.1, 1.02)]
    gaps = [float(0.5 * (_curve(x + SHIFT) + _curve(x - SHIFT)) - _curve(x)) for x in bottoms]
    depth = abs(float(_curve(bottoms[0]) - _curve(bottoms[1])))
    left = [_escapes(batch, config.walkers, seed) for batch in BATCHES]
    still = _escapes(None, 10, seed)
    progress(0.3, "the curve walked")

    bowl = FormulaObjective(
        lambda w: 0.5 * (torch.tensor([1.0, 4.0], dtype=torch.float64) * w * w).sum(),
        torch.zeros(2, dtype=torch.float64),
    )
    on_bowl = box_sharpness(bowl, bowl.start(), 0.1)
    pairs = []
    for place in range(config.seeds):
        pairs.append(_pair(config, seed + place))
        progress(0.3 + 0.7 * (place + 1) / config.seeds, "networks trained")
    first = pairs[0]
    count = len(pairs)

    def mean(of: Callable[[Pair], float]) -> float:
        return sum(of(pair) for pair in pairs) / count

    gap_small = mean(lambda p: p.small.train - p.small.test)
    gap_large = mean(lambda p: p.large.train - p.large.test)
    sharper = sum(p.large.box > p.small.box for p in pairs)
    steeper = sum(p.large.top > p.small.top for p in pairs)
    better = sum(p.small.test > p.large.test for p in pairs)
    clean = {size: _trained(*_data(seed, 0.0), size, config, seed) for size in (SMALL, LARGE)}
    ends = max(
        max(
            abs(each[place] - getattr(found, name))
            for place, found in ((20, p.small), (40, p.large))
            for each, name in ((p.line.train, "loss"), (p.line.test, "test_loss"), (p.line.accuracy, "test"))
        )
        for p in pairs
    )
    return Result(
        numbers={
            "gap_wide": Number(gaps[0], Both("cost of a shift of 0.05, wide minimum", "平移 0.05 的代价，宽极小")),
            "gap_narrow": Number(gaps[1], Both("the same, narrow minimum", "同上，窄极小")),
            "left_1": Number(left[0], Both("share that left the canyon, B = 1", "离开峡谷的比例，B = 1")),
            "left_16": Number(left[2], Both("share that left, B = 16", "离开的比例，B = 16")),
            "left_64": Number(left[3], Both("share that left, B = 64", "离开的比例，B = 64")),
            "seeds": Number(count, Both("pairs of networks", "网络对数")),
            "better": Number(better, Both("pairs in which the small batch has the higher test accuracy", "小批量测试准确率更高的对数")),
            "clean_small": Number(clean[SMALL].found.test, Both(f"test accuracy without noise, B = {SMALL}", f"无噪声的测试准确率，B = {SMALL}")),
            "clean_large": Number(clean[LARGE].found.test, Both(f"the same, B = {LARGE}", f"同上，B = {LARGE}")),
            "test_small": Number(mean(lambda p: p.small.test), Both(f"test accuracy, B = {SMALL}", f"测试准确率，B = {SMALL}")),
            "test_large": Number(mean(lambda p: p.large.test), Both(f"test accuracy, B = {LARGE}", f"测试准确率，B = {LARGE}")),
            "gap_small": Number(gap_small, Both(f"training minus test accuracy, B = {SMALL}", f"训练减测试准确率，B = {SMALL}")),
            "gap_large": Number(gap_large, Both(f"the same, B = {LARGE}", f"同上，B = {LARGE}")),
            "box_small": Number(mean(lambda p: p.small.box), Both(f"box sharpness, B = {SMALL}", f"盒内尖锐度，B = {SMALL}")),
            "box_large": Number(mean(lambda p: p.large.box), Both(f"box sharpness, B = {LARGE}", f"盒内尖锐度，B = {LARGE}")),
            "top_small": Number(mean(lambda p: p.small.top), Both(f"largest curvature, B = {SMALL}", f"最大曲率，B = {SMALL}")),
            "top_large": Number(mean(lambda p: p.large.top), Both(f"largest curvature, B = {LARGE}", f"最大曲率，B = {LARGE}")),
            "sharper": Number(sharper, Both("pairs in which the large batch's box is sharper", "大批量盒内更尖的对数")),
            "steeper": Number(steeper, Both("pairs in which its largest curvature is higher", "大批量最大曲率更高的对数")),
            "sensitive_small": Number(mean(lambda p: p.small.sensitivity), Both(f"sensitivity ‖∂y/∂x‖ to the pixels, B = {SMALL}", f"对像素的敏感度 ‖∂y/∂x‖，B = {SMALL}")),
            "sensitive_large": Number(mean(lambda p: p.large.sensitivity), Both(f"the same, B = {LARGE}", f"同上，B = {LARGE}")),
            "hill": Number(max(first.line.train[20:41]), Both("highest loss between the two", "两者之间的最高损失")),
            "scaled": Number(first.scaled_box / first.small.box, Both("box sharpness after rescaling two layers, over before", "两层重新缩放后盒内尖锐度与之前之比")),
        },
        criteria=(
            below("equal depth", depth, 1e-3, "both minima of the curve are equally deep", "曲线的两个极小一样深"),
            near("wide: ½λδ²", gaps[0] / (0.5 * WIDE * SHIFT**2), 1.0, 0.1, "a shift by δ costs ½λδ² in the wide one", "平移 δ 在宽极小处的代价是 ½λδ²"),
            near("ratio", gaps[1] / gaps[0], NARROW / WIDE, 0.1 * NARROW / WIDE, "in the narrow one as many times more as it is more curved", "窄极小处的代价按曲率之比放大"),
            same("no noise, no escape", still, 0.0, "without noise nobody leaves the canyon", "没有噪声就没有人离开峡谷"),
            same("small batches leave", all(a >= b for a, b in pairwise(left)) and left[0] > left[-1] + 0.5, True, "the smaller the batch, the more walkers leave it", "批量越小，离开的越多"),
            near("box on a bowl", on_bowl, 100 * 0.5 * 0.01 * 5, 1e-9, "on a bowl with known answer the box sharpness is exact", "在答案已知的碗上，盒内尖锐度是精确的"),
            above("both fit", min(min(p.small.train, p.large.train) for p in pairs), 0.99, "both batch sizes fit the training data", "两种批量都拟合了训练数据"),
            below("ends of the line", ends, 1e-10, "the line between them has the networks' own losses and accuracies at 0 and 1", "两者之间的线在 0 与 1 处就是网络自己的损失与准确率"),
            below("same function", first.scaled_gap, 1e-9, "multiplying one ReLU layer and dividing the next leaves the function as it is", "一层 ReLU 乘以、下一层除以同一个数，函数不变"),
            above("other sharpness", first.scaled_box / first.small.box, 1.5, "but changes its sharpness: sharpness is not a property of the function", "尖锐度却变了：它不是函数的性质"),
        ),
        figures=(_wells(), _left(left), _line(first.line), _line_accuracy(first.line), _by_batch(pairs), _playground()),
        tables=(
            Table(
                Both("Every network: noisy digits, the same number of updates at every batch size", "每个网络：带噪手写数字，各批量更新数相同"),
                (Both("batch", "批量"), Both("training accuracy", "训练准确率"), Both("test accuracy", "测试准确率"), Both("loss", "损失"), Both("box sharpness", "盒内尖锐度"), Both("largest curvature", "最大曲率"), alike("‖∂y/∂x‖")),
                tuple((size, each.train, each.test, each.loss, each.boxes[REACH], each.top, each.sensitivity) for pair in pairs for size, each in pair.found.items()),
            ),
            Table(
                Both(f"Box sharpness by the box's ε, mean of all pairs: B = {SMALL} against B = {LARGE}", f"不同 ε 的盒内尖锐度，各对平均：B = {SMALL} 与 B = {LARGE}"),
                (alike("ε"), alike(f"B = {SMALL}"), alike(f"B = {LARGE}"), Both("sharper at the large batch, pairs", "大批量更尖的对数")),
                tuple(
                    (
                        reach,
                        *(sum(pair.found[size].boxes[reach] for pair in pairs) / count for size in (SMALL, LARGE)),
                        sum(pair.large.boxes[reach] > pair.small.boxes[reach] for pair in pairs),
                    )
                    for reach in REACHES
                ),
            ),
        ),
    )  # fmt: skip


def _escapes(batch: int | None, walkers: int, seed: int) -> float:
    """Share of walkers that have left the canyon's place within 300 steps of rate 0.02."""
    source = torch.Generator().manual_seed(seed)
    slope = _slope if batch is None else shaken(batch, source)
    path = follow(Rule(Gradient(), lr=0.02), slope, [1.0] * walkers, 300)
    return float(((path - 1).abs() > 0.6).any(dim=0).double().mean())


@dataclass(frozen=True)
class Found:
    """A trained network by its numbers; ``boxes``: its sharpness by the reach of the box."""

    train: float
    test: float
    loss: float
    test_loss: float
    boxes: Mapping[float, float]
    top: float
    sensitivity: float

    @property
    def box(self) -> float:
        return self.boxes[REACH]


@dataclass(frozen=True)
class Trained:
    """A network with its loss on the training data, its place there, and its numbers."""

    model: nn.Sequential
    objective: ModelObjective
    place: Tensor
    found: Found


@dataclass(frozen=True)
class Between:
    """Losses and accuracies (``fitted`` on the training data, ``accuracy`` on the test data) along a line."""

    positions: Sequence[float]
    train: Sequence[float]
    test: Sequence[float]
    fitted: Sequence[float]
    accuracy: Sequence[float]


@dataclass(frozen=True)
class Pair:
    """Networks of every batch size from one start; the line from the smallest batch's (0) to the largest's (1); and the
    first network rescaled."""

    found: Mapping[int, Found]
    line: Between
    scaled_box: float
    scaled_gap: float

    @property
    def small(self) -> Found:
        return self.found[SMALL]

    @property
    def large(self) -> Found:
        return self.found[LARGE]


def _data(seed: int, noise: float) -> tuple[Digits, Tensor, Tensor]:
    """The digits, and their pixels with noise: without it nearly every test digit is right, whatever the batch."""
    data = digits(train=LARGE, seed=seed, dtype=torch.float64)
    source = torch.Generator().manual_seed(seed)
    x, test_x = (
        part + noise * torch.randn(part.shape, generator=source, dtype=part.dtype) for part in (data.x, data.test_x)
    )
    return data, x, test_x


def _trained(data: Digits, x: Tensor, test_x: Tensor, size: int, config: Config, seed: int) -> Trained:
    model = multilayer((64, 32, 10), nn.ReLU, dtype=torch.float64, seed=seed)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, x, data.y, optimizer, batch=size, updates=config.updates, seed=seed)
    objective = ModelObjective(model, F.cross_entropy, (x, data.y))
    place = objective.start()
    with objective.at() as point:
        top = extremes(hessian(point), largest=1, tolerance=1e-2, seed=seed).largest[0].value
    with torch.no_grad():
        test_loss = float(F.cross_entropy(model(test_x), data.test_y))
    return Trained(
        model,
        objective,
        place,
        Found(
            accuracy(model, x, data.y),
            accuracy(model, test_x, data.test_y),
            objective.value(place),
            test_loss,
            {reach: box_sharpness(objective, place, reach) for reach in REACHES},
            top,
            _sensitivity(model, test_x[:200]),
        ),
    )


def _sensitivity(model: nn.Module, x: Tensor) -> float:
    """Mean over examples of ‖∂y/∂x‖: the root of the sum of all squared slopes of the ten outputs by the pixels."""
    leaf = x.clone().requires_grad_()
    outputs = model(leaf)
    slopes = [torch.autograd.grad(outputs[:, i].sum(), leaf, retain_graph=True)[0] for i in range(outputs.shape[1])]
    return float(torch.cat(slopes, dim=1).norm(dim=1).mean())


def _pair(config: Config, seed: int) -> Pair:
    data, x, test_x = _data(seed, NOISE)
    trained = {size: _trained(data, x, test_x, size, config, seed) for size in SIZES}
    first, last = trained[SMALL], trained[LARGE]
    ends = first.place, last.place
    line = line_between(first.objective, *ends, points=61, low=-1.0, high=2.0)
    tested = ModelObjective(last.model, F.cross_entropy, (test_x, data.test_y))
    beside = line_between(tested, *ends, points=61, low=-1.0, high=2.0)
    shares = []
    walker = multilayer((64, 32, 10), nn.ReLU, dtype=torch.float64, seed=seed)
    for t in line.positions:
        vector_to_parameters(ends[0] + t * (ends[1] - ends[0]), walker.parameters())
        shares.append((accuracy(walker, x, data.y), accuracy(walker, test_x, data.test_y)))
    fitted, right = zip(*shares, strict=True)

    model = first.model
    before = model(test_x).detach()
    with torch.no_grad():
        for part, factor in zip(model.parameters(), (10.0, 10.0, 0.1, 1.0), strict=True):
            part.mul_(factor)
    scaled = ModelObjective(model, F.cross_entropy, (x, data.y))
    gap = float((model(test_x).detach() - before).abs().max())
    return Pair(
        {size: each.found for size, each in trained.items()},
        Between(line.positions, line.losses, beside.losses, fitted, right),
        box_sharpness(scaled, scaled.start(), REACH),
        gap,
    )


def _wells() -> Chart:
    x = torch.linspace(-6, 2.5, 341, dtype=torch.float64)
    return Chart(
        "wells",
        Both("Training loss and the same shifted", "训练损失与平移后的损失"),
        Axis(alike("x")),
        Axis(Both("loss", "损失"), limits=(0.8, 2.1)),
        (
            Line(x.tolist(), _curve(x).tolist(), Both("training loss", "训练损失"), color=1),
            Line(x.tolist(), _curve(x - 0.2).tolist(), Both("test loss: the same, shifted by 0.2", "测试损失：同样的曲线，平移 0.2"), color=2, dashed=True),
        ),
        Both("At the wide minimum the shift costs little; at the narrow one the test loss climbs its wall.", "在宽极小处平移代价很小；在窄极小处测试损失爬上了壁。"),
    )  # fmt: skip


def _left(left: list[float]) -> Chart:
    return Chart(
        "escapes",
        Both("Who jumps out of the canyon", "谁跳出峡谷"),
        Axis(Both("batch size", "批量"), log=True),
        Axis(Both("share that left within 300 steps", "300 步内离开的比例"), limits=(-0.03, 1.03)),
        (Line(list(BATCHES), left, None, color=1, marked=True),),
        Both("The noise of a gradient falls as 1/√B; from some batch on nobody leaves.", "梯度噪声按 1/√B 下降；批量大到一定程度就无人离开。"),
    )  # fmt: skip


def _place_axis() -> Axis:
    return Axis(Both(f"position: 0 is B = {SMALL}, 1 is B = {LARGE}", f"位置：0 为 B = {SMALL}，1 为 B = {LARGE}"))


def _line(line: Between) -> Chart:
    places = list(line.positions)
    return Chart(
        "line",
        Both("From the small batch's solution to the large batch's", "从小批量的解到大批量的解"),
        _place_axis(),
        Axis(Both("loss", "损失"), log=True),
        (
            Line(places, list(line.train), Both("training", "训练"), color=1),
            Line(places, list(line.test), Both("test", "测试"), color=2, dashed=True),
        ),
        Both("How steep the walls are at 0 and at 1 along this one line. One line is not the whole surface.", "沿这一条线，0 与 1 处的壁有多陡。一条线不是整个曲面。"),
    )  # fmt: skip


def _line_accuracy(line: Between) -> Chart:
    places = list(line.positions)
    return Chart(
        "line-accuracy",
        Both("Accuracy on the same line", "同一条线上的准确率"),
        _place_axis(),
        Axis(Both("accuracy", "准确率"), limits=(0, 1.02)),
        (
            Line(places, list(line.fitted), Both("training", "训练"), color=1),
            Line(places, list(line.accuracy), Both("test", "测试"), color=2, dashed=True),
        ),
        Both("The networks themselves are at 0 and 1; what lies between and beyond was never trained.", "两个网络在 0 与 1 处；其间与其外的权重从未训练过。"),
    )  # fmt: skip


def _by_batch(pairs: Sequence[Pair]) -> Chart:
    def mean(of: Callable[[Found], float], size: int) -> float:
        return sum(of(pair.found[size]) for pair in pairs) / len(pairs)

    measures: tuple[tuple[Both, Callable[[Found], float]], ...] = (
        (Both("box sharpness", "盒内尖锐度"), lambda each: each.box),
        (Both("largest curvature", "最大曲率"), lambda each: each.top),
        (Both("sensitivity ‖∂y/∂x‖", "敏感度 ‖∂y/∂x‖"), lambda each: each.sensitivity),
    )
    return Chart(
        "by-batch",
        Both("Sharpness and sensitivity by batch size", "尖锐度、敏感度与批量"),
        Axis(Both("batch size", "批量"), log=True, ticks=tuple((size, alike(str(size))) for size in SIZES)),
        Axis(Both(f"over its value at B = {SMALL}", f"与 B = {SMALL} 处之比"), log=True),
        tuple(
            Line(list(SIZES), [mean(of, size) / mean(of, SMALL) for size in SIZES], label, color=color, marked=True)
            for color, (label, of) in enumerate(measures, start=1)
        ),
        Both("Means over the networks of each batch size, all trained for the same number of updates.", "各批量网络的平均，更新数都相同。"),
    )  # fmt: skip


def _playground() -> Playground:
    return Playground(
        "walk",
        Both("A canyon and a plain", "峡谷与平原"),
        CURVE,
        ((-6.0, 2.5), (0.8, 2.1)),
        start=(1.3,),
        step_size=Slider(0.001, 1.0, 0.02, log=True),
        momentum=Slider(0, 0.99, 0.9),
        caption=Both("A step above 2/40 = 0.05 does not come to rest in the canyon: long steps, too, choose the wide minimum.", "步长大于 2/40 = 0.05 就停不进峡谷：大步长同样会选宽极小。"),
        steps=200,
        labels=(alike("x"), Both("loss", "损失")),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Flat and sharp minima",
        question="Do small batches find flatter minima, and do flatter minima generalize better?",
        lecture="Trained to the same accuracy, large batches do worse on new data. A wide minimum is good, since the test loss is the "
        "training loss a little shifted; a narrow canyon is bad. Small batches are noisy and jump out of canyons.",
        formula="shift by δ: ΔL = ½ λ δ²\nbox sharpness = 100 · (max over |zᵢ| ≤ ε(|xᵢ| + 1) of L(x + z) − L(x))/(1 + L(x)),  ε = 0.005",
        expectation="On the curve: costs in the ratio of curvatures, escapes falling with the batch. On networks: whatever comes out.",
        change_mind="A canyon that large batches leave, or a shift that costs the wide minimum more.",
        lesson="On a curve with two minima of equal depth a shift of 0.05 costs {gap_wide:.5f} in the wide one and {gap_narrow:.4f} in "
        "the narrow one. Of walkers with the noise of batch 1, {left_1:.0%} leave the canyon; of batch 16 {left_16:.0%}; of batch 64 "
        "{left_64:.0%}. So far the lecture.\n\n"
        "The networks learn 300 of scikit-learn's digits, with noise in their pixels: without it the test accuracy is {clean_small:.1%} "
        "with batch 16 and {clean_large:.1%} with all 300 at once, and little is left to differ in. With noise ({seeds} of each, the same updates, all "
        "training data fitted) it is {test_small:.1%} and {test_large:.1%}; the small batch is the better one in {better} of {seeds}. Its minimum is "
        "the flatter one in {sharper} of {seeds} by the box ({box_small:.2f} against {box_large:.2f}) and in {steeper} of {seeds} by the largest "
        "curvature ({top_small:.3f} against {top_large:.3f}). The outputs' sensitivity to the pixels is {sensitive_small:.1f} and {sensitive_large:.1f}. "
        "No sign of these is demanded.\n\n"
        "Sharpness is no property of the function. Multiply one ReLU layer by ten and divide the next by ten: the outputs stay, "
        "the box sharpness is {scaled:.1f} times what it was.",
        holds="The shift's law, and that noise, growing as batches shrink, leaves canyons. On the networks the small batch does better on new "
        "data in {better} of {seeds} pairs and ends flatter in {sharper} of {seeds}.",
        fails="“Overfitting” is not the source's word for it: the paper denies it. That flatness is why the small batch does better is not "
        "shown by their going together, and sharpness can be made anything by rescaling.",
    ),
    "zh": Page(
        title="平坦与尖锐的极小",
        question="小批量会找到更平坦的极小吗？更平坦的极小泛化更好吗？",
        lecture="训练到同样的准确率，大批量在新数据上更差。宽极小好，因为测试损失就是稍微平移的训练损失；窄峡谷不好。"
        "小批量有噪声，会跳出峡谷。",
        formula="平移 δ：ΔL = ½ λ δ²\n盒内尖锐度 = 100 · (|zᵢ| ≤ ε(|xᵢ| + 1) 内 L(x + z) 的最大值 − L(x))/(1 + L(x))，ε = 0.005",
        expectation="曲线上：代价按曲率之比，离开的比例随批量下降。网络上：是什么就报告什么。",
        change_mind="若大批量也离开峡谷，或平移在宽极小处代价更大。",
        lesson="在有两个同深极小的曲线上，平移 0.05 在宽极小处代价 {gap_wide:.5f}，在窄极小处 {gap_narrow:.4f}。"
        "带批量 1 的噪声，{left_1:.0%} 的行者离开峡谷；批量 16 为 {left_16:.0%}；批量 64 为 {left_64:.0%}。到此与讲义一致。\n\n"
        "网络学的是 scikit-learn 的 300 个手写数字，像素加了噪声：不加噪声时，批量 16 的测试准确率为 {clean_small:.1%}，300 个一起为 {clean_large:.1%}，"
        "能有差别的余地很小。加噪声后（各 {seeds} 个，更新数相同，训练数据全部拟合）为 {test_small:.1%} 与 {test_large:.1%}；{seeds} 对中有 {better} 对小批量更好。"
        "按盒子算，{seeds} 对中有 {sharper} 对小批量的极小更平（{box_small:.2f} 对 {box_large:.2f}），按最大曲率有 {steeper} 对（{top_small:.3f} 对 {top_large:.3f}）。"
        "输出对像素的敏感度为 {sensitive_small:.1f} 与 {sensitive_large:.1f}。对这些正负都不作要求。\n\n"
        "尖锐度不是函数的性质。把一层 ReLU 乘以十、下一层除以十：输出不变，盒内尖锐度却是原来的 {scaled:.1f} 倍。",
        holds="平移的规律；批量越小噪声越大，从而离开峡谷。在网络上，{seeds} 对中有 {better} 对小批量在新数据上更好，{sharper} 对停得更平。",
        fails="“过拟合”并非原文的说法，论文明确否认。两者同时出现，并不说明小批量更好是因为平坦；而尖锐度可由缩放变成任意值。",
    ),
}


_right_shaken, _right_box = shaken, box_sharpness


def _any_batch(batch: int, source: torch.Generator) -> Callable[[Tensor], Tensor]:
    return _right_shaken(1, source)


def _relative_box(objective: Objective, place: Tensor, reach: float) -> float:
    """The box is as wide as the weights: a weight of zero may not move."""
    return _right_box(objective, place, reach * float(place.abs().max() / (place.abs().max() + 1)))


PLANTED = (
    plant("the noise does not depend on the batch", __name__, "shaken", _any_batch, "small batches leave"),
    plant("the box forgets its + 1", __name__, "box_sharpness", _relative_box, "box on a bowl"),
)  # fmt: skip
