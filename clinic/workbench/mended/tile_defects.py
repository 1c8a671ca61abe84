import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
np.random.seed(seed)


def tile(kind):
    im = np.random.normal(170, 18, (16, 16))
    if kind == 1:                                   # scratch
        c = np.random.randint(2, 14)
        for r in range(16):
            im[r, min(15, max(0, c + (r - 8) // 5))] -= 70
    if kind == 2:                                   # chipped
        r, c = np.random.randint(1, 11, 2)
        im[r:r + 4, c:c + 4] -= 60
    return np.clip(im, 0, 250).astype(np.uint8)


class Tiles(Dataset):
    def __init__(self, n):
        self.labels = np.random.randint(0, 3, n)
        self.images = [tile(k) for k in self.labels]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = self.images[i] / 255 - 0.5
        return torch.tensor(img, dtype=torch.float32).unsqueeze(0), int(self.labels[i])


train_dl = DataLoader(Tiles(1200), batch_size=32, shuffle=True)
test_dl = DataLoader(Tiles(400), batch_size=100)

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(7):
    model.train()
    running = 0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item()
    model.eval()
    hits = 0
    with torch.no_grad():
        for xb, yb in test_dl:
            hits += (model(xb).argmax(1) == yb).sum().item()
    print('Epoch', epoch + 1, 'loss', running / len(train_dl), 'acc', hits / 400)
print('accuracy', hits / 400)
