"""Ways off a saddle: Newton goes in, its absolute value out; noise helps where gradients alone do not; who leaves first."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import Operator, hessian
from unstuck.lab.charts import Axis, Chart, Field, Level, Line, Playground, Racer, Scatter, Slider
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import above, below, near, same
from unstuck.lab.descent import follow
from unstuck.lab.words import Both, alike
from unstuck.landscape import leave
from unstuck.landscape.escape import NewtonStep, newton_step
from unstuck.objective import FormulaObjective
from unstuck.optim import GradientNoise, Rule
from unstuck.optim.directions import Average, Gradient, Momentum, NesterovVelocity, Velocity
from unstuck.optim.scales import MovingDelta, MovingSquare, SumOfSquares
from unstuck.problems import MONKEY_SADDLE, SADDLE, STEEP_SADDLE, linear_chain, linear_chain_slopes

ORDER = 25
COVERS = ("A15", "M4", "O11")
COST = Cost(quick_seconds=0.5, full_seconds=2)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: Newton's method and its stationary points; Machine Learning 2021: Batch and momentum",
    "Dauphin et al. 2014: the saddles 5x² − y² and x³ − 3xy², saddle-free Newton",
    "Lee et al. 2017: gradient descent from random starts avoids strict saddles; Jin et al. 2017: perturbed gradient descent",
    "the comparison of optimizers at a saddle that CS231n shows as an animation (Radford)",
)
SUBJECT = "unstuck.landscape.escape.newton_step, unstuck.optim.GradientNoise"


@dataclass(frozen=True)
class Config:
    """``starts``: random starts of plain gradient descent; ``noisy``: seeds of gradient descent with noise."""

    starts: int
    noisy: int


QUICK = Config(starts=300, noisy=3)
FULL = Config(starts=20_000, noisy=20)

RACE_START, RACE_RATE, OUT = (1.0, 1e-6), 0.05, 0.5
RULES: dict[str, Rule] = {
    "gradient": Rule(Gradient(), lr=RACE_RATE),
    "momentum": Rule(Momentum(0.9), lr=RACE_RATE),
    "velocity": Rule(Velocity(0.9), lr=RACE_RATE),
    "nesterov": Rule(NesterovVelocity(0.9), lr=RACE_RATE),
    "adagrad": Rule(Gradient(), SumOfSquares(), lr=RACE_RATE),
    "adadelta": Rule(Gradient(), MovingDelta(), lr=1.0),
    "rmsprop": Rule(Gradient(), MovingSquare(0.9), lr=RACE_RATE),
    "adam": Rule(Average(0.9), MovingSquare(0.999, correct=True), lr=RACE_RATE),
}
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


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Both Newtons on two saddles; noise and chance on the worst network; the race."""
    plain, free = (_newton(STEEP_SADDLE.objective(1.0, 0.01), 5, absolute) for absolute in (False, True))
    monkey = MONKEY_SADDLE.objective(0.3, 0.2)
    monkey_plain, monkey_free = _newton(monkey, 20, False), _newton(monkey, 5, True)
    halved = float((monkey_plain[1] / monkey_plain[0]).mean())
    progress(0.3, "Newton walked")

    worst = linear_chain([0.5, -0.5])
    trapped = follow(Rule(Gradient(), lr=0.1), _worst_slope, [0.5, -0.5], 300)
    noisy = [_noisy(seed + index) for index in range(config.noisy)]
    origin = linear_chain([0.0, 0.0])
    rest = float(follow(Rule(Gradient(), lr=0.1), _worst_slope, [0.0, 0.0], 20).abs().max())
    perturbed = leave(origin, method="perturbed-gradient", seed=seed)
    progress(0.5, "noise tried")
    stayed, slowest = _random_starts(config.starts, seed)
    progress(0.8, "random starts tried")

    race = {name: follow(rule, SADDLE.slope_tensor, RACE_START, 250, far=1e6) for name, rule in RULES.items()}
    left = {name: _left(path) for name, path in race.items()}
    adaptive = [left[name] for name in ("adagrad", "adadelta", "rmsprop", "adam")]
    inert = [left[name] for name in ("momentum", "velocity", "nesterov")]
    overshoot = float(race["momentum"][:, 0].min())
    overshoot_nesterov = float(race["nesterov"][:, 0].min())
    first_steps = [float(race[name][1, 1] - race[name][0, 1]) for name in ("adagrad", "adam")]
    free_loss, monkey_loss = float(STEEP_SADDLE.tensor(free[-1])), float(MONKEY_SADDLE.tensor(monkey_free[-1]))
    return Result(
        numbers={
            "newton": Number(float(plain[1].norm()), Both("Newton on 5x² − y²: distance to the saddle after one step", "牛顿法在 5x² − y² 上一步之后到鞍点的距离")),
            "free": Number(free_loss, Both("saddle-free Newton: loss after 5 steps", "无鞍牛顿法 5 步之后的损失")),
            "halved": Number(halved, Both("Newton on the monkey saddle: share of the distance left by a step", "牛顿法在猴鞍上每步剩余的距离比例")),
            "monkey": Number(monkey_loss, Both("saddle-free Newton on the monkey saddle: loss after 5 steps", "无鞍牛顿法在猴鞍上 5 步之后的损失")),
            "trapped": Number(float(trapped[-1].norm()), Both("gradient descent from (0.5, −0.5): distance to the saddle", "梯度下降自 (0.5, −0.5)：到鞍点的距离")),
            "trapped_loss": Number(worst.value(trapped[-1]), Both("its loss", "其损失")),
            "noisy": Number(max(noisy), Both("the same with noise: largest final loss", "加噪声之后：最大的终点损失")),
            "starts": Number(config.starts, Both("random starts", "随机起点数")),
            "slowest": Number(slowest, Both("updates of the slowest of them to loss 0.001", "其中最慢者降到损失 0.001 所需更新")),
            **{f"left_{name}": Number(steps, Both(f"updates until {NAMES[name].en} has left", f"{NAMES[name].zh}离开所需更新")) for name, steps in left.items()},
            "overshoot": Number(overshoot, Both("momentum: lowest x", "动量：最小的 x")),
        },
        criteria=(
            below("Newton goes in", float(plain[1].norm()), 1e-12, "on 5x² − y² Newton's first step lands on the saddle", "在 5x² − y² 上牛顿法第一步就落在鞍点上", ruling=8),
            near("saddle-free Newton goes out", free_loss, -0.1024, 1e-9, "with |H|⁻¹ the loss is −0.1024 after 5 steps: y doubles at each", "用 |H|⁻¹，5 步之后损失为 −0.1024：y 每步加倍"),
            near("Newton halves", halved, 0.5, 1e-9, "on the monkey saddle Newton halves the distance to it at each step", "在猴鞍上牛顿法每步把到它的距离减半"),
            # From (0.3, 0.2) the losses of the walk are … −3.11, −10.48, −35.4: no step of it has −21.
            near("saddle-free on the monkey", monkey_loss, -10.4847, 1e-3, "saddle-free Newton leaves the monkey saddle: −10.485 after 5 steps", "无鞍牛顿法离开猴鞍：5 步之后为 −10.485"),
            below("on the manifold", float(trapped[-1].norm()), 1e-12, "from (0.5, −0.5) gradient descent on the worst network ends in the saddle", "自 (0.5, −0.5)，最差网络上的梯度下降终于鞍点"),
            below("noise", max(noisy), 0.05, "with noise in the gradient every run leaves and comes near a minimum", "梯度带噪声时，每次都离开并走近极小"),
            same("at rest", rest, 0.0, "from the saddle itself gradient descent does not move", "正在鞍点上的梯度下降纹丝不动"),
            below("perturbed gradient descent", perturbed.loss_after, 1e-3, "one random step, then gradient descent, reaches a minimum from the saddle", "随机走一步再梯度下降，就从鞍点到达极小"),
            same("random starts", stayed, 0, "no random start ends at the saddle", "没有一个随机起点终于鞍点"),
            same("gradient descent is last", max(left, key=lambda name: left[name]), "gradient", "plain gradient descent leaves x² − y² last", "在 x² − y² 上普通梯度下降最后离开"),
            below("adaptive before inert", max(adaptive) - min(inert), 0, "every adaptive rule has left before any momentum has", "每个自适应方法都比任何动量先离开"),
            near("first step", max(abs(step / RACE_RATE - 1) for step in first_steps), 0, 0.01, "AdaGrad and Adam make a first step of η in y, where the gradient is 2e-6", "AdaGrad 与 Adam 在 y 上的第一步就是 η，尽管那里梯度只有 2e-6"),
            below("momentum overshoots", overshoot, -0.3, "momentum runs past x = 0 before it leaves", "动量在离开之前先冲过 x = 0"),
            above("Nesterov overshoots less", overshoot_nesterov, overshoot + 0.1, "Nesterov's overshoots less", "Nesterov 冲过头较少"),
        ),
        figures=(_saddle(plain, free), _race_chart(race), _playground(race)),
        tables=(
            Table(
                Both(f"Updates until |y| > {OUT:g} on x² − y² from (1, 1e-6); η = {RACE_RATE:g}, Adadelta 1", f"在 x² − y² 上自 (1, 1e-6) 到 |y| > {OUT:g} 的更新数；η = {RACE_RATE:g}，Adadelta 为 1"),
                (Both("rule", "方法"), Both("updates", "更新")),
                tuple((NAMES[name], steps) for name, steps in sorted(left.items(), key=lambda item: item[1])),
            ),
        ),
    )  # fmt: skip


def _newton(objective: FormulaObjective, steps: int, absolute: bool) -> Tensor:
    """The start and the places after each step, (steps + 1, 2)."""
    places = [objective.start()]
    for _ in range(steps):
        with objective.at(places[-1]) as point:
            places.append(places[-1] + newton_step(hessian(point), point.gradient, absolute=absolute).step)
    return torch.stack(places)


def _worst_slope(w: Tensor) -> Tensor:
    """Of (1 − w₁w₂)², for one start or many side by side (2·n)."""
    return linear_chain_slopes(w, 2)


def _noisy(seed: int) -> float:
    """Loss at the end from the saddle's own line, the gradient's noise fading."""
    rule = Rule(Gradient(), lr=0.1, noise=GradientNoise(1e-4, 0.55, seed=seed))
    return linear_chain([0.0, 0.0]).value(follow(rule, _worst_slope, [0.5, -0.5], 400)[-1])


def _random_starts(count: int, seed: int) -> tuple[int, int]:
    """How many of the starts in [−1.5, 1.5]² are not at loss 0.001 after 1500 updates, and when the last one was."""
    source = torch.Generator().manual_seed(seed)
    starts = 3 * torch.rand(count, 2, generator=source, dtype=torch.float64) - 1.5
    path = follow(Rule(Gradient(), lr=0.1), _worst_slope, starts.flatten().tolist(), 300 if count < 1000 else 600)
    losses = (1 - path.reshape(len(path), count, 2).prod(dim=2)).square()
    arrived = (losses < 1e-3).to(torch.int8)
    return int((losses[-1] >= 1e-3).sum()), int(arrived.argmax(dim=0).max())


def _left(path: Tensor) -> int:
    """Updates until |y| is beyond the mark; one more than made if never."""
    out = torch.nonzero(path[:, 1].abs() > OUT)
    return int(out[0]) if len(out) else len(path)


def _saddle(plain: Tensor, free: Tensor) -> Chart:
    x, y = torch.linspace(-1.1, 1.1, 61, dtype=torch.float64), torch.linspace(-0.2, 0.6, 61, dtype=torch.float64)
    values = 5 * x[None, :] ** 2 - y[:, None] ** 2
    return Chart(
        "newton",
        Both("Newton's step and its absolute value on 5x² − y²", "5x² − y² 上的牛顿步与取绝对值的牛顿步"),
        Axis(alike("x"), limits=(-1.1, 1.1)),
        Axis(alike("y"), limits=(-0.2, 0.6)),
        (
            Field(x.tolist(), y.tolist(), values.tolist(), Both("loss", "损失"), levels=(-0.2, -0.1, -0.02, 0, 0.1, 0.5, 1, 2, 4)),
            Line(plain[:, 0].tolist(), plain[:, 1].tolist(), Both("Newton: into the saddle", "牛顿法：走进鞍点"), color=2, marked=True),
            Line(free[:, 0].tolist(), free[:, 1].tolist(), Both("saddle-free: out of it", "无鞍牛顿法：走出去"), color=3, marked=True),
            Scatter([1.0], [0.01], Both("start", "起点"), color=4, shape="s"),
        ),
        Both("Both clear x in one step. Newton then stands at (0, 0); with |H|⁻¹ y doubles at each step.", "两者都一步消去 x。牛顿法随即停在 (0, 0)；用 |H|⁻¹ 则 y 每步加倍。"),
        square=True,
    )  # fmt: skip


def _race_chart(race: dict[str, Tensor]) -> Chart:
    shown = ("gradient", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
    return Chart(
        "leaving",
        Both("How far each rule has left the saddle's line", "各方法离开鞍线多远"),
        Axis(Both("update", "更新次数"), limits=(0, 160)),
        Axis(alike("|y|"), log=True, limits=(1e-6, 2)),
        (
            *(Line(list(range(len(race[name]))), race[name][:, 1].abs().tolist(), NAMES[name], color=index + 1) for index, name in enumerate(shown)),
            Line(list(range(len(race["adadelta"]))), race["adadelta"][:, 1].abs().tolist(), NAMES["adadelta"], color=3, dashed=True),
            Level(y=OUT, label=Both("left", "已离开")),
        ),
        Both("Plain rules grow from 1e-6 by a factor a step. Rules that divide by the gradient's size begin with a whole step. The lecture's momentum lies on the other.", "普通方法从 1e-6 起按倍数增长；除以梯度大小的方法一开始就迈出整步。讲义写法的动量与另一种重合。"),
    )  # fmt: skip


def _playground(race: dict[str, Tensor]) -> Playground:
    return Playground(
        "race",
        Both("The race off the saddle", "离开鞍点的赛跑"),
        SADDLE,
        ((-1.2, 1.2), (-1.2, 1.2)),
        start=(0.9, 1e-4),
        step_size=Slider(0.001, 0.5, RACE_RATE, log=True),
        momentum=Slider(0, 0.99, 0.9),
        caption=Both(
            "Play it: adaptive rules turn off at once on a diagonal, momentum swings past the saddle first, gradient descent waits in it. Then start exactly on y = 0.",
            "播放：自适应方法立刻沿对角线转出，动量先摆过鞍点，梯度下降在其中等待。再试着从 y = 0 上出发。",
        ),
        rules=("gradient", "momentum", "nesterov", "adagrad", "rmsprop", "adam"),
        steps=160,
        racers=tuple(
            Racer(NAMES[name], _inside(race[name]), color=color)
            for name, color in (("gradient", 1), ("momentum", 2), ("nesterov", 3), ("adagrad", 4), ("rmsprop", 5), ("adam", 6), ("adadelta", 0))
        ),
        marked=(((0, 0), Both("saddle", "鞍点")),),
    )  # fmt: skip


def _inside(path: Tensor) -> list[tuple[float, ...]]:
    """The part of the path up to the first place outside the picture."""
    out = torch.nonzero(path.abs().amax(dim=1) > 1.3)
    end = int(out[0]) + 1 if len(out) else len(path)
    return [(x, y) for x, y in path[:end].tolist()]


TEXT = {
    "en": Page(
        title="Off the saddle",
        question="Which methods walk into a saddle, which leave it, and who leaves first?",
        lecture="Newton's method solves ∇f = 0 for a parabola, so it goes to whatever stationary point is near. Small batches and "
        "momentum are said to help off critical points. An animation of a saddle shows gradient descent stuck while other "
        "optimizers leave.",
        formula="Newton: θ ← θ − H⁻¹g      saddle-free: θ ← θ − |H|⁻¹g\nrace on x² − y² from (1, 10⁻⁶): gradient descent has y ← (1 + 2η) y;  AdaGrad's and Adam's first step in y is η",
        expectation="Newton ends in the saddle after one step; |H|⁻¹ gives −0.1024 after five. In the race the adaptive rules leave "
        "first, the momentums next, gradient descent last.",
        change_mind="A Newton step that leaves, a run with noise that stays, or gradient descent before a momentum.",
        lesson="Newton's first step on 5x² − y² ends {newton:.0e} from the saddle. Divided by |H| instead, the same step in x and "
        "the opposite one in y bring the loss to {free:.4f} in five steps. On the monkey saddle, where the curvature itself "
        "vanishes, Newton leaves {halved:.2f} of the distance at each step; saddle-free Newton is at {monkey:.3g} after five.\n\n"
        "On the worst network the line w₂ = −w₁ leads into the saddle: gradient descent ends {trapped:.0e} from it, at loss "
        "{trapped_loss:.3f}. With a little noise every run leaves (largest final loss {noisy:.1e}). Such lines have no area: of "
        "{starts:,} random starts none stayed; the slowest needed {slowest} updates. A saddle without area can still cost time.\n\n"
        "In the race gradient descent leaves after {left_gradient} updates, momentum after {left_momentum}, Nesterov's after "
        "{left_nesterov}, AdaGrad after {left_adagrad}, Adam after {left_adam}, RMSProp after {left_rmsprop}, Adadelta after "
        "{left_adadelta}. Momentum first swings to x = {overshoot:.2f}. The adaptive rules divide by the size of the gradient, "
        "so that 2·10⁻⁶ in y counts as much as 2 in x.",
        holds="Newton is drawn to saddles, noise and random starts leave them, and the order of the animation.",
        fails="“Momentum helps”: only in time, never from the saddle's own line. And Newton's one step is right for a parabola "
        "that opens upwards only.",
    ),
    "zh": Page(
        title="离开鞍点",
        question="哪些方法会走进鞍点，哪些会离开，谁最先离开？",
        lecture="牛顿法对抛物面解 ∇f = 0，因此会走向附近的任何驻点。讲义说小批量与动量有助于离开临界点；"
        "一幅鞍点动画里，梯度下降卡住，其他优化器离开。",
        formula="牛顿法：θ ← θ − H⁻¹g      无鞍牛顿法：θ ← θ − |H|⁻¹g\n在 x² − y² 上自 (1, 10⁻⁶) 赛跑：梯度下降有 y ← (1 + 2η) y；AdaGrad 与 Adam 在 y 上的第一步是 η",
        expectation="牛顿法一步就到鞍点；用 |H|⁻¹，五步之后为 −0.1024。赛跑中自适应方法最先离开，动量其次，梯度下降最后。",
        change_mind="若牛顿步能离开、带噪声的运行留下不走，或梯度下降先于动量离开。",
        lesson="在 5x² − y² 上，牛顿法第一步之后离鞍点 {newton:.0e}。改除以 |H|，x 方向的步相同，y 方向相反，"
        "五步把损失带到 {free:.4f}。在曲率也消失的猴鞍上，牛顿法每步剩下 {halved:.2f} 的距离；无鞍牛顿法五步之后为 {monkey:.3g}。\n\n"
        "在最差网络上，直线 w₂ = −w₁ 通向鞍点：梯度下降停在离它 {trapped:.0e} 处，损失 {trapped_loss:.3f}。"
        "加一点噪声，每次都离开（最大终点损失 {noisy:.1e}）。这样的线没有面积：{starts:,} 个随机起点无一留下，"
        "最慢的用了 {slowest} 次更新。没有面积的鞍点照样可能费时间。\n\n"
        "赛跑中梯度下降在 {left_gradient} 次更新后离开，动量 {left_momentum} 次，Nesterov {left_nesterov} 次，"
        "AdaGrad {left_adagrad} 次，Adam {left_adam} 次，RMSProp {left_rmsprop} 次，Adadelta {left_adadelta} 次。"
        "动量先摆到 x = {overshoot:.2f}。自适应方法除以梯度的大小，于是 y 上的 2·10⁻⁶ 与 x 上的 2 一样算数。",
        holds="牛顿法会被鞍点吸引，噪声与随机起点能离开，动画中的先后也成立。",
        fails="“动量有帮助”只是更快，在鞍点自己的线上则永远没有帮助。牛顿法的一步到位只对开口向上的抛物面是好事。",
    ),
}


_right_step = newton_step


def _sign_kept(operator: Operator, gradient: Tensor, *, absolute: bool) -> NewtonStep:
    return _right_step(operator, gradient, absolute=False)


def _without_noise(variance: float, fade: float, *, seed: int) -> GradientNoise:
    return _right_noise(0.0, fade, seed=seed)


_right_noise = GradientNoise

PLANTED = (
    plant("curvatures keep their sign in saddle-free Newton", __name__, "newton_step", _sign_kept, "saddle-free Newton goes out"),
    plant("the noise is zero", __name__, "GradientNoise", _without_noise, "noise"),
)  # fmt: skip
