"""Two inputs on different scales: a narrow valley, and the round bowl after standardizing."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import dense_matrix, dense_spectrum, hessian
from unstuck.lab.charts import Axis, Bars, Chart, Field, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.objective import FormulaObjective
from unstuck.optim import Rule
from unstuck.optim.directions import Gradient
from unstuck.signal import Standardize

ORDER = 13
COVERS = ("N1", "N2", "N3", "N4")
COST = Cost(quick_seconds=1, full_seconds=8)
SOURCES = (
    "Andrew Ng, Deep Learning: Normalizing inputs",
    "Hung-yi Lee, Machine Learning 2021: Batch normalization",
    "drawn data: x₁ in 1 … 1000, x₂ in 0 … 1, y linear with noise",
)
SUBJECT = "unstuck.signal.Standardize"


@dataclass(frozen=True)
class Config:
    """``examples`` drawn, ``grid`` points a side of the pictures."""

    examples: int
    grid: int


QUICK = Config(examples=200, grid=61)
FULL = Config(examples=5000, grid=161)

NEAR = 1e-6  # how close to the best loss, as a share of the way there


def _squares(x: Tensor, y: Tensor) -> FormulaObjective:
    """Mean squared error of a plane through the data: weights, then the intercept."""
    columns = torch.cat([x, torch.ones(len(x), 1, dtype=torch.float64)], dim=1)
    return FormulaObjective(lambda w: (columns @ w - y).pow(2).mean(), torch.zeros(x.shape[1] + 1, dtype=torch.float64))


@dataclass(frozen=True)
class Bowl:
    """The loss's curvatures, and the steps of gradient descent at its best rate."""

    values: Tensor
    steps: int

    @property
    def condition(self) -> float:
        return float(self.values[-1] / self.values[0])


def _bowl(objective: FormulaObjective) -> Bowl:
    """Steps at η = 2/(λmin + λmax) until only a millionth of the way down is left, from the exact powers of I − ηH."""
    with objective.at() as point:
        spectrum = dense_spectrum(hessian(point))
        slopes = spectrum.vectors @ point.gradient
    values = spectrum.values
    rate = 2 / float(values[0] + values[-1])
    gains = slopes**2 / (2 * values)  # what each direction has to lose

    def left(steps: int) -> float:
        return float((gains * (1 - rate * values) ** (2 * steps)).sum() / gains.sum())

    low, high = 0, 1
    while left(high) > NEAR:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if left(middle) > NEAR else (low, middle)
    return Bowl(values, high)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Curvature of the lecture's example, then drawn data raw and standardized, then a shifted test set."""
    few = torch.tensor([[1.0, 100.0], [2.0, 200.0], [3.0, 300.0], [4.0, 400.0]], dtype=torch.float64)
    with FormulaObjective(lambda w: (few @ w).pow(2).sum(), torch.zeros(2, dtype=torch.float64)).at() as point:
        example = torch.diagonal(dense_matrix(hessian(point)))
    ratio = float(example[1] / example[0])

    source = torch.Generator().manual_seed(seed)
    x, y = _drawn(config.examples, source)
    scale = Standardize(2).double().fit(x)
    z = scale(x)
    raw, even = _bowl(_squares(x, y)), _bowl(_squares(z, y))
    walked = _walk(_squares(z, y), 2 / float(even.values[0] + even.values[-1]), min(even.steps, 1000))
    progress(0.5, "both bowls measured")

    constant = Standardize(3).double().fit(torch.cat([x, torch.full((len(x), 1), 0.1, dtype=torch.float64)], dim=1))
    with_constant = constant(torch.cat([x, torch.full((len(x), 1), 0.1, dtype=torch.float64)], dim=1))
    own, train_scaled = _shifted(x, y, *_drawn(config.examples, source), scale)
    mean = float(z.mean(dim=0).abs().max())
    variance = float((z.var(dim=0, correction=0) - 1).abs().max())

    criteria: list[Criterion] = [
        near("example", ratio, 1e4, 1e-6, "inputs 1, 2, … beside 100, 200, … make one curvature 10,000 times the other", "输入 1, 2, … 与 100, 200, … 并列，使一个曲率是另一个的一万倍"),
        below("mean", mean, 1e-12, "after standardizing every mean is 0", "标准化之后每列均值为 0"),
        below("variance", variance, 1e-12, "and every variance 1", "方差为 1"),
        same("constant", bool((with_constant[:, 2] == 0).all()), True, "a constant column becomes 0, not NaN", "常数列变为 0，而不是 NaN", ruling=33),
        above("condition before", raw.condition, 1e5, "raw, the condition number is above 100,000", "标准化前条件数超过十万"),
        below("condition after", even.condition, 1.5, "standardized, it is below 1.5", "标准化后低于 1.5"),
        above("steps", raw.steps / even.steps, 100, "gradient descent needs more than 100 times fewer steps", "梯度下降所需步数缩到百分之一以下"),
        below("walked", walked, NEAR, "and that many steps, really walked, get there", "真正走那么多步，确实到达"),
        below("training numbers", train_scaled, 0.02, "a shifted test set, scaled with the training numbers, is predicted well", "发生偏移的测试集，用训练集的数字缩放，预测仍准"),
        above("own numbers", own / train_scaled, 50, "scaled by its own numbers, its error is more than 50 times as large", "用它自己的数字缩放，误差大五十倍以上"),
    ]  # fmt: skip
    return Result(
        numbers={
            "ratio": Number(ratio, Both("ratio of the two curvatures in the lecture's example", "讲义例子中两个曲率之比")),
            "raw": Number(raw.condition, Both("condition number, raw inputs", "条件数，原始输入")),
            "even": Number(even.condition, Both("condition number, standardized", "条件数，标准化之后")),
            "raw_steps": Number(raw.steps, Both("steps of gradient descent, raw", "梯度下降的步数，原始")),
            "even_steps": Number(even.steps, Both("steps of gradient descent, standardized", "梯度下降的步数，标准化")),
            "own": Number(own, Both("test error when the test set is scaled by its own numbers", "测试集用自己的数字缩放时的测试误差")),
            "train_scaled": Number(train_scaled, Both("test error when it is scaled by the training numbers", "用训练集的数字缩放时的测试误差")),
        },
        criteria=tuple(criteria),
        figures=(_contours(x, y, config.grid, "raw"), _contours(z, y, config.grid, "standardized"), _steps(raw, even)),
        tables=(
            Table(
                Both("The two bowls", "两只碗"),
                (Both("inputs", "输入"), Both("smallest curvature", "最小曲率"), Both("largest curvature", "最大曲率"), Both("steps", "步数")),
                (
                    (Both("raw", "原始"), float(raw.values[0]), float(raw.values[-1]), raw.steps),
                    (Both("standardized", "标准化"), float(even.values[0]), float(even.values[-1]), min(even.steps, 1000)),
                ),
            ),
        ),
    )  # fmt: skip


def _walk(objective: FormulaObjective, rate: float, steps: int) -> float:
    """What is left of the way down after so many real steps, as a share."""
    path = follow(Rule(Gradient(), lr=rate), lambda w: objective.gradient(w).vector, objective.start().tolist(), steps)
    with objective.at() as point:
        best = objective.value(torch.linalg.solve(dense_matrix(hessian(point)), -point.gradient))
    return (objective.value(path[-1]) - best) / (objective.value(path[0]) - best)


def _drawn(examples: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs on two scales, and a number that depends on both with a little noise."""
    width, low = torch.tensor([999.0, 1.0]), torch.tensor([1.0, 0.0])
    x = torch.rand(examples, 2, generator=source, dtype=torch.float64) * width + low
    noise = 0.1 * torch.randn(examples, generator=source, dtype=torch.float64)
    return x, 0.004 * x[:, 0] - 2 * x[:, 1] + noise


def _shifted(x: Tensor, y: Tensor, new: Tensor, target: Tensor, scale: Standardize) -> tuple[float, float]:
    """Mean squared errors on new examples of large x₁, scaled by their own numbers and by the training set's."""
    test = new[:, 0] > 700
    columns = torch.cat([scale(x), torch.ones(len(x), 1, dtype=torch.float64)], dim=1)
    # driver: that of default, with pivots, gives other last bits where its work space lies elsewhere in memory
    weights = torch.linalg.lstsq(columns, y[:, None], driver="gels").solution[:, 0]
    errors = []
    for used in (Standardize(2).double().fit(new[test]), scale):
        scaled = torch.cat([used(new[test]), torch.ones(int(test.sum()), 1, dtype=torch.float64)], dim=1)
        errors.append(float((scaled @ weights - target[test]).pow(2).mean()))
    return errors[0], errors[1]


def _contours(x: Tensor, y: Tensor, grid: int, which: str) -> Chart:
    """The loss over both weights (the intercept at its best), with twelve steps of gradient descent."""
    centered, target = x - x.mean(dim=0), y - y.mean()
    best = torch.linalg.lstsq(centered, target[:, None], driver="gels").solution[:, 0]
    with FormulaObjective(
        lambda w: (centered @ w - target).pow(2).mean(), torch.zeros(2, dtype=torch.float64)
    ).at() as point:
        spectrum = dense_spectrum(hessian(point))
    rate = 2 / float(spectrum.values[0] + spectrum.values[-1])  # the best constant one

    def loss(w: Tensor) -> Tensor:
        return (torch.einsum("...k,nk->...n", w, centered) - target).pow(2).mean(dim=-1)

    span = 2.4  # equal units on both axes: only then does the valley look as it is
    path = [best + 0.75 * span * torch.tensor([1.0, 0.8], dtype=torch.float64)]
    for _ in range(12):
        path.append(path[-1] - rate * 2 * (centered.T @ (centered @ path[-1] - target)) / len(x))
    axes = [torch.linspace(-span, span, grid, dtype=torch.float64) + b for b in best.tolist()]
    values = loss(torch.stack(torch.meshgrid(axes[0], axes[1], indexing="xy"), dim=-1))
    zh = {"raw": "原始输入", "standardized": "标准化之后"}[which]
    return Chart(
        which,
        Both(f"The loss over both weights, {which} inputs", f"损失随两个权重的变化，{zh}"),
        Axis(alike("w₁"), limits=(float(axes[0][0]), float(axes[0][-1]))),
        Axis(alike("w₂"), limits=(float(axes[1][0]), float(axes[1][-1]))),
        (
            Field(axes[0].tolist(), axes[1].tolist(), values.tolist(), Both("loss", "损失"), log=True),
            Line([float(w[0]) for w in path], [float(w[1]) for w in path], Both("12 steps at the best constant rate", "以最好的恒定步长走 12 步"), color=2, marked=True),
        ),
        Both("Equal units on both axes: the bowl is a thin gorge, in which the steps go to and fro and hardly along.", "两轴单位相同：碗成了细缝，步子来回横跳，几乎不前进。")
        if which == "raw"
        else Both("The same data, standardized: a round bowl, and the first step is all but there.", "同样的数据，标准化之后：圆碗，第一步就几乎到了。"),
        square=True,
    )  # fmt: skip


def _steps(raw: Bowl, even: Bowl) -> Chart:
    return Chart(
        "steps",
        Both("Steps of gradient descent to within a millionth", "梯度下降走到百万分之一以内的步数"),
        Axis(Both("inputs", "输入"), ticks=((0, Both("raw", "原始")), (1, Both("standardized", "标准化"))), limits=(-0.7, 1.7)),
        Axis(Both("steps", "步数"), log=True, limits=(1, 10 ** math.ceil(math.log10(raw.steps)))),
        (Bars([0, 1], [raw.steps, even.steps], color=1, width=0.5),),
        Both("Both at their best constant rate.", "两者都用各自最好的恒定步长。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Inputs on different scales",
        question="Why should every input be standardized before training, and with which numbers?",
        lecture="An input of large values makes its weight matter more: the loss is steep in that weight and flat in the "
        "other, an elongated bowl that needs a small rate and many steps. Subtract the mean, divide by σ. Use the mean and σ "
        "of the training set for the test set, too.",
        formula="∂²L/∂wᵢ² = 2 Σ xᵢ²\nx̃ = (x − μ)/σ,   μ = (1/m) Σ x,   σ² = (1/m) Σ (x − μ)²",
        expectation="A ratio of curvatures of exactly 10,000 in the lecture's example; more than 100 times fewer steps.",
        change_mind="Fewer than 100 times fewer steps, or a test set that does better with its own numbers.",
        lesson="With inputs 1, 2, … beside 100, 200, … one curvature is {ratio:,.0f} times the other: exactly the ratio of the "
        "inputs' mean squares.\n\n"
        "With one input in 1 … 1000 and one in 0 … 1, the condition number is {raw:,.0f} and gradient descent at its best rate "
        "needs {raw_steps:,} steps. Standardized, it is {even:.3f}, and {even_steps} steps do.\n\n"
        "The numbers belong to the training set. A test set, drawn anew, of large x₁ only, scaled by its own mean and σ, looks like any "
        "other data, and what made it different is gone: its error is {own:.3g} instead of {train_scaled:.3g}. That is why "
        "the scaling should be part of the model.",
        holds="All of it.",
        fails="One of the notes says “divide by the variance” where its formula has σ: it is σ. A constant column needs a rule, "
        "as σ is zero.",
    ),
    "zh": Page(
        title="尺度不同的输入",
        question="训练之前为什么要把每个输入标准化，用的又是谁的数字？",
        lecture="数值大的输入使它的权重影响更大：损失在该权重上陡、在另一个上平，成了拉长的碗，需要小步长和许多步。"
        "减去均值，除以 σ。测试集也要用训练集的均值和 σ。",
        formula="∂²L/∂wᵢ² = 2 Σ xᵢ²\nx̃ = (x − μ)/σ，  μ = (1/m) Σ x，  σ² = (1/m) Σ (x − μ)²",
        expectation="讲义例子中两个曲率之比恰为一万；步数缩到百分之一以下。",
        change_mind="若步数减少不到一百倍，或测试集用自己的数字反而更好。",
        lesson="输入 1, 2, … 与 100, 200, … 并列时，一个曲率是另一个的 {ratio:,.0f} 倍，恰为两个输入均方之比。\n\n"
        "一个输入在 1 … 1000、另一个在 0 … 1 时，条件数为 {raw:,.0f}，梯度下降用最好的步长也要 {raw_steps:,} 步。"
        "标准化之后条件数为 {even:.3f}，{even_steps} 步就够。\n\n"
        "这些数字属于训练集。只含大 x₁ 的测试集（另外抽取）若用自己的均值和 σ 缩放，看上去就和别的数据一样，"
        "使它与众不同的东西没有了：误差是 {own:.3g}，而不是 {train_scaled:.3g}。所以缩放应当是模型的一部分。",
        holds="全部成立。",
        fails="有一份讲义说“除以方差”，而它的公式里是 σ：应除以 σ。常数列的 σ 为零，需要另定规矩。",
    ),
}


class _ByVariance(Standardize):
    def fit(self, data: Tensor) -> Standardize:  # type: ignore[override]
        super().fit(data)
        self.std = self.std**2
        return self


class _NotCentered(Standardize):
    def fit(self, data: Tensor) -> Standardize:  # type: ignore[override]
        super().fit(data)
        self.mean = torch.zeros_like(self.mean)
        return self


PLANTED = (
    plant("it divides by the variance", __name__, "Standardize", _ByVariance, "variance"),
    plant("the mean is not subtracted", __name__, "Standardize", _NotCentered, "mean"),
)
