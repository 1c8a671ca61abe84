"""A network that lacks its nonlinearities, found in a run of a script; and the same one with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import watched

SPIRALS = """
import sys, torch
torch.manual_seed(0)
bend = torch.tanh if sys.argv[1] == "bent" else (lambda h: torch.nn.functional.dropout(h, 0.1))
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(2, 48), torch.nn.Linear(48, 48)
        self.norm, self.fc3 = torch.nn.BatchNorm1d(2), torch.nn.Linear(48, 3)
    def forward(self, x):
        return self.fc3(bend(self.fc2(bend(self.fc1(self.norm(x))))))
y = torch.arange(300) % 3
r = torch.linspace(0.05, 1, 300)
t = 5 * r + y * 2.0944
x = 1.7 * torch.stack([r * t.sin(), r * t.cos()], 1)
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(400):
    i = torch.randint(300, (60,))
    loss = torch.nn.functional.cross_entropy(net(x[i]), y[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("shape", ["straight", "bent"])
def test_a_network_without_its_nonlinearities(tmp_path: Path, shape: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(SPIRALS)
    ran = watched(script, shape, cwd=tmp_path)
    assert ran.status == 0
    sample = next(line for line in ran.journal() if line["e"] == "sample")
    after = {layer["name"]: layer.get("after_linear") for layer in sample["layers"]}
    if shape == "straight":
        assert "T703" in ran.codes("warning")
        assert after["net.fc3"] == "net.fc2" and after["net.fc2"] == "net.fc1" and after["net.fc1"] == ""
    else:
        assert "T703" not in ran.codes()
        assert after["net.fc3"] is None and after["net.fc2"] is None
