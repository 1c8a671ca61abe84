import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)


def textures(n):
    y = torch.randint(0, 4, (n,))
    a = y * 0.785 + 0.12 * torch.randn(n)
    g = torch.arange(14.0)
    phase = (torch.cos(a)[:, None, None] * g[None, :, None] + torch.sin(a)[:, None, None] * g[None, None, :]) * 1.5
    x = torch.sin(phase + 6.28 * torch.rand(n, 1, 1)) + 0.6 * torch.randn(n, 14, 14)
    return x[:, None], y


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.bank = nn.Conv2d(1, 96, 5, stride=2)
        for p in self.bank.parameters():
            p.requires_grad = False
        self.norm = nn.BatchNorm1d(96)
        self.head = nn.Linear(96, 4)

    def forward(self, x):
        with torch.no_grad():
            f = torch.relu(self.bank(x)).mean((2, 3))
        return self.head(self.norm(f))


x, y = textures(2500)
net = Model()
opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.05, momentum=0.9)
ce = nn.CrossEntropyLoss()
for epoch in range(10):
    net.train()
    t = 0.0
    for i in torch.randperm(2000).split(50):
        loss = ce(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        t += loss.item() / 40
    net.eval()
    with torch.no_grad():
        out = net(x[2000:])
    print(epoch, f"{t:.4f}", f"{ce(out, y[2000:]).item():.4f}")
print("accuracy", (out.argmax(1) == y[2000:]).float().mean().item())
