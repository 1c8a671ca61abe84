"""Who is who in the script: models, parameters and optimizers under the names the user gave them."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from unstuck.launch.frames import name_of, user_line

# Options of a module worth keeping: plain numbers and booleans that say how it behaves.
_OPTION_NAMES = (
    "p", "inplace", "eps", "momentum", "affine", "track_running_stats", "dim", "reduction", "ignore_index",
    "label_smoothing", "negative_slope", "in_features", "out_features", "in_channels", "out_channels", "kernel_size",
    "stride", "padding", "num_embeddings", "embedding_dim", "hidden_size", "input_size", "num_layers", "bias",
    "num_heads", "embed_dim", "normalized_shape", "num_features", "approximate", "alpha", "norm_first", "batch_first",
    "bidirectional",
)  # fmt: skip
MAX_MODULES = 2000


@dataclass
class Model:
    """A root: a module that the script calls itself, not one called by another module."""

    number: int
    name: str
    kind: str
    ref: weakref.ref[torch.nn.Module]
    compiled: bool = False
    line: dict[str, Any] | None = None
    parameters: dict[str, int] = field(default_factory=dict)  # full name: id
    written: bool = False
    forwards: int = 0
    regular: bool = True  # has parameters

    def module(self) -> torch.nn.Module | None:
        return self.ref()


class Registry:
    """Names by identity. Holds nothing alive that the script lets go."""

    def __init__(self) -> None:
        self.models: list[Model] = []
        self.names: dict[int, str] = {}  # id of a parameter: its full name
        self.layers: dict[int, str] = {}  # id of a parameter: the module it belongs to
        self.roles: dict[int, str] = {}
        self.makeshift: set[int] = set()  # ids of parameters that only a number names so far
        self._refs: dict[int, weakref.ref[Any]] = {}
        self._members: dict[int, Model | None] = {}  # id of a module: the root it is part of
        self._roots: dict[int, Model] = {}
        self.counter = 0

    def root(self, module: torch.nn.Module) -> Model | None:
        """The model if this module is a root, else None. Fast for modules seen before."""
        return self._roots.get(id(module))

    def member(self, module: torch.nn.Module) -> bool:
        """Whether the module was seen, as a root or inside one."""
        return id(module) in self._members

    def add(self, module: torch.nn.Module, *, compiled: bool = False) -> Model | None:
        """Register a module that is called from outside all known models. None when it has no parameters."""
        known = self._roots.get(id(module))
        if known is not None:
            known.compiled |= compiled
            return known
        if any(torch.nn.parameter.is_lazy(p) for p in parameters_of(module)):
            # Their shapes come with this first pass; the next one registers the model. Its parts are no models of their own.
            for part in module.modules():
                if part is not module:
                    self._remember(part, None)
            return None
        if not has_parameters(module):
            self._remember(module, None)
            return None
        name = name_of(module)
        kind = type(module).__name__
        model = Model(
            number=len(self.models),
            name=_apart(name or kind, {m.name for m in self.models}),
            kind=kind,
            ref=weakref.ref(module),
            compiled=compiled,
            line=user_line(),
        )
        # A module that holds an earlier root (a model called in parts before it is called whole) takes its place.
        inside = {id(m) for m in module.modules()}
        for other in self.models:
            inner = other.module()
            if inner is not None and id(inner) in inside:
                self._roots.pop(id(inner), None)
        self.models.append(model)
        self._roots[id(module)] = model
        self._remember(module, model)
        for index, (_, part) in enumerate(module.named_modules()):
            if index > MAX_MODULES:
                break
            self._remember(part, model)
        self.name_parameters(model, module)
        return model

    def name_parameters(self, model: Model, module: torch.nn.Module) -> None:
        """(Re)read the names of a model's parameters."""
        model.parameters.clear()
        for module_name, part in module.named_modules():
            for own_name, parameter in part.named_parameters(recurse=False):
                dotted = f"{module_name}.{own_name}" if module_name else own_name
                full = f"{model.name}.{dotted}"
                key = id(parameter)
                model.parameters[full] = key
                known = key in self.names and key in self._refs and self._refs[key]() is parameter
                if not known or key in self.makeshift:
                    self.makeshift.discard(key)
                    self._keep(key, parameter)
                    self.names[key] = full
                    self.layers[key] = f"{model.name}.{module_name}" if module_name else model.name
                    self.roles[key] = _role(part, own_name, parameter)

    def name_parameter(self, parameter: torch.Tensor, fallback: str) -> str:
        """The name of a parameter, looked up in the script's variables when no model holds it."""
        key = id(parameter)
        known = self.names.get(key)
        if known is not None and self._refs.get(key) is not None and self._refs[key]() is parameter:
            return known
        found = name_of(parameter)
        name = _apart(found or fallback, set(self.names.values()))
        self._keep(key, parameter)
        if found is None:
            self.makeshift.add(key)  # until the model that holds it is called
        self.names[key] = name
        self.layers[key] = name
        self.roles[key] = "weight" if parameter.dim() >= 2 else "bias" if parameter.dim() == 1 else "other"
        return name

    def _keep(self, key: int, thing: Any) -> None:
        def forget(_: Any, key: int = key) -> None:
            self.makeshift.discard(key)
            for table in (self.names, self.layers, self.roles, self._refs):
                table.pop(key, None)  # type: ignore[attr-defined]

        self._refs[key] = weakref.ref(thing, forget)

    def _remember(self, module: torch.nn.Module, model: Model | None) -> None:
        key = id(module)
        if key in self._members:
            if model is not None:
                self._members[key] = model
            return
        self._members[key] = model

        def forget(_: Any, key: int = key) -> None:
            self._members.pop(key, None)
            self._roots.pop(key, None)
            self._refs.pop(-key - 1, None)

        self._refs[-key - 1] = weakref.ref(module, forget)

    def describe(self, model: Model) -> dict[str, Any] | None:
        """The ``model`` line of the journal."""
        module = model.module()
        if module is None:
            return None
        modules = []
        for index, (name, part) in enumerate(module.named_modules()):
            if index >= MAX_MODULES:
                break
            if name:
                modules.append({"name": f"{model.name}.{name}", "kind": type(part).__name__, "options": options(part)})
        params = [
            {
                "name": f"{model.name}.{name}",
                "shape": list(p.shape),
                "trainable": bool(p.requires_grad),
                "dtype": str(p.dtype).removeprefix("torch."),
                "device": str(p.device),
            }
            for name, p in module.named_parameters()
        ]
        return {
            "e": "model",
            "m": model.number,
            "name": model.name,
            "kind": model.kind,
            "compiled": model.compiled,
            "modules": modules,
            "params": params[: 2 * MAX_MODULES],
            "line": model.line,
        }


def parameters_of(module: torch.nn.Module) -> Iterator[torch.nn.Parameter]:
    """Its parameters, by torch's own method: a script may have given the name to another one, with arguments."""
    return torch.nn.Module.parameters(module)


def has_parameters(module: torch.nn.Module) -> bool:
    """Whether the module or a part of it has parameters."""
    return next(parameters_of(module), None) is not None


def options(module: torch.nn.Module) -> dict[str, Any]:
    """The plain options of a module: dropout's ``p``, batch-norm's ``eps`` and the like."""
    found: dict[str, Any] = {}
    own = module.__dict__
    for name in _OPTION_NAMES:
        value = own.get(name)
        if isinstance(value, bool | int | float | str):
            found[name] = value
        elif isinstance(value, tuple) and len(value) <= 4 and all(isinstance(v, int) for v in value):
            found[name] = list(value)
        elif name == "bias" and name in own.get("_parameters", ()):
            found[name] = own["_parameters"][name] is not None
    return found


def optimizer_options(group: dict[str, Any]) -> dict[str, Any]:
    """Numbers, booleans and strings among a parameter group's options; tensors of one element as numbers."""
    found: dict[str, Any] = {}
    for name, value in group.items():
        if name in ("params", "param_names"):
            continue
        if isinstance(value, torch.Tensor) and value.numel() == 1:
            found[name] = float(value)
        elif isinstance(value, bool | int | float | str) or value is None:
            found[name] = value
        elif isinstance(value, tuple | list) and len(value) <= 8 and all(isinstance(v, int | float) for v in value):
            found[name] = list(value)
    return found


def batch_modules(module: torch.nn.Module) -> list[tuple[str, torch.nn.Module]]:
    """The parts that behave otherwise in training than in evaluation: dropout (p > 0) and batch statistics."""
    found: list[tuple[str, torch.nn.Module]] = []
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.modules.dropout._DropoutNd):
            if part.p > 0:
                found.append((name, part))
        elif isinstance(part, torch.nn.modules.batchnorm._NormBase) and part.track_running_stats:
            found.append((name, part))
    return found


def floating(tensors: Iterable[Any]) -> list[torch.Tensor]:
    """The floating-point tensors among some things."""
    return [t for t in tensors if isinstance(t, torch.Tensor) and t.is_floating_point()]


def _apart(name: str, taken: Collection[str]) -> str:
    """A name that nothing else has."""
    found, count = name, 2
    while found in taken:
        found, count = f"{name} ({count})", count + 1
    return found


def _role(module: torch.nn.Module, name: str, parameter: torch.Tensor) -> str:
    kind = type(module).__name__
    if "Norm" in kind:
        return "norm"
    if "Embedding" in kind:
        return "embedding"
    if "bias" in name or parameter.dim() < 2:
        return "bias"
    return "weight"
