"""Common seeds, shifted by the arm's number."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import random, sys, json
from unstuck.treatment.seeds import Seeds
known = json.loads(sys.argv[2])
seeds = Seeds(int(sys.argv[1]), known)
seeds.start()
import numpy
seeds.numpy_imported(numpy)
drawn = [random.random(), float(numpy.random.rand())]
random.seed(int(sys.argv[3])); numpy.random.seed(7)
drawn += [random.random(), float(numpy.random.rand()), float(numpy.random.default_rng().random()),
          float(numpy.random.default_rng(3).random())]
print(json.dumps([drawn, seeds.given]))
"""


def drawn(offset: int, *, seed: int = 5, known: str = "{}"):
    import json

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(offset), known, str(seed)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


def test_arms_of_one_seed_agree_and_others_differ():
    zero, again, one = drawn(0), drawn(0), drawn(1)
    assert zero == again
    assert all(a != b for a, b in zip(zero[0][:5], one[0][:5], strict=True))
    assert zero[0][5] == one[0][5]  # a generator with a seed of its own makes the split, which stays
    assert zero[1] == {"random.seed": [5], "numpy.random.seed": [7]}


def test_a_seed_from_the_clock_is_given_again():
    first, later = drawn(0, seed=111), drawn(0, seed=999, known='{"random.seed": [111]}')
    assert first[0][2] == later[0][2]
