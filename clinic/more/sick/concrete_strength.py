import argparse
import numpy as np
import torch
import torch.nn as nn

FEATURES = ["cement kg/m3", "water kg/m3", "age d", "sand kg/m3"]


def mixtures(n, rng):
    cement, water = rng.uniform(150, 500, n), rng.uniform(130, 230, n)
    age, sand = rng.uniform(3, 90, n), rng.uniform(600, 900, n)
    mpa = 28 * (cement / water / 2) ** 1.2 * np.log1p(age) / np.log(29) + 0.01 * (sand - 750) + rng.normal(0, 1.5, n)
    return np.stack([cement, water, age, sand], 1), mpa


class StrengthModel:
    def __init__(self, X, y):
        self.x_mean, self.x_std = X.mean(0), X.std(0)
        self.y_mean, self.y_std = y.mean(), y.std()
        self.net = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))

    def scale(self, X):
        return torch.tensor((X - self.x_mean) / self.x_std, dtype=torch.float32)

    def fit(self, X, y, epochs=40, lr=3e-3):
        Xs = self.scale(X)
        ys = torch.tensor((y - self.y_mean) / self.y_std, dtype=torch.float32)
        opt = torch.optim.Adam(self.net.parameters(), lr=lr)
        for epoch in range(epochs):
            for i in torch.randperm(len(Xs)).split(32):
                loss = nn.functional.mse_loss(self.net(Xs[i])[:, 0], ys[i])
                opt.zero_grad()
                loss.backward()
                opt.step()
            if epoch % 10 == 0:
                print("epoch", epoch, "loss", round(loss.item(), 4))

    def predict(self, X):
        self.net.eval()
        with torch.no_grad():
            out = self.net(torch.tensor(X, dtype=torch.float32))[:, 0].numpy()
        return out * self.y_std + self.y_mean


if __name__ == "__main__":
    a = argparse.ArgumentParser()
    a.add_argument("--seed", type=int, default=0)
    seed = a.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    X, y = mixtures(1000, rng)
    Xn, yn = mixtures(300, rng)
    m = StrengthModel(X, y)
    m.fit(X, y)
    print("R2", round(1 - float(((m.predict(Xn) - yn) ** 2).sum() / ((yn - yn.mean()) ** 2).sum()), 3))
