import argparse, random
import numpy as np, torch
import torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_breast_cancer

cfg = {"hidden": 24, "lr": 5e-3, "epochs": 60, "bs": 32, "test_frac": 0.3}


class Screener(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.fc1 = nn.Linear(d, h)
        self.fc2 = nn.Linear(h, h)
        self.fc3 = nn.Linear(h, 1)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return self.fc3(x).squeeze(1)


def seed_all(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)


def get_data(frac):
    X, y = load_breast_cancer(return_X_y=True)
    y = 1 - y            # 1 = malignant
    X = (X - X.mean(0)) / X.std(0)
    idx = np.random.permutation(len(X))
    n = int(len(X) * frac)
    t = lambda a: torch.from_numpy(a.astype(np.float32))
    return t(X[idx[n:]]), t(y[idx[n:]]), t(X[idx[:n]]), t(y[idx[:n]])


def predict(model, X):
    model.eval()
    with torch.no_grad():
        return (torch.sigmoid(model(X)) > 0.5).float()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", default=0, type=int)
    seed_all(parser.parse_args().seed)
    Xtr, ytr, Xte, yte = get_data(cfg["test_frac"])
    model = Screener(Xtr.shape[1], cfg["hidden"])
    opt = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    for ep in range(cfg["epochs"]):
        model.train()
        for chunk in torch.randperm(len(Xtr)).split(cfg["bs"]):
            loss = F.binary_cross_entropy_with_logits(model(Xtr[chunk]), ytr[chunk])
            opt.zero_grad()
            loss.backward()
            opt.step()
        if ep % 10 == 9:
            print(ep + 1, float(loss))
    print("accuracy", round((predict(model, Xte) == yte).float().mean().item(), 4))
