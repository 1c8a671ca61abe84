"""Equal rows in weight and gradient fire; zeros that the gradient tells apart do not."""

from __future__ import annotations

from typing import Any

from literal_recordings import STEPS, learned, sample, stuck, weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import g305_symmetric_initialization as rule
from unstuck.record.recording import Recording


def net(eq: float | None, geq: float | None, **more: Any) -> dict[str, dict[str, Any]]:
    """A hidden layer with these shares of equal rows, and a last layer with rows of its own."""
    return {
        "net.fc1.weight": weight(eq=eq, geq=geq, order=0, layer="net.fc1", **more),
        "net.fc2.weight": weight(eq=0.0, geq=0.0, order=1, layer="net.fc2"),
    }


def test_equal_and_staying_equal() -> None:
    found = rule.judge(stuck([sample(s, params=net(1.0, 1.0)) for s in STEPS]))
    assert isinstance(found, Fired)
    assert (found.severity, found.where, found.step) == ("error", "net.fc1", 0)
    assert "net.fc1.weight" in found.sentence and "equal" in found.sentence


def test_all_zero() -> None:
    found = rule.judge(stuck([sample(s, params=net(1.0, 1.0, w=0.0, g=0.0)) for s in STEPS]))
    assert isinstance(found, Fired) and "all zero" in found.sentence


def test_it_is_exact_even_where_the_run_learns() -> None:
    assert isinstance(rule.judge(learned([sample(s, params=net(1.0, 1.0)) for s in STEPS])), Fired)


def test_zero_weights_that_the_gradient_tells_apart() -> None:
    """A low-rank adapter, a residual branch: equal at step 0, not any more at step 1."""
    samples = [sample(s, params=net(1.0 if s == 0 else 0.0, 0.0, w=0.0 if s == 0 else 1.0)) for s in STEPS]
    assert isinstance(rule.judge(stuck(samples)), Passed)


def test_a_tie_broken_after_the_first_step() -> None:
    """All gradients zero in the first step only, as behind a last layer that starts at zero."""
    samples = [sample(s, params=net(1.0 if s == 0 else 0.0, 1.0 if s == 0 else 0.0)) for s in STEPS]
    assert isinstance(rule.judge(stuck(samples)), Passed)


def test_random_weights_with_a_gradient_of_zero() -> None:
    assert isinstance(rule.judge(stuck([sample(s, params=net(0.0, 1.0, g=0.0)) for s in STEPS])), Passed)


def test_the_last_layer_is_not_hidden() -> None:
    params = {
        "net.fc1.weight": weight(eq=0.0, geq=0.0, order=0),
        "net.fc2.weight": weight(eq=1.0, geq=1.0, order=1),
    }
    assert isinstance(rule.judge(stuck([sample(s, params=params) for s in STEPS])), Passed)


def test_biases_norms_and_embeddings_are_not_looked_at() -> None:
    params = {
        f"net.{i}.p": weight(eq=1.0, geq=1.0, order=i, role=role)
        for i, role in enumerate(("bias", "norm", "embedding"))
    }
    params["net.last.weight"] = weight(eq=0.0, geq=0.0, order=9)
    assert isinstance(rule.judge(stuck([sample(s, params=params) for s in STEPS])), NotApplicable)


def test_frozen_layers_have_no_gradient_to_compare() -> None:
    assert isinstance(rule.judge(stuck([sample(s, params=net(1.0, None, g=None)) for s in STEPS])), Passed)


def test_rows_not_compared() -> None:
    assert isinstance(rule.judge(stuck([sample(s, params=net(None, None)) for s in STEPS])), Skipped | Passed)
    only = [sample(s, params={"net.fc1.weight": weight(order=0), "net.fc2.weight": weight(order=1)}) for s in STEPS]
    assert isinstance(rule.judge(stuck(only)), Skipped)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 9)), Skipped)


def test_one_sample_is_not_enough() -> None:
    """In the first step everything behind a last layer of zeros has a gradient of zero."""
    assert isinstance(rule.judge(stuck([sample(0, params=net(1.0, 0.0, g=0.0))])), Passed)


def test_zero_gradients_count_as_alike_though_their_rows_are_not_compared() -> None:
    found = rule.judge(stuck([sample(s, params=net(1.0, 0.0, w=0.0, g=0.0)) for s in (0, 1, 2)]))
    assert isinstance(found, Fired) and "all zero" in found.sentence


def factors(ceq: float, cgeq: float | None, **more: Any) -> dict[str, dict[str, Any]]:
    """Two tables that meet in an inner product; rows differ once they were trained."""
    both = dict(role="embedding", eq=0.0, geq=0.0, ceq=ceq, cgeq=cgeq, **more)
    return {
        "model.users.weight": weight(order=0, layer="model.users", **both),
        "model.items.weight": weight(order=1, layer="model.items", **both),
    }


def test_factors_that_start_equal() -> None:
    found = rule.judge(stuck([sample(s, params=factors(1.0, 1.0)) for s in STEPS]))
    assert isinstance(found, Fired) and found.where == "model.users"
    assert "columns of model.users.weight (and 1 more) are all equal" in found.sentence
    assert found.severity == "error" and found.evidence["equal_gradient_columns"] == 1.0


def test_tables_whose_gradient_tells_the_columns_apart() -> None:
    """A table of positions that starts at zero."""
    samples = [sample(s, params=factors(1.0 if s == 0 else 0.0, 0.0, w=0.0 if s == 0 else 1.0)) for s in STEPS]
    assert isinstance(rule.judge(stuck(samples)), Passed)


def test_units_in_the_columns_of_a_matrix_by_hand() -> None:
    params = {
        "W1": weight(eq=0.0, geq=0.0, ceq=1.0, cgeq=1.0, order=0, layer=""),
        "W2": weight(eq=1.0, geq=1.0, ceq=0.0, cgeq=0.0, order=1, layer=""),
    }
    found = rule.judge(stuck([sample(s, params=params) for s in STEPS]))
    assert isinstance(found, Fired) and "columns of W1" in found.sentence
