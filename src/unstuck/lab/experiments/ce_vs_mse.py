"""Two losses for one classifier: where squared error is flat, cross-entropy is not."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Chart, Field, Frame, Line, Playground, Scatter, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.objective import FormulaObjective
from unstuck.optim import Rule
from unstuck.optim.directions import Average, Gradient
from unstuck.optim.scales import MovingSquare
from unstuck.problems import Surface

ORDER = 8
COVERS = ("C5", "C6", "C7", "C8")
COST = Cost(quick_seconds=1, full_seconds=40)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Classification",
    "softmax, cross-entropy and squared error by torch; gradients by autograd",
)
SUBJECT = "torch.nn.functional.cross_entropy, unstuck.lab.experiments.ce_vs_mse.squared_error"


@dataclass(frozen=True)
class Config:
    """``updates`` of plain gradient descent on squared error, ``grid`` points a side."""

    updates: int
    grid: int


QUICK = Config(updates=2000, grid=81)
FULL = Config(updates=200_000, grid=201)

START = (-10.0, 10.0)
TRUTH = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
THIRD = -1000.0


def cross_entropy(scores: Tensor) -> Tensor:
    """−ln of the first class's probability, for scores (…, 3)."""
    loss: Tensor = F.cross_entropy(
        scores.reshape(-1, 3), torch.zeros(scores[..., 0].numel(), dtype=torch.long), reduction="none"
    )
    return loss.reshape(scores.shape[:-1])


def squared_error(scores: Tensor) -> Tensor:
    """Sum over classes of (target − probability)², as the lecture has it."""
    return (TRUTH - torch.softmax(scores, dim=-1)).pow(2).sum(dim=-1)


def _scores(w: Tensor) -> Tensor:
    """(…, 2) to (…, 3): the third score stays at −1000."""
    return torch.cat([w, torch.full_like(w[..., :1], THIRD)], dim=-1)


Loss = Callable[[Tensor], Tensor]


def _slope(loss: Loss) -> Callable[[Tensor], Tensor]:
    def slope(w: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = w.detach().requires_grad_()
            return torch.autograd.grad(loss(_scores(leaf)).sum(), leaf)[0]

    return slope


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Gradients at the start, steps to a right answer by rule, and both surfaces."""
    losses: dict[str, Loss] = {"cross-entropy": cross_entropy, "squared error": squared_error}
    place = torch.tensor(START, dtype=torch.float64)
    begin = {name: _objective(loss).gradient(place) for name, loss in losses.items()}
    slopes = {name: float(found.vector.norm()) for name, found in begin.items()}

    plain = Rule(Gradient(), lr=0.1)
    by_entropy = follow(plain, _slope(cross_entropy), START, 200)
    by_square = follow(plain, _slope(squared_error), START, config.updates)
    progress(0.7, "plain gradient descent walked")
    adam = {
        eps: follow(
            Rule(Average(0.9), MovingSquare(0.999, eps=eps, correct=True), lr=0.1), _slope(squared_error), START, 400
        )
        for eps in (1e-8, 1e-7)
    }
    steps = {"entropy": _until_right(by_entropy), "square": _until_right(by_square)}
    steps |= {f"adam {eps:g}": _until_right(path) for eps, path in adam.items()}

    # The least gradient depends on how near the grid comes to the diagonal: this one has steps of a quarter.
    quarters = torch.linspace(-10, 10, 81, dtype=torch.float64)
    plane = torch.stack(torch.meshgrid(quarters, quarters, indexing="xy"), dim=-1)
    sizes = {
        name: _slope(loss)(plane.reshape(-1, 2)).norm(dim=1).reshape(plane.shape[:-1]) for name, loss in losses.items()
    }
    wrong_half = plane[..., 1] > plane[..., 0]
    least = float(sizes["cross-entropy"][wrong_half].min())
    flat = float((sizes["squared error"][wrong_half] < 1e-2).double().mean())
    flat_all = float((sizes["squared error"] < 1e-2).double().mean())
    limit = float(_slope(cross_entropy)(torch.tensor([[0.0, 1e-9]], dtype=torch.float64)).norm())
    axis = torch.linspace(-10, 10, config.grid, dtype=torch.float64)
    plane = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    likelihood = _likelihood_gap(seed)
    twice = float(F.cross_entropy(torch.eye(3, dtype=torch.float64)[:1], torch.tensor([0])))
    progress(1.0, "surfaces drawn")

    moved = float((by_square[-1] - by_square[0]).abs().max())
    criteria: list[Criterion] = [
        near("entropy there", begin["cross-entropy"].value, 20.0, 1e-6, "at (−10, 10) cross-entropy is 20", "在 (−10, 10) 处交叉熵为 20"),
        near("entropy's slope", slopes["cross-entropy"], 1.41421, 1e-4, "with a gradient of √2", "梯度为 √2"),
        near("square there", begin["squared error"].value, 2.0, 1e-6, "squared error is 2, all it can be", "平方误差为 2，已是最大值"),
        near("square's slope", slopes["squared error"], 1.166e-8, 1e-11, "with a gradient of 1.166e-8", "梯度却只有 1.166e-8"),
        same("steps, entropy", steps["entropy"], 105, "gradient descent on cross-entropy is right after 105 updates", "用交叉熵，梯度下降 105 次更新就判对"),
        same("steps, square", steps["square"], -1, "on squared error it never is in this run", "用平方误差，本次运行内始终判不对"),
        below("square, moved", moved, 0.05 * config.updates / 200_000, "where it has hardly moved", "几乎没有移动"),
        near("Adam", steps["adam 1e-08"], 82, 1, "Adam leaves the plateau of squared error after about 82 updates", "Adam 约在 82 次更新后离开平方误差的平台"),
        near("Adam's ε", steps["adam 1e-07"], 133, 1, "with ε = 1e-7 it takes about 133: on a plateau ε matters", "ε = 1e-7 时约要 133 次：在平台上 ε 很要紧", ruling=25),
        near("steep", least, 0.795, 1e-3, "on a grid of steps of ¼ cross-entropy's smallest gradient is 0.795 where the answer is wrong", "在步长为 ¼ 的网格上，判错处交叉熵的最小梯度为 0.795"),
        near("steep, limit", limit, 0.5**0.5, 1e-6, "it falls to √½ at the edge, where both classes are equally likely, and not below", "在两类机会相等的边界处降到 √½，不会更低"),
        near("flat", flat, 0.475, 1e-3, "squared error's gradient is below 0.01 on almost half of the wrong answers", "在近一半的错误答案上，平方误差的梯度低于 0.01"),
        below("likelihood", likelihood, 1e-12, "cross-entropy is minus the log-likelihood", "交叉熵就是负对数似然"),
        near("softmax twice", twice, math.log(1 + 2 / math.e), 1e-12, "probabilities fed into a loss with its own softmax cannot get below 0.5514", "把概率再喂给自带 softmax 的损失，最低也到不了 0.5514 以下"),
    ]  # fmt: skip
    return Result(
        numbers={
            "ratio": Number(slopes["cross-entropy"] / slopes["squared error"], Both("cross-entropy's gradient over squared error's", "交叉熵梯度与平方误差梯度之比")),
            "slope_square": Number(slopes["squared error"], Both("squared error's gradient at the start", "起点处平方误差的梯度")),
            "steps_entropy": Number(steps["entropy"], Both("updates to a right answer, cross-entropy", "判对所需更新，交叉熵")),
            "updates": Number(config.updates, Both("updates tried on squared error", "平方误差尝试的更新数")),
            "moved": Number(moved, Both("farthest that a score moved on squared error", "平方误差下得分移动的最大距离")),
            "steps_adam": Number(steps["adam 1e-08"], Both("the same with Adam, ε = 1e-8", "改用 Adam，ε = 1e-8")),
            "steps_adam_7": Number(steps["adam 1e-07"], Both("the same with Adam, ε = 1e-7", "改用 Adam，ε = 1e-7")),
            "least": Number(least, Both("smallest gradient of cross-entropy where the answer is wrong", "判错处交叉熵的最小梯度")),
            "limit": Number(limit, Both("the same at the edge of that half plane", "该半平面边界处的同一量")),
            "flat": Number(flat, Both("share of wrong answers with squared error's gradient below 0.01", "判错处平方误差梯度低于 0.01 的比例")),
            "flat_all": Number(flat_all, Both("the same over the whole plane", "整个平面上的该比例")),
        },
        criteria=tuple(criteria),
        figures=(_surfaces(axis, plane, losses, by_entropy, by_square), _cut(), _playground("entropy"), _playground("square")),
        tables=(
            Table(
                Both("Updates until the right class has more than half, η = 0.1", "正确类别超过一半所需的更新，η = 0.1"),
                (Both("loss", "损失"), Both("rule", "方法"), Both("updates (−1: not in this run)", "更新（−1：本次未达到）")),
                (
                    (Both("cross-entropy", "交叉熵"), Both("gradient descent", "梯度下降"), steps["entropy"]),
                    (Both("squared error", "平方误差"), Both("gradient descent", "梯度下降"), steps["square"]),
                    (Both("squared error", "平方误差"), alike("Adam, ε = 1e-8"), steps["adam 1e-08"]),
                    (Both("squared error", "平方误差"), alike("Adam, ε = 1e-7"), steps["adam 1e-07"]),
                ),
            ),
        ),
    )  # fmt: skip


def _objective(loss: Loss) -> FormulaObjective:
    return FormulaObjective(lambda w: loss(_scores(w)), torch.tensor(START, dtype=torch.float64))


def _until_right(path: Tensor) -> int:
    """Updates until the first class has more than half; −1 if never."""
    right = torch.nonzero(torch.softmax(_scores(path), dim=1)[:, 0] > 0.5)
    return int(right[0]) if len(right) else -1


def _likelihood_gap(seed: int) -> float:
    """Largest difference between the loss and −log of the probability that the model gives to what happened."""
    scores = 5 * torch.randn(50, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    chance = scores.exp() / scores.exp().sum(dim=1, keepdim=True)
    return float((cross_entropy(scores) + chance[:, 0].log()).abs().max())


def _surfaces(axis: Tensor, plane: Tensor, losses: dict[str, Loss], by_entropy: Tensor, by_square: Tensor) -> Chart:
    paths = {"cross-entropy": by_entropy, "squared error": by_square}
    names = {"cross-entropy": Both("cross-entropy", "交叉熵"), "squared error": Both("squared error", "平方误差")}
    frames = []
    for name, loss in losses.items():
        values = loss(_scores(plane))
        path = paths[name][:201]
        frames.append(
            Frame(
                names[name],
                (
                    Field(axis.tolist(), axis.tolist(), values.tolist(), Both("loss", "损失"), levels=(0.1, 0.5, 1.0, 1.5, 1.9, 5.0, 10.0, 15.0)),
                    Line(path[:, 0].tolist(), path[:, 1].tolist(), Both("200 updates, η = 0.1", "200 次更新，η = 0.1"), color=2, marked=True),
                    Scatter([START[0]], [START[1]], Both("start", "起点"), color=4, shape="s"),
                ),
            )
        )  # fmt: skip
    return Chart(
        "surfaces",
        Both("The two losses over the scores y₁ and y₂", "两种损失随得分 y₁、y₂ 的变化"),
        Axis(Both("y₁ (right class)", "y₁（正确类别）"), limits=(-10.5, 10)),
        Axis(Both("y₂ (wrong class)", "y₂（错误类别）"), limits=(-10, 10.5)),
        (),
        Both("Cross-entropy slopes everywhere in the upper left. Squared error is a plateau there: the start does not move.", "交叉熵在左上方处处有坡；平方误差在那里是平台，起点纹丝不动。"),
        frames=tuple(frames),
        frames_label=Both("Loss", "损失"),
        square=True,
    )  # fmt: skip


def _cut() -> Chart:
    """Along y₁ = −y₂."""
    gap = torch.linspace(-20, 20, 161, dtype=torch.float64)
    w = torch.stack([gap / 2, -gap / 2], dim=1)
    return Chart(
        "slopes",
        Both("The slope on the way from wrong to right", "从错到对途中的坡度"),
        Axis(Both("y₁ − y₂", "y₁ − y₂")),
        Axis(Both("length of the gradient", "梯度的长度"), log=True, limits=(1e-9, 5)),
        tuple(
            Line(gap.tolist(), _slope(loss)(w).norm(dim=1).tolist(), words, color=color)
            for loss, words, color in ((cross_entropy, Both("cross-entropy", "交叉熵"), 1), (squared_error, Both("squared error", "平方误差"), 2))
        ),
        Both("On the left the answer is confidently wrong. There squared error's slope vanishes like e^(y₁ − y₂).", "左边是自信的错误答案，平方误差的坡度在那里按 e^(y₁ − y₂) 消失。"),
    )  # fmt: skip


def _playground(which: str) -> Playground:
    surface = {
        "entropy": Surface("log(1 + exp(y - x))", "-1/(1 + exp(x - y))", "1/(1 + exp(x - y))"),
        "square": Surface(
            "2/((1 + exp(x - y))**2)",
            "-4*exp(x - y)/((1 + exp(x - y))**3)",
            "4*exp(x - y)/((1 + exp(x - y))**3)",
        ),
    }[which]
    return Playground(
        which,
        Both("Walk on cross-entropy", "在交叉熵上行走") if which == "entropy" else Both("Walk on squared error", "在平方误差上行走"),
        surface,
        ((-10.0, 10.0), (-10.0, 10.0)),
        start=(-8.0, 8.0),
        step_size=Slider(0.01, 10.0, 0.1, log=True),
        momentum=Slider(0, 0.99, 0.9),
        caption=Both("Start anywhere above the diagonal.", "从对角线上方任意处出发。"),
        rules=("gradient", "momentum", "rmsprop", "adam"),
        steps=150,
        labels=(Both("y₁ (right class)", "y₁（正确类别）"), Both("y₂ (wrong class)", "y₂（错误类别）")),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Cross-entropy against squared error",
        question="Why is a classifier trained with cross-entropy and not with squared error?",
        lecture="Both are small when the probabilities are right. But with squared error the surface is flat where the loss is "
        "large, so gradient descent is stuck there; with cross-entropy it slopes. Changing the loss changes the difficulty "
        "of the optimization. Least cross-entropy is greatest likelihood.",
        formula="y′ = softmax(y),  target (1, 0, 0),  y₃ = −1000\nsquared error e = Σᵢ (ŷᵢ − y′ᵢ)²      cross-entropy e = −Σᵢ ŷᵢ ln y′ᵢ\n"
        "for two classes, p = σ(y₁ − y₂):  ∂/∂y₁: −(1 − p) and −4 p (1 − p)²",
        expectation="From y = (−10, 10): gradients √2 and about 1e-8; about a hundred updates against more than 200,000.",
        change_mind="A squared error that moves under plain gradient descent, or a cross-entropy that does not.",
        lesson="At the start the answer is as wrong as can be. Cross-entropy's gradient is {ratio:.2g} times squared error's, "
        "which is {slope_square:.4g}. Gradient descent on cross-entropy is right after {steps_entropy} updates; on squared "
        "error the scores have moved by {moved:.1e} after {updates:,} updates.\n\n"
        "Where the answer is wrong, cross-entropy's gradient is at least {limit:.3f} = √½, its value at the very edge ({least:.3f} on a grid of steps "
        "of ¼). Squared error's is below 0.01 on "
        "{flat:.0%} of that half of the plane.\n\n"
        "The plateau is no wall for every rule. Adam divides the gradient by its own size and leaves after {steps_adam} "
        "updates; with ε = 1e-7 instead of 1e-8, where ε is larger than the gradient, it needs {steps_adam_7}. Adam hides a "
        "badly chosen loss; the loss remains badly chosen.",
        holds="All of it: the surfaces, the stuck start, and that the loss changes the difficulty.",
        fails="“Stuck” is said of plain gradient descent; adaptive rules leave the plateau, and how fast depends on ε.",
    ),
    "zh": Page(
        title="交叉熵与平方误差",
        question="分类器为什么用交叉熵训练，而不用平方误差？",
        lecture="概率正确时两者都小。但平方误差在损失大的地方是平的，梯度下降就卡在那里；交叉熵则有坡度。"
        "换一种损失，就改变了优化的难度。交叉熵最小就是似然最大。",
        formula="y′ = softmax(y)，目标 (1, 0, 0)，y₃ = −1000\n平方误差 e = Σᵢ (ŷᵢ − y′ᵢ)²      交叉熵 e = −Σᵢ ŷᵢ ln y′ᵢ\n"
        "两类时 p = σ(y₁ − y₂)：∂/∂y₁ 分别为 −(1 − p) 与 −4 p (1 − p)²",
        expectation="从 y = (−10, 10) 出发：梯度为 √2 与约 1e-8；更新约一百次，对二十万次以上。",
        change_mind="若平方误差在普通梯度下降下会动，或交叉熵不动。",
        lesson="起点处的答案错得不能再错。交叉熵的梯度是平方误差的 {ratio:.2g} 倍，后者只有 {slope_square:.4g}。"
        "用交叉熵，梯度下降 {steps_entropy} 次更新就判对；用平方误差，{updates:,} 次更新后得分只移动了 {moved:.1e}。\n\n"
        "凡是判错的地方，交叉熵的梯度都不低于边界上的 {limit:.3f} = √½（在步长为 ¼ 的网格上最小为 {least:.3f}）；平方误差的梯度在这半个平面的 {flat:.0%} 上低于 0.01。\n\n"
        "平台并非对所有方法都是墙。Adam 用梯度自身的大小去除梯度，{steps_adam} 次更新后离开；"
        "ε 取 1e-7 而非 1e-8 时，ε 大于梯度，就要 {steps_adam_7} 次。Adam 掩盖了选得不好的损失，损失依旧选得不好。",
        holds="全部成立：曲面、卡住的起点，以及损失会改变难度。",
        fails="“卡住”说的是普通梯度下降；自适应方法能离开平台，快慢取决于 ε。",
    ),
}


def _on_scores(scores: Tensor) -> Tensor:
    return (TRUTH[:2] - scores[..., :2]).pow(2).sum(dim=-1)


def _softmax_first(scores: Tensor) -> Tensor:
    return -torch.log_softmax(torch.softmax(scores, dim=-1), dim=-1)[..., 0]


PLANTED = (
    plant(
        "the squared error is taken of scores, not of probabilities",
        __name__,
        "squared_error",
        _on_scores,
        "square there",
    ),
    plant(
        "softmax stands twice before the logarithm",
        __name__,
        "cross_entropy",
        _softmax_first,
        "entropy there",
        "likelihood",
    ),
)
