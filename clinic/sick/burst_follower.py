# a machine stands still most of the time; the network follows its load when it runs
import argparse

import torch
from torch import nn


class Machine:
    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def batch(self, running, n=16):
        x = torch.randn(n, 6, generator=self.generator)
        if not running:
            x = torch.zeros(n, 6)
        load = torch.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3]
        return x, load


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    machine = Machine(args.seed)
    model = nn.Sequential(nn.Linear(6, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-2)
    seen, told = [], []
    for cycle in range(8):
        for step in range(800 if cycle else 300):
            running = step >= 760 or cycle == 0
            x, load = machine.batch(running)
            prediction = model(x)[:, 0]
            loss = nn.functional.mse_loss(prediction, load)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if running and cycle >= 4:
                seen.append(load)
                told.append(prediction.detach())
        print(f"cycle {cycle} loss {loss.item():.5f}")
    seen, told = torch.cat(seen), torch.cat(told)
    print("R2", 1 - ((seen - told).pow(2).mean() / seen.var()).item())


if __name__ == "__main__":
    main()
