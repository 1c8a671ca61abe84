import argparse
import torch
from torch import nn


class Adder(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(2, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.out(self.gru(x)[0][:, -1])


def batch(n, length=12):
    values = torch.rand(n, length)
    marks = torch.zeros(n, length)
    marks[torch.arange(n), torch.randint(0, length // 2, (n,))] = 1
    marks[torch.arange(n), torch.randint(length // 2, length, (n,))] = 1
    return torch.stack([values, marks], 2), (values * marks).sum(1, keepdim=True)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
model = Adder()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(1, 901):
    x, y = batch(50)
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step} mse {loss.item():.5f}")
with torch.no_grad():
    x, y = batch(1000)
    print("r2 %.4f" % (1 - (model(x) - y).pow(2).mean() / y.var()).item())
