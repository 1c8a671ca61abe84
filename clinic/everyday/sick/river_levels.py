import argparse
import numpy as np
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)

n = 3000
rain1, rain3, snow, soil = rng.gamma(1, 8, n), rng.gamma(2, 8, n), rng.gamma(1, 5, n), rng.random(n)
warm = rng.normal(8, 7, n)
level = 60 + rain1 * (0.6 + soil) + 0.8 * rain3 * soil + 0.25 * snow * np.maximum(warm, 0) + rng.normal(0, 2, n)
table = np.column_stack([rain1, rain3, snow, soil, warm, level])
test, train = table[:600], table[600:]
train = train[train[:, -1].argsort()]
mean, std = train.mean(0), train.std(0)
train, test = [torch.tensor((t - mean) / std, dtype=torch.float32) for t in (train, test)]

net = nn.Sequential(nn.Linear(5, 40), nn.LeakyReLU(), nn.Linear(40, 40), nn.LeakyReLU(), nn.Linear(40, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
for epoch in range(40):
    se = 0
    for k in range(0, len(train), 60):
        batch = train[k:k + 60]
        x, y = batch[:, :-1], batch[:, -1:]
        loss = nn.functional.mse_loss(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        se += loss.item() * len(batch)
    if epoch % 4 == 0:
        with torch.no_grad():
            val = nn.functional.mse_loss(net(test[:, :-1]), test[:, -1:]).item()
        print("epoch %2d rmse %.4f val rmse %.4f" % (epoch, (se / len(train)) ** .5, val ** .5))
with torch.no_grad():
    val = nn.functional.mse_loss(net(test[:, :-1]), test[:, -1:]).item()
print("r2", 1 - val / test[:, -1].var().item())
