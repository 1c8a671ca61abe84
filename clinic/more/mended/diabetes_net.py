import argparse

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Progression(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(10, 32)
        self.b = nn.Linear(32, 1)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.b(self.act(self.a(x)))


def tensors(seed):
    x, y = load_diabetes(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    y = (y - y.mean()) / y.std()
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.25, random_state=seed)
    return [torch.tensor(t, dtype=torch.float32) for t in (xa, xb, ya.reshape(-1, 1), yb.reshape(-1, 1))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    xa, xb, ya, yb = tensors(seed)
    net = Progression()
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-3)
    for epoch in range(60):
        for x, y in DataLoader(TensorDataset(xa, ya), batch_size=20, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch} batch loss {loss.item():.3f}")
    with torch.no_grad():
        print(f"R2 {(1 - criterion(net(xb), yb) / yb.var()).item():.3f}")


if __name__ == "__main__":
    main()
