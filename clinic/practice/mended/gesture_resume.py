"""Gesture recognition from three-axis accelerometer windows. Long job: survives a preemption by its checkpoint."""
import argparse
import os
import tempfile

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

GESTURES = 8


def recordings(n, rng):
    y = rng.integers(0, GESTURES, n)
    t = np.linspace(0, 1, 32)[None, None, :]
    axis = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1], [1, -1, 0], [0, 1, -1]])[y]
    freq = np.array([2, 2, 2, 3, 3, 3, 4, 4])[y][:, None, None] + rng.normal(0, 0.3, (n, 1, 1))
    ph = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    x = axis[:, :, None] * np.sin(2 * np.pi * freq * t + ph) + 0.8 * rng.normal(size=(n, 3, 32))
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(y)


def build():
    return nn.Sequential(nn.Conv1d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
                         nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(2),
                         nn.Flatten(), nn.Linear(64, GESTURES))


class Job:
    def __init__(self, folder, total_epochs, steps_per_epoch):
        self.path = os.path.join(folder, "last.pt")
        self.total_epochs = total_epochs
        self.epoch = 0
        self.model = build()
        self.opt = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(self.opt, 5e-3, total_steps=total_epochs * steps_per_epoch)

    def save(self):
        torch.save({"epoch": self.epoch, "model": self.model.state_dict(), "opt": self.opt.state_dict(),
                    "sched": self.sched.state_dict()}, self.path)

    def resume(self):
        if not os.path.exists(self.path):
            return
        state = torch.load(self.path)
        self.model.load_state_dict(state["model"])
        self.opt.load_state_dict(state["opt"])
        self.sched.load_state_dict(state["sched"])
        self.epoch = state["epoch"]
        print("resumed at epoch", self.epoch)

    def run(self, train, valid, until=None):
        while self.epoch < (until or self.total_epochs):
            self.model.train()
            losses = []
            for x, y in train:
                loss = nn.functional.cross_entropy(self.model(x), y)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                self.sched.step()
                losses.append(loss.item())
            self.epoch += 1
            self.save()
            print(f"epoch {self.epoch:2d} loss {np.mean(losses):.4f} acc {self.accuracy(valid):.4f} "
                  f"lr {self.sched.get_last_lr()[0]:.5f}")

    @torch.no_grad()
    def accuracy(self, loader):
        self.model.eval()
        return float(np.mean(np.concatenate([(self.model(x).argmax(1) == y).numpy() for x, y in loader])))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    train = DataLoader(TensorDataset(*recordings(4500, rng)), batch_size=64, shuffle=True)
    valid = DataLoader(TensorDataset(*recordings(1000, rng)), batch_size=500)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(folder, total_epochs=8, steps_per_epoch=len(train))
        job.run(train, valid, until=1)
        job.resume()
        job.run(train, valid)
    print(f"accuracy {job.accuracy(valid):.4f}")
