import argparse
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Ridge(nn.Module):
    def __init__(self, d, penalty=1e-4):
        super().__init__()
        self.lin, self.penalty = nn.Linear(d, 1), penalty

    def forward(self, x):
        return self.lin(x)

    def objective(self, x, y):
        return nn.functional.mse_loss(self(x), y) + self.penalty * self.lin.weight.square().sum()


class Standardize:
    def fit(self, x):
        self.m, self.s = x.mean(0), x.std(0)
        return self

    def __call__(self, x):
        return (x - self.m) / self.s


def main(cfg):
    torch.manual_seed(cfg.seed)
    x, y = load_diabetes(return_X_y=True, scaled=False)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32).unsqueeze(1)
    y = (y - y.mean()) / y.std()
    p = torch.randperm(len(x))
    tr, te = p[:340], p[340:]
    model = Ridge(10)
    opt = torch.optim.SGD(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        for xb, yb in DataLoader(TensorDataset(x[tr], y[tr]), 34, shuffle=True):
            opt.zero_grad()
            loss = model.objective(xb, yb)
            loss.backward()
            opt.step()
        if epoch % 20 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        r2 = 1 - (model(x[te]) - y[te]).square().mean() / y[te].var()
    print(f"r2 {r2.item():.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1e-6)
    parser.add_argument("--epochs", type=int, default=100)
    main(parser.parse_args())
