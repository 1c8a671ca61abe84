import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits

CONFIG = dict(width=48, depth=8, activation="tanh", lr=0.05, momentum=0.9, epochs=30, batch=64)
ACT = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}


def build(cfg, n_in, n_out):
    layers, d = [], n_in
    for _ in range(cfg["depth"]):
        lin = nn.Linear(d, cfg["width"])
        nn.init.xavier_uniform_(lin.weight)
        nn.init.zeros_(lin.bias)
        layers += [lin, ACT[cfg["activation"]]()]
        d = cfg["width"]
    return nn.Sequential(*layers, nn.Linear(d, n_out))


class Trainer:
    def __init__(self, cfg, model):
        self.cfg, self.model = cfg, model
        self.opt = torch.optim.SGD(model.parameters(), lr=cfg["lr"], momentum=cfg["momentum"])
        self.loss = nn.CrossEntropyLoss()

    def step(self, x, y):
        loss = self.loss(self.model(x), y)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.detach()

    def run(self, x, y):
        for epoch in range(self.cfg["epochs"]):
            losses = [self.step(x[i], y[i]) for i in torch.randperm(len(x)).split(self.cfg["batch"])]
            if epoch % 5 == 0:
                print(f"{epoch:3d} {torch.stack(losses).mean():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    X, y = load_digits(return_X_y=True)
    X = torch.tensor((X - 8) / 8, dtype=torch.float32)
    y = torch.tensor(y)
    p = torch.randperm(len(X))
    X, y = X[p], y[p]
    t = Trainer(CONFIG, build(CONFIG, 64, 10))
    t.run(X[:1300], y[:1300])
    with torch.no_grad():
        print("accuracy %.3f" % (t.model(X[1300:]).argmax(1) == y[1300:]).float().mean())
