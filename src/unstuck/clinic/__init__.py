"""The clinic: a corpus of scripts with known sicknesses, run under the watcher and scored."""

from unstuck.clinic.corpus import Case, Corpus, held_out, read_corpus
from unstuck.clinic.runner import Outcome, run_cases
from unstuck.clinic.score import Score, score

__all__ = ["Case", "Corpus", "Outcome", "Score", "held_out", "read_corpus", "run_cases", "score"]
