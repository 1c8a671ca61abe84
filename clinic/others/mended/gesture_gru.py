# classify hand gestures (2d strokes) with a recurrent net
import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader


class Strokes(Dataset):
    """circles, zigzags, figure eights and swipes, 20 points each"""

    def __init__(self, count, seed):
        rng = np.random.default_rng(seed)
        self.samples = []
        t = np.linspace(0, 1, 20)
        for _ in range(count):
            k = int(rng.integers(4))
            a, ph, sgn = rng.uniform(0.7, 1.3), rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])
            if k == 0:
                xy = np.stack([np.cos(2 * np.pi * t + ph), sgn * np.sin(2 * np.pi * t + ph)])
            elif k == 1:
                xy = np.stack([sgn * (2 * t - 1), 2 * np.abs((3 * t + ph) % 1 - 0.5)])
            elif k == 2:
                xy = np.stack([np.sin(2 * np.pi * t + ph), sgn * np.sin(4 * np.pi * t + 2 * ph)])
            else:
                xy = np.stack([sgn * (2 * t - 1), 0.4 * rng.normal() * (2 * t - 1)])
            xy = a * xy + 0.25 * rng.normal(size=xy.shape)
            self.samples.append((xy.T.astype(np.float32), k))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, idx):
        return self.samples[idx]


class GestureNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 32, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        _, h = self.gru(x)
        return self.fc(h.squeeze(0))


parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

dataloaders = {
    'train': DataLoader(Strokes(1500, seed), batch_size=32, shuffle=True),
    'val': DataLoader(Strokes(500, 1000 + seed), batch_size=100),
}
model = GestureNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)

for epoch in range(10):
    for phase in ['train', 'val']:
        if phase == 'train':
            model.train()
        else:
            model.eval()
        running_loss, running_corrects = 0.0, 0
        for inputs, labels in dataloaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == 'train'):
                outputs = model(inputs)
                _, preds = torch.max(outputs, 1)
                loss = criterion(outputs, labels)
                if phase == 'train':
                    loss.backward()
                    optimizer.step()
            running_loss += loss.item() * inputs.size(0)
            running_corrects += torch.sum(preds == labels.data).item()
        n = len(dataloaders[phase].dataset)
        print('{} Loss: {:.4f} Acc: {:.4f}'.format(phase, running_loss / n, running_corrects / n))
print('accuracy', running_corrects / n)
