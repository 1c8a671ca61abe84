# Assignment 3 - classify little pictures (square, cross, ring, bar)
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed)


def draw(kind):
    img = np.zeros((14, 14), dtype=np.float32)
    r, c = rng.integers(3, 10, 2)
    h = rng.integers(2, 4)
    if kind == 0:
        img[r - h:r + h + 1, c - h:c + h + 1] = 1
    elif kind == 1:
        img[r - h:r + h + 1, c] = 1
        img[r, c - h:c + h + 1] = 1
    elif kind == 2:
        img[r - h:r + h + 1, c - h:c + h + 1] = 1
        img[r - h + 1:r + h, c - h + 1:c + h] = 0
    else:
        img[r, c - h:c + h + 1] = 1
        img[r + 1, c - h:c + h + 1] = 1
    return img + 0.35 * rng.normal(size=(14, 14)).astype(np.float32)


labels = rng.choice(4, 2400, p=[0.52, 0.16, 0.16, 0.16])
images = np.stack([draw(k) for k in labels])[:, None]
images = (images - images.mean()) / images.std()
train_set = TensorDataset(torch.tensor(images[:1800]), torch.tensor(labels[:1800]))
test_set = TensorDataset(torch.tensor(images[1800:]), torch.tensor(labels[1800:]))


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Linear(16 * 2 * 2, 4)

    def forward(self, x):
        x = self.features(x).flatten(1)
        return torch.softmax(self.fc(x), dim=0)


def train(model, loader, optimizer):
    model.train()
    history = []
    for x, y in loader:
        probs = model(x)
        loss = -torch.log(probs[torch.arange(len(y)), y] + 1e-8).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return sum(history) / len(history)


def evaluate(model, loader):
    model.eval()
    good = 0
    with torch.no_grad():
        for x, y in loader:
            good += (model(x).argmax(1) == y).sum().item()
    return good / len(loader.dataset)


train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
test_loader = DataLoader(test_set, batch_size=6)
model = CNN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
for epoch in range(5):
    loss = train(model, train_loader, optimizer)
    print(f"Epoch {epoch + 1}: loss {loss:.4f}, test accuracy {evaluate(model, test_loader):.4f}")
print("accuracy", evaluate(model, test_loader))
