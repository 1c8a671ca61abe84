import argparse
import torch
from torch import nn


class Pulses(nn.Module):
    """Amplitudes written as a difference of squares."""

    def __init__(self, n, start):
        super().__init__()
        self.up = nn.Parameter(torch.full((n,), start))
        self.dn = nn.Parameter(torch.full((n,), start))

    def amplitudes(self):
        return self.up ** 2 - self.dn ** 2

    def forward(self, sensing):
        return sensing @ self.amplitudes()


def experiment(n=120, m=60, k=5):
    amp = torch.zeros(n)
    where = torch.randperm(n)[:k]
    amp[where] = torch.sign(torch.randn(k)) * (1 + torch.rand(k))
    sensing = torch.randn(m + 100, n)
    readings = sensing @ amp + 0.02 * torch.randn(m + 100)
    return sensing[:m], readings[:m], sensing[m:], readings[m:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=float, default=1.5)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    a, y, a_new, y_new = experiment()
    model = Pulses(a.shape[1], args.start)
    optimizer = torch.optim.SGD(model.parameters(), lr=4e-3)
    for epoch in range(600):
        for idx in torch.randperm(len(y)).split(15):
            optimizer.zero_grad()
            loss = ((model(a[idx]) - y[idx]) ** 2).mean()
            loss.backward()
            optimizer.step()
        if epoch % 60 == 59:
            with torch.no_grad():
                print(f"epoch {epoch + 1} train {((model(a) - y) ** 2).mean():.5f} new {((model(a_new) - y_new) ** 2).mean():.5f}")
    with torch.no_grad():
        r2 = 1 - ((model(a_new) - y_new) ** 2).mean() / y_new.var()
    print("r2 %.4f" % r2.item())
