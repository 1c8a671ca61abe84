import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)


def series(n, T=30):
    t = torch.arange(T).float()
    y = torch.randint(0, 3, (n,))
    f = torch.tensor([.25, .4, .6])[y][:, None] * (1 + .08 * torch.randn(n, 1))
    s = torch.sin(f * t + 6.28 * torch.rand(n, 1)) + .4 * torch.randn(n, T)
    return s.unsqueeze(2), y


class Cell(nn.Module):
    def __init__(self, inp, hidden, classes):
        super().__init__()
        self.hidden = hidden
        self.Wx = nn.Parameter(torch.randn(inp, hidden) * 0.3)
        self.Wh = nn.Parameter(torch.randn(hidden, hidden) * 0.08)
        self.b = nn.Parameter(torch.zeros(hidden))
        self.out = nn.Linear(hidden, classes)

    def forward(self, x):
        h = x.new_zeros(len(x), self.hidden)
        for t in range(x.shape[1]):
            h = torch.relu(x[:, t] @ self.Wx + h @ self.Wh + self.b)
        return self.out(h)


Xtr, ytr = series(1500)
Xte, yte = series(500)
net = Cell(1, 64, 3)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(12):
    for b in torch.randperm(1500).split(50):
        loss = nn.functional.cross_entropy(net(Xtr[b]), ytr[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
with torch.no_grad():
    print('accuracy', (net(Xte).argmax(1) == yte).float().mean().item())
