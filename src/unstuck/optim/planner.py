"""Which way a rule is computed: a fused kernel, plain torch with kept scratch, or a compiled function on request.

A kernel is compared with the plain form once, on 64 elements and a few steps with changing rates, for each (rule's
structure, device, type); the outcome is kept for the process.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim import eager, kernels
from unstuck.optim.kernels import Advance
from unstuck.optim.rule import Now, Rule, Tensors

LOWERINGS = ("auto", "fused", "eager", "compile")
_TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}


@dataclass(frozen=True)
class Plan:
    """How the updates are made: ``text`` says it to the user, ``fits`` is the structure it was chosen for."""

    text: str
    advance: Advance
    fits: tuple[object, ...]
    kind: str


def structure(rule: Rule) -> tuple[object, ...]:
    """What a plan depends on: kinds and switches, no rate."""

    def switches(part: object) -> tuple[object, ...]:
        if part is None:
            return (None,)
        values = vars(part).items()
        return (
            type(part),
            *((k, v) for k, v in values if isinstance(v, (str, bool))),
            *(
                (k, v > 0)
                for k, v in values
                if isinstance(v, float) or (isinstance(v, int) and not isinstance(v, bool))
            ),
        )

    return (
        switches(rule.direction),
        switches(rule.scale),
        switches(rule.decay),
        type(rule.trust),
        rule.scale_first,
        rule.maximize,
    )


_probed: dict[tuple[object, ...], str] = {}


def choose(rule: Rule, device: torch.device, dtype: torch.dtype, lowering: str) -> Plan:
    """The plan for a rule on tensors of one device and type."""
    fits = structure(rule)
    where = f"{str(dtype).removeprefix('torch.')} on {device.type}"
    if lowering == "compile":
        from unstuck.optim.compiled import compiled, shape

        if shape(rule) is None:
            raise BadInput("lowering", got="compile", want="auto or eager", hint=f"no compiled form: {rule.formula}")
        return Plan(f"compiled by torch.compile ({where})", compiled, fits, "compile")
    why = "asked for"
    if lowering in ("auto", "fused"):
        kernel = kernels.fitting(rule)
        why = "no fused kernel fits this rule"
        if kernel is not None:
            key = (fits, device.type, dtype)
            if key not in _probed:
                _probed[key] = probe(rule, kernel.advance, device, dtype)
            why = _probed[key]
            if not why:
                moved = f"{kernel.bytes_moved * dtype.itemsize // 4} bytes moved per parameter"
                return Plan(f"torch's fused {kernel.name} ({where}, {moved})", kernel.advance, fits, "fused")
        if lowering == "fused":
            raise BadInput("lowering", got="fused", want="auto or eager for this rule", hint=why)
    return Plan(f"plain torch, scratch kept ({where}; {why})", eager.advance, fits, "eager")


def probe(rule: Rule, fused: Advance, device: torch.device, dtype: torch.dtype) -> str:
    """Run both ways from the same start; empty when they agree, else why the kernel is not used."""
    tolerance = _TOLERANCE.get(dtype)
    if tolerance is None:
        return f"no fused kernel for {dtype}"
    wave = torch.linspace(0.3, 9.0, 64, dtype=torch.float64)
    start = torch.sin(wave).to(device=device, dtype=dtype)
    ends: list[Tensor] = []
    for advance in (eager.advance, fused):
        params = [start.clone()]
        state = {name: [torch.full_like(start, fill)] for name, fill in rule.slots.items()}
        scratch: dict[str, Tensors] = {}
        for t in range(1, 9):
            grads = [torch.cos(wave * t).to(device=device, dtype=dtype)]
            before = grads[0].clone()
            lr = 0.01 / t**0.5

            def spare(name: str, params: Tensors = params, scratch: dict[str, Tensors] = scratch) -> Tensors:
                return scratch.setdefault(name, [torch.empty_like(params[0])])

            try:
                with torch.no_grad():
                    advance(rule, grads, state, Now(t, lr, 0.01, params, spare))
            except (RuntimeError, TypeError, NotImplementedError) as error:
                if advance is eager.advance:
                    raise
                return f"the fused kernel refused: {str(error).splitlines()[0]}"
            if not torch.equal(before, grads[0]):
                return "the fused kernel wrote over the gradient"
        ends.append(params[0].double())
    gap = float((ends[0] - ends[1]).abs().max())
    if not gap <= tolerance * float(ends[0].abs().max()):
        return f"the fused kernel differs from the plain form by {gap:.1e}"
    return ""
