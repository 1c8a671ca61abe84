"""Cuts through the loss: along a line, along an eigenvector, across a plane; with figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.landscape.chart import contour_svg, line_svg
from unstuck.linalg.accurate_dots import norm
from unstuck.linalg.random_start import generator
from unstuck.objective.contract import Objective


@dataclass(frozen=True)
class LineSlice:
    """The loss at ``positions`` along a line; ``unit`` says what one unit of position is."""

    title: str
    positions: tuple[float, ...]
    losses: tuple[float, ...]
    unit: str

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"title": self.title, "unit": self.unit, "positions": list(self.positions), "losses": list(self.losses)}

    def svg(self) -> str:
        """The figure, as an SVG document."""
        return line_svg(self.positions, self.losses, title=self.title, x_label=self.unit, y_label="loss")


@dataclass(frozen=True)
class PlaneSlice:
    """The loss on a grid: ``losses[row][column]`` at (``across[column]``, ``up[row]``); ``path``: the trajectory in
    the plane.

    ``explained``: shares of the trajectory's variance that the two directions hold (principal directions only).
    """

    title: str
    across: tuple[float, ...]
    up: tuple[float, ...]
    losses: tuple[tuple[float, ...], ...]
    path: tuple[tuple[float, float], ...] = ()
    explained: tuple[float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "title": self.title,
            "across": list(self.across),
            "up": list(self.up),
            "losses": [list(row) for row in self.losses],
            "path": [list(p) for p in self.path],
            "explained": None if self.explained is None else list(self.explained),
        }

    def svg(self) -> str:
        """The figure, as an SVG document."""
        return contour_svg(self.across, self.up, self.losses, title=self.title, path=self.path)


def line_between(
    objective: Objective, start: Tensor, end: Tensor, *, points: int = 41, low: float = 0.0, high: float = 1.0
) -> LineSlice:
    """The loss on the straight line from ``start`` (position 0) to ``end`` (position 1), and beyond if asked.

    *Cost*: one forward pass a point.

    >>> from unstuck.objective import FormulaObjective
    >>> bowl = FormulaObjective(lambda w: w @ w, torch.zeros(1, dtype=torch.float64))
    >>> line_between(bowl, torch.tensor([-1.0]), torch.tensor([1.0]), points=3).losses
    (1.0, 0.0, 1.0)
    """
    a, b = objective.check(start), objective.check(end)
    positions = torch.linspace(low, high, points, dtype=torch.float64).tolist()
    losses = tuple(objective.value(a + t * (b - a)) for t in positions)
    return LineSlice("from start to end", tuple(positions), losses, "position: 0 start, 1 end")


def line_along(
    objective: Objective,
    origin: Tensor,
    direction: Tensor,
    *,
    reach: float,
    points: int = 41,
    title: str = "along a direction",
) -> LineSlice:
    """The loss along ±``reach`` of a unit direction. *Cost*: one forward pass a point."""
    place = objective.check(origin)
    way = objective.check(direction)
    length = norm(way)
    if length == 0:
        raise BadInput("direction", got="zero", want="a direction")
    positions = torch.linspace(-reach, reach, points, dtype=torch.float64).tolist()
    losses = tuple(objective.value(place + (t / length) * way) for t in positions)
    return LineSlice(title, tuple(positions), losses, "distance")


def filter_normalized(objective: Objective, origin: Tensor, *, seed: int = 0) -> Tensor:
    """A random direction in which every filter (row of a weight) is as long as the point's own; vectors are left at
    zero.

    Rescaling a ReLU network between layers then does not change the picture.

    *Source*: Li et al. 2018, sec. 4.
    """
    draw = torch.randn(objective.size, generator=generator(seed), dtype=torch.float64).to(origin)
    parts = []
    for noise, own in zip(objective.layout.split(draw), objective.layout.split(origin), strict=True):
        if own.dim() <= 1:
            parts.append(torch.zeros_like(own).reshape(-1))
            continue
        rows, lengths = noise.reshape(noise.shape[0], -1), own.reshape(own.shape[0], -1).norm(dim=1, keepdim=True)
        parts.append((rows / rows.norm(dim=1, keepdim=True) * lengths).reshape(-1))
    return torch.cat(parts)


def plane(
    objective: Objective,
    origin: Tensor,
    across: Tensor,
    up: Tensor,
    *,
    reach: float | tuple[float, float] = 1.0,
    points: int = 21,
    title: str = "plane",
    path: Sequence[tuple[float, float]] = (),
    explained: tuple[float, float] | None = None,
    center: tuple[float, float] = (0.0, 0.0),
) -> PlaneSlice:
    """The loss on a square grid around ``origin`` (the middle point is the point itself). *Cost*: points² forward
    passes."""
    place, u, v = objective.check(origin), objective.check(across), objective.check(up)
    wide, tall = reach if isinstance(reach, tuple) else (reach, reach)
    columns = (center[0] + wide * torch.linspace(-1, 1, points, dtype=torch.float64)).tolist()
    rows = (center[1] + tall * torch.linspace(-1, 1, points, dtype=torch.float64)).tolist()
    losses = tuple(tuple(objective.value(place + a * u + b * v) for a in columns) for b in rows)
    return PlaneSlice(title, tuple(columns), tuple(rows), losses, tuple(path), explained)


def filter_plane(
    objective: Objective, origin: Tensor, *, reach: float = 1.0, points: int = 21, seed: int = 0
) -> PlaneSlice:
    """A plane of two filter-normalized random directions."""
    across = filter_normalized(objective, origin, seed=2 * seed)
    up = filter_normalized(objective, origin, seed=2 * seed + 1)
    return plane(
        objective, origin, across, up, reach=reach, points=points, title="two filter-normalized random directions"
    )


def trajectory_plane(objective: Objective, trajectory: Tensor, *, points: int = 21, margin: float = 0.2) -> PlaneSlice:
    """The plane of the two principal directions of a trajectory (steps × n), around its last point, with the path on
    it.

    *Source*: Li et al. 2018, sec. 7.2.
    """
    if trajectory.dim() != 2 or trajectory.shape[0] < 3:
        raise BadInput("trajectory", got=tuple(trajectory.shape), want="at least 3 points as rows")
    offsets = (trajectory - trajectory[-1]).double()
    # The short side only: rows are few, parameters many.
    values, turn = torch.linalg.eigh(offsets @ offsets.T)
    total = float(values.clamp_min(0).sum()) or 1.0
    directions = []
    for index in (-1, -2):
        direction = turn[:, index] @ offsets
        length = norm(direction)
        if length <= 1e-12 * total**0.5:
            raise BadInput(
                "trajectory", got="points on a line", want="points that span a plane", hint="use line_between"
            )
        directions.append(direction / length)
    coordinates = torch.stack([offsets @ directions[0], offsets @ directions[1]], dim=1)
    low, high = coordinates.min(dim=0).values, coordinates.max(dim=0).values
    middle, half = 0.5 * (low + high), 0.5 * (high - low) * (1 + 2 * margin)
    path = [(float(a), float(b)) for a, b in coordinates]
    return plane(
        objective,
        trajectory[-1],
        directions[0],
        directions[1],
        reach=(float(half[0]), float(half[1])),
        center=(float(middle[0]), float(middle[1])),
        points=points,
        title="principal directions of the trajectory",
        path=path,
        explained=(float(values[-1]) / total, float(values[-2]) / total),
    )
