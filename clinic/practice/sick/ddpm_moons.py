"""x0-predicting diffusion on two moons (cosine noise schedule), checked by the share of variance recovered per noise level."""
import argparse
import math
import torch
import torch.nn as nn
from sklearn.datasets import make_moons


class Denoiser(nn.Module):
    def __init__(self, width=64, freqs=4):
        super().__init__()
        self.register_buffer("freqs", 2.0 ** torch.arange(freqs))
        self.body = nn.Sequential(nn.Linear(2 + 2 * freqs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.out = nn.Sequential(nn.Linear(width, 2), nn.Sigmoid())

    def forward(self, x, t):
        ang = t[:, None] * self.freqs
        return self.out(self.body(torch.cat([x, ang.sin(), ang.cos()], 1)))


def alpha_bar(t):
    return torch.cos(t * math.pi / 2) ** 2


def corrupt(x0, t):
    a = alpha_bar(t)[:, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * torch.randn_like(x0)


def ema_update(avg, model, decay):
    for a, b in zip(avg.parameters(), model.parameters()):
        a.data.lerp_(b.data, 1 - decay)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=1500)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--batch", type=int, default=256)
    args = p.parse_args()
    torch.manual_seed(args.seed)
    x, _ = make_moons(3000, noise=0.05, random_state=args.seed)
    x = torch.tensor((x - x.mean(0)) / x.std(0), dtype=torch.float32)
    train, test = x[:2500], x[2500:]
    net, avg = Denoiser(), Denoiser()
    avg.load_state_dict(net.state_dict())
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.steps)
    run = 0.0
    for step in range(args.steps):
        x0 = train[torch.randint(len(train), (args.batch,))]
        t = torch.rand(len(x0)) * 0.6
        loss = ((net(corrupt(x0, t), t) - x0) ** 2).mean()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        sched.step()
        ema_update(avg, net, 0.99)
        run = loss.item() if step == 0 else 0.98 * run + 0.02 * loss.item()
        if step % 150 == 0:
            print(f"{step} {run:.4f}")
    with torch.no_grad():
        t = torch.linspace(0.02, 0.6, 30).repeat_interleave(len(test))
        x0 = test.repeat(30, 1)
        err = ((avg(corrupt(x0, t), t) - x0) ** 2).mean() / x0.var()
    print(f"recovered {1 - err.item():.4f}")


if __name__ == "__main__":
    main()
