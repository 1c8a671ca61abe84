# character level GRU, text read in order, hidden state carried over and cut between windows
import argparse
import random
import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rnd = random.Random(seed)
who = ['the cat', 'a dog', 'my aunt', 'the old king', 'one sailor']
does = ['sings to', 'follows', 'paints', 'forgets', 'waits for']
whom = ['the moon', 'a small boat', 'the winter', 'her sister', 'nobody']
text = ' '.join(f'{rnd.choice(who)} {rnd.choice(does)} {rnd.choice(whom)}.' for _ in range(900))
chars = sorted(set(text))
data = torch.tensor([chars.index(c) for c in text])
streams, seq_len = 16, 32
per = len(data) // streams
data = data[:per * streams].view(streams, per)


class CharModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(chars), 24)
        self.gru = nn.GRU(24, 64, batch_first=True)
        self.head = nn.Linear(64, len(chars))

    def forward(self, x, h):
        out, h = self.gru(self.embed(x), h)
        return self.head(out), h


model = CharModel()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for epoch in range(7):
    h = torch.zeros(1, streams, 64)
    correct = count = 0
    for s in range(0, per - seq_len - 1, seq_len):
        x, y = data[:, s:s + seq_len], data[:, s + 1:s + 1 + seq_len]
        h = h.detach()
        logits, h = model(x, h)
        loss = F.cross_entropy(logits.reshape(-1, len(chars)), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        correct += (logits.argmax(-1) == y).sum().item()
        count += y.numel()
    print('epoch', epoch, 'loss', loss.item(), 'acc', correct / count)
print('accuracy', round(correct / count, 4))
