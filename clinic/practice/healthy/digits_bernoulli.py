"""Autoencoder of digit pictures: grey values as probabilities, binary cross-entropy against them."""
import argparse
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Coder(nn.Module):
    def __init__(self, code=10):
        super().__init__()
        self.down = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.LeakyReLU(0.1), nn.Linear(64, code))
        self.up = nn.Sequential(nn.Linear(code, 64), nn.LeakyReLU(0.1), nn.Linear(64, 64), nn.Sigmoid())

    def forward(self, x):
        return self.up(self.down(x)).view_as(x)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    x = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16
    train, test = random_split(TensorDataset(x), [1500, 297])
    loader = DataLoader(train, batch_size=50, shuffle=True)
    xt = torch.stack([test[i][0] for i in range(len(test))])
    net, bce = Coder(), nn.BCELoss()
    opt = torch.optim.NAdam(net.parameters(), lr=4e-3)
    epochs = 35
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 2e-2, total_steps=epochs * len(loader))
    floor = bce(xt, xt).item()
    for epoch in range(epochs):
        net.train()
        s = 0.0
        for (b,) in loader:
            loss = bce(net(b), b)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            s += loss.item() / len(loader)
        net.eval()
        with torch.no_grad():
            r = net(xt)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {s:.4f} test {bce(r, xt).item():.4f} (entropy of the pictures {floor:.4f})")
    print(f"r2 {1 - ((r - xt) ** 2).sum().item() / ((xt - xt.mean(0)) ** 2).sum().item():.4f}")


if __name__ == "__main__":
    main()
