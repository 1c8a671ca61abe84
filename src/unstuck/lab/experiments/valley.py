"""A straight line through ten points: a convex loss that no single step size can walk."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import dense_matrix, dense_spectrum, hessian, preconditioned, stable_rate
from unstuck.lab.charts import Axis, Chart, Field, Line, Playground, Scatter, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.landscape import newton_step
from unstuck.objective import FormulaObjective
from unstuck.optim import Rule, scales
from unstuck.optim.directions import Gradient
from unstuck.problems import Surface, valley, valley_data
from unstuck.signal import Standardize

ORDER = 3
COVERS = ("L2", "L3", "L4", "L5", "L6", "A15", "N4")
COST = Cost(quick_seconds=1, full_seconds=3)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Error surface is rugged; the data of his 2017 gradient descent demo",
    "the exact least-squares solution, by the normal equations",
)
SUBJECT = "unstuck.problems.valley, unstuck.signal.Standardize, unstuck.landscape.newton_step"


@dataclass(frozen=True)
class Config:
    """``walked``: updates really made at 1e-7; the other places up to 100,000 come from the exact power of I − ηH."""

    walked: int
    grid: int


QUICK = Config(walked=1500, grid=61)
FULL = Config(walked=100_000, grid=161)

BEST = (-114_660_658 / 608_495, 324_870 / 121_699)  # the normal equations in whole numbers: −188.433196657, 2.669454967
CROSSINGS = (-119.98, -123.80, -127.40, -130.80, -134.25)
START = (-120.0, -4.0)
UPDATES = 100_000


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Measure the valley, walk it with four rates, take Newton's step, make it round."""
    objective = valley(intercept=START[0], slope=START[1])
    start = objective.start()
    with objective.at() as point:
        operator = hessian(point)
        matrix, spectrum = dense_matrix(operator), dense_spectrum(operator)
        step = newton_step(operator, point.gradient, absolute=False)
        diagonal = torch.diagonal(matrix)
        balanced = dense_spectrum(preconditioned(operator, diagonal)).values
        gradient = point.gradient
    low, high = float(spectrum.values[0]), float(spectrum.values[1])
    newton = start + step.step
    constant = gradient - matrix @ start

    def slope(w: Tensor) -> Tensor:
        return matrix @ w + constant

    progress(0.2, "measured")
    walk = follow(Rule(Gradient(), lr=1e-7), slope, START, config.walked)
    exact = _after(spectrum.values, spectrum.vectors, newton, start, 1e-7, config.walked)
    ends = {
        rate: _after(spectrum.values, spectrum.vectors, newton, start, rate, UPDATES) for rate in (1e-7, 1e-6, 1.2e-6)
    }
    wild = follow(Rule(Gradient(), lr=1e-2), slope, START, 6)
    crossings = _crossings(wild)
    first = follow(Rule(Gradient(), scales.RootMeanSquare(eps=0.0), lr=1.0), slope, START, 1)[1]
    progress(0.7, "walked")

    round_values, round_loss = _standardized()
    best_loss = objective.value(newton)
    powers = [10.0**-k for k in range(1, 10)]
    calm = max(rate for rate in powers if rate < 1 / high)
    return Result(
        numbers={
            "intercept": Number(float(newton[0]), Both("b at the minimum", "极小处的 b")),
            "slope": Number(float(newton[1]), Both("w at the minimum", "极小处的 w")),
            "best_loss": Number(best_loss, Both("loss at the minimum", "极小处的损失")),
            "low": Number(low, Both("smaller curvature", "较小的曲率")),
            "high": Number(high, Both("larger curvature", "较大的曲率")),
            "condition": Number(high / low, Both("condition number", "条件数")),
            "limit": Number(stable_rate(high), Both("largest stable η", "稳定的最大 η")),
            "end_b": Number(float(ends[1e-7][0]), Both("b after 100,000 updates at 1e-7", "η = 1e-7 更新十万次后的 b")),
            "end_w": Number(float(ends[1e-7][1]), Both("w after 100,000 updates at 1e-7", "η = 1e-7 更新十万次后的 w")),
            "oscillating_b": Number(float(ends[1e-6][0]), Both("b after 100,000 updates at 1e-6", "η = 1e-6 更新十万次后的 b")),
            "factor": Number(float((wild[2, 1] - newton[1]) / (wild[1, 1] - newton[1])), Both("growth across the valley per update at 0.01", "η = 0.01 时每次更新横向放大的倍数")),
            "balanced": Number(float(balanced[-1] / balanced[0]), Both("condition number with a rate for each parameter", "每个参数各有步长时的条件数")),
            "round": Number(float(round_values[-1] / round_values[0]), Both("condition number after standardizing", "标准化之后的条件数")),
        },
        criteria=(
            near("b", float(newton[0]), BEST[0], 1e-9, "Newton's one step ends at the solution of the normal equations in whole numbers, b = −188.433196657", "牛顿法一步到达由整数正规方程解出的 b = −188.433196657"),
            near("w", float(newton[1]), BEST[1], 1e-9, "and w = 2.669454967", "以及 w = 2.669454967"),
            near("loss", best_loss, 101_936.73, 0.01, "where the loss is 101,936.73", "该处损失为 101,936.73"),
            near("largest stable rate", 1e6 * stable_rate(high), 1.14493, 1e-5, "2/λmax is 1.14493 millionths", "2/λmax 为百万分之 1.14493"),
            near("condition", high / low, 313_418, 1, "the valley is 313,418 times as curved across as along", "谷的横向曲率是纵向的 313,418 倍"),
            near("crossings", max(abs(a - b) for a, b in zip(crossings, CROSSINGS, strict=True)), 0, 0.1, "at η = 0.01 the path crosses w = 2.5 at five known places", "η = 0.01 时路径在五个已知位置穿过 w = 2.5"),
            above("diverges", abs(float(wild[4, 1])), 1e12, "it does not oscillate there: after four updates |w| is beyond 1e12", "那并不是振荡：四次更新后 |w| 已超过 1e12", ruling=24),
            near("1e-7, b", float(ends[1e-7][0]), -123.69217, 1e-3, "100,000 updates at 1e-7 end at b = −123.692", "η = 1e-7 更新十万次停在 b = −123.692"),
            near("1e-7, w", float(ends[1e-7][1]), 2.48340, 1e-3, "and w = 2.4834, far from the minimum", "w = 2.4834，离极小还很远"),
            below("walked", float((walk[-1] - exact).abs().max()), 1e-8, "updates really made agree with the exact power of I − ηH", "真正走出的更新与 I − ηH 的幂一致"),
            near("1e-6, b", float(ends[1e-6][0]), -149.2, 0.1, "1e-6 swings from wall to wall and gets farther: b = −149.2", "1e-6 在两壁间摆动，却走得更远：b = −149.2", ruling=24),
            above("1.2e-6", float(ends[1.2e-6].abs().max()), 1e30, "1.2e-6, above 2/λmax, runs away", "1.2e-6 超过 2/λmax，发散"),
            same("calm", calm, 1e-7, "1e-7 is the largest power of ten below 1/λmax, where nothing swings", "1e-7 是低于 1/λmax、完全不摆动的最大十的幂"),
            near("first step", float((first - torch.tensor([-119.0, -3.0])).abs().max()), 0, 1e-12, "AdaGrad's first step is ±η in each coordinate: to (−119, −3)", "AdaGrad 的第一步在每个坐标上都是 ±η：走到 (−119, −3)"),
            below("own rates", float(balanced[-1] / balanced[0]), 100, "a rate for each parameter leaves a condition number below 100", "每个参数各有步长，条件数降到 100 以下"),
            near("round", float((round_values - 20).abs().max()), 0, 1e-9, "standardizing x gives both curvatures 20", "把 x 标准化后两个曲率都是 20"),
            near("one step", round_loss, best_loss, 1e-4, "and one step of plain gradient descent at η = 1/20 is at the minimum", "此时普通梯度下降以 η = 1/20 一步就到极小"),
        ),
        figures=(_picture(walk, wild, crossings, config.grid, spectrum.values, spectrum.vectors, newton, start), _playground()),
        tables=(
            Table(
                Both("After 100,000 updates", "更新十万次之后"),
                (alike("η"), alike("η·λmax"), alike("b"), alike("w")),
                tuple((rate, rate * high, float(end[0]), float(end[1])) for rate, end in ends.items()),
            ),
        ),
    )  # fmt: skip


def _after(values: Tensor, vectors: Tensor, best: Tensor, start: Tensor, rate: float, updates: int) -> Tensor:
    """Where plain gradient descent is on a parabola: each eigendirection shrinks by (1 − ηλ) an update."""
    return best + vectors.T @ ((1 - rate * values) ** updates * (vectors @ (start - best)))


def _crossings(path: Tensor, level: float = 2.5) -> list[float]:
    """Where the first five segments cross a height of w."""
    found = []
    for (b0, w0), (b1, w1) in zip(path[:5].tolist(), path[1:6].tolist(), strict=True):
        found.append(b0 + (level - w0) / (w1 - w0) * (b1 - b0))
    return found


def _standardized() -> tuple[Tensor, float]:
    """Curvatures of the same fit on standardized inputs, and the loss after one step of η = 1/20 from (0, 0)."""
    x, y = valley_data()
    z = Standardize(1).double().fit(x[:, None])(x[:, None])[:, 0]
    objective = FormulaObjective(lambda w: (y - w[0] - w[1] * z).pow(2).sum(), torch.zeros(2, dtype=torch.float64))
    with objective.at() as point:
        values = dense_spectrum(hessian(point)).values
        return values, objective.value(objective.start() - point.gradient / 20)


def _picture(
    walk: Tensor,
    wild: Tensor,
    crossings: list[float],
    grid: int,
    values: Tensor,
    vectors: Tensor,
    best: Tensor,
    start: Tensor,
) -> Chart:
    across = torch.linspace(-200, -100, grid, dtype=torch.float64)
    along = torch.linspace(-5, 5, grid, dtype=torch.float64)
    x, y = valley_data()
    losses = (y - across[None, :, None] - along[:, None, None] * x).pow(2).sum(dim=2)
    moments = [0, 1, 2, 4, 7, 12, 30, 100, 1000, 10_000, 100_000]
    calm = torch.stack([_after(values, vectors, best, start, 1e-7, t) for t in moments])
    return Chart(
        "valley",
        Both("The valley from above", "从上方看山谷"),
        Axis(Both("intercept b", "截距 b"), limits=(-200, -100)),
        Axis(Both("slope w", "斜率 w"), limits=(-5, 5)),
        (
            Field(across.tolist(), along.tolist(), losses.tolist(), Both("loss", "损失"), log=True),
            Line(wild[:3, 0].tolist(), wild[:3, 1].clamp(-1e4, 1e4).tolist(), Both("η = 0.01: out of the picture at once", "η = 0.01：立即冲出画面"), color=4),
            Scatter(crossings, [2.5] * 5, Both("where its segments cross w = 2.5", "其线段穿过 w = 2.5 的位置"), color=4, shape="x", size=40),
            Line(calm[:, 0].tolist(), calm[:, 1].tolist(), Both("η = 1e-7: 100,000 updates", "η = 1e-7：十万次更新"), color=2, marked=True),
            Scatter([float(best[0])], [float(best[1])], Both("minimum", "极小"), color=6, shape="*", size=140),
        ),
        Both("The gentle rate reaches the floor of the valley in thirty updates and then hardly moves along it.", "温和的步长三十次更新就到谷底，然后沿谷几乎不动。"),
    )  # fmt: skip


def _surface() -> Surface:
    x, y = (column.tolist() for column in valley_data())
    xx, xy, yy = sum(a * a for a in x), sum(a * b for a, b in zip(x, y, strict=True)), sum(b * b for b in y)
    return Surface(
        f"10*x**2 + 2*x*y*{sum(x)} + y**2*{xx} - 2*x*{sum(y)} - 2*y*{xy} + {yy}",
        f"20*x + 2*y*{sum(x)} - 2*{sum(y)}",
        f"2*x*{sum(x)} + 2*y*{xx} - 2*{xy}",
    )


def _playground() -> Playground:
    return Playground(
        "walk",
        Both("Find a step size", "找一个步长"),
        _surface(),
        ((-200.0, -100.0), (-5.0, 5.0)),
        start=START,
        step_size=Slider(1e-8, 10.0, 1e-7, log=True),
        momentum=Slider(0, 0.99, 0.9),
        caption=Both(
            "Gradient descent is stable up to η = 1.145e-6 and crawls. AdaGrad with η around 10 and RMSProp around 0.1 walk along the valley.",
            "梯度下降稳定的上限是 η = 1.145e-6，走得极慢。AdaGrad 取 η 约 10、RMSProp 取约 0.1，就能沿谷走下去。",
        ),
        rules=("gradient", "adagrad", "rmsprop", "adam", "momentum"),
        steps=1000,
        log=True,
        marked=((BEST, Both("minimum", "极小")),),
        labels=(alike("b"), alike("w")),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="A valley that no single step size can walk",
        question="If the loss is convex and has two parameters, why is gradient descent still not there after 100,000 updates?",
        lecture="Even a convex surface can be hard. With η = 0.01 the parameters swing between the walls of the valley; "
        "with η = 1e-7 they stop swinging but hardly get on. Each parameter needs a rate of its own: large where the "
        "surface is flat, small where it is steep.",
        formula="L(b, w) = Σ (y − b − w x)²   over ten points\nθ ← θ − η g    stable while η < 2/λmax\n"
        "Newton: θ ← θ − H⁻¹g     standardized: x̃ = (x − mean)/σ",
        expectation="The curvatures differ by a factor of about 300,000, so the stable rate is far too short along the "
        "valley; Newton's step and standardized inputs do it in one.",
        change_mind="A plain rate that arrives within 100,000 updates, or end points other than the known ones.",
        lesson="The curvature across the valley is {high:,.0f}, along it {low:.2f}: a ratio of {condition:,.0f}. The longest "
        "stable rate is {limit:.3g}, and with it the distance along the valley shrinks by a few millionths an update.\n\n"
        "At η = 0.01 the distance to the floor is multiplied by {factor:,.0f} with every update. That is no swing between "
        "walls, it is divergence; what the picture shows are five segments on their way out. At 1e-7, the path reaches the "
        "floor at once and is at b = {end_b:.3f} after 100,000 updates, the minimum being at {intercept:.3f}. A rate of 1e-6 "
        "does swing, and gets farther, to {oscillating_b:.1f}.\n\n"
        "The cure is in the coordinates. A rate for each parameter by its own curvature leaves a condition number of "
        "{balanced:.1f}; standardizing x leaves {round:.0f}, a round bowl, and one step is enough. Newton's method "
        "takes the one step on the old surface.",
        holds="One rate for both parameters cannot do it; rates by parameter, normalized inputs and curvature can.",
        fails="“Oscillates” is divergence at 0.01. And 1e-7 is not where swinging ends because it must be so small, but the "
        "first power of ten below 1/λmax.",
    ),
    "zh": Page(
        title="没有哪个单一步长走得通的山谷",
        question="损失是凸的，又只有两个参数，为什么梯度下降更新十万次还没到？",
        lecture="即使是凸的曲面也可能难走。η = 0.01 时参数在谷壁之间来回震荡；η = 1e-7 时不震荡了，却几乎不前进。"
        "每个参数都需要自己的步长：平坦处大，陡峭处小。",
        formula="L(b, w) = Σ (y − b − w x)²   十个数据点\nθ ← θ − η g    当 η < 2/λmax 时稳定\n"
        "牛顿法：θ ← θ − H⁻¹g     标准化：x̃ = (x − 均值)/σ",
        expectation="两个方向的曲率相差约三十万倍，稳定的步长沿谷太短；牛顿法或标准化输入一步就到。",
        change_mind="若有某个普通步长能在十万次内到达，或终点与已知的不同。",
        lesson="横跨山谷的曲率是 {high:,.0f}，沿谷是 {low:.2f}，相差 {condition:,.0f} 倍。稳定的最大步长是 {limit:.3g}，"
        "用它每次更新只使沿谷的距离缩短百万分之几。\n\n"
        "η = 0.01 时，到谷底的距离每次更新都要乘以 {factor:,.0f}。这不是在谷壁间震荡，而是发散；图中所见只是冲出去的五条线段。"
        "η = 1e-7 时立即落到谷底，十万次更新后 b = {end_b:.3f}，而极小在 {intercept:.3f}。"
        "1e-6 确实在摆动，却走得更远，到了 {oscillating_b:.1f}。\n\n"
        "解法在坐标里。按各自的曲率给每个参数步长，条件数剩 {balanced:.1f}；把 x 标准化，条件数为 {round:.0f}，"
        "成了圆碗，一步就够。牛顿法则在原来的曲面上一步走到。",
        holds="两个参数共用一个步长确实不行；各自的步长、归一化的输入、曲率都行。",
        fails="0.01 时的“震荡”其实是发散。1e-7 也并非停止摆动的必要条件，只是低于 1/λmax 的第一个十的幂。",
    ),
}

_right_valley = valley


def _mean_instead(*, intercept: float = -120.0, slope: float = -4.0) -> FormulaObjective:
    whole = _right_valley(intercept=intercept, slope=slope)
    x, y = valley_data()
    return FormulaObjective(lambda w: (y - w[0] - w[1] * x).pow(2).mean(), whole.start(), name="valley")


class _ByVariance(Standardize):
    def fit(self, data: Tensor) -> Standardize:  # type: ignore[override]
        super().fit(data)
        self.std = self.std**2
        return self


PLANTED = (
    plant("the loss is the mean instead of the sum", __name__, "valley", _mean_instead, "1e-7, b", "loss"),
    plant("standardizing divides by the variance", __name__, "Standardize", _ByVariance, "round"),
)
