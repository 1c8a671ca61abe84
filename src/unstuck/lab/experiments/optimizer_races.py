"""Eight rules race to the goal on Beale's surface, Rosenbrock's and a long valley, each at a rate that suits it."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.lab.charts import Axis, Bars, Chart, Playground, Racer, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.optim import Rule
from unstuck.optim.directions import Average, Gradient, Momentum, NesterovVelocity, Velocity
from unstuck.optim.scales import MovingDelta, MovingSquare, SumOfSquares
from unstuck.problems import BEALE, LONG_VALLEY, ROSENBROCK, Surface

ORDER = 35
COVERS = ("O11",)
COST = Cost(quick_seconds=1, full_seconds=15)
SOURCES = (
    "Radford's animations of optimizers, as CS231n and Ruder 2016 show them",
    "Beale 1955 and Rosenbrock 1960: test functions with known minima, (3, 0.5) and (1, 1)",
)
SUBJECT = "unstuck.optim.directions, unstuck.optim.scales"


@dataclass(frozen=True)
class Config:
    """``cap``: updates after which a rule has not arrived; ``grid``: rates tried for each rule."""

    cap: int
    grid: tuple[float, ...]


QUICK = Config(cap=700, grid=())
FULL = Config(cap=1500, grid=(0.003, 0.01, 0.03, 0.1, 0.3, 0.9))

RULES = ("gradient", "momentum", "velocity", "nesterov", "adagrad", "adadelta", "rmsprop", "adam")
NAMES = {
    "gradient": Both("gradient descent", "梯度下降"),
    "momentum": Both("momentum (v ← ρv + g)", "动量（v ← ρv + g）"),
    "velocity": Both("momentum (the lecture's)", "动量（讲义写法）"),
    "nesterov": alike("Nesterov"),
    "adagrad": alike("AdaGrad"),
    "adadelta": alike("Adadelta"),
    "rmsprop": alike("RMSProp"),
    "adam": alike("Adam"),
}


@dataclass(frozen=True)
class Track:
    """A surface to race on: its page's form, start, goal, window, and the rate of each rule in the order of RULES."""

    title: Both
    surface: Surface
    start: tuple[float, float]
    goal: tuple[float, float]
    window: tuple[tuple[float, float], tuple[float, float]]
    rates: tuple[float, ...]


# Rates: 1 or 3 times a power of ten (0.9 for 1) that arrives and stays, nearly always the fastest of these; Adadelta has its own 1.
TRACKS = {
    "beale": Track(
        Both("Beale's surface", "Beale 曲面"),
        BEALE,
        (1.0, 1.0),
        (3.0, 0.5),
        ((-1.0, 4.5), (-1.5, 1.5)),
        (0.03, 0.01, 0.01, 0.01, 0.9, 1.0, 0.03, 0.3),
    ),
    "rosenbrock": Track(
        Both("Rosenbrock's valley", "Rosenbrock 弯谷"),
        ROSENBROCK,
        (-1.2, 1.0),
        (1.0, 1.0),
        ((-2.0, 2.0), (-1.0, 3.0)),
        (0.001, 0.003, 0.003, 0.001, 0.9, 1.0, 0.01, 0.1),
    ),
    "valley": Track(
        Both("A long valley", "狭长的谷"),
        LONG_VALLEY,
        (-8.0, 1.5),
        (0.0, 0.0),
        ((-9.0, 3.0), (-2.0, 2.0)),
        (0.9, 0.3, 0.3, 0.3, 0.9, 1.0, 0.03, 0.3),
    ),
}  # fmt: skip
NEAR = 0.1  # of the goal: arrived, if it stays


def rule_of(name: str, rate: float) -> Rule:
    """The rule by its name in RULES."""
    kinds = {
        "gradient": (Gradient(), None),
        "momentum": (Momentum(0.9), None),
        "velocity": (Velocity(0.9), None),
        "nesterov": (NesterovVelocity(0.9), None),
        "adagrad": (Gradient(), SumOfSquares()),
        "adadelta": (Gradient(), MovingDelta()),
        "rmsprop": (Gradient(), MovingSquare(0.9)),
        "adam": (Average(0.9), MovingSquare(0.999, correct=True)),
    }
    direction, scale = kinds[name]
    return Rule(direction, scale, lr=rate)  # type: ignore[arg-type]


def slope_of(track: str, w: Tensor) -> Tensor:
    """Gradient of a track's surface at (x, y)."""
    x, y = w
    if track == "beale":
        a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
        return 2 * torch.stack(
            [a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1), a * x + 2 * b * x * y + 3 * c * x * y**2]
        )
    if track == "rosenbrock":
        return torch.stack([2 * (x - 1) - 400 * x * (y - x**2), 200 * (y - x**2)])
    return torch.stack([0.02 * x, 2 * y])


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Race all rules on all surfaces; in the full form also over a grid of rates."""
    paths: dict[str, dict[str, Tensor]] = {}
    for place, (name, track) in enumerate(TRACKS.items()):
        paths[name] = {
            rule: _path(name, track, rule, rate, config.cap) for rule, rate in zip(RULES, track.rates, strict=True)
        }
        progress(0.4 * (place + 1) / len(TRACKS), name)
    steps = {
        name: {rule: _arrival(path, TRACKS[name].goal, config.cap) for rule, path in raced.items()}
        for name, raced in paths.items()
    }
    order = {name: sorted(RULES, key=lambda rule, name=name: steps[name][rule]) for name in TRACKS}  # type: ignore[misc]
    improved = _grid(config, steps, progress)
    gap = max(
        abs(float(a) - b)
        for name, track in TRACKS.items()
        for a, b in zip(
            slope_of(name, torch.tensor([0.7, -0.4], dtype=torch.float64)), track.surface.slope(0.7, -0.4), strict=True
        )
    )
    forms = max(abs(steps[name]["momentum"] - steps[name]["velocity"]) for name in TRACKS)
    arrived = tuple(rule for rule in RULES if steps["rosenbrock"][rule] <= 700)
    inert = {name: min(steps[name][rule] for rule in ("momentum", "velocity", "nesterov")) for name in TRACKS}
    numbers = {
        f"{name}_{rule}": Number(
            count, Both(f"{TRACKS[name].title.en}: updates of {NAMES[rule].en}", f"{TRACKS[name].title.zh}：{NAMES[rule].zh}的更新数")
        )
        for name, found in steps.items()
        for rule, count in found.items()
    }  # fmt: skip
    return Result(
        numbers={
            **numbers,
            "cap": Number(config.cap, Both("updates at most; one more means not arrived", "更新上限；多一表示未到达")),
            "races": Number(len(RULES) * len(TRACKS), Both("rules times surfaces", "方法数乘曲面数")),
            "tried": Number(len(config.grid), Both("other rates tried for each rule on each surface", "每个方法在每个曲面上另试的学习率数")),
            "improved": Number(improved, Both("rules and surfaces for which one of these was faster by a fifth", "其中有学习率快五分之一以上的情形数")),
        },
        criteria=(
            below("one surface", gap, 1e-9, "the page's surfaces have the slopes that were raced on", "页面上的曲面与赛跑所用的坡度一致"),
            same("goals", tuple(max(abs(s) for s in track.surface.slope(*track.goal)) < 1e-9 for track in TRACKS.values()), (True, True, True), "the slope is zero at each goal", "每个目标处坡度为零"),
            same("gradient after momentum", all(steps[name]["gradient"] > inert[name] for name in TRACKS), True, "on every surface a rule with momentum arrives before gradient descent", "在每个曲面上，带动量的方法都先于梯度下降到达"),
            same("two forms", forms, 0, "both forms of momentum arrive at the same update", "动量的两种写法在同一次更新到达"),
            same("Beale", tuple(order["beale"][:2]), ("adam", "adagrad"), "on Beale's surface Adam is first, AdaGrad second", "在 Beale 曲面上 Adam 第一，AdaGrad 第二"),
            same("Rosenbrock", arrived, ("momentum", "velocity", "nesterov", "adam"), "on Rosenbrock's only momentums, Nesterov's and Adam arrive within 700", "在 Rosenbrock 弯谷里，700 次之内到达的只有动量、Nesterov 与 Adam"),
            above("long valley", steps["valley"]["gradient"], 2 * inert["valley"], "in the long valley momentum takes less than half of gradient descent's updates", "在狭长的谷中，动量所需更新不到梯度下降的一半"),
            above("no winner", len({order[name][0] for name in TRACKS}), 1, "no rule wins everywhere", "没有哪个方法处处获胜"),
        ),
        figures=(_bars(steps, config), *(_playground(name, paths[name], steps[name], config) for name in TRACKS)),
        tables=(
            Table(
                Both(f"Updates until within {NEAR:g} of the goal for good", f"到目标 {NEAR:g} 以内并留住所需更新"),
                (Both("rule", "方法"), *(head for track in TRACKS.values() for head in (track.title, Both("its rate", "其学习率")))),
                tuple((NAMES[rule], *(value for name, track in TRACKS.items() for value in (_in_words(steps[name][rule], config.cap), track.rates[place]))) for place, rule in enumerate(RULES)),
            ),
        ),
    )  # fmt: skip


def _path(name: str, track: Track, rule: str, rate: float, cap: int) -> Tensor:
    return follow(rule_of(rule, rate), lambda w: slope_of(name, w), track.start, cap, far=1e6)


def _arrival(path: Tensor, goal: tuple[float, float], cap: int) -> int:
    """The update from which on the path stays near the goal; cap + 1 if there is none."""
    away = torch.nonzero(~((path - torch.tensor(goal, dtype=torch.float64)).norm(dim=1) < NEAR))
    last = int(away[-1]) + 1 if len(away) else 0
    return last if last < len(path) and len(path) == cap + 1 else cap + 1


def _in_words(count: int, cap: int) -> int | Both:
    return count if count <= cap else Both(f"more than {cap:,}", f"多于 {cap:,}")


def _grid(config: Config, steps: dict[str, dict[str, int]], progress: Progress) -> int:
    """How many of the rates can be bettered by a fifth on the grid."""
    better = 0
    for place, (name, track) in enumerate(TRACKS.items()):
        for rule in RULES:
            found = [
                _arrival(_path(name, track, rule, rate, config.cap), track.goal, config.cap) for rate in config.grid
            ]
            better += bool(found) and min(found) < 0.8 * steps[name][rule]
        progress(0.4 + 0.6 * (place + 1) / len(TRACKS), name)
    return better


def _bars(steps: dict[str, dict[str, int]], config: Config) -> Chart:
    places = list(range(len(RULES)))
    short = {
        "gradient": Both("gradient", "梯度"),
        "momentum": Both("moment. 1", "动量 1"),
        "velocity": Both("mom. 2", "动量 2"),
    }
    return Chart(
        "steps",
        Both("Updates to the goal", "到目标所需的更新"),
        Axis(Both("rule", "方法"), ticks=tuple((i, short.get(rule, NAMES[rule])) for i, rule in enumerate(RULES))),
        Axis(Both(f"updates ({config.cap + 1}: not arrived)", f"更新次数（{config.cap + 1}：未到达）")),
        tuple(
            Bars(places, [float(steps[name][rule]) for rule in RULES], track.title, color=color)
            for color, (name, track) in enumerate(TRACKS.items(), start=1)
        ),
        Both("Each rule at a rate that suits it. The order is another on each surface.", "每个方法取适合它的学习率。每个曲面上的名次都不同。"),
    )  # fmt: skip


def _playground(name: str, raced: dict[str, Tensor], steps: dict[str, int], config: Config) -> Playground:
    track = TRACKS[name]
    # Until the last that arrives has stayed a while, in at most 250 pictures: all paths thinned alike, to stay in step.
    last = min(config.cap, 5 * max(arrived for arrived in steps.values() if arrived <= config.cap) // 4)
    every = -(-last // 250)
    return Playground(
        name,
        Both(f"The race: {track.title.en}", f"赛跑：{track.title.zh}"),
        track.surface,
        track.window,
        start=track.start,
        step_size=Slider(0.0001, 1.0, 0.003, log=True),
        momentum=Slider(0, 0.99, 0.9),
        caption=Both(f"Play the measured paths, {every} updates a picture, or drag the start and choose a rule and a rate.", f"播放实测的路径（每幅 {every} 次更新），或拖动起点，自选方法与学习率。"),
        rules=("momentum", "gradient", "nesterov", "adagrad", "rmsprop", "adam"),
        steps=200,
        log=True,
        racers=tuple(
            Racer(NAMES[rule], [(x, y) for x, y in raced[rule][: last + 1 : every].tolist()], color=color)
            for rule, color in (("gradient", 1), ("momentum", 2), ("nesterov", 3), ("adagrad", 4), ("rmsprop", 5), ("adam", 6), ("adadelta", 0))
        ),
        marked=((track.goal, Both("goal", "目标")),),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="The races",
        question="Which update rule is the fastest?",
        lecture="Animations let gradient descent, momentum, Nesterov's, AdaGrad, Adadelta and RMSProp run on a few surfaces. Gradient "
        "descent is slow, momentum overshoots, adaptive rules go straight.",
        formula="Beale: (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²,  goal (3, 0.5)\nRosenbrock: (1 − x)² + 100 (y − x²)²,  goal (1, 1)\nlong valley: 0.01 x² + y²",
        expectation="Rules with momentum before gradient descent everywhere; another winner on each surface.",
        change_mind="A rule that wins everywhere, or gradient descent before momentum.",
        lesson="A race without its rates says nothing, so each rule runs at a rate of its own on each surface, and has arrived when it stays within 0.1 of the goal. "
        "With {tried} other rates for each tried in this form, {improved} of the {races} cases became faster by a fifth or more.\n\n"
        "On Beale's surface Adam needs {beale_adam} updates, AdaGrad {beale_adagrad}, momentum {beale_momentum}, RMSProp "
        "{beale_rmsprop}, gradient descent {beale_gradient}. In Rosenbrock's curved valley momentum is first with "
        "{rosenbrock_momentum}, Nesterov's takes {rosenbrock_nesterov} and Adam {rosenbrock_adam}; the others are not there within 700. In the long valley Nesterov's takes {valley_nesterov}, momentum {valley_momentum}, Adam "
        "{valley_adam}, gradient descent {valley_gradient}.\n\n"
        "AdaGrad is among the first where a long step at the start is right and hopeless where the way is long and bent, since its "
        "steps only shrink. Adadelta has no rate to tune and starts with steps of a thousandth, so that short races come too early "
        "for it. The race off a saddle is in its own experiment.",
        holds="Momentum is faster than plain gradient descent on all three surfaces.",
        fails="“The best optimizer” is not a property of the optimizer: the order changes with surface, rate and start. Two "
        "dimensions say little about a million.",
    ),
    "zh": Page(
        title="赛跑",
        question="哪种更新方法最快？",
        lecture="动画让梯度下降、动量、Nesterov、AdaGrad、Adadelta 与 RMSProp 在几个曲面上赛跑：梯度下降慢，动量冲过头，"
        "自适应方法直奔目标。",
        formula="Beale：(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²，目标 (3, 0.5)\nRosenbrock：(1 − x)² + 100 (y − x²)²，目标 (1, 1)\n狭长的谷：0.01 x² + y²",
        expectation="带动量的方法处处先于梯度下降；每个曲面的胜者不同。",
        change_mind="若某个方法处处获胜，或梯度下降先于动量。",
        lesson="不说学习率的赛跑毫无意义，所以每个方法在每个曲面上各有自己的学习率；进入目标 0.1 以内并留住才算到达。本形式为每种情形另试了 {tried} 个学习率，{races} 种情形中有 {improved} 种能快五分之一以上。\n\n"
        "在 Beale 曲面上，Adam 用 {beale_adam} 次更新，AdaGrad {beale_adagrad} 次，动量 {beale_momentum} 次，RMSProp "
        "{beale_rmsprop} 次，梯度下降 {beale_gradient} 次。在 Rosenbrock 弯谷中动量第一，{rosenbrock_momentum} 次，"
        "Nesterov {rosenbrock_nesterov} 次，Adam {rosenbrock_adam} 次；其余在 700 次之内都未到达。"
        "在狭长的谷中 Nesterov {valley_nesterov} 次，动量 {valley_momentum} 次，Adam {valley_adam} 次，梯度下降 {valley_gradient} 次。\n\n"
        "AdaGrad 在起初该迈大步的地方名列前茅，在路长而弯的地方毫无希望，因为它的步只会变小。Adadelta 没有学习率可调，"
        "起步只有千分之一，短程赛对它来得太早。离开鞍点的赛跑另有专篇。",
        holds="在三个曲面上动量都快于普通梯度下降。",
        fails="“最好的优化器”不是优化器自己的性质：名次随曲面、学习率与起点而变。二维也说明不了百万维。",
    ),
}


def _no_memory(rho: float) -> Gradient:
    return Gradient()


def _uncorrected(rho: float) -> Average:
    return _right_average(rho, correct=False)


_right_average = Average

PLANTED = (
    plant("momentum keeps nothing", __name__, "Momentum", _no_memory, "two forms", "Rosenbrock"),
    plant("Adam's average is not corrected", __name__, "Average", _uncorrected, "Beale"),
)  # fmt: skip
