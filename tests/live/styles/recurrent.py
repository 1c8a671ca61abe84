"""An LSTM with truncated backpropagation and a ReduceLROnPlateau schedule."""

import torch
from state import print_state
from torch import nn

torch.manual_seed(12)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 12)
        self.lstm = nn.LSTM(12, 24, batch_first=True)
        self.out = nn.Linear(24, 20)

    def forward(self, tokens, state=None):
        hidden, state = self.lstm(self.embed(tokens), state)
        return self.out(hidden), state


model = Model()
optimizer = torch.optim.NAdam(model.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
text = (torch.arange(4000) * 7 % 20).view(8, -1)
state = None
for step in range(30):
    at = (step * 10) % 400
    logits, state = model(text[:, at : at + 10], state)
    state = tuple(s.detach() for s in state)
    loss = nn.functional.cross_entropy(logits.transpose(1, 2), text[:, at + 1 : at + 11])
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(model.parameters(), 0.5)
    optimizer.step()
    scheduler.step(loss.item())
    if step % 10 == 0:
        print(step, loss.item(), optimizer.param_groups[0]["lr"])
print_state(model, optimizer)
