"""An objective from calls captured in a running script: accepted only when it gives the live loss again, bit for
bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from unstuck.core.errors import BadInput
from unstuck.objective.averaging import read_averaging, weigh
from unstuck.objective.batches import examples_in, map_tensors
from unstuck.objective.frozen_state import differentiable_kernels, has_recurrent, modes, random_numbers
from unstuck.objective.in_double import InDouble
from unstuck.objective.layout import Layout
from unstuck.objective.model import choose_parameters, unwrapped
from unstuck.objective.pieces import PieceObjective


@dataclass(frozen=True)
class CapturedCall:
    """One forward pass of a script: what went in, under which state, and the loss that came out."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    flags: Mapping[str, bool]
    buffers: Mapping[str, Tensor]
    random_states: tuple[Tensor, ...]
    autocast: tuple[str, torch.dtype] | None
    loss: Callable[[Any], Tensor] | None = None  # of the model's output; none when the output carries it
    value: Tensor | None = None  # the live loss
    widened: bool = False  # to float64, and so is what the model's code makes for itself

    @classmethod
    def before(cls, model: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> CapturedCall:
        """Take down everything a forward pass depends on, before it runs. *Cost*: copies of inputs and buffers.

        >>> CapturedCall.before(nn.Linear(1, 1), (torch.ones(1, 1),), {}).flags
        {'': True}
        """
        model = unwrapped(model)
        device = next((p.device for p in nn.Module.parameters(model)), torch.device("cpu"))
        states = [torch.get_rng_state()]
        if device.type == "cuda":
            states.append(torch.cuda.get_rng_state(device))
        autocast = None
        if torch.is_autocast_enabled(device.type):
            autocast = (device.type, torch.get_autocast_dtype(device.type))

        def copy(thing: Any) -> Any:
            return map_tensors(thing, lambda t: t.detach().clone())

        return cls(
            model=model,
            args=copy(args),
            kwargs=copy(dict(kwargs)),
            flags={name: module.training for name, module in model.named_modules()},
            buffers={name: b.detach().clone() for name, b in model.named_buffers()},
            random_states=tuple(states),
            autocast=autocast,
        )

    def with_loss(self, value: Tensor, loss: Callable[[Any], Tensor] | None = None) -> CapturedCall:
        """The call completed by its live loss, and how the loss follows from the output."""
        return replace(self, value=value.detach().clone(), loss=loss)


class _CapturedPiece:
    def __init__(self, call: CapturedCall, names: Sequence[str], others: Mapping[str, Tensor], *, live: bool) -> None:
        self.call, self._names, self._others, self._live = call, list(names), others, live
        self._recurrent = has_recurrent(call.model)
        self._devices = sorted({p.device for p in nn.Module.parameters(call.model)}, key=str)

    def loss(self, leaves: Sequence[Tensor]) -> Tensor:
        call = self.call
        state = {
            **self._others,
            **{name: b.clone() for name, b in call.buffers.items()},
            **dict(zip(self._names, leaves, strict=True)),
        }
        with ExitStack() as stack:
            stack.enter_context(modes(call.model, call.flags))
            stack.enter_context(random_numbers(None, self._devices, call.random_states))
            if not self._live:
                stack.enter_context(differentiable_kernels(recurrent=self._recurrent))
            if call.autocast is not None:
                stack.enter_context(torch.autocast(call.autocast[0], dtype=call.autocast[1]))
            if call.widened:
                stack.enter_context(InDouble())
            # Copies again: a model may write into its inputs.
            fresh = map_tensors((call.args, dict(call.kwargs)), lambda t: t.clone())
            output = functional_call(call.model, state, fresh[0], fresh[1])
            loss = call.loss(output) if call.loss is not None else output
        if not isinstance(loss, Tensor):
            loss = loss["loss"] if isinstance(loss, Mapping) else loss.loss
        return loss.reshape(()) if loss.numel() == 1 else loss.mean()

    def split(self, leaves: Sequence[Tensor]) -> tuple[list[Tensor], Callable[[list[Tensor]], Tensor]]:
        raise BadInput("ggn", got="captured calls", want="an objective made from a model and a loss of its output")

    def examples(self, leaves: Sequence[Tensor]) -> tuple[Tensor, float]:
        raise BadInput("empirical_fisher", got="captured calls", want="an objective with a loss for each example")


def loss_again(
    call: CapturedCall, names: Sequence[str], leaves: Sequence[Tensor], others: Mapping[str, Tensor]
) -> Tensor:
    """The loss of a captured call at these parameters, by the kernels the script used. *Cost*: one forward pass."""
    return _CapturedPiece(call, names, others, live=True).loss(leaves)


class CapturedObjective(PieceObjective):
    """Made by :func:`captured_objective`; evaluated in the precision of the script."""

    def in_double(self) -> CapturedObjective:
        if self.dtype == torch.float64:
            return self
        twin = self._doubled(False)
        try:
            twin.gradient(twin.start())
        except (RuntimeError, TypeError):  # the model makes or keeps single-precision tensors of its own
            twin = self._doubled(True)
        twin.work = self.work  # one account for both
        return twin

    def _doubled(self, widened: bool) -> CapturedObjective:
        calls = [_doubled(piece.call, widened) for piece in self._pieces]  # type: ignore[attr-defined]
        return _build(calls, list(self.layout.names), self._start.double(), list(self._weights), dict(self.about))


def _doubled(call: CapturedCall, widened: bool) -> CapturedCall:
    def wide(thing: Any) -> Any:
        return map_tensors(thing, lambda t: t.double() if t.is_floating_point() else t)

    return replace(
        call,
        args=wide(call.args),
        kwargs=wide(dict(call.kwargs)),
        buffers=wide(dict(call.buffers)),
        autocast=None,
        widened=widened,
    )


def captured_objective(
    calls: Sequence[CapturedCall],
    *,
    parameters: Sequence[str] | None = None,
    at: Mapping[str, Tensor] | None = None,
    proved: bool = False,
    memory_bytes: int | None = None,
) -> CapturedObjective:
    """The mean loss of captured calls of one model, as a function of its parameters.

    ``at``: the parameters the calls were made with, when the model has moved since. ``proved``: each call was made
    again at
    its own parameters already (:func:`loss_again`), so they may be anywhere now. *Errors*: BadInput when a call is
    incomplete or evaluating it again does not give the live loss bit for bit: then nothing may be concluded from it.
    *Cost*: two forward passes a call.
    """
    if not calls:
        raise BadInput("calls", got="none", want="at least one captured call")
    model = calls[0].model
    if any(call.model is not model for call in calls):
        raise BadInput("calls", got="calls of several models", want="calls of one model")
    chosen = choose_parameters(model, parameters)
    source = {name: (at[name] if at and name in at else p).detach() for name, p in chosen.items()}
    others = {name: p.detach() for name, p in model.named_parameters() if name not in chosen}
    for index, call in enumerate(calls):
        if call.value is None:
            raise BadInput("calls", got=f"call {index} without its loss", want="calls completed by with_loss")
        if proved:
            continue
        leaves = [tensor.clone().requires_grad_(True) for tensor in source.values()]
        again = loss_again(call, list(source), leaves, others).detach()
        if not torch.equal(again, call.value.reshape(()).to(again.dtype)):
            raise BadInput(
                "calls",
                got=f"a loss of {float(again)!r} where the script had {float(call.value)!r} (call {index})",
                want="the live loss again, bit for bit",
                hint="the model reads state that was not captured",
            )
    start = torch.cat(
        [
            tensor.reshape(-1).to(torch.float32 if tensor.dtype.itemsize < 4 else tensor.dtype)
            for tensor in source.values()
        ]
    )
    leaves = [tensor.clone().requires_grad_(True) for tensor in source.values()]
    readings = [read_averaging(_CapturedPiece(call, list(source), others, live=False).loss(leaves)) for call in calls]
    weighting = weigh(readings, [examples_in((call.args, call.kwargs)) for call in calls])
    about: dict[str, Any] = {
        "made_from": "captured calls",
        "model": type(model).__name__,
        "batches": len(calls),
        "examples": sum(examples_in((call.args, call.kwargs)) for call in calls),
        "weighting": weighting.text,
        "reduction": weighting.kind,
        "reproduced": "bit for bit",
        "attention": "plain products (differentiable twice)",
        "dtype": str(start.dtype).removeprefix("torch."),
        "parameters": start.numel(),
        "names": list(source),
    }
    return _build(list(calls), list(source), start, list(weighting.weights), about, memory_bytes=memory_bytes)


def _build(
    calls: list[CapturedCall],
    names: list[str],
    start: Tensor,
    weights: list[float],
    about: dict[str, Any],
    *,
    memory_bytes: int | None = None,
) -> CapturedObjective:
    model = calls[0].model
    every = dict(model.named_parameters())
    layout = Layout(tuple(names), tuple(tuple(every[name].shape) for name in names))
    others = {name: p.detach().to(start.dtype) for name, p in every.items() if name not in set(names)}
    pieces = [_CapturedPiece(call, names, others, live=False) for call in calls]
    about = {**about, "dtype": str(start.dtype).removeprefix("torch.")}
    return CapturedObjective(
        layout=layout, start=start, pieces=pieces, weights=weights, about=about, memory_bytes=memory_bytes
    )
