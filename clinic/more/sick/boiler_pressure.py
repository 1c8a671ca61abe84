import argparse
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import TensorDataset, DataLoader

# simulated boiler: fill level [-], flame power [kW], feed water [degC] -> pressure [Pa]
R_GAS = 461.5


def simulate(n, rng):
    level = rng.uniform(0.2, 0.8, n)
    power = rng.uniform(5.0, 40.0, n)
    feed = rng.uniform(10.0, 60.0, n)
    temp = 373.0 + 2.2 * power * (1 - 0.5 * level) - 0.4 * (60 - feed)
    rho = 0.6 + 0.02 * power
    p = rho * R_GAS * temp + rng.normal(0, 2500.0, n)
    return np.stack([level, power, feed], 1), p


class Surrogate(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU())
        self.readout = nn.Linear(32, 1)

    def forward(self, z):
        return self.readout(self.body(z)).squeeze(-1)


def main(seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    X, p = simulate(1500, rng)
    X = (X - X.mean(0)) / X.std(0)
    X, p = torch.tensor(X, dtype=torch.float32), torch.tensor(p, dtype=torch.float32)
    loader = DataLoader(TensorDataset(X[:1200], p[:1200]), batch_size=32, shuffle=True)
    model, mse = Surrogate(), nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(30):
        for xb, pb in loader:
            loss = mse(model(xb), pb)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        if epoch % 5 == 0:
            print(f"[{epoch:02d}] rmse {loss.item() ** 0.5:.4g}")
    with torch.no_grad():
        q = model(X[1200:])
    r2 = 1 - ((q - p[1200:]) ** 2).sum() / ((p[1200:] - p[1200:].mean()) ** 2).sum()
    print(f"R2 {r2.item():.3f}")


if __name__ == "__main__":
    a = argparse.ArgumentParser()
    a.add_argument("--seed", type=int, default=0)
    main(a.parse_args().seed)
