"""The weights of the parametric layers in forward order, and what the first samples say of their scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.findings.evidence.liveness import owned
from unstuck.record.recording import Fact, Recording, Stream


@dataclass(frozen=True)
class Weight:
    """The weight of one parametric layer in one sample."""

    step: int
    name: str
    layer: str
    order: float
    w: float
    g: float | None
    stat: Fact

    @property
    def pull(self) -> float | None:
        """Gradient norm times weight norm: how much the loss changes with a relative change of this weight.

        In a network of ReLUs without biases the inner product of gradient and weight is the same for every layer
        (Euler's theorem for homogeneous functions), so this size, unlike the gradient norm, compares across layers.
        """
        return None if self.g is None else self.g * self.w


def weights(sample: Fact, stream: Stream) -> list[Weight]:
    """The weights (no biases, gains or embeddings) of this stream's optimizer, in forward order."""
    return _of_role("weight", sample, stream)


def tables(sample: Fact, stream: Stream) -> list[Weight]:
    """The embeddings of this stream's optimizer, in forward order."""
    return _of_role("embedding", sample, stream)


def _of_role(role: str, sample: Fact, stream: Stream) -> list[Weight]:
    found = [
        Weight(
            step=seen.step,
            name=seen.name,
            layer=str(seen.stat.get("layer") or seen.name.rpartition(".")[0] or seen.name),
            order=float(seen.stat["order"]),
            w=float(seen.stat.get("w") or 0.0),
            g=seen.gradient,
            stat=seen.stat,
        )
        for seen in owned(sample, stream)
        if seen.stat.get("role", "weight") == role and seen.stat.get("order") is not None
    ]
    return sorted(found, key=lambda weight: weight.order)


def module_kind(recording: Recording, layer: str) -> str:
    """The class of the module that a layer's name stands for, ``LSTM`` for instance; "" when it is not known."""
    for model in recording.models:
        for module in model.get("modules") or ():
            if layer in (str(module.get("name")), f"{model.get('name')}.{module.get('name')}"):
                return str(module.get("kind") or "")
    return ""


@dataclass(frozen=True)
class Gain:
    """How a layer's initial weights scale what passes: deviation of the weights times the root of the fan-in.

    He initialization has 1.41, Glorot about 1, PyTorch's default 0.58.
    """

    layer: str
    parameter: str
    gain: float
    wstd: float
    fan_in: int
    in_std: float | None
    in_rms: float | None


def initial_gains(stream: Stream) -> list[Gain]:
    """The gain of every layer in the first sample that shows layers (step 2 at the latest), in forward order."""
    for sample in stream.samples:
        if sample["s"] > 2:
            break
        layers = {str(layer["name"]): layer for layer in sample.get("layers") or ()}
        if not layers:
            continue
        found = []
        for weight in weights(sample, stream):
            layer = layers.get(weight.layer)
            deviation = weight.stat.get("wstd")
            if layer is None or deviation is None or not layer.get("fan_in") or weight.w == 0:
                continue
            size = math.sqrt(float(weight.w) ** 2 / max(1, int(weight.stat.get("n") or 1)))
            scale = max(float(deviation), size)  # equal weights have no deviation, but a size
            found.append(
                Gain(
                    layer=weight.layer,
                    parameter=weight.name,
                    gain=scale * math.sqrt(float(layer["fan_in"])),
                    wstd=float(deviation),
                    fan_in=int(layer["fan_in"]),
                    in_std=layer.get("in_std"),
                    in_rms=layer.get("in_rms"),
                )
            )
        return found
    return []
