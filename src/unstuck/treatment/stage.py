"""The stage of one replay: what the script's tensors do, told to the yardstick and to remedies, who may step in.

A torch function mode sees every call of a torch function outside of other torch functions, whether the script wrote
``F.relu(x)``, ``x.relu()`` or ``nn.ReLU()(x)``; ``nn.Module.__call__`` is wrapped to know when a model is called as
a whole, and ``torch.autograd.backward`` to know when a loss is ready. None of it draws random numbers.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

ACTIVATIONS = frozenset(
    "relu leaky_relu elu selu celu gelu silu relu6 hardtanh hardsigmoid softplus mish sigmoid tanh softmax log_softmax "
    "logsigmoid softsign threshold".split()
)
PARAMETRIC = frozenset(
    "linear bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d matmul mm bmm addmm baddbmm "
    "einsum embedding embedding_bag lstm gru rnn_tanh rnn_relu lstm_cell gru_cell multi_head_attention_forward".split()
)
MATRICES = frozenset("linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d".split())
LOSSES = frozenset(
    "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy kl_div gaussian_nll_loss "
    "binary_cross_entropy_with_logits poisson_nll_loss soft_margin_loss hinge_embedding_loss multi_margin_loss "
    "multilabel_soft_margin_loss multilabel_margin_loss".split()
)
RANDOM = frozenset("randn randn_like rand rand_like normal bernoulli randint randint_like randperm multinomial".split())
UNHEARD = frozenset(("__get__", "__set__", "backward", "requires_grad_", "zero_"))
TRIVIAL = frozenset("size dim numel item is_complex is_floating_point stride is_contiguous cpu storage_offset".split())
COMPARISONS = frozenset(("eq", "ne", "__eq__", "__ne__"))
# By what outputs and targets meet in a loss written by hand.
ELEMENTWISE = frozenset("sub __sub__ rsub __rsub__ subtract mul __mul__ rmul __rmul__ multiply".split())
MOST_DERIVED = 2000  # tensors remembered between two backward passes; a long recurrent loop makes that many

Make = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass
class Met:
    """The moment in which something the model gave first meets a tensor that it did not give: the target."""

    model: torch.nn.Module | None
    output: torch.Tensor  # what the model returned
    derived: torch.Tensor  # what became of it on the way to the target
    target: torch.Tensor
    function: str
    gradient: bool  # under gradient: part of a loss
    scores: torch.Tensor | None = None  # before the activation at the model's end, when there is one


@dataclass
class Tail:
    """An activation met in the model after its last parametric layer."""

    name: str
    count: int  # how many of this name came before it in the same forward pass
    given: torch.Tensor
    returned: torch.Tensor
    dim: int | None


@dataclass
class Origin:
    model: torch.nn.Module | None
    output: torch.Tensor
    scores: torch.Tensor | None


@dataclass
class Listeners:
    """Who wants to hear of what. Each list is called in order."""

    root_begins: list[Callable[[torch.nn.Module, tuple, dict], tuple[tuple, dict] | None]] = field(default_factory=list)
    root_ended: list[Callable[[torch.nn.Module, Any], Any]] = field(default_factory=list)
    part_called: list[Callable[[torch.nn.Module], None]] = field(default_factory=list)
    met: list[Callable[[Met], torch.Tensor | None]] = field(default_factory=list)
    backward: list[Callable[[Any], Any]] = field(default_factory=list)
    backward_ended: list[Callable[[], None]] = field(default_factory=list)
    optimizer_made: list[Callable[[torch.optim.Optimizer], None]] = field(default_factory=list)
    step_begins: list[Callable[[torch.optim.Optimizer], None]] = field(default_factory=list)
    step_ended: list[Callable[[torch.optim.Optimizer], None]] = field(default_factory=list)
    at_end: list[Callable[[], None]] = field(default_factory=list)


class Stage(TorchFunctionMode):
    """What happens in one replay. ``wrap`` changes a torch function, ``hear`` holds the lists of listeners."""

    def __init__(self) -> None:
        super().__init__()
        self.hear = Listeners()
        self.pid = os.getpid()
        self.tick = 0  # backward passes of the training so far
        self.depth = 0  # inside a model's forward pass
        self.root: torch.nn.Module | None = None
        self.by_hand = True  # no module was called so far
        self.quiet = False  # our own computations
        self.optimizers: list[weakref.ref[torch.optim.Optimizer]] = []
        self.tail: list[Tail] = []
        self.counts: dict[str, int] = {}
        self.layers = 0  # multiplications by a matrix of weights, so far in this forward pass
        self.loss_scale: dict[int, float] = {}
        self._makes: dict[str, list[Make]] = {}
        self._chains: dict[Any, tuple[Callable[..., Any], str]] = {}
        self._derived: dict[int, tuple[torch.Tensor, Origin]] = {}
        self._noise: dict[int, torch.Tensor] = {}
        self._models: weakref.WeakKeyDictionary[torch.nn.Module, bool] = weakref.WeakKeyDictionary()
        self._undo: list[Callable[[], None]] = []
        self._in_backward = 0
        self._installed = False
        self.was_met: list[Met] = []  # since the last backward pass

    # -- setting up --------------------------------------------------------------------------------------------------

    def wrap(self, names: str, make: Make) -> None:
        """Replace torch functions by name, however they are called: ``make(inner)`` returns what is called instead."""
        for name in names.split():
            self._makes.setdefault(name, []).append(make)
        self._chains.clear()

    def install(self) -> None:
        """Set every tap."""
        self._replace(torch.nn.Module, "__call__", self._module_call)
        self._replace(torch.autograd, "backward", self._backward)
        self._replace(torch.autograd, "grad", self._grad)
        self._replace(torch.optim.Optimizer, "__init__", self._optimizer_init)
        scaler = getattr(torch.amp, "GradScaler", None)
        if scaler is not None:
            self._replace(scaler, "scale", self._scale)
        # Compiled code would bypass what remedies change; every arm, the untouched one too, runs uncompiled.
        self._replace(torch, "compile", lambda original: _uncompiled)
        self._replace(torch.nn.Module, "compile", lambda original: lambda module, *args, **kwargs: None)
        for handle in (
            register_optimizer_step_pre_hook(self._step_begins),
            register_optimizer_step_post_hook(self._step_ended),
        ):
            self._undo.append(handle.remove)
        super().__enter__()  # type: ignore[no-untyped-call]
        self._installed = True

    def remove(self) -> None:
        """Undo everything."""
        if self._installed:
            super().__exit__(None, None, None)  # type: ignore[no-untyped-call]
            self._installed = False
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def _replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        original = owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)
        ours = make(original)
        for copied in ("__name__", "__qualname__", "__doc__", "__module__"):
            with contextlib.suppress(AttributeError, TypeError):
                setattr(ours, copied, getattr(original, copied))
        with contextlib.suppress(AttributeError, TypeError):
            ours.__wrapped__ = original
        setattr(owner, name, ours)
        self._undo.append(lambda: setattr(owner, name, original))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Own computations: no gradient, not heard."""
        before, self.quiet = self.quiet, True
        try:
            with torch.no_grad():
                yield
        finally:
            self.quiet = before

    # -- torch functions ---------------------------------------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        chain = self._chains.get(func)
        if chain is None:
            chain = self._chain(func)
        call, name = chain
        if not name or self.quiet or self._in_backward or os.getpid() != self.pid:
            return func(*args, **kwargs)
        if self.depth:
            return self._inside(call, name, args, kwargs)
        return self._outside(call, name, args, kwargs)

    def _chain(self, func: Any) -> tuple[Callable[..., Any], str]:
        name = getattr(func, "__name__", "")
        plain = name.rstrip("_")
        if not name or name in UNHEARD or (plain in TRIVIAL and plain not in self._makes):
            chain: tuple[Callable[..., Any], str] = (func, "")
        else:
            plain = name if name.startswith("__") else name.rstrip("_")
            call = func
            for make in self._makes.get(plain, ()):
                call = make(call)
            chain = (call, plain)
        self._chains[func] = chain
        return chain

    def _inside(self, call: Callable[..., Any], name: str, args: tuple, kwargs: dict) -> Any:
        if name in ACTIVATIONS:
            count = self.counts[name] = self.counts.get(name, -1) + 1
            result = call(*args, **kwargs)
            if args and isinstance(args[0], torch.Tensor) and isinstance(result, torch.Tensor):
                dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
                self.tail.append(Tail(name, count, args[0], result, dim if isinstance(dim, int) else None))
            return result
        if name in PARAMETRIC:
            self.tail.clear()
            self.layers += name in MATRICES
        elif name in LOSSES and len(args) > 1:  # models that compute their own loss
            args = self._meet_loss(name, args, kwargs)
        return call(*args, **kwargs)

    def _outside(self, call: Callable[..., Any], name: str, args: tuple, kwargs: dict) -> Any:
        if name in RANDOM:
            result = call(*args, **kwargs)
            if isinstance(result, torch.Tensor) and result.is_floating_point():
                self._noise[id(result)] = result
                if len(self._noise) > 64:
                    self._noise.pop(next(iter(self._noise)))
            return result
        if name in LOSSES and len(args) + len(kwargs) > 1:
            if len(args) == 1 and "target" in kwargs:
                args = (args[0], kwargs["target"])
                kwargs = {k: v for k, v in kwargs.items() if k != "target"}
            if len(args) > 1:
                args = self._meet_loss(name, args, kwargs)
                result = call(*args, **kwargs)
                self._pass_on(args, result)
                return result
        if not self._derived and not (self.by_hand and name in ELEMENTWISE):
            return call(*args, **kwargs)
        tensors = list(_tensors(args))
        if not self._derived:
            self._remember_by_hand(tensors)
        mine = next((t for t in tensors if id(t) in self._derived), None)
        if mine is None:
            return call(*args, **kwargs)
        if len(tensors) > 1:
            args = self._maybe_meet(name, mine, tensors, args)
        result = call(*args, **kwargs)
        self._pass_on((mine,), result)
        return result

    def _remember_by_hand(self, tensors: list[torch.Tensor]) -> None:
        """A network of bare tensors returns nothing that could be heard: what was computed under gradient is its output
        where it is first subtracted from, or multiplied by, something of its own shape that needs no gradient."""
        mine = next((t for t in tensors if t.grad_fn is not None and t.is_floating_point()), None)
        if mine is None or mine.dim() == 0:
            return
        if any(not t.requires_grad and t.shape == mine.shape and id(t) not in self._noise for t in tensors):
            self.remember(None, mine)

    def _pass_on(self, given: tuple, result: Any) -> None:
        known = next((self._derived[id(t)] for t in given if id(t) in self._derived), None)
        if known is None:
            return
        for tensor in _tensors((result,)):
            self._derived[id(tensor)] = (tensor, known[1])
        if len(self._derived) > MOST_DERIVED:
            self._derived.clear()

    def _maybe_meet(self, name: str, mine: torch.Tensor, tensors: list[torch.Tensor], args: tuple) -> tuple:
        origin = self._derived[id(mine)][1]
        rows = mine.shape[0] if mine.dim() else 1
        strangers = [
            t
            for t in tensors
            if id(t) not in self._derived
            and not t.requires_grad
            and id(t) not in self._noise
            and t.dim() > 0
            and (t.dtype != torch.bool or name in COMPARISONS)
            and (t.shape[0] == rows or t.numel() == mine.numel() or t.shape[0] == origin.output.shape[:1].numel())
            and not _is_count(t)
        ]
        if not strangers or rows == 0:
            return args
        return self._met(Origin(origin.model, origin.output, origin.scores), mine, strangers[-1], name, args)

    def _meet_loss(self, name: str, args: tuple, kwargs: dict) -> tuple:
        given, target = args[0], args[1]
        if not isinstance(given, torch.Tensor) or not isinstance(target, torch.Tensor) or target.requires_grad:
            return args
        known = self._derived.get(id(given))
        if known is None and not given.requires_grad and torch.is_grad_enabled():
            return args
        origin = known[1] if known is not None else Origin(self.root, given, self._scores(given))
        return self._met(origin, given, target, name, args)

    def _met(self, origin: Origin, mine: torch.Tensor, target: torch.Tensor, name: str, args: tuple) -> tuple:
        meeting = Met(
            origin.model,
            origin.output,
            mine,
            target,
            name,
            torch.is_grad_enabled() and mine.requires_grad,
            origin.scores,
        )
        instead = target
        for listener in self.hear.met:
            answer = listener(meeting)
            if answer is not None:
                instead = meeting.target = answer
        self.was_met.append(meeting)
        if len(self.was_met) > 64:
            del self.was_met[0]
        return args if instead is target else _with(args, target, instead)

    def _scores(self, output: torch.Tensor) -> torch.Tensor | None:
        """What entered the first activation after the last parametric layer, when its shape is still the output's."""
        for part in self.tail:
            if part.given.numel() == output.numel():
                return part.given if part.given.shape == output.shape else part.given.reshape(output.shape)
        return None

    # -- modules -----------------------------------------------------------------------------------------------------

    def is_model(self, module: torch.nn.Module) -> bool:
        """Whether a module has parameters."""
        known = self._models.get(module)
        if known is None:
            known = self._models[module] = next(iter(module.parameters()), None) is not None
        return known

    def derived(self, tensor: object) -> bool:
        """Whether a tensor came out of a model since the last backward pass."""
        return id(tensor) in self._derived

    def _module_call(self, original: Any) -> Any:
        stage = self

        def __call__(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
            if stage.quiet or os.getpid() != stage.pid:
                return original(module, *args, **kwargs)
            if stage.depth:
                for listener in stage.hear.part_called:
                    listener(module)
                return original(module, *args, **kwargs)
            if not stage.is_model(module):
                return original(module, *args, **kwargs)
            return stage._root_call(original, module, args, kwargs)

        return __call__

    def _root_call(self, original: Any, module: torch.nn.Module, args: tuple, kwargs: dict) -> Any:
        if any(id(t) in self._derived for t in _tensors(args)):
            self.was_met.clear()  # what was met before this call (noise added to a code) was no target
        for begins in self.hear.root_begins:
            changed = begins(module, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        self.depth, self.root, self.by_hand = 1, module, False
        self.tail.clear()
        self.counts.clear()
        self.layers = 0
        try:
            for part in self.hear.part_called:
                part(module)
            output = original(module, *args, **kwargs)
        finally:
            self.depth, self.root = 0, None
        for ended in self.hear.root_ended:
            output = ended(module, output)
        self.remember(module, output)
        return output

    def remember(self, module: torch.nn.Module | None, output: Any) -> None:
        """From now on ``output`` is what the model gave."""
        if not torch.is_grad_enabled() and len(self._derived) > 200:
            self._derived.clear()
        for tensor in _tensors((output,)):
            self._derived[id(tensor)] = (tensor, Origin(module, tensor, self._scores(tensor)))

    # -- backward, steps, optimizers ---------------------------------------------------------------------------------

    def _backward(self, original: Any) -> Any:
        stage = self

        def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if stage.quiet or stage._in_backward or os.getpid() != stage.pid:
                return original(tensors, *args, **kwargs)
            loss = tensors
            if isinstance(tensors, torch.Tensor) and tensors.numel() == 1:
                stage.tick += 1
                for listener in stage.hear.backward:
                    loss = listener(loss)
                scale = stage.loss_scale.get(id(tensors))
                if loss is not tensors and scale is not None:
                    loss = loss * scale
                stage.loss_scale.clear()
            stage._in_backward += 1
            try:
                result = original(loss, *args, **kwargs)
            finally:
                stage._in_backward -= 1
                stage._forget()
            for ended in stage.hear.backward_ended:
                ended()
            return result

        return backward

    def _grad(self, original: Any) -> Any:
        stage = self

        def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            create = args[2] if len(args) > 2 else kwargs.get("create_graph", False)
            if stage.quiet or stage._in_backward or create or os.getpid() != stage.pid:
                return original(outputs, inputs, *args, **kwargs)
            loss = outputs if isinstance(outputs, torch.Tensor) else outputs[0] if len(outputs) == 1 else None
            asked = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
            if loss is None or loss.numel() != 1 or not all(t.is_leaf for t in asked):
                return original(outputs, inputs, *args, **kwargs)
            stage.tick += 1
            for listener in stage.hear.backward:
                loss = listener(loss)
            stage._in_backward += 1
            try:
                return original(loss, inputs, *args, **kwargs)
            finally:
                stage._in_backward -= 1
                stage._forget()

        return grad

    def _forget(self) -> None:
        self._derived.clear()
        self.was_met.clear()
        self.tail.clear()

    def _scale(self, original: Any) -> Any:
        stage = self

        def scale(scaler: Any, outputs: Any) -> Any:
            scaled = original(scaler, outputs)
            if isinstance(scaled, torch.Tensor) and scaled is not outputs:
                stage.loss_scale[id(scaled)] = float(scaler.get_scale())
            return scaled

        return scale

    def _optimizer_init(self, original: Any) -> Any:
        stage = self

        def __init__(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            stage.optimizers.append(weakref.ref(optimizer))
            for listener in stage.hear.optimizer_made:
                listener(optimizer)

        return __init__

    def _step_begins(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        if not self.quiet:
            for listener in self.hear.step_begins:
                listener(optimizer)

    def _step_ended(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        if not self.quiet:
            for listener in self.hear.step_ended:
                listener(optimizer)

    def alive(self) -> list[torch.optim.Optimizer]:
        """The optimizers made so far that the script still holds."""
        return [o for o in (ref() for ref in self.optimizers) if o is not None]


def _uncompiled(model: Any = None, *args: Any, **kwargs: Any) -> Any:
    return model if model is not None else lambda function: function


def _tensors(things: Any) -> Iterator[torch.Tensor]:
    for thing in things:
        if isinstance(thing, torch.Tensor):
            yield thing
        elif isinstance(thing, tuple | list):
            yield from _tensors(thing)
        elif isinstance(thing, dict):
            yield from _tensors(thing.values())
        elif hasattr(thing, "__dataclass_fields__"):
            yield from _tensors(vars(thing).values())


def _is_count(tensor: torch.Tensor) -> bool:
    """Whether a tensor is 0, 1, 2, …: the row numbers of an indexing expression."""
    if tensor.is_floating_point() or tensor.dim() != 1 or tensor.numel() < 2 or tensor.dtype == torch.bool:
        return False
    return bool(tensor[0] == 0) and bool((tensor[1:] - tensor[:-1] == 1).all())


def _with(args: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    """The same arguments with one tensor replaced."""
    made = [new if item is old else _with(item, old, new) if isinstance(item, tuple | list) else item for item in args]
    return made if isinstance(args, list) else tuple(made)
