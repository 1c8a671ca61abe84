"""Which parameters belong to whom, get a gradient, and move: what shows over several samples only."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import torch

from unstuck.live.fast_path import Track
from unstuck.live.registry import parameters_of

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

MAX_NAMES = 400
KEPT_ENTRIES = 32  # of each parameter outside every optimizer, to see whether it moves


class Ownership:
    """Collects over the samples and reports after the first ones and at the end."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.steps: dict[int, list[int]] = {}  # stream: sampled steps
        self.moved: dict[int, set[str]] = {}
        self.seen: dict[int, set[str]] = {}
        self.live: dict[int, set[str]] = {}  # had a gradient in some sample
        self.kept: dict[int, torch.Tensor] = {}  # first entries of parameters outside every optimizer
        self.had_gradient: set[int] = set()
        self.reported: dict[str, Any] = {}

    def note(self, track: Track, optimizer: torch.optim.Optimizer, params: dict[str, dict[str, Any]]) -> None:
        """Add one sample of one stream."""
        number = track.number
        self.steps.setdefault(number, []).append(track.steps - 1)
        moved = self.moved.setdefault(number, set())
        seen = self.seen.setdefault(number, set())
        live = self.live.setdefault(number, set())
        for name, stat in params.items():
            seen.add(name)
            if stat.get("u") is None or stat["u"] != 0.0:
                moved.add(name)
            if stat.get("g") is not None:
                live.add(name)
        for _, parameter in self._outside():
            if id(parameter) not in self.kept:
                with torch.no_grad():
                    self.kept[id(parameter)] = parameter.detach().reshape(-1)[:KEPT_ENTRIES].clone()
            if parameter.grad is not None:
                self.had_gradient.add(id(parameter))

    def _optimized(self) -> set[int]:
        found: set[int] = set()
        for track in self.watcher.tracks.values():
            optimizer = track.ref()
            if optimizer is not None:
                found |= {id(p) for group in optimizer.param_groups for p in group["params"]}
        return found

    def _outside(self) -> list[tuple[str, torch.Tensor]]:
        """Trainable parameters of the models that no optimizer holds."""
        optimized = self._optimized()
        if not optimized:
            return []
        found: list[tuple[str, torch.Tensor]] = []
        for model in self.watcher.registry.models:
            module = model.module()
            if module is None or not model.forwards:
                continue
            for name, parameter in module.named_parameters():
                if parameter.requires_grad and id(parameter) not in optimized and parameter.dtype.is_floating_point:
                    found.append((f"{model.name}.{name}", parameter))
                    if len(found) >= MAX_NAMES:
                        return found
        return found

    def report(self) -> None:
        """Write the events; one that says nothing new is not written twice."""
        self._report_untracked()
        self._report_strangers()
        self._report_unmoved()
        self._report_detached()

    def _event(self, kind: str, stream: int, data: dict[str, Any]) -> None:
        key = f"{kind}/{stream}/{data.get('model')}"
        if self.reported.get(key) == data:
            return
        self.reported[key] = data
        self.watcher.event(kind, stream=stream, step=self.watcher.current_step(), limit=40, **data)

    def _report_untracked(self) -> None:
        by_model: dict[str, list[dict[str, Any]]] = {}
        prefixes = sorted((m.name for m in self.watcher.registry.models), key=len, reverse=True)
        for name, parameter in self._outside():
            kept = self.kept.get(id(parameter))
            with torch.no_grad():
                moved = kept is not None and not torch.equal(kept, parameter.detach().reshape(-1)[:KEPT_ENTRIES])
            owner = next((p for p in prefixes if name.startswith(p + ".")), name)
            # A gradient is left from late in the run too, between samples: nobody clears what no optimizer holds.
            gradient = id(parameter) in self.had_gradient or parameter.grad is not None
            by_model.setdefault(owner, []).append({"name": name, "gradient": gradient, "moved": moved})
        for model, params in by_model.items():
            self._event("untracked", 0, {"model": model, "params": params})

    def _report_strangers(self) -> None:
        """Parameters held by an optimizer that are in no model: a model made anew, moved or wrapped after it."""
        models = [m.module() for m in self.watcher.registry.models if m.forwards]
        owned = {id(p) for module in models if module is not None for p in parameters_of(module)}
        if not owned:
            return
        shapes = Counter(tuple(p.shape) for module in models if module is not None for p in parameters_of(module))
        for track in self.watcher.tracks.values():
            optimizer = track.ref()
            if optimizer is None:
                continue
            held = [p for group in optimizer.param_groups for p in group["params"]]
            strangers = [p for p in held if id(p) not in owned]
            if not strangers:
                continue
            wanted = Counter(tuple(p.shape) for p in strangers)
            # One that was left standing, because the script clears those of another model, is none.
            alone = self.watcher.schedule.pulse.without(track.number)
            self._event(
                "stale_optimizer",
                track.number,
                {
                    "o": track.number,
                    "count": len(strangers),
                    "of": len(held),
                    "same_shapes": all(shapes[shape] >= count for shape, count in wanted.items()),
                    "with_gradient": 0 if alone else sum(p.grad is not None for p in strangers),
                },
            )

    def _report_unmoved(self) -> None:
        for number, seen in self.seen.items():
            still = sorted(seen - self.moved[number])
            steps = self.steps[number]
            if still:
                self._event(
                    "not_moved",
                    number,
                    {"o": number, "from": steps[0], "to": steps[-1], "params": still[:MAX_NAMES], "of": len(seen)},
                )

    def _report_detached(self) -> None:
        for number, seen in self.seen.items():
            live = self.live[number]
            # In the order of the model: what comes before a live parameter was cut off on the way back to it.
            order = [n for n in self.watcher.registry.names.values() if n in seen]
            positions = [i for i, name in enumerate(order) if name in live]
            if not positions:
                continue
            dead = [name for i, name in enumerate(order) if name not in live and i < positions[-1]]
            if dead:
                after = next(order[i] for i in positions if i > order.index(dead[-1]))
                self._event("detached", number, {"params": dead[:MAX_NAMES], "last_live": after, "line": None})
