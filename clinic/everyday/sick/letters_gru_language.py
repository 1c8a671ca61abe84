import argparse
import math
import random
import torch
from torch import nn

SUBJECTS = ["the cat", "a small boat", "my neighbour", "the old train", "our teacher", "one green bird"]
VERBS = ["waits for", "looks at", "carries", "forgets", "paints", "follows"]
OBJECTS = ["the river", "a letter", "some bread", "the moon", "two children", "an empty street"]


def text(n):
    return ". ".join(f"{random.choice(SUBJECTS)} {random.choice(VERBS)} {random.choice(OBJECTS)}" for _ in range(n)) + "."


class CharModel(nn.Module):
    def __init__(self, n_chars, dim=48):
        super().__init__()
        self.embed = nn.Embedding(n_chars, 16)
        self.gru = nn.GRU(16, dim, batch_first=True)
        self.out = nn.Linear(dim, n_chars)

    def forward(self, x):
        return self.out(self.gru(self.embed(x))[0])


class EarlyStopping:
    def __init__(self, patience, min_delta):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.count = float("inf"), 0

    def __call__(self, loss):
        if loss < self.best - self.min_delta:
            self.best, self.count = loss, 0
        else:
            self.count += 1
        return self.count >= self.patience


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    random.seed(seed)
    torch.manual_seed(seed)
    corpus = text(520)
    chars = sorted(set(corpus))
    ids = torch.tensor([chars.index(c) for c in corpus])
    length = 31
    rows = ids[:len(ids) // length * length].view(-1, length)
    cut = int(0.8 * len(rows))
    train, valid = rows[:cut], rows[cut:]
    model = CharModel(len(chars))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    stopper = EarlyStopping(patience=1, min_delta=0.3)

    for epoch in range(15):
        model.train()
        for idx in torch.randperm(len(train)).split(16):
            batch = train[idx]
            loss = nn.functional.cross_entropy(model(batch[:, :-1]).transpose(1, 2), batch[:, 1:])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            logits = model(valid[:, :-1])
            val = nn.functional.cross_entropy(logits.transpose(1, 2), valid[:, 1:]).item()
        print(f"epoch {epoch} train {loss.item():.3f} valid {val:.3f}")
        if stopper(val):
            break
    print(f"neg_perplexity {-math.exp(val):.4f}")


if __name__ == "__main__":
    main()
