import argparse

import torch
from torch import nn

FABLE = """the fox saw grapes that hung from a high branch. he jumped and jumped and could not reach them.
he went away and said that they were sour. the crow held a piece of cheese in her beak. the fox praised her voice.
she opened her beak to sing and the cheese fell down. the hare laughed at the slow feet of the tortoise.
the tortoise asked for a race. the hare slept on the way and the tortoise came first. the ant worked all summer long.
the cricket sang all summer long. in winter the cricket had nothing to eat and the ant had plenty.
"""


def windows(data, n, length):
    starts = torch.randint(0, len(data) - length - 1, (n,))
    chunk = torch.stack([data[s : s + length + 1] for s in starts])
    return chunk[:, :-1], chunk[:, 1:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=600)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    letters = sorted(set(FABLE))
    data = torch.tensor([letters.index(c) for c in FABLE])
    embed, gru, head = nn.Embedding(len(letters), 24), nn.GRU(24, 64, batch_first=True), nn.Linear(64, len(letters))
    model = nn.ModuleList([embed, gru, head])
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for step in range(args.steps):
        x, y = windows(data, 16, 32)
        loss = nn.functional.cross_entropy(head(gru(embed(x))[0]).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            print("step", step, "loss", round(loss.item(), 3))
    x, y = windows(data, 100, 32)
    with torch.no_grad():
        print("accuracy", (head(gru(embed(x))[0]).argmax(-1) == y).float().mean().item())


if __name__ == "__main__":
    main()
