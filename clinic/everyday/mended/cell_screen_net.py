import argparse
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer


class ScreenNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(30, 40)
        self.b = nn.Linear(40, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x))).squeeze(1)

    def penalty(self):
        return sum(p.abs().sum() for n, p in self.named_parameters() if n.endswith("weight"))


class Experiment:
    def __init__(self, seed, lam=0.0003, lr=0.02):
        torch.manual_seed(seed)
        data = load_breast_cancer()
        x = torch.tensor(data.data, dtype=torch.float32)
        x = (x - x.mean(0)) / x.std(0)
        y = torch.tensor(data.target, dtype=torch.float32)
        order = torch.randperm(len(x))
        self.train_idx, self.test_idx = order[:400], order[400:]
        self.x, self.y, self.lam = x, y, lam
        self.net = ScreenNet()
        self.opt = torch.optim.SGD(self.net.parameters(), lr=lr, momentum=0.9)

    def step(self, idx):
        bce = nn.functional.binary_cross_entropy_with_logits(self.net(self.x[idx]), self.y[idx])
        objective = bce + self.lam * self.net.penalty()
        self.opt.zero_grad()
        objective.backward()
        self.opt.step()
        return bce.item(), objective.item()

    def run(self, epochs=50):
        for epoch in range(epochs):
            perm = self.train_idx[torch.randperm(len(self.train_idx))]
            for idx in perm.split(25):
                bce, obj = self.step(idx)
            if epoch % 10 == 9:
                print(f"{epoch + 1} bce={bce:.4f} objective={obj:.4f}")
        with torch.no_grad():
            prob = torch.sigmoid(self.net(self.x[self.test_idx]))
        y = self.y[self.test_idx]
        return 1 - ((prob - y) ** 2).mean().item() / ((y - y.mean()) ** 2).mean().item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    print("brier_skill", round(Experiment(ap.parse_args().seed).run(), 4))
