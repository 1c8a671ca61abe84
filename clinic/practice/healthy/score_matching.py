"""Denoising score matching over many noise levels (Song & Ermon 2019), functional style with torch.func."""
import argparse
import torch
import torch.nn as nn
from torch.func import functional_call, grad_and_value


class ScoreNet(nn.Module):
    def __init__(self, h=64):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, 2))

    def forward(self, x, log_sigma):
        c_in = (1.0 + (2 * log_sigma).exp()).rsqrt()
        return self.net(torch.cat([x * c_in, log_sigma], 1))


def checker(n):
    cell = torch.randint(0, 2, (n,)) * 2 + torch.randint(0, 2, (n,))
    centers = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
    return centers[cell] + 0.15 * torch.randn(n, 2)


def objective(params, net, x, log_sigma, eps):
    pred = functional_call(net, params, (x + log_sigma.exp() * eps, log_sigma))
    return (pred - eps).pow(2).sum(1).mean()


def adam(params, grads, state, t, lr, b1=0.9, b2=0.99):
    new, st = {}, {}
    for k, p in params.items():
        m, v = state[k]
        m, v = b1 * m + (1 - b1) * grads[k], b2 * v + (1 - b2) * grads[k] ** 2
        new[k] = p - lr * (m / (1 - b1 ** t)) / ((v / (1 - b2 ** t)).sqrt() + 1e-8)
        st[k] = (m, v)
    return new, st


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1200)
    ap.add_argument("--lr", type=float, default=3e-3)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    net = ScoreNet()
    params = {k: v.detach().clone() for k, v in net.named_parameters()}
    state = {k: (torch.zeros_like(v), torch.zeros_like(v)) for k, v in params.items()}
    step_fn = grad_and_value(objective)
    for t in range(1, a.steps + 1):
        log_sigma = torch.rand(256, 1) * 3.0 - 2.5
        grads, loss = step_fn(params, net, checker(256), log_sigma, torch.randn(256, 2))
        params, state = adam(params, grads, state, t, a.lr * (1 - (t - 1) / a.steps))
        if t % 120 == 1:
            print(f"{t} loss {loss.item():.4f}")
    with torch.no_grad():
        ls = torch.linspace(-2.5, 0.5, 20).repeat_interleave(500)[:, None]
        left = objective(params, net, checker(len(ls)), ls, torch.randn(len(ls), 2)).item()
    print(f"noise_explained {1 - left / 2:.4f}")


if __name__ == "__main__":
    main()
