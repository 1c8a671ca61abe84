import argparse

import torch
from sklearn.datasets import make_regression
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class Plane(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.linear = torch.nn.Linear(n, 1)

    def forward(self, x):
        return self.linear(x).squeeze(-1)


def data(seed):
    x, y = make_regression(n_samples=800, n_features=6, noise=5.0, random_state=seed)
    x = StandardScaler().fit_transform(x)
    y = y / 20
    x, y = torch.tensor(x).float(), torch.tensor(y).float()
    return TensorDataset(x[:600], y[:600]), TensorDataset(x[600:], y[600:])


def r_squared(model, dataset):
    x, y = dataset.tensors
    with torch.no_grad():
        return 1 - (torch.sum((model(x) - y) ** 2) / torch.sum((y - y.mean()) ** 2)).item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    train, test = data(seed)
    model = Plane(6)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.02)
    loss_fn = torch.nn.MSELoss()
    for epoch in range(60):
        for x, y in DataLoader(train, batch_size=30, shuffle=True):
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(f"{epoch:3d} | loss {loss.item():10.4f} | test R2 {r_squared(model, test):.3f}")
    print(f"R2 {r_squared(model, test):.3f}")


if __name__ == "__main__":
    main()
