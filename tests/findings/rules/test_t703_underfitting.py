"""What a probe proves, and the one case that watching shows."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, STANDING, active, cross_entropy, run, whole
from literal_recordings import weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.t703_underfitting import judge
from unstuck.record.recording import Event, Recording


def probed(**result: Any) -> Recording:
    given = {
        "examples": 16,
        "steps": 200,
        "first_loss": 2.4,
        "constant_loss": 2.2,
        "accuracy": None,
        "r2": None,
        **result,
    }
    event = Event("probe", None, {"name": "overfit-one-batch", "result": given})
    return run(whole(cross_entropy(accuracy=0.2)), events=[event])


def test_a_batch_that_cannot_be_fitted() -> None:
    answer = judge(probed(last_loss=1.9, accuracy=0.3))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.basis, answer.confidence) == ("error", "probed", 0.9)
    assert "16 examples" in answer.sentence and "30% of the answers right" in answer.sentence


def test_a_batch_that_is_fitted() -> None:
    assert isinstance(judge(probed(last_loss=0.01, accuracy=1.0)), Passed)
    assert isinstance(judge(probed(last_loss=0.9, accuracy=0.95)), Passed)  # a loss with a floor of its own
    assert isinstance(judge(probed(last_loss=0.1, constant_loss=None)), Passed)


def test_a_run_that_fits_disproves_a_probe_that_does_not() -> None:
    event = probed(last_loss=1.9, accuracy=0.3).events[0]
    answer = judge(run(whole(cross_entropy(accuracy=0.97)), loss=FALLING, events=[event]))
    assert isinstance(answer, Passed) and "itself fits" in answer.reason


def test_a_batch_that_nothing_can_fit() -> None:
    assert isinstance(judge(probed(last_loss=1.9, distinct_inputs=False)), Skipped)
    assert isinstance(judge(probed(last_loss=None)), Skipped)
    answer = judge(probed(last_loss=None, unseen="no batch was kept"))
    assert isinstance(answer, Skipped) and "no batch was kept" in answer.reason


def network(*widths: int, accuracy: float = 0.2, loss: list[float] = STANDING) -> Recording:
    sizes = (64, *widths, 10)
    shapes = [{"name": f"net.{i}.weight", "shape": [n, sizes[i]]} for i, n in enumerate(sizes[1:])]
    params = {p["name"]: weight(order=i, layer=f"net.{i}") for i, p in enumerate(shapes)}
    model = {"name": "net", "params": shapes, "modules": []}
    return run(whole(cross_entropy(accuracy=accuracy)), loss=loss, models=(model,), parts={"params": params})


@pytest.mark.parametrize("widths", [(1,), (32, 2), (2, 32)])
def test_everything_passes_one_or_two_units(widths: tuple[int, ...]) -> None:
    answer = judge(network(*widths))
    assert isinstance(answer, Fired) and answer.severity == "warning" and answer.basis == "watched"
    assert answer.evidence["units"] == min(widths)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(network(32), id="wide: noise in the labels looks the same"),
        pytest.param(network(2, loss=[2.3 - 0.006 * i for i in range(100)]), id="still falling"),
        pytest.param(network(2, accuracy=0.7), id="two units that do"),
    ],
)
def test_watching_cannot_tell(recording: Recording) -> None:
    answer = judge(recording)
    assert isinstance(answer, Skipped) and "--probe" in answer.reason


def test_a_run_that_learned() -> None:
    assert isinstance(judge(network(32, accuracy=0.97, loss=FALLING)), Passed)
    assert isinstance(judge(EMPTY), NotApplicable)


def stack(
    *widths: int,
    bent: int | None = None,
    head: tuple[Any, ...] = (),
    accuracy: float = 0.3,
    loss: list[float] = STANDING,
    kind: str = "linear",
    names: tuple[str, ...] = (),
    **parts: Any,
) -> Recording:
    """A classifier of linear layers of these widths; before layer ``bent`` stands something nonlinear."""
    sizes = [64, *widths, 10]
    named = names or tuple(f"net.fc{i}" for i in range(len(widths) + 1))
    layers = [
        {"name": name, "kind": kind, "order": 2 * i, "fan_in": sizes[i], "in_shape": [80, sizes[i]]}
        | ({} if i == bent else {"after_linear": named[i - 1] if i else ""})
        for i, name in enumerate(named)
    ]
    params = {
        f"{name}.weight": weight(order=2 * i, layer=name, n=sizes[i] * sizes[i + 1]) for i, name in enumerate(named)
    }
    term = cross_entropy(*head, accuracy=accuracy, layer=named[-1])
    model = {"name": "net", "params": [], "modules": []}
    return run(whole(term), loss=loss, models=(model,), parts={"params": params, "layers": layers, **parts})


def test_layers_with_nothing_between_them() -> None:
    answer = judge(stack(128, 32))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.confidence, answer.basis, answer.where) == ("warning", 0.75, "watched", "net.fc0")
    assert "net.fc0, net.fc1 and net.fc2" in answer.sentence and "3 layers" in answer.sentence
    assert "torch.relu(self.fc0(x))" in answer.advice[0].code and "fc2" not in answer.advice[0].code
    assert answer.evidence["layers"] == 3 and answer.evidence["widest_hidden"] == 128


def test_the_advice_speaks_of_the_module_s_own_parts() -> None:
    blocks = judge(stack(64, 64, names=("net.inp", "net.blocks.0.a", "net.out")))
    assert isinstance(blocks, Fired) and "self.blocks[0].a(x)" in blocks.advice[0].code
    parts = judge(stack(64, 64, names=("net.0", "net.1", "net.2")))
    assert isinstance(parts, Fired) and "torch.nn.ReLU()" in parts.advice[0].code


def test_a_linear_chain_that_reached_what_it_can_is_a_remark() -> None:
    answer = judge(stack(32, accuracy=0.97, loss=FALLING))
    assert isinstance(answer, Fired) and answer.severity == "info"


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(stack(128, 32, bent=1), id="something between the first two"),
        pytest.param(stack(128, 32, bent=2), id="something between the last two"),
        pytest.param(stack(128, 32, bent=0), id="something nonlinear before the first"),
        pytest.param(stack(), id="one layer alone"),
        pytest.param(stack(6), id="a bottleneck"),
        pytest.param(stack(32, kind="embedding"), id="words that are looked up"),
        pytest.param(stack(32, head=(active("tanh"),)), id="bent before the loss"),
        pytest.param(stack(32, loss=[2.3 - 0.015 * i for i in range(100)], accuracy=0.5), id="still learning"),
        pytest.param(stack(32, layers=[{"name": "net.fc1", "kind": "linear"}]), id="an older recording"),
    ],
)
def test_what_is_no_stack_of_linear_layers(recording: Recording) -> None:
    assert isinstance(judge(recording), Skipped)


def test_a_linear_autoencoder_is_meant() -> None:
    def autoencoder(code: int) -> Recording:
        found = stack(code, names=("net.encode", "net.decode"))
        for sample in found.main.samples:
            sample["params"]["net.decode.weight"]["n"] = code * 64
        return found

    assert isinstance(judge(autoencoder(8)), Skipped)
    assert isinstance(judge(autoencoder(64)), Fired)


def test_a_sigmoid_at_the_end_is_the_loss_s_own() -> None:
    assert isinstance(judge(stack(32, head=(active("softmax", dim=1),))), Fired)


def test_several_losses_or_terms_are_left_alone() -> None:
    found = stack(32)
    for sample in found.main.samples:
        sample["losses"][0]["terms"].append(dict(sample["losses"][0]["terms"][0], layer="net.other"))
    assert isinstance(judge(found), Skipped)


@pytest.mark.parametrize(
    ("neighbors", "accuracy", "examples", "fires"),
    [
        (0.8, 0.3, 400, True),
        (0.8, 0.7, 400, False),
        (0.4, 0.2, 400, False),
        (0.8, 0.3, 80, False),
        (None, 0.3, 400, False),
    ],
)
def test_neighbors_that_tell_more_than_the_network(
    neighbors: float | None, accuracy: float, examples: int, fires: bool
) -> None:
    told = {"examples": examples, "strongest": 40.0, "seen_by": "", "kinds": 3, "neighbors_skill": neighbors}
    look = Event("biopsy", 99, {"look": "kept", "dependence": told})
    answer = judge(run(whole(cross_entropy(accuracy=accuracy)), loss=STANDING, events=[look]))
    assert isinstance(answer, Fired) == fires
    if isinstance(answer, Fired):
        assert answer.severity == "warning" and "80% of the way" in answer.sentence
        falling = run(whole(cross_entropy(accuracy=accuracy)), loss=[2.3 - 0.01 * i for i in range(100)], events=[look])
        assert not isinstance(judge(falling), Fired)
