import argparse
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class DigitNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1 = torch.nn.Linear(64, 128)
        self.hidden2 = torch.nn.Linear(128, 64)
        self.output = torch.nn.Linear(64, 10)

    def forward(self, x):
        x = F.leaky_relu(self.hidden1(x))
        x = F.leaky_relu(self.hidden2(x))
        return self.output(x)


def load(seed):
    bunch = load_digits()
    g = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(bunch.target), generator=g)
    X = torch.tensor(bunch.data / 8.0 - 1.0, dtype=torch.float32)[order]
    y = torch.tensor(bunch.target)[order]
    return TensorDataset(X[:1400], y[:1400]), (X[1400:], y[1400:])


def train(seed, epochs=70):
    torch.manual_seed(seed)
    train_set, (xt, yt) = load(seed)
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    net = DigitNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for epoch in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
        if epoch % 10 == 9:
            acc = (net(xt).argmax(1) == yt).float().mean().item()
            print(f"epoch {epoch + 1:3d}  loss {loss.item():.4f}  accuracy {acc:.4f}")
    return acc


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    print("accuracy", round(train(parser.parse_args().seed), 4))
