"""What the stage hears of a training, however it is written."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.treatment import scores
from unstuck.treatment.stage import Met, Stage
from unstuck.treatment.yardstick import Yardstick, kind_of

from .sick_functions import classes, mlp, numbers
from .staged import staged


def heard(run):
    """The meetings under gradient, and what the yardstick counted."""
    stage = Stage()
    yardstick = Yardstick(stage)
    meetings: list[Met] = []
    stage.hear.met.append(lambda meeting: meetings.append(meeting) if meeting.gradient else None)
    stage.install()
    try:
        run()
        stage.quiet = True
        return meetings, yardstick.plain()
    finally:
        stage.remove()


def by_indexing(scores, target):
    return -F.log_softmax(scores, dim=1)[torch.arange(len(target)), target].mean()


def by_gather(scores, target):
    return -F.log_softmax(scores, dim=1).gather(1, target[:, None]).mean()


def by_one_hot(scores, target):
    return -(F.one_hot(target, 3).float() * F.log_softmax(scores, dim=1)).sum(1).mean()


def by_module(scores, target):
    return nn.CrossEntropyLoss()(scores, target)


@pytest.mark.parametrize("loss", [F.cross_entropy, by_module, by_indexing, by_gather, by_one_hot])
def test_classes_are_counted_however_the_loss_is_written(loss):
    x, y = classes()
    model = mlp(3)
    right = [float((model(x).argmax(1) == y).float().mean())]

    meetings, measured = heard(lambda: loss(model(x), y).backward())
    assert len({id(m.output) for m in meetings}) == 1
    assert measured["ticks"] == 1
    block = measured["blocks"][0]
    assert sum(block["right"]) / sum(block["total"]) == pytest.approx(right[0])


@pytest.mark.parametrize(
    "loss",
    [
        lambda p, t: F.mse_loss(p, t[:, None]),
        lambda p, t: ((p[:, 0] - t) ** 2).mean(),
        lambda p, t: (t - p.squeeze(1)).abs().mean(),
        lambda p, t: torch.sum((t.view(-1, 1) - p) ** 2),
    ],
)
def test_numbers_are_scored_by_r2(loss):
    x, y = numbers()
    model = mlp(1)
    with torch.no_grad():
        wanted = 1 - ((model(x)[:, 0] - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    _, measured = heard(lambda: loss(model(x), y).backward())
    assert scores.training(measured).value == pytest.approx(float(wanted.clamp(min=-1)), abs=1e-5)


def test_the_scripts_own_comparison_is_the_validation_figure():
    x, y = classes()
    model = mlp(3)

    def run():
        F.cross_entropy(model(x), y).backward()
        with torch.no_grad():
            (model(x).argmax(1) == (y + 1) % 3).float().mean()

    _, measured = heard(run)
    with torch.no_grad():
        labels = (y + 1) % 3
        right = model(x).argmax(1) == labels
    recalls = [float(right[labels == c].float().mean()) for c in range(3)]
    assert scores.validation(measured).value == pytest.approx(sum(recalls) / 3)


def test_noise_added_to_a_code_is_no_target():
    x, _ = classes()
    encoder, decoder = nn.Linear(8, 2), nn.Linear(2, 8)

    def run():
        code = encoder(x)
        F.mse_loss(decoder(code + torch.randn_like(code)), x).backward()

    meetings, _ = heard(run)
    assert [m.target is x for m in meetings] == [True]


def test_scores_are_taken_before_the_activation_at_the_end():
    x, y = classes()
    model = mlp(3, nn.Softmax(dim=1))
    meetings, _ = heard(lambda: F.cross_entropy(model(x), y).backward())
    assert torch.allclose(meetings[0].scores.softmax(1), meetings[0].output)


def test_a_network_of_bare_tensors_is_counted_where_its_output_meets_the_targets(tmp_path):
    def train() -> float:
        torch.manual_seed(0)
        x, y = classes()
        first, second = torch.randn(8, 16).mul(0.3).requires_grad_(), torch.randn(16, 3).mul(0.3).requires_grad_()
        wanted = F.one_hot(y, 3).float()
        for _ in range(60):
            output = (x @ first).tanh() * torch.ones(16) @ second
            loss = ((output - wanted) ** 2).sum(1).mean()
            for weight, gradient in zip((first, second), torch.autograd.grad(loss, (first, second)), strict=True):
                weight.data -= 0.1 * gradient
        return float(loss)

    found = staged(train, folder=tmp_path)
    assert found.measured["kind"] == "one-hot" and found.training > 0.8


def test_everything_is_undone():
    call, backward, init = nn.Module.__call__, torch.autograd.backward, torch.optim.Optimizer.__init__
    heard(lambda: None)
    assert nn.Module.__call__ is call
    assert torch.autograd.backward is backward
    assert torch.optim.Optimizer.__init__ is init


def test_a_run_on_the_stage_ends_as_it_does_without_one():
    def train():
        torch.manual_seed(5)
        x, y = classes()
        model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.3), nn.ReLU(), nn.Linear(16, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for rows in torch.randperm(len(x)).repeat(2).split(30):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        return torch.cat([p.detach().reshape(-1) for p in model.parameters()])

    alone = train()
    kept = []
    heard(lambda: kept.append(train()))
    assert torch.equal(alone, kept[0])


@pytest.mark.parametrize(
    ("output", "target", "kind"),
    [
        (torch.randn(4, 3), torch.tensor([0, 2, 1, 0]), "classes"),
        (torch.randn(4, 3), torch.tensor([0.0, 2.0, 1.0, 0.0]), "classes"),
        (torch.randn(4, 3, 5), torch.zeros(4, 5, dtype=torch.long), "classes"),
        (torch.randn(4, 3), torch.eye(3)[[0, 2, 1, 0]], "one-hot"),
        (torch.randn(4, 1), torch.tensor([0.0, 1.0, 1.0, 0.0]), "binary"),
        (torch.randn(4, 1), torch.tensor([0.3, 1.0, 1.0, 0.0]), "numbers"),
        (torch.randn(4, 16), torch.tensor([0.0, 1.0, 1.0, 0.0]), None),
        (torch.randn(4, 3), torch.tensor([0, 2, 7, 0]), None),
    ],
)
def test_how_outputs_and_targets_belong_together(output, target, kind):
    assert kind_of(output, target) == kind


def rewarded(model, x, actions, returns):
    chosen = F.log_softmax(model(x), dim=1)[torch.arange(len(x)), actions]
    return -(chosen * returns).mean()


def valued(model, x, actions, returns):
    return F.mse_loss(model(x).gather(1, actions[:, None]).squeeze(1), returns)


@pytest.mark.parametrize("loss", [rewarded, valued])
def test_actions_are_no_targets(loss):
    x, actions = classes()
    model = mlp(3)
    returns = torch.linspace(-1, 1, len(x))
    _, measured = heard(lambda: [loss(model, x, actions, returns).backward() for _ in range(12)])
    assert "rewards" in measured["unsupervised"]


def test_adversaries_have_no_targets():
    x, _ = classes()
    judge, maker = mlp(1), nn.Linear(4, 8)
    ones, zeros = torch.ones(len(x), 1), torch.zeros(len(x), 1)

    def run():
        optimizers = [torch.optim.SGD(m.parameters(), lr=0.01) for m in (judge, maker)]
        for _ in range(6):
            F.binary_cross_entropy_with_logits(judge(x), ones).backward()
            F.binary_cross_entropy_with_logits(judge(maker(torch.randn(len(x), 4))), zeros).backward()
            for optimizer in optimizers:
                optimizer.step()

    _, measured = heard(run)
    assert "against each other" in measured["unsupervised"]


def test_supervised_training_is_called_so():
    x, y = classes()
    model = mlp(3)
    _, measured = heard(lambda: [F.cross_entropy(model(x), y).backward() for _ in range(12)])
    assert measured["unsupervised"] is None


def test_models_run_uncompiled():
    x, y = classes()
    model = mlp(3)

    def run():
        model.compile()
        compiled = torch.compile(model)
        assert compiled is model
        F.cross_entropy(compiled(x), y).backward()

    meetings, _ = heard(run)
    assert len(meetings) == 1
