"""A ReLU student of a ReLU teacher: with as many units it is often stuck, with two more never."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.curvature import dense_spectrum, hessian
from unstuck.lab.charts import Axis, Bars, Chart, Level, Line
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, between, near, same
from unstuck.lab.words import Both, alike
from unstuck.landscape import classify
from unstuck.problems import KnownPoint, safran_shamir
from unstuck.problems.many_students import student_gradients, student_losses

ORDER = 18
COVERS = ("R4",)
COST = Cost(quick_seconds=2, full_seconds=80)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: When gradient is zero; the data decide (teacher and student)",
    "Safran and Shamir 2018: Spurious local minima are common in two-layer ReLU neural networks, tables 1 and 2",
)
SUBJECT = "unstuck.problems.many_students, unstuck.problems.safran_shamir"


@dataclass(frozen=True)
class Config:
    """``teachers``: numbers of units; ``runs`` and ``steps`` for each; ``wider``: teachers tried with two units more."""

    teachers: tuple[int, ...]
    runs: int
    steps: int
    wider: tuple[int, ...]
    wider_runs: int


QUICK = Config(teachers=(8,), runs=250, steps=700, wider=(7,), wider_runs=60)
FULL = Config(teachers=(6, 7, 8, 9, 10), runs=500, steps=3000, wider=(7, 8, 9, 10), wider_runs=200)

PAPER: Mapping[int, float] = {6: 0.3, 7: 5.5, 8: 12.6, 9: 21.8, 10: 34.6}  # in percent, table 1
STUCK = 0.01  # spurious minima lie near 0.02, the global one at 0


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Judge the stored minimum; descend from random students; count those that stay."""
    stored = safran_shamir()
    value = stored.objective.value(stored.objective.start())
    with stored.objective.at() as here:
        smallest = float(dense_spectrum(hessian(here)).values[0])
        slope = float(here.gradient.norm())
    verdict = classify(stored.objective, seed=seed).state
    whole = len(config.teachers) + len(config.wider)
    ends: dict[int, Tensor] = {}
    backward: dict[int, float] = {}
    for index, units in enumerate(config.teachers):
        descent = _descend(units, units, config.runs, config.steps, seed)
        ends[units] = descent.losses
        backward[units] = _one_backward(descent.students[descent.losses > STUCK])
        progress((index + 1) / whole, f"{units} students of {units}")
    wider: dict[int, Tensor] = {}
    for index, units in enumerate(config.wider):
        wider[units] = _descend(units, units + 2, config.wider_runs, config.steps, seed).losses
        progress((len(config.teachers) + index + 1) / whole, f"{units + 2} students of {units}")
    shares = {units: float((losses > STUCK).double().mean()) for units, losses in ends.items()}
    shown = 8 if 8 in ends else config.teachers[-1]
    stuck = ends[shown][ends[shown] > STUCK]
    median = float(stuck.median()) if len(stuck) else math.nan

    at = stored.objective.start().reshape(7, 7)
    turned = int((torch.diagonal(at) < 0).nonzero()[0])
    shared = float((at[:, turned].sum() - at[turned, turned]) / 6)

    criteria: list[Criterion] = [
        near("stored point, loss", value, 0.0232027, 1e-6, "the stored minimum of seven students has loss 0.0232027", "存下的七学生极小损失为 0.0232027"),
        below("stored point, gradient", slope, 1e-8, "its gradient is zero", "梯度为零"),
        near("stored point, curvature", smallest, 0.01406, 1e-4, "its smallest eigenvalue is 0.01406: a strict minimum", "最小特征值为 0.01406：严格极小"),
        same("stored point, verdict", verdict, "minimum", "and it is called one", "判定为极小"),
        *(
            near(f"stuck, {units} of {units}", shares[units], PAPER[units] / 100, _three_sigma(PAPER[units] / 100, config.runs), f"of {units} students of {units} teachers {PAPER[units]:g} % are stuck, as in the paper, within three standard deviations", f"{units} 个学生学 {units} 个教师，卡住的占 {PAPER[units]:g} %，与论文之差在三个标准差内")
            for units in ends
        ),
        between("loss of the stuck", median, 0.018, 0.025, "the stuck ones stand at the paper's loss, about 0.021", "卡住者的损失与论文相同，约 0.021"),
        above("one points the wrong way", backward[shown], 0.8, "of the stuck more than four in five have exactly one student that points away from every teacher", "卡住者中五分之四以上，恰有一个学生背离所有教师的方向"),
        *(same(f"stuck, {units + 2} of {units}", int((losses > STUCK).sum()), 0, f"of {units + 2} students of {units} teachers none is stuck", f"{units + 2} 个学生学 {units} 个教师，没有卡住的") for units, losses in wider.items()),
    ]  # fmt: skip
    if len(shares) > 1:
        ordered = list(shares.values())
        criteria.append(same("grows", tuple(ordered), tuple(sorted(ordered)), "the share grows with the number of units", "比例随单元数增长"))  # fmt: skip
    path = _descend(shown, shown, 40, config.steps, seed, kept=True)
    return Result(
        numbers={
            "stored": Number(value, Both("loss of the stored minimum", "所存极小的损失")),
            "curvature": Number(smallest, Both("its smallest eigenvalue", "其最小特征值")),
            "slope": Number(slope, Both("its gradient's norm", "其梯度范数")),
            "shown": Number(shown, Both("units of the teacher shown", "所示教师的单元数")),
            "share": Number(100 * shares[shown], Both("students stuck there", "其中卡住的学生"), "%"),
            "paper": Number(PAPER[shown], Both("the same in the paper", "论文中的同一数值"), "%"),
            "runs": Number(config.runs, Both("students tried for each teacher", "每个教师的学生数")),
            "median": Number(median, Both("their median loss", "它们的损失中位数")),
            "backward": Number(100 * backward[shown], Both("of them with exactly one student the wrong way round", "其中恰有一个学生方向相反的"), "%"),
            "turned": Number(float(at[turned, turned]), Both("stored minimum: that student along its teacher", "所存极小：该学生沿其教师方向的分量")),
            "shared": Number(shared, Both("stored minimum: each other student along it", "所存极小：其余每个学生沿该方向的分量")),
            "wider": Number(sum(int((losses > STUCK).sum()) for losses in wider.values()), Both("stuck with two units more", "多两个单元时卡住的数目")),
            "wider_runs": Number(config.wider_runs * len(wider), Both("students with two units more", "多两个单元的学生数")),
        },
        criteria=tuple(criteria),
        figures=(_shares_chart(shares), _curves(path)),
        tables=(
            Table(
                Both("Students stuck, in percent", "卡住的学生（百分比）"),
                (Both("teacher's units", "教师单元数"), Both("student's units", "学生单元数"), Both("stuck here", "此处卡住"), Both("paper", "论文"), Both("median loss of the stuck", "卡住者的损失中位数")),
                (
                    *((units, units, 100 * shares[units], PAPER[units], float(losses[losses > STUCK].median()) if bool((losses > STUCK).any()) else None) for units, losses in ends.items()),
                    *((units, units + 2, 100 * float((losses > STUCK).double().mean()), 0.0, None) for units, losses in wider.items()),
                ),
            ),
        ),
    )  # fmt: skip


def _three_sigma(share: float, runs: int) -> float:
    """Of the share of so many runs (binomial)."""
    return 3 * math.sqrt(share * (1 - share) / runs)


@dataclass(frozen=True)
class _Descent:
    losses: Tensor
    students: Tensor  # (runs, students, units) at the end
    history: Tensor  # (steps, runs), every tenth step, if kept


def _descend(units: int, students: int, runs: int, steps: int, seed: int, *, kept: bool = False) -> _Descent:
    """Gradient descent at rate 5/k from N(0, 1/k), in single precision; the losses at the end in double."""
    source = torch.Generator().manual_seed(1000 * seed + 10 * units + students)
    teacher = torch.eye(units)
    place = torch.randn(runs, students, units, generator=source) / units**0.5
    history = []
    for step in range(steps):
        if kept and step % 10 == 0:
            history.append(student_losses(place.double(), teacher.double()))
        place = place - 5 / units * student_gradients(place, teacher)
    losses = student_losses(place.double(), teacher.double())
    return _Descent(losses, place.double(), torch.stack(history) if history else losses[None])


def _one_backward(students: Tensor) -> float:
    """Of runs (runs, students, units) of unit teachers along the axes: in how many one student, and one only, has its
    largest component negative."""
    if not len(students):
        return math.nan
    largest = students.gather(2, students.abs().argmax(dim=2, keepdim=True))[..., 0]
    return float(((largest < 0).sum(dim=1) == 1).double().mean())


def _shares_chart(shares: Mapping[int, float]) -> Chart:
    units = list(PAPER)
    return Chart(
        "stuck",
        Both("Students that are stuck", "卡住的学生"),
        Axis(Both("units of student and teacher", "学生与教师的单元数"), ticks=tuple((float(n), alike(str(n))) for n in units)),
        Axis(Both("share", "比例"), unit="%"),
        (
            Bars(units, [PAPER[n] for n in units], Both("Safran and Shamir", "Safran 与 Shamir"), color=1),
            Bars(units, [100 * shares.get(n, 0.0) for n in units], Both("here", "此处"), color=2),
        ),
        Both("The full form measures all five; the quick one only eight units.", "完整形式测全部五种；快速形式只测八个单元。") if len(shares) < len(units) else Both("More units, more students stuck; with two units more than the teacher, none.", "单元越多，卡住的越多；比教师多两个单元，则一个也没有。"),
    )  # fmt: skip


def _curves(descent: _Descent) -> Chart:
    steps = [10 * i for i in range(len(descent.history))]
    stuck = (descent.losses > STUCK).tolist()
    labeled: set[bool] = set()
    lines = []
    for index, held in enumerate(stuck):
        words = Both("stuck", "卡住") if held else Both("arrives", "到达")
        lines.append(Line(steps, descent.history[:, index].clamp(min=1e-10).tolist(), None if held in labeled else words, color=2 if held else 1, thin=True))  # fmt: skip
        labeled.add(held)
    return Chart(
        "descents",
        Both("Forty students of one teacher", "同一教师的四十个学生"),
        Axis(Both("step", "步数")),
        Axis(Both("expected loss", "期望损失"), log=True),
        (*lines, Level(y=STUCK)),
        Both("Most go down to nothing; some stop at about 0.02 and stay.", "多数降到零；有些停在 0.02 左右不再下降。"),
    )


TEXT = {
    "en": Page(
        title="Teacher and student",
        question="Does a network that could copy its teacher always learn to?",
        lecture="Let the data come from a teacher, a ReLU network with k units, inputs normal. A student of n units could copy it. If n = k there are "
        "bad local minima and the student may be stuck; if n ≥ k + 2 none were found. So the data decide.",
        formula="L(w) = ½ E_x ( Σᵢ relu(wᵢ·x) − Σⱼ relu(vⱼ·x) )²,   x ~ N(0, 1)\n"
        "     = ½ Σ f(wᵢ, wⱼ) − Σ f(wᵢ, vⱼ) + ½ Σ f(vᵢ, vⱼ)\n"
        "f(w, v) = ‖w‖‖v‖ (sin θ + (π − θ) cos θ) / 2π",
        expectation="The paper's shares within three standard deviations, none stuck with two units more, and a stored minimum with "
        "smallest eigenvalue 0.0141.",
        change_mind="A share outside, or one wider student that is stuck.",
        lesson="The loss needs no data: it is an integral with a closed form, so a minimum can be judged without any noise. The stored point of seven students has loss "
        "{stored:.7f}, gradient {slope:.0e} and smallest eigenvalue {curvature:.5f}: a strict local minimum, and not the global one, which is 0.\n\n"
        "Of {runs} random students of a teacher with {shown:.0f} units {share:.1f} % were stuck (paper: {paper:.1f} %), at a loss of about {median:.3f}. "
        "In {backward:.0f} % of these exactly one student points the wrong way. The stored point shows how: one student stands at "
        "{turned:.2f} times its teacher, and each of the other six has taken over {shared:.2f} of it.\n\n"
        "With two units more than the teacher {wider:.0f} of {wider_runs:.0f} were stuck.",
        holds="All of it, including the paper's numbers.",
        fails="“None for n ≥ k + 2” is an observation on k up to 20, not a theorem; and it says nothing about how long the descent takes.",
    ),
    "zh": Page(
        title="教师与学生",
        question="一个本可以照抄教师的网络，总能学会吗？",
        lecture="设数据来自教师：一个有 k 个单元的 ReLU 网络，输入为正态分布。有 n 个单元的学生本可以照抄。"
        "n = k 时有坏的局部极小，学生可能卡住；n ≥ k + 2 时没有发现。所以数据起决定作用。",
        formula="L(w) = ½ E_x ( Σᵢ relu(wᵢ·x) − Σⱼ relu(vⱼ·x) )²，  x ~ N(0, 1)\n"
        "     = ½ Σ f(wᵢ, wⱼ) − Σ f(wᵢ, vⱼ) + ½ Σ f(vᵢ, vⱼ)\n"
        "f(w, v) = ‖w‖‖v‖ (sin θ + (π − θ) cos θ) / 2π",
        expectation="比例与论文之差在三个标准差内；多两个单元时没有卡住的；所存极小的最小特征值为 0.0141。",
        change_mind="若某个比例超出范围，或有更宽的学生卡住。",
        lesson="这个损失不需要数据：它是有闭式解的积分，所以判定极小时没有任何噪声。所存的七学生点损失为 {stored:.7f}，梯度 {slope:.0e}，"
        "最小特征值 {curvature:.5f}：严格的局部极小，却不是全局的，全局极小为 0。\n\n"
        "教师有 {shown:.0f} 个单元时，{runs} 个随机学生中有 {share:.1f} % 卡住（论文：{paper:.1f} %），损失约为 {median:.3f}。"
        "其中 {backward:.0f} % 恰有一个学生指错了方向。所存的点显示了经过：一个学生停在教师的 {turned:.2f} 倍处，"
        "其余六个各分担了 {shared:.2f}。\n\n"
        "比教师多两个单元时，{wider_runs:.0f} 个学生中卡住 {wider:.0f} 个。",
        holds="全部成立，包括论文的数值。",
        fails="“n ≥ k + 2 时没有”只是对 k 不超过 20 的观察，不是定理；它也没有说下降要花多久。",
    ),
}

_right_gradients = student_gradients


def _without_each_other(students: Tensor, teacher: Tensor) -> Tensor:
    """Every student sees the teacher and only a share of what the others do."""
    alone = torch.stack([_right_gradients(students[:, i : i + 1], teacher)[:, 0] for i in range(students.shape[1])], 1)
    return 0.5 * (alone + _right_gradients(students, teacher))


def _moved() -> KnownPoint:
    point = _right_point()
    return KnownPoint(point.name, point.objective.moved(1.01 * point.objective.start()), point.truth, point.source)  # type: ignore[attr-defined]


_right_point = safran_shamir

PLANTED = (
    plant(
        "students look at the teacher more than at one another",
        __name__,
        "student_gradients",
        _without_each_other,
        "loss of the stuck",
    ),
    plant(
        "the stored minimum is off by one percent",
        __name__,
        "safran_shamir",
        _moved,
        "stored point, loss",
        "stored point, gradient",
    ),
)
