"""Claim counts with exposure: Poisson likelihood, log link; checkpoint, reload into a fresh process state, go on."""
import argparse
import io

import numpy as np
import torch
from torch import nn

REGIONS, CARS = 18, 7


class Frequency(nn.Module):
    def __init__(self):
        super().__init__()
        self.region, self.car = nn.Embedding(REGIONS, 3), nn.Embedding(CARS, 3)
        self.net = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, num, cat, exposure):
        h = torch.cat([num, self.region(cat[:, 0]), self.car(cat[:, 1])], 1)
        return self.net(h).squeeze(1) + exposure.log()


def policies(n, g):
    age, power, bonus = g.uniform(18, 85, n), g.normal(0, 1, n), g.normal(0, 1, n)
    region, car = g.integers(0, REGIONS, n), g.integers(0, CARS, n)
    er, ec = g.normal(0, 0.5, REGIONS), g.normal(0, 0.4, CARS)
    exposure = g.uniform(0.1, 1.0, n)
    rate = np.exp(1.0 + 0.9 * ((age - 48) / 30) ** 2 + 0.35 * power - 0.4 * bonus + er[region] + ec[car])
    count = g.poisson(rate * exposure)
    num = np.column_stack([(age - 51.5) / 19.3, power, bonus]).astype(np.float32)
    return (torch.from_numpy(num), torch.from_numpy(np.column_stack([region, car])),
            torch.tensor(exposure, dtype=torch.float32), torch.tensor(count, dtype=torch.float32))


def setup(total):
    model = Frequency()
    opt = torch.optim.RAdam([{"params": list(model.region.parameters()) + list(model.car.parameters()), "lr": 4e-2},
                             {"params": model.net.parameters(), "lr": 2e-2}])
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda e: max(0.02, 1 - e / total))
    return model, opt, sched


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    num, cat, exp, count = policies(11000, np.random.default_rng(seed + 4))
    cut, epochs = 9000, 14
    nll = nn.PoissonNLLLoss(log_input=True)
    model, opt, sched = setup(epochs)
    for epoch in range(epochs):
        if epoch == 4:
            box = io.BytesIO()
            torch.save([model.state_dict(), opt.state_dict(), sched.state_dict()], box)
            box.seek(0)
            m, o, s = torch.load(box)
            model, opt, sched = setup(epochs)
            model.load_state_dict(m), opt.load_state_dict(o), sched.load_state_dict(s)
        model.train()
        tot = 0.0
        for b in torch.randperm(cut).split(128):
            loss = nll(model(num[b], cat[b], exp[b]), count[b])
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() * len(b) / cut
        sched.step()
        model.eval()
        with torch.no_grad():
            mu = model(num[cut:], cat[cut:], exp[cut:])
            v = nll(mu, count[cut:]).item()
        print(f"epoch {epoch + 1:2d} nll {tot:.4f} valid {v:.4f} lr {sched.get_last_lr()[0]:.4f}")

    def deviance(m):
        y = count[cut:]
        return 2 * (torch.xlogy(y, y / m) - (y - m)).mean().item()
    flat = exp[cut:] * count[:cut].sum() / exp[:cut].sum()
    print(f"d2 {1 - deviance(mu.exp()) / deviance(flat):.4f}")


if __name__ == "__main__":
    main()
