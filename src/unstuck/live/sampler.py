"""A sampled step: the probes are asked, and what they say becomes one ``sample`` line of the journal."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from unstuck import probes
from unstuck.launch.frames import names_in_sight, user_line
from unstuck.live.budget import clock
from unstuck.live.fast_path import BY_HAND, Track
from unstuck.live.ownership import Ownership
from unstuck.live.registry import Model, batch_modules

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

MAX_LOSSES = 4  # backward passes of one step that are looked into
MAX_INPUTS = 4
ROWS_SAMPLES = 3  # samples in which equal rows are searched: symmetry is a matter of the beginning
STALE_PARAMETERS = 48
STALE_ENTRIES = 64
MAX_PARAMETERS = 1500

# Where a non-finite number can stand, in the order in which it travels through a step.
_ROUTE = ("input", "parameter", "activation", "target", "loss", "gradient")


class Sampler:
    """Gathers one step's sample from the calls that the watcher passes on."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.inputs_seen = probes.InputStatistics()
        self.evaluation_inputs = probes.InputStatistics()
        self.dead_units = probes.DeadUnits()
        self.noise: dict[int, probes.GradientNoise] = {}
        self.ownership = Ownership(watcher)
        self.price = 0.005  # of one full sample, in seconds
        self.light_price = 5e-5
        self.booked = 0.0
        self.hook_ranges: list[tuple[int, int]] = []
        self.hooks_open: list[int] = []
        self.signatures: dict[int, list[str]] = {}
        self.nonfinite_seen: set[str] = set()
        self.hand: dict[str, Any] | None = None  # the sample of the step by hand before this backward pass
        self.hand_taken: probes.Snapshot | None = None
        self.hand_gradients: dict[int, torch.Tensor] = {}
        self.hand_leaves: list[tuple[str, torch.Tensor]] = []
        self.moved_by_hand = False
        self.names_told = False
        self.after_gradients: dict[int, list[tuple[str, Any, torch.Tensor]]] = {}  # of each stream's last sampled step
        self.stale: dict[int, dict[str, float]] = {}
        self.loss_call: tuple[torch.nn.Module, tuple, dict] | None = None
        self.through_time = probes.TimeGradients()
        self._new_step()

    def _new_step(self) -> None:
        self.losses: list[dict[str, Any]] = []
        self.acts: list[dict[str, Any]] = []
        self.layers: list[dict[str, Any]] = []
        self.inputs: list[dict[str, Any]] = []
        self.unseen: list[dict[str, Any]] = []
        self.places: dict[int, probes.Placement] = {}
        self.params: dict[str, dict[str, Any]] = {}
        self.taken: probes.Snapshot | None = None
        self.rows = 0  # of the first input
        self.heard = 0  # backward passes
        self.eval_parts: dict[str, dict[str, Any]] = {}
        self.nonfinite: list[dict[str, Any]] = []
        self.reached: list[torch.Tensor] = []  # the parameters of the last loss
        self.arrived: dict[int, float] = {}  # norms of their gradients when the backward pass ended
        self.clip: dict[str, Any] | None = None
        self.divisors: list[dict[str, Any]] = []
        self.recurrent: list[dict[str, Any]] = []
        self.through_time.close()

    def rest(self) -> None:
        """Sampling pauses: let go of everything that belongs to the script."""
        self._new_step()
        self.after_gradients.clear()
        self.stale.clear()
        self.loss_call = None
        self.hook_ranges.clear()

    def _ask(self, name: str, probe: Callable[[], Any], otherwise: Any) -> Any:
        if not self.watcher.works(name):
            return otherwise
        try:
            return probe()
        except Exception as error:
            self.watcher.crashed(name, error)
            return otherwise

    # -- forward -----------------------------------------------------------------------------------------------------

    def model_called(self, model: Model, module: torch.nn.Module, args: tuple, kwargs: Mapping[str, Any]) -> None:
        """A model's forward pass with gradient."""
        model.forwards += 1
        if not model.written:
            self._write_model(model)
        named = self.named_arguments(model, module, args, kwargs)
        if len(self.inputs) < MAX_INPUTS:
            found = self._ask("inputs", lambda: self.inputs_seen.update(model.name, named), [])
            for entry in found:
                if not self.rows and entry.get("shape"):
                    self.rows = int(entry["shape"][0])
                if entry.get("nonfinite"):
                    self._nonfinite("input", f"{model.name}({entry.get('name')})")
                self.inputs.append(entry)
        parts = batch_modules(module)
        asleep = [(name, part) for name, part in parts if not part.training]
        if asleep:
            kinds: dict[str, int] = {}
            for _, part in asleep:
                kinds[type(part).__name__] = kinds.get(type(part).__name__, 0) + 1
            self.eval_parts[model.name] = {
                "model": model.name,
                "training": module.training,
                "eval_modules": kinds,
                "modules": [f"{model.name}.{name}" if name else model.name for name, _ in asleep[:20]],
                "share": len(asleep) / len(parts),
                "line": user_line(),
            }

    def module_without_parameters(self, module: torch.nn.Module, args: tuple, kwargs: Mapping[str, Any]) -> None:
        """A module such as a loss function was called from outside every model."""
        if isinstance(module, torch.nn.modules.loss._Loss):
            self.loss_call = (module, args, dict(kwargs))

    def describe_inputs(self, model: Model, args: tuple, kwargs: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Statistics of what enters a model without gradient, apart from the training's."""
        module = model.module()
        if module is None:
            return []
        named = self.named_arguments(model, module, args, kwargs)
        found: list[dict[str, Any]] = self._ask("inputs", lambda: self.evaluation_inputs.update(model.name, named), [])
        known = self.inputs_seen

        def compare() -> None:
            for entry in found:
                name = str(entry.get("name"))
                entry["against_training"] = self.evaluation_inputs.compared_with(known, model.name, name)

        self._ask("inputs", compare, None)
        return found

    def named_arguments(
        self, model: Model, module: torch.nn.Module, args: tuple, kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A call's arguments under the names in the signature of ``forward``."""
        names = self.signatures.get(model.number)
        if names is None:
            try:
                names = [
                    p.name
                    for p in inspect.signature(module.forward).parameters.values()
                    if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                ]
            except (TypeError, ValueError):
                names = []
            self.signatures[model.number] = names
        named = {names[i] if i < len(names) else str(i): value for i, value in enumerate(args)}
        named.update(kwargs)
        return named

    def _write_model(self, model: Model) -> None:
        model.written = True
        description = self.watcher.registry.describe(model)
        if description is not None:
            self.watcher.journal.record(description)

    # -- backward ----------------------------------------------------------------------------------------------------

    def hear_loss(self, loss: torch.Tensor) -> int:
        """A backward pass from this loss is about to run; returns the number of examples in it (0: unknown)."""
        watcher = self.watcher
        first = self.heard == 0
        self.heard += 1
        if self.heard > MAX_LOSSES:
            # Accumulation by hand: the update may come yet.
            if not watcher.tracks and watcher.step_depth == 0 and self.hand_leaves:
                self._by_hand([parameter for _, parameter in self.hand_leaves])
            return self._examples_again(loss)
        line = user_line()
        names = watcher.registry.names
        hooked: Any = list(self.hook_ranges)
        graph = self._ask("graph", lambda: probes.walk(loss, names=names, saved_hooks_active=hooked or False), None)
        if graph is None:
            return 0
        parameters = [n.leaf for n in graph.leaves if n.leaf is not None and graph.is_parameter(n.leaf)]
        for index, leaf in enumerate(parameters[:MAX_PARAMETERS]):
            if id(leaf) not in names:
                watcher.registry.name_parameter(leaf, f"parameter{index}")
        self.reached = parameters[:MAX_PARAMETERS]
        if not parameters and not graph.unseen:
            watcher.event("no_graph", step=watcher.current_step() or 0, limit=5, message=_why_no_graph(loss), line=line)
        entry = self._ask("loss", lambda: probes.loss_terms(graph, value=loss), None)
        if entry is not None:
            entry["line"] = line
            if not self.names_told and any(_raises_log_probabilities(term) for term in entry.get("terms", ())):
                self.names_told = True  # costs or returns: what the script calls them is all there is to tell
                entry["names"] = names_in_sight()
            self._fill_from_module(entry, loss)
            self.losses.append(entry)
            if isinstance(entry.get("value"), float) and not math.isfinite(entry["value"]):
                self._nonfinite("loss", "loss", line=line)
            for term in entry.get("terms", ()):
                if (term.get("target") or {}).get("nonfinite"):
                    self._nonfinite("target", "target", line=line)
        if first:
            self.acts = self._ask("activations", lambda: probes.activations(graph, dead_units=self.dead_units), [])
            self.layers = self._ask("layers", lambda: probes.layers(graph), [])
            self.places = self._ask("places", lambda: probes.placements(graph), {})
            for act in self.acts:
                if act.get("nonfinite"):
                    self._nonfinite("activation", act["name"], operator=act.get("kind"))
                    break
            if not self.inputs and self.layers:
                self.rows = (self.layers[0].get("in_shape") or [0])[0]
        self.unseen += [note for note in graph.unseen if note not in self.unseen]
        examples = self._examples(entry)
        if first:
            self._learn_to_read_examples(loss, graph, entry, examples)
            self._look_for_stale_gradients()
        if first and watcher.works("biopsy"):
            named = [(names.get(id(p), f"parameter{i}"), p) for i, p in enumerate(parameters)]
            began = clock()
            self._ask("biopsy", lambda: watcher.biopsy.loss_heard(loss, named), None)
            self.booked += clock() - began  # looks at the curvature have prices of their own
        if not watcher.tracks and watcher.step_depth == 0:
            self._by_hand(parameters)
        if first:  # last of all: what runs on this graph before the script's own backward pass is not to be heard
            self._ask("through_time", lambda: self.through_time.listen(graph), None)
            self.unseen += [note for note in graph.unseen if note not in self.unseen]
        return examples

    def _fill_from_module(self, entry: dict[str, Any], loss: torch.Tensor) -> None:
        """Where a compiled part hides the graph, what the loss module was called with tells the terms."""
        call, self.loss_call = self.loss_call, None
        known = [t for t in entry.get("terms", ()) if t.get("kind") != "custom"]
        if call is None or known:
            return
        module, args, _ = call
        names = self.watcher.registry.names
        found = self._ask("loss_module", lambda: probes.loss_module_terms(module, args, loss, names=names), None)
        if found is not None:
            entry.update({key: value for key, value in found.items() if key not in ("value", "line")})

    def _examples(self, entry: dict[str, Any] | None) -> int:
        rows = 0
        for term in (entry or {}).get("terms", ()):
            shape = (term.get("output") or {}).get("shape") or (term.get("target") or {}).get("shape")
            if shape and term.get("kind") != "penalty":
                rows = int(shape[0])
                break
        if rows and self.rows and rows % self.rows == 0:
            return self.rows
        return rows or self.rows

    def _examples_again(self, loss: torch.Tensor) -> int:
        return self.watcher._quick_examples(loss)

    def _learn_to_read_examples(
        self, loss: torch.Tensor, graph: probes.Graph, entry: dict[str, Any] | None, examples: int
    ) -> None:
        """Find the way from the loss to a node whose first dimension is the batch, for the steps that are not sampled."""
        fast = self.watcher.fast
        fast.node_type = None
        if not examples or loss.grad_fn is None or not graph.roots:
            return
        node = graph.roots[0][0]
        way: list[int] = []
        for _ in range(8):
            shape = node.shape()
            if shape and shape[0] >= examples and shape[0] % examples == 0 and node.numel() > 1:
                fast.read_examples = _reader(tuple(way), shape[0] // examples)
                fast.node_type = type(loss.grad_fn)
                return
            following = next(
                ((i, child) for i, (child, _) in enumerate(node.edges) if child is not None and child.data), None
            )
            if following is None or following[1].leaf is not None:
                return
            way.append(following[0])
            node = following[1]

    def after_backward(self) -> None:
        """The backward pass is over: gradients of steps by hand are read before anybody clears them."""
        if self.through_time.listening:
            self.recurrent = self._ask("through_time", self.through_time.read, [])
            self.watcher.spent(self.through_time.seconds)
            if self.hand is not None and not self.watcher.tracks:
                self.hand["recurrent"] = self.recurrent
        if self.hand is not None and not self.watcher.tracks and not self.hand["params"]:
            self.hand["params"] = self._hand_parameters()
            self._keep_hand_gradients({id(p): p.grad for _, p in self.hand_leaves if p.grad is not None})
            for name, share in self.stale.pop(BY_HAND, {}).items():
                if name in self.hand["params"]:
                    self.hand["params"][name]["stale"] = share
            self._keep_gradients(BY_HAND, self.hand_leaves)
        if self.watcher.by_hand.track is None and not self.watcher.scaler_seen and self.watcher.step_depth == 0:
            self.arrived = self._ask("clip", lambda: probes.gradient_norms(self.reached), {})

    # -- gradients that nobody cleared --------------------------------------------------------------------------------

    def _look_for_stale_gradients(self) -> None:
        """Before the first backward pass of a step: are the gradients of the step before still there, unchanged?"""
        self.stale.clear()
        for number, kept in self.after_gradients.items():
            found: dict[str, float] = {}
            for name, ref, before in kept:
                parameter = ref
                gradient = parameter.grad
                if gradient is None or gradient.layout != torch.strided or before.numel() == 0:
                    found[name] = 0.0
                    continue
                with torch.no_grad():
                    now = gradient.detach().reshape(-1)[:STALE_ENTRIES]
                    same = now.shape == before.shape and bool((now == before).all()) and bool((before != 0).any())
                found[name] = 1.0 if same else 0.0
            self.stale[number] = found

    def _keep_gradients(self, stream: int, parameters: list[tuple[str, torch.Tensor]]) -> None:
        kept = []
        step = max(1, len(parameters) // STALE_PARAMETERS)
        with torch.no_grad():
            for name, parameter in parameters[::step]:
                gradient = parameter.grad
                if gradient is not None and gradient.layout == torch.strided:
                    kept.append((name, parameter, gradient.detach().reshape(-1)[:STALE_ENTRIES].clone()))
        self.after_gradients[stream] = kept

    # -- steps -------------------------------------------------------------------------------------------------------

    def before_step(self, optimizer: torch.optim.Optimizer, track: Track) -> None:
        """An optimizer is about to step."""
        parameters = self._parameters(optimizer)
        self.taken = self._ask("snapshot", lambda: probes.before_step(parameters), None)
        if self.heard:  # with a closure the gradients come later, inside the step
            self.params = self._statistics(optimizer, track, parameters)
            self.clip = self._clipped(parameters)

    def _clipped(self, parameters: list[tuple[str, torch.Tensor]]) -> dict[str, Any] | None:
        """The norm of the gradient when the backward pass ended and as the step finds it: what was done in between."""
        both = [
            (self.arrived[id(p)], float(self.params[name]["g"]))
            for name, p in parameters
            if id(p) in self.arrived and self.params.get(name, {}).get("g") is not None
        ]
        if not both:
            return None
        before, after = (math.sqrt(sum(pair[i] ** 2 for pair in both)) for i in (0, 1))
        return {"before": before, "left": after, "values": self.watcher.value_clip}

    def after_step(self, optimizer: torch.optim.Optimizer, track: Track, step: int) -> None:
        """An optimizer has stepped: complete the sample and write it."""
        watcher = self.watcher
        parameters = self._parameters(optimizer)
        if not self.params:
            self.params = self._statistics(optimizer, track, parameters)
        if self.taken is not None:
            taken = self.taken
            for name, change in self._ask("change", lambda: probes.after_step(taken), {}).items():
                if name in self.params:
                    self.params[name]["u"] = change.norm if change.moved or change.norm is None else 0.0
                    self.params[name]["d"] = change.cosine
        self.divisors = self._ask("denominators", lambda: probes.denominators(optimizer), [])
        for name, share in self.stale.pop(track.number, {}).items():
            if name in self.params:
                self.params[name]["stale"] = share
        noise = self.noise.setdefault(track.number, probes.GradientNoise())
        found = self._ask("noise", lambda: noise.update(parameters, step=step, scale=_scale(optimizer)), {})
        for name, stat in self.params.items():
            if stat.get("wn"):
                self._nonfinite("parameter", name)
            if stat.get("gn"):
                self._nonfinite("gradient", name)
        for model, data in self.eval_parts.items():
            watcher.event("training_in_eval", stream=track.number, step=step, limit=12, **{**data, "model": model})
        self._write(track.number, step, found)
        self._keep_gradients(track.number, parameters)
        self.ownership.note(track, optimizer, self.params)
        if track.full < 2:
            start = clock()
            self._ask("gradient_norm", lambda: self.gradient_norm(optimizer), None)
            self.light_price = clock() - start
        self._new_step()

    def _write(self, stream: int, step: int, noise: dict[str, Any]) -> None:
        for entry in sorted(self.nonfinite, key=lambda e: _ROUTE.index(e["where"])):
            self.watcher.event("nonfinite", stream=stream, step=step, limit=12, **entry)
        budget = self.watcher.budget
        total = budget.first + budget.running
        seconds = max(0.0, total - self.booked)
        self.booked = total
        if 0 < seconds < 10:
            self.price = seconds if self.price == 0.005 else 0.6 * self.price + 0.4 * seconds
        self.watcher.journal.record(
            {
                "e": "sample",
                "o": stream,
                "s": step,
                "full": True,
                "seconds": round(seconds, 6),
                "losses": self.losses,
                "inputs": self.inputs[:MAX_INPUTS],
                "params": self.params,
                "acts": self.acts,
                "layers": self.layers,
                "noise": noise,
                "unseen": self.unseen,
                "clip": self.clip,
                "divisors": self.divisors,
                "recurrent": self.recurrent,
            }
        )

    def _parameters(self, optimizer: torch.optim.Optimizer) -> list[tuple[str, torch.Tensor]]:
        name = self.watcher.registry.name_parameter
        found = [p for group in optimizer.param_groups for p in group["params"]][:MAX_PARAMETERS]
        return [(name(p, f"parameter{index}"), p) for index, p in enumerate(found)]

    def _statistics(
        self, optimizer: torch.optim.Optimizer, track: Track, parameters: list[tuple[str, torch.Tensor]]
    ) -> dict[str, dict[str, Any]]:
        owners = {id(p): track.number for _, p in parameters}
        found: dict[str, dict[str, Any]] = self._ask(
            "parameters",
            lambda: probes.parameter_statistics(
                parameters,
                places=self.places,
                scale=_scale(optimizer),
                rows=track.full < ROWS_SAMPLES,
                optimizers=owners,
            ),
            {},
        )
        registry = self.watcher.registry
        for name, parameter in parameters:
            entry = found.get(name)
            if entry is not None:
                entry["layer"] = registry.layers.get(id(parameter), entry.get("layer"))
                if entry.get("order") is None or entry.get("role") in (None, "other"):
                    entry["role"] = registry.roles.get(id(parameter), entry.get("role"))
                entry["trainable"] = parameter.requires_grad
        return found

    def gradient_norm(self, optimizer: torch.optim.Optimizer) -> float | None:
        """The norm of the whole gradient, after whatever the script did to it; None on an accelerator."""
        gradients = [
            p.grad
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None and p.grad.layout == torch.strided
        ]
        if not gradients or any(g.device.type != "cpu" for g in gradients):
            return None
        with torch.no_grad():
            norms = torch._foreach_norm(gradients)
            return math.sqrt(sum(float(n) ** 2 for n in norms)) / _scale(optimizer)

    # -- steps by hand ------------------------------------------------------------------------------------------------

    def leaves_moved(self) -> bool:
        """Whether the parameters changed since the backward pass before, though no optimizer stepped."""
        return self.moved_by_hand

    def gradients_got(self, inputs: tuple[torch.Tensor, ...], gradients: Any) -> None:
        """What ``torch.autograd.grad`` returned for a training loss."""
        self.hand_gradients = {id(p): g for p, g in zip(inputs, gradients, strict=False) if isinstance(g, torch.Tensor)}
        if self.hand is not None:
            self.hand["params"] = self._hand_parameters()
            self._keep_hand_gradients(self.hand_gradients)

    def _keep_hand_gradients(self, gradients: dict[int, torch.Tensor]) -> None:
        """What the update by hand that follows is compared with."""
        taken = self.hand_taken
        if taken is not None:
            self._ask("hand_gradients", lambda: probes.keep_gradients(taken, gradients), None)

    def _by_hand(self, parameters: list[torch.Tensor]) -> None:
        """A backward pass before any optimizer stepped. Parameters that moved since the last one were moved by hand."""
        watcher = self.watcher
        if self.hand_taken is not None:
            taken = self.hand_taken
            changes = self._ask("change", lambda: probes.after_step(taken), {})
            self.moved_by_hand = self.moved_by_hand or any(c.moved for c in changes.values())
            previous = self.hand
            if previous is not None and self.moved_by_hand:
                for name, change in changes.items():
                    if name in previous["params"]:
                        previous["params"][name]["u"] = change.norm if change.moved else 0.0
                        previous["params"][name]["d"] = change.cosine
                self._write_by_hand(previous)
        registry = watcher.registry
        listed = [(registry.name_parameter(p, f"parameter{i}"), p) for i, p in enumerate(parameters[:MAX_PARAMETERS])]
        self.hand_leaves = listed
        self.hand_gradients = {}
        self.hand_taken = self._ask("snapshot", lambda: probes.before_step(listed), None)
        step = watcher.by_hand.count if watcher.by_hand.track is not None else len(watcher.by_hand.held)
        self.hand = {"step": step, "losses": self.losses[-1:], "acts": self.acts, "layers": self.layers,
                     "inputs": self.inputs, "unseen": self.unseen, "params": {}, "places": self.places,
                     "recurrent": []}  # fmt: skip
        if self.moved_by_hand:  # before that it may be accumulation, whose losses belong to one step
            self._new_step()

    def _hand_parameters(self) -> dict[str, dict[str, Any]]:
        listed = self.hand_leaves
        places = self.hand["places"] if self.hand is not None else {}
        found: dict[str, dict[str, Any]] = self._ask(
            "parameters", lambda: probes.parameter_statistics(listed, places=places, rows=True), {}
        )
        with torch.no_grad():
            for name, parameter in listed:
                gradient = self.hand_gradients.get(id(parameter))
                if gradient is not None and name in found and gradient.layout == torch.strided:
                    found[name]["g"] = float(torch.linalg.vector_norm(gradient.detach()))
                    found[name]["gz"] = float((gradient == 0).double().mean())
                    found[name]["gn"] = int((~torch.isfinite(gradient)).sum())
        return found

    def _write_by_hand(self, hand: dict[str, Any]) -> None:
        self.watcher.journal.record(
            {
                "e": "sample",
                "o": -1,
                "s": hand["step"],
                "full": True,
                "seconds": 0.0,
                **{key: hand[key] for key in ("losses", "acts", "layers", "inputs", "unseen", "params", "recurrent")},
                "noise": {},
            }
        )

    def forget_hand(self) -> None:
        """Updates by hand are over, for an optimizer steps or the run ends: write the last one, keep nothing of it."""
        if self.hand is not None and self.watcher.by_hand.track is not None and self.hand["params"]:
            self._write_by_hand(self.hand)
        self.hand = self.hand_taken = None
        self.hand_leaves, self.hand_gradients = [], {}

    # -- what is told once --------------------------------------------------------------------------------------------

    def _nonfinite(
        self, where: str, name: str, *, line: dict[str, Any] | None = None, operator: str | None = None
    ) -> None:
        if where in self.nonfinite_seen:
            return
        self.nonfinite_seen.add(where)
        self.nonfinite.append({"where": where, "name": name, "line": line, "operator": operator})

    def saved_tensor_hooks(self, entered: bool) -> None:
        """Hooks on saved tensors begin or end: what is saved meanwhile cannot be read without running them."""
        now = probes.sequence_number()
        if entered:
            self.hooks_open.append(now if now is not None else 0)
        elif self.hooks_open:
            start = self.hooks_open.pop()
            self.hook_ranges.append((start, now if now is not None else 1 << 62))
            del self.hook_ranges[:-256]

    def first_samples_over(self) -> None:
        """The first samples are done: write what they show together."""
        self.ownership.report()
        self.watcher.loaders.report()

    def last_words(self) -> None:
        """The run ends."""
        watcher = self.watcher
        self.forget_hand()
        for model in watcher.registry.models:
            if not model.written:
                self._write_model(model)
        self.ownership.report()
        self.watcher.schedule.pulse.report()
        self.watcher.loaders.report()
        moved = self.moved_by_hand
        watcher.event(
            "backward_without_step",
            step=watcher.current_step(),
            backwards=watcher.backwards,
            steps=sum(t.steps for t in watcher.tracks.values()),
            last_step_backwards=len(watcher.fast.values) if watcher.tracks else watcher.backwards,
            moved=moved,
            optimizers=len(watcher.tracks),
        )


def _reader(way: tuple[int, ...], ratio: int) -> Callable[[Any], int]:
    """A function from a loss's ``grad_fn`` to the batch size, along a known way through the graph."""
    if way == (0,) and ratio == 1:
        return lambda node: node.next_functions[0][0]._input_metadata[0].shape[0]

    def read(node: Any) -> int:
        for index in way:
            node = node.next_functions[index][0]
        return int(node._input_metadata[0].shape[0]) // ratio

    return read


def _raises_log_probabilities(term: dict[str, Any]) -> bool:
    """A sum of log-probabilities of drawn classes, times numbers of either sign, as it stands in a loss of costs."""
    drawn = any(act.get("own") for act in term.get("head") or ())
    return term.get("kind") == "custom" and drawn and (term.get("weight") or 0.0) < 0


def _scale(optimizer: torch.optim.Optimizer) -> float:
    """The gradient scale that a fused optimizer takes out itself."""
    scale = getattr(optimizer, "grad_scale", None)
    return float(scale) if isinstance(scale, torch.Tensor) else 1.0


def _why_no_graph(loss: torch.Tensor) -> str:
    if loss.grad_fn is None and not loss.requires_grad:
        return "the loss does not require a gradient: it was detached, or computed without gradient"
    return "no path leads from the loss to a parameter"
