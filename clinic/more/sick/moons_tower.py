import argparse

import torch
from sklearn.datasets import make_moons
from torch import nn


def block(n_in, n_out):
    linear = nn.Linear(n_in, n_out)
    nn.init.kaiming_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return [linear, nn.Sigmoid()]


def tower(width, depth):
    layers = block(2, width)
    for _ in range(depth - 1):
        layers += block(width, width)
    return nn.Sequential(*layers, nn.Linear(width, 2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    points, classes = make_moons(n_samples=900, noise=0.12, random_state=seed)
    points = torch.tensor(points, dtype=torch.float32)
    classes = torch.tensor(classes)
    points = (points - points.mean(0)) / points.std(0)
    train, valid = slice(0, 700), slice(700, None)
    model = tower(8, 9)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(100):
        model.train()
        for idx in torch.randperm(700).split(70):
            loss = nn.functional.cross_entropy(model(points[train][idx]), classes[train][idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 20 == 19:
            model.eval()
            with torch.no_grad():
                valid_loss = nn.functional.cross_entropy(model(points[valid]), classes[valid])
            print(f"epoch {epoch + 1} train {loss.item():.4f} valid {valid_loss.item():.4f}")
    with torch.no_grad():
        right = (model(points[valid]).argmax(1) == classes[valid]).float()
    print(f"accuracy {right.mean().item():.3f}")
