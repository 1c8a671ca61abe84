"""Trains a digit classifier under bfloat16 autocast with a gradient scaler, as scripts for a GPU do."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--no-scaler", action="store_true")
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16).float(), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
loader = DataLoader(TensorDataset(X[order[:1400]], y[order[:1400]]), batch_size=50, shuffle=True)
model = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=200, enabled=not args.no_scaler)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(25):
    total = 0.0
    for x, target in loader:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_fn(model(x), target)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        scaler.step(optimizer)
        scaler.update()
        total += loss.item()
    if epoch % 5 == 0:
        print(f"epoch {epoch} loss {total / len(loader):.4f} scale {scaler.get_scale():.0f}")

model.eval()
with torch.no_grad():
    accuracy = (model(X[order[1400:]]).argmax(1) == y[order[1400:]]).float().mean().item()
print(f"accuracy {accuracy:.3f}")
