"""How a class is written as numbers, and how scores become probabilities."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Bars, Chart, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.optim import Rule
from unstuck.optim.directions import Gradient
from unstuck.problems import digits

ORDER = 27
COVERS = ("C1", "C2", "C3", "C4")
COST = Cost(quick_seconds=0.5, full_seconds=2)
SOURCES = (
    "Hung-yi Lee, Machine Learning 2021: Classification",
    "scikit-learn's digits; least squares in closed form",
)
SUBJECT = "unstuck.lab.experiments.one_hot_softmax.softmax, one_hot"


@dataclass(frozen=True)
class Config:
    """``namings``: random ways to number the ten classes."""

    namings: int


QUICK = Config(namings=12)
FULL = Config(namings=300)

LOGITS = (3.0, 1.0, -3.0)


def one_hot(classes: Tensor, count: int) -> Tensor:
    """A row of zeros with a one at its class, (n, count)."""
    return F.one_hot(classes, count).double()


def softmax(scores: Tensor) -> Tensor:
    """exp(yᵢ)/Σ exp(yⱼ) along the last axis; the largest score is subtracted first, which changes nothing but overflow."""
    powers = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    out: Tensor = powers / powers.sum(dim=-1, keepdim=True)
    return out


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Number the classes in many ways, take probabilities of scores, follow two ways to train two classes."""
    data = digits(seed=seed, dtype=torch.float64)
    source = torch.Generator().manual_seed(seed)
    namings = [torch.arange(10), *(torch.randperm(10, generator=source) for _ in range(config.namings - 1))]
    projector = _projector(data.x)
    as_numbers = [_residual(projector, naming[data.y].double()[:, None]) for naming in namings]
    as_vectors = [_residual(projector, one_hot(naming[data.y], 10)) for naming in namings]
    right = [_right_as_numbers(projector, naming[data.y]) for naming in namings]
    right_vectors = [_right_as_vectors(projector, naming[data.y]) for naming in namings]
    codes = one_hot(torch.arange(10), 10)
    distances = torch.cdist(codes, codes)[~torch.eye(10, dtype=torch.bool)]
    progress(0.6, "classes numbered")

    scores = torch.tensor(LOGITS, dtype=torch.float64)
    found = softmax(scores)
    exact = tuple(math.exp(y) / sum(math.exp(other) for other in LOGITS) for y in LOGITS)
    many = 20 * torch.randn(200, 7, generator=source, dtype=torch.float64)
    shifted = float((softmax(many + 123.0) - softmax(many)).abs().max())
    torch_gap = float((softmax(many) - torch.softmax(many, dim=-1)).abs().max())
    extreme = softmax(torch.tensor([1000.0, 999.0, -1000.0], dtype=torch.float64))
    naive = torch.tensor([1000.0, 999.0, -1000.0], dtype=torch.float64).exp()
    naive_finite = bool(torch.isfinite(naive / naive.sum()).all())
    logarithm = float(F.log_softmax(torch.tensor([0.0, 0.0, -1000.0], dtype=torch.float64), dim=0)[2])

    pairs = 5 * torch.randn(500, 2, generator=source, dtype=torch.float64)
    two_classes = float((softmax(pairs)[:, 0] - torch.sigmoid(pairs[:, 0] - pairs[:, 1])).abs().max())
    by_sigmoid, by_softmax, doubled = _two_trainings()
    speed = float((by_softmax[1] - by_softmax[0]) / (by_sigmoid[1] - by_sigmoid[0]))
    same_way = float((doubled - by_softmax).abs().max())
    gap_before, gap_after = LOGITS[0] - LOGITS[1], float(found[0] - found[1])
    shrunk = softmax(torch.tensor([0.1, 0.01], dtype=torch.float64))
    spread = max(as_numbers) / min(as_numbers)
    progress(1.0, "probabilities taken")

    return Result(
        numbers={
            "first": Number(float(found[0]), Both("probability of score 3", "得分 3 的概率")),
            "second": Number(float(found[1]), Both("probability of score 1", "得分 1 的概率")),
            "third": Number(float(found[2]), Both("probability of score −3", "得分 −3 的概率")),
            "best_numbers": Number(min(as_numbers), Both("squared error of classes as numbers, best numbering", "把类别当数字的平方误差，最好的编号")),
            "worst_numbers": Number(max(as_numbers), Both("the same, worst numbering", "同上，最坏的编号")),
            "vectors": Number(as_vectors[0], Both("squared error with one-hot vectors, every numbering", "one-hot 向量的平方误差，任何编号")),
            "right_numbers": Number(max(right), Both("share read right from one number, best numbering", "由一个数字读出的正确率，最好的编号")),
            "right_vectors": Number(right_vectors[0], Both("share read right from one-hot outputs", "由 one-hot 输出读出的正确率")),
            "speed": Number(speed, Both("first step of the difference of two scores, over that of one", "两个得分之差的第一步与单个得分之比")),
            "ratio": Number(float(shrunk[0] / shrunk[1]), Both("ratio of the probabilities of scores 0.1 and 0.01", "得分 0.1 与 0.01 的概率之比")),
        },
        criteria=(
            above("an order is implied", spread, 1.1, "with classes as numbers the error depends on which class is called what", "把类别当数字，误差取决于哪个类叫几号"),
            below("one-hot does not care", max(as_vectors) - min(as_vectors), 1e-10, "with one-hot vectors it does not", "用 one-hot 向量则无关"),
            above("one-hot reads better", min(right_vectors), max(right) + 0.3, "and far more digits are read right", "而且判对的数字多得多"),
            near("equal distances", float((distances - math.sqrt(2)).abs().max()), 0, 1e-12, "any two one-hot vectors are √2 apart", "任意两个 one-hot 向量相距 √2"),
            near("(3, 1, −3)", max(abs(float(a) - b) for a, b in zip(found, exact, strict=True)), 0, 1e-14, "softmax(3, 1, −3) is exp over the sum of exp", "softmax(3, 1, −3) 等于指数除以指数之和"),
            same("the lecture's numbers", tuple(round(float(p), 6) for p in found), (0.878878, 0.118943, 0.002179), "the lecture's .88, .12 and about 0", "即讲义的 .88、.12 与约 0"),
            below("shift", shifted, 1e-12, "adding one number to all scores changes nothing", "所有得分加同一个数，结果不变"),
            below("torch's", torch_gap, 1e-14, "it is torch's softmax", "与 torch 的 softmax 一致"),
            same("no overflow", (bool(torch.isfinite(extreme).all()), naive_finite), (True, False), "at scores of ±1000 it is finite; the formula as written is not", "得分为 ±1000 时仍有限；照公式直写则不然"),
            near("logarithm", logarithm, -1000 - math.log(2), 1e-9, "the logarithm taken together with softmax keeps −1000.69, where ln of the probability is −∞", "对数与 softmax 合算保住 −1000.69，而先取概率再取对数得 −∞", ruling=40),
            below("two classes", two_classes, 1e-15, "for two classes softmax is the sigmoid of the difference", "两类时 softmax 就是得分差的 sigmoid"),
            near("but not in training", speed, 2.0, 1e-12, "trained by gradient descent the difference of two scores moves twice as fast as one score", "用梯度下降训练时，两个得分之差的移动比单个得分快一倍", ruling=40),
            below("until the rate is doubled", same_way, 1e-12, "with twice the rate the one score goes the same way", "学习率加倍后，单个得分走同样的路"),
            below("gaps can shrink", gap_after, gap_before, "softmax does not enlarge gaps: 3 and 1 differ by 2, their probabilities by 0.76", "softmax 并不总拉大差距：3 与 1 差 2，概率只差 0.76", ruling=39),
        ),
        figures=(_bars(found), _numbering(as_numbers, right, right_vectors[0]), _trainings(by_sigmoid, by_softmax)),
        tables=(
            Table(
                Both("Scores and their probabilities", "得分与概率"),
                (Both("score", "得分"), alike("exp"), Both("probability", "概率")),
                tuple((y, math.exp(y), float(p)) for y, p in zip(LOGITS, found, strict=True)),
            ),
        ),
    )  # fmt: skip


def _projector(x: Tensor) -> Tensor:
    """An orthonormal basis of what a linear model of the inputs with bias can say about these rows, (n, k)."""
    design = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], dim=1)
    basis, sizes, _ = torch.linalg.svd(design, full_matrices=False)
    kept: Tensor = basis[:, sizes > 1e-10 * sizes[0]]
    return kept


def _fitted(projector: Tensor, target: Tensor) -> Tensor:
    return projector @ (projector.T @ target)


def _residual(projector: Tensor, target: Tensor) -> float:
    """Mean squared error of the best linear model, as a share of the target's own variance."""
    off = (target - _fitted(projector, target)).square().sum()
    return float(off / (target - target.mean(dim=0)).square().sum())


def _right_as_numbers(projector: Tensor, classes: Tensor) -> float:
    fitted = _fitted(projector, classes.double()[:, None])[:, 0]
    return float((fitted.round() == classes).double().mean())


def _right_as_vectors(projector: Tensor, classes: Tensor) -> float:
    return float((_fitted(projector, one_hot(classes, 10)).argmax(dim=1) == classes).double().mean())


def _two_trainings(steps: int = 60, lr: float = 0.1) -> tuple[Tensor, Tensor, Tensor]:
    """One score under the sigmoid; the difference of two under softmax; the first again at twice the rate."""

    def one(z: Tensor) -> Tensor:
        return torch.sigmoid(z) - 1  # of −ln σ(z)

    def two(y: Tensor) -> Tensor:
        return softmax(y) - torch.tensor([1.0, 0.0], dtype=torch.float64)  # of −ln of the first probability

    single = follow(Rule(Gradient(), lr=lr), one, [-2.0], steps)[:, 0]
    pair = follow(Rule(Gradient(), lr=lr), two, [-1.0, 1.0], steps)
    return single, pair[:, 0] - pair[:, 1], follow(Rule(Gradient(), lr=2 * lr), one, [-2.0], steps)[:, 0]


def _bars(found: Tensor) -> Chart:
    powers = [math.exp(y) for y in LOGITS]
    return Chart(
        "softmax",
        Both("Scores 3, 1 and −3 become probabilities", "得分 3、1、−3 变成概率"),
        Axis(Both("score", "得分"), ticks=((0, alike("3")), (1, alike("1")), (2, alike("−3")))),
        Axis(Both("share", "比例")),
        (
            Bars([0, 1, 2], found.tolist(), Both("softmax", "softmax"), color=1),
            Bars([0, 1, 2], [(y + 3) / sum(z + 3 for z in LOGITS) for y in LOGITS], Both("scores themselves, shifted to start at 0", "得分本身，平移到从 0 起"), color=0),
        ),
        Both(f"exp gives {powers[0]:.2f}, {powers[1]:.2f} and {powers[2]:.3f}; divided by their sum they are probabilities.", f"取指数得 {powers[0]:.2f}、{powers[1]:.2f}、{powers[2]:.3f}，除以总和即为概率。"),
    )  # fmt: skip


def _numbering(errors: list[float], right: list[float], right_vectors: float) -> Chart:
    order = sorted(range(len(errors)), key=lambda i: errors[i])
    places = list(range(1, len(order) + 1))
    return Chart(
        "numbering",
        Both("Digits as one number: it matters which is called what", "把数字类别当一个数：叫几号有关系"),
        Axis(Both("numbering of the classes, sorted by error", "类别的编号方式，按误差排序")),
        Axis(Both("share", "比例"), limits=(0, 1)),
        (
            Line(places, [errors[i] for i in order], Both("squared error over variance, one number", "平方误差与方差之比，一个数"), color=2, marked=True),
            Line(places, [right[i] for i in order], Both("read right from one number", "由一个数读对的比例"), color=1, marked=True),
            Line(places, [right_vectors] * len(places), Both("read right from one-hot outputs", "由 one-hot 输出读对的比例"), color=3, dashed=True),
        ),
        Both("The same pixels, the same linear model. One-hot outputs do not depend on the numbering.", "同样的像素，同样的线性模型。one-hot 输出与编号无关。"),
    )  # fmt: skip


def _trainings(single: Tensor, pair: Tensor) -> Chart:
    updates = list(range(len(single)))
    return Chart(
        "two-classes",
        Both("One function, two trainings", "同一个函数，两种训练"),
        Axis(Both("update", "更新次数")),
        Axis(Both("probability of the right class", "正确类别的概率"), limits=(0, 1)),
        (
            Line(updates, torch.sigmoid(single).tolist(), Both("sigmoid of one score", "单个得分的 sigmoid"), color=1),
            Line(updates, torch.sigmoid(pair).tolist(), Both("softmax of two scores", "两个得分的 softmax"), color=2),
        ),
        Both("At the same rate, η = 0.1, from the same probability: both scores move, so their difference moves twice as fast.", "同样的 η = 0.1、同样的起点概率：两个得分都动，差就动得快一倍。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="One-hot and softmax",
        question="Why are classes written as one-hot vectors, and what does softmax do to scores?",
        lecture="Classes written as 1, 2, 3 would say that 1 is closer to 2 than to 3. One-hot vectors are equally far apart. "
        "Softmax makes positive numbers that sum to one of the scores, enlarging the largest. For two classes it is the same "
        "as the sigmoid.",
        formula="y′ᵢ = exp(yᵢ)/Σⱼ exp(yⱼ)      softmax(y + c) = softmax(y)\nsoftmax(a, b)₁ = σ(a − b)",
        expectation="softmax(3, 1, −3) = (0.88, 0.12, 0.002); an error that depends on the numbering without one-hot, not with it.",
        change_mind="A numbering of the classes that makes no difference, or a two-class softmax that is not the sigmoid.",
        lesson="A linear model that has to say a digit's class as one number leaves between {best_numbers:.0%} and "
        "{worst_numbers:.0%} of the variance, by how the classes are numbered, and at best reads {right_numbers:.0%} right. "
        "With one-hot targets the error is {vectors:.0%} under every numbering, and {right_vectors:.0%} are right.\n\n"
        "Softmax of (3, 1, −3) is {first:.6f}, {second:.6f} and {third:.6f}. It turns differences into ratios: scores that "
        "differ by d have probabilities with ratio e^d. So gaps need not grow: 3 and 1 differ by 2, their probabilities by "
        "0.76; and 0.1 over 0.01 is ten, but the ratio of their probabilities is {ratio:.2f}.\n\n"
        "For two classes sigmoid and softmax are one function, but not one training: with two scores both move, so that "
        "their difference moves {speed:.0f} times as fast at the same rate.",
        holds="Distances, the exact numbers and the identity for two classes.",
        fails="Softmax does not always enlarge differences; and sigmoid and softmax, the same as functions, train at different "
        "speeds. Written out naively softmax overflows at scores of 1000.",
    ),
    "zh": Page(
        title="One-hot 与 softmax",
        question="类别为什么写成 one-hot 向量？softmax 对得分做了什么？",
        lecture="把类别写成 1、2、3，等于说 1 离 2 比离 3 近；one-hot 向量则两两等距。softmax 把得分变成和为一的正数，"
        "并拉大最大者。两类时它与 sigmoid 相同。",
        formula="y′ᵢ = exp(yᵢ)/Σⱼ exp(yⱼ)      softmax(y + c) = softmax(y)\nsoftmax(a, b)₁ = σ(a − b)",
        expectation="softmax(3, 1, −3) = (0.88, 0.12, 0.002)；不用 one-hot 时误差取决于编号，用了就无关。",
        change_mind="若换编号误差不变，或两类的 softmax 不等于 sigmoid。",
        lesson="线性模型若要用一个数说出数字的类别，会剩下 {best_numbers:.0%} 到 {worst_numbers:.0%} 的方差，视编号而定，"
        "最好也只判对 {right_numbers:.0%}。用 one-hot 目标，任何编号下误差都是 {vectors:.0%}，判对 {right_vectors:.0%}。\n\n"
        "softmax(3, 1, −3) 为 {first:.6f}、{second:.6f}、{third:.6f}。它把差变成比：得分相差 d，概率之比为 e^d。"
        "所以差距未必变大：3 与 1 差 2，概率只差 0.76；0.1 是 0.01 的十倍，概率之比却只有 {ratio:.2f}。\n\n"
        "两类时 sigmoid 与 softmax 是同一个函数，却不是同一种训练：两个得分都会动，同样的学习率下其差快 {speed:.0f} 倍。",
        holds="距离、精确数值，以及两类时的恒等式。",
        fails="softmax 并不总拉大差距；sigmoid 与 softmax 作为函数相同，训练速度却不同。照公式直写的 softmax 在得分 1000 处溢出。",
    ),
}


def _as_written(scores: Tensor) -> Tensor:
    powers = scores.exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def _counted(classes: Tensor, count: int) -> Tensor:
    """A class as that many ones: an order again."""
    return (torch.arange(count) <= classes[:, None]).double()


PLANTED = (
    plant("exp is taken of the scores as they are", __name__, "softmax", _as_written, "no overflow"),
    plant("a class is coded so that neighbors are closer", __name__, "one_hot", _counted, "equal distances", "one-hot does not care"),
)  # fmt: skip
