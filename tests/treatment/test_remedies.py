"""Each remedy on a training that has its fault: it acts, it helps, and it draws from no generator of the script's."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from unstuck.findings import catalog as findings
from unstuck.treatment import catalog
from unstuck.treatment.remedies.initialization import _draw

from . import sick_functions as sick
from .staged import first_variant, staged

# remedy: the training that has its fault, and by how much the last figure must rise
CURES = {
    "right-loss": (sick.double_softmax, 0.1),
    "linear-output": (sick.double_softmax, 0.1),
    "matching-shapes": (sick.broadcast, 0.3),
    "standardize-inputs": (sick.large_inputs, 0.3),
    "standardize-targets": (sick.large_targets, 0.5),
    "learning-rate": (sick.too_fast, 0.1),
    "clear-gradients": (sick.kept_gradients, 0.03),
    "make-steps": (sick.no_steps, 0.3),
    "all-parameters": (sick.hidden_layers_in_a_list, 0.05),
    "whole-graph": (sick.detached, 0.05),
    "own-backward": (sick.wrong_backward, 0.1),
    "initialization": (sick.zero_weights, 0.3),
    "leaky-rectifier": (sick.dead_units, 0.3),
    "rectified-hidden": (sick.saturated, 0.02),
    "batch-norm": (sick.dead_units, 0.3),
    "steady-rate": (sick.decayed_away, 0.1),
    "shuffle": (sick.sorted_rows, 0.05),
    "balance": (sick.one_class_rare, 0.05),
    "guarded-functions": (sick.logarithm_of_zero, 0.1),
    "mean-loss": (sick.summed, 0.1),
    "other-sign": (sick.maximized, 0.5),
    "thaw": (sick.frozen, 0.03),
    "unclipped": (sick.clipped_short, 0.3),
    "longer": (sick.too_short, 0.1),
    "other-rule": (sick.decayed_away, 0.02),
    "modes": (sick.wrong_mode, 0.02),
    "class-indices": (sick.labels_one_and_two, 0.3),
    "epsilon": (sick.huge_epsilon, 0.1),
    "fresh-statistics": (sick.stale_statistics, 0.1),
    "shorter": (sick.learned_by_heart, 0.02),
    "matching-inputs": (sick.raw_evaluation, 0.1),
    "decorrelate-inputs": (sick.correlated_features, 0.2),
    "class-scores": (sick.class_numbers, 0.1),
    "normalize-examples": (sick.normalized_over_pairs, 0.05),
    "smaller-start": (sick.wide_start, 0.3),
    "more-decay": (sick.learned_by_heart, 0.02),
    "nonlinearity": (sick.linear_stack, 0.1),
    "more-units": (sick.no_hidden_layer, 0.2),
    "class-dimension": (sick.softmax_by_hand_over_the_batch, 0.3),
}


@pytest.mark.parametrize("name", sorted(CURES))
def test_a_remedy_mends_its_fault(name, tmp_path):
    train, least = CURES[name]
    before = staged(train, folder=tmp_path)
    options = first_variant(name, before.known)
    after = staged(train, (name, options), known=before.known)
    assert after.notes[0], "nothing was changed"
    assert after.validation > before.validation + least


@pytest.mark.parametrize(
    ("train", "name", "options"),
    [
        (sick.bounded_output, "linear-output", None),
        (sick.through_a_list, "whole-graph", None),
        (sick.heavy_dropout, "less-regularization", {"decay": False, "dropout": True}),
        (sick.exponential_layers, "guarded-functions", {"functions": ["exp"]}),
        (sick.heavy_decay, "less-regularization", {"decay": True, "dropout": False}),
    ],
)
def test_the_other_faults_of_a_remedy(train, name, options, tmp_path):
    before = staged(train, folder=tmp_path)
    after = staged(train, (name, options or first_variant(name, before.known)), known=before.known)
    assert after.notes[0] and after.validation > before.validation + 0.05


def test_a_decay_stands_in_place_of_the_schedule(tmp_path):
    rates: list[float] = []

    def train() -> float:
        rates.clear()
        weight = torch.nn.Parameter(torch.ones(3))
        optimizer = torch.optim.SGD([weight], lr=0.2)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
        for _ in range(30):
            before = weight.detach().clone()
            optimizer.zero_grad()
            weight.sum().backward()
            optimizer.step()
            schedule.step()
            rates.append(float((before - weight.detach())[0]))
        return float(weight.detach().sum())

    before = staged(train, folder=tmp_path)
    options = first_variant("decay", before.known)
    staged(train, ("decay", options), known=before.known)
    assert options == {"instead": True}
    assert rates == pytest.approx([0.1 * (1 + np.cos(np.pi * i / 30)) for i in range(30)], abs=1e-6)


def test_several_starts_leave_the_wrong_valley(tmp_path):
    before = staged(sick.wrong_valley, folder=tmp_path)
    options = first_variant("several-starts", before.known)
    after = staged(sick.wrong_valley, ("several-starts", options), known=before.known)
    assert options["starts"] * options["steps"] <= 0.3 * 1500
    assert after.notes[0] and after.training > before.training + 0.1
    again = staged(sick.wrong_valley, ("several-starts", options), known=before.known)
    assert again.returned == after.returned


def test_several_starts_of_layers_leave_the_rest_alone(tmp_path):
    """Layers are drawn on a copy: the loss's graph, frozen weights and running statistics stay what they are."""
    before = staged(sick.wrong_valley_of_layers, folder=tmp_path)
    options = first_variant("several-starts", before.known)
    after = staged(sick.wrong_valley_of_layers, ("several-starts", options), known=before.known)
    assert len(after.notes[0]) == 2, "it came to its end"
    assert after.returned <= before.returned + 1e-3


def test_several_starts_end_where_weights_are_made_anew(tmp_path):
    def train() -> float:
        w = torch.ones(3, requires_grad=True)
        x = torch.randn(8, 3)
        for _ in range(400):
            (gradient,) = torch.autograd.grad(((x @ w) ** 2).mean(), [w])
            w = (w - 0.01 * gradient).detach().requires_grad_()
        return float(w.detach().sum())

    before = staged(train, folder=tmp_path)
    options = {"starts": 20, "steps": 5, "then": 40}
    torch.manual_seed(1)
    staged(train, ("several-starts", options), known=before.known)


def test_more_units_train_beside_a_frozen_first_layer_under_a_scaler(tmp_path):
    def train() -> float:
        torch.manual_seed(0)
        x = torch.randn(240, 2, generator=torch.Generator().manual_seed(4))
        y = (x.norm(dim=1) > 1.2).long()
        model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 3))
        model[0].requires_grad_(False)
        scaler = torch.amp.GradScaler("cpu")
        optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.3)
        for _ in range(200):
            loss = torch.nn.functional.cross_entropy(model(x)[:, :2], y)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        return float(loss.detach())

    before = staged(train, folder=tmp_path)
    after = staged(train, ("more-units", {"features": 2, "outputs": 3}), known=before.known)
    assert after.notes[0] and after.returned < 0.8 * before.returned


def test_recurrent_weights_are_drawn_orthogonal_gate_by_gate(tmp_path):
    before = staged(sick.short_memory, folder=tmp_path)
    options = first_variant("initialization", before.known)
    assert options["only"] == ["rnn.weight_hh_l0"]
    after = staged(sick.short_memory, ("initialization", options), known=before.known)
    assert after.notes[0] and after.validation > before.validation + 0.2

    module = torch.nn.GRU(4, 8)
    with torch.no_grad():
        _draw(module.weight_hh_l0, "orthogonal", torch.Generator().manual_seed(0), transposed=False)
        for gate in module.weight_hh_l0.split(8):
            assert torch.allclose(gate @ gate.T, torch.eye(8), atol=1e-6)


def test_bare_tensors_are_drawn_anew_when_their_optimizer_is_made(tmp_path):
    before = staged(sick.wide_weights_by_hand, folder=tmp_path)
    options = first_variant("initialization", before.known)
    after = staged(sick.wide_weights_by_hand, ("initialization", options), known=before.known)
    assert options == {"scheme": "glorot"} and after.notes[0] and after.training > before.training + 0.1


@pytest.mark.parametrize(
    ("name", "options", "gain"),
    [
        ("initialization", {"scheme": "glorot"}, 0.1),
        ("leaky-rectifier", {"slope": 0.2}, 0.1),
        ("learning-rate", {}, None),
    ],
)
def test_networks_whose_update_is_written_out_are_treated(name, options, gain, tmp_path):
    before = staged(sick.dead_units_by_hand, folder=tmp_path)
    found = [variant.options for variant in catalog.load()[name].variants(before.known)]
    assert sorted(before.known["bare"]) == [1, 2, 2]
    assert options in found or not options
    after = staged(sick.dead_units_by_hand, (name, options or found[0]), known=before.known)
    assert after.notes[0]
    if gain is None:
        assert after.returned != before.returned
    else:
        assert after.training > before.training + gain


def test_a_hinge_in_the_loss_is_no_rectifier(tmp_path):
    def train():
        torch.manual_seed(0)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x, sign = torch.randn(40, 2), torch.ones(40)
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = (1 - sign * model(x).squeeze(1)).clamp(min=0).mean()
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
        return losses

    before = staged(train, folder=tmp_path)
    assert not before.known["rectified"]
    assert staged(train, ("leaky-rectifier", {"slope": 0.2}), known=before.known).returned == before.returned


def test_inputs_that_ask_for_a_gradient_are_not_drawn_anew(tmp_path):
    """Points at which a derivative is taken are leaves of the loss as well."""
    kept = []

    def train():
        torch.manual_seed(0)
        points = torch.linspace(0, 1, 12).reshape(12, 1).requires_grad_()
        weight = (0.3 * torch.randn(1, 4)).requires_grad_()
        kept.append((points, weight, weight.detach().clone()))
        for _ in range(4):
            loss = (((points @ weight).tanh().sum(1) - points.detach().squeeze(1)) ** 2).mean()
            loss.backward()
            with torch.no_grad():
                weight -= 0.1 * weight.grad
                weight.grad = points.grad = None
        return 0.0

    staged(train, ("initialization", {"scheme": "glorot"}), known={"bare": [2, 2]})
    points, weight, before = kept[0]
    assert torch.equal(points, torch.linspace(0, 1, 12).reshape(12, 1))
    assert not torch.allclose(weight, before, atol=0.2)


@pytest.mark.parametrize("name", ["clipping", "warm-up", "decay", "larger-batch", "escape"])
def test_remedies_that_only_change_the_way_act(name, tmp_path):
    before = staged(sick.healthy, folder=tmp_path)
    after = staged(sick.healthy, (name, first_variant(name, before.known)), known=before.known)
    if name != "escape":  # where there is no saddle it leaves the run alone
        assert after.notes[0] and after.returned != before.returned


def test_every_remedy_is_tested_here():
    others = {"clipping", "warm-up", "decay", "larger-batch", "escape", "less-regularization", "several-starts"}
    assert set(catalog.load()) == {*CURES, *others}


@pytest.mark.parametrize("name", sorted(catalog.load()))
def test_a_remedy_is_whole(name, tmp_path):
    remedy = catalog.load()[name]
    known_codes = {*findings.rules(), *PLANNED}
    assert remedy.ANSWERS and set(remedy.ANSWERS) <= known_codes
    assert remedy.TEXT.endswith(".") and remedy.RISK.endswith(".")
    assert remedy.variants({}) == () or not list(remedy.variants({}))


# Findings of the contract that have no rule yet in every checkout.
PLANNED = {
    "B602", "C502", "D107", "D108", "G309", "T702",
    "U402", "U403", "U404", "U406", "U407", "U408", "U412", "U413", "C501", "C503", "C504", "B601", "B603", "B604", "B606",
    "L210", "L212", "T703",
}  # fmt: skip


def test_facts_say_when_nothing_is_wrong(tmp_path):
    known = staged(sick.healthy, folder=tmp_path).known
    fitting = {name for name, remedy in catalog.load().items() if remedy.SPECIFIC and remedy.variants(known)}
    assert fitting <= {"standardize-inputs"}  # the made-up classes have other means than zero


def test_nothing_draws_from_the_scripts_generators(tmp_path):
    def train():
        random.seed(3)
        np.random.seed(3)
        torch.manual_seed(3)
        sick.healthy()
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    plain = staged(train, folder=tmp_path)
    for name in ("shuffle", "initialization", "batch-norm", "escape"):
        known = {**plain.known, "rows": plain.known["rows"]}
        options = {"scheme": "he"} if name == "initialization" else {"names": ["relu"], "kind": "classes"}
        assert staged(train, (name, options), known=known).returned == plain.returned


def test_a_change_names_code_for_every_remedy(tmp_path):
    known = staged(sick.healthy, folder=tmp_path).known
    for remedy in catalog.load().values():
        for variant in remedy.variants(known):
            assert remedy.change(known, variant.options).code.strip()


def test_one_layer_alone_is_drawn_anew(tmp_path):
    firsts = []

    def train():
        torch.manual_seed(4)
        x, y = sick.classes()
        model = sick.mlp(3)
        torch.nn.init.normal_(model[2].weight, std=8.0)
        firsts.append((model[0].weight.detach().clone(), model[2].weight.detach().clone()))
        model(x)
        firsts.append((model[0].weight.detach().clone(), model[2].weight.detach().clone()))
        return sick.fit(model, torch.nn.functional.cross_entropy, x, y)

    before = staged(train, folder=tmp_path)
    assert before.known["odd_weights"] == ["2.weight"] and before.known["weights"] > 1
    chosen = catalog.remedy("initialization").variants(before.known)[1]
    assert chosen.label.endswith("of 2.weight")
    firsts.clear()
    staged(train, ("initialization", dict(chosen.options)), known=before.known)
    (kept, odd), (still, drawn) = firsts
    assert torch.equal(kept, still) and float(drawn.std()) < 0.1 * float(odd.std())
    assert "named_parameters" in catalog.remedy("initialization").change(before.known, chosen.options).code
