"""Next page from the session so far: LSTM, norm of the gradient held at 0.25 all the way (Adam)."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

PAGES, LENGTH = 20, 16


class Sessions(Dataset):
    def __init__(self, n, rng, jump):
        self.rows = np.zeros((n, LENGTH + 1), dtype=np.int64)
        self.rows[:, 0] = rng.integers(0, PAGES, n)
        self.rows[:, 1] = rng.integers(0, PAGES, n)
        for t in range(2, LENGTH + 1):
            p = jump[self.rows[:, t - 1], self.rows[:, t - 2] % 3]
            self.rows[:, t] = (p.cumsum(1) > rng.random((n, 1))).argmax(1)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        r = self.rows[i]
        return torch.from_numpy(r[:-1]), torch.from_numpy(r[1:])


class NextPage(nn.Module):
    def __init__(self, dim=16, hidden=48):
        super().__init__()
        self.embed = nn.Embedding(PAGES, dim)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)
        self.out = nn.Linear(hidden, PAGES)

    def forward(self, x):
        return self.out(self.lstm(self.embed(x))[0])


def epoch_of(model, loader, opt=None):
    model.train(opt is not None)
    loss_sum = hit = n = 0
    for x, y in loader:
        with torch.set_grad_enabled(opt is not None):
            out = model(x)
            loss = nn.functional.cross_entropy(out.flatten(0, 1), y.flatten())
        if opt:
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.25)
            opt.step()
        loss_sum += loss.item() * y.numel()
        hit += (out.topk(3, -1).indices == y[..., None]).any(-1).sum().item()
        n += y.numel()
    return loss_sum / n, hit / n


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    jump = rng.dirichlet(np.full(PAGES, 0.15), size=(PAGES, 3))
    train = DataLoader(Sessions(3000, rng, jump), batch_size=64, shuffle=True)
    valid = DataLoader(Sessions(600, rng, jump), batch_size=200)
    model = NextPage()
    opt = torch.optim.Adam(model.parameters(), lr=8e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 7)
    for e in range(7):
        tl, _ = epoch_of(model, train, opt)
        vl, top3 = epoch_of(model, valid)
        sched.step()
        print(f"epoch {e} train {tl:.4f} valid {vl:.4f} top3 {top3:.4f}")
    print(f"top3 {top3:.4f}")


if __name__ == "__main__":
    main()
