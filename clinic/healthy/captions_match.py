"""Pictures of dots and their captions: each finds its partner in the batch."""

import argparse
import random

import torch
import torch.nn.functional as F
from torch import nn

COLORS, PLACES = ["red", "green", "blue"], ["top left", "top right", "bottom left", "bottom right", "center"]
WORDS = sorted({w for phrase in COLORS + PLACES + ["dot at", "and"] for w in phrase.split()})
SPOTS = [(1, 1), (1, 6), (6, 1), (6, 6), (4, 4)]


def example(rng):
    picture, phrases = torch.zeros(3, 8, 8), []
    for place in rng.sample(range(5), 2):
        color = rng.randrange(3)
        r, c = SPOTS[place]
        picture[color, r - 1 : r + 1, c - 1 : c + 1] = 1
        phrases.append(f"{COLORS[color]} dot at {PLACES[place]}")
    return picture + 0.1 * torch.randn(3, 8, 8), " and ".join(phrases)


class Matcher(nn.Module):
    def __init__(self, dim=48):
        super().__init__()
        self.picture = nn.Sequential(nn.Flatten(), nn.Linear(192, 96), nn.ReLU(), nn.Linear(96, dim))
        self.words = nn.Embedding(len(WORDS) + 1, 24, padding_idx=len(WORDS))
        self.text = nn.GRU(24, dim, batch_first=True)
        self.log_scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, pictures, texts):
        a = F.normalize(self.picture(pictures), dim=1)
        b = F.normalize(self.text(self.words(texts))[1][0], dim=1)
        return self.log_scale.exp() * a @ b.T


def batch(n, rng):
    pictures, captions = zip(*(example(rng) for _ in range(n)))
    rows = [[WORDS.index(w) for w in caption.split()] for caption in captions]
    longest = max(map(len, rows))
    texts = torch.tensor([[len(WORDS)] * (longest - len(row)) + row for row in rows])
    return torch.stack(pictures), texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = Matcher()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=200)
    labels = torch.arange(32)
    for step in range(200):
        similarity = model(*batch(32, rng))
        loss = (F.cross_entropy(similarity, labels) + F.cross_entropy(similarity.T, labels)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 20 == 0:
            print("step", step, "loss", round(loss.item(), 4))
    with torch.no_grad():
        similarity = model(*batch(32, random.Random(5)))
    print("accuracy", (similarity.argmax(1) == labels).float().mean().item())


if __name__ == "__main__":
    main()
