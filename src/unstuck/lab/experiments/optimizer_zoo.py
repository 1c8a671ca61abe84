"""The optimizers, taken apart: what each does first, what it forgets, where it stops, and which of them are one."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from unstuck import optim
from unstuck.core.errors import BadInput
from unstuck.curvature import dense_matrix, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Playground, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near, same
from unstuck.lab.descent import Slope, follow
from unstuck.lab.words import Both, alike
from unstuck.optim import Rule
from unstuck.optim.directions import (
    Average,
    Gradient,
    LookAhead,
    Momentum,
    NesterovAverage,
    NesterovVelocity,
    Velocity,
)
from unstuck.optim.rule import Direction
from unstuck.optim.scales import MovingSquare, RootMeanSquare, SumOfSquares
from unstuck.optim.schedules import inverse_sqrt
from unstuck.problems import Surface, valley, valley_data

ORDER = 23
COVERS = ("O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "O10", "L10", "L11", "L12")
COST = Cost(quick_seconds=2, full_seconds=8)
SOURCES = (
    "notes on optimizers after CS231n: gradient descent, momentum, Nesterov, AdaGrad, RMSProp, Adam",
    "Hung-yi Lee, Machine Learning 2021: Error surface is rugged (RMSProp, Adam)",
    "torch.optim as the reference; Kingma and Ba 2014; Tieleman and Hinton 2012; Duchi et al. 2011",
)
SUBJECT = "unstuck.optim.directions, unstuck.optim.scales"


@dataclass(frozen=True)
class Config:
    """``updates`` compared with torch."""

    updates: int


QUICK = Config(updates=40)
FULL = Config(updates=300)

LONG = Surface("x**2/2 + 12.5*y**2", "x", "25*y")
STEEP = 25.0
GOAL = (-188.43319666, 2.66945497)
HALF_WAY = {0.5: 1, 0.9: 3, 0.99: 29, 0.999: 288}  # ⌈ln 0.75 / ln α⌉


def _long_slope(w: Tensor) -> Tensor:
    return w * torch.tensor([1.0, STEEP], dtype=torch.float64)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Compare with torch, by hand, with one another; first steps, memories, floors."""
    source = torch.Generator().manual_seed(seed)
    gaps = {name: _torch_gap(ours, theirs, config.updates, source) for name, (ours, theirs) in PAIRS.items()}
    progress(0.3, "compared with torch")

    start, steps = (2.0, 1.0), 60
    plain = follow(Rule(Gradient(), lr=0.03), _long_slope, start, steps)
    bare = {name: follow(Rule(way, lr=0.03), _long_slope, start, steps) for name, way in WITHOUT_MEMORY.items()}
    bare["look-ahead"] = _look_ahead(start, 0.03, steps, rho=0.0).places
    by_hand = _by_hand(start, 0.03, steps)
    inside, outside = (follow(Rule(way, lr=0.02), _long_slope, start, steps) for way in (Velocity(0.9), Momentum(0.9)))
    decays = [
        follow(Rule(way, schedule=inverse_sqrt(), lr=0.02), _long_slope, start, steps)
        for way in (Velocity(0.9), Momentum(0.9))
    ]
    ahead = _look_ahead(start, 0.02, steps)
    shifted = follow(Rule(NesterovVelocity(0.9), lr=0.02), _long_slope, start, steps)
    overshoot = [-float(path[:, 0].min()) for path in (outside, ahead.places)]
    jitter = follow(Rule(Gradient(), lr=1.9 / STEEP), _long_slope, start, 20)
    turns = int((jitter[1:, 1] * jitter[:-1, 1] < 0).sum())
    left = float(jitter[20, 0] / jitter[0, 0])
    unbiased = _batch_bias()
    progress(0.5, "compared with one another")

    first = {name: _first_step(rule) for name, rule in FIRST.items()}
    fading = _constant_gradient(Rule(Gradient(), SumOfSquares(eps=0.0), lr=1.0), 1000)
    slope = math.log(fading[999] / fading[99]) / math.log(10)
    one_rule = float(
        (
            follow(Rule(Gradient(), RootMeanSquare(eps=0.0), inverse_sqrt(), lr=0.3), _long_slope, start, steps)
            - follow(Rule(Gradient(), SumOfSquares(eps=0.0), lr=0.3), _long_slope, start, steps)
        )
        .abs()
        .max()
    )
    memory = {alpha: _steps_to_half(alpha) for alpha in HALF_WAY}
    without_momentum = float(
        (
            follow(Rule(Average(0.0), MovingSquare(0.99, correct=True), lr=0.05), _long_slope, start, steps)
            - follow(Rule(Gradient(), MovingSquare(0.99, correct=True), lr=0.05), _long_slope, start, steps)
        )
        .abs()
        .max()
    )
    frozen, signs = _decay_extremes()
    progress(0.7, "first steps and memories")

    floors = {
        rate: _valley(
            Rule(Gradient(), MovingSquare(0.9, eps=0.0, start="gradient"), lr=rate),
            (GOAL[0] + 0.3 * rate, GOAL[1] + 0.2 * rate),
            400,
        )
        for rate in (0.01, 1.0)
    }
    adam = _valley(Rule(Average(0.9), MovingSquare(0.999, correct=True), lr=1.0), (-120.0, -4.0), 2000)
    small = _valley(Rule(Average(0.9), MovingSquare(0.999, correct=True), lr=0.01), (-120.0, -4.0), 20_000)
    progress(1.0, "floors in the valley")

    criteria: list[Criterion] = [
        *(below(f"torch: {name}", gap, 1e-9, f"{name} walks as torch's does", f"{name} 的路径与 torch 一致") for name, gap in gaps.items()),
        same("the loop", torch.equal(plain, by_hand), True, "gradient descent is the loop w ← w − η·g, to the last bit", "梯度下降就是循环 w ← w − η·g，逐位相同"),
        same("all off", sum(torch.equal(plain, path) for path in bare.values()), len(WITHOUT_MEMORY) + 1, "with nothing remembered, scale 1 and a constant rate each direction is that loop, to the last bit", "不作记忆、缩放为 1、步长不变时，每种方向都是这个循环，逐位相同"),
        same("jitter", turns, 20, "near the largest stable rate plain descent changes sides along the steep direction at every step", "接近最大稳定步长时，普通下降每一步都在陡的方向上换边"),
        near("and creeps", left, (1 - 1.9 / STEEP) ** 20, 1e-9, "while the flat direction shrinks by 1 − ηλ only", "而平缓方向每步只缩小到 1 − ηλ 倍"),
        below("unbiased", unbiased, 1e-12, "the mean over all mini-batches is the full gradient", "所有小批量梯度的平均就是全量梯度"),
        below("two momenta", float((inside - outside).abs().max()), 1e-12, "both forms of momentum walk alike at a constant rate", "步长不变时两种动量写法路径相同"),
        above("two momenta, decaying", float((decays[0] - decays[1]).abs().max()), 1e-3, "and differently under a schedule", "有调度时则不同", ruling=19),
        below("two Nesterovs", float((ahead.shifted - shifted).abs().max()), 1e-12, "both forms of Nesterov's method are one, seen from shifted places", "Nesterov 的两种写法是同一方法，只是位置错开"),
        below("less overshoot", overshoot[1] / overshoot[0], 0.9, "Nesterov's overshoots less than the heavy ball", "Nesterov 冲过头的程度小于重球"),
        near("AdaGrad fades", slope, -0.5, 0.01, "under a constant gradient AdaGrad's step falls as t^−½", "梯度不变时 AdaGrad 的步子按 t^−½ 缩小"),
        below("two AdaGrads", one_rule, 1e-12, "the lecture's mean with η/√(t+1) is the notes' sum", "讲义的平均形式配 η/√(t+1) 就是笔记的求和形式", ruling=21),
        near("first, lecture's RMSProp", first["RMSProp, started at g²"], 1, 1e-6, "the lecture's RMSProp steps by η at first", "讲义的 RMSProp 首步为 η"),
        near("first, RMSProp from zero", first["RMSProp, started at 0"], 10**0.5, 1e-4, "started from zero it steps by η/√(1 − 0.9)", "从零开始则为 η/√(1 − 0.9)", ruling=26),
        near("first, Adam almost", first["Adam, uncorrected"], 10**0.5, 1e-3, "Adam without correction steps by 3.16 η at first", "未校正的 Adam 首步为 3.16 η"),
        near("first, Adam", first["Adam"], 1, 1e-6, "with correction by η", "校正后为 η"),
        near("ε outside", _first_step(Rule(Gradient(), MovingSquare(0.9, 1e-8, correct=True)), 1e-6), 0.990, 5e-4, "for a gradient of 10⁻⁶ ε = 10⁻⁸ outside the root leaves 0.990 of the step", "梯度为 10⁻⁶ 时，根号外的 ε = 10⁻⁸ 保留步子的 0.990"),
        near("ε inside", _first_step(Rule(Gradient(), MovingSquare(0.9, 1e-8, correct=True, eps_at="inside")), 1e-6), 0.010, 5e-4, "inside the root it leaves 0.010", "在根号内则只剩 0.010", ruling=25),
        above("decay of 1", frozen, 1e6, "the notes' RMSProp with decay 1 does not stop: its step explodes", "笔记的 RMSProp 取衰减 1 并不会停：步子反而爆炸", ruling=27),
        near("decay of 0", signs, 1, 1e-6, "with decay 0 every step is ±η", "衰减取 0 时每步都是 ±η", ruling=27),
        same("refused", _refused(), True, "this package refuses a decay of 1", "本软件包拒绝衰减 1"),
        below("Adam without momentum", without_momentum, 1e-12, "Adam with β₁ = 0 is RMSProp, corrected: Adam is RMSProp with momentum", "β₁ = 0 的 Adam 就是校正过的 RMSProp：Adam 是 RMSProp 加动量", ruling=29),
        *(same(f"memory {alpha:g}", memory[alpha], wanted, f"with α = {alpha:g} it takes {wanted} steps until σ is half of a new gradient", f"α = {alpha:g} 时，σ 要 {wanted} 步才到新梯度的一半") for alpha, wanted in HALF_WAY.items()),
        near("floor, η = 0.01", floors[0.01].off, 0.005, 2e-4, "at a constant rate RMSProp ends in a swing of η/2 across the valley", "步长不变时 RMSProp 以 η/2 的幅度在谷中来回摆动", ruling=32),
        near("floor's loss", floors[0.01].excess, 22, 1, "which costs a loss of 22 above the minimum", "使损失高出极小 22"),
        near("floor's loss, η = 1", floors[1.0].excess / 2.2e5, 1, 0.05, "and 2.2·10⁵ at η = 1", "η = 1 时高出 2.2·10⁵"),
        near("Adam, η = 1", adam.excess, 4.6e-3, 1e-3, "Adam at η = 1 is within 0.005 of the minimum after 2,000 updates", "η = 1 的 Adam 两千次更新后与极小相差不到 0.005"),
        # The value at one update is decided by rounding (between 1e-10 and 1e-3, by the last digit of ε): the median is not.
        below("Adam, η = 0.01", small.median, 1e-7, "at η = 0.01 it is within 10⁻⁷ in the median of the last 500 of 20,000", "η = 0.01 时，两万次更新的最后 500 次的中位数不到 10⁻⁷"),
        above("but it leaves", small.highest, 1.0, "and leaves again in short bursts: at the worst of those 500 the loss is more than 1 above", "随后又会短暂冲出：这 500 次里最坏时损失高出 1 以上", ruling=32),
    ]  # fmt: skip
    return Result(
        numbers={
            "gap": Number(max(gaps.values()), Both("largest distance from torch", "与 torch 的最大差别")),
            "rules": Number(len(gaps), Both("rules compared with torch", "与 torch 比较的规则数")),
            "forgetful": Number(len(bare), Both("directions compared with plain descent, their memory off", "关掉记忆后与普通下降比较的方向数")),
            "zero_start": Number(first["RMSProp, started at 0"], Both("first step of RMSProp from zero, in η", "RMSProp 从零开始的首步（以 η 计）")),
            "almost": Number(first["Adam, uncorrected"], Both("first step of uncorrected Adam, in η", "未校正 Adam 的首步（以 η 计）")),
            "heavy": Number(overshoot[0], Both("overshoot of the heavy ball", "重球冲过头的距离")),
            "nesterov": Number(overshoot[1], Both("overshoot of Nesterov's", "Nesterov 冲过头的距离")),
            "memory": Number(memory[0.999], Both("steps to half a new gradient, α = 0.999", "α = 0.999 时达到新梯度一半的步数")),
            "floor": Number(floors[0.01].off, Both("swing of RMSProp, η = 0.01", "RMSProp 的摆幅，η = 0.01")),
            "floor_loss": Number(floors[0.01].excess, Both("its loss above the minimum", "其损失高出极小")),
            "adam": Number(adam.excess, Both("Adam's loss above the minimum, η = 1", "Adam 的损失高出极小，η = 1")),
            "settled": Number(small.median, Both("Adam's loss above the minimum, η = 0.01, median of the last 500", "Adam 的损失高出极小，η = 0.01，最后 500 次的中位数")),
            "burst": Number(small.highest, Both("the highest of those 500", "这 500 次中最高的")),
            "exploded": Number(frozen, Both("first step at decay 1, in η·g", "衰减 1 时的首步（以 η·g 计）")),
        },
        criteria=tuple(criteria),
        figures=(_ground(), _first_steps_chart()),
        tables=(
            Table(
                Both("First step, in units of the rate", "首步（以步长计）"),
                (Both("rule", "规则"), Both("first step", "首步")),
                tuple((Both(name, FIRST_IN_CHINESE.get(name, name)), size) for name, size in first.items()),
            ),
        ),
    )  # fmt: skip


Maker = Callable[[list[Tensor]], torch.optim.Optimizer]
PAIRS: dict[str, tuple[Maker, Maker]] = {
    "SGD": (lambda p: optim.SGD(p, lr=0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "SGD with momentum": (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    "Nesterov": (lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    "AdaGrad": (lambda p: optim.AdaGrad(p, lr=0.1), lambda p: torch.optim.Adagrad(p, lr=0.1)),
    "RMSProp": (lambda p: optim.RMSProp(p, lr=0.01), lambda p: torch.optim.RMSprop(p, lr=0.01)),
    "Adadelta": (lambda p: optim.Adadelta(p, lr=1.0), lambda p: torch.optim.Adadelta(p, lr=1.0)),
    "Adam": (lambda p: optim.Adam(p, lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
    "AdamW": (lambda p: optim.AdamW(p, lr=0.01), lambda p: torch.optim.AdamW(p, lr=0.01)),
    "NAdam": (lambda p: optim.NAdam(p, lr=0.01), lambda p: torch.optim.NAdam(p, lr=0.01)),
}  # fmt: skip
# Each direction that remembers, told to forget.
WITHOUT_MEMORY: dict[str, Direction] = {
    "momentum": Momentum(0.0),
    "velocity": Velocity(0.0),
    "Nesterov's velocity": NesterovVelocity(0.0),
    "average": Average(0.0),
    "Nesterov's average": NesterovAverage(0.0),
}
FIRST = {
    "gradient / |g|": Rule(Gradient(), RootMeanSquare(eps=0.0), lr=1.0),
    "AdaGrad": Rule(Gradient(), SumOfSquares(eps=0.0), lr=1.0),
    "RMSProp, started at g²": Rule(Gradient(), MovingSquare(0.9, start="gradient"), lr=1.0),
    "RMSProp, started at 0": Rule(Gradient(), MovingSquare(0.9), lr=1.0),
    "Adam, uncorrected": Rule(Average(0.9, correct=False), MovingSquare(0.999), lr=1.0),
    "Adam": Rule(Average(0.9), MovingSquare(0.999, correct=True), lr=1.0),
}
FIRST_IN_CHINESE = {
    "gradient / |g|": "梯度 / |g|",
    "RMSProp, started at g²": "RMSProp，从 g² 开始",
    "RMSProp, started at 0": "RMSProp，从 0 开始",
    "Adam, uncorrected": "Adam，未校正",
}


def _torch_gap(ours: Maker, theirs: Maker, updates: int, source: torch.Generator) -> float:
    """Largest distance of two paths under the same random gradients."""
    start = torch.randn(12, generator=source, dtype=torch.float64)
    pair = [start.clone().requires_grad_() for _ in range(2)]
    optimizers = [make([p]) for make, p in zip((ours, theirs), pair, strict=True)]
    gap = 0.0
    for _ in range(updates):
        gradient = torch.randn(12, generator=source, dtype=torch.float64)
        for p, optimizer in zip(pair, optimizers, strict=True):
            p.grad = gradient.clone()
            optimizer.step()
        gap = max(gap, float((pair[0] - pair[1]).detach().abs().max()))
    return gap


def _by_hand(start: Sequence[float], rate: float, steps: int) -> Tensor:
    w = torch.tensor(start, dtype=torch.float64)
    path = [w]
    for _ in range(steps):
        w = w.add(_long_slope(w), alpha=-rate)  # one rounding, as the optimizers have
        path.append(w)
    return torch.stack(path)


@dataclass(frozen=True)
class _Ahead:
    places: Tensor
    shifted: Tensor  # where the gradient is taken: one velocity's share ahead


def _look_ahead(start: Sequence[float], rate: float, steps: int, rho: float = 0.9) -> _Ahead:
    weights = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = Rule(LookAhead(rho), lr=rate).optimizer([weights])

    def closure() -> Tensor:
        here = weights.detach()
        weights.grad = _long_slope(here)
        return (here * weights.grad).sum() / 2

    places = [weights.detach().clone()]
    for _ in range(steps):
        optimizer.step(closure)  # type: ignore[arg-type]
        places.append(weights.detach().clone())
    path = torch.stack(places)
    moved = torch.cat([torch.zeros(1, 2, dtype=torch.float64), path[1:] - path[:-1]])
    return _Ahead(path, path + rho * moved)


def _batch_bias() -> float:
    """Largest difference between the full gradient of the valley's mean loss and the mean over all batches of three."""
    x, y = valley_data()
    w = torch.tensor([-120.0, -4.0], dtype=torch.float64)
    each = torch.stack([2 * (w[0] + w[1] * x - y), 2 * (w[0] + w[1] * x - y) * x], dim=1)
    batches = torch.stack([each[list(rows)].mean(0) for rows in combinations(range(len(x)), 3)])
    whole = valley(intercept=-120.0, slope=-4.0).at().gradient / len(x)
    return float(((batches.mean(0) - whole) / whole).abs().max())


def _first_step(rule: Rule, gradient: float = 0.37) -> float:
    path = follow(rule, lambda w: torch.full_like(w, gradient), [0.0], 1)
    return abs(float(path[1] - path[0])) / rule.lr


def _constant_gradient(rule: Rule, steps: int) -> list[float]:
    """Sizes of the steps under a gradient of 1."""
    path = follow(rule, lambda w: torch.ones_like(w), [0.0], steps).flatten()
    sizes: list[float] = (path[1:] - path[:-1]).abs().tolist()
    return sizes


def _steps_to_half(alpha: float) -> int:
    """After tiny gradients, steps of size-1 gradients until a step is at most twice the rate: σ ≥ ½."""
    gradients = iter([1e-6] * 3 + [1.0] * 400)
    slope: Slope = lambda w: torch.full_like(w, next(gradients))  # noqa: E731
    path = follow(Rule(Gradient(), MovingSquare(alpha, eps=0.0, start="gradient"), lr=1.0), slope, [0.0], 403).flatten()
    sizes = (path[4:] - path[3:-1]).abs()
    return 1 + int(torch.nonzero(sizes <= 2.0)[0])


def _decay_extremes() -> tuple[float, float]:
    """The notes' lines by hand: s ← d·s + (1−d)·g², step = g/(√s + 1e-7); largest share of g at d = 1, sizes at d = 0."""
    sizes = []
    for decay in (1.0, 0.0):
        s, g = 0.0, 0.37
        s = decay * s + (1 - decay) * g * g
        sizes.append(g / (math.sqrt(s) + 1e-7) / (g if decay == 1.0 else 1.0))
    return sizes[0], sizes[1]


def _refused() -> bool:
    try:
        MovingSquare(1.0)
    except BadInput:
        return True
    return False


@dataclass(frozen=True)
class _End:
    """How far from the minimum: in w over the last 50 updates; in loss at the end, and over the last 500."""

    off: float
    excess: float
    median: float
    highest: float


def _valley(rule: Rule, start: tuple[float, float], updates: int) -> _End:
    objective = valley(intercept=GOAL[0], slope=GOAL[1])
    with objective.at() as point:
        matrix = dense_matrix(hessian(point))
    goal = torch.tensor(GOAL, dtype=torch.float64)
    goal = goal - torch.linalg.solve(matrix, objective.gradient(goal).vector)
    path = follow(rule, lambda w: matrix @ (w - goal), start, updates)
    off = path[-500:] - goal
    excess = ((off @ matrix) * off).sum(dim=1) / 2
    return _End(float(off[-50:, 1].abs().max()), float(excess[-1]), float(excess.median()), float(excess.max()))


def _ground() -> Playground:
    return Playground(
        "valley",
        Both("Seven rules in one valley", "同一山谷中的七种规则"),
        LONG,
        ((-2.5, 2.5), (-1.2, 1.2)),
        start=(2.0, 1.0),
        step_size=Slider(0.001, 0.5, 0.02, log=True),
        momentum=Slider(0, 0.99, 0.9),
        caption=Both(
            "Twenty-five times steeper across than along. Move the step size beyond 0.08: plain descent leaves the picture.",
            "横向比纵向陡二十五倍。把步长调到 0.08 以上：普通下降就冲出画面。",
        ),
        rules=("gradient", "momentum", "nesterov", "adagrad", "adagrad-mean", "rmsprop", "adam"),
        steps=120,
        log=True,
        marked=(((0, 0), Both("minimum", "极小")),),
        labels=(alike("x"), alike("y")),
    )


def _first_steps_chart() -> Chart:
    shown = list(range(1, 201))
    rules = (
        ("AdaGrad", alike("AdaGrad"), 1),
        ("RMSProp, started at g²", Both("RMSProp from g²", "RMSProp，从 g² 开始"), 3),
        ("RMSProp, started at 0", Both("RMSProp from 0", "RMSProp，从 0 开始"), 4),
        ("Adam, uncorrected", Both("Adam, uncorrected", "Adam，未校正"), 2),
        ("Adam", alike("Adam"), 5),
    )
    return Chart(
        "first-steps",
        Both("Sizes of the steps under a constant gradient", "梯度不变时的步长"),
        Axis(Both("update", "更新次数"), log=True),
        Axis(Both("step, in η", "步子（以 η 计）"), log=True),
        (
            *(Line(shown, _constant_gradient(FIRST[name], 200), label, color=color, dashed=name == "Adam") for name, label, color in rules),
            Level(y=1.0),
        ),
        Both("Uncorrected averages start from zero and make the first steps too long; AdaGrad's fade for ever.", "未校正的平均从零开始，最初的步子过大；AdaGrad 的步子不断变小。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="The optimizers, taken apart",
        question="In what do the optimizers really differ, and which of them are the same?",
        lecture="All optimizers share one loop; they vary the direction (gradient, momentum, look-ahead), the scale (one, AdaGrad, "
        "RMSProp) and the rate's schedule. Adam is RMSProp with momentum, and the library's defaults are good.",
        formula="θ ← θ − η_t · m_t / σ_t\n"
        "momentum: v ← ρv + g;   Nesterov: gradient at x + ρv;   Adam: m ← β₁m + (1 − β₁)g\n"
        "AdaGrad: s ← s + g²;   RMSProp: s ← d·s + (1 − d)g²;   Adam: both divided by 1 − βᵗ\n"
        "memory of RMSProp: ⌈ln 0.75 / ln α⌉ steps until σ ≥ half of a new gradient",
        expectation="Equal paths where rules are equal, to rounding; the stated first steps; a floor of η/2 for RMSProp.",
        change_mind="Any rule that leaves torch's path, or RMSProp that converges with a constant rate.",
        lesson="{rules} rules were walked beside torch's under the same gradients; the largest distance is {gap:.0e}. With its "
        "memory, scale and schedule switched off each of {forgetful} directions is plain descent to the last bit.\n\n"
        "They differ in their beginning. Averages that start from zero and are not corrected are too small at first: RMSProp then "
        "steps by {zero_start:.2f} η, Adam without its corrections by {almost:.2f} η. Started at the first "
        "squared gradient, as in the lecture, or corrected, the first step is η.\n\n"
        "They differ in memory: with α = 0.999 a new, larger gradient needs {memory} steps to show in σ. They differ in overshoot: the heavy ball "
        "runs {heavy:.2f} past the goal, Nesterov's {nesterov:.2f}. And they differ in where they stop: RMSProp with "
        "a constant rate swings by {floor:.4f} = η/2 across the valley for ever, {floor_loss:.0f} above the minimum; Adam "
        "at η = 1 is {adam:.4f} above it after 2,000 updates. At η = 0.01 the median of its last 500 of 20,000 updates is {settled:.0e}, "
        "and yet in those 500 the loss once rises to {burst:.1f} above: where gradients have become tiny σ has, too, and a small swing across "
        "the valley grows until σ notices.",
        holds="Direction, scale and schedule describe all of them; Adam is RMSProp with momentum; RMSProp forgets, AdaGrad does not.",
        fails="“AdaGrad” of the lecture (mean) and of the notes (sum) are different rules. The notes say that decay 1 makes RMSProp's "
        "update zero: with s = 0 it becomes {exploded:.0e} η·g. They also call Adam a mixture with AdaGrad; it is one with RMSProp. "
        "Where ε stands changes the step a hundredfold once gradients are small. RMSProp does not solve the valley at a constant "
        "rate: it keeps a swing of η/2. Adam comes much closer, but does not stay.\n\n"
        "Smaller slips. In the lecture's σ the sum runs over the past updates s, not over the parameters i. A small gradient does not "
        "weigh less in RMSProp: α is fixed, what changes is σ. The notes' code sets one name and reads another (“grad_squard”, "
        "“grad_squared”), and corrects Adam by a t that its loop never counts.",
    ),
    "zh": Page(
        title="拆开来看优化器",
        question="各种优化器究竟差在哪里，哪些其实是同一个？",
        lecture="所有优化器共用一个循环；它们改变的是方向（梯度、动量、前瞻）、缩放（一、AdaGrad、RMSProp）和步长的调度。"
        "Adam 是 RMSProp 加动量，库的默认值就很好。",
        formula="θ ← θ − η_t · m_t / σ_t\n"
        "动量：v ← ρv + g；  Nesterov：在 x + ρv 处取梯度；  Adam：m ← β₁m + (1 − β₁)g\n"
        "AdaGrad：s ← s + g²；  RMSProp：s ← d·s + (1 − d)g²；  Adam：两者都除以 1 − βᵗ\n"
        "RMSProp 的记忆：⌈ln 0.75 / ln α⌉ 步之后 σ ≥ 新梯度的一半",
        expectation="规则相同则路径相同（只差舍入误差）；首步如所述；RMSProp 停在 η/2 的摆动上。",
        change_mind="若某个规则偏离 torch 的路径，或 RMSProp 在恒定步长下收敛。",
        lesson="{rules} 种规则在相同的梯度下与 torch 并行，最大差别为 {gap:.0e}。关掉记忆、缩放和调度，{forgetful} 种方向都逐位等于普通下降。\n\n"
        "它们的开头不同。从零开始而不校正的平均起初偏小：RMSProp 首步为 {zero_start:.2f} η，未校正的 Adam 为 {almost:.2f} η。"
        "像讲义那样从首个梯度的平方开始，或加以校正，首步就是 η。\n\n"
        "它们的记忆不同：α = 0.999 时，新的大梯度要 {memory} 步才在 σ 中显现。冲过头的程度不同：重球越过目标 {heavy:.2f}，Nesterov 为 {nesterov:.2f}。"
        "停下的地方也不同：恒定步长的 RMSProp 永远以 {floor:.4f} = η/2 的幅度在谷中摆动，损失高出极小 {floor_loss:.0f}；"
        "η = 1 的 Adam 两千次更新后只高出 {adam:.4f}。η = 0.01 时，两万次更新的最后 500 次，中位数为 {settled:.0e}，其间损失却曾高出 {burst:.1f}："
        "梯度极小之处 σ 也极小，横跨山谷的微小摆动便不断放大，直到 σ 察觉。",
        holds="方向、缩放、调度足以描述它们全部；Adam 是 RMSProp 加动量；RMSProp 会遗忘，AdaGrad 不会。",
        fails="讲义的 AdaGrad（平均）与笔记的 AdaGrad（求和）是两种规则。笔记说衰减取 1 时 RMSProp 的更新为零：s = 0 时它其实变成 {exploded:.0e} η·g。"
        "笔记还说 Adam 融合了 AdaGrad，其实是 RMSProp。梯度很小时，ε 放在哪里会使步子差上百倍。恒定步长的 RMSProp 解决不了山谷：它保留 η/2 的摆动。Adam 近得多，但也停不住。\n\n"
        "还有几处小错。讲义的 σ 是对过去的更新 s 求和，而不是对参数 i。梯度小，在 RMSProp 中的权重并不变小：α 固定，变的是 σ。"
        "笔记的代码写入一个名字却读取另一个（grad_squard 与 grad_squared），校正 Adam 所用的 t 在循环中从未计数。",
    ),
}

_right_square = MovingSquare


def _never_corrected(
    beta: float = 0.999, eps: float = 1e-8, correct: bool = False, start: str = "zero", **more: str
) -> MovingSquare:
    return _right_square(beta, eps, False, start, **more)  # type: ignore[arg-type]


PLANTED = (
    plant("squares are never corrected for their start", __name__, "MovingSquare", _never_corrected, "Adam, η = 1"),
    plant("the look-ahead is left out", __name__, "NesterovVelocity", Velocity, "two Nesterovs"),
    plant("AdaGrad takes the mean", __name__, "SumOfSquares", RootMeanSquare, "AdaGrad fades", "two AdaGrads"),
)
