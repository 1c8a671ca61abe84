"""Learn an initialization from which a sine is fitted in three gradient steps."""
import argparse
import math
import torch
from torch.func import functional_call
from torch import nn


class Task:
    def __init__(self):
        self.a, self.p = 0.5 + 1.5 * torch.rand(()), math.pi * torch.rand(())

    def draw(self, n):
        x = torch.rand(n, 1) * 6 - 3
        return x, self.a * torch.sin(x + self.p)


class MAML:
    def __init__(self, inner_lr=0.03, inner_steps=3, outer_lr=2e-3):
        self.net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
        self.inner_lr, self.inner_steps = inner_lr, inner_steps
        self.opt = torch.optim.Adam(self.net.parameters(), lr=outer_lr)

    def loss(self, params, x, y):
        return (functional_call(self.net, params, (x,)) - y).square().mean()

    def adapt(self, x, y, create_graph=True):
        params = dict(self.net.named_parameters())
        for _ in range(self.inner_steps):
            grads = torch.autograd.grad(self.loss(params, x, y), list(params.values()), create_graph=create_graph)
            params = {k: v - self.inner_lr * g for (k, v), g in zip(params.items(), grads)}
        return params

    def outer_step(self, tasks=6):
        total = 0.0
        for task in (Task() for _ in range(tasks)):
            total = total + self.loss(self.adapt(*task.draw(10)), *task.draw(10)) / tasks
        self.opt.zero_grad()
        total.backward()
        self.opt.step()
        return total.item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    m = MAML()
    for it in range(250):
        loss = m.outer_step()
        if it % 50 == 0:
            print(f"meta step {it} loss {loss:.4f}")
    scores = []
    for _ in range(100):
        t = Task()
        p = m.adapt(*t.draw(10), create_graph=False)
        x, y = t.draw(100)
        scores.append(1 - (m.loss(p, x, y) / y.var()).item())
    print(f"median_r2 {sorted(scores)[50]:.4f}")
