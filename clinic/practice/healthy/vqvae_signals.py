"""VQ-VAE (van den Oord et al. 2017) on short generated waveforms: straight-through codes, EMA codebook."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F


class Codebook(nn.Module):
    def __init__(self, n, d, decay=0.95):
        super().__init__()
        self.decay = decay
        self.register_buffer("codes", torch.randn(n, d) * 0.5)
        self.register_buffer("count", torch.ones(n))
        self.register_buffer("total", self.codes.clone())

    def forward(self, z):
        flat = z.reshape(-1, z.shape[-1])
        pick = torch.cdist(flat, self.codes).argmin(1)
        q = self.codes[pick].view_as(z)
        if self.training:
            with torch.no_grad():
                hot = F.one_hot(pick, len(self.codes)).float()
                self.count.lerp_(hot.sum(0), 1 - self.decay)
                self.total.lerp_(hot.T @ flat, 1 - self.decay)
                rare = self.count < 0.5
                self.codes.copy_(self.total / self.count.clamp_min(1e-3)[:, None])
                if rare.any():
                    fresh = flat[torch.randint(len(flat), (int(rare.sum()),))]
                    self.codes[rare], self.total[rare], self.count[rare] = fresh, fresh, 1.0
        return z + (q - z).detach(), (z - q.detach()).pow(2).mean()


class VQVAE(nn.Module):
    def __init__(self, chunk=8, d=8, n=64):
        super().__init__()
        self.chunk = chunk
        self.enc = nn.Sequential(nn.Linear(chunk, 48), nn.ReLU(), nn.Linear(48, d))
        self.book = Codebook(n, d)
        self.dec = nn.Sequential(nn.Linear(d, 48), nn.ReLU(), nn.Linear(48, chunk))

    def forward(self, x):
        b, t = x.shape
        q, commit = self.book(self.enc(x.view(b, t // self.chunk, self.chunk)))
        return self.dec(q).reshape(b, t), commit


def waves(n, t=32):
    grid = torch.arange(t).float()
    f, ph = 0.15 + 0.35 * torch.rand(n, 1), 6.283 * torch.rand(n, 1)
    return (1.3 * torch.sin(f * grid + ph) + 0.3 * torch.sign(torch.sin(0.2 * grid + ph)) + 0.05 * torch.randn(n, t))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1000)
    ap.add_argument("--beta", type=float, default=0.25)
    ap.add_argument("--lr", type=float, default=2e-3)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    model = VQVAE()
    opt = torch.optim.Adam(model.parameters(), lr=a.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, a.steps)
    for step in range(a.steps):
        x = waves(64)
        out, commit = model(x)
        rec = (out - x).pow(2).mean()
        opt.zero_grad()
        (rec + a.beta * commit).backward()
        opt.step()
        sched.step()
        if step % 100 == 0:
            print(f"{step} rec {rec.item():.4f} commit {commit.item():.4f} used {(model.book.count > 0.5).sum().item()}")
    model.eval()
    with torch.no_grad():
        x = waves(1000)
        print(f"explained {1 - ((model(x)[0] - x).pow(2).mean() / x.var()).item():.4f}")


if __name__ == "__main__":
    main()
