"""Forward passes of the script, kept so that they can be made again on a copy of its model: what verdicts rest on."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from unstuck.live.loss_tape import LossTape, NotReplayable, stack_height
from unstuck.live.registry import parameters_of
from unstuck.live.side_effects import obstacle, quiet

if TYPE_CHECKING:
    from unstuck.objective.captured import CapturedCall

MOST = 8  # batches that are kept
INPUT_BYTES = 16 << 20  # of one batch
PARAMETER_BYTES = 64 << 20  # of a model that is copied
AGREEMENT = 1e-3  # of the gradient that comes back with the live one, relative; its sums may run in another order


@dataclass
class Kept:
    """What belongs to one model of the script."""

    number: int  # of the model in the registry
    twin: torch.nn.Module
    live: list[tuple[str, Tensor]]  # its own parameters, under the twin's names
    calls: list[CapturedCall] = field(default_factory=list)
    again: int = 0  # times that the same batch came again: the data in one piece
    own_functions: tuple[str, ...] = ()  # of the script, with a backward pass it wrote itself


class Captures:
    """Keeps the last few forward passes of one model, each proved by giving the live loss again, bit for bit."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.kept: Kept | None = None
        self.reason: str | None = None  # why there is none
        self.refused: set[int] = set()  # models that cannot be kept
        self.forwards = 0  # of any model in this step
        self._tape = LossTape()
        self._call: CapturedCall | None = None
        self._module: torch.nn.Module | None = None
        self._number = -1
        self._hook: Any = None
        self._agreed: set[int] = set()

    # -- one step ----------------------------------------------------------------------------------------------------

    def step_begins(self) -> None:
        """A new step of the script: what was under way is let go."""
        self.forwards = 0
        self._drop()

    def model_called(self, number: int, module: torch.nn.Module, args: tuple, kwargs: Any, *, wanted: bool) -> None:
        """A model of the script is about to run with gradient."""
        self.forwards += 1
        if self._call is not None:
            self.reason = "the model, or another one, is called again before the loss's backward pass"
        self._drop()
        if not wanted or self.forwards > 1 or number in self.refused:
            return
        reason = self._why_not(module, args, kwargs)
        if reason is not None:
            self._refuse(number, reason)
            return
        from unstuck.objective.captured import CapturedCall

        self._call = CapturedCall.before(module, args, kwargs)
        self._module, self._number = module, number
        self._hook = module.register_forward_hook(self._returned)

    def _returned(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        self._unhook()
        if self._call is not None and not self._tape.begin(output):
            self._call = None
            self.reason = "another torch function mode is active"

    def loss_heard(self, loss: Tensor) -> None:
        """The backward pass of a loss is about to run: complete the call under way and prove it."""
        call, module, number = self._call, self._module, self._number
        self._call = self._module = None
        self._unhook()
        self._tape.running = False
        if call is None or module is None:
            return
        try:
            program = self._tape.program(loss)
        except NotReplayable as reason:
            self._refuse(number, str(reason))
            return
        finally:
            self._tape.forget()
        with quiet(), torch.enable_grad():
            try:
                self._keep(number, module, call.with_loss(loss, program), loss)
            except Exception as error:
                self._refuse(number, f"{type(error).__name__}: {error}"[:300])

    def take_off(self) -> None:
        """Take the tape off, where that was not possible before."""
        if self._tape.on:
            self._tape.take_off()

    def let_go(self) -> None:
        """The step is over, or sampling pauses."""
        self._drop()

    def forget(self) -> None:
        """Keep nothing any more."""
        self._drop()
        self.kept = None
        self._agreed.clear()

    def _drop(self) -> None:
        self._call = self._module = None
        self._unhook()
        self._tape.take_off()
        self._tape.forget()

    def _unhook(self) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _refuse(self, number: int, reason: str) -> None:
        self.refused.add(number)
        self.reason = reason
        if self.kept is not None and self.kept.number == number:
            self.kept = None

    def _why_not(self, module: torch.nn.Module, args: tuple, kwargs: Any) -> str | None:
        from unstuck.objective.batches import tensors_in
        from unstuck.objective.model import unwrapped

        if stack_height() < 0:
            return "this torch does not show its function modes"
        if stack_height() > 0:
            return "another torch function mode is active"
        inner = unwrapped(module)
        if sum(p.numel() * p.element_size() for p in parameters_of(inner)) > PARAMETER_BYTES:
            return f"the model has more than {PARAMETER_BYTES >> 20} MiB of parameters"
        inputs = list(tensors_in((args, kwargs)))
        if any(t.requires_grad for t in inputs):
            return "an input of the model carries a gradient: it is not the only model of this loss"
        if sum(t.numel() * t.element_size() for t in inputs) > INPUT_BYTES:
            return f"a batch has more than {INPUT_BYTES >> 20} MiB"
        return obstacle(inner)

    # -- what is kept ------------------------------------------------------------------------------------------------

    def _keep(self, number: int, module: torch.nn.Module, call: CapturedCall, loss: Tensor) -> None:
        from unstuck.objective.model import unwrapped

        inner = unwrapped(module)
        kept = self.kept
        if kept is None or kept.number != number:
            twin = copy.deepcopy(inner)
            own = dict(inner.named_parameters())
            kept = Kept(number, twin, [(n, own[n]) for n, p in twin.named_parameters() if p.requires_grad])
        call = replace(call, model=kept.twin)
        if any(_same_inputs(call, other) for other in kept.calls):
            kept.again += 1
            return  # the whole data in every batch: once is enough
        if not kept.own_functions:
            kept.own_functions = _own_functions(loss)
        again, slope = self._again(call, kept, gradient=number not in self._agreed)
        if not torch.equal(again, loss.detach().reshape(()).to(again.dtype)):
            raise NotReplayable(
                f"made again, the loss is {float(again)!r} where the script had {float(loss.detach())!r}: the model reads "
                "something that was not kept"
            )
        if number not in self._agreed:
            live = torch.autograd.grad(loss, [p for _, p in kept.live], retain_graph=True, allow_unused=True)
            self._compare(live, slope)
            self._agreed.add(number)
        kept.calls.append(call)
        del kept.calls[: -self.most]
        self.kept = kept
        self.reason = None

    def _again(self, call: CapturedCall, kept: Kept, *, gradient: bool) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        from unstuck.objective.captured import loss_again

        leaves = [p.detach().clone().requires_grad_(True) for _, p in kept.live]
        value = loss_again(call, [n for n, _ in kept.live], leaves, self.others(kept))
        slope: tuple[Tensor | None, ...] = ()
        if gradient:
            slope = torch.autograd.grad(value, leaves, allow_unused=True)
        return value.detach(), slope

    def _compare(self, live: tuple[Tensor | None, ...], again: tuple[Tensor | None, ...]) -> None:
        apart = whole = 0.0
        for a, b in zip(live, again, strict=True):
            if (a is None) != (b is None):
                raise NotReplayable("a parameter that has a gradient in the script has none in the loss made again")
            if a is not None and b is not None:
                apart += float((a - b).double().square().sum())
                whole += float(a.double().square().sum())
        if not math.sqrt(apart) <= AGREEMENT * math.sqrt(whole):
            raise NotReplayable("the gradient that comes back differs from the script's: the loss depends on more")

    @staticmethod
    def others(kept: Kept) -> dict[str, Tensor]:
        """Parameters that do not train, as the twin has them."""
        names = {name for name, _ in kept.live}
        return {name: p.detach() for name, p in kept.twin.named_parameters() if name not in names}


def _own_functions(loss: Tensor) -> tuple[str, ...]:
    """Classes of the script's own that stand in the loss's graph with a backward pass of their own."""
    found: dict[str, None] = {}
    waiting: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, BackwardCFunction):
            written = getattr(node, "_forward_cls", type(node))
            if not str(written.__module__).startswith("torch."):
                found[written.__name__] = None
        waiting.extend(child for child, _ in node.next_functions)
    return tuple(found)


def _same_inputs(a: CapturedCall, b: CapturedCall) -> bool:
    from unstuck.objective.batches import tensors_in

    one, two = list(tensors_in((a.args, dict(a.kwargs)))), list(tensors_in((b.args, dict(b.kwargs))))
    return len(one) == len(two) and all(
        x.shape == y.shape and x.dtype == y.dtype and bool(torch.equal(x, y)) for x, y in zip(one, two, strict=True)
    )
