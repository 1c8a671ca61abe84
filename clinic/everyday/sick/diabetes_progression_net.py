import argparse
import torch
from torch import nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def prepare(seed):
    X, y = load_diabetes(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, train_size=220, random_state=1)
    sx, sy = StandardScaler().fit(Xa), StandardScaler().fit(ya[:, None])
    f = lambda a: torch.tensor(a, dtype=torch.float32)
    return f(sx.transform(Xa)), f(sy.transform(ya[:, None])), f(sx.transform(Xb)), f(sy.transform(yb[:, None]))


class Regressor(nn.Module):
    def __init__(self, width=200):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x):
        return self.net(x)


def train(seed, epochs=100, batch=20, lr=1e-3):
    torch.manual_seed(seed)
    Xa, ya, Xb, yb = prepare(seed)
    model = Regressor()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.MSELoss()
    for epoch in range(epochs):
        model.train()
        train_loss = 0.0
        for idx in torch.randperm(len(Xa)).split(batch):
            optimizer.zero_grad()
            loss = criterion(model(Xa[idx]), ya[idx])
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(idx) / len(Xa)
        model.eval()
        with torch.no_grad():
            val_loss = criterion(model(Xb), yb).item()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: train {train_loss:.4f} val {val_loss:.4f}")
    with torch.no_grad():
        return 1 - val_loss / yb.var(unbiased=False).item()


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    print(f"r2 {train(cli.parse_args().seed):.4f}")
