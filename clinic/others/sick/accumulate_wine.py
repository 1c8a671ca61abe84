import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import scale
from torch.utils.data import DataLoader, TensorDataset, random_split


class Accumulator:
    """Steps the optimizer once for every `every` micro-batches."""

    def __init__(self, model, optimizer, every):
        self.model, self.optimizer, self.every = model, optimizer, every

    def run_epoch(self, loader, criterion):
        seen = total = 0
        self.optimizer.zero_grad()
        for i, (x, y) in enumerate(loader):
            loss = criterion(self.model(x), y)
            (loss / self.every).backward()
            if (i + 1) % self.every == 0:
                self.optimizer.step()
                self.optimizer.zero_grad()
            total += loss.item() * len(y)
            seen += len(y)
        return total / seen


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=120)
    ap.add_argument("--micro-batch", type=int, default=8)
    ap.add_argument("--accumulate", type=int, default=16)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    x, y = load_wine(return_X_y=True)
    data = TensorDataset(torch.tensor(scale(x), dtype=torch.float32), torch.tensor(y))
    train, test = random_split(data, [118, 60])
    loader = DataLoader(train, batch_size=a.micro_batch, shuffle=True)
    model = nn.Sequential(nn.Linear(13, 32), nn.LayerNorm(32), nn.SiLU(), nn.Linear(32, 3))
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    acc = Accumulator(model, opt, a.accumulate)
    crit = nn.CrossEntropyLoss()
    for epoch in range(a.epochs):
        loss = acc.run_epoch(loader, crit)
        if epoch % 20 == 0:
            print(f"epoch {epoch} loss {loss:.4f}")
    xt, yt = zip(*test)
    with torch.no_grad():
        good = (model(torch.stack(xt)).argmax(1) == torch.stack(yt)).float().mean().item()
    print(f"accuracy {good:.4f}")


main()
