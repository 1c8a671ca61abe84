import argparse

import torch
from sklearn.datasets import make_friedman1
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Regressor(nn.Module):
    def __init__(self, inputs, hidden=48):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(inputs, hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, x):
        return self.net(x)


def smooth_l1(prediction, target):
    gap = (prediction - target).abs()
    return torch.where(gap < 1, 0.5 * gap ** 2, gap - 0.5).mean()


def split(seed):
    x, y = make_friedman1(n_samples=900, n_features=8, noise=0.5, random_state=seed)
    x = torch.tensor(x * 2 - 1, dtype=torch.float32)
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32).unsqueeze(1)
    return x[:700], y[:700], x[700:], y[700:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    x, y, x_val, y_val = split(seed)
    model = Regressor(x.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.5)
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    for epoch in range(70):
        for xb, yb in loader:
            loss = smooth_l1(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        error = (model(x_val).flatten() - y_val.flatten()).pow(2).mean()
        print(f"R2 {(1 - error / y_val.var()).item():.3f}")


if __name__ == "__main__":
    main()
