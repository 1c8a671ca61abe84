"""Micro-batches of 8, eight of them to a step, autocast to bfloat16, norm layers instead of batch statistics."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MICRO, PER_STEP, EPOCHS = 16, 4, 6


def data(n, rng, proto):
    y = rng.integers(0, 6, n)
    x = proto[y] + rng.normal(0, 1.9, (n, 32))
    x[:, ::3] *= np.sign(x[:, 1:2])
    return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.from_numpy(y))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    proto = rng.normal(0, 1.0, (6, 32))
    train = DataLoader(data(6400, rng, proto), batch_size=MICRO, shuffle=True, drop_last=True)
    test = data(2000, rng, proto)
    model = nn.Sequential(nn.Linear(32, 48), nn.LayerNorm(48), nn.GELU(), nn.Linear(48, 48), nn.LayerNorm(48), nn.GELU(),
                          nn.Linear(48, 6))
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}], lr=4e-3)
    total = EPOCHS * len(train) // PER_STEP
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 6e-3, total_steps=total)
    crit = nn.CrossEntropyLoss(label_smoothing=0.05)
    micro = 0
    for epoch in range(EPOCHS):
        model.train()
        s = 0.0
        for x, y in train:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = crit(model(x), y)
            (loss / PER_STEP).backward()
            micro += 1
            if micro % PER_STEP == 0:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                opt.step()
                sched.step()
                opt.zero_grad(set_to_none=True)
            s += loss.item()
        model.eval()
        with torch.no_grad():
            acc = (model(test.tensors[0]).argmax(1) == test.tensors[1]).float().mean().item()
        print(f"epoch {epoch} loss {s / len(train):.4f} accuracy {acc:.4f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
