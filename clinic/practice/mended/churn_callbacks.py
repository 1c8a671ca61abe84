"""Customer segments (six) from usage counters. In-house trainer with callbacks."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Callback:
    def on_epoch_end(self, trainer, logs):
        pass


class Printer(Callback):
    def on_epoch_end(self, trainer, logs):
        print(" ".join([f"epoch {trainer.epoch:3d}"] + [f"{k} {v:.4f}" for k, v in logs.items()]))


class EarlyStopping(Callback):
    def __init__(self, monitor, mode, patience):
        self.monitor, self.patience, self.bad = monitor, patience, 0
        self.sign = 1 if mode == "max" else -1
        self.best = -float("inf")

    def on_epoch_end(self, trainer, logs):
        value = self.sign * logs[self.monitor]
        if value > self.best:
            self.best, self.bad = value, 0
        else:
            self.bad += 1
            if self.bad >= self.patience:
                trainer.stop = True


class Schedule(Callback):
    def __init__(self, sched):
        self.sched = sched

    def on_epoch_end(self, trainer, logs):
        self.sched.step()


class Trainer:
    def __init__(self, model, loss, opt, callbacks, max_epochs):
        self.model, self.loss, self.opt = model, loss, opt
        self.callbacks, self.max_epochs, self.stop, self.epoch = callbacks, max_epochs, False, 0

    def _run(self, loader, training):
        self.model.train(training)
        total, hits, n = 0.0, 0, 0
        with torch.set_grad_enabled(training):
            for x, y in loader:
                out = self.model(x)
                loss = self.loss(out, y)
                if training:
                    self.opt.zero_grad()
                    loss.backward()
                    self.opt.step()
                total += loss.item() * len(y)
                hits += (out.argmax(1) == y).sum().item()
                n += len(y)
        return total / n, hits / n

    def fit(self, train, valid):
        while self.epoch < self.max_epochs and not self.stop:
            tl, _ = self._run(train, True)
            vl, va = self._run(valid, False)
            logs = {"train_loss": tl, "valid_loss": vl, "valid_acc": va}
            for c in self.callbacks:
                c.on_epoch_end(self, logs)
            self.epoch += 1
        return va


def usage(n, rng, mix):
    k = rng.integers(0, 6, n)
    z = mix[k] + 0.7 * rng.normal(size=(n, 8))
    x = np.log1p(np.exp(np.hstack([z, z ** 2, z[:, :4] * z[:, 4:]]) / 2)) + 0.3 * rng.normal(size=(n, 20))
    return x, k


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    mix = rng.choice([-1.2, 0.0, 1.2], size=(6, 8))
    x, k = usage(9000, rng, mix)
    x = (x - x[:7500].mean(0)) / x[:7500].std(0)
    x, k = torch.tensor(x, dtype=torch.float32), torch.from_numpy(k)
    train = DataLoader(TensorDataset(x[:7500], k[:7500]), batch_size=128, shuffle=True)
    valid = DataLoader(TensorDataset(x[7500:], k[7500:]), batch_size=500)
    model = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 6))
    opt = torch.optim.SGD(model.parameters(), lr=0.02)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 0.2, total_steps=31, pct_start=0.4, div_factor=200,
                                                cycle_momentum=False)
    stopper = EarlyStopping(monitor="valid_loss", mode="min", patience=3)
    trainer = Trainer(model, nn.CrossEntropyLoss(), opt, [Printer(), Schedule(sched), stopper], max_epochs=30)
    print(f"accuracy {trainer.fit(train, valid):.4f}")
