import argparse
import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
cfg = dict(vars(parser.parse_args()), lr=1e-3, epochs=25, batch=75, fields=3500)
rng = np.random.default_rng(cfg["seed"])
torch.manual_seed(cfg["seed"])

ids = np.arange(cfg["fields"])
climate = rng.normal(size=(cfg["fields"], 9)).astype("float32")
yields = 2 * climate[:, 0] - climate[:, 1] ** 2 + climate[:, 2] * climate[:, 3] + np.abs(climate[:, 4]) + 0.3 * rng.normal(size=cfg["fields"])
weather_table = {"field": rng.permutation(ids)}
weather_table["values"] = climate[weather_table["field"]]
harvest_table = {"field": rng.permutation(ids)}
harvest_table["tons"] = yields[harvest_table["field"]].astype("float32")

x = torch.from_numpy(weather_table["values"])
y = torch.from_numpy(harvest_table["tons"])
y = (y - y.mean()) / y.std()
n_train = 2700
model = nn.Sequential(nn.Linear(9, 24), nn.SiLU(), nn.Linear(24, 24), nn.SiLU(), nn.Linear(24, 1), nn.Flatten(0))
optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
for epoch in range(cfg["epochs"]):
    total = 0.0
    for i in torch.randperm(n_train).split(cfg["batch"]):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[i]), y[i])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(i) / n_train
    with torch.no_grad():
        val = nn.functional.mse_loss(model(x[n_train:]), y[n_train:]).item()
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d} | train {total:.4f} | val {val:.4f}")
print("r2", 1 - val / y[n_train:].var().item())
