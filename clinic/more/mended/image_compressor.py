import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits


class AutoEncoder(nn.Module):
    def __init__(self, code=12):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, code))
        self.decoder = nn.Sequential(nn.Linear(code, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    X = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    X = X[torch.randperm(len(X))]
    train, test = X[:1500], X[1500:]
    model = AutoEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate)
    criterion = nn.MSELoss()
    for epoch in range(40):
        for batch in train[torch.randperm(1500)].split(50):
            optimizer.zero_grad()
            loss = criterion(model(batch), batch)
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print("epoch [%d/40], loss: %.4f" % (epoch + 1, loss.item()))
    with torch.no_grad():
        rest = ((model(test) - test) ** 2).sum() / ((test - test.mean(0)) ** 2).sum()
    print("R2 %.3f" % (1 - rest.item()))


main()
