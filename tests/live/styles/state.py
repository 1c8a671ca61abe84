"""Print everything that a run leaves behind, exactly: used by the scripts beside it."""

import hashlib
import random

import numpy as np
import torch

# Scripts import this first: Python's and NumPy's generators start alike in every run.
random.seed(0)
np.random.seed(0)


def _digest(value, sha):
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.is_sparse:
            value = value.to_dense()
        sha.update(str((value.dtype, tuple(value.shape))).encode())
        sha.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b"")
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            sha.update(str(key).encode())
            _digest(value[key], sha)
    elif isinstance(value, list | tuple):
        for item in value:
            _digest(item, sha)
    else:
        sha.update(repr(value).encode())


def print_state(*things):
    """Digests of weights, buffers, gradients, optimizer states and of the three random states."""
    for index, thing in enumerate(things):
        sha = hashlib.sha256()
        state = thing.state_dict() if hasattr(thing, "state_dict") else thing
        _digest(state, sha)
        if isinstance(thing, torch.nn.Module):
            _digest([p.grad for p in thing.parameters()], sha)
        print(f"state {index} {sha.hexdigest()}")
    for name, state in (
        ("python", random.getstate()),
        ("numpy", np.random.get_state()),
        ("torch", torch.get_rng_state()),
    ):
        sha = hashlib.sha256()
        _digest(list(state) if isinstance(state, tuple) else state, sha)
        print(f"random {name} {sha.hexdigest()}")
    print("last draws", random.random(), float(np.random.rand()), float(torch.rand(1)))
