import argparse
import numpy as np
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed)

volts = rng.uniform(0, 1, size=400)
temp = np.sin(7.5 * volts) + 0.8 * np.cos(13 * volts) + 0.05 * rng.normal(size=400)

features = np.polynomial.legendre.legvander(2 * volts - 1, 8)[:, 1:]
features = (features - features.mean(0)) / features.std(0)
X = torch.tensor(features, dtype=torch.float32)
Y = torch.tensor((temp - temp.mean()) / temp.std(), dtype=torch.float32).unsqueeze(1)
X_fit, Y_fit, X_check, Y_check = X[:300], Y[:300], X[300:], Y[300:]

curve = torch.nn.Linear(X.shape[1], 1)
sgd = torch.optim.SGD(curve.parameters(), lr=0.1)
for step in range(1, 4001):
    sgd.zero_grad()
    loss = torch.mean((curve(X_fit) - Y_fit) ** 2)
    loss.backward()
    sgd.step()
    if step % 500 == 0:
        print("step", step, "mse", round(loss.item(), 5))

with torch.no_grad():
    r2 = 1 - torch.mean((curve(X_check) - Y_check) ** 2) / Y_check.var()
print("r2", round(r2.item(), 4))
