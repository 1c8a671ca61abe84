"""Several starts in turn, each for a small part of the steps; the run goes on from the one that came lowest.

A descent ends in the valley that it began in. The first start is the script's own; the steps that the others take are
taken from the run itself, so that it does not get longer.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "several-starts"
ANSWERS = ("C502", "C503", "C501", "T703")
TEXT = "Begin from several starts and go on with the best."
RISK = (
    "Six tenths of the steps go to starts that are not gone on with; starting values that were set by design are left."
)
SPECIFIC = False
MORE_COMPUTE = False

FEWEST, MOST = 16, 48  # starts; they are copied, not the data
FINALISTS = 3
FIRST, SECOND = 0.3, 0.1  # parts of the run: for all first turns, and for a finalist's second one
SHORT = 20  # steps, that a first turn takes at most: then there are more starts
LEAST = 5
MOST_ENTRIES = 20_000_000  # of all starts together, and as many twice over for the optimizer's states


def variants(known: Known) -> Sequence[Variant]:
    """Where one optimizer (or none) trains one thing, from weights that were not loaded, for 270 steps or more."""
    ticks = int(known.get("ticks") or 0)
    optimizers = known.get("optimizers") or ()
    searching = any(o.get("kind") == "LBFGS" for o in optimizers)  # a line search compares losses at one start
    nothing = not optimizers and not known.get("bare")
    if known.get("loaded") or FIRST * ticks < LEAST * FEWEST or len(optimizers) > 1 or searching or nothing:
        return ()
    first = min(int(FIRST * ticks / FEWEST), SHORT)
    starts = min(MOST, int(FIRST * ticks / first))
    if starts * sum(int(o.get("parameters") or 0) for o in optimizers) > MOST_ENTRIES:
        return ()
    return (
        Variant(f"{starts} starts, the best goes on", {"starts": starts, "steps": first, "then": int(SECOND * ticks)}),
    )


@dataclass
class _Start:
    """Where one start has come to, and the losses on its way."""

    values: list[torch.Tensor]
    states: list[dict[str, Any]] = field(default_factory=list)  # the optimizer's, in the order of the values
    losses: list[float] = field(default_factory=list)

    def level(self) -> float:
        """The mean of the latter half of its last turn."""
        late = self.losses[len(self.losses) // 2 :]
        mean = sum(late) / len(late) if late else math.inf
        return mean if math.isfinite(mean) else math.inf


def treat(treatment: Treatment) -> None:
    """At the backward passes: the loss of the start whose turn it is, and when the turn is over the next start's weights."""
    import torch

    from unstuck.treatment.leaves import leaves_of

    stage = treatment.stage
    options = treatment.options
    count = int(options["starts"])
    roots: dict[int, torch.nn.Module] = {}
    leaves: list[torch.Tensor] = []
    starts: list[_Start] = []
    place = [0, 0]  # whose turn it is, and steps of it
    finals: list[_Start] = []
    over = [False]

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if torch.is_grad_enabled() and not over[0]:
            roots[id(module)] = module
        return

    def backward(loss: torch.Tensor) -> torch.Tensor:
        if over[0]:
            return loss
        if not leaves:
            found = _trained(loss, stage.alive())
            if not found or not all(leaf.is_floating_point() for leaf in found):
                over[0] = True
                return loss
            leaves.extend(found)
            with stage.aside():
                draw = _drawing(leaves, list(roots.values()), treatment.generator)
                starts.append(_Start([leaf.detach().clone() for leaf in leaves]))
                starts.extend(_Start(draw(number)) for number in range(1, count))
            treatment.done(f"{count} starts of {options['steps']} steps")
        rows = finals or starts
        current = rows[place[0]]
        current.losses.append(float(loss.detach()))
        place[1] += 1
        if place[1] < int(options["then" if finals else "steps"]):
            return loss
        now = {id(leaf) for leaf in leaves_of(loss)}
        if any(id(leaf) not in now for leaf in leaves):  # made anew at every step, or another loss
            over[0] = True
            return loss
        with stage.aside():
            current.values = [leaf.detach().clone() for leaf in leaves]
            current.states = _states(leaves, stage.alive())
            place[0], place[1] = place[0] + 1, 0
            if place[0] < len(rows):
                following = rows[place[0]]
            elif not finals:
                best = sorted(starts[1:], key=_Start.level)[: FINALISTS - 1]
                finals.extend((starts[0], *best))  # the script's own may only have begun slowly
                treatment.done(f"loss {_levels(best)} after a turn, {_levels(starts[:1])} from the script's own")
                for start in finals:
                    start.losses.clear()
                starts.clear()
                place[0], following = 0, finals[0]
            else:
                following = min(finals, key=_Start.level)
                over[0] = True
            for leaf, value in zip(leaves, following.values, strict=True):
                leaf.data.copy_(value)
            _set_states(leaves, following.states, stage.alive())
        # The loss belongs to the weights that were: no step by it. One that is not finite would leave NaN times zero.
        if math.isfinite(float(loss.detach())):
            return loss * 0.0
        return torch.stack([leaf.sum() for leaf in leaves]).sum() * 0.0

    stage.hear.root_begins.append(begins)
    stage.hear.backward.append(backward)


def _trained(loss: torch.Tensor, optimizers: Sequence[torch.optim.Optimizer]) -> list[torch.Tensor]:
    """What the optimizer holds of the loss's leaves; without an optimizer all of them."""
    from unstuck.treatment.leaves import leaves_of

    held = {id(p) for o in optimizers for g in o.param_groups for p in g["params"]}
    return [leaf for leaf in leaves_of(loss) if not optimizers or id(leaf) in held]


def _drawing(
    leaves: Sequence[torch.Tensor], roots: Sequence[torch.nn.Module], generator: torch.Generator
) -> Callable[[int], list[torch.Tensor]]:
    """New starting values: a layer's as the layer draws them; a script's own numbers move by their size, or by factors.

    Layers are drawn on a copy of the model: the loss's graph holds the model itself, and so do frozen parts and running
    statistics. Nothing says how a script chose its own numbers. Every second start adds a normal deviate as large as a
    tensor's largest entry, the others multiply each entry by two to a normal deviate. A tensor of several entries keeps
    its norm: larger ones make the same step too long.
    """
    import torch

    trained = {id(leaf) for leaf in leaves}
    copied: dict[int, torch.Tensor] = {}  # what a layer of the copy draws, by the id of the script's own
    drawings: list[Callable[[], Any]] = []
    for root in roots:
        try:
            twin = copy.deepcopy(root)
        except Exception:  # tensors that are no leaves, locks: what cannot be copied is moved as the script's own
            continue
        for part, twin_part in zip(root.modules(), twin.modules(), strict=True):
            own = dict(part.named_parameters(recurse=False))
            drawing = getattr(twin_part, "reset_parameters", None)
            # Where a weight is computed from others (weight norm), a drawing would be gone at the next call.
            if own and callable(drawing) and all(id(p) in trained for p in own.values()) and not _computed(part):
                drawings.append(drawing)
                copied.update((id(p), getattr(twin_part, name)) for name, p in own.items())
    first = [leaf.detach().clone() for leaf in leaves]
    largest = max((float(value.abs().max()) for value in first if value.numel()), default=0.0) or 1.0

    def draw(number: int) -> list[torch.Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
            for drawing in drawings:
                with contextlib.suppress(TypeError):  # the script's own, which wants arguments
                    drawing()
        drawn = []
        for leaf, value in zip(leaves, first, strict=True):
            normal = torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value)
            if id(leaf) in copied:
                drawn.append(copied[id(leaf)].detach().clone())
                continue
            moved = value + (float(value.abs().max()) or largest) * normal if number % 2 else value * 2.0**normal
            norm = float(value.norm()) if value.numel() > 1 else 0.0
            drawn.append(moved * (norm / float(moved.norm())) if norm else moved)
        return drawn

    return draw


def _computed(part: torch.nn.Module) -> bool:
    return any(name.endswith(("_g", "_v", "_orig")) for name, _ in part.named_parameters(recurse=False)) or hasattr(
        part, "parametrizations"
    )


def _states(leaves: Sequence[torch.Tensor], optimizers: Sequence[torch.optim.Optimizer]) -> list[dict[str, Any]]:
    """What the optimizer keeps of each leaf, copied."""
    import torch

    def copied(value: Any) -> Any:
        return value.detach().clone() if isinstance(value, torch.Tensor) else value

    kept = [o.state[p] for p in leaves for o in optimizers if p in o.state]
    return [{name: copied(value) for name, value in state.items()} for state in kept] if optimizers else []


def _set_states(
    leaves: Sequence[torch.Tensor], states: Sequence[dict[str, Any]], optimizers: Sequence[torch.optim.Optimizer]
) -> None:
    for optimizer in optimizers:
        optimizer.state.clear()
        if len(states) == len(leaves):
            optimizer.state.update(zip(leaves, states, strict=True))


def _levels(starts: Sequence[_Start]) -> str:
    return ", ".join(f"{start.level():.3g}" for start in starts)


def change(known: Known, options: Options) -> Change:
    """Around the training."""
    lines = (
        f"starts = []  # train each for {options['steps']} steps, then go on with the best",
        f"for seed in range({options['starts']}):",
        "    torch.manual_seed(seed)",
        "    model = make_model()  # new starting values",
        f"    starts.append((train(model, steps={options['steps']}), seed, model))",
        "loss, seed, model = min(starts)",
    )
    return Change("\n".join(lines))
