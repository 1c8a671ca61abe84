"""System identification with a GRU: predict the response of a driven damped oscillator one step ahead."""
import argparse
import numpy as np
import torch
import torch.nn as nn


def simulate(n, length, rng, w=0.55, damping=0.12):
    drive = np.repeat(rng.standard_normal((n, length // 5 + 1)), 5, axis=1)[:, :length]
    pos, vel, out = np.zeros(n), np.zeros(n), []
    for t in range(length):
        vel = vel + (drive[:, t] * 0.4 - w * w * pos - damping * vel)
        pos = pos + vel
        out.append(pos.copy())
    y = np.stack(out, 1)
    return drive.astype(np.float32), (y / 1.6).astype(np.float32)


class Identifier(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.read = nn.Linear(hidden, 1)

    def forward(self, u):
        return self.read(self.rnn(u.unsqueeze(-1))[0]).squeeze(-1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=24)
    parser.add_argument("--lr", type=float, default=0.5)
    parser.add_argument("--max_norm", type=float, default=0.005)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    u, y = map(torch.from_numpy, simulate(1200, 30, rng))
    y = y / y[:1000].std()
    model = Identifier(args.hidden)
    opt = torch.optim.SGD(model.parameters(), lr=args.lr)
    sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.05, args.steps)
    for step in range(args.steps):
        idx = torch.from_numpy(rng.integers(0, 1000, args.batch))
        loss = (model(u[idx]) - y[idx]).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.max_norm)
        opt.step()
        sched.step()
        if step % 50 == 0:
            print(f"{step:4d} {loss.item():.4f}")
    with torch.no_grad():
        err = (model(u[1000:]) - y[1000:]).pow(2).mean() / y[1000:].var()
    print(f"fit {1 - err.item():.4f}")
