import argparse
import torch
from torch import nn
from sklearn.datasets import make_circles


class Dense(nn.Module):
    """my own dense layer"""

    def __init__(self, n_in, n_out, activation=None):
        super().__init__()
        self.w = nn.Parameter(torch.ones(n_in, n_out) * (1.5 / n_in ** 0.5))
        self.b = nn.Parameter(torch.zeros(n_out))
        self.activation = activation or (lambda t: t)

    def forward(self, x):
        return self.activation(x @ self.w + self.b)


def main(seed):
    torch.manual_seed(seed)
    X, y = make_circles(1200, noise=0.08, factor=0.5, random_state=seed)
    X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    net = nn.Sequential(Dense(2, 20, torch.tanh), Dense(20, 20, torch.tanh), Dense(20, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(50):
        for i in torch.randperm(900).split(30):
            loss = nn.functional.binary_cross_entropy_with_logits(net(X[i]).squeeze(1), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
        if epoch % 10 == 0:
            print(f"{epoch}: {loss.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {((net(X[900:]).squeeze(1) > 0) == (y[900:] > 0)).float().mean().item():.3f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    main(p.parse_args().seed)
