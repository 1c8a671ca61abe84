"""The contract: a loss that can be asked for its value, its gradient, and products with its Hessian at one point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.linalg.accurate_dots import dot
from unstuck.objective.layout import Layout

Number = float | int | str | bool | None


@dataclass
class Work:
    """What has been spent, in passes over all batches: ``values`` forward, ``gradients``, and ``products`` with a
    curvature."""

    values: float = 0.0
    gradients: float = 0.0
    products: float = 0.0

    def copy(self) -> Work:
        return Work(self.values, self.gradients, self.products)


@dataclass(frozen=True)
class Noise:
    """How much the gradient of the whole scatters, judged from the gradients of its parts.

    ``standard_error`` is the expected length of the error of the mean gradient if the parts are a sample of a larger
    whole; infinite when there is one part only. ``loss_error`` is the same for the loss.
    """

    parts: int
    standard_error: float
    loss_error: float


@dataclass(frozen=True)
class Gradient:
    """Loss and flat gradient at a point; ``noise`` when the objective has parts."""

    value: float
    vector: Tensor
    noise: Noise | None = None


class Point(ABC):
    """The objective at one point, with what repeated products need kept ready. Close it to free the memory.

    ``value`` (float), ``gradient`` (flat vector), ``noise``, and ``hvp``; ``ggn`` where the model's output is known.
    """

    value: float
    gradient: Tensor
    noise: Noise | None
    kept_bytes: int
    reached: bool = True  # a path leads from the loss to at least one parameter

    @property
    def size(self) -> int:
        return self.gradient.numel()

    @abstractmethod
    def hvp(self, vector: Tensor) -> Tensor:
        """Hessian times vector. *Cost*: one product."""

    def hvp_block(self, vectors: Tensor) -> Tensor:
        """Hessian times every row (k × n). *Cost*: k products, in one go where that pays."""
        return torch.stack([self.hvp(vector) for vector in vectors])

    def ggn(self, vector: Tensor) -> Tensor:
        """Generalized Gauss–Newton matrix times vector. *Cost*: one product."""
        raise BadInput("ggn", got=type(self).__name__, want="an objective made from a model and a loss of its output")

    def empirical_fisher(self, vector: Tensor) -> Tensor:
        """Mean of g gᵀ over the examples' gradients g, times vector. *Cost*: one product."""
        raise BadInput("empirical_fisher", got=type(self).__name__, want="an objective with a loss for each example")

    def close(self) -> None:  # noqa: B027  a point that keeps nothing has nothing to free
        """Free what is kept; the point can no longer make products."""

    def __enter__(self) -> Point:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Objective(ABC):
    """The loss as a deterministic function of a flat parameter vector over a fixed finite set of batches."""

    layout: Layout
    work: Work
    about: dict[str, Number | Sequence[str] | Mapping[str, Number]]

    @property
    def size(self) -> int:
        return self.layout.size

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """Precision in which everything is evaluated."""

    @abstractmethod
    def start(self) -> Tensor:
        """The parameters the objective was made at; a fresh flat vector (n)."""

    @abstractmethod
    def value(self, parameters: Tensor) -> float:
        """The loss. *Cost*: one forward pass over all batches."""

    @abstractmethod
    def gradient(self, parameters: Tensor) -> Gradient:
        """The loss and its gradient. *Cost*: one gradient."""

    @abstractmethod
    def at(self, parameters: Tensor | None = None) -> Point:
        """The point, ready for many products. *Cost*: about one gradient and its memory two to three times over."""

    @abstractmethod
    def in_double(self) -> Objective:
        """The same objective in float64 (itself, when it is already)."""

    def values(self, points: Tensor) -> list[float]:
        """The loss at every row (k × n)."""
        return [self.value(point) for point in points]

    def check(self, parameters: Tensor) -> Tensor:
        """The vector in this objective's precision and on its device, or an error naming what is wrong."""
        if parameters.numel() != self.size:
            raise BadInput("parameters", got=tuple(parameters.shape), want=f"a vector of {self.size}")
        home = self.start()
        return parameters.detach().reshape(-1).to(home)


@dataclass
class NoiseSum:
    """Adds up what :class:`Noise` needs, one part at a time, in two vectors and four numbers."""

    mean: Tensor
    squared_mean: Tensor
    lengths: float = 0.0
    loss: float = 0.0
    losses: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    @classmethod
    def empty(cls, like: Tensor) -> NoiseSum:
        return cls(torch.zeros_like(like), torch.zeros_like(like))

    def add(self, gradient: Tensor, loss: float, weight: float) -> None:
        """A part's own (unweighted) gradient and loss, and its share of the whole."""
        self.mean.add_(gradient, alpha=weight)
        self.squared_mean.add_(gradient, alpha=weight * weight)
        self.lengths += weight * weight * dot(gradient, gradient)
        self.losses.append(loss)
        self.weights.append(weight)

    def result(self) -> Noise | None:
        count = len(self.weights)
        whole = sum(self.weights)
        squares = sum(weight * weight for weight in self.weights)
        if count < 2 or squares >= whole * whole:
            return None
        # Written for weights that add up to anything: a sum over batches has weights 1 and so a mean of W⁻¹ Σ w g.
        scatter = (
            self.lengths
            - 2 * dot(self.mean, self.squared_mean) / whole
            + squares * dot(self.mean, self.mean) / whole**2
        )
        correction = 1.0 / (1.0 - squares / whole**2)
        center = sum(w * x for w, x in zip(self.weights, self.losses, strict=True)) / whole
        spread = sum(w * w * (x - center) ** 2 for w, x in zip(self.weights, self.losses, strict=True))
        return Noise(count, max(0.0, scatter * correction) ** 0.5, (spread * correction) ** 0.5)
