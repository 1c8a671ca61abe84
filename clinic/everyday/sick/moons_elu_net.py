import argparse
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
from torch.utils.data import DataLoader, TensorDataset

BATCH = 16
ACCUM_STEPS = 64
EPOCHS = 40

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
opts = parser.parse_args()
torch.manual_seed(opts.seed)

X, y = make_moons(n_samples=1000, noise=0.15, random_state=opts.seed)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.long)
loader = DataLoader(TensorDataset(X[:800], y[:800]), batch_size=BATCH, shuffle=True)
valid_x, valid_y = X[800:], y[800:]

model = nn.Sequential(nn.Linear(2, 32), nn.ELU(), nn.Linear(32, 32), nn.ELU(), nn.Linear(32, 2))
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.003)
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    running = 0.0
    optimizer.zero_grad()
    for i, (bx, by) in enumerate(loader):
        loss = criterion(model(bx), by) / ACCUM_STEPS
        loss.backward()
        running += loss.item() * ACCUM_STEPS
        if (i + 1) % ACCUM_STEPS == 0:
            optimizer.step()
            optimizer.zero_grad()
    if (epoch + 1) % 5 == 0:
        print("epoch", epoch + 1, "train loss", round(running / len(loader), 4))

model.eval()
with torch.no_grad():
    acc = (model(valid_x).argmax(1) == valid_y).float().mean().item()
print("accuracy", round(acc, 4))
