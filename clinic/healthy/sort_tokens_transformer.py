import argparse

import torch
from torch import nn

LENGTH, TOKENS = 8, 10


class Sorter(nn.Module):
    def __init__(self, dim=32, layers=3):
        super().__init__()
        self.embed = nn.Embedding(TOKENS, dim)
        self.place = nn.Parameter(torch.randn(LENGTH, dim) * 0.3)
        layer = nn.TransformerEncoderLayer(dim, 4, 2 * dim, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(dim, TOKENS)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x) + self.place))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = Sorter()
    steps = 400
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.98))
    schedule = lambda step: min(1.0, (step + 1) / 60) * (1 - step / steps)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
    for step in range(steps):
        x = torch.randint(0, TOKENS, (32, LENGTH))
        y = x.sort(dim=1).values
        loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 40 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    model.eval()
    x = torch.randint(0, TOKENS, (300, LENGTH), generator=torch.Generator().manual_seed(4321))
    with torch.no_grad():
        print("accuracy", (model(x).argmax(-1) == x.sort(dim=1).values).float().mean().item())


if __name__ == "__main__":
    main()
