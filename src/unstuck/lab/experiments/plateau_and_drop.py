"""A loss that falls in stairs: plateaus are visits to saddles, and the gradient's norm tells them."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import dense_spectrum, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.landscape import classify
from unstuck.optim import Rule
from unstuck.optim.directions import Gradient
from unstuck.problems.linear_modes import LinearModes, learned_by, linear_modes

ORDER = 32
COVERS = ("A12",)
COST = Cost(quick_seconds=2, full_seconds=8)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: what to watch when the loss stands still",
    "Saxe, McClelland and Ganguli 2014: exact learning curves of linear networks",
)
SUBJECT = "unstuck.problems.linear_modes.learned_by, unstuck.landscape.classify"


@dataclass(frozen=True)
class Config:
    """``rate`` of gradient descent, followed for ``time``; ``random``: starts that are not balanced."""

    rate: float
    time: float
    random: int


QUICK = Config(rate=0.004, time=24.0, random=1)
FULL = Config(rate=0.001, time=24.0, random=8)

STRENGTHS = (3.0, 1.2, 0.5)
FIRST = 1e-8  # of each mode, learned at the start


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Train from small weights, compare with the curves, stand on each plateau, then start at random."""
    problem = linear_modes(STRENGTHS, seed=seed)
    steps = round(config.time / config.rate)
    path = follow(Rule(Gradient(), lr=config.rate), problem.slope, problem.balanced(FIRST).tolist(), steps)
    track = _track(problem, path, config.rate)
    fit = max(
        float((track.learned[:, mode] - learned_by(s, FIRST, track.time)).abs().max()) / s
        for mode, s in enumerate(STRENGTHS)
    )
    progress(0.5, "trained")

    halves = [_half(track.learned[:, mode], s, config.rate) for mode, s in enumerate(STRENGTHS)]
    plateaus = _plateaus(track, halves)
    drops = [
        _peak(track, place, after) for place, after in zip(plateaus, [*plateaus[1:], len(track.norm)], strict=True)
    ]
    dips = [float(track.norm[place] / track.norm[drop]) for place, drop in zip(plateaus, drops, strict=True)]
    standing = [_standing(problem, path[place]) for place in plateaus]
    shares = [float(track.learned[drop, mode]) / s for (mode, s), drop in zip(enumerate(STRENGTHS), drops, strict=True)]
    early = [half - float(track.time[drop]) for half, drop in zip(halves, drops, strict=True)]
    energy = _energy_gap(track, config.rate)
    progress(0.8, "plateaus judged")

    others = [_random(problem, seed + index, config) for index in range(config.random)]
    ordered = all(times[0] < times[1] < times[2] for times in others)
    judged = classify(problem.objective(path[plateaus[1]]), seed=seed)
    curved = [abs(low / -s - 1) for (low, _), s in zip(standing, STRENGTHS, strict=True)]
    flat = _flat_share(track, plateaus[1], config.rate)
    progress(1.0, "random starts trained")

    return Result(
        numbers={
            "fit": Number(fit, Both("largest distance from the curve, over the strength", "与曲线的最大距离与强度之比")),
            **{f"half_{i + 1}": Number(half, Both(f"time when mode {i + 1} is half learned", f"模式 {i + 1} 学到一半的时刻")) for i, half in enumerate(halves)},
            **{f"dip_{i + 1}": Number(dip, Both(f"gradient on the plateau before drop {i + 1}, over the one at the drop", f"第 {i + 1} 次下降前平台上的梯度与下降处之比")) for i, dip in enumerate(dips)},
            **{f"low_{i + 1}": Number(low, Both(f"most negative curvature on that plateau ({i + 1})", f"该平台（{i + 1}）上最负的曲率")) for i, (low, _) in enumerate(standing)},
            "loss_2": Number(float(track.loss[plateaus[1]]), Both("loss on the second plateau", "第二个平台上的损失")),
            "norm_2": Number(float(track.norm[plateaus[1]]), Both("gradient there", "此处的梯度")),
            "flat": Number(flat, Both("fall of the loss there in one unit of time, over the loss", "此处单位时间内损失的下降与损失之比")),
            "peak": Number(max(shares, key=lambda share: abs(share - 1 / 3)), Both("share of a mode learned where the gradient is largest, the farthest from ⅓", "梯度最大时模式学到的比例，离 ⅓ 最远者")),
            "random": Number(others[0][2], Both("the third drop from a random start", "随机起点的第三次下降")),
        },
        criteria=(
            below("the curve", fit, 0.05, "each mode is learned along s/(1 + (s/u₀ − 1)e^(−2st))", "每个模式都沿 s/(1 + (s/u₀ − 1)e^(−2st)) 学会"),
            near("times", max(abs(half / _half_time(s) - 1) for half, s in zip(halves, STRENGTHS, strict=True)), 0, 0.03, "half of it at ln(s/u₀ − 1)/(2s): weak modes late", "在 ln(s/u₀ − 1)/(2s) 学到一半：弱模式晚"),
            below("gradient dips", max(dips), 0.1, "on every plateau the gradient is less than a tenth of that at the drop that follows", "每个平台上的梯度不到随后下降处的十分之一"),
            near("and peaks at the drop", max(shares, key=lambda share: abs(share - 1 / 3)), 1 / 3, 0.02, "between two plateaus the gradient is largest where a third of the next mode is learned (the farthest of three)", "两个平台之间，梯度最大之处是下一个模式学到三分之一时（三者中差得最远的）"),
            near("before the half", max((e * 2 * s / math.log(2) for e, s in zip(early, STRENGTHS, strict=True)), key=lambda ratio: abs(ratio - 1)), 1, 0.02, "which is ln 2/(2s) before half of it is", "比学到一半早 ln 2/(2s)"),
            below("energy", energy, 0.02, "the loss falls by η‖g‖² a step: plateaus and small gradients are one thing here", "每步损失下降 η‖g‖²：在此平台与小梯度是一回事"),
            below("what curves down", max(curved), 0.05, "the most negative curvature on a plateau is minus the strength to be learned next", "平台上最负的曲率等于下一个要学的强度取负"),
            same("ways down", tuple(count for _, count in standing), (12, 6, 2), "the ways down are as many as strengths left times units free: 3·4, 2·3, 1·2", "下坡方向的个数等于剩余强度数乘以空闲单元数：3·4、2·3、1·2"),
            same("not a minimum", judged.state in ("saddle", "descending"), True, "the second plateau is not called a minimum", "第二个平台不会被判为极小"),
            below("flat to the eye", flat, 0.02, "though in a unit of time the loss there falls by less than two hundredths", "尽管单位时间内那里的损失下降不到百分之二"),
            same("random starts", ordered, True, "from small random weights the stairs come in the same order", "从小的随机权重出发，台阶次序相同"),
        ),
        figures=(_stairs(track, plateaus), _norms(track, plateaus, drops), _curves(track)),
        tables=(
            Table(
                Both("Plateaus", "平台"),
                (Both("before mode", "模式之前"), Both("time", "时刻"), Both("loss", "损失"), Both("gradient", "梯度"), Both("most negative curvature", "最负的曲率"), Both("ways down", "下坡方向")),
                tuple(
                    (i + 1, float(track.time[place]), float(track.loss[place]), float(track.norm[place]), low, count)
                    for i, (place, (low, count)) in enumerate(zip(plateaus, standing, strict=True))
                ),
            ),
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class Track:
    """Every step's time, loss, gradient length, and modes learned (steps, modes)."""

    time: Tensor
    loss: Tensor
    norm: Tensor
    learned: Tensor


def _track(problem: LinearModes, path: Tensor, rate: float) -> Track:
    every = range(len(path))
    return Track(
        rate * torch.arange(len(path), dtype=torch.float64),
        torch.stack([problem.loss(path[i]) for i in every]),
        torch.stack([problem.slope(path[i]).norm() for i in every]),
        torch.stack([problem.modes(path[i]) for i in every]),
    )


def _half_time(strength: float) -> float:
    found = torch.tensor(strength / FIRST - 1, dtype=torch.float64).log() / (2 * strength)
    return float(found)


def _half(learned: Tensor, strength: float, rate: float) -> float:
    return rate * int((learned > strength / 2).to(torch.int8).argmax())


def _plateaus(track: Track, halves: list[float]) -> list[int]:
    """The step of the smallest gradient before each drop."""
    places, begin = [], 0
    for half in halves:
        end = max(begin + 1, int((track.time <= half).sum()) - 1)
        places.append(begin + int(track.norm[begin:end].argmin()))
        begin = end
    return places


def _peak(track: Track, plateau: int, after: int) -> int:
    """The step of the largest gradient between one plateau and the next (or the end)."""
    return plateau + int(track.norm[plateau:after].argmax())


def _standing(problem: LinearModes, place: Tensor) -> tuple[float, int]:
    """The most negative curvature and the number of those below −0.1."""
    with problem.objective(place).at() as point:
        values = dense_spectrum(hessian(point)).values
    return float(values[0]), int((values < -0.1).sum())


def _energy_gap(track: Track, rate: float) -> float:
    """Of the loss that was lost, the share that Σ η‖g‖² does not account for."""
    lost = float(track.loss[0] - track.loss[-1])
    return abs(rate * float(track.norm[:-1].square().sum()) / lost - 1)


def _flat_share(track: Track, place: int, rate: float) -> float:
    half = round(0.5 / rate)
    return float((track.loss[place - half] - track.loss[place + half]) / track.loss[place])


def _random(problem: LinearModes, seed: int, config: Config) -> list[float]:
    """Half times from random weights of size 0.01."""
    start = 0.01 * torch.randn(problem.size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rate = 4 * config.rate
    path = follow(Rule(Gradient(), lr=rate), problem.slope, start.tolist(), round(config.time / rate))
    learned = torch.stack([problem.modes(place) for place in path])
    return [_half(learned[:, mode], s, rate) for mode, s in enumerate(STRENGTHS)]


def _thin(values: Tensor) -> list[float]:
    out: list[float] = values[:: max(1, len(values) // 600)].tolist()
    return out


def _stairs(track: Track, plateaus: list[int]) -> Chart:
    return Chart(
        "stairs",
        Both("The loss falls in stairs", "损失呈阶梯下降"),
        Axis(Both("time (rate × updates)", "时间（学习率 × 更新次数）")),
        Axis(Both("loss", "损失")),
        (
            Line(_thin(track.time), _thin(track.loss), Both("loss", "损失"), color=1),
            Scatter([float(track.time[i]) for i in plateaus], [float(track.loss[i]) for i in plateaus], Both("smallest gradient of a plateau", "平台上梯度最小处"), color=2, shape="s"),
        ),
        Both("Each drop learns one singular value: 3, then 1.2, then 0.5.", "每次下降学会一个奇异值：先 3，再 1.2，再 0.5。"),
    )  # fmt: skip


def _norms(track: Track, plateaus: list[int], drops: list[int]) -> Chart:
    return Chart(
        "norms",
        Both("The gradient dips on plateaus and peaks at drops", "梯度在平台上低，在下降处高"),
        Axis(Both("time (rate × updates)", "时间（学习率 × 更新次数）")),
        Axis(Both("length of the gradient", "梯度的长度"), log=True),
        (
            Line(_thin(track.time), _thin(track.norm), Both("length of the gradient", "梯度的长度"), color=1),
            Scatter([float(track.time[i]) for i in plateaus], [float(track.norm[i]) for i in plateaus], Both("plateau", "平台"), color=2, shape="s"),
            Scatter([float(track.time[i]) for i in drops], [float(track.norm[i]) for i in drops], Both("drop", "下降"), color=3, shape="^"),
        ),
        Both("A small gradient with negative curvature is a saddle passed slowly, not the end: only after the last drop does the gradient go on falling.", "梯度小而曲率有负，是在慢慢经过鞍点，不是终点：最后一次下降之后梯度才一路变小。"),
    )  # fmt: skip


def _curves(track: Track) -> Chart:
    marks: list[Line | Level] = []
    for mode, s in enumerate(STRENGTHS):
        marks.append(
            Line(
                _thin(track.time),
                _thin(track.learned[:, mode]),
                Both(f"measured, s = {s:g}", f"实测，s = {s:g}"),
                color=mode + 1,
            )
        )
        marks.append(
            Line(
                _thin(track.time),
                _thin(learned_by(s, FIRST, track.time)),
                Both("formula", "公式") if mode == 0 else None,
                color=0,
                dashed=True,
            )
        )
    return Chart(
        "modes",
        Both("How much of each singular value is learned", "每个奇异值学会了多少"),
        Axis(Both("time (rate × updates)", "时间（学习率 × 更新次数）")),
        Axis(alike("uᵀ W₂W₁ v")),
        tuple(marks),
        Both("The formula lies on the measured curves.", "公式与实测曲线重合。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Plateau and drop",
        question="When the loss stands still and then falls again, where was it standing?",
        lecture="A loss that stands still is not proof of a local minimum: look at the Hessian, or at the length of the gradient. The "
        "lecture shows a loss in stairs whose gradient falls on each plateau and shoots up at each escape.",
        formula="L = ½‖M − W₂W₁‖²,  M has singular values s\nu(t) = s/(1 + (s/u₀ − 1) e^(−2st)),   half of it at t = ln(s/u₀ − 1)/(2s)\n‖g‖² = 2u(s − u)² on the way, largest at u = s/3, ln 2/(2s) earlier\nH on the plateau before s: smallest eigenvalue −s",
        expectation="Three stairs along exact curves; the gradient small on each and large at each drop; negative curvature on each.",
        change_mind="A plateau without negative curvature, or modes that do not follow the formula.",
        lesson="A linear network of two layers is small enough to be solved exactly. Each singular value of what it has to learn is "
        "picked up along its own S-shaped curve, to {fit:.1%} here: half at times {half_1:.2f}, {half_2:.2f} and {half_3:.2f}. In "
        "between nothing seems to happen.\n\n"
        "On the second plateau the loss is {loss_2:.3f}, falls by {flat:.1%} in a unit of time, and the gradient is {norm_2:.4f}. It "
        "looks converged. The Hessian says otherwise: its most negative curvature is {low_2:.3f}, the strength of the value to be "
        "learned next with a minus. The three plateaus have {low_1:.2f}, {low_2:.2f} and {low_3:.2f}; each is a saddle passed by.\n\n"
        "Before each drop the gradient is {dip_1:.4f}, {dip_2:.4f} and {dip_3:.4f} of what it is at the drop. The "
        "gradient peaks when a third of the mode is learned ({peak:.3f} measured), a little before the half. For gradient descent "
        "with a small rate this must be so, since the loss falls by η‖g‖² a step. With mini-batches it need not: then the loss may "
        "stand still while the gradient stays large.",
        holds="Stairs, dips and peaks, and that a loss at rest is no minimum.",
        fails="“Look at the gradient” separates plateau from bouncing, not saddle from minimum: for that it takes the Hessian.",
    ),
    "zh": Page(
        title="平台与下降",
        question="损失停住又再下降时，它停在了哪里？",
        lecture="损失停住并不证明到了局部极小：要看黑塞矩阵，或看梯度的长度。讲义给出阶梯状的损失，梯度在每个平台上变小，"
        "在每次逃离时猛增。",
        formula="L = ½‖M − W₂W₁‖²，M 的奇异值为 s\nu(t) = s/(1 + (s/u₀ − 1) e^(−2st))，在 t = ln(s/u₀ − 1)/(2s) 时学到一半\n途中 ‖g‖² = 2u(s − u)²，在 u = s/3 处最大，早 ln 2/(2s)\n在 s 之前的平台上，H 的最小特征值为 −s",
        expectation="沿精确曲线的三级台阶；平台上梯度小、下降处梯度大；每个平台都有负曲率。",
        change_mind="若某个平台没有负曲率，或模式不遵循公式。",
        lesson="两层线性网络小到可以精确求解。要学的每个奇异值都沿自己的 S 形曲线学会，这里误差 {fit:.1%}："
        "学到一半的时刻为 {half_1:.2f}、{half_2:.2f}、{half_3:.2f}。其间似乎什么也没发生。\n\n"
        "第二个平台上损失为 {loss_2:.3f}，单位时间下降 {flat:.1%}，梯度为 {norm_2:.4f}，看似已收敛。黑塞矩阵却另有说法："
        "最负的曲率是 {low_2:.3f}，正是下一个要学的强度取负。三个平台分别为 {low_1:.2f}、{low_2:.2f}、{low_3:.2f}，"
        "都是途经的鞍点。\n\n"
        "每次下降之前，梯度只有下降处的 {dip_1:.4f}、{dip_2:.4f}、{dip_3:.4f}。模式学到三分之一时梯度最大（测得 {peak:.3f}），略早于一半。学习率小的梯度下降必然如此，"
        "因为每步损失下降 η‖g‖²。小批量则未必：损失可能停住而梯度仍大。",
        holds="台阶、低谷与高峰，以及损失停住并非极小。",
        fails="“看梯度”能分开平台与来回弹跳，却分不开鞍点与极小：那要看黑塞矩阵。",
    ),
}


_right_slope, _right_curve = LinearModes.slope, learned_by


def _last_layer_only(problem: LinearModes, weights: Tensor) -> Tensor:
    slope = _right_slope(problem, weights)
    slope[: problem.hidden * problem.target.shape[1]] = 0
    return slope


def _half_as_fast(strength: float, start: float, time: Tensor) -> Tensor:
    return _right_curve(strength, start, time / 2)


PLANTED = (
    plant("the curve's exponent lacks its 2", __name__, "learned_by", _half_as_fast, "the curve"),
    plant("only the last layer is trained", "unstuck.problems.linear_modes:LinearModes", "slope", _last_layer_only, "the curve", "times"),
)  # fmt: skip
