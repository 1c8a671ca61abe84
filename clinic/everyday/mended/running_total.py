import argparse
import torch
import torch.nn as nn


class Recurrent(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.hidden = hidden
        self.inp = nn.Linear(inputs, hidden)
        self.rec = nn.Linear(hidden, hidden, bias=False)
        self.out = nn.Linear(hidden, 1)
        nn.init.orthogonal_(self.rec.weight)
        nn.init.normal_(self.inp.weight, std=0.2)

    def forward(self, x):
        h = torch.zeros(x.size(0), self.hidden)
        for t in range(x.size(1)):
            h = torch.relu(self.inp(x[:, t]) + self.rec(h))
        return self.out(h).squeeze(1)


def make_batch(n, length=20):
    change = torch.randn(n, length, 1)
    stock = torch.zeros(n, 1)
    for t in range(length):
        stock = 0.8 * stock + change[:, t] + 0.3 * torch.relu(stock) * (change[:, t] > 1)
    return change, stock.squeeze(1) / 1.8


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
model = Recurrent(1, 40)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_function = nn.MSELoss()
x_test, y_test = make_batch(500)

for it in range(900):
    x, y = make_batch(32)
    loss = loss_function(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if it % 90 == 0:
        print("iteration", it, "loss", loss.item())

with torch.no_grad():
    err = loss_function(model(x_test), y_test)
print("r2", max(-1e6, (1 - err / y_test.var()).item()))
