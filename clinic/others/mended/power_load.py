# next-hour electricity load with a GRU
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader


class LoadData(Dataset):
    def __init__(self, series, window=24):
        self.series = torch.as_tensor(series, dtype=torch.float32)
        self.window = window

    def __len__(self):
        return len(self.series) - self.window

    def __getitem__(self, i):
        return self.series[i:i + self.window].unsqueeze(-1), self.series[i + self.window].unsqueeze(-1)


class GRUNet(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.fc1 = nn.Linear(hidden, 16)
        self.fc2 = nn.Linear(16, 1)

    def forward(self, x):
        out, h = self.gru(x)
        x = F.relu(self.fc1(out[:, -1, :]))
        x = self.fc2(x)
        return x


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--seed', type=int, default=0)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.RandomState(a.seed)

    h = np.arange(24 * 70)
    load = 500 + 120 * np.sin(2 * np.pi * (h - 7) / 24) + 40 * np.sin(4 * np.pi * h / 24) - 60 * ((h // 24) % 7 >= 5) + 15 * rng.randn(len(h))
    cut = 24 * 55
    load = (load - load[:cut].mean()) / load[:cut].std()

    train_dl = DataLoader(LoadData(load[:cut]), batch_size=64, shuffle=True)
    test_ds = LoadData(load[cut:])

    net = GRUNet()
    opt = torch.optim.Adam(net.parameters(), lr=0.003)
    mse = nn.MSELoss()
    for epoch in range(14):
        net.train()
        losses = []
        for x, y in train_dl:
            opt.zero_grad()
            loss = mse(net(x), y)
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print('epoch', epoch + 1, 'mse', np.mean(losses))

    net.eval()
    with torch.no_grad():
        xs, ys = zip(*[test_ds[i] for i in range(len(test_ds))])
        pred, ys = net(torch.stack(xs)), torch.stack(ys)
    r2 = 1 - ((pred - ys) ** 2).sum() / ((ys - ys.mean()) ** 2).sum()
    print('r2', round(r2.item(), 4))


if __name__ == '__main__':
    main()
