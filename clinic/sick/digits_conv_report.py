import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


def make_model():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 24, 3),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(96, 10),
    )


def report(model, images, labels):
    """Looks at one image after the other and counts the right answers."""
    right = 0
    with torch.no_grad():
        for image, label in zip(images, labels):
            right += int(model(image[None]).argmax() == label)
    return right / len(labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor((digits.images - 4.9) / 6, dtype=torch.float32).unsqueeze(1)
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(91))
    x, y = x[order], y[order]
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8)
    for epoch in range(8):
        model.train()
        for rows in torch.randperm(1400).split(40):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {report(model, x[1400:], y[1400:]):.3f}")
    print("accuracy", report(model, x[1400:], y[1400:]))


if __name__ == "__main__":
    main()
