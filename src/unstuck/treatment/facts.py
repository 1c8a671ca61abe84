"""What the untouched replay shows of a script: what remedies need to know in order to fit, as plain numbers."""

from __future__ import annotations

import itertools
import linecache
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from unstuck.launch.frames import is_users_class, name_of, user_frames, user_line
from unstuck.treatment.leaves import leaves_of
from unstuck.treatment.remedies.class_dimension import is_over_batch
from unstuck.treatment.remedies.leaky_rectifier import RECTIFIERS, cuts_at_zero
from unstuck.treatment.rows import RowKeeper
from unstuck.treatment.stage import LOSSES, Met, Stage
from unstuck.treatment.yardstick import kind_of

MOST_FEATURES = 4096
MOST_WEIGHTS = 500  # looked at, each at a pass over its entries: a bound for networks of thousands of small parts
USUAL_GAINS = (0.2, 3.0)  # 0.58 to 1.41 are in use: a third of the least to twice the largest
FEW_VALUES = 20  # targets with no more values than that may be labels
FIRST_TICKS = 50  # steps at whose gradients is looked


class Facts:
    """Listens to the stage of the untouched replay."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self.rows = RowKeeper(stage)
        self.optimizers: list[dict[str, Any]] = []
        self.options: dict[int, int] = {}
        self.activations: dict[str, int] = {}
        self.layers = 0
        self.tail: list[dict[str, Any]] = []
        self.meetings: list[dict[str, Any]] = []
        self.loss: dict[str, Any] = {}
        self.loss_values: list[float] = []
        self.makers: list[str] = []
        self.input: dict[str, Any] = {}
        self.sums: dict[bool, dict[str, torch.Tensor]] = {}  # by whether under gradient
        self.values: set[float] = set()  # of the targets, up to a few
        self.momentum: float | None = None  # the least of the batch-norms
        self.targets = [0.0, 0.0, 0.0]  # count, sum, sum of squares
        self.steps = 0
        self.stale = [0, 0]  # gradients not cleared before the next pass: seen, of
        self.norms: list[float] = []
        self.clipped = False
        self.modes = {"training_in_eval": 0, "evaluation_in_training": 0, "training": 0, "evaluation": 0}
        self.modules: dict[str, int] = {}
        # Of the weights before the first step, by name: deviation times root of fan-in; and the size of what they give.
        self.gains: dict[str, float] = {}
        self.widths: dict[str, int] = {}
        self.loop: dict[str, Any] | None = None
        self.backward_line: dict[str, Any] | None = None
        self.outside: dict[int, int] = {}  # parameters with a gradient that no optimizer holds, by id: ticks
        self.frozen = 0
        self.unregistered = 0
        self.loaded = False
        self.schedulers: list[str] = []
        self.parts: dict[int, torch.nn.Module] = {}
        self.roots: dict[int, torch.nn.Module] = {}
        self.detached = 0
        self.guarded: set[str] = set()
        self.bare: list[int] = []  # dimensions of the leaves of a loss that no module and no optimizer belongs to
        self.rectified = False  # by a function that cuts off what is below zero, in a module or not
        self.summed_over_batch = False
        self.own_functions: list[str] = []
        self.last_step_tick = 0
        hear = stage.hear
        self.problem: str | None = None
        hear.optimizer_made.append(self._safe(self._optimizer))
        hear.root_begins.append(self._safe(self._root_begins))
        hear.root_ended.append(self._safe(self._root_ended, passes=1))
        hear.part_called.append(self._safe(self._part))
        hear.met.append(self._safe(self._met))
        hear.backward.append(self._safe(self._backward, passes=0))
        hear.backward_ended.append(self._safe(self._backward_ended))
        hear.step_begins.append(self._safe(self._step_begins))
        hear.step_ended.append(self._safe(self._step_ended))
        stage.wrap("detach tolist", self._count_detached)
        stage.wrap("log sqrt exp", self._note)
        stage.wrap(RECTIFIERS, self._note_rectifier)
        stage.wrap("sum mean " + " ".join(sorted(LOSSES)), self._note_maker)
        self._patch()

    def _safe(self, listener: Callable[..., Any], *, passes: int | None = None) -> Callable[..., Any]:
        """A listener that never raises; ``passes``: the argument that goes on as it came when it would have."""

        def heard(*args: Any) -> Any:
            try:
                return listener(*args)
            except Exception as problem:
                self.problem = self.problem or f"{type(problem).__name__}: {problem}"[:300]
                return args[passes] if passes is not None else None

        return heard

    def _patch(self) -> None:
        facts = self
        clip = torch.nn.utils.clip_grad_norm_

        def clip_(*args: Any, **kwargs: Any) -> Any:
            facts.clipped = True
            return clip(*args, **kwargs)

        torch.nn.utils.clip_grad_norm_ = torch.nn.utils.clip_grad.clip_grad_norm_ = clip_
        load = torch.nn.Module.load_state_dict

        def load_state_dict(module: Any, *args: Any, **kwargs: Any) -> Any:
            if not facts.stage.tick:
                facts.loaded = True
            return load(module, *args, **kwargs)

        torch.nn.Module.load_state_dict = load_state_dict  # type: ignore[method-assign, assignment]
        apply = torch.autograd.Function.__dict__["apply"]

        def apply_(cls: Any, *args: Any, **kwargs: Any) -> Any:
            if is_users_class(cls) and cls.__name__ not in facts.own_functions:
                facts.own_functions.append(cls.__name__)
            return apply.__get__(None, cls)(*args, **kwargs)

        torch.autograd.Function.apply = classmethod(apply_)  # type: ignore[method-assign, assignment]
        base = torch.optim.lr_scheduler.LRScheduler
        init = base.__init__

        def init_(scheduler: Any, *args: Any, **kwargs: Any) -> None:
            facts.schedulers.append(type(scheduler).__name__)
            init(scheduler, *args, **kwargs)

        base.__init__ = init_  # type: ignore[method-assign, assignment]

    def _count_detached(self, inner: Any) -> Any:
        def detach(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            if self.stage.depth and torch.is_grad_enabled() and getattr(tensor, "requires_grad", False):
                self.detached += 1
            return inner(tensor, *args, **kwargs)

        return detach

    def _note(self, inner: Any) -> Any:
        name = inner.__name__

        def noting(*args: Any, **kwargs: Any) -> Any:
            if torch.is_grad_enabled() and args and getattr(args[0], "requires_grad", False):
                self.guarded.add(name)
            return inner(*args, **kwargs)

        noting.__name__ = name
        return noting

    def _note_rectifier(self, inner: Any) -> Any:
        name = inner.__name__.rstrip("_")

        def rectifying(*args: Any, **kwargs: Any) -> Any:
            hidden = self.stage.depth > 0 or self.stage.by_hand
            if hidden and args and getattr(args[0], "requires_grad", False) and cuts_at_zero(name, args, kwargs):
                self.rectified = True
            return inner(*args, **kwargs)

        rectifying.__name__ = inner.__name__
        return rectifying

    def _note_maker(self, inner: Any) -> Any:
        name = inner.__name__

        def making(*args: Any, **kwargs: Any) -> Any:
            result = inner(*args, **kwargs)
            if name == "sum" and not self.summed_over_batch and args and self.stage.derived(args[0]):
                self.summed_over_batch = not self.stage.depth and is_over_batch(args[0], args[1:], kwargs)
            if (
                isinstance(result, torch.Tensor)
                and result.dim() == 0
                and result.requires_grad
                and len(self.makers) < 20
            ):
                self.makers.append(f"{name}:{kwargs['reduction']}" if "reduction" in kwargs else name)
            return result

        making.__name__ = name
        return making

    def _optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        group = optimizer.param_groups[0] if optimizer.param_groups else {}
        options = {k: v for k, v in group.items() if k != "params" and isinstance(v, int | float | bool | str)}
        self.options[id(optimizer)] = len(self.optimizers)
        self.optimizers.append(
            {
                "kind": type(optimizer).__name__,
                "options": options,
                "groups": len(optimizer.param_groups),
                "line": user_line(),
                "steps": 0,
                "name": None,
                "parameters": sum(p.numel() for g in optimizer.param_groups for p in g["params"]),
            }
        )

    def _look_at_weights(self, module: torch.nn.Module) -> None:
        names = {id(parameter): name for name, parameter in module.named_parameters()}
        for part in module.modules():
            if isinstance(part, torch.nn.Embedding) or "Norm" in type(part).__name__:
                continue
            for name, parameter in part.named_parameters(recurse=False):
                if parameter.dim() >= 2 and len(self.gains) < MOST_WEIGHTS:
                    fan_in = parameter[0].numel()
                    full = names.get(id(parameter), name)
                    self.gains[full] = float(parameter.detach().float().std(unbiased=False)) * fan_in**0.5
                    self.widths[full] = parameter.shape[0]

    def _root_begins(self, module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        gradient = torch.is_grad_enabled()
        self.modes["training" if gradient else "evaluation"] += 1
        key = id(module)
        if key not in self.roots:
            self.roots[key] = module
            for part in module.modules():
                self.modules[type(part).__name__] = self.modules.get(type(part).__name__, 0) + 1
                if isinstance(part, torch.nn.modules.batchnorm._NormBase) and part.momentum is not None:
                    self.momentum = min(part.momentum, 1.0 if self.momentum is None else self.momentum)
            self.frozen += sum(1 for p in module.parameters() if not p.requires_grad)
            if not self.stage.tick:
                with self.stage.aside():
                    self._look_at_weights(module)
        if gradient and not module.training and any(_behaves_twofold(m) for m in module.modules()):
            self.modes["training_in_eval"] += 1
        if not gradient and module.training and any(_behaves_twofold(m) for m in module.modules()):
            self.modes["evaluation_in_training"] += 1
        first = args[0] if args else None
        if isinstance(first, torch.Tensor) and not self.stage.derived(first):
            with self.stage.aside():
                self._look_at_input(first, gradient)

    def _look_at_input(self, first: torch.Tensor, gradient: bool) -> None:
        if not first.is_floating_point() or first.dim() < 2:
            self.input.setdefault("shape", list(first.shape))
            return
        features = first.shape[1] if first.dim() in (2, 4, 5) else first.shape[-1]
        if features > MOST_FEATURES:
            return
        flat = first.detach().double()
        flat = flat.movedim(1, -1) if first.dim() in (4, 5) else flat
        flat = flat.reshape(-1, features)
        finite = torch.isfinite(flat)
        clean = torch.where(finite, flat, 0.0)
        found = {"count": finite.sum(0).double(), "sum": clean.sum(0), "squares": (clean**2).sum(0)}
        before = self.sums.get(gradient)
        if before and len(before["count"]) != features:
            return
        self.sums[gradient] = {k: before[k] + v if before else v for k, v in found.items()}
        if not gradient:
            return
        self.input.setdefault("shape", list(first.shape))
        self.input["not_finite"] = self.input.get("not_finite", 0) + int((~finite).sum())

    def _root_ended(self, module: torch.nn.Module, output: Any) -> Any:
        if torch.is_grad_enabled():
            self.layers = max(self.layers, self.stage.layers)
            for name, count in self.stage.counts.items():
                self.activations[name] = max(self.activations.get(name, 0), count + 1)
            if not self.tail and self.stage.tail:
                self.tail = [
                    {
                        "name": t.name,
                        "count": t.count,
                        "dim": t.dim,
                        "shape": list(t.given.shape),
                        "size": t.given.shape[t.dim]
                        if t.dim is not None and -t.given.dim() <= t.dim < t.given.dim()
                        else None,
                    }
                    for t in self.stage.tail
                ]
        return output

    def _part(self, module: torch.nn.Module) -> None:
        if torch.is_grad_enabled() and len(self.parts) < 5000:
            self.parts[id(module)] = module

    def _met(self, meeting: Met) -> torch.Tensor | None:
        if not meeting.gradient or self.stage.tick > FIRST_TICKS:
            if meeting.gradient and self.meetings and self.meetings[0]["kind"] == "numbers":
                self._add_target(meeting.target)
            return None
        with self.stage.aside():
            output = meeting.output if kind_of(meeting.output, meeting.target) else meeting.derived
            kind = kind_of(output, meeting.target) if output.is_floating_point() else None
            if kind == "numbers":
                self._add_target(meeting.target)
            if len(self.meetings) < 4:
                mine, theirs = list(meeting.derived.shape), list(meeting.target.shape)
                joint = None
                if meeting.derived.numel() == meeting.target.numel() and mine != theirs:
                    try:
                        joint = list(torch.broadcast_shapes(mine, theirs))  # type: ignore[no-untyped-call]
                    except RuntimeError:
                        joint = None
                self.meetings.append(
                    {
                        "function": meeting.function,
                        "kind": kind,
                        "output": list(meeting.output.shape),
                        "derived": mine,
                        "target": theirs,
                        "dtype": str(meeting.target.dtype).removeprefix("torch."),
                        "broadcast": joint if joint is not None and math.prod(joint) > meeting.target.numel() else None,
                        "scores_given": meeting.scores is not None,
                        "derived_is_output": meeting.derived is meeting.output,
                        "output_name": name_of(meeting.output),
                        "target_name": name_of(meeting.target),
                        "line": user_line(),
                        "probabilities": _probabilities(meeting.derived),
                    }
                )
        return None

    def _add_target(self, target: torch.Tensor) -> None:
        with self.stage.aside():
            values = target.detach().double()
            values = values[torch.isfinite(values)]
            if len(self.values) <= FEW_VALUES:
                self.values.update(torch.unique(values).tolist()[: FEW_VALUES + 1])
            self.targets[0] += values.numel()
            self.targets[1] += float(values.sum())
            self.targets[2] += float((values**2).sum())

    def _backward(self, loss: torch.Tensor) -> torch.Tensor:
        with self.stage.aside():
            if len(self.loss_values) < 5000:
                self.loss_values.append(float(loss.detach()))
            if self.backward_line is None:
                self.backward_line = user_line()
                self.loss = {"makers": list(self.makers), "graph": loss.grad_fn is not None, "name": name_of(loss)}
                self.loop = _epoch_loop()
                if self.stage.by_hand and not self.optimizers:
                    self.bare = [leaf.dim() for leaf in leaves_of(loss)]
            if self.stage.tick <= FIRST_TICKS:
                for optimizer in self.stage.alive():
                    index = self.options.get(id(optimizer))
                    if index is not None and self.optimizers[index]["name"] is None:
                        self.optimizers[index]["name"] = name_of(optimizer)
                held = [p for o in self.stage.alive() for g in o.param_groups for p in g["params"]]
                if held and self.last_step_tick == self.stage.tick - 1 and self.stage.tick > 1:
                    self.stale[1] += 1
                    self.stale[0] += any(p.grad is not None and bool((p.grad != 0).any()) for p in held)
        self.makers.clear()
        return loss

    def _backward_ended(self) -> None:
        if self.stage.tick > FIRST_TICKS:
            return
        held = {id(p) for o in self.stage.alive() for g in o.param_groups for p in g["params"]}
        registered = {id(p) for m in self.roots.values() for p in m.parameters()}
        unregistered = set()
        for part in [*self.parts.values(), *self.roots.values()]:
            for parameter in part.parameters(recurse=False):
                if parameter.grad is not None and id(parameter) not in held:
                    self.outside[id(parameter)] = self.outside.get(id(parameter), 0) + 1
                    if id(parameter) not in registered:
                        unregistered.add(id(parameter))
        self.unregistered = max(self.unregistered, len(unregistered))

    def _step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        if len(self.norms) < 2000:
            with self.stage.aside():
                grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
                if grads and not grads[0].is_sparse:
                    self.norms.append(float(torch.stack([g.detach().double().norm() for g in grads]).norm()))

    def _step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        self.steps += 1
        self.last_step_tick = self.stage.tick
        index = self.options.get(id(optimizer))
        if index is not None:
            self.optimizers[index]["steps"] += 1

    def _statistics(self, gradient: bool) -> dict[str, list[float]]:
        """Mean and deviation of every input feature, in training or in evaluation."""
        sums = self.sums.get(gradient)
        if not sums:
            return {}
        entries = sums["count"].clamp(min=1.0)
        mean = sums["sum"] / entries
        deviation = (sums["squares"] / entries - mean**2).clamp(min=0.0).sqrt()
        return {"mean": mean.tolist(), "std": deviation.tolist()}

    def plain(self) -> dict[str, Any]:
        """Everything seen, for the plan and for the remedies."""
        inputs = {**self.input, **self._statistics(True)}
        count, total, squares = self.targets
        mean_target = total / count if count else None
        norms = sorted(n for n in self.norms if n - n == 0.0)
        with self.stage.aside():
            rows = self.rows.plain(self.folder)
        finite = [v for v in self.loss_values if v - v == 0.0]
        return {
            "optimizers": self.optimizers,
            "activations": self.activations,
            "layers": self.layers,
            "tail": self.tail,
            "meetings": self.meetings,
            "loss": {
                **self.loss,
                "negative_share": sum(v < 0 for v in finite) / len(finite) if finite else 0.0,
                "finite_share": len(finite) / max(1, len(self.loss_values)),
                "first": finite[0] if finite else None,
                "still_falling": still_falling(self.loss_values),
            },
            "input": inputs,
            "evaluation_input": self._statistics(False),
            "batch_norm_momentum": self.momentum,
            "target": {
                "mean": mean_target,
                "std": math.sqrt(max(0.0, squares / count - mean_target**2))
                if count and mean_target is not None
                else None,
                "values": sorted(self.values) if len(self.values) <= FEW_VALUES else [],
            },
            "ticks": self.stage.tick,
            "steps": self.steps,
            "gradients_kept": self.stale[0] / self.stale[1] if self.stale[1] else 0.0,
            "gradient_norm": {"median": norms[len(norms) // 2], "low": norms[len(norms) // 10]} if norms else None,
            "clipped": self.clipped,
            "modes": self.modes,
            "modules": self.modules,
            "odd_weights": odd_weights(self.gains),
            "weights": len(self.gains),
            "widths": self.widths,
            "recurrent_weights": [name for name in self.gains if "weight_hh" in name],
            "loop": self.loop,
            "backward_line": self.backward_line,
            "outside_optimizers": len(self.outside),
            "unregistered": self.unregistered,
            "frozen": self.frozen,
            "loaded": self.loaded,
            "schedulers": self.schedulers,
            "detached": self.detached,
            "summed_over_batch": self.summed_over_batch,
            "own_functions": self.own_functions,
            "guarded": sorted(self.guarded),
            "bare": self.bare,
            "rectified": self.rectified,
            "rows": rows,
            "problem": self.problem,
        }


def still_falling(losses: list[float]) -> bool:
    """Whether the last quarter of the losses lies below the third by more than both vary by chance.

    Twice the standard error of a difference of means: one time in forty by chance alone.

    >>> still_falling([1.0 - 0.01 * i for i in range(40)]), still_falling([1.0, 2.0] * 20)
    (True, False)
    """
    quarter = len(losses) // 4
    if quarter < 4 or not all(math.isfinite(v) for v in losses[2 * quarter :]):
        return False
    third, last = losses[2 * quarter : 3 * quarter], losses[3 * quarter :]
    mean_third, mean_last = sum(third) / len(third), sum(last) / len(last)
    # What is left beside the trend: differences of neighbors vary by chance and hardly by the trend.
    rest = losses[2 * quarter :]
    chance = sum((a - b) ** 2 for a, b in itertools.pairwise(rest)) / (2 * (len(rest) - 1))
    return mean_third - mean_last > 2.0 * math.sqrt(2.0 * chance / quarter)


def odd_weights(gains: Mapping[str, float]) -> list[str]:
    """The weights whose scale is none in use, where the others' is: 1.41 is He's, 1 Glorot's, 0.58 PyTorch's default.

    A weight that begins at zero has no scale: the last layer of a branch is often begun so on purpose.

    >>> odd_weights({"a": 0.58, "b": 25.0, "c": 0.6}), odd_weights({"a": 25.0, "b": 30.0})
    (['b'], [])
    >>> odd_weights({"a": 0.58, "b": 0.0})
    []
    """
    scaled = {name: gain for name, gain in gains.items() if gain != 0.0}
    odd = [name for name, gain in scaled.items() if not USUAL_GAINS[0] <= gain <= USUAL_GAINS[1]]
    return odd if len(odd) < len(scaled) else []


def _behaves_twofold(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.modules.dropout._DropoutNd | torch.nn.modules.batchnorm._NormBase)


def _probabilities(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and bool(((tensor >= 0) & (tensor <= 1)).all())


def _epoch_loop() -> dict[str, Any] | None:
    """The outermost ``for … in range(…)`` of the user's code around the line now running: file, line and its text."""
    import ast

    outermost: dict[str, Any] | None = None
    for frame in user_frames(sys._getframe(1)):
        name, line = frame.f_code.co_filename, frame.f_lineno
        try:
            tree = ast.parse("".join(linecache.getlines(name)))
        except (SyntaxError, ValueError):
            continue
        best: ast.For | None = None
        for node in ast.walk(tree):
            if isinstance(node, ast.For) and node.lineno <= line <= (node.end_lineno or node.lineno):
                has_range = any(
                    isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in ("range", "trange")
                    for n in ast.walk(node.iter)
                )
                if has_range and (best is None or node.lineno < best.lineno):
                    best = node
        if best is not None:
            outermost = {
                "file": name,
                "line": best.lineno,
                "stop": best.iter.end_lineno or best.lineno,
                "text": linecache.getline(name, best.lineno).strip(),
            }
    return outermost
