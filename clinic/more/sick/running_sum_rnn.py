import argparse
import torch
from torch import nn

# sign of a weighted sum over a long series


class Recurrent(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.rnn = nn.RNN(1, hidden, nonlinearity="relu", batch_first=True)
        self.out = nn.Linear(hidden, 1)
        nn.init.eye_(self.rnn.weight_hh_l0)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h[:, -1]).squeeze(1)


def series(n, g):
    x = torch.randn(n, 60, 1, generator=g)
    return x, (x.sum((1, 2)) > 0).float()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
g = torch.Generator().manual_seed(seed)
X, y = series(1200, g)
Xt, yt = series(400, g)
net = Recurrent()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
crit = nn.BCEWithLogitsLoss()
for epoch in range(5):
    for i in torch.randperm(1200).split(40):
        opt.zero_grad()
        loss = crit(net(X[i]), y[i])
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("accuracy", round(((net(Xt) > 0) == (yt > 0)).float().mean().item(), 3))
