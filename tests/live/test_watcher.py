"""What the watcher writes of a loop that runs in this process."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.findings.contract import Fired, Passed
from unstuck.findings.rules import u410_gradients_accumulate as u410
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal
from unstuck.record.recording import Recording


class Watching:
    """A watcher that ends, and is read, when ``recording`` is asked for."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self.watcher = Watcher(self.journal, allowance=60.0, overhead=1.0)

    def recording(self) -> Recording:
        self.watcher.finish(status=0)
        recording = read_journal(self.journal.path)
        assert not recording.happened("crashed"), recording.happened("crashed")
        assert recording.extras["bad_lines"] == 0
        return recording


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    torch.manual_seed(0)
    journal = tmp_path / "journal-0-1.jsonl"
    found = Watching(journal)
    found.journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
    yield found
    found.watcher.finish(status=0)


def data(rows: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(rows, 6), torch.randint(0, 3, (rows,))


def test_every_step_has_its_loss_its_rate_and_its_batch(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.99)
    losses, rates, sizes = [], [], []
    for step in range(300):
        rows = 7 if step % 10 == 9 else 32
        x, y = data(rows)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        sizes.append(rows)
    main = watching.recording().main
    assert list(main.loss.values) == losses
    # Of steps shorter than a millisecond the batch size is read on one in sixteen; what is read is right.
    assert [sizes[step] for step in main.batch_size.steps] == list(main.batch_size.values)
    assert len(main.batch_size) >= 20 + 280 // 16
    assert list(main.learning_rate.values) == pytest.approx(rates, abs=0)
    assert list(main.loss.steps) == list(range(300))
    assert len(main.samples) >= 20
    assert [s["s"] for s in main.samples][:20] == list(range(20))


def test_on_longer_steps_every_batch_size_is_read(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sizes = []
    for step in range(200):
        x, y = data(7 if step % 10 == 9 else 32)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        time.sleep(0.003)
        optimizer.step()
        sizes.append(len(x))
    batch = watching.recording().main.batch_size
    assert [sizes[step] for step in batch.steps] == list(batch.values)
    assert set(range(150, 200)) <= set(batch.steps)  # after the first flush has shown how long a step is


def test_clipping_is_kept_for_every_step(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    norms = []
    for _ in range(80):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)))
        optimizer.step()
    main = watching.recording().main
    assert list(main.clip_norm.values) == pytest.approx(norms)
    assert set(main.clip_maximum.values) == {0.25}


def test_accumulated_losses_are_one_step(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.Adam(model.parameters())
    means = []
    for _ in range(60):
        optimizer.zero_grad()
        parts = []
        for _ in range(4):
            x, y = data(8)
            loss = F.cross_entropy(model(x), y)
            (loss / 4).backward()
            parts.append(loss.item() / 4)
        optimizer.step()
        means.append(sum(parts) / 4)
    recording = watching.recording()
    main = recording.main
    assert main.number == 0
    assert list(main.backwards.values) == [4] * 60
    assert list(main.loss.values) == pytest.approx(means)
    assert set(main.batch_size.values) == {32}
    assert len(main.samples[0]["losses"]) == 4
    assert -1 not in recording.streams
    assert recording.end is not None
    assert recording.end["backwards"] == 240


def stale_shares(recording: Recording, stream: int = 0) -> list[float]:
    return [
        value
        for name in recording.streams[stream].parameters()
        for value in recording.streams[stream].parameter(name, "stale").values
    ]


@pytest.mark.parametrize("clears", [True, False])
def test_gradients_that_nobody_clears_are_seen(watching: Watching, clears: bool) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(30):
        x, y = data()
        if clears:
            optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    shares = stale_shares(watching.recording())
    assert set(shares) == ({0.0} if clears else {1.0})


def test_a_generators_backward_pass_leaves_no_stale_gradients(watching: Watching) -> None:
    generator, judge = nn.Linear(2, 6), nn.Linear(6, 1)
    first = torch.optim.Adam(judge.parameters())
    second = torch.optim.Adam(generator.parameters())
    for _ in range(30):
        fake = generator(torch.randn(16, 2))
        first.zero_grad()
        loss = judge(torch.randn(16, 6)).mean() - judge(fake.detach()).mean()
        loss.backward()
        first.step()
        second.zero_grad()
        (-judge(fake).mean()).backward()
        second.step()
    recording = watching.recording()
    assert {0, 1} == set(recording.streams)
    assert set(stale_shares(recording, 0)) == {0.0}
    assert set(stale_shares(recording, 1)) == {0.0}
    assert recording.streams[0].steps == recording.streams[1].steps == 30


def test_two_optimizers_share_one_backward_pass(watching: Watching) -> None:
    body, head = nn.Linear(6, 8), nn.Linear(8, 3)
    both = [torch.optim.SGD(body.parameters(), lr=0.1), torch.optim.SGD(head.parameters(), lr=0.2)]
    losses = []
    for _ in range(80):
        x, y = data()
        for optimizer in both:
            optimizer.zero_grad()
        loss = F.cross_entropy(head(torch.relu(body(x))), y)
        loss.backward()
        losses.append(loss.item())
        for optimizer in both:
            optimizer.step()
    recording = watching.recording()
    for number in (0, 1):
        assert list(recording.streams[number].loss.values) == losses
        assert recording.streams[number].steps == 80


def test_updates_by_hand_are_a_stream_of_their_own(watching: Watching) -> None:
    weight = torch.randn(6, 3, requires_grad=True)
    losses = []
    for _ in range(60):
        x, y = data()
        loss = F.cross_entropy(x @ weight, y)
        losses.append(loss.item())
        loss.backward()
        weight.data -= 0.1 * weight.grad
        weight.grad = None
    recording = watching.recording()
    main = recording.main
    assert main.number == -1
    assert list(main.loss.values) == losses
    assert recording.happened("backward_without_step")[-1].data["moved"] is True
    assert main.parameters() == ["weight"]
    assert all(value > 0 for value in main.parameter("weight", "u").values)


@pytest.mark.parametrize("clears", [True, False])
def test_gradients_that_updates_by_hand_never_clear_are_seen(watching: Watching, clears: bool) -> None:
    weight = torch.randn(6, 3, requires_grad=True)
    for _ in range(30):
        x, y = data()
        F.cross_entropy(x @ weight, y).backward()
        with torch.no_grad():
            weight -= 0.01 * weight.grad  # type: ignore[operator]
        if clears:
            weight.grad = None
    recording = watching.recording()
    assert set(recording.main.parameter("weight", "stale").values[1:]) == {0.0 if clears else 1.0}
    assert isinstance(u410.judge(recording), Passed if clears else Fired)


@pytest.mark.parametrize("passes", [3, 4, 8])
def test_accumulation_by_hand_moves_and_carries_over_by_design(watching: Watching, passes: int) -> None:
    weight = torch.randn(6, 3, requires_grad=True)
    for number in range(10 * passes):
        x, y = data()
        (F.cross_entropy(x @ weight, y) / passes).backward()
        if number % passes == passes - 1:
            with torch.no_grad():
                weight -= 0.1 * weight.grad  # type: ignore[operator]
                weight.grad = None
    recording = watching.recording()
    assert recording.happened("backward_without_step")[-1].data["moved"] is True
    assert not isinstance(u410.judge(recording), Fired)


def test_names_are_told_where_log_probabilities_are_added(watching: Watching) -> None:
    """Costs and returns look alike; what the script calls them is written once, without values."""
    scores = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(scores.parameters(), lr=0.1)
    for _ in range(5):
        choice = torch.distributions.Categorical(logits=scores(data()[0]))
        action = choice.sample()
        my_regret = torch.randn(32)
        optimizer.zero_grad()
        (choice.log_prob(action) * my_regret).mean().backward()
        optimizer.step()
    told = [loss["names"] for s in watching.recording().main.samples for loss in s["losses"] if "names" in loss]
    assert len(told) == 1 and {"my_regret", "choice", "scores"} <= set(told[0])


def test_an_optimizer_that_never_steps_moves_nothing(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(100):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
    recording = watching.recording()
    told = recording.happened("backward_without_step")[-1].data
    assert told["moved"] is False
    assert told["steps"] == 0
    assert told["backwards"] == 100
    assert recording.main.steps == 100


def test_parameters_outside_the_optimizer_are_named(watching: Watching) -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
    for _ in range(30):
        x, y = data()
        model.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    told = watching.recording().happened("untracked")[-1].data
    assert told["model"] == "model"
    assert told["params"] == [
        {"name": "model.0.weight", "gradient": True, "moved": False},
        {"name": "model.0.bias", "gradient": True, "moved": False},
    ]


def test_an_optimizer_of_another_model_is_told(watching: Watching) -> None:
    optimizer = torch.optim.SGD(nn.Linear(6, 3).parameters(), lr=0.1)
    model = nn.Linear(6, 3)
    for _ in range(30):
        x, y = data()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    told = watching.recording().happened("stale_optimizer")[-1].data
    assert (told["count"], told["of"], told["same_shapes"], told["with_gradient"]) == (2, 2, True, 0)


def test_a_cut_graph_is_told_with_the_last_live_parameter(watching: Watching) -> None:
    body, head = nn.Linear(6, 8), nn.Linear(8, 3)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
    for _ in range(30):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(head(body(x).detach()), y).backward()
        optimizer.step()
    told = watching.recording().happened("detached")[-1].data
    assert told["params"] == ["body.weight", "body.bias"]
    assert told["last_live"] == "head.weight"


def test_evaluation_in_training_mode_is_seen(watching: Watching) -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(60):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        if step % 30 == 29:
            with torch.no_grad():
                for _ in range(3):
                    model(x)
    seen = watching.recording().happened("forward_without_gradient")
    assert len(seen) == 6
    assert all(event.data["training"] and event.data["batch_modules"] == 1 for event in seen)
    assert [event.data["in_row"] for event in seen] == [1, 2, 3, 1, 2, 3]
    assert seen[0].data["inputs"][0]["shape"] == [32, 6]


def test_training_in_evaluation_mode_is_seen(watching: Watching) -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(30):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    told = watching.recording().happened("training_in_eval")[0].data
    assert told["eval_modules"] == {"BatchNorm1d": 1}
    assert told["modules"] == ["model.1"]
    assert told["share"] == 1.0


def test_a_scaled_loss_is_written_unscaled_and_a_skipped_step_is_told(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses = []
    for step in range(60):
        x, y = data()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        if step == 40:
            model.weight.grad.fill_(math.inf)
        else:
            losses.append(loss.item())
        scaler.step(optimizer)
        scaler.update()
    recording = watching.recording()
    assert list(recording.main.loss.values) == losses
    (skipped,) = recording.happened("scaler_skipped")
    assert skipped.step == 40
    gradient = recording.main.parameter("model.weight", "g").values
    assert max(gradient) < 10  # unscaled before it was measured


def test_the_first_number_that_is_not_finite_is_named(watching: Watching) -> None:
    model = nn.Sequential(nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(20):
        x, y = data()
        if step == 5:
            x[0, 0] = math.nan
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    seen = watching.recording().happened("nonfinite")
    assert (seen[0].step, seen[0].data["where"], seen[0].data["name"]) == (5, "input", "model(input)")
    assert {event.data["where"] for event in seen} >= {"input", "loss", "gradient", "parameter"}


def test_a_step_that_raises_does_not_stop_the_watching(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=2)
    x, y = data()

    def good() -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    def bad() -> Any:
        raise ValueError("mine")

    for step in range(12):
        if step == 3:
            with pytest.raises(ValueError, match="mine"):
                optimizer.step(bad)
        else:
            optimizer.step(good)
    assert watching.recording().main.steps == 11


def test_many_optimizers_one_after_another_are_all_told(watching: Watching) -> None:
    for _ in range(5):
        model = nn.Linear(6, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(8):
            x, y = data()
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        del model, optimizer
    recording = watching.recording()
    assert [recording.streams[n].steps for n in sorted(recording.streams)] == [8] * 5


@pytest.mark.parametrize("through", ["autograd.grad", "backward"])
def test_the_way_of_an_update_by_hand_is_seen(watching: Watching, through: str) -> None:
    """Ascent, with gradients that the script changes and clears afterwards."""
    weight = torch.randn(6, 3, requires_grad=True)
    for _ in range(30):
        x, y = data()
        loss = F.cross_entropy(x @ weight, y)
        if through == "backward":
            weight.grad = None
            loss.backward()
            gradient = weight.grad
            assert gradient is not None
        else:
            (gradient,) = torch.autograd.grad(loss, [weight])
        with torch.no_grad():
            weight += 0.1 * gradient
            gradient.neg_()
    cosines = watching.recording().main.parameter("weight", "d")
    assert len(cosines) >= 19 and min(cosines.values) > 0.999


def test_what_clips_the_gradient_is_seen_from_outside(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(12):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        if step >= 6:
            torch.nn.utils.clip_grad_value_(model.parameters(), 1e-3)
        optimizer.step()
    clips = [sample["clip"] for sample in watching.recording().main.samples]
    assert all(clip["left"] == pytest.approx(clip["before"]) and clip["values"] is None for clip in clips[:6])
    assert all(clip["left"] < 0.1 * clip["before"] and clip["values"] == 1e-3 for clip in clips[6:])


def test_the_divisors_of_adam_are_told(watching: Watching) -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.Adam(model.parameters(), eps=10.0)
    for _ in range(5):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    for sample in watching.recording().main.samples:
        (told,) = sample["divisors"]
        assert told["eps"] == 10.0 and told["under"] == 1.0 and 1e-4 < told["median"] < 1.0


def test_the_rate_of_an_optimizer_with_a_schedule_of_its_own(watching: Watching) -> None:
    """What was used, not the base that its groups hold."""
    from unstuck import optim

    model = nn.Linear(6, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1, schedule=lambda t: 0.5**t)
    for _ in range(40):
        x, y = data()
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert list(watching.recording().main.learning_rate.values) == [0.1 * 0.5**t for t in range(40)]


def test_a_search_for_a_rate_is_no_training(watching: Watching) -> None:
    from unstuck import find_rate

    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batches = [data() for _ in range(4)]

    def train(steps: int) -> None:
        for x, y in (batches * steps)[:steps]:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

    train(5)
    find_rate(model, F.cross_entropy, batches, optimizer, updates=10, replicates=1)
    train(60)
    recording = watching.recording()
    assert recording.main.steps == 65
    assert set(recording.main.learning_rate.values) == {0.1}
    assert len(recording.streams) == 1


def test_an_evaluation_tells_its_loss_scale_and_running_statistics(watching: Watching) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, momentum=0.001), nn.Softmax(1), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_fn = nn.CrossEntropyLoss()
    held = data(64)
    values = []
    for step in range(60):
        x, y = data(32)
        optimizer.zero_grad()
        loss_fn(model(x + 5), y).backward()
        optimizer.step()
        if step % 20 == 19:
            model.eval()
            with torch.no_grad():
                values.append(float(loss_fn(model(100 * held[0]), held[1])))
            model.train()
    recording = watching.recording()
    looks = recording.happened("evaluation_loss")
    assert [look.data["value"] for look in looks] == pytest.approx(values)
    assert all(look.data["training"] is False and look.data["loss_kind"] == "nll" for look in looks)
    assert len({look.data["target_mean"] for look in looks}) == 1
    assert [look.data["look"] for look in looks] == [1, 2, 3]  # what we compute ourselves is no evaluation
    against = recording.happened("forward_without_gradient")[-1].data["inputs"][0]["against_training"]
    assert against["scale"] == pytest.approx(100, rel=0.3) and against["apart"] == 1.0
    norms = recording.happened("evaluation_norms")
    assert len(norms) == 3 and len(norms[0].data["layers"]) == 1
    assert norms[0].data["layers"][0]["name"].endswith("1") and norms[0].data["layers"][0]["ratio"] < 0.1
    acts = recording.main.samples[0]["acts"]
    assert acts[0]["kind"] == "softmax" and acts[0]["feeds"].endswith("3")
    late = recording.main.samples[-1]["layers"][1]
    assert late["training"] is True and late["running_shift"] > 1
    assert not recording.happened("crashed")


def test_lazy_layers_are_named_once_their_shapes_are_known(watching: Watching) -> None:
    model = nn.Sequential(nn.LazyLinear(5), nn.ReLU(), nn.Linear(5, 4), nn.LazyLinear(3))
    x, y = data()
    with torch.no_grad():
        model(x)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    recording = watching.recording()
    (described,) = recording.models
    assert [p["name"] for p in described["params"]] == [f"model.{i}.{n}" for i in (0, 2, 3) for n in ("weight", "bias")]
    assert set(recording.main.samples[-1]["params"]) == {p["name"] for p in described["params"]}


def test_losses_on_a_device_are_written_in_order_once_they_are_read(watching: Watching) -> None:
    lines = watching.watcher.step_lines
    for step, loss in enumerate((torch.tensor(1.5), 2.5, torch.tensor(3.5))):  # tensors stand for those on a device
        lines.write({"e": "step", "o": 0, "s": step, "t": 0.1 * step}, [loss])
    assert len(lines.deferred) == 3
    lines.read()
    assert lines.deferred == []
    assert list(watching.recording().main.loss.values) == [1.5, 2.5, 3.5]
