"""What adaptive rules divide by is read from their state as they use it."""

import pytest
import torch

from unstuck.probes import denominators


def stepped(kind, gradient, steps=1, **options):
    weight = torch.nn.Parameter(torch.ones(len(gradient)))
    optimizer = kind([weight], **options)
    for _ in range(steps):
        weight.grad = torch.tensor(gradient)
        optimizer.step()
    return optimizer


@pytest.mark.parametrize(
    ("kind", "options", "wanted"),
    [
        (torch.optim.Adam, {}, 0.2),
        (torch.optim.AdamW, {"amsgrad": True}, 0.2),
        (torch.optim.RMSprop, {"alpha": 0.99}, 0.02),  # starts at zero, and is not debiased
        (torch.optim.Adagrad, {}, 0.2),
        (torch.optim.Adamax, {}, 0.2),
    ],
)
def test_a_first_gradient_is_its_own_size(kind, options, wanted):
    (found,) = denominators(stepped(kind, [0.2, 0.2, -0.2], **options))
    assert found["median"] == pytest.approx(wanted, rel=1e-4)
    assert found["alive"] == 1.0 and found["under"] == 0.0 and found["entries"] == 3 and found["group"] == 0


def test_the_share_below_epsilon_is_of_entries_that_live():
    (found,) = denominators(stepped(torch.optim.Adam, [0.2, 1e-6, 0.0, 0.0], steps=3, eps=1e-3))
    assert found["eps"] == 1e-3
    assert found["alive"] == 0.5 and found["under"] == 0.5


def test_nothing_to_tell_of_rules_that_do_not_divide():
    assert denominators(stepped(torch.optim.SGD, [0.2])) == []
    assert denominators(torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])) == []


def test_a_large_group_is_thinned():
    weight = torch.nn.Parameter(torch.zeros(300, 300))
    optimizer = torch.optim.Adam([weight])
    weight.grad = torch.full((300, 300), 0.5)
    optimizer.step()
    (found,) = denominators(optimizer)
    assert found["entries"] < 5000 and found["median"] == pytest.approx(0.5, rel=1e-4)
