import argparse

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn, optim

TAGS = ("indoor", "people", "food", "animal", "sky", "water", "night", "text")


class Tagger(nn.Module):
    def __init__(self, n_in, n_tags, width=64):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, width), nn.BatchNorm1d(width), nn.ReLU())
        self.heads = nn.Linear(width, n_tags)

    def forward(self, x):
        return self.heads(self.trunk(x))


def load(seed, n=3000, dim=40):
    rng = np.random.default_rng(seed)
    tags = (rng.random((n, len(TAGS))) < 0.2).astype(np.float32)
    mix = rng.normal(size=(len(TAGS), dim)) * 0.9
    emb = tags @ mix + rng.normal(size=(n, dim))
    return torch.tensor(emb, dtype=torch.float32), torch.tensor(tags)


def predict(model, x):
    model.eval()
    with torch.no_grad():
        return (torch.sigmoid(model(x)) > 0.5).int().numpy()


def run(seed):
    torch.manual_seed(seed)
    x, t = load(seed)
    n_train = 2400
    model = Tagger(x.shape[1], len(TAGS))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    bce = nn.BCEWithLogitsLoss()
    for epoch in range(14):
        model.train()
        perm = torch.randperm(n_train)
        epoch_loss = []
        for part in torch.split(perm, 60):
            loss = bce(model(x[part]), t[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch_loss.append(loss.item())
        f1 = f1_score(t[n_train:].int().numpy(), predict(model, x[n_train:]), average="macro", zero_division=0)
        print(f"epoch={epoch} loss={np.mean(epoch_loss):.4f} f1={f1:.4f}")
    return f1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    print("f1", round(run(parser.parse_args().seed), 4))
