"""Taps: what happens inside a training script, told to a listener. All of it is undone by ``remove()``.

torch's own interfaces are used where they exist (global optimizer hooks, global module hooks); the rest are wrapped
functions that pass everything through. Code that torch compiles is left alone: under tracing every tap is silent.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from unstuck.launch import loss_functions
from unstuck.launch.conversions import conversions
from unstuck.launch.differences import differences

_TORCH_FOLDER = str(Path(torch.__file__).parent) + os.sep
_DECORATOR = str(Path(torch.__file__).parent / "utils" / "_contextlib.py")


class Listener(Protocol):
    """Receives what happens. It must not raise, and must be quick: it runs inside the training loop."""

    def backward_begins(self, tensors: Any) -> None: ...
    def backward_ended(self) -> None: ...
    def gradients_asked(self, outputs: Any, inputs: Any, create_graph: bool) -> bool: ...
    def gradients_got(self, inputs: Any, gradients: Any) -> None: ...
    def functional_gradient(self, value: Any) -> None: ...
    def step_begins(self, optimizer: torch.optim.Optimizer) -> None: ...
    def step_ended(self, optimizer: torch.optim.Optimizer) -> None: ...
    def module_called(self, module: torch.nn.Module, args: tuple, kwargs: dict) -> None: ...
    def module_ended(self, module: torch.nn.Module, output: Any) -> None: ...
    def loss_function_called(self, name: str, args: tuple, kwargs: dict, result: Any, module: Any) -> None: ...
    def mode_changed(self, module: torch.nn.Module, training: bool, before: bool) -> None: ...
    def without_gradient(self, entered: bool) -> None: ...
    def loss_scaled(self, outputs: Any, scaled: Any) -> None: ...
    def scaler_stepped(self, optimizer: torch.optim.Optimizer, scaler: Any) -> None: ...
    def gradients_clipped(self, norm: Any, maximum: float) -> None: ...
    def values_clipped(self, bound: Any) -> None: ...
    def compiled(self, target: Any) -> None: ...
    def saved_tensor_hooks(self, entered: bool) -> None: ...
    def tensor_hooked(self) -> None: ...
    def loader_started(self, loader: Any) -> None: ...
    def schedule_made(self, schedule: Any) -> None: ...
    def schedule_measured(self, schedule: Any, measure: Any, before: list[Any], after: list[Any]) -> None: ...
    def whole_numbers_made(self, before: torch.Tensor, after: torch.Tensor) -> None: ...
    def difference_made(self, a: torch.Tensor, b: torch.Tensor) -> None: ...


class Taps:
    """The taps of one process. ``install()`` sets them, ``remove()`` takes them out again."""

    def __init__(
        self,
        listener: Listener,
        *,
        make_backward: Callable[[Any, Callable[[Any], None], Callable[[], None]], Any] | None = None,
        make_step_hook: Callable[[Callable[[Any], None]], Any] | None = None,
    ) -> None:
        """``make_backward`` and ``make_step_hook`` give a listener's own, faster forms of the two busiest taps."""
        self.listener = listener
        self._make_backward = make_backward or _plain_backward
        self._make_step_hook = make_step_hook or _plain_step_hook
        self._patches: list[tuple[Any, str, Any, Any]] = []  # owner, name, original, ours
        self._handles: dict[str, Any] = {}
        self._ear: loss_functions.Ear | None = None
        self._differences = differences(listener.difference_made)
        self._conversions = conversions(listener.whole_numbers_made)

    # -- what is set -------------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Set every tap; module calls, loss functions and the beginnings of steps are heard only when asked for."""
        self._wrap_backward()
        self._wrap_grad()
        self._wrap_functional()
        self._wrap_modes()
        self._wrap_scaler()
        self._wrap_clipping()
        self._wrap_compile()
        self._wrap_saved_tensor_hooks()
        self._wrap_tensor_hooks()
        self._wrap_loader()
        self._ear = loss_functions.Ear(self.listener.loss_function_called)
        self._wrap_schedules()
        self.hear_conversions(True)
        hook = self._make_step_hook(self.listener.step_ended)
        self._handles["step_ended"] = register_optimizer_step_post_hook(hook)

    def remove(self) -> None:
        """Undo everything; a function that somebody else has wrapped since then stays as he left it."""
        if self._ear is not None:
            self._ear.close()
        self.hear_differences(False)
        self.hear_conversions(False)
        for owner, name, original, ours in reversed(self._patches):
            if owner.__dict__.get(name) is not ours:
                continue
            if original is None:  # it was inherited
                delattr(owner, name)
            else:
                setattr(owner, name, original)
        self._patches.clear()
        for handle in self._handles.values():
            handle.remove()
        self._handles.clear()

    def hear_modules(self, wanted: bool) -> None:
        """Call ``module_called`` before every forward pass, or no longer."""
        if wanted and "module" not in self._handles:
            self._handles["module"] = torch.nn.modules.module.register_module_forward_pre_hook(self._module_hook)
        elif not wanted and "module" in self._handles:
            self._handles.pop("module").remove()

    def hear_outputs(self, wanted: bool) -> None:
        """Call ``module_ended`` after every forward pass, or no longer."""
        if wanted and "output" not in self._handles:
            self._handles["output"] = torch.nn.modules.module.register_module_forward_hook(self._output_hook)
        elif not wanted and "output" in self._handles:
            self._handles.pop("output").remove()

    def hear_losses(self, wanted: bool) -> None:
        """Call ``loss_function_called`` after every call of a loss function, or no longer."""
        if self._ear is not None:
            self._ear.listen(wanted)

    def hear_differences(self, wanted: bool) -> None:
        """Call ``difference_made`` after every subtraction of tensors, or no longer."""
        self._differences.stand(wanted)

    def hear_conversions(self, wanted: bool) -> None:
        """Call ``whole_numbers_made`` after conversions to whole numbers, or no longer."""
        self._conversions.stand(wanted)

    def hear_step_begins(self, wanted: bool) -> None:
        """Call ``step_begins`` before every optimizer step, or no longer."""
        if wanted and "step_begins" not in self._handles:
            hook = _plain_step_hook(self.listener.step_begins)
            self._handles["step_begins"] = register_optimizer_step_pre_hook(hook)
        elif not wanted and "step_begins" in self._handles:
            self._handles.pop("step_begins").remove()

    # -- the single taps ---------------------------------------------------------------------------------------------

    def _replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        original = getattr(owner, name, None)
        own = owner.__dict__.get(name) if isinstance(owner, type) else original
        if original is None:
            return
        original = own if own is not None else original
        ours = make(original)
        with contextlib.suppress(AttributeError, TypeError):
            ours.__wrapped__ = original
            ours.__doc__ = original.__doc__
            ours.__name__ = original.__name__
            ours.__qualname__ = original.__qualname__
            ours.__module__ = original.__module__
        setattr(owner, name, ours)
        self._patches.append((owner, name, own, ours))

    def _wrap_backward(self) -> None:
        # Tensor.backward calls this function too: one wrapper sees both.
        def make(original: Any) -> Any:
            return self._make_backward(original, self.listener.backward_begins, self.listener.backward_ended)

        self._replace(torch.autograd, "backward", make)

    def _wrap_grad(self) -> None:
        listener = self.listener
        compiling = torch.compiler.is_compiling

        def make(original: Any) -> Any:
            def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
                if compiling():
                    return original(outputs, inputs, *args, **kwargs)
                create = args[2] if len(args) > 2 else kwargs.get("create_graph", False)
                heard = listener.gradients_asked(outputs, inputs, bool(create))
                if not heard:
                    return original(outputs, inputs, *args, **kwargs)
                try:
                    gradients = original(outputs, inputs, *args, **kwargs)
                    listener.gradients_got(inputs, gradients)
                    return gradients
                finally:
                    listener.backward_ended()

            return grad

        self._replace(torch.autograd, "grad", make)

    def _wrap_functional(self) -> None:
        """``torch.func.grad`` is ``grad_and_value`` without the value, so both are made from the second."""
        listener = self.listener
        compiling = torch.compiler.is_compiling
        both = torch.func.grad_and_value

        def make_for(with_value: bool) -> Callable[[Any], Any]:
            def make(original: Any) -> Any:
                def transform(func: Any, argnums: Any = 0, has_aux: bool = False) -> Any:
                    if compiling():
                        return original(func, argnums, has_aux)
                    inner, plain = both(func, argnums, has_aux), original(func, argnums, has_aux)

                    @functools.wraps(func)
                    def heard(*args: Any, **kwargs: Any) -> Any:
                        if compiling() or _traced():
                            return plain(*args, **kwargs)
                        gradient, value = inner(*args, **kwargs)
                        listener.functional_gradient(value[0] if has_aux else value)
                        if with_value:
                            return gradient, value
                        return (gradient, value[1]) if has_aux else gradient

                    return heard

                return transform

            return make

        self._replace(torch.func, "grad_and_value", make_for(True))
        self._replace(torch.func, "grad", make_for(False))

    def _wrap_modes(self) -> None:
        listener = self.listener

        def make_train(original: Any) -> Any:
            def train(module: Any, mode: bool = True) -> Any:
                before = getattr(module, "training", True)
                result = original(module, mode)
                listener.mode_changed(module, mode, before)
                return result

            return train

        self._replace(torch.nn.Module, "train", make_train)

        inside = _TORCH_FOLDER
        decorator = _DECORATOR

        def make(original: Any, entered: bool, silent: Callable[[Any], bool]) -> Any:
            def tell(context: Any) -> None:
                # torch's own functions (clipping, initialization) use these blocks too; a decorated function of the
                # script's is entered from the decorator's file.
                place = sys._getframe(2).f_code.co_filename
                if silent(context) and (not place.startswith(inside) or place == decorator):
                    listener.without_gradient(entered)

            def __enter__(context: Any) -> Any:
                tell(context)  # first: interrupted here, the block has not begun, and nothing is left switched off
                return original(context)

            def __exit__(context: Any, *details: Any) -> Any:
                try:
                    tell(context)
                finally:  # whatever happens in the listener, gradients are as they were before the block
                    result = original(context, *details)
                return result

            return __enter__ if entered else __exit__

        kinds: tuple[tuple[Any, Callable[[Any], bool]], ...] = (
            (torch.no_grad, lambda context: True),
            (torch.inference_mode, lambda context: getattr(context, "mode", True) is not False),
            (torch.set_grad_enabled, lambda context: getattr(context, "mode", True) is False),
        )
        for kind, silent in kinds:
            self._replace(kind, "__enter__", partial(make, entered=True, silent=silent))
            self._replace(kind, "__exit__", partial(make, entered=False, silent=silent))

    def _wrap_scaler(self) -> None:
        listener = self.listener
        scaler_class = getattr(getattr(torch, "amp", None), "GradScaler", None)
        if scaler_class is None:
            return

        def make_scale(original: Any) -> Any:
            def scale(scaler: Any, outputs: Any) -> Any:
                scaled = original(scaler, outputs)
                if scaled is not outputs:
                    listener.loss_scaled(outputs, scaled)
                return scaled

            return scale

        def make_step(original: Any) -> Any:
            def step(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
                result = original(scaler, optimizer, *args, **kwargs)
                listener.scaler_stepped(optimizer, scaler)
                return result

            return step

        self._replace(scaler_class, "scale", make_scale)
        self._replace(scaler_class, "step", make_step)

    def _wrap_clipping(self) -> None:
        listener = self.listener
        compiling = torch.compiler.is_compiling

        def make(original: Any) -> Any:
            def clip_grad_norm_(parameters: Any, max_norm: Any, *args: Any, **kwargs: Any) -> Any:
                norm = original(parameters, max_norm, *args, **kwargs)
                if not compiling():
                    listener.gradients_clipped(norm, max_norm)
                return norm

            return clip_grad_norm_

        self._replace(torch.nn.utils, "clip_grad_norm_", make)
        self._replace(torch.nn.utils.clip_grad, "clip_grad_norm_", make)

        def make_value(original: Any) -> Any:
            def clip_grad_value_(parameters: Any, clip_value: Any, *args: Any, **kwargs: Any) -> Any:
                result = original(parameters, clip_value, *args, **kwargs)
                if not compiling():
                    listener.values_clipped(clip_value)
                return result

            return clip_grad_value_

        self._replace(torch.nn.utils, "clip_grad_value_", make_value)
        self._replace(torch.nn.utils.clip_grad, "clip_grad_value_", make_value)

    def _wrap_compile(self) -> None:
        listener = self.listener

        def make(original: Any) -> Any:
            def compile(model: Any = None, *args: Any, **kwargs: Any) -> Any:
                listener.compiled(model)
                return original(model, *args, **kwargs)

            return compile

        self._replace(torch, "compile", make)

    def _wrap_saved_tensor_hooks(self) -> None:
        listener = self.listener

        def make(original: Any) -> Any:
            def __enter__(context: Any) -> Any:
                listener.saved_tensor_hooks(True)
                return original(context)

            return __enter__

        def make_exit(original: Any) -> Any:
            def __exit__(context: Any, *details: Any) -> Any:
                try:
                    listener.saved_tensor_hooks(False)
                finally:
                    result = original(context, *details)
                return result

            return __exit__

        self._replace(torch.autograd.graph.saved_tensors_hooks, "__enter__", make)
        self._replace(torch.autograd.graph.saved_tensors_hooks, "__exit__", make_exit)

    def _wrap_tensor_hooks(self) -> None:
        listener = self.listener

        def make(original: Any) -> Any:
            def register(tensor: Any, *args: Any, **kwargs: Any) -> Any:
                listener.tensor_hooked()
                return original(tensor, *args, **kwargs)

            return register

        for name in ("register_hook", "retain_grad"):
            self._replace(torch.Tensor, name, make)

    def _wrap_loader(self) -> None:
        listener = self.listener

        def make(original: Any) -> Any:
            def __iter__(loader: Any) -> Any:
                listener.loader_started(loader)
                return original(loader)

            return __iter__

        self._replace(torch.utils.data.DataLoader, "__iter__", make)

    def _wrap_schedules(self) -> None:
        listener = self.listener

        def make(original: Any) -> Any:
            def __init__(schedule: Any, *args: Any, **kwargs: Any) -> None:
                original(schedule, *args, **kwargs)
                listener.schedule_made(schedule)

            return __init__

        # torch's schedules set their own numbers before they call this.
        self._replace(torch.optim.lr_scheduler.LRScheduler, "__init__", make)

        def make_step(original: Any) -> Any:
            def step(schedule: Any, metrics: Any, *args: Any, **kwargs: Any) -> Any:
                before = _rates(schedule)
                result = original(schedule, metrics, *args, **kwargs)
                listener.schedule_measured(schedule, metrics, before, _rates(schedule))
                return result

            return step

        # It has an ``__init__`` of its own, and is the only one of torch's that is handed a measure.
        self._replace(torch.optim.lr_scheduler.ReduceLROnPlateau, "step", make_step)

    def _module_hook(self, module: torch.nn.Module, args: tuple) -> None:
        # Global hooks are not given keyword arguments, but torch's own frame above has them.
        frame = sys._getframe(1)
        kwargs = frame.f_locals.get("kwargs")
        self.listener.module_called(module, args, kwargs if isinstance(kwargs, dict) else {})

    def _output_hook(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        self.listener.module_ended(module, output)


def _rates(schedule: Any) -> list[Any]:
    """The rates of the groups that a schedule sets; empty where they cannot be read as plain numbers."""
    try:
        rates = [group["lr"] for group in schedule.optimizer.param_groups]
    except Exception:  # somebody's own kind of optimizer: the script's step goes on
        return []
    return rates if all(isinstance(rate, float | int) for rate in rates) else []


def _plain_backward(original: Any, begins: Callable[[Any], None], ended: Callable[[], None]) -> Any:
    compiling = torch.compiler.is_compiling

    def backward(*args: Any, **kwargs: Any) -> Any:
        if compiling():
            return original(*args, **kwargs)
        begins(args[0] if args else kwargs.get("tensors"))
        try:
            return original(*args, **kwargs)
        finally:
            ended()

    return backward


def _plain_step_hook(tell: Callable[[Any], None]) -> Any:
    compiling = torch.compiler.is_compiling

    def hook(optimizer: Any, args: Any, kwargs: Any) -> None:
        if not compiling():
            tell(optimizer)

    return hook


@contextlib.contextmanager
def tapped(listener: Listener) -> Iterator[Taps]:
    """Taps that are set inside a ``with`` block."""
    taps = Taps(listener)
    taps.install()
    try:
        yield taps
    finally:
        taps.remove()


def _traced() -> bool:
    """Somebody writes down what is called (``make_fx``): nothing of ours must stand in it."""
    depth = getattr(torch._C, "_len_torch_dispatch_stack", None)
    return depth is None or depth() > 0
