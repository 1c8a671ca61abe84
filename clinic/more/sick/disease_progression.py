import argparse
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_diabetes, make_friedman1


class RegressionNet(nn.Module):
    def __init__(self, inputs, hidden=(40, 20)):
        super().__init__()
        self.l1 = nn.Linear(inputs, hidden[0])
        self.l2 = nn.Linear(hidden[0], hidden[1])
        self.l3 = nn.Linear(hidden[1], 1)
        self.act = nn.Tanh()

    def forward(self, x):
        for layer in (self.l1, self.l2):
            x = self.act(layer(x))
        return torch.sigmoid(self.l3(x))


def z(a, ref):
    return (a - ref.mean(0)) / ref.std(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    X, y = make_friedman1(n_samples=1200, n_features=8, noise=1.0, random_state=seed)
    Xtr, Xte = z(X[:900], X[:900]), z(X[900:], X[:900])
    ytr, yte = z(y[:900], y[:900]), z(y[900:], y[:900])
    to = lambda a: torch.as_tensor(a, dtype=torch.float32)
    Xtr, Xte, ytr, yte = to(Xtr), to(Xte), to(ytr).unsqueeze(1), to(yte).unsqueeze(1)
    model = RegressionNet(X.shape[1])
    criterion = nn.MSELoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    for epoch in range(60):
        model.train()
        perm = np.random.RandomState(epoch).permutation(len(Xtr))
        for start in range(0, len(perm), 45):
            sel = perm[start:start + 45]
            optimizer.zero_grad()
            loss = criterion(model(Xtr[sel]), ytr[sel])
            loss.backward()
            optimizer.step()
        if (epoch + 1) % 10 == 0:
            print("Epoch", epoch + 1, "loss", round(loss.item(), 4))
    model.eval()
    with torch.no_grad():
        pred = model(Xte)
    print("R2", round(1 - (((yte - pred) ** 2).sum() / ((yte - yte.mean()) ** 2).sum()).item(), 3))


if __name__ == "__main__":
    main()
