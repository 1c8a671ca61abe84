"""Activity recognition from accelerometer windows (simulated), 1d convnet"""
import argparse
import math
import torch
import torch.nn as nn
import torch.nn.functional as F


def simulate(n, gen):
    """4 activities: sit, walk, stairs, run"""
    y = torch.randint(0, 4, (n,), generator=gen)
    t = torch.arange(50).float() / 25
    freq = torch.tensor([0.2, 1.6, 1.2, 2.8])[y] * (1 + 0.1 * torch.randn(n, generator=gen))
    amp = torch.tensor([0.1, 0.8, 1.0, 1.5])[y]
    phase = 2 * math.pi * torch.rand(n, generator=gen)
    base = torch.sin(2 * math.pi * freq[:, None] * t + phase[:, None]) * amp[:, None]
    x = torch.stack([base, 0.5 * base.roll(5, 1), 0.3 * base ** 2], dim=1)
    return x + 0.4 * torch.randn(n, 3, 50, generator=gen), y


class ConvNet(nn.Module):
    def __init__(self):
        super(ConvNet, self).__init__()
        self.conv1 = nn.Conv1d(3, 16, 5, padding=2)
        self.conv2 = nn.Conv1d(16, 16, 5, padding=2)
        self.fc = nn.Linear(16 * 12, 4)

    def forward(self, x):
        x = F.max_pool1d(F.relu(self.conv1(x)), 2)
        x = F.max_pool1d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def train_model(net, X, y, optimizer, n_epochs=15, batch_size=50):
    for epoch in range(n_epochs):
        # shuffle
        perm = torch.randperm(len(X))
        X = X[perm]
        y = y[perm]
        running_loss = 0.0
        for i in range(0, len(X), batch_size):
            inputs, labels = X[i:i + batch_size], y[i:i + batch_size]
            optimizer.zero_grad()
            loss = F.cross_entropy(net(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        print("[%d] loss: %.3f" % (epoch + 1, running_loss * batch_size / len(X)))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    gen = torch.Generator().manual_seed(10 + a.seed)
    X, y = simulate(2000, gen)
    X_test, y_test = simulate(500, gen)
    net = ConvNet()
    train_model(net, X, y, torch.optim.Adam(net.parameters(), lr=0.001))
    with torch.no_grad():
        acc = (net(X_test).argmax(1) == y_test).float().mean()
    print("accuracy", round(acc.item(), 4))
