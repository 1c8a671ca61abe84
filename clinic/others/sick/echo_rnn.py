# char-rnn style training loop on a counting task: predict next symbol
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

K, T, B = 8, 16, 32


def get_batch(n=B):
    """each sequence repeats a random motif of length 4 with a shift every round"""
    motif = torch.randint(0, K, (n, 4))
    rounds = [(motif + r) % K for r in range(T // 4 + 1)]
    seq = torch.cat(rounds, dim=1)[:, :T + 1]
    return seq[:, :-1], seq[:, 1:]


class CharRNN(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.emb = nn.Embedding(K, 16)
        self.rnn = nn.GRU(16, hidden, batch_first=True)
        self.out = nn.Linear(hidden, K)

    def forward(self, x):
        h, _ = self.rnn(self.emb(x))
        return self.out(h)


model = CharRNN()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
clip = 0.002
for it in range(700):
    x, y = get_batch()
    loss = F.cross_entropy(model(x).reshape(-1, K), y.reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    if it % 100 == 0:
        print('iter', it, 'loss', loss.item())

x, y = get_batch(500)
with torch.no_grad():
    acc = (model(x).argmax(-1) == y)[:, 4:].float().mean()
print('accuracy', round(acc.item(), 4))
