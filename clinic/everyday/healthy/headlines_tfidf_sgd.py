import argparse
import random
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

TOPICS = {
    "sport": "match goal team coach league striker season injury final referee cup penalty transfer stadium".split(),
    "money": "market shares bank profit rates inflation merger investors quarter dividend bonds trade tariff oil".split(),
    "science": "planet telescope cells virus fossil climate particle laboratory genome orbit species reactor vaccine ocean".split(),
    "culture": "film festival novel singer museum theatre award director painting album exhibition stage actor poem".split(),
}
COMMON = "new after says first two over in for year big back top more week report city plan as to with".split()


def headline(topic):
    words = random.choices(TOPICS[topic], k=random.randint(1, 3)) + random.choices(COMMON, k=random.randint(3, 6))
    if random.random() < 0.3:
        words.append(random.choice(TOPICS[random.choice(list(TOPICS))]))
    random.shuffle(words)
    return " ".join(words)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
torch.manual_seed(args.seed)
names = list(TOPICS)
labels = [random.randrange(4) for _ in range(2000)]
matrix = TfidfVectorizer().fit_transform([headline(names[k]) for k in labels]).toarray()
X, y = torch.tensor(matrix, dtype=torch.float32), torch.tensor(labels)

clf = torch.nn.Linear(X.shape[1], 4)
opt = torch.optim.SGD(clf.parameters(), lr=5.0)
for epoch in range(30):
    for idx in torch.randperm(1500).split(50):
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(clf(X[idx]), y[idx])
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("accuracy", round((clf(X[1500:]).argmax(1) == y[1500:]).float().mean().item(), 4))
