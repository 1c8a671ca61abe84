"""What enters the models, and whether it reaches a layer as it is."""

from __future__ import annotations

from literal_losses import cross_entropy, features, run, whole

from unstuck.findings.evidence.feeding import feeds, normalizes_at_the_door, reaches_a_layer
from unstuck.findings.evidence.step_scale import grows_with_loss


def test_one_feed_for_each_floating_input() -> None:
    tokens = {"model": "net", "name": "ids", "shape": [8, 32], "dtype": "int64", "min": 0, "max": 9}
    recording = run(whole(cross_entropy()), parts={"inputs": [features(), tokens, features(name="t", mean=3.0)]})
    one, other = feeds(recording.main)
    assert (one.name, one.index, one.step) == ("x", 0, 0)
    assert (other.name, other.index) == ("t", 2)
    assert other.rms == (9 + 1) ** 0.5 and other.size == 3.0
    assert one.spread is not None and 1.2 < one.spread < 1.3


def test_numbers_that_are_not_finite_are_unknown() -> None:
    (one,) = feeds(run(whole(cross_entropy()), parts={"inputs": [features(mean="nan", feature_std_min=None)]}).main)
    assert one.mean is None and one.rms is None and one.spread is None


def test_reaching_a_layer() -> None:
    raw = features(mean=33.0, std=78.0)

    def fed(in_rms: float | None, order: int = 0) -> bool | None:
        layers = [] if in_rms is None else [{"name": "conv", "kind": "Conv2d", "order": order, "in_rms": in_rms}]
        recording = run(whole(cross_entropy()), parts={"inputs": [raw], "layers": layers})
        return reaches_a_layer(recording.main, feeds(recording.main)[0])

    assert fed(84.0) is True
    assert fed(0.33) is False
    assert fed(None) is None
    assert fed(84.0, order=9) is False  # a late layer of that size is another matter


def test_normalization_at_the_door() -> None:
    def door(*kinds: str) -> str | None:
        layers = [{"name": f"l{i}", "kind": k, "order": i, "in_rms": 1.0} for i, k in enumerate(kinds)]
        recording = run(whole(cross_entropy()), parts={"inputs": [features()], "layers": layers})
        return normalizes_at_the_door(recording, recording.main, "net")

    assert door("BatchNorm1d", "Linear") == "l0"
    assert door("Conv2d", "BatchNorm2d", "Linear") == "l1"
    assert door("Linear", "Linear", "LayerNorm") is None


def test_rules_that_grow_with_the_loss() -> None:
    assert all(map(grows_with_loss, ("SGD", "ASGD", "NesterovSGD", "MyMomentum")))
    assert not any(
        map(grows_with_loss, ("Adam", "AdamW", "RMSprop", "Lion", "LBFGS", "SignSGD", "Adafactor", "Whatever"))
    )
