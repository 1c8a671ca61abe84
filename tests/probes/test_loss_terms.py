"""What the graph tells of losses written in many ways."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.probes.graph import walk
from unstuck.probes.loss_terms import loss_terms
from unstuck.probes.term_statistics import constant_answer

N, C = 8, 5


def read(loss, *, names=None, **options):
    return loss_terms(walk(loss, names=names), value=loss, **options)


def only(loss, **options):
    found = read(loss, **options)
    assert len(found["terms"]) == 1, [t["kind"] for t in found["terms"]]
    return found, found["terms"][0]


def kinds(term):
    return [(h["kind"], h["dim"], h["size"]) for h in term["head"]]


@pytest.fixture
def made():
    generator = torch.Generator().manual_seed(0)

    class Made:
        layer = nn.Linear(4, C)
        x = torch.randn(N, 4, generator=generator)
        y = torch.randint(0, C, (N,), generator=generator)
        one_hot = F.one_hot(y, C).float()
        soft = torch.rand(N, C, generator=generator)
        real = torch.randn(N, C, generator=generator)

        @property
        def names(self):
            return {id(self.layer.weight): "fc.weight", id(self.layer.bias): "fc.bias"}

        @property
        def out(self):
            return self.layer(self.x)

    return Made()


def softmax_by_hand(scores, dim):
    exponentials = torch.exp(scores - scores.max(dim, keepdim=True)[0])
    return exponentials / exponentials.sum(dim, keepdim=True)


# --- class indices ---------------------------------------------------------------------------------------------------

CLASS_LOSSES = {
    "functional": lambda o, y: F.cross_entropy(o, y),
    "module": lambda o, y: nn.CrossEntropyLoss()(o, y),
    "log_softmax then nll": lambda o, y: F.nll_loss(F.log_softmax(o, dim=-1), y),
    "modules": lambda o, y: nn.NLLLoss()(nn.LogSoftmax(dim=1)(o), y),
    "reduction none": lambda o, y: F.cross_entropy(o, y, reduction="none").mean(),
    "sum over n": lambda o, y: F.cross_entropy(o, y, reduction="sum") / N,
    "sum times one over n": lambda o, y: F.cross_entropy(o, y, reduction="sum") * (1 / N),
    "sum over a tensor": lambda o, y: F.cross_entropy(o, y, reduction="sum") / torch.tensor(float(N)),
    "none, sum, over n": lambda o, y: F.cross_entropy(o, y, reduction="none").sum() / len(y),
    "weighted": lambda o, y: F.cross_entropy(o, y, weight=torch.arange(1.0, C + 1)),
    "gather": lambda o, y: -F.log_softmax(o, 1).gather(1, y[:, None]).mean(),
    "gather squeezed": lambda o, y: -F.log_softmax(o, 1).gather(1, y[:, None]).squeeze(1).sum() / N,
    "indexed": lambda o, y: -F.log_softmax(o, 1)[torch.arange(N), y].mean(),
    "negated after the mean": lambda o, y: -(F.log_softmax(o, -1)[range(N), y]).mean(),
    "logsumexp by hand": lambda o, y: -(o - o.logsumexp(1, keepdim=True)).gather(1, y[:, None]).mean(),
    "log of picked probabilities": lambda o, y: -torch.log(F.softmax(o, 1)[torch.arange(N), y]).mean(),
    "log of gathered probabilities": lambda o, y: -(F.softmax(o, 1).gather(1, y[:, None]) + 1e-9).log().mean(),
    "log of picked probabilities by hand": lambda o, y: (
        -torch.log(softmax_by_hand(o, 1)[torch.arange(N), y] + 1e-9).mean()
    ),
    "logsumexp less the picked score": lambda o, y: (torch.logsumexp(o, 1) - o[torch.arange(N), y]).mean(),
    "Categorical": lambda o, y: -torch.distributions.Categorical(logits=o).log_prob(y).mean(),
}


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_class_indices(made, name):
    out = made.out
    loss = CLASS_LOSSES[name](out, made.y)
    found, term = only(loss, names=made.names)
    assert term["kind"] in ("nll", "gather")
    assert (found["sum_over"], found["sum_over_batch"], found["sign"]) == (1, 1, 1)
    assert found["factor"] == pytest.approx(1.0)
    assert found["value"] == pytest.approx(loss.item())
    assert term["reduction"] in ("mean", "none")
    if "probabilities" in name:
        assert kinds(term) == [("log", None, None), ("softmax", 1, C)]
    else:
        assert [h.get("own", False) for h in term["head"]] == [True]
        assert kinds(term) == [("log_softmax", 1, C)]
    assert term["class_dim"] == 1 and term["layer"] == "fc"
    direct = float((out.argmax(1) == made.y).double().mean())
    assert term["accuracy"] == pytest.approx(direct)
    assert term["target"]["classes"] == {str(c): made.y.tolist().count(c) for c in set(made.y.tolist())}
    assert term["target"]["integer"] and not term["target"]["one_hot"]
    entering = (F.softmax(out, 1) if "probabilities" in name else out).detach().double()
    assert term["output"]["varies"] == pytest.approx(float(entering.std(0, correction=0).max()), rel=1e-5)
    assert term["output"]["mean"] == pytest.approx(float(entering.mean()), rel=1e-5, abs=1e-6)


def test_picked_where_the_classes_come_first(made):
    _, term = only(-F.log_softmax(made.out.t(), 0)[made.y, torch.arange(N)].mean())
    assert term["kind"] == "gather" and term["class_dim"] == 0
    assert [h.get("own") for h in term["head"]] == [True]
    assert term["target"]["classes"] == {str(c): made.y.tolist().count(c) for c in set(made.y.tolist())}
    assert term["accuracy"] == pytest.approx(float((made.out.argmax(1) == made.y).double().mean()))


@pytest.mark.parametrize("softmax", [F.softmax, softmax_by_hand])
def test_picked_from_shares_of_the_batch(made, softmax):
    _, term = only(-torch.log(softmax(made.out, 0)[torch.arange(N), made.y] + 1e-8).mean())
    assert term["kind"] == "gather" and term["class_dim"] == 1 and term["output"]["row_sum_one"] == 0
    assert [(a["kind"], a["dim"], a["shape"]) for a in term["head"]][1] == ("softmax", 0, [N, C])


def test_label_smoothing_is_one_term(made):
    found, term = only(F.cross_entropy(made.out, made.y, label_smoothing=0.1))
    assert term["kind"] == "nll" and term["label_smoothing"] == pytest.approx(0.1)
    assert found["factor"] == pytest.approx(1.0) and found["sum_over"] == 1


def test_label_smoothing_with_accumulation_keeps_the_factor(made):
    found, term = only(F.cross_entropy(made.out, made.y, label_smoothing=0.2) / 4)
    assert term["label_smoothing"] == pytest.approx(0.2)
    assert found["factor"] == pytest.approx(0.25)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 2, 2)])
def test_cross_entropy_of_any_rank(shape):
    logits = torch.randn(*shape, requires_grad=True)
    rest = shape[:1] + shape[2:] if len(shape) > 1 else ()
    y = torch.randint(0, 3, rest)
    _, term = only(F.cross_entropy(logits, y))
    dim = 0 if len(shape) == 1 else 1
    assert term["kind"] == "nll" and term["class_dim"] == dim
    assert kinds(term) == [("log_softmax", dim, 3)]
    assert term["output"]["shape"] == list(shape)
    assert term["target"]["shape"] == list(rest)
    assert term["accuracy"] == pytest.approx(float((logits.argmax(dim) == y).double().mean()))


def test_flattened_sequence_outputs():
    layer = nn.Linear(6, 7)
    x, y = torch.randn(2, 5, 6), torch.randint(0, 7, (2, 5))
    out = layer(x)
    for loss in (F.cross_entropy(out.view(-1, 7), y.view(-1)), F.cross_entropy(out.transpose(1, 2), y)):
        found, term = only(loss)
        assert term["kind"] == "nll" and found["sum_over"] == 1
        assert len(term["head"]) == 1 and term["head"][0]["own"]
        assert term["accuracy"] == pytest.approx(float((out.argmax(-1) == y).double().mean()))


def test_ignored_positions_are_left_out():
    logits = torch.randn(6, 3, requires_grad=True)
    y = torch.tensor([0, 1, -100, 2, -100, 1])
    found, term = only(F.cross_entropy(logits, y, reduction="sum"))
    assert term["target"]["classes"] == {"0": 1, "1": 2, "2": 1}
    assert term["target"]["ignored"] == pytest.approx(2 / 6)
    assert found["sum_over"] == 4
    keep = y != -100
    assert term["accuracy"] == pytest.approx(float((logits.argmax(1) == y)[keep].double().mean()))


def test_summed_losses_tell_how_many(made):
    found, term = only(F.cross_entropy(made.out, made.y, reduction="sum"))
    assert (found["sum_over"], found["sum_over_batch"], term["reduction"]) == (N, N, "sum")
    found, _ = only(F.mse_loss(made.out, made.real, reduction="sum"))
    assert (found["sum_over"], found["sum_over_batch"]) == (N * C, N)
    found, _ = only(F.mse_loss(made.out, made.real, reduction="sum") / N)
    assert (found["sum_over"], found["sum_over_batch"]) == (C, 1)
    found, _ = only(((made.out - made.real) ** 2).sum())
    assert (found["sum_over"], found["sum_over_batch"]) == (N * C, N)
    found, _ = only(((made.out - made.real) ** 2).sum(1).mean())
    assert (found["sum_over"], found["sum_over_batch"]) == (C, 1)
    found, _ = only(-(made.one_hot * F.log_softmax(made.out, 1)).sum())
    assert (found["sum_over"], found["sum_over_batch"]) == (N, N)


def test_python_loop_over_examples(made):
    total = sum(F.mse_loss(o, t) for o, t in zip(made.out[:4], made.real[:4], strict=True))
    found = read(total / 4)
    assert [t["kind"] for t in found["terms"]] == ["mse"] * 4
    assert all(t["weight"] == pytest.approx(0.25) for t in found["terms"])


def test_many_terms_are_bounded(made):
    total = sum(F.cross_entropy(made.out, made.y) for _ in range(30))
    found = read(total)
    assert len(found["terms"]) == 8 and found["more_terms"] >= 1


def test_mean_of_a_stack_divides(made):
    losses = [F.cross_entropy(made.out, made.y), 3 * F.mse_loss(made.out, made.real)]
    found = read(torch.stack(losses).mean())
    assert [t["kind"] for t in found["terms"]] == ["nll", "mse"]
    assert [t["weight"] for t in found["terms"]] == [pytest.approx(0.5), pytest.approx(1.5)]
    assert found["sum_over"] == 1
    found = read(torch.stack(losses).sum())
    assert found["sum_over"] == 1 and [t["weight"] for t in found["terms"]] == [pytest.approx(1.0), pytest.approx(3.0)]


# --- signs and factors -----------------------------------------------------------------------------------------------


def test_accumulation_and_scaling(made):
    found, _ = only(F.cross_entropy(made.out, made.y) / 4)
    assert found["factor"] == pytest.approx(0.25) and found["sum_over"] == 1
    found, _ = only(F.cross_entropy(made.out, made.y) / 4, known_factor=0.25)
    assert found["factor"] == pytest.approx(1.0)
    scale = torch.tensor(65536.0)
    loss = F.cross_entropy(made.out, made.y)
    found, _ = only(loss / 4 * scale, known_factor=65536.0 / 4)
    assert found["factor"] == pytest.approx(1.0)
    assert found["value"] == pytest.approx(loss.item(), rel=1e-6)
    found, _ = only(1000 * loss)
    assert found["factor"] == pytest.approx(1000.0)


@pytest.mark.parametrize(
    "loss",
    [
        lambda o, y, r: -F.cross_entropy(o, y),
        lambda o, y, r: F.log_softmax(o, 1).gather(1, y[:, None]).mean(),
        lambda o, y, r: (F.one_hot(y, C) * torch.log(F.softmax(o, 1))).sum(1).mean(),
        lambda o, y, r: -((o - r) ** 2).mean(),
        lambda o, y, r: -1 * F.mse_loss(o, r),
        lambda o, y, r: 0 - F.l1_loss(o, r),
    ],
)
def test_a_maximized_loss_is_negative(made, loss):
    found, _ = only(loss(made.out, made.y, made.real))
    assert found["sign"] == -1


def test_policy_gradients_have_no_sign(made):
    advantage = torch.linspace(-1, 1, N)
    log_p = torch.distributions.Categorical(logits=made.out).log_prob(made.y)
    for loss in (-(log_p * advantage).mean(), (log_p * advantage).sum()):
        found, term = only(loss)
        assert term["kind"] == "custom" and found["sign"] == 1


def test_returns_of_single_actions_have_no_sign(made):
    for value in (-0.7, -3.0, 0.4):
        for number in (value, torch.tensor(value)):
            log_p = torch.distributions.Categorical(logits=made.out[0]).log_prob(made.y[0])
            found, term = only(-log_p * number)
            assert found["sign"] == 1 and term["sign"] == 0, number
    found, term = only(F.cross_entropy(made.out, made.y) * torch.tensor(-0.3))
    assert term["sign"] == 0


def test_entropy_bonus_does_not_turn_the_sign(made):
    p = F.softmax(made.out, 1)
    entropy = -(p * p.log()).sum(1).mean()
    found = read(F.cross_entropy(made.out, made.y) - 0.01 * entropy)
    assert found["sign"] == 1 and found["terms"][0]["kind"] == "nll"
    assert found["terms"][1]["kind"] == "custom"


# --- numbers as targets ----------------------------------------------------------------------------------------------

REGRESSIONS = {
    "mse": ("mse", lambda o, t: F.mse_loss(o, t)),
    "mse module": ("mse", lambda o, t: nn.MSELoss()(o, t)),
    "mse swapped": ("mse", lambda o, t: F.mse_loss(t, o)),
    "power": ("mse", lambda o, t: ((o - t) ** 2).mean()),
    "power, swapped": ("mse", lambda o, t: ((t - o) ** 2).mean()),
    "pow": ("mse", lambda o, t: (o - t).pow(2).mean()),
    "square": ("mse", lambda o, t: torch.square(o - t).mean()),
    "times itself": ("mse", lambda o, t: ((o - t) * (o - t)).mean()),
    "difference times itself": ("mse", lambda o, t: (lambda d: (d * d).mean())(o - t)),
    "power of the size": ("mse", lambda o, t: (torch.abs(o - t) ** 2).mean()),
    "sum over all": ("mse", lambda o, t: ((o - t) ** 2).sum() / o.numel()),
    "l1": ("l1", lambda o, t: F.l1_loss(o, t)),
    "abs": ("l1", lambda o, t: (o - t).abs().mean()),
    "torch.abs, swapped": ("l1", lambda o, t: torch.abs(t - o).mean()),
    "smooth_l1": ("smooth_l1", lambda o, t: F.smooth_l1_loss(o, t)),
    "huber": ("huber", lambda o, t: F.huber_loss(o, t)),
}


@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize("shape", [(N, 1), (N,), (N, 3), (N, 2, 3), (N, 1, 4, 4)])
def test_regression(name, shape):
    kind, make = REGRESSIONS[name]
    torch.manual_seed(1)
    width = math.prod(shape[1:])
    layer = nn.Linear(4, width).double()
    out = layer(torch.randn(N, 4, dtype=torch.float64)).reshape(shape)
    target = torch.randn(shape, dtype=torch.float64)
    found, term = only(make(out, target))
    assert term["kind"] == kind and term["reduction"] == "mean"
    assert (found["sum_over"], found["sign"]) == (1, 1) and found["factor"] == pytest.approx(1.0)
    assert term["broadcast"] is None
    assert term["output"]["mean"] == pytest.approx(float(out.mean()), rel=1e-9)
    assert term["output"]["shape"] == list(shape)
    assert term["target"]["std"] == pytest.approx(float(target.std(correction=0)), rel=1e-9)
    assert term["target"]["mean"] == pytest.approx(float(target.mean()), rel=1e-9)
    r2 = 1 - float(((out - target) ** 2).sum() / ((target - target.mean(0)) ** 2).sum())
    assert term["r2"] == pytest.approx(r2, rel=1e-8)


def test_reconstructed_targets_are_whole_numbers_again():
    layer = nn.Linear(4, 10)
    y = F.one_hot(torch.arange(10) % 10, 10).float()
    out = torch.sigmoid(layer(torch.randn(10, 4)))
    _, term = only(((out - y) ** 2).mean())
    assert term["target"]["one_hot"] and term["target"]["reconstructed"]
    assert term["target"]["classes"] == {str(i): 1 for i in range(10)}
    assert kinds(term) == [("sigmoid", None, None)]
    assert term["accuracy"] == pytest.approx(float((out.argmax(1) == y.argmax(1)).double().mean()))


def test_the_size_of_a_broadcast_difference():
    out = nn.Linear(4, 1)(torch.randn(20, 4)).squeeze(1)
    _, term = only((torch.abs(out - torch.randn(20, 1)) ** 2).mean())
    assert term["kind"] == "mse" and term["broadcast"] is not None


def test_class_numbers_regressed():
    layer = nn.Linear(4, 1)
    y = torch.arange(20).float() % 3
    out = layer(torch.randn(20, 4)).squeeze(1)
    _, term = only(((out - y) ** 2).mean())
    assert term["target"]["integer"] and term["target"]["distinct"] == 3


def test_root_mean_square_error(made):
    found, term = only(torch.sqrt(F.mse_loss(made.out, made.real)))
    assert term["kind"] == "mse" and term["through"] == ["sqrt"] and found["sum_over"] == 1


def test_half_the_mean_as_textbooks_have_it(made):
    column, target = made.out[:, :1], made.real[:, :1]
    for loss in (((column - target) ** 2).sum() / (2 * N), 1 / (2 * N) * ((column - target) ** 2).sum()):
        found, _term = only(loss)
        assert (found["sum_over"], found["sum_over_batch"]) == (1, 1)
        assert found["factor"] == pytest.approx(0.5)


def test_norm_of_the_difference(made):
    _found, term = only(torch.norm(made.out - made.real))
    assert term["kind"] == "mse" and term["through"] == ["sqrt"]
    assert term["target"]["std"] == pytest.approx(float(made.real.std(correction=0)), rel=1e-4)


def test_relative_errors(made):
    y = made.real.abs() + 1
    found, term = only(((made.out - y) / y).abs().mean())
    assert term["kind"] == "l1" and term["weighted"] and found["sign"] == 1
    assert term["target"]["mean"] == pytest.approx(float(y.mean()), rel=1e-5)


def test_target_that_cannot_be_told_is_null():
    conv = nn.Conv2d(1, 2, 3)
    out = conv(torch.randn(2, 1, 6, 6))
    _, term = only(((out - torch.randn(out.shape)) ** 2).mean())
    assert term["kind"] == "mse" and term["target"] is None and term["output"] is None


def test_large_targets_keep_their_statistics_in_parts():
    out = torch.randn(1000, 600, requires_grad=True)
    target = torch.randn(1000, 600) + 3
    _, term = only(((out - target) ** 2).mean())
    assert term["output"]["shape"] == term["target"]["shape"] == [1000, 600]
    assert term["target"]["mean"] == pytest.approx(3, abs=0.05)


# --- broadcasting ----------------------------------------------------------------------------------------------------

PAIRS = {
    "mse_loss": lambda o, t: F.mse_loss(o, t),
    "l1_loss": lambda o, t: F.l1_loss(o, t),
    "smooth_l1_loss": lambda o, t: F.smooth_l1_loss(o, t),
    "huber_loss": lambda o, t: F.huber_loss(o, t),
    "hand": lambda o, t: ((o - t) ** 2).mean(),
    "hand, swapped": lambda o, t: ((t - o) ** 2).mean(),
    "hand, sum": lambda o, t: ((o - t) ** 2).sum(),
    "abs": lambda o, t: (o - t).abs().mean(),
    "product": lambda o, t: (lambda d: (d * d).mean())(o - t),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("known", [True, False])
def test_column_against_row_is_broadcast(name, known):
    torch.manual_seed(2)
    if known:  # the output can be computed again
        out = nn.Linear(4, 1)(torch.randn(N, 4))
    else:  # it cannot
        out = nn.Conv1d(1, 1, 4)(torch.randn(N, 1, 4)).squeeze(-1)
    target = torch.randn(N)
    _, term = only(PAIRS[name](out, target))
    assert term["broadcast"] == {"output": [N, 1], "target": [N], "joint": [N, N]}
    if known:
        assert term["output"]["shape"] == [N, 1] and term["target"]["shape"] == [N]
        assert term["target"]["mean"] == pytest.approx(float(target.mean()), abs=1e-5)
    assert term["r2"] is None


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", PAIRS)
def test_row_against_column_is_broadcast(name):
    out = nn.Linear(4, 1)(torch.randn(N, 4)).squeeze(1)
    _, term = only(PAIRS[name](out, torch.randn(N, 1)))
    assert term["broadcast"] == {"output": [N], "target": [N, 1], "joint": [N, N]}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    ("output", "target"),
    [
        ((N, 1), (N, 1)),
        ((N, C), (C,)),
        ((N, C), (1,)),
        ((N, 1), ()),
        ((N, C), (N, 1)),
        ((1, 1), (1,)),
        ((N,), (1,)),
        ((C,), (N, C)),
    ],
)
def test_legitimate_broadcasting_is_silent(name, output, target):
    width = output[-1]
    out = nn.Linear(4, width)(torch.randn(*output[:-1], 4))
    _, term = only(PAIRS[name](out, torch.randn(target)))
    assert term["broadcast"] is None


def test_all_pairs_on_purpose_are_silent():
    quantiles = nn.Linear(4, 5)(torch.randn(N, 4))
    wanted = torch.randn(N, 6)
    _, term = only((quantiles[:, :, None] - wanted[:, None, :]).abs().mean())
    assert term["kind"] == "l1" and term["broadcast"] is None


# --- probabilities as targets ----------------------------------------------------------------------------------------

SOFT = {
    "torch's": lambda o, t: F.cross_entropy(o, t),
    "log_softmax": lambda o, t: -(t * F.log_softmax(o, 1)).sum(1).mean(),
    "log_softmax, other order": lambda o, t: -(F.log_softmax(o, 1) * t).sum(-1).mean(),
    "sum over n": lambda o, t: -(t * F.log_softmax(o, 1)).sum() / N,
    "log of softmax": lambda o, t: -(t * torch.log(F.softmax(o, 1))).sum(1).mean(),
    "eps": lambda o, t: -(t * torch.log(F.softmax(o, 1) + 1e-9)).sum(1).mean(),
    "clamped": lambda o, t: -torch.sum(t * torch.log(F.softmax(o, 1).clamp(1e-7, 1 - 1e-7)), dim=1).mean(),
    "negated inside": lambda o, t: torch.mean(torch.sum(-t * F.log_softmax(o, 1), dim=1)),
}


@pytest.mark.parametrize("name", SOFT)
def test_class_probabilities(made, name):
    out = made.out
    found, term = only(SOFT[name](out, made.one_hot))
    assert term["kind"] == "cross_entropy_soft" and term["reduction"] == "mean"
    assert (found["sum_over"], found["sum_over_batch"], found["sign"]) == (1, 1, 1)
    assert found["factor"] == pytest.approx(1.0)
    assert term["target"]["one_hot"] and term["class_dim"] == 1
    assert term["accuracy"] == pytest.approx(float((out.argmax(1) == made.y).double().mean()))
    own = [h for h in term["head"] if h.get("own")]
    other = [h["kind"] for h in term["head"] if not h.get("own")]
    assert (len(own) == 1 and other == []) or (not own and other == ["log", "softmax"])


BINARY = {
    "torch's": ("bce", lambda o, t: F.binary_cross_entropy(torch.sigmoid(o), t)),
    "by hand": (
        "bce",
        lambda o, t: (lambda p: -(t * torch.log(p) + (1 - t) * torch.log(1 - p)).mean())(torch.sigmoid(o)),
    ),
    "clamped": (
        "bce",
        lambda o, t: (lambda p: -(t * p.log() + (1 - t) * (1 - p).log()).mean())(
            torch.sigmoid(o).clamp(1e-6, 1 - 1e-6)
        ),
    ),
    "eps": (
        "bce",
        lambda o, t: (lambda p: (-t * torch.log(p + 1e-8) - (1 - t) * torch.log(1 - p + 1e-8)).mean())(
            torch.sigmoid(o)
        ),
    ),
    "logits": ("bce_logits", lambda o, t: F.binary_cross_entropy_with_logits(o, t)),
    "logits module": ("bce_logits", lambda o, t: nn.BCEWithLogitsLoss(pos_weight=torch.ones(C))(o, t)),
    "logsigmoid": ("bce_logits", lambda o, t: -(t * F.logsigmoid(o) + (1 - t) * F.logsigmoid(-o)).mean()),
    "stable by hand": ("bce_logits", lambda o, t: (o.clamp(min=0) - o * t + torch.log(1 + torch.exp(-o.abs()))).mean()),
    "softplus": ("bce_logits", lambda o, t: (F.softplus(o) - o * t).mean()),
}


@pytest.mark.parametrize("name", BINARY)
def test_binary_cross_entropy(made, name):
    kind, make = BINARY[name]
    t = (made.soft > 0.5).float()
    out = made.out
    found, term = only(make(out, t))
    assert term["kind"] == kind
    assert (found["sum_over"], found["sign"], term["reduction"]) == (1, 1, "mean")
    assert [h["kind"] for h in term["head"]] == (["sigmoid"] if kind == "bce" else [])
    assert term["target"]["binary"]
    assert term["accuracy"] == pytest.approx(float(((out > 0).float() == t).double().mean()))


# --- output activations that do not fit ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["functional", "module", "sequential"])
def test_double_softmax(made, form):
    if form == "functional":
        loss = F.cross_entropy(F.softmax(made.out, dim=1), made.y)
    elif form == "module":
        loss = nn.CrossEntropyLoss()(nn.Softmax(dim=-1)(made.out), made.y)
    else:
        loss = nn.CrossEntropyLoss()(nn.Sequential(made.layer, nn.Softmax(dim=1))(made.x), made.y)
    _, term = only(loss, names=made.names)
    assert kinds(term) == [("log_softmax", 1, C), ("softmax", 1, C)]
    assert [h.get("own", False) for h in term["head"]] == [True, False]
    assert term["head"][1]["name"] == "softmax after fc"
    assert term["output"]["row_sum_one"] == 1.0 and term["output"]["in_unit"]


def test_softmax_over_one_unit():
    layer = nn.Linear(4, 1)
    out = F.softmax(layer(torch.randn(N, 4)), dim=1)
    _, term = only(F.binary_cross_entropy(out, torch.ones(N, 1)))
    assert kinds(term) == [("softmax", 1, 1)]
    assert term["output"]["varies"] == 0.0 and term["output"]["min"] == 1.0
    _, term = only(((out - torch.randn(N, 1)) ** 2).mean())
    assert kinds(term) == [("softmax", 1, 1)]


def test_softmax_over_the_batch(made):
    _, term = only(F.nll_loss(torch.log(F.softmax(made.out, dim=0)), made.y))
    assert kinds(term) == [("log", None, None), ("softmax", 0, N)]
    assert term["class_dim"] == 1
    _, term = only(F.nll_loss(F.log_softmax(made.out, dim=0), made.y))
    assert kinds(term) == [("log_softmax", 0, N)] and not term["head"][0].get("own")


def test_scores_given_to_a_loss_of_log_probabilities(made):
    _, term = only(F.nll_loss(made.out, made.y))
    assert term["head"] == [] and term["output"]["log_normalized"] < 0.5
    _, term = only(F.nll_loss(F.log_softmax(F.log_softmax(made.out, 1), 1), made.y))
    assert kinds(term) == [("log_softmax", 1, C), ("log_softmax", 1, C)]
    assert term["output"]["log_normalized"] == 1.0


def test_double_sigmoid(made):
    _, term = only(F.binary_cross_entropy_with_logits(torch.sigmoid(made.out), (made.soft > 0.5).float()))
    assert kinds(term) == [("sigmoid", None, None)] and term["output"]["in_unit"]


def test_relu_before_the_loss(made):
    _, term = only(F.cross_entropy(F.relu(made.out), made.y), names=made.names)
    assert [h["kind"] for h in term["head"]] == ["log_softmax", "relu"]
    assert term["layer"] == "fc"


@pytest.mark.parametrize(
    "softmax",
    [
        lambda x: (lambda e: e / e.sum(1, keepdim=True))(x.exp()),
        lambda x: torch.exp(x) / torch.exp(x).sum(dim=1, keepdim=True),
        lambda x: (lambda e: e / e.sum(1, keepdim=True))((x - x.max(1, keepdim=True)[0]).exp()),
    ],
)
def test_softmax_by_hand(made, softmax):
    _, term = only(F.cross_entropy(softmax(made.out), made.y), names=made.names)
    assert kinds(term)[1] == ("softmax", 1, C) and term["layer"] == "fc"


def test_probabilities_normalized_by_hand(made):
    p = torch.sigmoid(made.out)
    p = (p / p.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
    _, term = only(-(made.one_hot * p.log()).sum(1).mean(), names=made.names)
    assert [h["kind"] for h in term["head"]] == ["log", "sigmoid"] and term["layer"] == "fc"


def test_temperature_and_bounded_output(made):
    _, term = only(F.cross_entropy(10 * torch.tanh(made.out) / 2.0, made.y))
    assert [h["kind"] for h in term["head"]] == ["log_softmax", "tanh"]


# --- several terms ---------------------------------------------------------------------------------------------------


def test_penalty_by_hand(made):
    penalty = sum((p**2).sum() for p in made.layer.parameters())
    found = read(F.cross_entropy(made.out, made.y) + 0.01 * penalty, names=made.names)
    assert [t["kind"] for t in found["terms"]] == ["nll", "penalty"]
    assert found["terms"][1]["weight"] == pytest.approx(0.01)
    assert found["terms"][1]["params"] == ["fc.bias", "fc.weight"]
    assert found["sum_over"] == 1 and found["factor"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "norm", [lambda w: w.norm(), lambda w: w.abs().sum(), lambda w: (w @ w.T - torch.eye(C)).pow(2).sum()]
)
def test_penalties_of_other_forms(made, norm):
    found = read(F.mse_loss(made.out, made.real) + 1e-3 * norm(made.layer.weight), names=made.names)
    assert [t["kind"] for t in found["terms"]] == ["mse", "penalty"]


def test_a_loss_of_parameters_alone(made):
    w = nn.Parameter(torch.tensor([1.0, 2.0]))
    _found, term = only(((w - torch.tensor([3.0, 4.0])) ** 2).sum())
    assert term["kind"] == "mse"
    _, term = only((w**2).sum())
    assert term["kind"] == "penalty"


def test_distillation(made):
    teacher = F.softmax(made.real / 2, dim=1)
    student = F.log_softmax(made.out / 2, dim=1)
    loss = 0.7 * F.kl_div(student, teacher, reduction="batchmean") * 4 + 0.3 * F.cross_entropy(made.out, made.y)
    found = read(loss)
    assert [t["kind"] for t in found["terms"]] == ["kl", "nll"]
    assert found["terms"][0]["weight"] == pytest.approx(2.8)
    assert found["terms"][1]["weight"] == pytest.approx(0.3)
    assert found["terms"][0]["sum_over_batch"] == 1
    assert found["terms"][0]["target"]["min"] > 0


@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize("reduction", ["batchmean", "sum", "mean", "none"])
def test_divergence_of_raw_scores(made, reduction, log_target):
    teacher = F.softmax(made.real, dim=1)
    loss = F.kl_div(made.out / 2, teacher.log() if log_target else teacher, reduction=reduction, log_target=log_target)
    found, term = only(loss.sum(1).mean() if reduction == "none" else loss)
    assert term["kind"] == "kl" and term["head"] == [] and term["class_dim"] == 1
    assert term["output"]["max"] == pytest.approx(float(made.out.detach().max()) / 2)
    assert term["weight"] == pytest.approx(1.0) and term["target"]["max"] <= 1
    assert found["sum_over_batch"] == (N if reduction == "sum" else 1)


def test_divergence_of_probabilities_without_their_logarithm(made):
    _, term = only(F.kl_div(made.out.softmax(1), F.softmax(made.real, dim=1), reduction="batchmean"))
    assert term["kind"] == "kl" and [a["kind"] for a in term["head"]] == ["softmax"]
    _, term = only(F.kl_div(made.out.softmax(1).log(), F.softmax(made.real, dim=1), reduction="batchmean"))
    assert [a["kind"] for a in term["head"]] == ["log", "softmax"] and term["output"]["max"] <= 1


def test_a_constant_less_a_weighted_output_is_a_divergence_only_of_probabilities(made):
    for weights in (torch.rand_like(made.real), -F.softmax(made.real, dim=1)):
        _, term = only((made.real - weights * made.out).sum())
        assert term["kind"] == "custom"


def test_kl_by_hand(made):
    teacher = F.softmax(made.real, dim=1)
    loss = (teacher * (teacher.log() - F.log_softmax(made.out, 1))).sum(1).mean()
    found, term = only(loss)
    assert term["kind"] == "kl" and found["sum_over"] == 1


def test_variational_autoencoder():
    encoder, decoder = nn.Linear(12, 6), nn.Linear(3, 12)
    x = torch.rand(N, 12)
    mu, log_var = encoder(x).chunk(2, dim=1)
    z = mu + torch.randn(N, 3) * torch.exp(0.5 * log_var)
    out = torch.sigmoid(decoder(z))
    names = {id(decoder.weight): "decoder.weight"}
    reconstruction = F.binary_cross_entropy(out, x, reduction="sum")
    divergence = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
    found = read(reconstruction + divergence, names=names)
    assert [t["kind"] for t in found["terms"]] == ["bce", "kl"]
    assert found["sum_over"] == N * 12 and found["sum_over_batch"] == N
    assert found["terms"][0]["head"][0]["name"] == "sigmoid after decoder"
    found = read((reconstruction + divergence) / N, names=names)
    assert found["sum_over_batch"] == 1
    assert found["terms"][0]["weight"] == pytest.approx(1.0)
    assert found["terms"][1]["weight"] == pytest.approx(0.5)
    mean = x.mean(0)
    entropy = float(F.binary_cross_entropy(mean.expand(N, 12), x))
    assert entropy < found["terms"][0]["constant"] < entropy * 1.05  # corrected for the size of the batch
    assert "constant" not in found["terms"][1]
    found = read(F.mse_loss(decoder(z), x) + divergence / N, names=names)
    assert found["terms"][0]["constant"] == pytest.approx(float(x.var(0).mean()), rel=1e-5)
    _, alone = only(F.mse_loss(decoder(z), x), names=names)
    assert "constant" not in alone


def test_gradient_penalty_is_no_sickness():
    critic = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    x = torch.randn(N, 3, requires_grad=True)
    (grad,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    penalty = ((grad.norm(2, dim=1) - 1) ** 2).mean()
    found = read(critic(x).mean() - critic(torch.randn(N, 3)).mean() + 10 * penalty)
    assert len(found["terms"]) == 3 and found["sign"] == 1
    assert found["terms"][2]["weight"] == pytest.approx(10.0)
    assert all(t["broadcast"] is None for t in found["terms"])


def test_contrastive_losses(made):
    a, b = F.normalize(made.out, dim=1), F.normalize(made.real, dim=1)
    _, term = only(F.cross_entropy(a @ b.T / 0.07, torch.arange(N)))
    assert term["kind"] == "nll" and term["head"][0]["own"] and term["target"]["distinct"] == N
    _, term = only(F.triplet_margin_loss(made.out, made.out * 2, made.out * 3))
    assert term["kind"] == "hinge" and term["broadcast"] is None
    found = read(F.cosine_embedding_loss(made.out, made.real, torch.ones(N)))
    assert found["sign"] == 1


def test_margins(made):
    y = torch.sign(made.real)
    for loss in (
        (1 - y * made.out).clamp(min=0).mean(),
        F.relu(1 - y * made.out).mean(),
        F.relu(1 - made.out * y).mean(),
    ):
        _, term = only(loss)
        assert term["kind"] == "hinge" and term["target"]["distinct"] == 2
        assert term["output"]["mean"] == pytest.approx(float(made.out.mean()), abs=1e-6)
    _, term = only(F.multi_margin_loss(made.out, made.y))
    assert term["kind"] == "hinge" and term["accuracy"] is not None
    _, term = only(F.soft_margin_loss(made.out, y))
    assert term["kind"] == "soft_margin"
    _, term = only(F.softplus(-y * made.out).mean())
    assert term["kind"] == "soft_margin"


def test_focal_loss_is_a_modified_cross_entropy(made):
    ce = F.cross_entropy(made.out, made.y, reduction="none")
    _, term = only((((1 - torch.exp(-ce)) ** 2) * ce).mean())
    assert term["kind"] == "nll" and term["modified"]
    assert term["target"]["integer"]


def test_masked_mean_of_tokens():
    layer = nn.Linear(6, 7)
    out, y = layer(torch.randn(2, 5, 6)), torch.randint(0, 7, (2, 5))
    mask = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 0]])
    ce = F.cross_entropy(out.transpose(1, 2), y, reduction="none")
    found, term = only((ce * mask).sum() / mask.sum())
    assert term["kind"] == "nll" and found["sum_over_batch"] == 1
    found, term = only(ce[mask.bool()].mean())
    assert term["kind"] == "nll" and found["sum_over"] == 1


def test_actor_and_critic(made):
    log_p = torch.distributions.Categorical(logits=made.out).log_prob(made.y)
    value = nn.Linear(4, 1)(made.x).squeeze(1)
    returns = torch.randn(N)
    loss = -(log_p * (returns - value.detach())).mean() + 0.5 * F.mse_loss(value, returns)
    found = read(loss)
    assert [t["kind"] for t in found["terms"]] == ["custom", "mse"]
    assert found["terms"][1]["weight"] == pytest.approx(0.5)


def test_q_values_picked_by_action(made):
    q = made.out.gather(1, made.y[:, None]).squeeze(1)
    _, term = only(F.mse_loss(q, torch.randn(N)))
    assert term["kind"] == "mse" and term["broadcast"] is None and term["target"]["std"] > 0


def test_wasserstein_critic_is_custom():
    critic = nn.Linear(3, 1)
    found = read(-critic(torch.randn(N, 3)).mean())
    assert [t["kind"] for t in found["terms"]] == ["custom"] and found["sign"] == 1


def test_gan_with_logarithms():
    d = nn.Linear(3, 1)
    real, fake = torch.sigmoid(d(torch.randn(N, 3))), torch.sigmoid(d(torch.randn(N, 3)))
    found = read(-(torch.log(real) + torch.log(1 - fake)).mean())
    assert found["sign"] == 1 and all(t["kind"] == "custom" for t in found["terms"])


def test_hand_written_linear_layer_is_not_taken_apart():
    w, b = nn.Parameter(torch.randn(4, 2)), nn.Parameter(torch.zeros(2))
    x = torch.randn(N, 4)
    _found, term = only((x @ w + b).mean(), names={id(w): "w", id(b): "b"})
    assert term["kind"] == "custom"
    _, term = only(((x @ w + b - torch.randn(N, 2)) ** 2).mean(), names={id(w): "w", id(b): "b"})
    assert term["kind"] == "mse" and term["head"] == [] and term["target"]["std"] > 0
    v = nn.Parameter(torch.randn(4))
    _, term = only(F.binary_cross_entropy_with_logits(x @ v + 1.0, torch.ones(N)), names={id(v): "v"})
    assert term["output"]["mean"] == pytest.approx(float((x @ v + 1.0).mean()), rel=1e-4)


# --- odd graphs ------------------------------------------------------------------------------------------------------


def test_no_graph_gives_no_terms():
    found = loss_terms(walk(torch.tensor(1.0)), value=torch.tensor(1.0))
    assert found["terms"] == [] and found["value"] == 1.0


def test_several_roots(made):
    losses = [F.cross_entropy(made.out, made.y), F.mse_loss(made.out, made.real)]
    found = loss_terms(walk(losses))
    assert [t["kind"] for t in found["terms"]] == ["nll", "mse"]


def test_custom_function_is_named(made):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    graph = walk(F.cross_entropy(Twice.apply(made.out), made.y))
    found = loss_terms(graph)
    assert found["terms"][0]["kind"] == "nll"
    assert {"custom function Twice"} == {u["what"] for u in graph.unseen}
    assert found["terms"][0]["output"]["centered"]
    assert found["terms"][0]["accuracy"] is not None


def test_output_known_up_to_a_constant(made):
    conv = nn.Conv2d(1, 3, 1)
    logits = conv(torch.randn(2, 1, 4, 4)) + 100
    y = torch.randint(0, 3, (2, 4, 4))
    _, term = only(F.cross_entropy(logits, y))
    assert term["output"]["centered"] and abs(term["output"]["mean"]) < 1e-4
    assert term["output"]["row_sum_one"] is None and not term["output"]["in_unit"]
    assert term["accuracy"] == pytest.approx(float((logits.argmax(1) == y).double().mean()))


def test_mixed_precision(made):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = made.out
        assert out.dtype == torch.bfloat16
        loss = F.cross_entropy(out, made.y)
        _found, term = only(loss, names=made.names)
    assert term["kind"] == "nll" and term["layer"] == "fc"
    assert term["accuracy"] == pytest.approx(float((out.argmax(1) == made.y).double().mean()))
    values = out.detach().float()
    if term["output"].get("centered"):  # versions of torch that do not tell the dtype of a cast
        values = values - values.mean(1, keepdim=True)
    assert term["output"]["std"] == pytest.approx(float(values.std(correction=0)), rel=0.02)


def test_nonfinite_output_is_counted(made):
    out = made.out.clone()
    out = torch.where(torch.arange(N)[:, None] == 0, out * float("inf"), out)
    _, term = only(F.mse_loss(out, made.real))
    assert term["output"]["nonfinite"] == C and term["r2"] is None
    _, term = only(F.cross_entropy(out, made.y))
    assert term["accuracy"] is None
    target = made.real.clone()
    target[0, 0] = float("nan")
    _, term = only(F.mse_loss(made.out, target))
    assert term["target"]["nonfinite"] == 1


@pytest.mark.parametrize(
    ("loss", "weighted"),
    [
        (lambda x, y, t: F.cross_entropy(x, y), False),
        (lambda x, y, t: F.cross_entropy(x, y, weight=torch.tensor([1.0, 1.0, 1.0])), False),
        (lambda x, y, t: F.cross_entropy(x, y, weight=torch.tensor([1.0, 5.0, 1.0])), True),
        (lambda x, y, t: F.nll_loss(x.log_softmax(1), y, weight=torch.tensor([1.0, 5.0, 1.0])), True),
        (lambda x, y, t: F.binary_cross_entropy_with_logits(x, t), False),
        (lambda x, y, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor([7.0])), True),
        (lambda x, y, t: F.binary_cross_entropy(x.sigmoid(), t, weight=torch.tensor([1.0, 2.0, 3.0])), True),
    ],
)
def test_weights_of_classes(loss, weighted):
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 3)
    y = torch.tensor([0, 1, 2, 0])
    value = loss(layer(torch.randn(4, 4)), y, F.one_hot(y, 3).float())
    found = loss_terms(walk(value, names={id(layer.weight): "fc.weight"}), value=value)["terms"][0]
    assert found.get("class_weights", False) is weighted


def test_the_constant_answer_of_targets():
    many = (torch.rand(4000, 3) < torch.tensor([0.1, 0.5, 0.9])).float()
    whole = constant_answer(many, "bce", limit=1 << 20)
    assert whole == pytest.approx((2 * 0.3251 + 0.6931) / 3, rel=0.03)
    parts = [constant_answer(part, "bce_logits") for part in many.split(20)]
    assert sum(parts) / len(parts) == pytest.approx(whole, rel=0.03)
    assert constant_answer(many, "l1") is None and constant_answer(many[:1], "mse") is None
    assert constant_answer(many * 3, "bce") is None
    assert constant_answer(torch.zeros(4, 2), "bce") == 0.0
