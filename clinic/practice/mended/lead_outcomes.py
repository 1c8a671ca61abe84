"""
Lead scoring. Two exports from the CRM: `leads` (one row per lead) and `outcomes` (lead id, won).
"""
import argparse
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn


def crm_exports(seed, n=8000):
    rng = np.random.default_rng(seed + 31)
    lead_id = rng.permutation(n) + 100000
    employees = rng.lognormal(4, 1.2, n)
    visits = rng.poisson(3, n)
    days = rng.exponential(20, n)
    industry = rng.integers(0, 9, n)
    country = rng.integers(0, 14, n)
    eff_i, eff_c = rng.normal(0, 0.9, 9), rng.normal(0, 0.7, 14)
    z = (0.8 * (np.log(employees) - 4) + 0.5 * (visits - 3) - 0.9 * np.log1p(days) + 2.2
         + eff_i[industry] + eff_c[country])
    won = rng.random(n) < 1 / (1 + np.exp(-z))
    leads = dict(id=lead_id, employees=employees, visits=visits, days=days, industry=industry, country=country)
    order = np.argsort(lead_id)
    outcomes = dict(id=lead_id[order], won=won[order].astype(np.float32))
    return leads, outcomes


class LeadNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.industry = nn.Embedding(9, 4)
        self.country = nn.Embedding(14, 4)
        self.mlp = nn.Sequential(nn.Linear(3 + 8, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 24), nn.ReLU(),
                                 nn.Linear(24, 1))

    def forward(self, num, cat):
        e = torch.cat([num, self.industry(cat[:, 0]), self.country(cat[:, 1])], dim=1)
        return self.mlp(e).flatten()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

leads, outcomes = crm_exports(seed)
row_of = np.searchsorted(outcomes["id"], leads["id"])
y = torch.from_numpy(outcomes["won"][row_of])
num = np.column_stack([np.log(leads["employees"]), leads["visits"], np.log1p(leads["days"])])
num = torch.from_numpy(((num - num.mean(0)) / num.std(0)).astype(np.float32))
cat = torch.from_numpy(np.column_stack([leads["industry"], leads["country"]]))

perm = torch.randperm(len(y))
tr, va = perm[:6500], perm[6500:]
net = LeadNet()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=12)
bce = nn.BCEWithLogitsLoss()

for epoch in range(12):
    net.train()
    s = 0.0
    batches = tr[torch.randperm(len(tr))].split(100)
    for b in batches:
        loss = bce(net(num[b], cat[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item()
    sched.step()
    net.eval()
    with torch.no_grad():
        logit = net(num[va], cat[va])
        vl = bce(logit, y[va]).item()
    print(f"epoch {epoch + 1:>2} | loss {s / len(batches):.4f} | val {vl:.4f} | auc {roc_auc_score(y[va], logit):.4f}")
print(f"auc {roc_auc_score(y[va], logit):.4f}")
