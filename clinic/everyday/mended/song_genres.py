import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split

parser = argparse.ArgumentParser(description="Genres of songs from spectral features")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()


def set_seed(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)


set_seed(args.seed)
GENRES = ["rock", "jazz", "folk", "techno", "choir"]
features, labels = [], []
profiles = np.random.randn(len(GENRES), 12)
for g in range(len(GENRES)):
    for _ in range(900):
        base = profiles[g] + 0.9 * np.random.randn(12)
        spread = np.abs(0.5 + 0.2 * profiles[g] + 0.3 * np.random.randn(12))
        features.append(np.concatenate([base, spread]))
        labels.append(g)
features = np.array(features, dtype=np.float32)
labels = np.array(labels)
features = (features - features.mean(axis=0)) / features.std(axis=0)
order = np.random.permutation(len(features))
features, labels = features[order], labels[order]

full = TensorDataset(torch.from_numpy(features), torch.from_numpy(labels))
train_set, val_set = random_split(full, [3600, 900])
train_loader = DataLoader(train_set, batch_size=90, shuffle=True)
val_loader = DataLoader(val_set, batch_size=300)

model = nn.Sequential(nn.Linear(24, 32), nn.LayerNorm(32), nn.SiLU(), nn.Dropout(0.2), nn.Linear(32, len(GENRES)))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3, factor=0.5)
criterion = nn.CrossEntropyLoss()

for epoch in range(15):
    model.train()
    total = 0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    model.eval()
    v, hit = 0, 0
    with torch.no_grad():
        for x, y in val_loader:
            out = model(x)
            v += criterion(out, y).item()
            hit += (out.argmax(1) == y).sum().item()
    scheduler.step(v)
    print("Epoch %02d: train=%.4f val=%.4f acc=%.3f" % (epoch, total / len(train_loader), v / len(val_loader), hit / 900))
print("accuracy %.4f" % (hit / 900))
