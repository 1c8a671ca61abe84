# Small digit reader, bfloat16 autocast, gradients summed over several small batches.
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

BATCH = 60
ACCUMULATE = 32
EPOCHS = 18


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 3, padding=1)
        self.c2 = nn.Conv2d(8, 16, 3, padding=1)
        self.f1 = nn.Linear(16 * 4, 48)
        self.f2 = nn.Linear(48, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.f2(F.relu(self.f1(x.flatten(1))))


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        return (model(x).argmax(1) == y).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 8 - 0.61
    y = torch.tensor(d.target)
    tr, te = train_test_split(range(len(y)), train_size=1440, random_state=args.seed, stratify=d.target)
    loader = DataLoader(TensorDataset(x[tr], y[tr]), batch_size=BATCH, shuffle=True)

    model = Reader()
    opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, EPOCHS)
    for epoch in range(EPOCHS):
        model.train()
        opt.zero_grad()
        total = 0.0
        for i, (xb, yb) in enumerate(loader):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                out = model(xb)
            loss = F.cross_entropy(out.float(), yb)
            (loss / ACCUMULATE).backward()
            total += loss.item()
            if (i + 1) % ACCUMULATE == 0:
                opt.step()
                opt.zero_grad()
        sched.step()
        print("epoch %2d loss %.4f test %.4f" % (epoch, total / len(loader), evaluate(model, x[te], y[te])))
    print("accuracy %.4f" % evaluate(model, x[te], y[te]))


main()
