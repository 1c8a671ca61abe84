# Pretrain a small CNN on the digits 0-4, then adapt it to 5-9 with the convolutions frozen.
import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim import AdamW


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )
        self.classifier = nn.Linear(24 * 16, classes)

    def forward(self, x):
        return self.classifier(self.features(x))


def epochs(model, opt, x, y, n, tag):
    crit = nn.CrossEntropyLoss()
    for ep in range(n):
        model.train()
        perm, total = torch.randperm(len(x)), 0.0
        for i in perm.split(32):
            opt.zero_grad()
            loss = crit(model(x[i]), y[i])
            loss.backward()
            opt.step()
            total += loss.item() * len(i)
        print(f"{tag} epoch {ep} loss {total / len(x):.4f}")


def build_optimizer(model, lr):
    return AdamW([p for p in model.parameters() if p.requires_grad], lr=lr, weight_decay=1e-3)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 8 - 0.6
    y = torch.tensor(d.target)
    low, high = (y < 5).nonzero().squeeze(1), (y >= 5).nonzero().squeeze(1)
    model = Net(5)
    epochs(model, build_optimizer(model, 2e-3), x[low], y[low], 3, "pretrain")

    high = high[torch.randperm(len(high))]
    tr, te = high[:600], high[600:]
    for p in model.features.parameters():
        p.requires_grad = False
    model.classifier = nn.Linear(model.classifier.in_features, 5)
    optimizer = build_optimizer(model, 3e-3)
    epochs(model, optimizer, x[tr], y[tr] - 5, 10, "finetune")
    model.eval()
    with torch.no_grad():
        acc = (model(x[te]).argmax(1) == y[te] - 5).float().mean()
    print(f"finetuned_accuracy {acc.item():.4f}")


if __name__ == "__main__":
    main()
