"""Numerical gradient checking: what step, which threshold, which bugs it finds, and which it finds only later."""

# ruff: noqa: E501  sentences stand on one line, in two languages

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unstuck.lab.charts import Axis, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, between, same
from unstuck.lab.training import multilayer
from unstuck.lab.words import Both, alike
from unstuck.landscape import GradientCheck, check_objective_gradient
from unstuck.objective import ModelObjective
from unstuck.objective.contract import Objective

ORDER = 6
COVERS = ("G8", "G9", "G10", "G11", "G12")
COST = Cost(quick_seconds=1, full_seconds=6)
SOURCES = ("Andrew Ng, Deep Learning: Gradient checking", "a hand-written backpropagation with six bugs to switch on")
SUBJECT = "unstuck.landscape.check_objective_gradient"

BUGS = {
    "sign of one bias": {"0.bias"},
    "transposed weights' gradient": {"2.weight"},
    "mean not taken": {"4.weight"},
    "bias forgotten": {"4.bias"},
    "slope of tanh taken as 1": {"0.weight", "0.bias"},
    "weights not transposed on the way back": {"0.weight", "0.bias"},
}
BUGS_ZH = {
    "sign of one bias": "一个偏置的符号",
    "transposed weights' gradient": "权重的梯度被转置",
    "mean not taken": "忘了取平均",
    "bias forgotten": "漏掉偏置",
    "slope of tanh taken as 1": "把 tanh 的斜率当作 1",
    "weights not transposed on the way back": "反传时权重没有转置",
}
STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10)


@dataclass(frozen=True)
class Config:
    """``width`` of the hidden layers, ``examples``, ``updates`` before the late bug is looked for."""

    width: int
    examples: int
    updates: int


QUICK = Config(width=3, examples=8, updates=60)
FULL = Config(width=8, examples=40, updates=300)


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Check a right gradient, six wrong ones, penalties, masks, precisions and a bug that hides."""
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(config.examples, config.width, generator=source, dtype=torch.float64)
    y = torch.randn(config.examples, 3, generator=source, dtype=torch.float64)
    model = multilayer((config.width, config.width, config.width, 3), nn.Tanh, dtype=torch.float64, seed=seed)
    objective = ModelObjective(model, nn.MSELoss(), (x, y))
    right = check_objective_gradient(objective, gradient=backpropagation(model, x, y))
    found = {bug: check_objective_gradient(objective, gradient=backpropagation(model, x, y, bug=bug)) for bug in BUGS}
    named = {bug: {p.name for p in check.parameters if p.verdict == "wrong"} for bug, check in found.items()}
    progress(0.5, "six bugs looked for")

    by_step = [difference_error(objective, step) for step in STEPS]
    single = ModelObjective(
        multilayer((config.width, config.width, config.width, 3), nn.Tanh, seed=seed),
        nn.MSELoss(),
        (x.float(), y.float()),
    )
    by_step_single = [difference_error(single, step) for step in STEPS]
    penalty, mask = _penalties(model, x, y), _masks(x, y, config.width, seed)
    progress(0.8, "steps compared")
    corner, told_apart = _corners(x, y, config.width, seed)
    early, late = _hidden_bug(x, y, config, seed)
    best = STEPS[min(range(len(STEPS)), key=lambda i: by_step[i])]

    criteria: list[Criterion] = [
        below("right", right.error, 1e-6, "the right gradient passes, below one millionth", "正确的梯度通过，误差低于百万分之一"),
        same("flagged", sum(not check.right for check in found.values()), 6, "all six bugs are called wrong", "六个错误全部判错"),
        same("located", sum(named[bug] == where for bug, where in BUGS.items()), 6, "each in exactly the parameters that it spoils", "且恰好指出它所破坏的参数"),
        above("size of bugs", min(check.error for check in found.values()), 1e-3, "every bug's error is above the lecture's line of worry", "每个错误都超过讲义的警戒线 1e-3"),
        between("best step", best, 1e-6, 1e-4, "the best step in float64 is near 1e-5, not 1e-7", "双精度下最好的步长约为 1e-5，而不是 1e-7", ruling=38),
        below("lecture's step", by_step[STEPS.index(1e-7)], 1e-6, "1e-7 still passes in float64", "双精度下 1e-7 仍可通过"),
        above("single precision", by_step_single[STEPS.index(1e-7)], 1e-2, "in float32 the step 1e-7 is useless", "单精度下 1e-7 的步长毫无用处", ruling=38),
        same("penalty", penalty, (True, False, True), "a penalty must be in loss and gradient both, or in neither", "正则项必须同时出现在损失与梯度中，或者都不出现"),
        same("dropout", mask, (True, False), "dropout passes with its mask fixed and fails with a new one", "固定掩码的 dropout 能通过，换了掩码就不通过"),
        above("corners", corner, 1e-3, "with ReLU's corners 3e-6 from the data a right gradient looks wrong at a step of 1e-5", "ReLU 的折点离数据只有 3e-6 时，步长 1e-5 会让正确的梯度看似有错", ruling=38),
        same("corners told apart", told_apart, True, "a step a hundred times shorter tells a corner from a bug", "再用百分之一的步长，就能分清折点与错误"),
        below("hidden at first", early, 1e-5, "with tiny weights, tanh' = 1 passes the check", "权重很小时，tanh′ = 1 这个错误能通过检验"),
        above("found later", late, 1e-3, "after training the same bug is found", "训练之后同一个错误被发现"),
    ]  # fmt: skip
    return Result(
        numbers={
            "least_bug": Number(min(check.error for check in found.values()), Both("smallest error of a bug", "错误中最小的误差")),
            "best": Number(best, Both("best step", "最好的步长")),
            "at_7": Number(by_step[STEPS.index(1e-7)], Both("error at step 1e-7, float64", "步长 1e-7 的误差，双精度")),
            "at_5": Number(by_step[STEPS.index(1e-5)], Both("error at step 1e-5, float64", "步长 1e-5 的误差，双精度")),
            "single": Number(by_step_single[STEPS.index(1e-7)], Both("error at step 1e-7, float32", "步长 1e-7 的误差，单精度")),
            "corner": Number(corner, Both("error of a right gradient beside ReLU's corners, step 1e-5", "ReLU 折点旁正确梯度的误差，步长 1e-5")),
            "early": Number(early, Both("the late bug, before training", "潜伏错误，训练之前")),
            "late": Number(late, Both("the late bug, after training", "潜伏错误，训练之后")),
            "evaluations": Number(right.evaluations, Both("forward passes of one check", "一次检验的前向次数")),
        },
        criteria=tuple(criteria),
        figures=(_by_step(by_step, by_step_single),),
        tables=(
            Table(
                Both("Six bugs, and where the check points", "六个错误，以及检验所指之处"),
                (Both("bug", "错误"), Both("parameters called wrong", "判错的参数"), Both("error", "误差")),
                tuple((Both(bug, BUGS_ZH[bug]), ", ".join(sorted(named[bug])), check.error) for bug, check in found.items()),
            ),
        ),
    )  # fmt: skip


def backpropagation(model: nn.Sequential, x: Tensor, y: Tensor, *, bug: str = "") -> dict[str, Tensor]:
    """The gradient of the mean squared error by hand, layer by layer, with one bug if wanted."""
    w1, b1, w2, b2, w3, b3 = (p.detach() for p in model.parameters())
    a1 = torch.tanh(x @ w1.T + b1)
    a2 = torch.tanh(a1 @ w2.T + b2)
    out = a2 @ w3.T + b3
    d3 = 2 * (out - y) / y.numel()
    d2 = (d3 @ w3) * (1 - a2**2)
    back = d2 @ (w2.T if bug == "weights not transposed on the way back" else w2)
    d1 = back if bug == "slope of tanh taken as 1" else back * (1 - a1**2)
    gradient = {
        "0.weight": d1.T @ x,
        "0.bias": d1.sum(dim=0),
        "2.weight": d2.T @ a1,
        "2.bias": d2.sum(dim=0),
        "4.weight": d3.T @ a2,
        "4.bias": d3.sum(dim=0),
    }
    if bug == "sign of one bias":
        gradient["0.bias"] = -gradient["0.bias"]
    elif bug == "transposed weights' gradient":
        gradient["2.weight"] = gradient["2.weight"].T
    elif bug == "mean not taken":
        gradient["4.weight"] = gradient["4.weight"] * len(x)
    elif bug == "bias forgotten":
        gradient["4.bias"] = torch.zeros_like(gradient["4.bias"])
    return gradient


def difference_error(objective: Objective, step: float) -> float:
    """‖a − d‖/(‖a‖ + ‖d‖) over all entries, with one absolute step, as the lecture writes it."""
    place = objective.start()
    d = objective.gradient(place).vector.double()
    a = torch.empty_like(d)
    for i in range(objective.size):
        up, down = place.clone(), place.clone()
        up[i] += step
        down[i] -= step
        a[i] = (objective.value(up) - objective.value(down)) / (2 * step)
    return float((a - d).norm() / (a.norm() + d.norm()))


def _penalties(model: nn.Sequential, x: Tensor, y: Tensor) -> tuple[bool, bool, bool]:
    """Passed? with the penalty in both, in the loss alone, in neither."""

    def penalized(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        loss: Tensor = nn.functional.mse_loss(network(batch[0]), batch[1])
        return loss + 0.1 * sum((p.pow(2).sum() for p in network.parameters()), torch.zeros(()))

    plain = backpropagation(model, x, y)
    whole = {name: plain[name] + 0.2 * p.detach() for name, p in model.named_parameters()}
    with_penalty = ModelObjective(model, None, [(x, y)], call=penalized)
    without = ModelObjective(model, nn.MSELoss(), (x, y))
    return (
        check_objective_gradient(with_penalty, gradient=whole).right,
        check_objective_gradient(with_penalty, gradient=plain).right,
        check_objective_gradient(without, gradient=plain).right,
    )


def _masks(x: Tensor, y: Tensor, width: int, seed: int) -> tuple[bool, bool]:
    """Passed? with the mask of the loss, with the mask of another draw."""
    model = multilayer((width, width, 3), nn.Tanh, dtype=torch.float64, seed=seed)
    dropping = nn.Sequential(*list(model)[:2], nn.Dropout(0.5), model[2])
    one, other = (ModelObjective(dropping, nn.MSELoss(), (x, y), mode="train", seed=seed + k) for k in (1, 2))
    return (
        check_objective_gradient(one).right,
        check_objective_gradient(one, gradient=other.gradient(other.start()).vector).right,
    )


def _corners(x: Tensor, y: Tensor, width: int, seed: int) -> tuple[float, bool]:
    """A right gradient where each hidden ReLU has its corner 3e-6 from one datum: its error by plain differences at
    1e-5, and whether the check, which looks again with a shorter step, passes it."""
    model = multilayer((width, width, 3), nn.ReLU, dtype=torch.float64, seed=seed)
    first = model[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.bias.copy_(3e-6 - (x @ first.weight.T).median(dim=0).values)
    objective = ModelObjective(model, nn.MSELoss(), (x, y))
    return difference_error(objective, 1e-5), check_objective_gradient(objective).right


def _hidden_bug(x: Tensor, y: Tensor, config: Config, seed: int) -> tuple[float, float]:
    """Error of tanh' = 1 with tiny weights, and after training."""
    model = multilayer(
        (config.width, config.width, config.width, 3), nn.Tanh, gain=1e-3, dtype=torch.float64, seed=seed
    )
    errors = []
    for late in (False, True):
        objective = ModelObjective(model, nn.MSELoss(), (x, y))
        wrong, true = (backpropagation(model, x, y, bug=bug) for bug in ("slope of tanh taken as 1", ""))
        found = check_objective_gradient(objective, gradient=wrong)
        if late or not found.right:
            errors.append(found.error)
        else:  # it passes; how far off it is lies below what differences resolve
            errors.append(max(float((wrong[n] - true[n]).norm() / (wrong[n] + true[n]).norm()) for n in true))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(config.updates):
            for name, p in model.named_parameters():
                p.grad = backpropagation(model, x, y)[name]
            optimizer.step()
    return errors[0], errors[1]


def _by_step(double: list[float], single: list[float]) -> Chart:
    return Chart(
        "steps",
        Both("Which step to take", "该取多大的步长"),
        Axis(Both("step ε", "步长 ε"), log=True),
        Axis(Both("relative error", "相对误差"), log=True),
        (
            Line(list(STEPS), double, alike("float64"), color=1, marked=True),
            Line(list(STEPS), single, alike("float32"), color=2, marked=True),
            Level(y=1e-7, label=Both("great", "很好")),
            Level(y=1e-5, label=Both("look again", "再看看"), color=6),
            Level(y=1e-3, label=Both("worry", "该担心了"), color=2),
        ),
        Both("To the right the curve of the loss shows, to the left rounding. The bottom lies near 1e-5 in float64; in float32 no step is good.", "右侧是损失的弯曲，左侧是舍入误差。双精度的谷底约在 1e-5；单精度没有好步长。"),
    )  # fmt: skip


TEXT = {
    "en": Page(
        title="Is backpropagation right?",
        question="Can a numerical check find a bug in backpropagation, and say where it is?",
        lecture="Compare every derivative with a two-sided difference of the loss. With ε = 1e-7 a relative distance near "
        "1e-7 is great, 1e-5 deserves a look, 1e-3 a worry. Look which parameters differ; remember the penalty; switch "
        "dropout off; check at the start and again after some training.",
        formula="dθ[i] ≈ (J(θ + ε eᵢ) − J(θ − ε eᵢ)) / 2ε\nerror = ‖a − d‖ / (‖a‖ + ‖d‖)",
        expectation="Six planted bugs are found, each in the right parameters; the right gradient passes.",
        change_mind="A bug that passes, a right gradient that does not, or a finger pointed at the wrong layer.",
        lesson="The right gradient is off by {at_5:.0e}; the mildest of six bugs by {least_bug:.2g}. Between them lie "
        "many orders of magnitude, so the thresholds are easy to place. Each bug is found in the very parameters that it "
        "spoils.\n\n"
        "The step matters. In float64 the best here is {best:g} ({at_5:.0e}); the lecture's 1e-7 gives {at_7:.0e}, which "
        "still passes. In float32 it gives {single:.2f}: pure rounding. So a check belongs in float64.\n\n"
        "A bug may hide. With weights near zero tanh is a line, and taking its slope as 1 is off by {early:.0e} only; after "
        "training it is off by {late:.2g}. And a check is dear: {evaluations} forward passes for this small network. It is "
        "for debugging, not for training.",
        holds="The method, the thresholds in float64, where to look, the rules for penalty and dropout, and to check twice.",
        fails="ε = 1e-7 is not the best step, and useless in single precision. At corners of the loss (ReLU) a large "
        "difference is no bug: with the units' corners 3e-6 from the data a right gradient is off by {corner:.1e} at a step of "
        "1e-5, and only a shorter step clears it.",
    ),
    "zh": Page(
        title="反向传播写对了吗？",
        question="数值检验能发现反向传播里的错误，并指出它在哪里吗？",
        lecture="把每个导数与损失的双侧差分相比。取 ε = 1e-7 时，相对距离在 1e-7 左右很好，1e-5 要再看看，1e-3 就该担心。"
        "看看是哪些参数不符；别忘了正则项；关掉 dropout；开始时查一次，训练一段后再查一次。",
        formula="dθ[i] ≈ (J(θ + ε eᵢ) − J(θ − ε eᵢ)) / 2ε\n误差 = ‖a − d‖ / (‖a‖ + ‖d‖)",
        expectation="六个埋下的错误都被找到，且指向正确的参数；正确的梯度通过。",
        change_mind="若有错误通过，正确的梯度不通过，或指错了层。",
        lesson="正确的梯度误差为 {at_5:.0e}，六个错误中最轻的为 {least_bug:.2g}，相隔许多个数量级，所以阈值很好定。"
        "每个错误都恰好在它破坏的参数里被找到。\n\n"
        "步长很要紧。双精度下这里最好的是 {best:g}（{at_5:.0e}）；讲义的 1e-7 得到 {at_7:.0e}，仍可通过。"
        "单精度下它得到 {single:.2f}，全是舍入误差。所以检验要用双精度。\n\n"
        "错误会潜伏。权重接近零时 tanh 是直线，把斜率当作 1 只差 {early:.0e}；训练之后就差 {late:.2g}。"
        "检验也很贵：这个小网络就要 {evaluations} 次前向。它用于调试，不用于训练。",
        holds="方法本身、双精度下的阈值、看哪里、正则与 dropout 的规矩，以及要查两次。",
        fails="ε = 1e-7 不是最好的步长，在单精度下毫无用处。在损失的折点（ReLU）上，差异大并不说明有错："
        "折点离数据 3e-6 时，步长 1e-5 下正确的梯度误差为 {corner:.1e}，换更短的步长才能澄清。",
    ),
}

_right_check = check_objective_gradient


def _one_sided(
    objective: Objective, parameters: Tensor | None = None, *, gradient: object = None, **options: float
) -> GradientCheck:
    """Compares the lengths of the gradients only: a sign or a transposition goes unnoticed."""
    if isinstance(gradient, Mapping):
        truth = _right_check(objective)
        lengths = {}
        flat, place = objective.gradient(objective.start()).vector, 0
        for name in objective.layout.names:
            size = gradient[name].numel()
            own = flat[place : place + size].reshape(gradient[name].shape)
            same_length = float(own.norm()) > 0 and abs(float(gradient[name].norm() / own.norm()) - 1) < 1e-3
            lengths[name], place = own if same_length else gradient[name], place + size
        return _right_check(objective, gradient=lengths) if lengths else truth
    return _right_check(objective, parameters, gradient=gradient, **options)  # type: ignore[arg-type]


PLANTED = (
    plant(
        "only the lengths of the gradients are compared",
        __name__,
        "check_objective_gradient",
        _one_sided,
        "flagged",
        "located",
    ),
)
