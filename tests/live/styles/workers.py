"""Data loaders with worker processes, forked and spawned, and a dataset with its own randomness."""

import random

import torch
from state import print_state
from torch.utils.data import DataLoader, Dataset


class Noisy(Dataset):
    def __len__(self):
        return 192

    def __getitem__(self, index):
        return torch.tensor([index / 192.0, random.random()]), index % 3


def main():
    torch.manual_seed(10)
    random.seed(10)
    model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, nesterov=True, momentum=0.9)
    for context, epochs in (("fork", 3), ("spawn", 1)):
        loader = DataLoader(Noisy(), batch_size=16, num_workers=2, shuffle=True, multiprocessing_context=context)
        for _ in range(epochs):
            for x, y in loader:
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
        print(context, loss.item())
    print_state(model, optimizer)


if __name__ == "__main__":
    main()
