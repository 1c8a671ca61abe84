import argparse

import numpy as np
import torch
from mlxtend.data import autompg_data

config = {"lr": 0.01, "epochs": 60, "batch": 28, "hidden": 24}

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
config["seed"] = p.parse_args().seed
torch.manual_seed(config["seed"])
print(config)

features, mpg = autompg_data()
features = features[:, :7]
features = (features - features.mean(axis=0)) / features.std(axis=0)
mpg = (mpg - mpg.mean()) / mpg.std()
x = torch.tensor(features, dtype=torch.float32)
y = torch.tensor(mpg, dtype=torch.float32).unsqueeze(1)
rows = torch.tensor(np.random.RandomState(11).permutation(len(x)))
train, test = rows[:308], rows[308:]

model = torch.nn.Sequential(
    torch.nn.Linear(x.shape[1], config["hidden"]), torch.nn.ELU(), torch.nn.Linear(config["hidden"], 1)
)
optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
loss_fn = torch.nn.MSELoss()
for epoch in range(config["epochs"]):
    epoch_loss = 0
    for batch in train[torch.randperm(len(train))].split(config["batch"]):
        optimizer.zero_grad()
        loss = loss_fn(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    scheduler.step()
    if epoch % 10 == 0:
        print(f"[{epoch}] loss={epoch_loss / 11:.4f}")
with torch.no_grad():
    error = ((model(x[test]) - y[test]) ** 2).mean() / y[test].var()
print("r2", 1 - error.item())
