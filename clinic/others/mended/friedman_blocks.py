# regression on the friedman data with a configurable number of layers
import argparse
import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1
from sklearn.metrics import r2_score


class Regressor(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList()
        for a, b in zip(sizes[:-1], sizes[1:]):
            self.layers.append(nn.Linear(a, b))
        self.head = nn.Linear(sizes[-1], 1)

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.head(x).squeeze(-1)


def main(seed):
    torch.manual_seed(seed)
    X, y = make_friedman1(n_samples=2000, n_features=8, noise=0.5, random_state=seed)
    X = torch.tensor(2 * X - 1, dtype=torch.float32) * 1.7
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    X_train, y_train, X_test, y_test = X[:1600], y[:1600], X[1600:], y[1600:]

    model = Regressor([8, 32, 24, 16])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.MSELoss()
    for epoch in range(45):
        for idx in torch.randperm(1600).split(40):
            optimizer.zero_grad()
            loss = criterion(model(X_train[idx]), y_train[idx])
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        print("r2", round(float(r2_score(y_test.numpy(), model(X_test).numpy())), 4))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
