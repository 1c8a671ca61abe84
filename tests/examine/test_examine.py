import json
import xml.etree.ElementTree as xml

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import unstuck.examine
from unstuck.core.errors import BadInput
from unstuck.examine import check_gradient, escape, examine, load_factory
from unstuck.problems import exclusive_or
from unstuck.problems.exclusive_or import exclusive_or_data


def test_an_examination_reads_writes_and_leaves_the_model_alone():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3)).train()
    x, y = torch.randn(60, 6), torch.randint(0, 3, (60,))
    before = {name: t.clone() for name, t in model.state_dict().items()}
    state = torch.get_rng_state()
    found = unstuck.examine(model, F.cross_entropy, [(x[:40], y[:40]), (x[40:], y[40:])], lr=0.1)
    assert found.verdict == "descending"
    assert torch.equal(torch.get_rng_state(), state) and model.training
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert plain["schema"] == "unstuck.examination/1" and plain["verdict"]["state"] == "descending"
    text = found.text()
    assert "descending" in text and "60 examples in 2 batches" in text and "stable step" in text
    charts = found.charts()
    assert {"spectrum", "along the largest curvature", "along the smallest"} <= set(charts)
    for chart in charts.values():
        xml.fromstring(chart)


def test_a_saddle_is_examined_and_left_in_the_model_itself():
    objective = exclusive_or()
    model = objective.runner.model
    data = exclusive_or_data()
    assert examine(model, nn.L1Loss(), data).verdict == "saddle"
    found = escape(model, nn.L1Loss(), data, steps=2, apply=True)
    assert found.escaped
    assert float(F.l1_loss(model(data[0]), data[1]).detach()) == pytest.approx(found.loss_after, abs=1e-9)
    assert json.dumps(found.as_json(), allow_nan=False)


def test_gradient_check_by_name():
    model = nn.Linear(2, 2)
    check = check_gradient(model, nn.MSELoss(), (torch.randn(4, 2), torch.randn(4, 2)))
    assert check.right and json.dumps(check.as_json(), allow_nan=False)


def test_factories(tmp_path):
    path = tmp_path / "my_case.py"
    path.write_text(
        "import torch\ndef make():\n    "
        "return torch.nn.Linear(2, 1), torch.nn.MSELoss(), (torch.ones(3, 2), torch.ones(3, 1))\n"
        "def bad():\n    return 3\nnot_callable = 1\n"
    )
    arguments = load_factory(f"{path}:make")
    assert set(arguments) == {"model", "loss_fn", "data"}
    assert examine(**arguments).verdict in ("descending", "minimum", "flat")
    for wrong in ("nothing", f"{path}:absent", f"{path}:not_callable", "no_such_module_here:make", "absent.py:make"):
        with pytest.raises(BadInput):
            load_factory(wrong)
