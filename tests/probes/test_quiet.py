"""The quiet state is entered and left whole."""

from __future__ import annotations

import threading

import pytest
import torch

from unstuck.probes.quiet import quiet


def _state():
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")


def test_everything_is_restored():
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        before = _state()
        with quiet():
            assert _state() == (False, False, False)
            with quiet():
                assert _state() == (False, False, False)
            assert _state() == (False, False, False)
            kept = torch.ones(2)
        assert _state() == before == (False, True, True)
    kept.add_(1)  # what was made inside is an ordinary tensor
    assert _state() == (True, False, False)


def test_an_error_restores_too():
    with pytest.raises(ValueError, match="inside"), quiet():
        raise ValueError("inside")
    assert _state() == (True, False, False)
    with quiet():
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_function_modes_do_not_see_a_probe():
    seen = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func)
            return func(*args, **(kwargs or {}))

    with Mode():
        with quiet():
            torch.ones(2).sum()
        inside = [f for f in seen if getattr(f, "__name__", "") in ("ones", "sum")]
        torch.ones(2).sum()
    assert inside == [] and len(seen) >= 2


def test_another_thread_is_not_quiet():
    found = []
    with quiet():
        worker = threading.Thread(target=lambda: found.append(torch.is_grad_enabled()))
        worker.start()
        worker.join()
    assert found == [True]
