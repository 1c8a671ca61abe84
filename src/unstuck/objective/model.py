"""An objective from a model, a loss function and data."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from unstuck.core.errors import BadInput
from unstuck.objective.averaging import Weighting, read_averaging, weigh
from unstuck.objective.batches import collect, cut, divide, examples_in, map_tensors, place, tensors_in
from unstuck.objective.frozen_state import (
    BatchNorm,
    Mode,
    differentiable_kernels,
    has_recurrent,
    modes,
    random_numbers,
    wanted_flags,
)
from unstuck.objective.in_double import InDouble
from unstuck.objective.layout import Layout
from unstuck.objective.pieces import PieceObjective

Loss = Callable[..., Tensor]


def unwrapped(model: nn.Module) -> nn.Module:
    """The plain module inside a compiled or data-parallel one: those have no second derivative, or talk to other
    processes."""
    while True:
        if hasattr(model, "_orig_mod"):
            model = model._orig_mod  # type: ignore[assignment]
        elif isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        else:
            return model


def choose_parameters(
    model: nn.Module, wanted: Sequence[str] | Callable[[str, Tensor], bool] | None
) -> dict[str, Tensor]:
    """Parameters by name: all trainable ones, those matching a pattern (``"layer1.*"``), or those a function
    accepts."""
    every: dict[str, Tensor] = dict(model.named_parameters())
    if wanted is None:
        chosen = {name: p for name, p in every.items() if p.requires_grad}
    elif callable(wanted):
        chosen = {name: p for name, p in every.items() if wanted(name, p)}
    else:
        patterns = [wanted] if isinstance(wanted, str) else list(wanted)
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in every):
                raise BadInput(
                    "parameters",
                    got=pattern,
                    want="a name or pattern of the model",
                    hint=f"such as {next(iter(every), '')}",
                )
        chosen = {name: p for name, p in every.items() if any(fnmatchcase(name, pattern) for pattern in patterns)}
    chosen = {name: p for name, p in chosen.items() if p.is_floating_point()}
    if not chosen:
        raise BadInput("parameters", got="none", want="at least one floating parameter", hint="are all of them frozen?")
    return chosen


class _Runner:
    """The model and loss with fixed states, as a function of the chosen parameters."""

    def __init__(
        self,
        model: nn.Module,
        loss_fn: Loss | None,
        call: Callable[[nn.Module, Any], Tensor] | None,
        names: Sequence[str],
        flags: Mapping[str, bool],
        dtype: torch.dtype,
        seed: int,
    ) -> None:
        self.model = model
        self.names = list(names)
        self.flags = dict(flags)
        self.call = call
        self.loss_fn = _in_precision(loss_fn, dtype)
        self.seed = seed
        chosen = set(names)
        self.others = {name: _cast(p, dtype) for name, p in model.named_parameters() if name not in chosen}
        self.buffers = {name: _cast(b, dtype).clone() for name, b in model.named_buffers()}
        self.devices = sorted({t.device for t in [*model.parameters(), *model.buffers()]}, key=str)
        self.recurrent = has_recurrent(model)
        self.in_training = any(flags.values())
        self.widened = False  # to float64, and so is what the model's code makes for itself

    @contextmanager
    def frozen(self, index: int) -> Any:
        with ExitStack() as stack:
            stack.enter_context(modes(self.model, self.flags))
            stack.enter_context(random_numbers(self.seed + index, self.devices))
            stack.enter_context(differentiable_kernels(recurrent=self.recurrent))
            if self.widened:
                stack.enter_context(InDouble())
            yield

    def state(self, leaves: Sequence[Tensor]) -> dict[str, Tensor]:
        # In training mode a forward pass writes into buffers: into copies, so that every evaluation starts alike.
        buffers = {name: b.clone() for name, b in self.buffers.items()} if self.in_training else self.buffers
        return {**self.others, **buffers, **dict(zip(self.names, leaves, strict=True))}

    def output(self, leaves: Sequence[Tensor], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return functional_call(self.model, self.state(leaves), args, dict(kwargs))


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to(dtype) if tensor.is_floating_point() else tensor.detach()


def _in_precision(loss_fn: Loss | None, dtype: torch.dtype) -> Loss | None:
    if isinstance(loss_fn, nn.Module) and any(True for _ in [*loss_fn.parameters(), *loss_fn.buffers()]):
        return copy.deepcopy(loss_fn).to(dtype)
    return loss_fn


class _BoundModel(nn.Module):
    """What ``call=`` gets in place of the model: called like it, evaluated at the objective's parameters."""

    def __init__(self, runner: _Runner, leaves: Sequence[Tensor]) -> None:
        super().__init__()
        object.__setattr__(self, "_runner", runner)
        object.__setattr__(self, "_state", runner.state(leaves))
        object.__setattr__(self, "_leaves", list(leaves))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return functional_call(self._runner.model, self._state, args, kwargs)

    def named_parameters(self, *args: Any, **kwargs: Any) -> Any:
        runner = self._runner
        yield from zip(runner.names, self._leaves, strict=True)
        yield from runner.others.items()

    def parameters(self, recurse: bool = True) -> Any:
        for _, parameter in self.named_parameters():
            yield parameter

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._runner.model, name)


class ModelPiece:
    """One batch."""

    def __init__(self, runner: _Runner, batch: Any, index: int) -> None:
        self._runner, self.batch, self._index = runner, batch, index

    def loss(self, leaves: Sequence[Tensor]) -> Tensor:
        runner = self._runner
        with runner.frozen(self._index):
            if runner.call is not None:
                return _scalar(runner.call(_BoundModel(runner, leaves), self.batch), "call")
            parts = divide(self.batch, loss_is_given=runner.loss_fn is not None)
            output = runner.output(leaves, parts.args, parts.kwargs)
            if runner.loss_fn is None:
                return _scalar(_own_loss(output), "the model's loss")
            return _scalar(runner.loss_fn(output, parts.target), "loss_fn")

    def split(self, leaves: Sequence[Tensor]) -> tuple[list[Tensor], Callable[[list[Tensor]], Tensor]]:
        runner = self._runner
        loss_fn = runner.loss_fn
        if loss_fn is None or runner.call is not None:
            raise BadInput("ggn", got="a loss computed inside the model", want="loss_fn(output, target)")
        parts = divide(self.batch, loss_is_given=True)
        with runner.frozen(self._index):
            output = runner.output(leaves, parts.args, parts.kwargs)
        tensors = [t for t in tensors_in(output) if t.requires_grad]

        def loss_of(replaced: list[Tensor]) -> Tensor:
            table = {id(old): new for old, new in zip(tensors, replaced, strict=True)}
            with runner.frozen(self._index):
                return _scalar(loss_fn(map_tensors(output, lambda t: table.get(id(t), t)), parts.target), "loss_fn")

        return tensors, loss_of

    def examples(self, leaves: Sequence[Tensor]) -> tuple[Tensor, float]:
        runner = self._runner
        one_by_one = _unreduced(runner.loss_fn)
        if one_by_one is None or runner.call is not None:
            raise BadInput(
                "empirical_fisher", got="a loss that only returns its mean", want="a torch loss with reduction="
            )
        parts = divide(self.batch, loss_is_given=True)
        with runner.frozen(self._index):
            output = runner.output(leaves, parts.args, parts.kwargs)
            losses = one_by_one(output, parts.target)
            assert runner.loss_fn is not None
            whole = float(_scalar(runner.loss_fn(output, parts.target), "loss_fn").detach())
        kinds = read_averaging(losses.sum())
        del kinds
        targets = parts.target
        counted = losses.numel()
        if isinstance(targets, Tensor) and not targets.is_floating_point() and losses.shape == targets.shape:
            ignored = getattr(runner.loss_fn, "ignore_index", -100)
            counted = int((targets != ignored).sum())
            flat = losses.reshape(-1)
        else:  # an elementwise loss: an example is a row
            rows = losses.shape[0]
            flat = losses.reshape(rows, -1).mean(dim=1)
            counted = rows
        total = float(flat.detach().sum())
        if abs(total / max(counted, 1) - whole) > 1e-3 * max(abs(whole), 1e-12):
            if abs(total - whole) > 1e-3 * max(abs(whole), 1e-12):
                raise BadInput("empirical_fisher", got="class weights or smoothing", want="a plain mean or sum")
            counted = 1  # the loss sums
        return flat, float(counted)


def _own_loss(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping) and "loss" in output:
        return output["loss"]
    if getattr(output, "loss", None) is not None:
        return output.loss
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor) and output[0].numel() == 1:
        return output[0]
    raise BadInput(
        "loss_fn",
        got=None,
        want="a loss function, or a model whose output has .loss",
        hint="do the batches hold labels?",
    )


def _scalar(loss: Any, who: str) -> Tensor:
    if not isinstance(loss, Tensor):
        raise BadInput(who, got=type(loss).__name__, want="a tensor")
    return loss.reshape(()) if loss.numel() == 1 else loss.mean()


def _unreduced(loss_fn: Loss | None) -> Loss | None:
    if loss_fn is None:
        return None
    if isinstance(loss_fn, nn.Module):
        if not hasattr(loss_fn, "reduction"):
            return None
        twin = copy.copy(loss_fn)
        twin.reduction = "none"  # type: ignore[assignment]
        return twin
    if getattr(loss_fn, "__module__", "") == "torch.nn.functional":
        return lambda output, target: loss_fn(output, target, reduction="none")
    return None


class ModelObjective(PieceObjective):
    """The loss of a model over given batches, as a deterministic function of its parameters. The model is left as it
    is.

    ``data``: a loader, a list of batches, or one batch; a batch is ``(inputs, target)``, ``(x1, x2, target)``,
    ``({…}, target)``, or a dictionary (with its labels). ``loss_fn(output, target)``; leave it out when the model's
    output
    has ``.loss``; or ``call(model, batch)`` for everything else (regularization belongs there).

    ``weight``: by default read from the loss's own graph (means over examples or valid tokens; sums), or a function
    of the
    batch. ``mode``: ``eval`` (default), ``train`` (dropout with masks fixed by ``seed``) or ``as-is``; ``batch_norm``:
    ``running`` or ``batch`` statistics, by default as the mode has it. ``dtype``: default that of the parameters, at
    least
    float32. ``parameters``: names or patterns. ``about`` states what was used.

    *Errors*: BadInput when two evaluations of the same point differ. *Cost* of making it: one forward pass over the
    data.

    >>> model = nn.Linear(2, 1)
    >>> x, y = torch.eye(2), torch.zeros(2, 1)
    >>> objective = ModelObjective(model, nn.MSELoss(), (x, y))
    >>> objective.size, objective.about["weighting"]
    (3, 'the loss averages; batches are weighted by what counts (2 in all)')
    """

    def __init__(
        self,
        model: nn.Module,
        loss_fn: Loss | None = None,
        data: Any = None,
        *,
        call: Callable[[nn.Module, Any], Tensor] | None = None,
        weight: Callable[[Any], float] | Sequence[float] | None = None,
        mode: Mode = "eval",
        batch_norm: BatchNorm | None = None,
        dtype: torch.dtype | None = None,
        parameters: Sequence[str] | Callable[[str, Tensor], bool] | None = None,
        seed: int = 0,
        max_batches: int | None = None,
        memory_bytes: int | None = None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise BadInput(
                "model", got=type(model).__name__, want="a torch module", hint="for a formula use FormulaObjective"
            )
        model = unwrapped(model)
        chosen = choose_parameters(model, parameters)
        widest = max((p.dtype for p in chosen.values()), key=lambda d: torch.finfo(d).bits)
        precision = dtype or (widest if torch.finfo(widest).bits >= 32 else torch.float32)
        device = next(iter(chosen.values())).device
        raw = collect(data, limit=max_batches)
        batches = [place(batch, device=device, dtype=precision) for batch in raw]
        flags = wanted_flags(model, mode, batch_norm)
        runner = _Runner(model, loss_fn, call, list(chosen), flags, precision, seed)
        pieces = [ModelPiece(runner, batch, index) for index, batch in enumerate(batches)]
        layout = Layout(tuple(chosen), tuple(tuple(p.shape) for p in chosen.values()))
        start = torch.cat([p.detach().reshape(-1).to(precision) for p in chosen.values()])
        if precision is torch.float64 and widest is not torch.float64:
            try:
                with torch.no_grad():
                    pieces[0].loss([p.detach().to(precision) for p in chosen.values()])
            except (RuntimeError, TypeError):  # the model makes or keeps single-precision tensors of its own
                runner.widened = True
        self._recipe: dict[str, Any] = {
            "model": model,
            "loss_fn": loss_fn,
            "raw": raw,
            "call": call,
            "weight": weight,
            "mode": mode,
            "batch_norm": batch_norm,
            "parameters": list(chosen),
            "seed": seed,
            "memory_bytes": memory_bytes,
        }
        weighting = self._weighting(pieces, batches, layout, start, weight)
        kinds = {
            flag
            for name, flag in flags.items()
            if isinstance(dict(model.named_modules())[name], nn.modules.batchnorm._BatchNorm)
        }
        about: dict[str, Any] = {
            "made_from": "model",
            "model": type(model).__name__,
            "batches": len(batches),
            "examples": sum(examples_in(batch) for batch in batches),
            "weighting": weighting.text,
            "reduction": weighting.kind,
            "mode": mode,
            "batch_norm": "none" if not kinds else ("batch" if True in kinds else "running"),
            "dropout": "frozen by its random state" if mode != "eval" else "off",
            "attention": "plain products (differentiable twice)",
            "dtype": str(precision).removeprefix("torch."),
            "device": str(device),
            "parameters": layout.size,
            "names": list(chosen),
        }
        super().__init__(
            layout=layout, start=start, pieces=pieces, weights=weighting.weights, about=about, memory_bytes=memory_bytes
        )
        self.batches = batches
        self.runner = runner
        self._double: ModelObjective | None = None

    @staticmethod
    def _weighting(
        pieces: Sequence[ModelPiece], batches: Sequence[Any], layout: Layout, start: Tensor, weight: Any
    ) -> Weighting:
        leaves = [part.clone().requires_grad_(True) for part in layout.split(start)]
        readings = []
        for index, piece in enumerate(pieces):
            loss = piece.loss(leaves)
            if (
                index == 0
                and not torch.equal(loss.detach(), piece.loss(leaves).detach())
                and bool(torch.isfinite(loss))
            ):
                raise BadInput(
                    "the loss",
                    got="two values at one point",
                    want="the same value every time",
                    hint="something draws random numbers that are not torch's, or keeps state between calls",
                )
            readings.append(read_averaging(loss))
        if weight is None:
            return weigh(readings, [examples_in(batch) for batch in batches])
        given = [float(weight(batch)) for batch in batches] if callable(weight) else [float(w) for w in weight]
        if len(given) != len(batches) or any(w < 0 for w in given) or sum(given) <= 0:
            raise BadInput("weight", got=given, want="a number of at least 0 for each batch, not all 0")
        return Weighting(tuple(w / sum(given) for w in given), "mean", "weights given by the caller")

    def _again(self, **changes: Any) -> ModelObjective:
        recipe = {**self._recipe, **changes}
        model, loss_fn, raw = recipe.pop("model"), recipe.pop("loss_fn"), recipe.pop("raw")
        again = ModelObjective(model, loss_fn, raw, **recipe)
        again._start = self._start.to(again._start)
        return again

    def in_double(self) -> ModelObjective:
        if self.dtype == torch.float64:
            return self
        if self._double is None:
            self._double = self._again(dtype=torch.float64)
            self._double.work = self.work  # one account for both
        return self._double

    def in_parts(self, parts: int) -> ModelObjective:
        """The same loss cut into about ``parts`` pieces, to judge noise when there is one batch only.

        Returns itself when batch statistics or a mask over the batch would make the parts another loss.
        """
        if self.pieces >= parts or self.about["batch_norm"] == "batch" or self._recipe["weight"] is not None:
            return self
        each = -(-parts // self.pieces)
        pieces = [piece for batch in self._recipe["raw"] for piece in cut(batch, each)]
        if len(pieces) == self.pieces:
            return self
        again = self._again(raw=pieces, dtype=self.dtype)
        here = self._start
        if abs(again.value(here) - self.value(here)) > 1e-4 * (abs(self.value(here)) + 1e-12):
            return self
        return again
