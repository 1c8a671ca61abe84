import argparse

import torch
from torch import nn


class Echo(nn.Module):
    """Says every token again, three steps later."""

    def __init__(self, symbols=5, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(symbols, 12)
        self.rnn = nn.RNN(12, hidden, batch_first=True)
        self.out = nn.Linear(hidden, symbols)

    def forward(self, x):
        return self.out(self.rnn(self.embed(x))[0])


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
model = Echo()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 150, gamma=0.3)
for step in range(450):
    x = torch.randint(0, 5, (24, 15))
    loss = nn.functional.cross_entropy(model(x)[:, 3:].flatten(0, 1), x[:, :-3].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    scheduler.step()
    if step % 45 == 0:
        print(f"step {step} loss {loss.item():.4f}")
x = torch.randint(0, 5, (200, 15), generator=torch.Generator().manual_seed(8))
with torch.no_grad():
    print("accuracy", (model(x)[:, 3:].argmax(-1) == x[:, :-3]).float().mean().item())
