"""A stacked LSTM on plain numbers, read by a cell in a loop, with dropout; the loss's graph is used twice."""

import torch
from state import print_state
from torch import nn

torch.manual_seed(21)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 8, num_layers=2, bidirectional=True, dropout=0.2, batch_first=True)
        self.cell, self.out = nn.GRUCell(16, 12), nn.Linear(12, 1)

    def forward(self, x):
        states, _ = self.lstm(x)
        state = x.new_zeros(len(x), 12)
        for step in states.unbind(1):
            state = self.cell(step, state)
        return self.out(state).squeeze(1)


model = Reader()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for step in range(30):
    x = torch.randn(12, 14, 3)
    loss = (model(x) - x[:, 0].sum(1)).square().mean()
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    (0.5 * loss).backward()
    optimizer.step()
    if step % 10 == 0:
        print(step, loss.item())
print_state(model, optimizer)
