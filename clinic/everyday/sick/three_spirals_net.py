import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def spirals(n, classes, rng):
    xs, ys = [], []
    for c in range(classes):
        r = np.linspace(0.15, 1, n)
        a = np.linspace(c * 2 * np.pi / classes, c * 2 * np.pi / classes + 5.5, n) + 0.12 * rng.normal(size=n)
        xs.append(np.stack([r * np.sin(a), r * np.cos(a)], 1))
        ys.append(np.full(n, c))
    return np.concatenate(xs).astype("float32") * 2, np.concatenate(ys)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)

x, y = spirals(300, 3, rng)
xv, yv = spirals(150, 3, rng)
train_dl = DataLoader(TensorDataset(torch.tensor(x), torch.tensor(y)), batch_size=36, shuffle=True)

model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
epochs = 45
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.03, epochs=epochs, steps_per_epoch=len(train_dl))
loss_func = nn.CrossEntropyLoss()

for epoch in range(epochs):
    model.train()
    tot, cnt = 0.0, 0
    for xb, yb in train_dl:
        pred = model(xb)
        loss = loss_func(pred, yb)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        tot, cnt = tot + loss.item() * len(xb), cnt + len(xb)
    scheduler.step()
    model.eval()
    with torch.no_grad():
        acc = (model(torch.tensor(xv)).argmax(1).numpy() == yv).mean()
    if epoch % 5 == 4:
        print(f"{epoch + 1:3d} | {tot / cnt:.4f} | {acc:.3f}")

print("accuracy", round(float(acc), 4))
