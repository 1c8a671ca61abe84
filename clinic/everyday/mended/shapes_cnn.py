import argparse
import logging

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("shapes")


def draw(kind, rng, size=16):
    img = np.zeros((size, size), dtype=np.float32)
    cy, cx = rng.integers(6, 10, size=2)
    r = rng.integers(3, 5)
    yy, xx = np.mgrid[:size, :size]
    if kind == 0:
        img[(yy - cy) ** 2 + (xx - cx) ** 2 <= r * r] = 1
    elif kind == 1:
        img[(abs(yy - cy) < r) & (abs(xx - cx) < r)] = 1
    elif kind == 2:
        img[(abs(yy - cy) <= 1) & (abs(xx - cx) <= r)] = 1
        img[(abs(xx - cx) <= 1) & (abs(yy - cy) <= r)] = 1
    else:
        img[abs(yy - cy) + abs(xx - cx) <= r] = 1
    return img + 0.2 * rng.normal(size=img.shape).astype(np.float32)


def dataset(n, rng):
    y = rng.integers(0, 4, size=n)
    x = np.stack([draw(k, rng) for k in y])[:, None]
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 4 * 4, 32)
        self.fc2 = nn.Linear(32, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return F.log_softmax(self.fc2(x), dim=1)


def train(model, x, y, optimizer, batch=32):
    model.train()
    order = torch.randperm(len(x))
    losses = []
    for idx in order.split(batch):
        optimizer.zero_grad()
        loss = F.nll_loss(model(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def test(model, x, y):
    model.eval()
    return (model(x).argmax(1) == y).float().mean().item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--epochs", type=int, default=18)
    p.add_argument("--lr", type=float, default=0.04)
    p.add_argument("--gamma", type=float, default=0.3)
    args = p.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    xtr, ytr = dataset(1000, rng)
    xte, yte = dataset(400, rng)
    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    scheduler = StepLR(optimizer, step_size=9, gamma=args.gamma)
    for epoch in range(args.epochs):
        loss = train(model, xtr, ytr, optimizer)
        acc = test(model, xte, yte)
        scheduler.step()
        log.info("epoch %d train loss %.4f test acc %.3f", epoch, loss, acc)
    print(f"accuracy {test(model, xte, yte):.4f}")


if __name__ == "__main__":
    main()
