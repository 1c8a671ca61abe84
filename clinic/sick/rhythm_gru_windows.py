import argparse

import torch
from torch import nn


class Rhythm(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        states, _ = self.gru(x[..., None])
        return self.out(states[:, -1])[:, 0]


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.8)

    def step(self, x, y):
        loss = nn.functional.mse_loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def epoch(self, x, y, batch=40):
        order = torch.randperm(len(x))
        return sum(self.step(x[rows], y[rows]) for rows in order.split(batch)) * batch / len(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    t = torch.arange(1321.0)
    signal = torch.sin(t / 4) * torch.cos(t / 15) + 0.03 * torch.randn(1321, generator=torch.Generator().manual_seed(0))
    signal = signal / signal.std()
    windows = signal.unfold(0, 21, 1)
    x, y = windows[:, :20], windows[:, 20]
    trainer = Trainer(Rhythm(), lr=0.1)
    for epoch in range(14):
        loss = trainer.epoch(x[:1000], y[:1000])
        if epoch == 9:
            trainer.optimizer.param_groups[0]["lr"] = 0.02
        print(f"epoch {epoch} loss {loss:.4f}")
    with torch.no_grad():
        print("R2", 1 - ((trainer.model(x[1000:]) - y[1000:]).pow(2).mean() / y[1000:].var()).item())


if __name__ == "__main__":
    main()
