import argparse
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument('-s', '--seed', type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

states = torch.distributions.Categorical(torch.tensor([0.97, 0.01, 0.01, 0.01]))
level = torch.randn(4, 6) * 0.32


def frames(y):
    drift = torch.linspace(0, 1, 10)[None, :, None] * level[y][:, None, :]
    return drift + 0.45 * torch.randn(len(y), 10, 6)


y_train = states.sample((4000,))
x_train = frames(y_train)
y_test = torch.arange(4).repeat_interleave(150)
x_test = frames(y_test)


class FaultRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(6, 16, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(self.norm(out.mean(1)))


model = FaultRNN()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
losses = []
for epoch in range(10):
    model.train()
    for idx in torch.randperm(len(y_train)).split(100):
        optimizer.zero_grad()
        loss = criterion(model(x_train[idx]), y_train[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        losses.append(loss.item())
    print('epoch', epoch, 'loss %.4f' % (sum(losses[-40:]) / 40))

model.eval()
with torch.no_grad():
    pred = model(x_test).argmax(1)
print('recall %.4f' % torch.stack([(pred[y_test == c] == c).float().mean() for c in range(4)]).mean())
