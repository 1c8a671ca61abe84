"""Hidden units can change places: as many equal points as there are orders, and hills between them."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.lab.charts import Axis, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near
from unstuck.lab.training import accuracy, multilayer, train
from unstuck.lab.words import Both
from unstuck.landscape import LineSlice, line_between
from unstuck.objective import ModelObjective
from unstuck.optim import SGD
from unstuck.problems import digits
from unstuck.problems.unit_symmetries import exchanged, flipped, log10_symmetries

ORDER = 26
COVERS = ("A13", "A14")
COST = Cost(quick_seconds=1, full_seconds=20)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: is deep learning non-convex",
    "scikit-learn's digits; a network 64-32-10 with tanh",
)
SUBJECT = "unstuck.problems.unit_symmetries.exchanged, flipped"

HIDDEN = 32


@dataclass(frozen=True)
class Config:
    """``updates`` of training; ``orders``: random orders whose way is walked; ``points`` on each way."""

    updates: int
    orders: int
    points: int


QUICK = Config(updates=500, orders=4, points=21)
FULL = Config(updates=4000, orders=100, points=41)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Train, exchange units, flip signs, walk between the twins."""
    data = digits(seed=seed, dtype=torch.float64)
    model = multilayer((64, HIDDEN, 10), nn.Tanh, dtype=torch.float64, seed=seed)
    start = _flat(model)
    optimizer = SGD(model.parameters(), lr=0.2, momentum=0.9)
    train(model, data.x, data.y, optimizer, batch=64, updates=config.updates, seed=seed)
    objective = ModelObjective(model, F.cross_entropy, (data.x, data.y))
    here = objective.start()
    loss = objective.value(here)
    progress(0.4, "trained")

    source = torch.Generator().manual_seed(seed)
    twins = [exchanged(model, torch.randperm(HIDDEN, generator=source)) for _ in range(config.orders)]
    signs = torch.randint(0, 2, (HIDDEN,), generator=source).double() * 2 - 1
    mirrored = flipped(model, signs)
    pair = torch.arange(HIDDEN)
    pair[[0, 1]] = pair[[1, 0]]
    swapped = exchanged(model, pair)
    others = [*twins, mirrored, swapped]
    gap = max(abs(objective.value(_flat(other)) - loss) for other in others)
    output_gap = max(float((other(data.x) - model(data.x)).detach().abs().max()) for other in others)
    progress(0.6, "units exchanged")

    ways = [line_between(objective, here, _flat(twin), points=config.points) for twin in twins]
    middles = [objective.value(0.5 * (here + _flat(twin))) for twin in twins]
    way_mirrored = line_between(objective, here, _flat(mirrored), points=config.points)
    way_pair = line_between(objective, here, _flat(swapped), points=config.points)
    barriers = [max(way.losses) - loss for way in ways]
    way_down = line_between(objective, start, here, points=config.points)
    least_distance = min(float((_flat(twin) - here).norm() / here.norm()) for twin in twins)
    count = log10_symmetries(HIDDEN, odd=True)
    progress(1.0, "ways walked")

    return Result(
        numbers={
            "loss": Number(loss, Both("loss of the trained network", "训练后网络的损失")),
            "accuracy": Number(accuracy(model, data.x, data.y), Both("its training accuracy", "其训练准确率")),
            "gap": Number(gap, Both("largest difference of loss among its twins", "孪生网络损失的最大差别")),
            "middle": Number(min(middles), Both("lowest loss halfway to a twin", "到孪生网络半路上的最低损失")),
            "middle_highest": Number(max(middles), Both("highest loss halfway to a twin", "到孪生网络半路上的最高损失")),
            "pair": Number(max(way_pair.losses), Both("highest loss on the way when only two units change places", "只交换两个单元时途中的最高损失")),
            "mirrored": Number(max(way_mirrored.losses), Both("highest loss on the way to the network with signs flipped", "到翻转符号的网络途中的最高损失")),
            "orders": Number(config.orders, Both("random orders tried", "尝试的随机次序数")),
            "count": Number(count, Both("log10 of the number of equal points", "等损失点个数的 log10")),
            "distance": Number(least_distance, Both("smallest distance to a twin, over the length of the weights", "到孪生网络的最小距离与权重长度之比")),
        },
        criteria=(
            below("equal loss", gap, 1e-12, "a network with its units in another order, or signs flipped, has the same loss", "单元换序或翻转符号的网络损失相同"),
            below("equal function", output_gap, 1e-10, "and the same outputs, example by example", "并且逐个样本输出相同"),
            above("elsewhere", least_distance, 0.5, "though it is another point: at least half the weights' own length away", "但它是另一个点：距离至少为权重长度的一半"),
            above("midpoint higher", min(middles), 2 * (loss + gap), "halfway to every twin the loss is more than twice as high: not convex", "到每个孪生网络的半路上损失高出一倍以上：非凸"),
            above("a hill on every way", min(barriers), 0.05, "every way has a hill", "每条路上都有山"),
            above("signs", max(way_mirrored.losses), 2 * loss, "so has the way to the network with signs flipped", "到翻转符号的网络也是如此"),
            above("two units", max(way_pair.losses), loss + 1e-6, "exchanging two units only also leads over a hill, a low one", "只交换两个单元也要翻山，不过是座小山"),
            near("how many", count, 45.05, 0.01, "32 units with tanh have 32! · 2³², about 10⁴⁵, equal points", "32 个 tanh 单元有 32! · 2³²，约 10⁴⁵ 个等损失点"),
            below("not difficult", loss, 0.1 * way_down.losses[0], "gradient descent finds one of them all the same", "梯度下降照样找到其中之一"),
        ),
        figures=(_chart(ways, way_mirrored, way_pair, loss),),
        tables=(
            Table(
                Both("Highest loss on the straight way to a twin", "到孪生网络的直路上的最高损失"),
                (Both("twin", "孪生网络"), Both("halfway", "半路"), Both("highest", "最高")),
                (
                    *((Both(f"order {i + 1}", f"次序 {i + 1}"), middles[i], max(ways[i].losses)) for i in range(min(8, len(ways)))),
                    (Both("signs flipped", "翻转符号"), objective.value(0.5 * (here + _flat(mirrored))), max(way_mirrored.losses)),
                    (Both("two units exchanged", "交换两个单元"), objective.value(0.5 * (here + _flat(swapped))), max(way_pair.losses)),
                ),
            ),
        ),
    )  # fmt: skip


def _flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()]).clone()


def _chart(ways: list[LineSlice], mirrored: LineSlice, pair: LineSlice, loss: float) -> Chart:
    def line(way: LineSlice, words: Both | None, color: int, thin: bool = False) -> Line:
        return Line(list(way.positions), list(way.losses), words, color=color, thin=thin)

    return Chart(
        "ways",
        Both("From a network to its twins", "从网络到它的孪生网络"),
        Axis(Both("position: 0 the network, 1 its twin", "位置：0 为原网络，1 为孪生网络")),
        Axis(Both("training loss", "训练损失"), log=True),
        (
            *(line(way, Both("units in another order", "单元换序") if i == 0 else None, 1, i > 0) for i, way in enumerate(ways[:6])),
            line(mirrored, Both("signs flipped", "翻转符号"), 2),
            line(pair, Both("two units exchanged", "交换两个单元"), 3),
            Level(y=loss, label=Both("loss at both ends", "两端的损失")),
        ),
        Both("Both ends compute the same function. Between them the loss rises, the more units change places the higher.", "两端计算同一个函数，其间损失升高；换位的单元越多，升得越高。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Units change places",
        question="Why is the loss of a deep network not convex, and is that the trouble?",
        lecture="Exchange two hidden units with all their weights and the network computes the same. So there are as many points of "
        "equal loss as there are orders of the units. Were the loss convex, the points between two of them could not be higher; "
        "they are. But not convex is not the same as difficult: perhaps all those minima are equally good.",
        formula="f(PW₁, W₂Pᵀ) = f(W₁, W₂) for every order P: H! points;  tanh(−z) = −tanh(z): 2^H times as many\n"
        "convex would mean L(½θ + ½θ′) ≤ ½L(θ) + ½L(θ′)",
        expectation="Equal losses to rounding, a midpoint far higher, and training that works all the same.",
        change_mind="A twin with another loss, or a straight way between twins without a hill.",
        lesson="The network reaches loss {loss:.4f} and {accuracy:.1%} of its digits. Its twins have the same loss to {gap:.0e}, though "
        "they lie at least {distance:.2f} times the weights' own length away. Halfway to them the loss is between {middle:.3f} "
        "and {middle_highest:.3f}: the surface is not convex, whatever the data.\n\n"
        "How high the hill is depends on how much moves: with two of the units exchanged the highest loss on the way is "
        "{pair:.4f}; with signs flipped {mirrored:.3f}.\n\n"
        "There are about 10 to the power {count:.0f} such points for 32 units alone. Gradient descent does not have to choose "
        "among them, it falls into one; any of them will do.",
        holds="All of it: equal points, a hill on every straight way that was tried, and that this alone makes nothing difficult. (Curved ways around the hills may exist; convexity is about straight ones.)",
    ),
    "zh": Page(
        title="单元换位",
        question="深度网络的损失为什么非凸？这是麻烦所在吗？",
        lecture="把两个隐藏单元连同全部权重对调，网络计算的还是同一个函数。于是单元有多少种次序，就有多少个等损失的点。"
        "若损失是凸的，两点之间不可能更高，而事实上更高。但非凸不等于困难：也许这些极小都一样好。",
        formula="对任何次序 P：f(PW₁, W₂Pᵀ) = f(W₁, W₂)，共 H! 个点；tanh(−z) = −tanh(z)：再乘 2^H\n"
        "若为凸，则 L(½θ + ½θ′) ≤ ½L(θ) + ½L(θ′)",
        expectation="损失在舍入误差内相等，中点高得多，而训练照样成功。",
        change_mind="若孪生网络损失不同，或两者之间有一条没有山的直路。",
        lesson="网络的损失为 {loss:.4f}，判对 {accuracy:.1%} 的数字。孪生网络的损失与它相差不过 {gap:.0e}，"
        "尽管相距至少为权重长度的 {distance:.2f} 倍。半路上的损失在 {middle:.3f} 与 {middle_highest:.3f} 之间："
        "无论数据如何，曲面都非凸。\n\n"
        "山有多高取决于动了多少：只交换两个单元，途中最高损失为 {pair:.4f}；翻转符号则为 {mirrored:.3f}。\n\n"
        "仅 32 个单元，这样的点就约有 10 的 {count:.0f} 次方个。梯度下降不必在其中挑选，它落入一个即可，哪个都行。",
        holds="全部成立：等损失的点、试过的每条直路上的山，以及单凭这一点并不造成困难。（也许有绕过山的弯路；凸性只说直路。）",
    ),
}


def _put_back(twin: nn.Sequential, model: nn.Sequential, index: int) -> nn.Sequential:
    state = twin.state_dict()
    state[f"{index}.weight"] = model.state_dict()[f"{index}.weight"].clone()
    twin.load_state_dict(state)
    return twin


def _only_what_enters(model: nn.Sequential, order: Tensor) -> nn.Sequential:
    return _put_back(exchanged_right(model, order), model, 2)


def _only_what_leaves(model: nn.Sequential, signs: Tensor) -> nn.Sequential:
    return _put_back(flipped_right(model, signs), model, 0)


exchanged_right, flipped_right = exchanged, flipped

PLANTED = (
    plant("the weights that leave the units stay where they were", __name__, "exchanged", _only_what_enters, "equal loss", "equal function"),
    plant("the weights that enter keep their sign", __name__, "flipped", _only_what_leaves, "equal loss"),
)  # fmt: skip
