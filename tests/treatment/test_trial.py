"""The trial over replays that are made up: order, determinism, resumption, what is recommended and what is not."""

from __future__ import annotations

import json

import pytest

from unstuck.core.errors import BadInput
from unstuck.treatment import trial as trial_module
from unstuck.treatment.compare import compare, plain
from unstuck.treatment.diagnosis import weigh
from unstuck.treatment.plan import Candidate
from unstuck.treatment.replay import Arm, Setup
from unstuck.treatment.search import Row
from unstuck.treatment.trial import Findings, Trial

KNOWN = {
    "optimizers": [{"kind": "SGD", "options": {"lr": 1.0}, "name": "optimizer", "line": None, "steps": 100}],
    "activations": {"relu": 2},
    "tail": [],
    "modules": {"Linear": 3, "ReLU": 2},
    "meetings": [{"function": "cross_entropy", "kind": "classes", "scores_given": False}],
    "loss": {"makers": ["cross_entropy:mean"], "graph": True, "negative_share": 0.0},
    "gradient_norm": {"median": 1.0, "low": 0.5},
    "input": {"mean": [0.0], "std": [1.0]},
    "target": {"mean": None, "std": None},
    "steps": 100,
    "ticks": 100,
    "loop": {"file": "train.py", "line": 3, "stop": 3, "text": "for epoch in range(9):"},
}


def reached(value: float) -> dict:
    """A replay whose last evaluation had this accuracy in both of two classes."""
    tally = {"right": [value * 1000] * 2, "total": [1000, 1000]}
    blocks = [{"start": i, "stop": i + 10, "loss": 1.0, **tally} for i in range(0, 100, 10)]
    return {"kind": "classes", "ticks": 100, "blocks": blocks, "evaluations": [{"tick": 100, "compared": tally}]}


class World:
    """Replays that reach what a table says; counts how many are really made."""

    def __init__(self, monkeypatch, gains: dict[str, float], *, base: float = 0.5, spread: float = 0.01):
        self.gains, self.base, self.spread = gains, base, spread
        self.made: list[str] = []
        self.stop_after: int | None = None
        monkeypatch.setattr(trial_module, "replay", self.replay)
        monkeypatch.setattr(trial_module, "fork_server", lambda setup, modules: None)

    def replay(self, setup, arm, *, collect=False, seconds=None, server=None):
        if self.stop_after is not None and len(self.made) >= self.stop_after:
            raise KeyboardInterrupt
        self.made.append(arm.key)
        value = self.base + self.spread * arm.seed
        for name, options in arm.changes:
            value += self.gains.get(name + json.dumps(options), self.gains.get(name, 0.0))
        result = {"key": arm.key, "wall_seconds": 1.0, "measured": reached(min(value, 1.0)), "notes": {}}
        return {**result, "known": KNOWN, "modules": [], "seeds": {}} if collect else result


def setup_in(folder) -> Setup:
    folder.mkdir(exist_ok=True)
    return Setup("train.py", (), False, folder, folder)


def test_what_helps_is_recommended_with_its_interval(monkeypatch, tmp_path):
    World(monkeypatch, {"clipping": 0.4})
    found = Trial(setup_in(tmp_path / "run")).go(["G302"])
    compared = compare(found)
    best = compared.recommended[0]
    assert best.row.changes[0].name == "clipping"
    assert best.effect.pairs == 3 and best.effect.above_zero and best.effect.mean == pytest.approx(0.4)
    assert found.trials <= 10
    assert "instead of" in plain(found, compared)["sentence"]


def test_nothing_is_recommended_to_a_healthy_run(monkeypatch, tmp_path):
    World(monkeypatch, {"learning-rate": 0.02, "initialization": -0.1}, base=0.96)
    compared = compare(Trial(setup_in(tmp_path / "run")).go([]))
    assert compared.recommended == ()
    assert all(o.reason for o in compared.outcomes)


def test_what_helped_on_one_seed_only_is_not_recommended(monkeypatch, tmp_path):
    world = World(monkeypatch, {})
    lucky = world.replay
    lucky_key = Arm.of([("clipping", {"norm": 0.2})], 0).key

    def once(setup, arm, **options):
        result = lucky(setup, arm, **options)
        return {**result, "measured": reached(0.8)} if arm.key == lucky_key else result

    monkeypatch.setattr(trial_module, "replay", once)
    outcomes = compare(Trial(setup_in(tmp_path / "run")).go(["G302"])).outcomes
    clipped = next(o for o in outcomes if o.row.changes[0].options == {"norm": 0.2})
    assert clipped.effect.mean > 0.05 and not clipped.recommended and "not surely" in clipped.reason


def test_a_wrong_finding_changes_the_order_and_not_the_ranking(monkeypatch, tmp_path):
    World(monkeypatch, {"learning-rate": 0.3, "initialization": 0.2})
    tables = []
    for number, codes in enumerate((["U401"], ["T703"], ["G303"])):
        found = Trial(setup_in(tmp_path / f"{number}"), trials=60, with_random=False).go(codes)
        ranked = [o.row.label for o in compare(found).outcomes if o.effect.mean > 0.05 and len(o.row.changes) == 1]
        tables.append({label: i for i, label in enumerate(ranked)})
    common = set(tables[0]) & set(tables[1]) & set(tables[2])
    assert len(common) >= 4
    assert all(
        sorted(common, key=lambda c: (t[c] > 5, c)) == sorted(common, key=lambda c: (tables[0][c] > 5, c))
        for t in tables
    )


def test_the_same_again_gives_the_same_table(monkeypatch, tmp_path):
    World(monkeypatch, {"clipping": 0.1, "initialization": 0.3})
    tables = []
    for jobs in (1, 3):
        found = Trial(setup_in(tmp_path / f"{jobs}"), jobs=jobs).go(["G306"])
        section = plain(found, compare(found))
        tables.append({key: section[key] for key in ("sentence", "remedies", "random", "halved", "nothing", "trials")})
    assert tables[0] == tables[1]


def test_killed_and_started_again_it_goes_on(monkeypatch, tmp_path):
    world = World(monkeypatch, {"clipping": 0.2})
    whole = Trial(setup_in(tmp_path / "whole")).go(["G302"])
    count, world.made = len(world.made), []
    for stop in (1, 5, 9, 14):
        world.stop_after = stop
        with pytest.raises(KeyboardInterrupt):
            Trial(setup_in(tmp_path / "cut")).go(["G302"])
    journal = tmp_path / "cut" / "arms.jsonl"
    journal.write_text(journal.read_text() + '{"key": "half a li')
    world.stop_after = None
    again = Trial(setup_in(tmp_path / "cut")).go(["G302"])
    assert len(world.made) == count
    first, second = plain(whole, compare(whole)), plain(again, compare(again))
    assert first["remedies"] == second["remedies"] and first["random"] == second["random"]


def test_random_edits_have_no_more_replays_than_the_remedies(monkeypatch, tmp_path):
    world = World(monkeypatch, {"clipping": 0.4})
    found = Trial(setup_in(tmp_path / "run"), trials=10).go(["G302"])
    assert sum(1 for r in found.random for v in r.values if v is not None) <= 10
    assert len(world.made) <= 1 + 3 * 2 + 10 * 2


def test_longer_is_told_apart(monkeypatch, tmp_path):
    World(monkeypatch, {"longer": 0.4})
    found = Trial(setup_in(tmp_path / "run")).go(["T701"])
    best = compare(found).recommended[0]
    assert best.row.more_compute and best.reason == "it helps by spending more compute"
    assert "more compute" in plain(found, compare(found))["sentence"]


def test_a_spent_budget_is_said(monkeypatch, tmp_path):
    World(monkeypatch, {"clipping": 0.4})
    found = Trial(setup_in(tmp_path / "run"), budget=0.000001).go(["G302"])
    assert found.out_of_time and "budget" in plain(found, compare(found))["sentence"]


def test_a_script_that_does_not_train_is_refused(monkeypatch, tmp_path):
    World(monkeypatch, {})
    empty = {"key": "@0", "wall_seconds": 1.0, "measured": {"ticks": 0}, "error": "EOFError: no input", "tail": ""}
    monkeypatch.setattr(trial_module, "replay", lambda *a, **k: dict(empty))
    with pytest.raises(BadInput, match="EOFError"):
        Trial(setup_in(tmp_path / "run")).go([])


def test_findings_gain_and_lose_by_their_own_remedies(monkeypatch, tmp_path):
    World(monkeypatch, {"clipping": 0.4})
    found = Trial(setup_in(tmp_path / "run")).go(["G302", "U401", "T999"])
    blank = {"basis": "watched", "evidence": {}, "remedies": []}
    document = {
        "findings": [
            {"code": "G302", "confidence": 0.6, **blank},
            {"code": "U403", "confidence": 0.6, **blank},
            {"code": "T999", "confidence": 0.6, **blank},
        ]
    }
    section = plain(found, compare(found))
    for remedy in section["remedies"]:  # a finding whose own remedy was tried and did nothing
        remedy["answers"] += ["U403"] if remedy["changes"][0]["name"] == "initialization" else []
    weigh(document, section)
    confirmed, refuted, untried = document["findings"]
    assert confirmed["confidence"] == pytest.approx(0.8) and confirmed["basis"] == "replayed"
    assert confirmed["remedies"][0]["verified"]["effect"] == pytest.approx(0.4)
    assert refuted["confidence"] == pytest.approx(0.3)
    assert untried == {"code": "T999", "confidence": 0.6, **blank}


def test_after_a_lucky_first_seed_the_search_goes_on(monkeypatch, tmp_path):
    world = World(monkeypatch, {"initialization": 0.3}, base=0.4)
    plain_replay = world.replay
    lucky = Arm.of([("clipping", {"norm": 0.2})], 0).key

    def once(setup, arm, **options):
        result = plain_replay(setup, arm, **options)
        return {**result, "measured": reached(0.99)} if arm.key == lucky else result

    monkeypatch.setattr(trial_module, "replay", once)
    found = Trial(setup_in(tmp_path / "run")).go(["G302"])
    best = compare(found).recommended[0]
    assert [c.name for c in best.row.changes][:1] == ["initialization"] and best.effect.pairs >= 2
    assert found.trials <= 10


def test_two_that_are_about_as_good_are_not_half_confirmed(monkeypatch, tmp_path):
    world = World(monkeypatch, {'clipping{"norm": 0.2}': 0.12, "clipping": 0.11}, base=0.4, spread=0.0)
    plain_replay = world.replay
    second = [Arm.of([("clipping", {"norm": 0.2})], 1).key, Arm((), 1).key]

    def another_seed(setup, arm, **options):  # where doing nothing reaches more, and there is less to gain
        result = plain_replay(setup, arm, **options)
        return {**result, "measured": reached((0.58, 0.52)[second.index(arm.key)])} if arm.key in second else result

    monkeypatch.setattr(trial_module, "replay", another_seed)
    found = Trial(setup_in(tmp_path / "run"), trials=4, only=["clipping"], with_random=False).go(["G302"])
    assert [len(row.reached()) for row in found.tried] == [3, 1]


def test_a_combination_gives_way_to_a_part_only_where_that_is_recommended_itself():
    one, other = Candidate("clipping", "clipped"), Candidate("decay", "decayed")
    nothing = Row((), [0.3, 0.31, 0.3])

    def recommended(*single: float | None) -> list[str]:
        tried = [Row((one,), list(single)), Row((one, other), [0.61, 0.6, 0.6])]
        found = Findings("validation", "balanced accuracy", nothing, None, tried, [], KNOWN)
        return [o.row.label for o in compare(found).recommended]

    assert recommended(0.6, None, None) == ["clipped + decayed"]
    assert recommended(0.6, 0.6, 0.6) == ["clipped"]
