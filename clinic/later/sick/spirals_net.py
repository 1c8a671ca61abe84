import argparse
import math
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)


def spirals(n):
    c = torch.randint(0, 3, (n,))
    r = torch.rand(n)
    t = r * 4 + c * 2 * math.pi / 3 + 0.15 * torch.randn(n)
    return torch.stack([r * torch.sin(t), r * torch.cos(t)], 1) * 2, c


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.lin = nn.Linear(width, width)

    def forward(self, x):
        return torch.tanh(self.lin(x))


class DeepNet(nn.Module):
    def __init__(self, width=32, depth=3):
        super().__init__()
        self.inp = nn.Linear(2, width)
        self.blocks = [Block(width) for _ in range(depth)]
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        x = torch.tanh(self.inp(x))
        for block in self.blocks:
            x = block(x)
        return self.head(x)


X, y = spirals(900)
Xv, yv = spirals(300)
model = DeepNet()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(50):
    for b in torch.randperm(900).split(45):
        opt.zero_grad()
        loss = loss_fn(model(X[b]), y[b])
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            print(epoch + 1, "train", loss_fn(model(X), y).item(), "val acc", (model(Xv).argmax(1) == yv).float().mean().item())

with torch.no_grad():
    print("accuracy", (model(Xv).argmax(1) == yv).float().mean().item())
