import argparse
import dataclasses

import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


@dataclasses.dataclass
class Args:
    seed: int = 0
    lr: float = 1e-3
    betas: tuple = (0.9, 0.999)
    eps: float = 1e-8
    epochs: int = 60
    batch: int = 64
    amp: bool = True

    @classmethod
    def parse(cls):
        ap = argparse.ArgumentParser()
        for f in dataclasses.fields(cls):
            if f.type in (int, float):
                ap.add_argument("--" + f.name, type=f.type, default=f.default)
        return cls(**vars(ap.parse_args()))


class MLP(nn.Module):
    def __init__(self, d, h=64):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, h), nn.GELU(), nn.Linear(h, h), nn.GELU(), nn.Linear(h, 2))

    def forward(self, x):
        return self.net(x)


def main(a):
    torch.manual_seed(a.seed)
    d = load_breast_cancer()
    xa, xb, ya, yb = train_test_split(d.data, d.target, test_size=0.3, random_state=a.seed, stratify=d.target)
    sc = StandardScaler().fit(xa)
    xa, xb = (torch.tensor(sc.transform(v), dtype=torch.float32) for v in (xa, xb))
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    model = MLP(30)
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim == 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 1e-2}, {"params": rest, "weight_decay": 0.0}], lr=a.lr, betas=a.betas, eps=a.eps)
    for ep in range(a.epochs):
        for i in torch.randperm(len(xa)).split(a.batch):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.amp):
                out = model(xa[i])
            loss = nn.functional.cross_entropy(out.float(), ya[i])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
        if ep % 10 == 0:
            print(f"epoch {ep:2d} loss {loss.item():.4f}")
    with torch.no_grad():
        logits = model(xb)
    print(f"negative_test_loss {-nn.functional.cross_entropy(logits, yb).item():.4f}")


if __name__ == "__main__":
    main(Args.parse())
