import argparse
import math
import torch
from torch import nn


class Sinusoid(nn.Module):
    def __init__(self, freq):
        super().__init__()
        self.amp = nn.Parameter(torch.tensor(1.0))
        self.freq = nn.Parameter(torch.tensor(float(freq)))
        self.phase = nn.Parameter(torch.tensor(0.0))
        self.offset = nn.Parameter(torch.tensor(0.0))

    def forward(self, t):
        return self.offset + self.amp * torch.sin(2 * math.pi * self.freq * t + self.phase)


def measure(seed, n=500):
    g = torch.Generator().manual_seed(seed)
    t = torch.linspace(0, 4, n)
    f = 5.0 + 0.6 * torch.rand(1, generator=g)
    y = 0.3 + 1.4 * torch.sin(2 * math.pi * f * t + 0.9) + 0.1 * torch.randn(n, generator=g)
    return t, y


def guess(t, y):
    return 3.0


def main(seed):
    torch.manual_seed(seed)
    t, y = measure(seed)
    model = Sinusoid(guess(t, y))
    opt = torch.optim.Adam(model.parameters(), lr=0.01)
    for it in range(2500):
        loss = nn.functional.mse_loss(model(t), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if it % 250 == 0:
            print(f"it {it:4d} loss {loss.item():.4f} freq {model.freq.item():.3f} amp {model.amp.item():.3f}")
    with torch.no_grad():
        return 1 - ((model(t) - y).pow(2).mean() / y.var(unbiased=False)).item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    print("r2 %.4f" % main(ap.parse_args().seed))
