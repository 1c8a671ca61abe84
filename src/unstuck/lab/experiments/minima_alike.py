"""Many trainings of one network from different starts: how different are the losses they end at?"""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.curvature import dense_spectrum, hessian
from unstuck.lab.charts import Axis, Band, Chart, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, same
from unstuck.lab.training import batches, multilayer
from unstuck.lab.words import Both
from unstuck.objective import FormulaObjective
from unstuck.optim import SGD
from unstuck.optim.schedules import linear
from unstuck.problems import digits
from unstuck.signal import Standardize

ORDER = 31
COVERS = ("K5", "A14")
COST = Cost(quick_seconds=3, full_seconds=240)
SOURCES = (
    "Choromanska, Henaff, Mathieu, Ben Arous and LeCun 2015: the loss surfaces of multilayer networks, figure 3",
    "Hung-yi Lee, MLDS 2018: almost all local minima are alike",
    "scikit-learn's digits, averaged to 4 × 4 pixels",
)
SUBJECT = "unstuck.lab.experiments.minima_alike.endings, index"


@dataclass(frozen=True)
class Config:
    """``widths`` of the hidden layer, ``networks`` of each, ``updates`` of training, ``judged`` Hessians a width.

    ``index``: the share of negative curvatures allowed; it goes on falling as training goes on.
    """

    widths: tuple[int, ...]
    networks: int
    updates: int
    judged: int
    index: float


QUICK = Config(widths=(4, 8, 32), networks=8, updates=400, judged=1, index=0.05)
FULL = Config(widths=(4, 8, 16, 32, 64), networks=30, updates=2000, judged=3, index=0.02)

BATCH = 200
BAND = 1e-3  # eigenvalues closer to zero than this count as zero, as in the source


@dataclass(frozen=True)
class Endings:
    """Where networks of one width ended: losses (networks), training and test, and their flat weights."""

    width: int
    train: Tensor
    test: Tensor
    weights: tuple[Tensor, Tensor, Tensor, Tensor]

    @property
    def spread(self) -> float:
        return float(self.train.std())

    @property
    def correlation(self) -> float:
        """Of training and test loss over networks."""
        return float(torch.corrcoef(torch.stack([self.train, self.test]))[0, 1])


@dataclass(frozen=True)
class Data:
    """Sixteen averaged pixels and classes, for training and test."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


def starts(width: int, count: int, seed: int) -> tuple[Tensor, ...]:
    """First weights of so many networks 16-width-10, stacked, from different seeds."""
    models = [
        multilayer((16, width, 10), nn.Tanh, dtype=torch.float64, seed=1000 * seed + index) for index in range(count)
    ]
    return tuple(
        torch.stack([list(model.parameters())[place].detach() for model in models]).clone() for place in range(4)
    )


def endings(data: Data, config: Config, width: int, seed: int) -> Endings:
    """Train all networks of a width side by side: each on batches of its own order, none touching another."""
    parts = [part.requires_grad_() for part in starts(width, config.networks, seed)]
    optimizer = SGD(parts, lr=0.3, momentum=0.9, schedule=linear(1.0, 0.05, config.updates))
    sources = [batches(len(data.x), BATCH, seed=1000 * seed + index) for index in range(config.networks)]
    for _ in range(config.updates):
        rows = torch.stack([next(source) for source in sources])  # 1400 examples are seven batches exactly
        optimizer.zero_grad()
        torch.autograd.backward(_losses(parts, data.x[rows], data.y[rows]).sum())
        optimizer.step()
    with torch.no_grad():
        train = _losses(parts, data.x.expand(config.networks, -1, -1), data.y.expand(config.networks, -1))
        test = _losses(parts, data.test_x.expand(config.networks, -1, -1), data.test_y.expand(config.networks, -1))
    first, bias, second, offset = (part.detach() for part in parts)
    return Endings(width, train, test, (first, bias, second, offset))


def _scores(parts: list[Tensor] | tuple[Tensor, ...], x: Tensor) -> Tensor:
    """(networks, rows, 10) of inputs (networks, rows, 16)."""
    first, bias, second, offset = parts
    hidden = torch.tanh(x @ first.transpose(-1, -2) + bias[..., None, :])
    out: Tensor = hidden @ second.transpose(-1, -2) + offset[..., None, :]
    return out


def _losses(parts: list[Tensor] | tuple[Tensor, ...], x: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of each network (networks)."""
    scores = _scores(parts, x)
    each = F.cross_entropy(scores.reshape(-1, 10), y.reshape(-1), reduction="none")
    return each.reshape(y.shape).mean(dim=-1)


def index(values: Tensor, *, band: float = BAND) -> float:
    """Share of eigenvalues (n) below −band: directions that lead down.

    >>> index(torch.tensor([-0.5, -1e-5, 0.0, 2.0]))
    0.25
    """
    return float((values < -band).double().mean())


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Train every width many times, compare the losses, and count ways down at some of the ends."""
    full = digits(seed=seed, dtype=torch.float64)
    scale = Standardize.fitted(_averaged(full.x))
    data = Data(scale(_averaged(full.x)), full.y, scale(_averaged(full.test_x)), full.test_y)
    ended: list[Endings] = []
    for place, width in enumerate(config.widths):
        ended.append(endings(data, config, width, seed))
        progress(0.8 * (place + 1) / len(config.widths), f"width {width} trained")
    judged = {
        one.width: _judge(data, one, config.judged) for one in ended if one.width <= (8 if config.judged == 1 else 16)
    }
    progress(1.0, "ways down counted")

    spreads = [one.spread for one in ended]
    means = [float(one.train.mean()) for one in ended]
    wide = ended[-1]
    worst_index = max(found for pairs in judged.values() for found, _ in pairs)
    before = _judge(data, _at_start(narrow := ended[0], seed), 1)[0][0]
    slope = max(found for pairs in judged.values() for _, found in pairs)
    apart = min(_apart(one) for one in ended)
    answers = _disagreement(data, wide)
    return Result(
        numbers={
            "networks": Number(config.networks, Both("networks of each width", "每种宽度的网络数")),
            "narrow": Number(narrow.width, Both("narrowest", "最窄")),
            "wide": Number(wide.width, Both("widest", "最宽")),
            "mean_narrow": Number(means[0], Both("mean training loss, narrowest", "平均训练损失，最窄")),
            "mean_wide": Number(means[-1], Both("mean training loss, widest", "平均训练损失，最宽")),
            "spread_narrow": Number(spreads[0], Both("spread (standard deviation) over starts, narrowest", "各起点间的离散（标准差），最窄")),
            "spread_wide": Number(spreads[-1], Both("spread over starts, widest", "各起点间的离散，最宽")),
            "relative_narrow": Number(spreads[0] / means[0], Both("spread over mean, narrowest", "离散与平均之比，最窄")),
            "relative_wide": Number(spreads[-1] / means[-1], Both("spread over mean, widest", "离散与平均之比，最宽")),
            "index": Number(worst_index, Both("largest share of negative curvatures", "负曲率的最大比例")),
            "limit": Number(config.index, Both("what that share must stay below", "该比例的上限")),
            "updates": Number(config.updates, Both("updates of each network", "每个网络的更新数")),
            "before": Number(before, Both("the same share at the start of a narrow network", "窄网络起点处的该比例")),
            "slope": Number(slope, Both("largest gradient at an end", "终点处的最大梯度")),
            "correlation_narrow": Number(narrow.correlation, Both("correlation of training and test loss, narrowest", "训练与测试损失的相关，最窄")),
            "correlation_wide": Number(wide.correlation, Both("the same, widest", "同上，最宽")),
            "disagree": Number(answers, Both("test digits on which two wide networks differ, mean share", "两个宽网络判法不同的测试数字比例，平均")),
        },
        criteria=(
            above("different networks", apart, 0.5, "no two networks of a width ended at the same weights", "同一宽度没有两个网络终于同样的权重"),
            same("spread falls", all(b < a for a, b in pairwise(spreads)), True, "the spread of the final loss over starts falls with every widening", "每加宽一次，终点损失在各起点间的离散都变小"),
            below("how far", spreads[-1] / spreads[0], 0.25, "from the narrowest to the widest to less than a quarter", "从最窄到最宽，降到四分之一以下"),
            below("worst beats best", float(wide.train.max()), float(narrow.train.min()), "the worst of the widest is better than the best of the narrowest", "最宽者中最差的也好过最窄者中最好的"),
            below("index", worst_index, config.index, "at the ends hardly any curvature is negative", "终点处几乎没有负曲率"),
            above("at the start", before, 2 * worst_index, "at the start more than twice that share was", "起点处的比例是它的两倍以上"),
        ),
        figures=(_histogram(ended), _spread(ended)),
        tables=(
            Table(
                Both("Final losses over starts", "各起点的终点损失"),
                (Both("width", "宽度"), Both("mean", "平均"), Both("spread", "离散"), Both("lowest", "最低"), Both("highest", "最高"), Both("test, mean", "测试，平均"), Both("correlation with test", "与测试的相关"), Both("index", "负曲率比例")),
                tuple(
                    (one.width, float(one.train.mean()), one.spread, float(one.train.min()), float(one.train.max()), float(one.test.mean()), one.correlation, max(found for found, _ in judged[one.width]) if one.width in judged else None)
                    for one in ended
                ),
            ),
        ),
    )  # fmt: skip


def _averaged(x: Tensor) -> Tensor:
    """8 × 8 pixels to 4 × 4."""
    return F.avg_pool2d(x.reshape(-1, 1, 8, 8), 2).reshape(-1, 16)


def _judge(data: Data, ended: Endings, count: int) -> list[tuple[float, float]]:
    """Share of negative curvatures and length of the gradient at the ends of some networks."""
    shapes = [part.shape[1:] for part in ended.weights]
    sizes = [shape.numel() for shape in shapes]

    def loss(flat: Tensor) -> Tensor:
        parts = [part.reshape(shape) for part, shape in zip(torch.split(flat, sizes), shapes, strict=True)]
        return _losses(parts, data.x, data.y)

    found = []
    for place in range(count):
        flat = torch.cat([part[place].reshape(-1) for part in ended.weights])
        with FormulaObjective(loss, flat).at() as point:
            found.append((index(dense_spectrum(hessian(point)).values), float(point.gradient.norm())))
    return found


def _at_start(ended: Endings, seed: int) -> Endings:
    """The same networks before training."""
    first, bias, second, offset = starts(ended.width, len(ended.train), seed)
    return replace(ended, weights=(first, bias, second, offset))


def _apart(ended: Endings) -> float:
    """Smallest distance of two networks over the mean length of the weights."""
    flat = torch.cat([part.reshape(len(part), -1) for part in ended.weights], dim=1)
    distances = torch.cdist(flat, flat) + 1e9 * torch.eye(len(flat), dtype=flat.dtype)
    return float(distances.min() / flat.norm(dim=1).mean())


def _disagreement(data: Data, ended: Endings) -> float:
    """Mean share of test digits on which two of the networks differ."""
    said = _scores(ended.weights, data.test_x.expand(len(ended.train), -1, -1)).argmax(dim=-1)
    pairs = torch.combinations(torch.arange(len(said)))
    return float((said[pairs[:, 0]] != said[pairs[:, 1]]).double().mean())


def _histogram(ended: list[Endings]) -> Chart:
    return Chart(
        "endings",
        Both("Where each training ended", "每次训练终于何处"),
        Axis(Both("hidden units", "隐藏单元"), log=True, ticks=tuple((one.width, Both(str(one.width), str(one.width))) for one in ended)),
        Axis(Both("training loss at the end", "终点训练损失")),
        (
            Line([one.width for one in ended], [float(one.train.mean()) for one in ended], Both("mean", "平均"), color=0, dashed=True),
            *(Scatter([one.width] * len(one.train), one.train.tolist(), Both("one start each", "每点一个起点") if place == 0 else None, color=1) for place, one in enumerate(ended)),
        ),
        Both("Narrow networks end at losses far apart, wide ones at nearly the same loss.", "窄网络的终点损失大不相同，宽网络几乎一样。"),
    )  # fmt: skip


def _spread(ended: list[Endings]) -> Chart:
    widths = [one.width for one in ended]
    return Chart(
        "spread",
        Both("The spread falls with the loss", "离散随损失一起下降"),
        Axis(Both("hidden units", "隐藏单元"), log=True, ticks=tuple((w, Both(str(w), str(w))) for w in widths)),
        Axis(Both("loss", "损失"), log=True),
        (
            Band(widths, [float(one.train.min()) for one in ended], [float(one.train.max()) for one in ended], Both("lowest to highest training loss", "最低到最高训练损失"), color=1),
            Line(widths, [one.spread for one in ended], Both("spread of the training loss", "训练损失的离散"), color=2, marked=True),
            Line(widths, [float(one.test.mean()) for one in ended], Both("test loss, mean", "平均测试损失"), color=3, marked=True),
        ),
        Both("Test loss does not follow: alike in training loss is not the same as good.", "测试损失并不跟随：训练损失一样不等于一样好。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Minima alike",
        question="Does it matter which minimum training falls into?",
        lecture="The conjecture: in large networks almost all local minima have a loss close to the global one. Bad ones exist but are "
        "hardly ever met.",
        formula="spread = standard deviation of the final loss over starts\nindex = share of eigenvalues of H below −0.001",
        expectation="The spread over starts falls with the width; at the ends hardly any curvature is negative.",
        change_mind="A wide network whose trainings end at clearly different losses.",
        lesson="{networks} networks of each width, from {narrow} to {wide} hidden units, each from its own start on its own batches. The "
        "final losses of the narrowest spread by {spread_narrow:.4f} around {mean_narrow:.3f}, those of the widest by "
        "{spread_wide:.1e} around {mean_wide:.4f}; as a share of the loss that is {relative_narrow:.1%} and "
        "{relative_wide:.1%}. The worst wide network is better than the best narrow one.\n\n"
        "At most {index:.2%} of the curvatures at the ends are negative; at the start of a narrow network {before:.0%} are. The ends are not exact minima: gradients of up to "
        "{slope:.4f} remain; it is where training stops.\n\n"
        "Alike in loss is not alike: two of the widest networks still differ on {disagree:.1%} of the test digits. And the "
        "correlation of training with test loss over starts is {correlation_narrow:.2f} in the narrowest networks and "
        "{correlation_wide:.2f} in the widest: to search for a better minimum of the training loss gains little in a wide one.",
        holds="The spread falls with width, and hardly any curvature at the ends is negative.",
        fails="As a share of the loss the spread is {relative_narrow:.1%} in the narrowest and {relative_wide:.1%} in the widest networks: it falls "
        "because the loss does. “Minimum” is more than was shown: gradients are not zero, eigenvalues within 0.001 of zero were left out, and up to {index:.2%} of all "
        "are negative after {updates:,} updates (below {limit:.0%} is demanded). Nothing here says that these losses are the global minimum.",
    ),
    "zh": Page(
        title="极小都相似",
        question="训练落入哪个极小，有关系吗？",
        lecture="猜想：大网络里几乎所有局部极小的损失都接近全局极小。坏的也存在，但几乎碰不到。",
        formula="离散 = 终点损失在各起点间的标准差\n负曲率比例 = H 的特征值中小于 −0.001 的比例",
        expectation="离散随宽度变小；终点处几乎没有负曲率。",
        change_mind="若某个宽网络的各次训练终于明显不同的损失。",
        lesson="每种宽度 {networks} 个网络，隐藏单元从 {narrow} 到 {wide}，各有自己的起点与批次。最窄者的终点损失在 {mean_narrow:.3f} "
        "附近离散 {spread_narrow:.4f}，最宽者在 {mean_wide:.4f} 附近离散 {spread_wide:.1e}；相对损失，离散从 "
        "{relative_narrow:.1%} 变为 {relative_wide:.1%}。最差的宽网络好过最好的窄网络。\n\n"
        "终点处的曲率至多 {index:.2%} 为负；窄网络起点处为 {before:.0%}。终点并非精确的极小：仍有至多 {slope:.4f} 的梯度，那是训练停下的地方。\n\n"
        "损失相似不等于相同：两个最宽的网络仍在 {disagree:.1%} 的测试数字上判法不同。训练与测试损失在各起点间的相关，"
        "最窄者为 {correlation_narrow:.2f}，最宽者为 {correlation_wide:.2f}：在宽网络里，寻找训练损失更低的极小所得无几。",
        holds="离散随宽度变小，终点处几乎无路可下。",
        fails="相对损失而言，离散在最窄的网络为 {relative_narrow:.1%}，在最宽的为 {relative_wide:.1%}：它变小是因为损失变小。"
        "说“极小”多于所证：梯度不为零，0.001 以内的特征值也略去了，{updates:,} 次更新之后曲率至多有 {index:.2%} 为负（要求低于 {limit:.0%}）。这里也没有说明这些损失就是全局极小。",
    ),
}


_right_starts, _right_index = starts, index


def _one_start(width: int, count: int, seed: int) -> tuple[Tensor, ...]:
    """All networks begin at one place, and with wide layers stay near it."""
    return tuple(part[:1].repeat(count, *[1] * (part.dim() - 1)) for part in _right_starts(width, count, seed))


def _zeros_counted(values: Tensor) -> float:
    return _right_index(values, band=-BAND)


PLANTED = (
    plant("all networks start from the same weights", __name__, "starts", _one_start, "different networks"),
    plant("zeros count as ways down", __name__, "index", _zeros_counted, "index"),
)  # fmt: skip
