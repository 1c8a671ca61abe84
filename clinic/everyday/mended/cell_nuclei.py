import argparse

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


class Diagnosis(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(30, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 10), nn.ReLU())
        self.classify = nn.Linear(10, 2)
        self.features.apply(weights_init)

    def forward(self, x):
        return self.classify(self.features(x))


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        out = net(x)
    return nn.functional.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()


def main(seed, epochs=14, lr=5e-4):
    torch.manual_seed(seed)
    x, y = load_breast_cancer(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    sc = StandardScaler().fit(xa)
    xa, xb = (torch.tensor(sc.transform(v), dtype=torch.float32) for v in (xa, xb))
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    net = Diagnosis()
    opt = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=1e-4)
    for epoch in range(epochs):
        net.train()
        for i in torch.randperm(len(xa)).split(16):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(xa[i]), ya[i])
            loss.backward()
            opt.step()
        if epoch % 2 == 1:
            print("epoch", epoch + 1, "val loss %.4f acc %.4f" % evaluate(net, xb, yb))
    return evaluate(net, xb, yb)[1]


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    print("accuracy", main(p.parse_args().seed))
