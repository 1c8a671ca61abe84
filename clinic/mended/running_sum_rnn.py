import argparse

import torch
from torch import nn


def make_batch(n, generator, length=32):
    steps = 0.5 * torch.randn(n, length, 1, generator=generator)
    weights = 0.85 ** torch.arange(length - 1, -1, -1.0)
    return steps, (steps[..., 0] * weights).sum(1)


def build(hidden=40):
    rnn = nn.RNN(1, hidden, batch_first=True)
    nn.init.normal_(rnn.weight_hh_l0, std=0.9 / hidden**0.5)
    nn.init.xavier_uniform_(rnn.weight_ih_l0)
    return rnn, nn.Linear(hidden, 1)


def predict(rnn, head, x):
    out, _ = rnn(x)
    return head(out[:, -1]).squeeze(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed + 1)
    rnn, head = build()
    parameters = list(rnn.parameters()) + list(head.parameters())
    optimizer = torch.optim.SGD(parameters, lr=0.02, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)
    for step in range(300):
        x, y = make_batch(48, generator)
        loss = nn.functional.mse_loss(predict(rnn, head, x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 30 == 0:
            print(f"{step:4d} {loss.item():.4f}")
    x, y = make_batch(800, torch.Generator().manual_seed(555))
    with torch.no_grad():
        error = (predict(rnn, head, x) - y).pow(2).mean()
    print("R2", 1 - error.item() / y.var().item())


if __name__ == "__main__":
    main()
