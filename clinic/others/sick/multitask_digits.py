import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.heads = nn.ModuleDict({"digit": nn.Linear(64, 10), "parity": nn.Linear(64, 1), "ink": nn.Linear(64, 1)})

    def forward(self, x):
        z = self.shared(x)
        return {k: h(z) for k, h in self.heads.items()}


def joint_loss(out, digit, parity, ink, weights=(1.0, 0.5, 0.5)):
    a = nn.functional.cross_entropy(out["digit"], digit)
    b = nn.functional.binary_cross_entropy_with_logits(out["parity"].squeeze(1), parity)
    c = nn.functional.mse_loss(out["ink"].squeeze(1), ink)
    return weights[0] * a + weights[1] * b + weights[2] * c


def load(seed):
    d = load_digits()
    g = torch.Generator().manual_seed(seed)
    x = torch.tensor(d.data, dtype=torch.float32)
    y = torch.tensor(d.target)
    ink = x.square().sum(1)
    perm = torch.randperm(len(x), generator=g)
    tr, te = perm[:1300], perm[1300:]
    x = (x - x[tr].mean()) / x[tr].std()
    return (x, y, (y % 2).float(), ink), tr, te


def main(args):
    torch.manual_seed(args.seed)
    data, tr, te = load(args.seed)
    net = MultiTask()
    opt = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    for epoch in range(args.epochs):
        running = 0.0
        for idx in tr[torch.randperm(len(tr))].split(32):
            x, digit, parity, ink = (t[idx] for t in data)
            opt.zero_grad()
            loss = joint_loss(net(x), digit, parity, ink)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            opt.step()
            running += loss.item()
        if epoch % 5 == 0:
            print(f"{epoch} {running / (len(tr) / 32):.4f}")
    with torch.no_grad():
        out = net(data[0][te])
    acc = (out["digit"].argmax(1) == data[1][te]).float().mean().item()
    par = ((out["parity"].squeeze(1) > 0).float() == data[2][te]).float().mean().item()
    print("digit %.3f parity %.3f ink r2 %.3f" % (acc, par, r2_score(data[3][te], out["ink"].squeeze(1))))
    print("digit_accuracy %.4f" % acc)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--lr", type=float, default=0.02)
    ap.add_argument("--epochs", type=int, default=15)
    main(ap.parse_args())
