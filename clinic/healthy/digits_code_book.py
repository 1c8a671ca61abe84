"""Squeezes digits through a book of 32 codes."""

import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class CodeBook(nn.Module):
    def __init__(self, codes=32, dim=8):
        super().__init__()
        self.codes = nn.Parameter(torch.randn(codes, dim) * 0.5)

    def forward(self, z):
        nearest = torch.cdist(z, self.codes).argmin(-1)
        q = self.codes[nearest]
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), loss


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 32))
        self.book = CodeBook()
        self.decode = nn.Sequential(nn.Linear(32, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x):
        z, loss = self.book(self.encode(x).view(len(x), 4, 8))
        return self.decode(z.flatten(1)), loss


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
x = torch.tensor((load_digits().data - 4.9) / 6, dtype=torch.float32)
x = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(21))]
model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)
for epoch in range(30):
    for batch in x[:1400][torch.randperm(1400)].split(50):
        drawn, code_loss = model(batch)
        loss = F.mse_loss(drawn, batch) + code_loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("R2", 1 - (F.mse_loss(model(x[1400:])[0], x[1400:]) / x[1400:].var()).item())
