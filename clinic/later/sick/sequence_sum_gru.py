import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

T = 12


def batch(n):
    # is the sum of the sequence positive?
    x = torch.randn(n, T, 1)
    return x, (x.sum(dim=(1, 2)) > 0).long()


class GRUClassifier(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.linear = nn.Linear(hidden, 2)

    def forward(self, x):
        _, h = self.gru(x)
        return self.linear(h[-1])


model = GRUClassifier()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for i in range(500):
    x, y = batch(32)
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step
    if i % 50 == 0:
        print("iter", i, "loss", loss.item())

x, y = batch(1000)
with torch.no_grad():
    print("accuracy", (model(x).argmax(1) == y).float().mean().item())
