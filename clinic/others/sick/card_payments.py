# Find the few odd card payments among many ordinary ones
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader
from sklearn.metrics import balanced_accuracy_score


class Payments(Dataset):
    def __init__(self, n, seed):
        rng = np.random.RandomState(seed)
        self.y = (rng.rand(n) < 0.02).astype(np.float32)
        x = rng.randn(n, 12)
        x[:, 0] += 1.3 * self.y
        x[:, 3] -= 1.3 * self.y
        x[:, 7] += 1.3 * self.y
        x[:, 1] += 0.5 * x[:, 0] ** 2 - 0.5
        self.x = x.astype(np.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def main(seed):
    torch.manual_seed(seed)
    train_set = Payments(6000, 100 + seed)
    test_set = Payments(6000, 900 + seed)

    train_loader = DataLoader(train_set, batch_size=100, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=500)

    model = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 1))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(20):
        model.train()
        correct = 0
        for x, y in train_loader:
            optimizer.zero_grad()
            out = model(x).squeeze(1)
            loss = criterion(out, y)
            loss.backward()
            optimizer.step()
            correct += ((out > 0).float() == y).sum().item()
        print('epoch', epoch, 'loss', round(loss.item(), 4), 'train accuracy', correct / len(train_set))

    model.eval()
    truth, guess = [], []
    with torch.no_grad():
        for x, y in test_loader:
            guess.append((model(x).squeeze(1) > 0).float())
            truth.append(y)
    score = balanced_accuracy_score(torch.cat(truth), torch.cat(guess))
    print('balanced_accuracy', round(score, 4))


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--seed', type=int, default=0)
    main(p.parse_args().seed)
