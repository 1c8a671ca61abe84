"""How a loss follows from a model's output: the torch calls between the two, taken down once and made again later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from unstuck.launch.loss_functions import plain

MAX_CALLS = 300


class NotReplayable(Exception):
    """Why the loss cannot be computed again from the output alone."""


@dataclass(frozen=True)
class _Slot:
    """The place of a tensor that is computed, in a call that is made again."""

    number: int


@dataclass
class _Call:
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    results: list[Tensor]


class LossTape(TorchFunctionMode):
    """Takes down every torch call that uses the model's output, from :meth:`begin` until :meth:`take_off`.

    The calls themselves are passed on unchanged. The tape is put on only where no other function mode is active, so that
    taking it off can never take off somebody else's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.running = False
        self.on = False
        self._outputs: list[Tensor] = []
        self._known: dict[int, Tensor] = {}
        self._calls: list[_Call] = []
        self._trouble: str | None = None

    def begin(self, output: Any) -> bool:
        """Start with a model's output. False where another function mode is active."""
        if stack_height() != 0:
            return False
        self._outputs = list(tensors_of(output))
        self._known = {id(t): t for t in self._outputs}
        self._calls, self._trouble = [], None
        self.__enter__()  # type: ignore[no-untyped-call]
        self.on = self.running = True
        return True

    def take_off(self) -> bool:
        """Leave the stack of modes if on top of it; inside a call that torch is passing to this tape it is not there."""
        self.running = False
        if self.on and stack_height() > 0 and top_of_stack() is self:
            self.__exit__(None, None, None)  # type: ignore[no-untyped-call]
            self.on = False
        return not self.on

    def forget(self) -> None:
        """Let go of every tensor."""
        self._outputs, self._calls = [], []
        self._known.clear()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not self.running:
            return func(*args, **kwargs)
        uses = any(id(t) in self._known for t in tensors_of((args, kwargs)))
        result = func(*args, **kwargs)
        if uses and self.running:
            self._note(func, args, kwargs, result)
        return result

    def _note(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        if len(self._calls) >= MAX_CALLS:
            self._trouble = f"more than {MAX_CALLS} calls between the output and the loss"
            return
        name = getattr(func, "__name__", "")
        if name in ("__setitem__", "backward"):
            if name == "__setitem__":
                self._trouble = "the output, or what follows from it, is written into a tensor"
            return
        results = list(tensors_of(result))
        if results:
            self._calls.append(_Call(plain(func), tuple(args), dict(kwargs), results))
            self._known.update((id(t), t) for t in results)

    def program(self, loss: Tensor) -> Program:
        """The calls that lead to ``loss``. Raises :class:`NotReplayable` with the reason where they do not suffice."""
        if self._trouble is not None:
            raise NotReplayable(self._trouble)
        if id(loss) not in self._known:
            raise NotReplayable("the loss does not follow from the output of one call of the model")
        needed = {id(loss)}
        kept: list[_Call] = []
        for call in reversed(self._calls):
            if any(id(t) in needed for t in call.results):
                kept.append(call)
                needed.update(id(t) for t in tensors_of((call.args, call.kwargs)))
        kept.reverse()
        numbers = {id(t): i for i, t in enumerate(self._outputs)}

        def slot(tensor: Tensor) -> Any:
            number = numbers.get(id(tensor))
            if number is not None:
                return _Slot(number)
            if tensor.requires_grad:
                raise NotReplayable("the loss also depends on parameters by another way than the model's output")
            return tensor.detach().clone()

        steps: list[tuple[Callable[..., Any], Any, Any, list[int]]] = []
        for call in kept:
            args = _changed(call.args, slot)
            kwargs = _changed(call.kwargs, slot)
            places = []
            for t in call.results:
                numbers.setdefault(id(t), len(numbers))
                places.append(numbers[id(t)])
            steps.append((call.func, args, kwargs, places))
        return Program(tuple(steps), numbers[id(loss)])


@dataclass(frozen=True)
class Program:
    """The loss as a function of a model's output."""

    steps: tuple[tuple[Callable[..., Any], Any, Any, list[int]], ...]
    answer: int

    def __call__(self, output: Any) -> Tensor:
        values: dict[int, Tensor] = dict(enumerate(tensors_of(output)))
        first = next(iter(values.values()), None)
        wide = first is not None and first.dtype == torch.float64

        def fill(thing: Any) -> Any:
            if isinstance(thing, _Slot):
                return values[thing.number]
            # Computed in double precision, constants are taken along; a script in float64 has no narrower ones to widen.
            return thing.double() if wide and thing.is_floating_point() else thing

        for func, args, kwargs, places in self.steps:
            result = func(*_changed(args, fill, slots=True), **_changed(kwargs, fill, slots=True))
            values.update(zip(places, tensors_of(result), strict=True))
        return values[self.answer]


def stack_height() -> int:
    """How many function modes are active; -1 where torch does not tell."""
    count = getattr(torch._C, "_len_torch_function_stack", None)
    return int(count()) if count is not None else -1


def top_of_stack() -> Any:
    """The innermost function mode."""
    return torch._C._get_function_stack_at(stack_height() - 1)


def tensors_of(thing: Any) -> Iterator[Tensor]:
    """Every tensor in a nested thing, in a fixed order."""
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from tensors_of(value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from tensors_of(value)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for f in fields(thing):
            yield from tensors_of(getattr(thing, f.name, None))


def _changed(thing: Any, change: Callable[[Any], Any], *, slots: bool = False) -> Any:
    if isinstance(thing, Tensor) or (slots and isinstance(thing, _Slot)):
        return change(thing)
    if isinstance(thing, dict):
        return {key: _changed(value, change, slots=slots) for key, value in thing.items()}
    if isinstance(thing, tuple) and hasattr(thing, "_fields"):
        return type(thing)(*(_changed(value, change, slots=slots) for value in thing))
    if type(thing) in (list, tuple):
        return type(thing)(_changed(value, change, slots=slots) for value in thing)
    return thing
