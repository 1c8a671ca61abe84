"""The share of negative curvature against the loss: random matrices with a threshold, and a small trained network."""

# ruff: noqa: E501  sentences stand on one line, in two languages
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.curvature import dense_spectrum, hessian
from unstuck.lab.charts import Axis, Chart, Level, Line, Scatter
from unstuck.lab.contract import Cost, Number, Page, Progress, Result, Table, plant
from unstuck.lab.criteria import Criterion, above, below, near
from unstuck.lab.words import Both
from unstuck.problems import baldi_hornik

ORDER = 22
COVERS = ("K2", "K4")
COST = Cost(quick_seconds=3, full_seconds=40)
SOURCES = (
    "Hung-yi Lee, MLDS 2018: When gradient is zero; conjecture about deep networks",
    "Pennington and Bahri 2017: Geometry of neural network loss surfaces via random matrix theory",
    "Dauphin et al. 2014: critical points of small networks, found by Newton's method",
)
SUBJECT = "unstuck.lab.experiments.index_vs_energy.spectral_density, _matrix, _critical_points"


@dataclass(frozen=True)
class Config:
    """``size`` and ``draws`` of the matrices; ``energies`` in units of the threshold; ``tasks``: random data sets for the
    small network, with ``starts`` each and ``descent`` steps at most before the gradient is made small."""

    size: int
    draws: int
    energies: tuple[float, ...]
    tasks: int
    starts: int
    descent: int


QUICK = Config(size=500, draws=2, energies=(0.9, 1.5, 3.0), tasks=2, starts=50, descent=200)
FULL = Config(size=1200, draws=3, energies=(0.5, 0.9, 1.2, 1.5, 2.0, 3.0, 4.0), tasks=6, starts=200, descent=1000)

PHI = 0.25  # parameters over twice the data, in the paper's words: the Wishart matrix' ratio
KNOWN: Mapping[float, float] = {1.2: 0.005774, 1.5: 0.018911, 2.0: 0.041467, 3.0: 0.080056, 4.0: 0.110352}


def run(config: Config, seed: int, progress: Progress) -> Result:
    """Solve the cubic, draw matrices, collect critical points of a small network."""
    threshold = (1 - 20 * PHI - 8 * PHI**2 + (1 + 8 * PHI) ** 1.5) / 16
    predicted = {ratio: negative_share(ratio * threshold) for ratio in (*KNOWN, 0.9, 0.99, 1.01, 1.03, 1.1, 0.5)}
    near_slope = _slope(0.01, 0.03, threshold)
    middle_slope, far_slope = _slope(0.03, 0.1, threshold), _slope(0.5, 1.0, threshold)
    progress(0.2, "cubic solved")
    drawn = {}
    for index, ratio in enumerate(config.energies):
        drawn[ratio] = _drawn_share(ratio * threshold, config.size, config.draws, seed)
        progress(0.2 + 0.5 * (index + 1) / len(config.energies), f"matrices at {ratio:g} of the threshold")
    tasks = [_critical_points(config.starts, config.descent, 100 * seed + index) for index in range(config.tasks)]
    each = [c for points in tasks if math.isfinite(c := _rank_correlation(points.losses, points.shares))]
    linear = _linear_network(seed)
    together, found = sum(each) / max(len(each), 1), sum(len(points.losses) for points in tasks)
    progress(1.0, "critical points of a network")

    criteria: list[Criterion] = [
        near("threshold", threshold, 0.0435095, 1e-6, "the threshold for φ = ¼ is 0.0435095", "φ = ¼ 的阈值为 0.0435095"),
        near("below the threshold", predicted[0.99], 0.0, 1e-12, "just below it the cubic has no negative eigenvalue", "略低于阈值时，三次方程没有负特征值"),
        above("above the threshold", predicted[1.01], 1e-6, "just above it has some", "略高于阈值时就有"),
        *(near(f"cubic at {ratio:g}", predicted[ratio], value, 1e-5, f"at {ratio:g} thresholds the share is {value:.4f}", f"在 {ratio:g} 倍阈值处比例为 {value:.4f}") for ratio, value in KNOWN.items()),
        *(near(f"drawn at {ratio:g}", share, predicted[ratio], 0.003, f"matrices drawn at {ratio:g} thresholds agree to 0.003", f"在 {ratio:g} 倍阈值处抽取的矩阵相差不到 0.003") for ratio, share in drawn.items()),
        near("power near", near_slope, 1.485, 0.01, "1 to 3 % above the threshold the share grows with the power 1.485, near 3/2", "高出阈值 1 % 至 3 % 处，比例按 1.485 次幂增长，接近 3/2"),
        near("power farther", middle_slope, 1.456, 0.01, "3 to 10 % above with 1.456", "高出 3 % 至 10 % 处为 1.456"),
        near("power far", far_slope, 1.13, 0.02, "far above with 1.13 only: 3/2 holds near the threshold, and “proportional” holds nowhere", "远高于阈值处只有 1.13：3/2 只在阈值附近成立，“成正比”则处处不成立", ruling=12),
        above("points found", found, config.tasks, "critical points of a small network were found", "找到了小网络的临界点"),
        below("standing still", max(points.largest_gradient for points in tasks), 1e-8, "the gradient is zero at each of them", "每一点处梯度为零"),
        near("loss and index", linear, 1.0, 1e-9, "at the critical points of a linear network, all of which are known, the order by loss is the order by share", "线性网络的全部临界点已知：按损失的次序就是按比例的次序"),
    ]  # fmt: skip
    return Result(
        numbers={
            "threshold": Number(threshold, Both("threshold of the loss, φ = ¼", "损失的阈值，φ = ¼")),
            "double": Number(predicted[2.0], Both("share of negative eigenvalues at twice the threshold", "两倍阈值处负特征值的比例")),
            "four": Number(predicted[4.0], Both("at four times", "四倍阈值处")),
            "near_slope": Number(near_slope, Both("power near the threshold", "阈值附近的幂次")),
            "far_slope": Number(far_slope, Both("power far above it", "远离阈值处的幂次")),
            "error": Number(max(abs(share - predicted[ratio]) for ratio, share in drawn.items()), Both("largest difference of drawn matrices from the cubic", "抽取的矩阵与三次方程的最大差别")),
            "points": Number(found, Both("different critical points of the small network", "小网络的不同临界点数")),
            "correlation": Number(together, Both("rank correlation of loss and share, mean over data sets", "损失与比例的秩相关（各数据集平均）")),
            "weakest": Number(min(each, default=0.0), Both("the weakest of them", "其中最弱的")),
            "positive": Number(sum(c > 0 for c in each), Both("data sets in which it is positive", "其中为正的数据集数")),
            "judged": Number(len(each), Both("data sets whose points allow a correlation", "其临界点可以求相关的数据集数")),
            "tasks": Number(config.tasks, Both("data sets", "数据集数")),
        },
        criteria=tuple(criteria),
        figures=(_curve(threshold, drawn), _network_chart(tasks)),
        tables=(
            Table(
                Both("Share of negative eigenvalues", "负特征值的比例"),
                (Both("loss, in thresholds", "损失（以阈值计）"), Both("cubic", "三次方程"), Both("drawn", "抽取")),
                tuple((ratio, predicted[ratio], drawn.get(ratio)) for ratio in sorted(predicted)),
            ),
        ),
    )  # fmt: skip


def spectral_density(places: np.ndarray, energy: float) -> np.ndarray:
    """Density of eigenvalues at each place: the imaginary part of the root of the cubic, over π."""
    z, ones = places, np.ones_like(places)
    lead = 2 * energy * PHI
    rows = np.stack([(2 * energy + z * PHI) / lead, -(z + PHI - 1) / lead, ones / lead], axis=1)
    companion = np.zeros((len(z), 3, 3))
    companion[:, 0], companion[:, 1, 0], companion[:, 2, 1] = rows, 1.0, 1.0
    density: np.ndarray = np.abs(np.linalg.eigvals(companion).imag).max(axis=1) / math.pi
    return density


def negative_share(energy: float) -> float:
    """Share of eigenvalues below zero: the density, integrated from its lower edge."""
    if spectral_density(np.array([-1e-9]), energy)[0] < 1e-7:
        return 0.0
    low, high = -4 * math.sqrt(2 * energy) - 1e-6, -1e-9
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if spectral_density(np.array([middle]), energy)[0] > 1e-7 else (middle, high)
    u = (np.arange(1000) + 0.5) / 1000  # squared: the density begins like a square root
    return float((spectral_density(high * (1 - u * u), energy) * -high * 2 * u).mean())


def _slope(near_by: float, far: float, threshold: float) -> float:
    shares = [negative_share((1 + excess) * threshold) for excess in (near_by, far)]
    return math.log(max(shares[1], 1e-300) / max(shares[0], 1e-300)) / math.log(far / near_by)


def _matrix(size: int, energy: float, source: torch.Generator) -> Tensor:
    """Wishart of ratio φ plus Wigner of variance 2ε."""
    data = torch.randn(size, round(size / PHI), generator=source, dtype=torch.float64)
    noise = torch.randn(size, size, generator=source, dtype=torch.float64)
    return data @ data.T / data.shape[1] + math.sqrt(2 * energy) * (noise + noise.T) / math.sqrt(2 * size)


def _drawn_share(energy: float, size: int, draws: int, seed: int) -> float:
    source = torch.Generator().manual_seed(seed)
    return (
        sum(float((torch.linalg.eigvalsh(_matrix(size, energy, source)) < 0).double().mean()) for _ in range(draws))
        / draws
    )


@dataclass(frozen=True)
class _Points:
    losses: list[float]
    shares: list[float]
    largest_gradient: float


HIDDEN, INPUTS, DATA = 3, 3, 12
SIZE = HIDDEN * (INPUTS + 1)


def _task_loss(seed: int) -> Callable[[Tensor], Tensor]:
    """½ mean of squares of three tanh units on random inputs and targets; parameters: weights by rows, then outputs'."""
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(DATA, INPUTS, generator=source, dtype=torch.float64)
    y = torch.randn(DATA, generator=source, dtype=torch.float64)

    def loss(w: Tensor) -> Tensor:
        out = torch.tanh(x @ w[: HIDDEN * INPUTS].reshape(HIDDEN, INPUTS).T) @ w[HIDDEN * INPUTS :]
        return ((out - y) ** 2).mean() / 2

    return loss


def _critical_points(starts: int, descent: int, seed: int, steps: int = 100) -> _Points:
    """Descend for a random while, then make the gradient small whatever the kind of point: Levenberg and Marquardt's
    steps on ‖∇L‖². Points of one loss and one share, which symmetry copies, are counted once."""
    loss = _task_loss(seed)
    slope = torch.func.vmap(torch.func.grad(loss))
    curve = torch.func.vmap(torch.func.hessian(loss))
    source = torch.Generator().manual_seed(seed)
    place = 0.75 * torch.randn(starts, SIZE, generator=source, dtype=torch.float64)
    stop = descent ** torch.rand(starts, 1, generator=source, dtype=torch.float64)
    for step in range(descent):
        place = torch.where(stop > step, place - 0.3 * slope(place), place)
    damping = torch.full((starts, 1, 1), 1e-2, dtype=torch.float64)
    eye = torch.eye(SIZE, dtype=torch.float64)
    gradient = slope(place)
    for _ in range(steps):
        matrix = curve(place)
        move = torch.linalg.solve(matrix @ matrix + damping * eye, (matrix @ gradient[:, :, None]))[:, :, 0]
        there = slope(place - move)
        better = there.norm(dim=1) < gradient.norm(dim=1)
        place = torch.where(better[:, None], place - move, place)
        gradient = torch.where(better[:, None], there, gradient)
        damping = torch.where(better[:, None, None], damping / 4, damping * 4).clamp(1e-14, 1e6)
    still = (gradient.norm(dim=1) < 1e-9) & (place.abs().max(dim=1).values < 30)
    values = torch.linalg.eigvalsh(curve(place[still]))
    negative = (values < -1e-6 * values.abs().max(dim=1, keepdim=True).values).double().mean(1)
    losses = torch.func.vmap(loss)(place[still])
    different = sorted({(round(a, 4), round(b, 6)) for a, b in zip(losses.tolist(), negative.tolist(), strict=True)})
    largest = float(gradient[still].norm(dim=1).max()) if bool(still.any()) else math.inf
    return _Points([a for a, _ in different], [b for _, b in different], largest)


def _linear_network(seed: int) -> float:
    """Rank correlation of loss and share of negative eigenvalues at the critical points of a linear autoencoder."""
    losses, shares = [], []
    for known in baldi_hornik(seed=seed):
        with known.objective.at() as point:
            values = dense_spectrum(hessian(point)).values
        losses.append(point.value)
        shares.append(float((values < -1e-9 * values.abs().max()).double().mean()))
    return _rank_correlation(losses, shares)


def _rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's, with mean ranks for ties."""

    def ranks(values: Sequence[float]) -> np.ndarray:
        _, place, counts = np.unique(np.round(np.asarray(values), 9), return_inverse=True, return_counts=True)
        upper = counts.cumsum()
        mean: np.ndarray = (upper - (counts - 1) / 2)[place]
        return mean

    return float(np.corrcoef(ranks(a), ranks(b))[0, 1]) if len(a) > 2 else math.nan


def _curve(threshold: float, drawn: Mapping[float, float]) -> Chart:
    ratios = [0.5 + 3.6 * i / 30 for i in range(31)]
    return Chart(
        "share",
        Both("Below a certain loss no direction leads down", "低于某个损失，就没有下降的方向"),
        Axis(Both("loss, in thresholds", "损失（以阈值计）")),
        Axis(Both("share of negative eigenvalues", "负特征值的比例")),
        (
            Line(ratios, [negative_share(r * threshold) for r in ratios], Both("cubic", "三次方程"), color=1),
            Scatter(list(drawn), list(drawn.values()), Both("matrices drawn", "抽取的矩阵"), color=2, size=60),
            Level(x=1.0, label=Both("threshold", "阈值")),
        ),
        Both("Wishart plus Wigner, φ = ¼.", "Wishart 加 Wigner，φ = ¼。"),
    )


def _network_chart(tasks: Sequence[_Points]) -> Chart:
    return Chart(
        "network",
        Both("Critical points of a network of three tanh units", "三个 tanh 单元的网络的临界点"),
        Axis(Both("loss", "损失")),
        Axis(Both("share of negative eigenvalues", "负特征值的比例")),
        tuple(
            Scatter(points.losses, points.shares, Both(f"data set {index}", f"数据集 {index}"), color=index, size=40)
            for index, points in enumerate(tasks[:6], start=1)
            if points.losses
        ),
        Both(
            "Found by making the gradient small after descents of random length, whatever the kind of point.",
            "在长度随机的下降之后使梯度变小而得，不论是哪一类点。",
        ),
    )


TEXT = {
    "en": Page(
        title="Negative curvature against the loss",
        question="Do critical points with a high loss have more ways down than those with a low one?",
        lecture="The share of negative eigenvalues at a critical point grows with its loss, so saddles are high and minima low. "
        "The spectra of random matrices shift to the left as the loss grows; and trained networks show the same.",
        formula="H = H₀ + H₁,  H₀ Wishart of ratio φ,  H₁ Wigner of variance 2ε\n"
        "2εφG³ − (2ε + zφ)G² + (z + φ − 1)G − 1 = 0,   density = |Im G|/π\n"
        "ε_c = (1 − 20φ − 8φ² + (1 + 8φ)^{3/2}) / 16,   α ∝ (ε/ε_c − 1)^{3/2} near ε_c",
        expectation="A threshold at 0.0435 for φ = ¼; drawn matrices within 0.003 of the cubic; a power near 3/2 just above the threshold.",
        change_mind="Negative eigenvalues below the threshold, or a share that does not grow.",
        lesson="Model the Hessian as a positive part, from the data, plus a symmetric part whose size is the loss. Its spectrum solves a cubic "
        "equation. Below the loss {threshold:.4f} no eigenvalue is negative: every critical point would be a minimum. At twice that loss {double:.4f} are "
        "negative, at four times {four:.4f}. Matrices drawn at random agree to {error:.4f}.\n\n"
        "Just above the threshold the share grows with the power {near_slope:.3f}, far above with {far_slope:.2f}.\n\n"
        "On a real network of three tanh units {points} different critical points were found for {tasks} random data sets. The rank correlation of loss "
        "and share of negative eigenvalues is positive on {positive} of {judged} of them, {correlation:.2f} in the mean and {weakest:.2f} at the weakest. No sign is demanded of it.",
        holds="The share grows with the loss in the model, and exactly so at the critical points of a linear network: saddles high, minima low.",
        fails="“Proportional to the loss” it is not: zero below a threshold, power 3/2 just above, and {far_slope:.2f} farther up. The model's matrices are "
        "independent; a network's are not. On the small tanh network the order by loss is not the order by share: rank correlation {correlation:.2f}, positive on {positive} of {judged} data sets.",
    ),
    "zh": Page(
        title="负曲率与损失",
        question="损失高的临界点，下降的方向比损失低的更多吗？",
        lecture="临界点处负特征值的比例随损失增长，所以鞍点在高处，极小在低处。随机矩阵的谱随损失增大而左移；训练的网络也是如此。",
        formula="H = H₀ + H₁，  H₀：比例为 φ 的 Wishart，  H₁：方差为 2ε 的 Wigner\n"
        "2εφG³ − (2ε + zφ)G² + (z + φ − 1)G − 1 = 0，  密度 = |Im G|/π\n"
        "ε_c = (1 − 20φ − 8φ² + (1 + 8φ)^{3/2}) / 16，  ε_c 附近 α ∝ (ε/ε_c − 1)^{3/2}",
        expectation="φ = ¼ 时阈值为 0.0435；抽取的矩阵与三次方程相差不到 0.003；略高于阈值处幂次接近 3/2。",
        change_mind="若阈值以下出现负特征值，或比例并不增长。",
        lesson="把黑塞矩阵看成来自数据的正部分，加上一个大小由损失决定的对称部分。它的谱满足一个三次方程。"
        "损失低于 {threshold:.4f} 时没有负特征值：每个临界点都会是极小。两倍于此时 {double:.4f} 为负，四倍时 {four:.4f}。随机抽取的矩阵相差不到 {error:.4f}。\n\n"
        "略高于阈值处，比例按 {near_slope:.3f} 次幂增长，远处只有 {far_slope:.2f}。\n\n"
        "在三个 tanh 单元的真实网络上，用 {tasks} 个随机数据集找到了 {points} 个不同的临界点。损失与负特征值比例的秩相关在 {judged} 个中有 {positive} 个为正，平均 {correlation:.2f}，最弱 {weakest:.2f}。对其正负不作要求。",
        holds="在模型中比例随损失增长，在线性网络的临界点上更是严格如此：鞍点在高处，极小在低处。",
        fails="但它并不“与损失成正比”：阈值以下为零，略高处为 3/2 次幂，再远是 {far_slope:.2f}。模型中的矩阵彼此独立，网络的并不独立。在小 tanh 网络上，按损失的次序并不是按比例的次序：秩相关为 {correlation:.2f}，{judged} 个数据集中有 {positive} 个为正。",
    ),
}


def _of_half_variance(size: int, energy: float, source: torch.Generator) -> Tensor:
    return _right_matrix(size, energy / 2, source)


def _without_noise(places: np.ndarray, energy: float) -> np.ndarray:
    return _right_density(places, energy / 2)


_right_matrix, _right_density = _matrix, spectral_density

PLANTED = (
    plant("the Wigner part has half of its variance", __name__, "_matrix", _of_half_variance, "drawn at 3"),
    plant("the cubic has ε for 2ε", __name__, "spectral_density", _without_noise, "cubic at 2", "above the threshold"),
)
