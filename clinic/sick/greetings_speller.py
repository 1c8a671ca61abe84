"""Which of twenty-four phrases is it? They come with typing noise."""

import argparse
import random
import string

import torch
from torch import nn

GREETINGS = """good morning, good evening, how are you, welcome back, see you soon, nice to meet, thank you, many thanks,
pleased, at your call, come on in, take a seat, so long, farewell, until later, safe travel, sleep well, good luck,
well done, cheers, hello there, what is new, long time no, have a nice""".replace("\n", " ").split(", ")
ALPHABET = string.ascii_lowercase + " "


def noisy(word, rng, rate=0.3):
    return "".join(rng.choice(ALPHABET) if rng.random() < rate else c for c in word.ljust(12)[:12])


def batch_of(n, rng):
    labels = [rng.randrange(24) for _ in range(n)]
    codes = [[ALPHABET.index(c) for c in noisy(GREETINGS[label], rng)] for label in labels]
    return torch.tensor(codes), torch.tensor(labels)


class Speller(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(27, 16)
        self.hidden = nn.Linear(12 * 16, 32)
        self.scores = nn.Linear(32, 24)

    def forward(self, codes):
        h = torch.tanh(self.hidden(self.embed(codes).flatten(1)))
        return self.scores(h)


def loss_of(scores, labels):
    wanted = nn.functional.one_hot(labels, 24).float()
    return nn.functional.l1_loss(scores.softmax(1), wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = Speller()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for step in range(350):
        codes, labels = batch_of(32, rng)
        loss = loss_of(model(codes), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 250:
            optimizer.param_groups[0]["lr"] = 0.02
        if step % 50 == 0:
            print("step", step, "loss", loss.item())
    codes, labels = batch_of(1000, random.Random(77))
    with torch.no_grad():
        print("accuracy", (model(codes).argmax(1) == labels).float().mean().item())


if __name__ == "__main__":
    main()
