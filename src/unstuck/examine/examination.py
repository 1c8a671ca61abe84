"""The examination: where a (model, loss, data) stands on its loss surface, with spectrum, slices and what was used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from unstuck.curvature.step_limits import stable_rate
from unstuck.landscape.chart import line_svg
from unstuck.landscape.critical_point import Standing, classify
from unstuck.landscape.slices import LineSlice, line_along
from unstuck.launch.unwatched import unwatched
from unstuck.linalg.accurate_dots import norm
from unstuck.objective.contract import Objective
from unstuck.objective.frozen_state import BatchNorm, Mode
from unstuck.objective.model import ModelObjective

SCHEMA = "unstuck.examination/1"


@dataclass(frozen=True)
class Examination:
    """Where the model stands. ``text()`` for a terminal, ``as_json()`` for programs, ``charts()`` for pages."""

    standing: Standing
    about: Mapping[str, Any]
    slices: tuple[LineSlice, ...]
    lr: float | None
    stable_lr: float | None
    work: Mapping[str, float]
    seconds: float
    kept_bytes: int

    @property
    def verdict(self) -> str:
        """saddle, minimum, maximum, flat, bouncing, converged, descending, no-gradient or unknown."""
        return self.standing.state

    def as_json(self) -> dict[str, Any]:
        """Plain numbers under the schema ``unstuck.examination/1``."""
        return {
            "schema": SCHEMA,
            "verdict": self.standing.as_json(),
            "about": dict(self.about),
            "slices": [s.as_json() for s in self.slices],
            "lr": self.lr,
            "stable_lr": self.stable_lr,
            "work": dict(self.work),
            "seconds": self.seconds,
            "kept_bytes": self.kept_bytes,
        }

    def charts(self) -> dict[str, str]:
        """Figures as SVG text, by name: the spectrum's density and the slices."""
        found = {s.title: s.svg() for s in self.slices}
        spectrum = self.standing.spectrum
        if spectrum is not None:
            at, height = spectrum.density.curve()
            found["spectrum"] = line_svg(
                at.tolist(),
                height.tolist(),
                title="density of the Hessian's eigenvalues",
                x_label="eigenvalue",
                y_label="",
            )
        return found

    def text(self) -> str:
        """A few lines for a terminal."""
        lines = [f"{self.verdict}: {self.standing.sentence}", ""]
        e = self.standing.evidence
        lines.append(f"  loss             {_number(e.get('loss'))}")
        noise = e.get("gradient_noise")
        against = f" (mini-batch noise {_number(noise)})" if noise is not None else " (one batch: no noise to compare)"
        lines.append(f"  gradient         {_number(e.get('gradient_norm'))}{against}")
        spectrum = self.standing.spectrum
        if spectrum is not None:
            top = ", ".join(_number(p.value) for p in spectrum.largest)
            low = ", ".join(_number(p.value) for p in spectrum.smallest)
            bound = spectrum.lower_bound
            sure = "" if bound.failure == 0 else f", wrong with probability {bound.failure:g}"
            shares = spectrum.shares
            lines += [
                f"  largest          {top}",
                f"  smallest         {low} (none below {_number(bound.value)}{sure})",
                f"  negative         {100 * shares.negative.value:.1f} % of eigenvalues below -{shares.band:.2g} "
                f"({100 * shares.negative.low:.1f} to {100 * shares.negative.high:.1f})",
                f"  trace            {_number(spectrum.trace.value)} ({_number(spectrum.trace.low)} to "
                f"{_number(spectrum.trace.high)})",
                f"  condition        {_number(spectrum.condition)} (outside the zero band "
                f"{_number(spectrum.effective_condition)})",
            ]
            lines += [f"  note             {note}" for note in spectrum.notes]
        if self.stable_lr is not None:
            own = f"; yours is {self.lr:g}" if self.lr is not None else ""
            lines.append(f"  stable step      learning rates below {_number(self.stable_lr)} (plain descent){own}")
        used = self.about
        lines.append(
            f"  measured on      {used.get('examples', '?')} examples in {used.get('batches', 1)} batches, "
            f"mode {used.get('mode', '-')}, {used.get('dtype')}; {used.get('weighting', '')}"
        )
        lines.append(
            f"  spent            {self.work['products']:.0f} products, {self.work['gradients']:.0f} gradients, "
            f"{self.work['values']:.0f} forward passes; {self.seconds:.1f} s"
        )
        return "\n".join(lines)


def _number(x: object) -> str:
    return f"{x:.4g}" if isinstance(x, float | int) else str(x)


@unwatched()
def examine(
    model: nn.Module | Objective,
    loss_fn: Callable[..., Any] | None = None,
    data: Any = None,
    *,
    call: Callable[..., Any] | None = None,
    lr: float | None = None,
    mode: Mode = "eval",
    batch_norm: BatchNorm | None = None,
    dtype: torch.dtype | None = None,
    parameters: Sequence[str] | None = None,
    max_batches: int | None = None,
    max_vectors: int | None = None,
    memory_bytes: int | None = None,
    slice_points: int = 21,
    seed: int = 0,
) -> Examination:
    """Where does this model stand on its loss surface: saddle, minimum, flat, still descending? No history needed.

    ``model``: a torch module with ``loss_fn`` and ``data`` (see :class:`unstuck.objective.ModelObjective`), or an
    objective.
    ``lr``: the run's learning rate, to tell bouncing. ``max_vectors``: bound the memory to that many parameter vectors.
    The model, its gradients, buffers, modes and the global random states are left as they were.

    *Cost*: 60 to 100 Hessian products of 2.2 to 2.4 gradients each.

    >>> x = torch.linspace(-1, 1, 8).reshape(-1, 1)
    >>> model = nn.Linear(1, 1)
    >>> with torch.no_grad():
    ...     _ = model.weight.fill_(3.0), model.bias.fill_(1.0)
    >>> examine(model, nn.MSELoss(), (x, 3 * x + 1)).verdict
    'minimum'
    """
    began = time.perf_counter()
    objective: Objective
    if isinstance(model, Objective):
        objective = model
    else:
        objective = ModelObjective(
            model,
            loss_fn,
            data,
            call=call,
            mode=mode,
            batch_norm=batch_norm,
            dtype=dtype,
            parameters=parameters,
            max_batches=max_batches,
            memory_bytes=memory_bytes,
            seed=seed,
        )
    standing = classify(objective, lr=lr, max_vectors=max_vectors, seed=seed)
    slices: list[LineSlice] = []
    spectrum = standing.spectrum
    stable = None
    if spectrum is not None:
        stable = stable_rate(spectrum.top)
        origin = objective.start()
        reach = 0.5 * max(1.0, norm(origin) / 4)
        if slice_points >= 3:
            for title, pair in (
                ("along the largest curvature", spectrum.largest[0]),
                ("along the smallest", spectrum.smallest[0]),
            ):
                slices.append(line_along(objective, origin, pair.vector, reach=reach, points=slice_points, title=title))
    return Examination(
        standing=standing,
        about=objective.about,
        slices=tuple(slices),
        lr=lr,
        stable_lr=stable,
        work={
            "values": objective.work.values,
            "gradients": objective.work.gradients,
            "products": objective.work.products,
        },
        seconds=time.perf_counter() - began,
        kept_bytes=int(standing.evidence.get("kept_bytes") or 0),
    )
