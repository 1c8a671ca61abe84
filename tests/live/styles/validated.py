"""Validations of every kind: losses as functions and modules, in blocks, decorated, without any; warnings and pickles."""

import pickle
import warnings

import torch
import torch.nn.functional as F
from state import print_state
from torch import nn
from torch.nn.functional import mse_loss

torch.manual_seed(0)
warnings.showwarning = lambda message, category, file, line, *_: print(
    category.__name__, file.endswith("validated.py"), line
)

x, y = torch.randn(96, 5, 8), torch.randint(0, 3, (96,))
# In evaluation mode without gradient this layer takes a way of its own.
model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten(), nn.Linear(40, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


@torch.no_grad()
def decorated():
    return F.cross_entropy(model(x), y, reduction="sum").item() / len(x)


def in_a_block():
    with torch.inference_mode():
        return [F.cross_entropy(model(x[rows]), y[rows]).item() for rows in torch.arange(96).split(20)]


def without_a_block():
    return nn.CrossEntropyLoss()(model(x), y).item(), mse_loss(model(x), F.one_hot(y, 3).float()).item()


@torch.jit.script
def scripted(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(output, target)


def broadcast():
    return F.mse_loss(model(x)[:, :1], y.float()).item()


for step in range(60):
    model.train()
    rows = torch.randperm(96)[:16]
    optimizer.zero_grad()
    F.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
    if step % 5 == 4:
        model.eval()
        print(decorated(), in_a_block(), without_a_block(), scripted(model(x), y).item())
        print(broadcast())
        try:
            F.cross_entropy(model(x), y.float())
        except RuntimeError as error:
            print(type(error).__name__, str(error).splitlines()[0])
print(pickle.loads(pickle.dumps(mse_loss)) is F.mse_loss, F.mse_loss.__name__)
print_state(model, optimizer)
