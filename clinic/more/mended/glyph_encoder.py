import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, stride=2, padding=1)
        self.project = nn.Linear(6 * 16, 6)

    def forward(self, x):
        return torch.tanh(self.project(torch.relu(self.conv(x)).flatten(1)))


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(6, 10)

    def forward(self, x):
        code = self.encoder(x)
        self.last_code = code.detach()
        return self.head(code)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x = torch.tensor(digits.images, dtype=torch.float32)[order].unsqueeze(1) / 8 - 1
    y = torch.tensor(digits.target)[order]
    loader = DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=50, shuffle=True)
    reader = Reader()
    optimizer = torch.optim.Adam(reader.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(20):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(reader(xb), yb)
            loss.backward()
            optimizer.step()
        if epoch % 5 == 0:
            spread = reader.last_code.std(0).mean().item()
            print(f"epoch {epoch} loss {loss.item():.3f} code spread {spread:.3f}")
    with torch.no_grad():
        print(f"accuracy {(reader(x[1400:]).argmax(1) == y[1400:]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
