# %% [markdown]
# Tag suggestions for support articles (several tags each), exported from the notebook.

# %%
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import f1_score

pa = argparse.ArgumentParser()
pa.add_argument("--seed", type=int, default=0)
SEED = pa.parse_args().seed
torch.manual_seed(SEED)
rs = np.random.RandomState(SEED)

# %%
N, VOCAB, TAGS = 5000, 500, 24
topic_words = [rs.choice(VOCAB, 14, replace=False) for _ in range(TAGS)]
docs = np.zeros((N, VOCAB), dtype=np.float32)
tags = np.zeros((N, TAGS), dtype=np.float32)
for i in range(N):
    for t in rs.choice(TAGS, rs.randint(1, 4), replace=False):
        tags[i, t] = 1
        np.add.at(docs[i], rs.choice(topic_words[t], 7), 1)
    np.add.at(docs[i], rs.randint(0, VOCAB, 25), 1)
docs = np.log1p(docs)
docs /= np.linalg.norm(docs, axis=1, keepdims=True)
idf = np.log(N / (1 + (docs > 0).sum(0)))
docs = (docs * idf).astype(np.float32)
X, Y = torch.from_numpy(docs), torch.from_numpy(tags)
Xtr, Ytr, Xva, Yva = X[:4000], Y[:4000], X[4000:], Y[4000:]

# %%
class Suggester(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(VOCAB, 64)
        self.drop = nn.Dropout(0.2)
        self.fc2 = nn.Linear(64, TAGS)

    def forward(self, x):
        x = self.drop(torch.relu(self.fc1(x)))
        return torch.sigmoid(self.fc2(x))

model = Suggester()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

# %%
EPOCHS, BS = 14, 64
sched = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, epochs=EPOCHS, steps_per_epoch=-(-4000 // BS))
for epoch in range(EPOCHS):
    model.train()
    losses = []
    for idx in torch.randperm(4000).split(BS):
        optimizer.zero_grad()
        loss = criterion(model(Xtr[idx]), Ytr[idx])
        loss.backward()
        optimizer.step()
        sched.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        prob = model(Xva)
    print("epoch", epoch, "loss", round(np.mean(losses), 4), "val", round(criterion(prob, Yva).item(), 4))

# %%
print("micro_f1 %.4f" % f1_score(Yva.numpy(), (prob > 0.5).numpy(), average="micro", zero_division=0))
