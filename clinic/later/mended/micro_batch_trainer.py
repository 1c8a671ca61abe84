import argparse
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class TrainArgs:
    micro_batch: int = 16
    accumulation_steps: int = 4
    epochs: int = 16
    lr: float = 4e-3
    weight_decay: float = 0.01


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(64)
        self.up = nn.Linear(64, 96)
        self.down = nn.Linear(96, 10)

    def forward(self, x):
        return self.down(nn.functional.gelu(self.up(self.norm(x))))


class Trainer:
    def __init__(self, model, train_set, test_set, args):
        self.model, self.args = model, args
        self.train_loader = DataLoader(train_set, args.micro_batch, shuffle=True, drop_last=True)
        self.test_set = test_set
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
        self.criterion = nn.CrossEntropyLoss()

    def train_one_epoch(self):
        self.model.train()
        self.optimizer.zero_grad()
        running = 0.0
        for i, (x, y) in enumerate(self.train_loader):
            loss = self.criterion(self.model(x), y) / self.args.accumulation_steps
            loss.backward()
            running += loss.item() * self.args.accumulation_steps
            if (i + 1) % self.args.accumulation_steps == 0:
                self.optimizer.step()
                self.optimizer.zero_grad()
        return running / len(self.train_loader)

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        x, y = self.test_set.tensors
        return (self.model(x).argmax(1) == y).float().mean().item()


def main():
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    seed = cli.parse_args().seed
    torch.manual_seed(seed)
    x, y = load_digits(return_X_y=True)
    parts = train_test_split(torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y), test_size=0.3, random_state=seed)
    trainer = Trainer(MLP(), TensorDataset(parts[0], parts[2]), TensorDataset(parts[1], parts[3]), TrainArgs())
    for epoch in range(trainer.args.epochs):
        loss = trainer.train_one_epoch()
        print(f"epoch {epoch} train {loss:.4f} test {trainer.evaluate():.4f}")
    print(f"accuracy {trainer.evaluate():.4f}")


if __name__ == "__main__":
    main()
